// SPDX-License-Identifier: AGPL-3.0-or-later

package federation_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"essaim"
	"essaim/federation"
	"essaim/federation/wire"
)

// apply runs the ingester under a clock of its own until nothing is due, and
// returns the row of the first activity.
func apply(t *testing.T, n *node, for_ time.Duration, bodies ...string) *inbound {
	t.Helper()
	for i, body := range bodies {
		var a struct{ ID, Type, Actor string }
		if err := json.Unmarshal([]byte(body), &a); err != nil {
			t.Fatal(err)
		}
		if a.ID == "" {
			read, err := wire.Decode([]byte(body), wire.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			a.ID = read.ID.String()
		}
		n.rows = append(n.rows, &inbound{state: essaim.InboundWaiting, Inbound: essaim.Inbound{
			ID: int64(len(n.rows) + 1), ActivityID: a.ID, Type: a.Type, Actor: a.Actor, Raw: []byte(body), ReceivedAt: n.Now().Add(time.Duration(i)),
		}})
	}
	synctest.Test(t, func(t *testing.T) {
		n.mu.Lock()
		n.clock = time.Time{} // the bubble's
		n.mu.Unlock()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- n.ingest.Run(ctx) }()
		<-time.After(for_)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return n.rows[0]
}

// said writes effects in short.
func said(effects []essaim.Effect) string {
	var list []string
	for _, e := range effects {
		switch e := e.(type) {
		case essaim.AddFollower:
			list = append(list, fmt.Sprintf("follower %s of %s pending=%v accept=%v", e.Follower.ID, e.Local, e.Pending, e.Accept.ActivityID != ""))
		case essaim.RemoveFollower:
			list = append(list, fmt.Sprintf("unfollow %s of %s id=%s", e.Follower, e.Local, e.FollowID))
		case essaim.PeerAnswer:
			list = append(list, fmt.Sprintf("answer %v by %s to %s", e.Accepted, e.Actor, e.FollowID))
		case essaim.Replicate:
			list = append(list, fmt.Sprintf("record %s %s %d.%d foreign=%v by %s", e.Record.Kind, e.Record.ID, e.Record.Incarnation, e.Record.Revision, e.Foreign, e.Record.Territory))
		case essaim.Erase:
			list = append(list, fmt.Sprintf("erase %s by %s%s", e.ID, e.Actor, map[bool]string{true: ", an actor"}[e.OfActor]))
		case essaim.React:
			list = append(list, fmt.Sprintf("%s of %s by %s", e.Kind, e.Object, e.Actor))
		case essaim.Unreact:
			list = append(list, fmt.Sprintf("no %s of %s by %s id=%s", e.Kind, e.Object, e.Actor, e.ActivityID))
		case essaim.HoldComment:
			list = append(list, fmt.Sprintf("comment %s by %s on %s", e.ID, e.Actor, e.InReplyTo))
		case essaim.Moved:
			list = append(list, fmt.Sprintf("%s moved to %s", e.Actor, e.Target.ID))
			if e.Follow.ActivityID != "" {
				list = append(list, "follow at "+e.Follow.Inbox, "undo at "+e.Undo.Inbox)
			}
		case essaim.AllowQuote:
			list = append(list, fmt.Sprintf("%s may quote %s", e.Quote.Post, e.Quote.Object))
		case essaim.Acknowledge:
			list = append(list, fmt.Sprintf("%s adapts %s for %s accept=%v", e.Child, e.Parent, e.Actor, len(e.Accept.Body) > 0))
		case essaim.OfferAnswer:
			list = append(list, fmt.Sprintf("offer %s answered %v by %s", e.Offer, e.Accepted, e.Actor))
		case essaim.Reply:
			list = append(list, fmt.Sprintf("%s about %s to %s", e.Type, e.Object, e.Answer.Inbox))
		case essaim.FileReport:
			list = append(list, fmt.Sprintf("report by %s of %s", e.Report.Host, strings.Join(e.Report.Objects, " "))+" actors "+strings.Join(e.Actors, " "))
			if e.Report.Withdrawn != "" {
				list = append(list, "withdrawn there: "+e.Report.Withdrawn)
			}
		case essaim.Refuse:
			list = append(list, fmt.Sprintf("%s is blocked by %s", e.Local, e.Actor))
		case essaim.EraseComment:
			list = append(list, fmt.Sprintf("letter %s by %s", e.ID, e.Actor))
		case essaim.Propose:
			list = append(list, fmt.Sprintf("candidate %s %s by %s brought by %s", e.Proposal.Content.Kind, e.Proposal.Object, e.Proposal.Author, e.By))
		case essaim.Want:
			list = append(list, fmt.Sprintf("want %s for %s by %s", e.Object, e.By, e.Announce))
		case essaim.ForgetActor:
			list = append(list, "forget "+e.Actor)
		case essaim.SaveActor:
			list = append(list, "actor "+e.Actor.ID)
		default:
			list = append(list, fmt.Sprintf("%T", e))
		}
	}
	return strings.Join(list, "; ")
}

const record = `{"@context":["https://www.w3.org/ns/activitystreams",{"essaim":"https://w3id.org/essaim#"}],"id":"https://peer.example/objects/1","type":"Article",
"attributedTo":"https://peer.example/users/alice","name":"Brest: jardin partagé","content":"<p>x</p>","url":"https://peer.example/initiatives/jardin",
"published":"2000-01-01T00:00:00Z","updated":"2000-01-01T00:00:00Z","essaim:kind":"initiative","essaim:incarnation":7,"essaim:revision":2,"essaim:territory":"https://victim.example/actors/v"}`

func TestWhatAnActivityComesTo(t *testing.T) {
	t.Parallel()
	const id = "https://peer.example/a/1"
	object, presentation := `"`+here+`/objects/1"`, `"`+here+`/objects/1-presentation"`
	garden, meeting := `"`+here+`/objects/jardin"`, `"`+here+`/objects/rencontre"`
	follow := `{"id":"https://peer.example/f","type":"Follow","actor":"` + alice + `","object":"` + here + `/actors/brest"}`
	for _, c := range []struct {
		name, body string
		state      essaim.InboundState
		want       string // effects; for an ignored one a part of the reason
	}{
		{"Follow", activity(id, "Follow", alice, `"`+here+`/actors/brest"`), essaim.InboundApplied, "follower " + alice + " of " + here + "/actors/brest pending=false accept=true"},
		{"Follow of nobody", activity(id, "Follow", alice, `"`+here+`/actors/nobody"`), essaim.InboundIgnored, "no actor of this node"},
		{"Follow of another node's actor", activity(id, "Follow", alice, `"https://toulouse.example/actor"`), essaim.InboundIgnored, "no actor of this node"},
		{"Undo of a Follow", activity(id, "Undo", alice, follow), essaim.InboundApplied, "unfollow " + alice + " of " + here + "/actors/brest id=https://peer.example/f"},
		{"Undo by id", activity(id, "Undo", alice, `"https://peer.example/x"`), essaim.InboundApplied, "unfollow " + alice + " of  id=https://peer.example/x; no  of  by " + alice + " id=https://peer.example/x"},
		{"Undo of a Like", activity(id, "Undo", alice, `{"type":"Like","actor":"`+alice+`","object":`+object+`}`), essaim.InboundApplied, "no Like of " + here + "/objects/1 by " + alice + " id="},
		{"Undo of a Block", activity(id, "Undo", alice, `{"id":"https://peer.example/x","type":"Block","actor":"`+alice+`","object":`+object+`}`), essaim.InboundIgnored, "nothing that is kept"},
		{"Accept of our Follow", activity(id, "Accept", alice, `{"id":"`+here+`/activities/9","type":"Follow","actor":"`+here+`/actor","object":"`+alice+`"}`), essaim.InboundApplied, "answer true by " + alice + " to " + here + "/activities/9"},
		{"Reject of our Follow by id", activity(id, "Reject", alice, `"`+here+`/activities/9"`), essaim.InboundApplied, "answer false by " + alice + " to " + here + "/activities/9"},
		{"Accept of another's Follow", activity(id, "Accept", alice, `"https://toulouse.example/f"`), essaim.InboundIgnored, "no Follow of this node"},
		{"Flag", activity(id, "Flag", alice, `[`+object+`,"https://peer.example/n/1","`+here+`/actors/brest"]`), essaim.InboundApplied, "report by peer.example of " + here + "/objects/1 https://peer.example/n/1 actors " + here + "/actors/brest"},
		{"Flag of an actor alone", activity(id, "Flag", alice, `"`+here+`/actors/brest"`), essaim.InboundApplied, "report by peer.example of  actors " + here + "/actors/brest"},
		{"Block", activity(id, "Block", alice, `"`+here+`/actors/brest"`), essaim.InboundApplied, here + "/actors/brest is blocked by " + alice},
		{"Block of somebody else", activity(id, "Block", alice, `"https://toulouse.example/u"`), essaim.InboundIgnored, "no actor of this node"},
		{"Like", activity(id, "Like", alice, object), essaim.InboundApplied, "Like of " + here + "/objects/1 by " + alice},
		{"EmojiReact", activity(id, "EmojiReact", alice, object), essaim.InboundApplied, "Like of " + here + "/objects/1 by " + alice},
		{"Announce", activity(id, "Announce", alice, object), essaim.InboundApplied, "Announce of " + here + "/objects/1 by " + alice},
		{"Flag of a presentation", activity(id, "Flag", alice, presentation), essaim.InboundApplied, "report by peer.example of " + here + "/objects/1 actors "},
		{"Like of a presentation", activity(id, "Like", alice, presentation), essaim.InboundApplied, "Like of " + here + "/objects/1 by " + alice},
		{"Announce of a presentation", activity(id, "Announce", alice, presentation), essaim.InboundApplied, "Announce of " + here + "/objects/1 by " + alice},
		{"Undo of a Like of a presentation", activity(id, "Undo", alice, `{"type":"Like","actor":"`+alice+`","object":`+presentation+`}`), essaim.InboundApplied, "no Like of " + here + "/objects/1 by " + alice + " id="},
		{"Undo of an Announce of a presentation", activity(id, "Undo", alice, `{"type":"Announce","actor":"`+alice+`","object":`+presentation+`}`), essaim.InboundApplied, "no Announce of " + here + "/objects/1 by " + alice + " id="},
		{"answer to a presentation", activity(id, "Create", alice, note("https://peer.example/n/1", alice, `,"inReplyTo":`+presentation)), essaim.InboundApplied, "comment https://peer.example/n/1 by " + alice + " on " + here + "/objects/1"},
		{"Announce of a presentation elsewhere", activity(id, "Announce", alice, `"https://toulouse.example/objects/1-presentation"`), essaim.InboundApplied, "want https://toulouse.example/objects/1-presentation for " + alice + " by " + id},
		{"Like of something elsewhere", activity(id, "Like", alice, `"https://toulouse.example/objects/1"`), essaim.InboundIgnored, "nothing of this node"},
		{"answer", activity(id, "Create", alice, note("https://peer.example/n/1", alice, `,"inReplyTo":`+object)), essaim.InboundApplied, "comment https://peer.example/n/1 by " + alice + " on " + here + "/objects/1"},
		{"private answer", strings.Replace(activity(id, "Create", alice, note("https://peer.example/n/1", alice, `,"inReplyTo":`+object)), `"https://www.w3.org/ns/activitystreams#Public"`, `"`+here+`/actors/brest"`, 1), essaim.InboundApplied, "letter https://peer.example/n/1 by " + alice},
		{"letter of another type", strings.Replace(activity(id, "Create", alice, `{"id":"https://peer.example/c/1","type":"ChatMessage","content":"secret","to":"`+here+`/actors/brest"}`), `"https://www.w3.org/ns/activitystreams#Public"`, `"`+here+`/actors/brest"`, 1), essaim.InboundApplied, "letter https://peer.example/c/1 by " + alice},
		{"private question in answer", strings.Replace(activity(id, "Create", alice, `{"id":"https://peer.example/q/2","type":"Question","inReplyTo":`+object+`,"to":"`+here+`/actors/brest"}`), `"https://www.w3.org/ns/activitystreams#Public"`, `"`+here+`/actors/brest"`, 1), essaim.InboundApplied, "letter https://peer.example/q/2 by " + alice},
		{"note about nothing", activity(id, "Create", alice, note("https://peer.example/n/1", alice, "")), essaim.InboundApplied, "candidate initiative https://peer.example/n/1 by " + alice + " brought by " + alice},
		{"quiet note", strings.ReplaceAll(activity(id, "Create", alice, note("https://peer.example/n/1", alice, "")), `"to":`, `"cc":`), essaim.InboundIgnored, "not public"},
		{"article", activity(id, "Create", alice, `{"id":"https://peer.example/p/1","type":"Article","name":"Un four partagé","content":"<p>Le four du quartier rallume.</p>","attributedTo":"`+alice+`","url":"https://peer.example/four","published":"2000-01-01T00:00:00Z","to":"as:Public"}`), essaim.InboundApplied, "candidate initiative https://peer.example/p/1 by " + alice + " brought by " + alice},
		{"page", activity(id, "Update", alice, `{"id":"https://peer.example/post/1","type":"Page","name":"Un four partagé","source":{"content":"Le four du **quartier**","mediaType":"text/markdown"},"attributedTo":"`+alice+`","published":"1999-12-31T00:00:00Z","updated":"2000-01-01T00:00:00Z","to":["as:Public"]}`), essaim.InboundApplied, "candidate initiative https://peer.example/post/1 by " + alice + " brought by " + alice},
		{"event for a group", activity(id, "Create", alice, `{"id":"https://peer.example/e/1","type":"Event","name":"Fête","actor":"`+alice+`","attributedTo":"https://peer.example/groups/g","to":"as:Public","startTime":"2000-05-01T10:00:00Z"}`), essaim.InboundApplied, "candidate meeting https://peer.example/e/1 by " + alice + " brought by " + alice},
		{"video of an account and its channel", activity(id, "Create", alice, `{"id":"https://peer.example/v/1","type":"Video","name":"Film","attributedTo":[{"type":"Person","id":"`+alice+`"},{"type":"Group","id":"https://peer.example/c/1"}],"to":"as:Public"}`), essaim.InboundApplied, "candidate initiative https://peer.example/v/1 by " + alice + " brought by " + alice},
		{"question", activity(id, "Create", alice, `{"id":"https://peer.example/q/1","type":"Question","name":"?","to":"as:Public"}`), essaim.InboundIgnored, "nor what becomes a candidate"},
		{"article without a word", activity(id, "Create", alice, `{"id":"https://peer.example/q/1","type":"Article","to":"as:Public"}`), essaim.InboundIgnored, "nothing in it"},
		{"Announce of something elsewhere", activity(id, "Announce", alice, `"https://toulouse.example/objects/1"`), essaim.InboundApplied, "want https://toulouse.example/objects/1 for " + alice + " by " + id},
		{"Announce of an activity, by a group", activity(id, "Announce", alice, `{"id":"https://toulouse.example/a/1","type":"Create","actor":"https://toulouse.example/u","object":{"id":"https://toulouse.example/objects/1","type":"Page"}}`), essaim.InboundApplied, "want https://toulouse.example/objects/1 for " + alice + " by " + id},
		{"Announce of a Delete, by a group", activity(id, "Announce", alice, `{"id":"https://toulouse.example/a/1","type":"Delete","actor":"https://toulouse.example/u","object":"https://toulouse.example/objects/1"}`), essaim.InboundApplied, "want https://toulouse.example/objects/1 for " + alice + " by " + id},
		{"Announce of a vote, by a group", activity(id, "Announce", alice, `{"id":"https://toulouse.example/a/1","type":"Dislike","actor":"https://toulouse.example/u","object":"https://toulouse.example/objects/1"}`), essaim.InboundIgnored, "publishes nothing"},
		{"Announce of a vote taken back, by a group", activity(id, "Announce", alice, `{"id":"https://toulouse.example/a/1","type":"Undo","actor":"https://toulouse.example/u","object":{"id":"https://toulouse.example/a/0","type":"Like","actor":"https://toulouse.example/u","object":"https://toulouse.example/objects/1"}}`), essaim.InboundIgnored, "publishes nothing"},
		{"Announce of an activity about ours", activity(id, "Announce", alice, `{"id":"https://toulouse.example/a/1","type":"Create","actor":"https://toulouse.example/u","object":`+object+`}`), essaim.InboundIgnored, "of this node"},
		{"record", activity(id, "Create", alice, record), essaim.InboundApplied, "record initiative https://peer.example/objects/1 7.2 foreign=false by " + alice},
		{"record that names a neighbour's territory", activity(id, "Create", alice, strings.Replace(record, "https://victim.example/actors/v", "https://peer.example/actors/v", 1)), essaim.InboundApplied, "record initiative https://peer.example/objects/1 7.2 foreign=false by " + alice},
		{"record of other software", activity(id, "Update", alice, strings.NewReplacer(`"essaim:kind":"initiative",`, "", `"essaim:revision":2,`, "", `"essaim:incarnation":7,`, "").Replace(record)), essaim.InboundApplied, "candidate initiative https://peer.example/objects/1 by " + alice + " brought by " + alice},
		{"record of a kind to come", activity(id, "Create", alice, strings.Replace(record, `"initiative"`, `"clip"`, 1)), essaim.InboundIgnored, "clip"},
		{"record by id", activity(id, "Create", alice, `"https://peer.example/objects/1"`), essaim.InboundApplied, "want https://peer.example/objects/1 for " + alice + " by "},
		{"dated in 9999", activity(id, "Update", alice, strings.Replace(record, `"updated":"2000`, `"updated":"9999`, 1)), essaim.InboundIgnored, "months ahead"},
		{"actor", activity(id, "Update", alice, actorDoc(t, alice, &aliceKey().PublicKey)), essaim.InboundApplied, "actor " + alice},
		{"actor turned into a note", activity(id, "Update", alice, note(alice, alice, "")), essaim.InboundIgnored, "as an actor"},
		{"deletion", activity(id, "Delete", alice, `{"id":"https://peer.example/objects/1","type":"Tombstone"}`), essaim.InboundApplied, "erase https://peer.example/objects/1 by " + alice},
		{"deletion by id", activity(id, "Delete", alice, `"https://peer.example/objects/1"`), essaim.InboundApplied, "erase https://peer.example/objects/1 by " + alice},
		{"deletion of oneself", activity(id, "Delete", alice, `"`+alice+`"`), essaim.InboundApplied, "forget " + alice},
		{"Offer of an adaptation", activity(id, "Offer", alice, adapted("https://peer.example/objects/1", here+"/objects/jardin", essaim.RelationDerived)), essaim.InboundApplied, "https://peer.example/objects/1 adapts " + here + "/objects/jardin for " + alice + " accept=true"},
		{"Offer of another's record", activity(id, "Offer", alice, adapted("https://victim.example/objects/1", here+"/objects/jardin", essaim.RelationDerived)), essaim.InboundIgnored, "another's"},
		{"Offer of an adaptation of nothing", activity(id, "Offer", alice, adapted("https://peer.example/objects/1", here+"/objects/none", essaim.RelationDerived)), essaim.InboundIgnored, "nothing of this node"},
		{"Offer of an adaptation of what is elsewhere", activity(id, "Offer", alice, adapted("https://peer.example/objects/1", "https://toulouse.example/objects/1", essaim.RelationDerived)), essaim.InboundIgnored, "nothing of this node"},
		{"Offer of an adaptation of a meeting", activity(id, "Offer", alice, adapted("https://peer.example/objects/1", here+"/objects/rencontre", essaim.RelationDerived)), essaim.InboundIgnored, "not adapted"},
		{"Offer of another relationship", activity(id, "Offer", alice, adapted("https://peer.example/objects/1", here+"/objects/jardin", "http://purl.org/vocab/relationship/friendOf")), essaim.InboundIgnored, "offers no adaptation"},
		{"Accept of our Offer", activity(id, "Accept", alice, `{"id":"`+here+`/activities/9","type":"Offer","actor":"`+here+`/actors/brest"}`), essaim.InboundApplied, "offer " + here + "/activities/9 answered true by " + alice},
		{"Reject of our Offer", activity(id, "Reject", alice, `{"id":"`+here+`/activities/9","type":"Offer","actor":"`+here+`/actors/brest"}`), essaim.InboundApplied, "offer " + here + "/activities/9 answered false by " + alice},
		{"View", activity(id, "View", alice, object), essaim.InboundUnknown, "not handled"},
		{"Join of a meeting", activity(id, "Join", alice, meeting), essaim.InboundApplied, "Ignore about " + here + "/objects/rencontre to " + alice + "/inbox"},
		{"Join of an initiative", activity(id, "Join", alice, garden), essaim.InboundIgnored, "no meeting"},
		{"Join of a draft", activity(id, "Join", alice, `"`+here+`/objects/brouillon"`), essaim.InboundIgnored, "nothing of this node"},
		{"Join of a meeting that was withdrawn", activity(id, "Join", alice, `"`+here+`/objects/retiree"`), essaim.InboundIgnored, "nothing of this node"},
		{"Join of a meeting elsewhere", activity(id, "Join", alice, `"https://toulouse.example/objects/1"`), essaim.InboundIgnored, "nothing of this node"},
		{"Join of nothing", strings.Replace(activity(id, "Join", alice, meeting), `"object":`+meeting, `"target":`+meeting, 1), essaim.InboundIgnored, "nothing of this node"},
		{"Add to its own pins", pins("Add", alice, `"https://peer.example/n/1"`), essaim.InboundApplied, "want https://peer.example/n/1 for " + alice + " by " + alice + "/featured https://peer.example/n/1"},
		{"Add of an object given whole", pins("Add", alice, note("https://peer.example/n/1", alice, "")), essaim.InboundApplied, "want https://peer.example/n/1 for " + alice + " by " + alice + "/featured https://peer.example/n/1"},
		{"Add of another's post", pins("Add", alice, `"https://toulouse.example/n/1"`), essaim.InboundIgnored, "nothing of its own"},
		{"Add of a record of ours", pins("Add", alice, object), essaim.InboundIgnored, "nothing of its own"},
		{"Add to nothing", activity(id, "Add", alice, `"https://peer.example/n/1"`), essaim.InboundIgnored, "collection of its own"},
		{"Add to another's collection", strings.Replace(pins("Add", alice, `"https://peer.example/n/1"`), alice+"/featured", here+"/actors/brest/featured", 1), essaim.InboundIgnored, "collection of its own"},
		{"Add of a hashtag", pins("Add", alice, `{"id":"https://peer.example/tags/t","type":"Hashtag","name":"#t"}`), essaim.InboundIgnored, "no publication"},
		{"Add of a moderator", pins("Add", alice, `{"id":"https://peer.example/users/bob","type":"Person"}`), essaim.InboundIgnored, "no publication"},
		{"Remove of a pin", pins("Remove", alice, `"https://peer.example/n/1"`), essaim.InboundApplied, "no  of  by " + alice + " id=" + alice + "/featured https://peer.example/n/1"},
		{"Remove from another's collection", strings.Replace(pins("Remove", alice, `"https://peer.example/n/1"`), alice+"/featured", here+"/actors/brest/featured", 1), essaim.InboundIgnored, "collection of its own"},
		{"Leave", activity(id, "Leave", alice, meeting), essaim.InboundIgnored, "nobody joins"},
		{"QuoteRequest", asksQuote(alice, garden, `"https://peer.example/n/2"`), essaim.InboundApplied, "https://peer.example/n/2 may quote " + here + "/objects/jardin"},
		{"QuoteRequest with its post", asksQuote(alice, garden, note("https://peer.example/n/2", alice, `,"quote":`+garden)), essaim.InboundApplied, "https://peer.example/n/2 may quote " + here + "/objects/jardin"},
		{"QuoteRequest for another's post", asksQuote(alice, garden, `"https://victim.example/n/2"`), essaim.InboundIgnored, "no post of its actor"},
		{"QuoteRequest for a neighbour's post", asksQuote(alice, garden, note("https://peer.example/n/2", "https://peer.example/users/bob", "")), essaim.InboundIgnored, "another than its actor"},
		{"QuoteRequest for a post that quotes something else", asksQuote(alice, garden, note("https://peer.example/n/2", alice, `,"quote":"https://peer.example/n/1","quoteUrl":`+garden)), essaim.InboundIgnored, "does not quote it"},
		{"QuoteRequest for a post that quotes nothing", asksQuote(alice, garden, note("https://peer.example/n/2", alice, "")), essaim.InboundIgnored, "does not quote it"},
		{"QuoteRequest for a post of before FEP-044f", asksQuote(alice, garden, note("https://peer.example/n/2", alice, `,"quoteUri":`+garden)), essaim.InboundApplied, "https://peer.example/n/2 may quote " + here + "/objects/jardin"},
		{"QuoteRequest for a post of Misskey", asksQuote(alice, garden, note("https://peer.example/n/2", alice, `,"_misskey_quote":`+garden)), essaim.InboundApplied, "https://peer.example/n/2 may quote " + here + "/objects/jardin"},
		{"QuoteRequest without a post", activity(id, "QuoteRequest", alice, garden), essaim.InboundIgnored, "no post of its actor"},
		{"QuoteRequest of a record elsewhere", asksQuote(alice, `"https://toulouse.example/objects/1"`, `"https://peer.example/n/2"`), essaim.InboundIgnored, "nothing of this node"},
		{"QuoteRequest of a draft", asksQuote(alice, `"`+here+`/objects/brouillon"`, `"https://peer.example/n/2"`), essaim.InboundIgnored, "nothing of this node"},
		{"Accept of a QuoteRequest that we never made", activity(id, "Accept", alice, `{"type":"QuoteRequest","id":"`+here+`/activities/9","actor":"`+alice+`","object":`+garden+`},"result":"https://peer.example/stamps/1"`), essaim.InboundIgnored, "no Follow of this node"},
		{"a type to come", activity(id, "NoSuchType", alice, object), essaim.InboundUnknown, "not known"},
		{"a note as an activity", activity(id, "Note", alice, object), essaim.InboundUnknown, "not known"},
		{"a forged row", activity("https://peer.example/a/1", "Delete", alice, `"https://victim.example/objects/1"`), essaim.InboundIgnored, "another origin"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			shown(t, c.name, c.body)
			n := newNode(t)
			row := apply(t, n, time.Millisecond, c.body)
			got := row.reason
			if row.state == essaim.InboundApplied {
				got = said(n.applied[0].Effects)
			}
			if row.state != c.state || !strings.Contains(got, c.want) || c.state == essaim.InboundApplied && got != c.want {
				t.Errorf("got %s: %s\nwant %s: %s", row.state, got, c.state, c.want)
			}
		})
	}
}

func TestAcceptNamesTheFollowAndNothingElse(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	body := strings.Replace(activity("https://peer.example/a/1", "Follow", alice, `"`+here+`/actor"`), `"type"`, `"essaim:x":"signed by you","type"`, 1)
	apply(t, n, time.Millisecond, body)
	e, ok := n.applied[0].Effects[0].(essaim.AddFollower)
	if !ok {
		t.Fatalf("effects %s", said(n.applied[0].Effects))
	}
	var accept struct {
		ID, Type, Actor string
		Object          map[string]string
	}
	if err := json.Unmarshal(e.Accept.Body, &accept); err != nil {
		t.Fatal(err)
	}
	if accept.Type != "Accept" || accept.Actor != here+"/actor" || accept.ID != e.Accept.ActivityID || len(accept.Object) != 4 || accept.Object["id"] != "https://peer.example/a/1" {
		t.Errorf("accept %s", e.Accept.Body)
	}
	if e.Accept.Inbox != alice+"/inbox" || e.Accept.OrderKey != here+"/actor "+alice {
		t.Errorf("outgoing %+v", e.Accept)
	}
}

func TestRecordKeepsItsBytesAndTitle(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	apply(t, n, time.Millisecond, activity("https://peer.example/a/1", "Create", alice, record))
	e, ok := n.applied[0].Effects[0].(essaim.Replicate)
	if !ok || string(e.Document) != record || e.Record.Title != "Brest: jardin partagé" || e.Record.Origin != "peer.example" || len(e.Record.CopyDigest) != 64 {
		t.Errorf("got %+v\n%s", e.Record, e.Document)
	}
}

func TestADocumentDatedAheadWaits(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	ahead := time.Date(2000, 1, 1, 3, 0, 0, 0, time.UTC) // the bubble starts in 2000
	body := activity("https://peer.example/a/1", "Create", alice, strings.Replace(record, `"updated":"2000-01-01T00:00:00Z"`, `"updated":"`+ahead.Format(time.RFC3339)+`"`, 1))
	if row := apply(t, n, time.Hour, body); row.state != essaim.InboundWaiting || !strings.Contains(row.reason, "ahead") {
		t.Errorf("after an hour: %s %s", row.state, row.reason)
	}
	if row := apply(t, n, 3*time.Hour); row.state != essaim.InboundApplied {
		t.Errorf("after three more: %s %s", row.state, row.reason)
	}
}

func TestPoisonIsTriedFiveTimesAndStopsNobody(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		fail func(essaim.Applied) error
	}{
		{"an error", func(essaim.Applied) error { return errors.New("constraint violated") }},
		{"a panic", func(essaim.Applied) error { panic("index out of range") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t)
			tries := 0
			n.refuse = func(a essaim.Applied) error {
				if a.ID != 1 {
					return nil
				}
				tries++
				return c.fail(a)
			}
			var bodies []string
			for i := range 20 {
				bodies = append(bodies, activity(fmt.Sprintf("https://peer.example/a/%d", i), "Like", alice, `"`+here+`/objects/1"`))
			}
			row := apply(t, n, 24*time.Hour, bodies...)
			if row.state != essaim.InboundFailed || row.Attempt != 5 || row.reason == "" {
				t.Errorf("poison: %s after %d tries: %s", row.state, row.Attempt, row.reason)
			}
			if tries < 5 || tries > 10 { // a panic is tried again alone
				t.Errorf("tried %d times", tries)
			}
			for _, r := range n.rows[1:] {
				if r.state != essaim.InboundApplied || r.Attempt != 1 {
					t.Errorf("neighbour %s: %s after %d tries", r.ActivityID, r.state, r.Attempt)
				}
			}
		})
	}
}

