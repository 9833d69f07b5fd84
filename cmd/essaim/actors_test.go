// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"crypto/ed25519"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"essaim"
	"essaim/federation/fedtest"
	"essaim/federation/proof"
)

// ask asks the node as ActivityPub software does.
func (n *testNode) ask(t *testing.T, address string) (int, []byte) {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, strings.TrimPrefix(address, "https://"+n.host), nil)
	r.Header.Set("Accept", "application/activity+json")
	w := httptest.NewRecorder()
	n.router.ServeHTTP(w, r)
	return w.Code, w.Body.Bytes()
}

// members reads what an actor, a collection or a JRD says.
type members struct {
	ID, Type, PreferredUsername, Subject   string
	Inbox, Outbox, Followers, Following    string
	Featured, AttributedTo, Content, First string
	OrderedItems                           []json.RawMessage
	TotalItems                             int
	Object                                 json.RawMessage
	PublicKey                              struct{ ID, Owner string }
	Links                                  []struct{ Rel, Type, Href string }
}

func (n *testNode) read(t *testing.T, address string) members {
	t.Helper()
	status, b := n.ask(t, address)
	var m members
	if err := json.Unmarshal(b, &m); status != http.StatusOK || err != nil {
		t.Fatalf("%s: %d, %v: %s", address, status, err, b)
	}
	return m
}

// Each actor is found by its handle and by its id, says the same of itself as
// WebFinger does, and has every collection.
func TestEachActorIsFoundByteForByte(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		brest := startNode(t, fedtest.NewNetwork(), "brest")
		defer brest.stop()
		rec := brest.publish(t, "Repair café de Recouvrance")
		if _, err := brest.CreateUser(t.Context(), essaim.User{Email: "a@brest.example", Name: "A", Role: essaim.RoleContributor}); err != nil {
			t.Fatal(err)
		}
		if err := brest.CreatePerson(t.Context(), 1, "camille", essaim.Profile{}); err != nil {
			t.Fatal(err)
		}
		for name, kind := range map[string]string{
			"brest": "Organization", "theme_alimentation": "Service", "fiche_repair-cafe-de-recouvran": "Organization", "camille": "Person",
		} {
			id := "https://brest.example/actors/" + name
			resources := []string{"acct:" + name + "@brest.example", "acct:" + strings.ToUpper(name) + "@BREST.example", id}
			if kind == "Person" {
				resources = append(resources, "https://brest.example/personnes/"+name)
			}
			for _, resource := range resources {
				jrd := brest.read(t, "/.well-known/webfinger?resource="+url.QueryEscape(resource))
				if jrd.Subject != "acct:"+name+"@brest.example" || jrd.Links[0].Href != id || jrd.Links[0].Rel != "self" || jrd.Links[0].Type != "application/activity+json" {
					t.Errorf("%s: got %+v", resource, jrd)
				}
			}
			status, doc := brest.ask(t, id)
			a := brest.read(t, id)
			if status != http.StatusOK || a.ID != id || a.Type != kind || a.PreferredUsername != name || a.PublicKey.Owner != id {
				t.Errorf("%s: %d, %+v", id, status, a)
			}
			if err := proof.Verify(doc, fedtest.Ed25519(brest.host).Public().(ed25519.PublicKey)); err != nil {
				t.Errorf("%s: %v", id, err)
			}
			for _, f := range fedtest.Lint(doc) {
				t.Errorf("%s: %s", id, f)
			}
			for _, collection := range []string{a.Outbox, a.Followers, a.Following, a.Featured} {
				if c := brest.read(t, collection); c.ID != collection || c.Type != "OrderedCollection" {
					t.Errorf("%s: %+v", collection, c)
				}
			}
		}
		// The feed's outbox announces the record, and each announce stands at its id.
		feed := brest.read(t, "/actors/theme_alimentation/outbox")
		page := brest.read(t, feed.First)
		if feed.TotalItems != 1 || len(page.OrderedItems) != 1 {
			t.Fatalf("outbox %+v, page %+v", feed, page)
		}
		var announce struct{ ID, Type, Object string }
		if err := json.Unmarshal(page.OrderedItems[0], &announce); err != nil || announce.Type != "Announce" || announce.Object != rec.ID {
			t.Errorf("got %s, %v", page.OrderedItems[0], err)
		}
		if _, b := brest.ask(t, announce.ID); string(b) != string(page.OrderedItems[0]) {
			t.Errorf("the announce reads otherwise at its id: %s", b)
		}
		changed := rec.Content
		changed.Title = "Repair café de Recouvrance et du port"
		time.Sleep(2 * time.Minute)
		if _, err := brest.UpdateRecord(t.Context(), rec.ID, 0, changed, essaim.StatePublished, essaim.Author{}); err != nil {
			t.Fatal(err)
		}
		if again := brest.read(t, feed.First); len(again.OrderedItems) != 1 || string(again.OrderedItems[0]) != string(page.OrderedItems[0]) {
			t.Errorf("an edit changed the announce: %s", again.OrderedItems)
		}
		// A feed pins nothing; a record's actor pins its own presentation.
		if got := brest.read(t, "/actors/theme_alimentation/featured"); got.TotalItems != 0 {
			t.Errorf("a feed pins %s", got.OrderedItems)
		}
		pinned := brest.read(t, "/actors/fiche_repair-cafe-de-recouvran/featured")
		var note string
		if err := json.Unmarshal(pinned.OrderedItems[0], &note); err != nil {
			t.Fatal(err)
		}
		if got := brest.read(t, note); got.ID != note || got.Type != "Note" || got.AttributedTo != "https://brest.example/actors/fiche_repair-cafe-de-recouvran" || !strings.Contains(got.Content, rec.URL) {
			t.Errorf("the presentation is %+v", got)
		}
		if err := brest.WithdrawRecord(t.Context(), rec.ID, essaim.Author{}); err != nil {
			t.Fatal(err)
		}
		for _, address := range []string{note, "https://brest.example/actors/fiche_repair-cafe-de-recouvran", announce.ID} {
			if status, b := brest.ask(t, address); status != http.StatusGone {
				t.Errorf("%s after the withdrawal: %d %s", address, status, b)
			}
		}
		for _, address := range []string{
			"/.well-known/webfinger?resource=acct:fiche_repair-cafe-de-recouvran@brest.example", "/actors/fiche_repair-cafe-de-recouvran/outbox",
		} {
			if status, _ := brest.ask(t, address); status != http.StatusGone {
				t.Errorf("%s after the withdrawal: %d", address, status)
			}
		}
		for _, address := range []string{
			"/actors/nobody", "/actors/theme_jardins", "/objects/none-presentation", "/activities/theme_alimentation-none", "/activities/camille-none", "/activities/nobody-none",
		} {
			if status, _ := brest.ask(t, address); status != http.StatusNotFound {
				t.Errorf("%s: %d", address, status)
			}
		}
	})
}

