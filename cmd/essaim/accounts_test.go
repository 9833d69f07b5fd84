// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"essaim"
	"essaim/federation/fedtest"
)

const everyone = "https://www.w3.org/ns/activitystreams#Public"

// named makes a peer answer WebFinger about its actor.
func named(p *fedtest.Peer) *fedtest.Peer {
	p.Put("https://"+p.Host+"/.well-known/webfinger?resource="+url.QueryEscape("acct:alice@"+p.Host), map[string]any{
		"subject": "acct:alice@" + p.Host, "links": []map[string]string{{"rel": "self", "type": "application/activity+json", "href": p.Actor}},
	})
	return p
}

// candidates lists what waits, by title.
func (n *testNode) candidates(t *testing.T) (titles []string) {
	t.Helper()
	found, err := n.Search(t.Context(), essaim.Query{State: essaim.StateCandidate, Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range found.Records {
		titles = append(titles, r.Title)
	}
	slices.Sort(titles)
	return titles
}

// send posts an activity of a peer to the node.
func (n *testNode) send(t *testing.T, p *fedtest.Peer, activity []byte) {
	t.Helper()
	if status, err := p.Post(t.Context(), "https://"+n.host+"/inbox", activity); err != nil || status != 202 {
		t.Fatalf("%s: got %d, %v", activity, status, err)
	}
}

// accepts makes a peer accept the Follow that it received.
func (n *testNode) accepts(t *testing.T, p *fedtest.Peer) {
	t.Helper()
	var follow struct{ ID, Type, Actor, Object string }
	within(t, 5*time.Second, "the Follow comes", func() bool {
		for _, in := range p.Received() {
			if json.Unmarshal(in.Body, &follow) == nil && follow.Type == "Follow" {
				return true
			}
		}
		return false
	})
	if follow.Actor != "https://"+n.host+"/actor" || follow.Object != p.Actor {
		t.Fatalf("got %+v", follow)
	}
	n.send(t, p, p.Activity("accept", "Accept", follow.ID))
	within(t, 5*time.Second, "the account is followed", func() bool {
		all, err := n.FollowedAccounts(t.Context())
		return err == nil && len(all) > 0 && all[len(all)-1].State == essaim.PeerFollowed
	})
}

func TestAccountsElsewhereBringCandidates(t *testing.T) {
	t.Parallel()
	fedtest.RSA()
	synctest.Test(t, func(t *testing.T) {
		network := fedtest.NewNetwork()
		brest := startNode(t, network, "brest")
		defer brest.stop()
		agenda := named(fedtest.NewPeer(t, network, "agenda.example", "Group"))
		asso := fedtest.NewPeer(t, network, "asso.example", "Person")

		f, err := brest.server.FollowAccount(t.Context(), "@alice@agenda.example", "", "")
		if err != nil || f.Actor != agenda.Actor || f.Handle != "alice@agenda.example" {
			t.Fatalf("got %+v, %v", f, err)
		}
		brest.accepts(t, agenda)

		article := map[string]any{
			"id": "https://agenda.example/articles/1", "type": "Article", "name": "Un jardin", "content": "<p>" + strings.Repeat("mot ", 300) + "</p>",
			"attributedTo": agenda.Actor, "to": []string{everyone},
		}
		brest.send(t, agenda, agenda.Activity("1", "Create", article))
		event := map[string]any{
			"@context": "https://www.w3.org/ns/activitystreams", "id": "https://asso.example/events/1", "type": "Event", "name": "Une fête", "startTime": "2000-05-02T10:00:00Z",
			"attributedTo": []map[string]string{{"type": "Person", "id": asso.Actor}, {"type": "Group", "id": "https://asso.example/groups/g"}}, "to": everyone,
			"location": map[string]any{"type": "Place", "name": "Maison", "address": map[string]string{"addressLocality": "Brest"}},
		}
		asso.Put("https://asso.example/events/1", event)
		before := len(network.Log())
		brest.send(t, agenda, agenda.Activity("2", "Announce", "https://asso.example/events/1"))
		within(t, 30*time.Second, "both are candidates", func() bool {
			return slices.Equal(brest.candidates(t), []string{"Un jardin", "Une fête"})
		})
		if asked := len(network.Log()) - before - 1; asked > 10 {
			t.Errorf("one Announce made %d requests", asked)
		}
		items, err := brest.Items(t.Context(), essaim.ItemFilter{State: essaim.ItemHeld, Kind: essaim.ItemCandidate})
		if err != nil || len(items) != 2 || items[1].Actor != asso.Actor {
			t.Errorf("got %+v, %v", items, err)
		}

		brest.send(t, asso, asso.Activity("3", "Delete", "https://asso.example/events/1"))
		within(t, 30*time.Second, "its author's Delete withdraws it", func() bool {
			return slices.Equal(brest.candidates(t), []string{"Un jardin"})
		})
		if _, err := brest.server.UnfollowAccount(t.Context(), "@alice@agenda.example"); err != nil {
			t.Fatal(err)
		}
		within(t, 5*time.Second, "the Undo comes", func() bool {
			return slices.ContainsFunc(agenda.Received(), func(in fedtest.Received) bool { return strings.Contains(string(in.Body), `"Undo"`) })
		})
	})
}

// An older post that a followed account pins comes in, as Mastodon sends it: an
// Add without id. Unpinned, it goes, unless its author published it besides; what
// another account pins never comes.
func TestAPinnedPostBecomesACandidate(t *testing.T) {
	t.Parallel()
	fedtest.RSA()
	synctest.Test(t, func(t *testing.T) {
		network := fedtest.NewNetwork()
		brest := startNode(t, network, "brest")
		defer brest.stop()
		blog := named(fedtest.NewPeer(t, network, "blog.example", "Person"))
		stranger := fedtest.NewPeer(t, network, "stranger.example", "Person")
		if _, err := brest.server.FollowAccount(t.Context(), "@alice@blog.example", "", ""); err != nil {
			t.Fatal(err)
		}
		brest.accepts(t, blog)
		pin := func(p *fedtest.Peer, kind, post, title string) {
			p.Put(post, map[string]any{
				"@context": "https://www.w3.org/ns/activitystreams", "id": post, "type": "Article", "name": title, "content": "<p>x</p>", "attributedTo": p.Actor, "to": []string{everyone},
			})
			brest.send(t, p, fmt.Appendf(nil, `{"@context":"https://www.w3.org/ns/activitystreams","type":%q,"actor":%q,"object":%q,"target":"%s/featured"}`, kind, p.Actor, post, p.Actor))
		}
		pin(stranger, "Add", "https://stranger.example/p/1", "De personne")
		pin(blog, "Add", "https://blog.example/p/1", "Un four")
		within(t, 30*time.Second, "the pinned post is a candidate", func() bool { return slices.Equal(brest.candidates(t), []string{"Un four"}) })
		brest.send(t, blog, blog.Activity("new", "Create", map[string]any{
			"id": "https://blog.example/p/3", "type": "Article", "name": "Un rucher", "content": "<p>x</p>", "attributedTo": blog.Actor, "to": []string{everyone},
		}))
		pin(blog, "Add", "https://blog.example/p/2", "Une presse")
		pin(blog, "Add", "https://blog.example/p/3", "Un rucher")
		within(t, 30*time.Second, "all are", func() bool {
			return slices.Equal(brest.candidates(t), []string{"Un four", "Un rucher", "Une presse"})
		})
		pin(stranger, "Remove", "https://blog.example/p/2", "Une presse")
		pin(blog, "Remove", "https://blog.example/p/3", "Un rucher")
		pin(blog, "Remove", "https://blog.example/p/1", "Un four")
		within(t, 30*time.Second, "what was only pinned is gone", func() bool {
			return slices.Equal(brest.candidates(t), []string{"Un rucher", "Une presse"})
		})
		// Pinned again and taken off again, in the very same bytes.
		pin(blog, "Add", "https://blog.example/p/1", "Un four")
		within(t, 30*time.Second, "it is back", func() bool {
			return slices.Equal(brest.candidates(t), []string{"Un four", "Un rucher", "Une presse"})
		})
		pin(blog, "Remove", "https://blog.example/p/1", "Un four")
		within(t, 30*time.Second, "it is gone again", func() bool {
			return slices.Equal(brest.candidates(t), []string{"Un rucher", "Une presse"})
		})
	})
}

// roundabout redirects three times before each document, and each document says
// that it is another, or by another.
func roundabout(asked *atomic.Int32) http.HandlerFunc {
	const here = "https://hops.example"
	return func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		letter, n := r.URL.Path[1:2], r.URL.Path[3:]
		if n != "3" {
			http.Redirect(w, r, "/"+letter+"/"+string(n[0]+1), http.StatusFound)
			return
		}
		doc := map[string]any{"id": here + r.URL.Path, "type": "Article", "name": "x", "to": everyone, "attributedTo": here + "/u/0"}
		switch letter {
		case "o":
			doc["id"] = here + "/p/0"
		case "u":
			doc = map[string]any{"id": here + "/v/0", "type": "Person"}
		}
		w.Header().Set("Content-Type", "application/activity+json")
		_ = json.NewEncoder(w).Encode(doc)
	}
}

// What an account announces is believed from its origin alone, one step far, and
// costs a bounded number of requests whatever it leads to.
func TestWhatIsAnnouncedIsBelievedFromItsOriginAlone(t *testing.T) {
	t.Parallel()
	fedtest.RSA()
	synctest.Test(t, func(t *testing.T) {
		network := fedtest.NewNetwork()
		brest := startNode(t, network, "brest")
		defer brest.stop()
		agenda := named(fedtest.NewPeer(t, network, "agenda.example", "Group"))
		evil := fedtest.NewPeer(t, network, "evil.example", "Person")
		shy := fedtest.NewPeer(t, network, "shy.example", "Person")
		var refusing map[string]any
		actor := fmt.Sprintf(`{"@context":"https://www.w3.org/ns/activitystreams","id":%q,"type":"Person","preferredUsername":"alice","inbox":"https://shy.example/inbox","indexable":false}`, shy.Actor)
		if err := json.Unmarshal([]byte(actor), &refusing); err != nil {
			t.Fatal(err)
		}
		shy.Put(shy.Actor, refusing)
		if _, err := brest.server.FollowAccount(t.Context(), "alice@agenda.example", "", ""); err != nil {
			t.Fatal(err)
		}
		brest.accepts(t, agenda)

		doc := func(id, author string, more map[string]any) map[string]any {
			d := map[string]any{"@context": "https://www.w3.org/ns/activitystreams", "id": id, "type": "Article", "name": id, "attributedTo": author, "to": everyone}
			for k, v := range more {
				d[k] = v
			}
			return d
		}
		put := func(p *fedtest.Peer, path, author string, more map[string]any) string {
			id := "https://" + p.Host + "/" + path
			p.Put(id, doc(id, author, more))
			return id
		}
		traps := []string{
			put(evil, "elsewhere", agenda.Actor, nil),
			put(evil, "nobody", "", nil),
			put(evil, "list", "", map[string]any{"attributedTo": []string{evil.Actor, agenda.Actor}}),
			put(evil, "loop", "https://evil.example/loop", nil),
			put(evil, "ghost", "https://evil.example/users/ghost", nil),
			put(evil, "alias", "https://evil.example/users/alias", nil),
			"https://hops.example/o/0",
			put(evil, "other-id", evil.Actor, map[string]any{"id": "https://agenda.example/stolen"}),
			put(evil, "private", evil.Actor, map[string]any{"to": evil.Actor}),
			put(evil, "quiet", evil.Actor, map[string]any{"to": evil.Actor, "cc": everyone}),
			put(evil, "answer", evil.Actor, map[string]any{"inReplyTo": "https://evil.example/x"}),
			put(evil, "chain", evil.Actor, map[string]any{"type": "Announce", "actor": evil.Actor, "object": "https://evil.example/chain"}),
			put(evil, "collection", evil.Actor, map[string]any{"type": "OrderedCollection", "first": "https://evil.example/collection"}),
			put(evil, "record", evil.Actor, map[string]any{"essaim:kind": "initiative"}),
			put(evil, "future", evil.Actor, map[string]any{"published": "9999-01-01T00:00:00Z"}),
			put(shy, "refused", shy.Actor, nil),
			"https://brest.example/actors/brest",
			"https://nowhere.example/x",
		}
		// Another name of an actor, which its own document does not bear.
		evil.Put("https://evil.example/users/alias", map[string]any{"id": evil.Actor, "type": "Person", "inbox": evil.Inbox})
		var hops atomic.Int32
		network.Serve("hops.example", roundabout(&hops))
		for i, id := range traps {
			brest.send(t, agenda, agenda.Activity(fmt.Sprint("trap", i), "Announce", id))
		}
		good := put(evil, "good", evil.Actor, map[string]any{"name": "Seul"})
		brest.send(t, agenda, agenda.Activity("good", "Announce", map[string]any{"id": "https://evil.example/a", "type": "Create", "object": map[string]any{"id": good}}))
		time.Sleep(2 * time.Minute)
		if got := brest.candidates(t); !slices.Equal(got, []string{"Seul"}) {
			t.Errorf("got candidates %q, want the one that is its origin's", got)
		}
		if n := hops.Load(); n < 5 || n > 10 {
			t.Errorf("an object that leads on and on cost %d requests, want 10 at most", n)
		}
		asked := map[string]int{}
		for _, r := range network.Log() {
			if r.Method == "GET" && r.Host == "evil.example" {
				asked[r.Path]++
			}
		}
		for path, n := range asked {
			if n > 10 {
				t.Errorf("%s was asked for %d times", path, n)
			}
		}
	})
}