func TestAPanicThatWasAskedForIsPoisonToo(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	poison := activity("https://peer.example/a/1", "Create", alice, `{"id":"https://peer.example/n/1","type":"Note","attributedTo":"`+alice+`","name":"panic, please","content":"x"}`)
	after := activity("https://peer.example/a/2", "Like", alice, `"`+here+`/objects/1"`)
	n.ingest.PanicName = "panic, please"
	row := apply(t, n, 24*time.Hour, poison, after)
	if row.state != essaim.InboundFailed || row.Attempt != 5 || !strings.Contains(row.reason, "panic") {
		t.Errorf("poison: %s after %d tries: %s", row.state, row.Attempt, row.reason)
	}
	if next := n.rows[1]; next.state != essaim.InboundApplied || next.Attempt != 1 {
		t.Errorf("neighbour: %s after %d tries", next.state, next.Attempt)
	}
	quiet := newNode(t)
	if row := apply(t, quiet, time.Hour, poison); strings.Contains(row.reason, "panic") {
		t.Errorf("in production: %s %s", row.state, row.reason)
	}
}

func TestAnUnfinishedClaimIsTakenAgainUntilGivenUp(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.refuse = func(essaim.Applied) error { return essaim.ErrUnavailable }
	row := apply(t, n, time.Hour, activity("https://peer.example/a/1", "Like", alice, `"`+here+`/objects/1"`))
	if row.state != essaim.InboundFailed || row.Attempt != 11 {
		t.Errorf("%s after %d claims: %s", row.state, row.Attempt, row.reason)
	}
}