// A theme is followed, announces what is published within a minute, and is
// followed no more; an account that follows the node reads its announces.
func TestAThemeIsFollowed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		network := fedtest.NewNetwork()
		brest := startNode(t, network, "brest")
		defer brest.stop()
		brest.publish(t, "Avant")
		const feed = "https://brest.example/actors/theme_alimentation"
		alice := fedtest.NewPeer(t, network, "m.example", "Person")
		relay := fedtest.NewPeer(t, network, "mobilizon.example", "Person")
		follow := func(p *fedtest.Peer, id, object string) {
			t.Helper()
			if status, err := p.Post(t.Context(), object+"/inbox", p.Activity(id, "Follow", object)); err != nil || status != http.StatusAccepted {
				t.Fatalf("%d, %v", status, err)
			}
			within(t, 5*time.Second, "the Accept", func() bool { return slices.Contains(kinds(p), "Accept "+object) })
		}
		follow(alice, "f1", feed)
		follow(relay, "f2", "https://brest.example/actor")
		rec := brest.publish(t, "Jardin")
		within(t, time.Minute, "the announces", func() bool {
			return slices.Contains(kinds(alice), "Announce "+feed) && slices.Contains(kinds(relay), "Announce https://brest.example/actor")
		})
		for _, p := range []*fedtest.Peer{alice, relay} {
			got := p.Received()
			var a struct {
				ID, Object string
				CC         []string
			}
			if err := json.Unmarshal(got[len(got)-1].Body, &a); err != nil || a.Object != rec.ID || !slices.Contains(a.CC, rec.Territory) {
				t.Errorf("%s got %s, %v", p.Host, got[len(got)-1].Body, err)
			}
			if status, served := brest.ask(t, a.ID); status != http.StatusOK || string(served) != string(got[len(got)-1].Body) {
				t.Errorf("the announce at its id: %d %s", status, served)
			}
		}
		if total := brest.read(t, feed+"/followers").TotalItems; total != 1 {
			t.Errorf("%d followers", total)
		}
		undo := alice.Activity("u1", "Undo", map[string]any{"id": "https://m.example/activities/f1", "type": "Follow", "actor": alice.Actor, "object": feed})
		if _, err := alice.Post(t.Context(), "https://brest.example/inbox", undo); err != nil {
			t.Fatal(err)
		}
		within(t, 5*time.Second, "the end of the follow", func() bool { return brest.read(t, feed+"/followers").TotalItems == 0 })
		before := len(alice.Received())
		brest.publish(t, "Après")
		time.Sleep(2 * time.Minute)
		if got := len(alice.Received()); got != before {
			t.Errorf("%d activities came after the follow ended", got-before)
		}
		for _, kind := range kinds(relay) {
			if strings.HasPrefix(kind, "Create") {
				t.Error("who reads announces got the activity too")
			}
		}
	})
}

// A community is read by Lemmy as it wants it: one list without pages, each
// announce with its activity; followers counted, none named.
func TestACommunityIsServedAsLemmyReadsIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		network := fedtest.NewNetwork()
		brest := startNode(t, network, "brest")
		defer brest.stop()
		rec := brest.publish(t, "Avant")
		group, err := brest.OpenGroup(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if a := brest.read(t, group); a.Type != "Group" || a.ID != group || a.PreferredUsername != "groupe_brest" {
			t.Errorf("got %+v", a)
		}
		for address, want := range map[string]string{
			group + "/followers": `"type":"Collection","totalItems":0,"items":[]`, group + "/featured": `"orderedItems":[]`,
		} {
			if _, b := brest.ask(t, address); !strings.Contains(string(b), want) {
				t.Errorf("%s: %s", address, b)
			}
		}
		outbox := brest.read(t, group+"/outbox")
		if outbox.First != "" || outbox.TotalItems != 1 || len(outbox.OrderedItems) != 1 {
			t.Fatalf("outbox %+v", outbox)
		}
		var announce struct {
			ID, Type string
			Object   struct {
				Type   string
				Object struct{ ID string }
			}
		}
		if err := json.Unmarshal(outbox.OrderedItems[0], &announce); err != nil || announce.Type != "Announce" || announce.Object.Type != "Create" || announce.Object.Object.ID != rec.ID {
			t.Errorf("got %s, %v", outbox.OrderedItems[0], err)
		}
		if _, b := brest.ask(t, announce.ID); string(b) != string(outbox.OrderedItems[0]) {
			t.Errorf("the announce reads otherwise at its id: %s", b)
		}
		lemmy := fedtest.NewPeer(t, network, "lemmy.example", "Person")
		if _, err := lemmy.Post(t.Context(), "https://brest.example/inbox", lemmy.Activity("f", "Follow", group)); err != nil {
			t.Fatal(err)
		}
		within(t, 5*time.Second, "the Accept", func() bool { return slices.Contains(kinds(lemmy), "Accept "+group) })
		next := brest.publish(t, "Jardin")
		within(t, time.Minute, "both announces", func() bool { return len(lemmy.Received()) == 3 })
		for i, want := range []string{`"object":{`, `"object":"` + next.ID + `"`} {
			if got := string(lemmy.Received()[i+1].Body); !strings.Contains(got, want) {
				t.Errorf("announce %d is %s", i, got)
			}
		}
	})
}

// kinds names what a peer received: type and actor.
func kinds(p *fedtest.Peer) []string {
	var list []string
	for _, r := range p.Received() {
		var a struct{ Type, Actor string }
		if json.Unmarshal(r.Body, &a) == nil {
			list = append(list, a.Type+" "+a.Actor)
		}
	}
	return list
}