func TestASpeakingHostIsWokenNowAndThen(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	var bodies []string
	for i := range 50 {
		bodies = append(bodies, activity(fmt.Sprintf("https://peer.example/a/%d", i), "Like", alice, `"`+here+`/objects/1"`))
	}
	apply(t, n, time.Millisecond, bodies...)
	if got := strings.Join(n.woken, " "); got != "peer.example" {
		t.Errorf("woken %q", got)
	}
}

func TestFollowsOfTheNodeByPolicy(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		policy  federation.PeerPolicy
		peer    essaim.PeerState
		local   string
		pending bool
	}{
		{federation.PeerPolicyOpen, "", "/actor", false},
		{federation.PeerPolicyApprove, "", "/actor", true},
		{federation.PeerPolicyApprove, "", "/actors/brest", false},
		{federation.PeerPolicyAllowlist, "", "/actor", true},
		{federation.PeerPolicyAllowlist, essaim.PeerKnown, "/actor", true},
		{federation.PeerPolicyAllowlist, essaim.PeerFollowed, "/actor", false},
		{federation.PeerPolicyAllowlist, "", "/actors/brest", false},
	} {
		n := newNode(t)
		n.ingest.PeerPolicy = c.policy
		if c.peer != "" {
			n.peers["peer.example"] = essaim.Peer{Host: "peer.example", State: c.peer}
		}
		apply(t, n, time.Millisecond, activity("https://peer.example/a/1", "Follow", alice, `"`+here+c.local+`"`))
		e, ok := n.applied[0].Effects[0].(essaim.AddFollower)
		if !ok || e.Pending != c.pending || (e.Accept.ActivityID == "") != c.pending {
			t.Errorf("%s, peer %q, %s: %+v", c.policy, c.peer, c.local, e)
		}
	}
}
