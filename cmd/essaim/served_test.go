// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"essaim"
	"essaim/federation"
	"essaim/federation/fedtest"
	"essaim/federation/vocab"
	"essaim/store"
	"essaim/store/storetest"
)

// servedNode is a node with the records of a territory of the demonstration,
// behind a network in memory.
func servedNode(t *testing.T, db storetest.DB, username string) (*store.Store, *fedtest.Network, chi.Routes) {
	t.Helper()
	base := "https://" + username + ".example"
	i := slices.IndexFunc(demoTerritories[:], func(d demoTerritory) bool { return d.Username == username })
	lat, lon, _ := essaim.EmbeddedGazetteer().Centre(essaim.Territory{EPCIs: demoTerritories[i].EPCIs})
	node := essaim.Node{BaseURL: base, Incarnation: 1_767_225_600, Territory: essaim.Territory{
		Actor: base + "/actors/" + username, Username: username, Name: demoTerritories[i].Name, EPCIs: demoTerritories[i].EPCIs,
		Summary: "Les initiatives du **territoire**.", Lat: lat, Lon: lon,
	}}
	keys := federation.Keys{RSA: fedtest.RSA(), Ed25519: fedtest.Ed25519(base)}
	renderer, err := vocab.New(vocab.Config{Node: node, Ed25519: keys.Ed25519, RSA: &keys.RSA.PublicKey})
	if err != nil {
		t.Fatal(err)
	}
	s := db.Open(t, func(c *store.Config) { c.Render = renderer.Render })
	if err := s.CreateNode(t.Context(), node); err != nil {
		t.Fatal(err)
	}
	network := fedtest.NewNetwork()
	server, err := federation.New(federation.Config{Node: node, Keys: keys, Store: s, Transport: network})
	if err != nil {
		t.Fatal(err)
	}
	r := chi.NewRouter()
	server.Mount(r)
	network.Serve(username+".example", r)
	return s, network, r
}

func publishAll(t *testing.T, s *store.Store, list []essaim.Content) []essaim.Record {
	t.Helper()
	var made []essaim.Record
	for _, c := range list {
		for i := range c.Relations {
			c.Relations[i].Target = "https://brest.example/objects/1"
		}
		rec, err := s.CreateRecord(context.WithoutCancel(t.Context()), essaim.NewRecord{State: essaim.StatePublished, Author: essaim.Author{Name: "test"}, Content: c})
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, rec)
	}
	return made
}

func TestEveryDocumentOfANodePassesTheLinter(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s, network, routes := servedNode(t, db, "tourcoing")
		list, err := demoRecords("tourcoing", essaim.EmbeddedGazetteer(), demoDay)
		if err != nil {
			t.Fatal(err)
		}
		more, err := demoRecords("brest", essaim.EmbeddedGazetteer(), demoDay)
		if err != nil {
			t.Fatal(err)
		}
		remake := list[0].As(essaim.KindRemake)
		remake.Title, remake.Body = "Refait ailleurs", &essaim.Remake{Outcome: "adapted", Changes: "Plus **petit**.", Advice: "Commencer tôt."}
		remake.Relations = []essaim.Relation{{Type: essaim.RelationRemakes, Target: "https://brest.example/objects/1", Name: "L'original"}}
		list = append(append(list, more...), remake)
		made := publishAll(t, s, list)
		start := []string{"https://tourcoing.example/actor", "https://tourcoing.example/actors/tourcoing"}
		for _, rec := range made {
			start = append(start, rec.ID)
		}
		u, err := s.CreateUser(t.Context(), essaim.User{Email: "a@tourcoing.example", Name: "A", Role: essaim.RoleContributor})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.CreatePerson(t.Context(), u.ID, "camille", essaim.Profile{Summary: "Je **jardine**."}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.OpenGroup(t.Context()); err != nil {
			t.Fatal(err)
		}
		actors, err := s.LocalActors(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range actors {
			start = append(start, a.ID)
		}
		for _, rec := range made {
			if name, err := s.RecordActor(t.Context(), rec.ID); err == nil {
				start = append(start, "https://tourcoing.example/actors/"+name)
			}
		}
		created, _, err := s.OutboxAfter(t.Context(), made[0].Territory, 0, 1)
		if err != nil || len(created) != 1 || !bytes.Contains(created[0], []byte(`"`+made[0].ID+`"`)) {
			t.Fatalf("the oldest activity is %s, %v", created, err)
		}
		start = append(start, vocab.ID(created[0]))
		if err := s.WithdrawRecord(t.Context(), made[0].ID, essaim.Author{Name: "test"}); err != nil {
			t.Fatal(err)
		}
		start = append(start, answered(t, s, network, made[1])...)
		served, err := fedtest.Crawl(t.Context(), network, start...)
		if err != nil {
			t.Fatal(err)
		}
		meetings := 0
		for _, rec := range made {
			if rec.Kind == essaim.KindMeeting {
				meetings++
			}
		}
		types, kinds := map[string]int{}, map[essaim.Kind]bool{}
		for _, d := range served {
			types[d.Type]++
			var doc struct {
				Kind essaim.Kind `json:"essaim:kind"`
			}
			if json.Unmarshal(d.Body, &doc) == nil {
				kinds[doc.Kind] = true
			}
			for _, f := range d.Findings {
				t.Errorf("%s: %s", d.Address, f)
			}
		}
		for kind, least := range map[string]int{
			"Application": 1, "Organization": 4, "Service": 8, "Person": 1, "Group": 1, "Announce": len(list), "Note": 3, "Article": len(list) - 2 - meetings, "Event": 1, "Create": len(list) - 1, "Tombstone": 2,
			"OrderedCollection": 2 * len(list), "Collection": 2 * (len(list) - 1), "OrderedCollectionPage": 3, "QuoteAuthorization": 1,
		} {
			if types[kind] < least {
				t.Errorf("read %d documents of type %s, want %d at least", types[kind], kind, least)
			}
		}
		for _, k := range essaim.Kinds() {
			if !kinds[k.Kind] {
				t.Errorf("no document of a %s was read", k.Kind)
			}
		}
		everyRoute(t, routes, served)
	})
}

// answered gives a record what others leave at it: thanks, a share, an answer, a
// permission to quote and an adaptation elsewhere. It returns the addresses that no
// document leads to.
func answered(t *testing.T, s *store.Store, network *fedtest.Network, rec essaim.Record) []string {
	t.Helper()
	peer := fedtest.NewPeer(t, network, "peer.example", "Person")
	stamp := rec.ID + "/quotes/0123456789abcdef"
	renderer, err := vocab.New(vocab.Config{Node: essaim.Node{BaseURL: "https://tourcoing.example", Territory: essaim.Territory{Actor: rec.Territory}}, Ed25519: fedtest.Ed25519("https://tourcoing.example"), RSA: &fedtest.RSA().PublicKey})
	if err != nil {
		t.Fatal(err)
	}
	body, err := renderer.Stamp(stamp, rec.Territory, "https://peer.example/n/2", rec.ID, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	out := essaim.Outgoing{ActivityID: "https://tourcoing.example/activities/1", Actor: rec.Territory, Receiver: peer.Actor, Inbox: peer.Inbox, OrderKey: "k", Body: []byte(`{}`)}
	effects := []essaim.Effect{
		essaim.AddFollower{Local: rec.Territory, Follower: essaim.RemoteActor{ID: peer.Actor, Type: "Person", Inbox: peer.Inbox, FetchedAt: time.Now()}, FollowID: "https://peer.example/f/1", Accept: out},
		essaim.React{Kind: essaim.ReactionLike, ActivityID: "https://peer.example/l/1", Actor: peer.Actor, Object: rec.ID, At: time.Now()},
		essaim.React{Kind: essaim.ReactionAnnounce, ActivityID: "https://peer.example/a/1", Actor: peer.Actor, Object: rec.ID, At: time.Now()},
		essaim.HoldComment{ID: "https://peer.example/n/1", Actor: peer.Actor, InReplyTo: rec.ID, Content: "<p>Bravo</p>", Excerpt: "Bravo", Published: time.Now(), Policy: essaim.CommentsShown},
		essaim.AllowQuote{Quote: essaim.Quote{ID: stamp, Object: rec.ID, Post: "https://peer.example/n/2", Actor: peer.Actor, Stamp: body}, Accept: essaim.Outgoing{
			ActivityID: "https://tourcoing.example/activities/2", Actor: rec.Territory, Receiver: peer.Actor, Inbox: peer.Inbox, OrderKey: "k", Body: []byte(`{}`),
		}},
	}
	for i, e := range effects {
		if err := applied(t, s, peer.Actor, i, e); err != nil {
			t.Fatal(err)
		}
	}
	return []string{stamp, "https://tourcoing.example/commons", "https://tourcoing.example/commons/digest", "https://tourcoing.example/commons/digest/0"}
}

// applied has an effect come of an activity.
func applied(t *testing.T, s *store.Store, actor string, i int, e essaim.Effect) error {
	t.Helper()
	if _, err := s.ReceiveActivity(t.Context(), essaim.Inbound{ActivityID: fmt.Sprintf("https://peer.example/in/%d", i), Type: "Like", Actor: actor, Raw: []byte("{}"), ReceivedAt: time.Now()}); err != nil {
		return err
	}
	rows, err := s.ClaimInbound(t.Context(), 1, time.Minute)
	if err != nil || len(rows) != 1 {
		return fmt.Errorf("%d rows: %w", len(rows), err)
	}
	return s.Apply(t.Context(), []essaim.Applied{{ID: rows[0].ID, Attempt: rows[0].Attempt, State: essaim.InboundApplied, Effects: []essaim.Effect{e}}})[0]
}

// unread are the addresses that a crawl of documents does not read: what is no
// ActivityStreams, what only a server that signs is told, and what is held of other
// nodes, which TestWhatIsServedOfOtherNodesPassesTheLinter reads.
var unread = []string{
	"/.well-known/webfinger", "/.well-known/nodeinfo", "/.well-known/host-meta", "/nodeinfo/2.1", "/nodeinfo/2.0",
	"/actor/followers/sync", "/actors/{name}/followers/sync",
	"/commons/copies", "/commons/copies/digest", "/commons/copies/digest/{prefix}",
}

var placeholder = regexp.MustCompile(`\{\w+\}`)

// everyRoute holds that what was read is of every address that the node answers.
func everyRoute(t *testing.T, routes chi.Routes, served []fedtest.Served) {
	t.Helper()
	walked := 0
	err := chi.Walk(routes, func(method, pattern string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		if method != http.MethodGet || slices.Contains(unread, pattern) {
			return nil
		}
		walked++
		expression := regexp.MustCompile(`^https://tourcoing\.example` + placeholder.ReplaceAllString(pattern, `[^/?]+`) + `(\?.*)?$`)
		if !slices.ContainsFunc(served, func(d fedtest.Served) bool { return expression.MatchString(d.Address) }) {
			t.Errorf("no document at %s was read", pattern)
		}
		return nil
	})
	if err != nil || walked < 20 {
		t.Errorf("%d addresses, %v", walked, err)
	}
}

// The pages and digests are this node's; the documents in them are theirs to the byte.
func TestWhatIsServedOfOtherNodesPassesTheLinter(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		p := newPair(t, db)
		p.published(t, 120) // two pages, and a tree with leaves
		seen := map[string]bool{}
		next := []string{"/commons/copies?of=" + brestHost, "/commons/copies?of=" + brestHost + "&under=0", "/commons/copies/digest?of=" + brestHost, "/commons/copies/digest/0?of=" + brestHost}
		for len(next) > 0 {
			address := p.toulon.base + strings.TrimPrefix(next[0], p.toulon.base)
			next = next[1:]
			var doc struct{ ID, Next, Type string }
			read(t, p.network, address, &doc)
			if seen[address] = true; doc.ID != address {
				t.Errorf("%s says that it is %s", address, doc.ID)
			}
			if doc.Next != "" {
				next = append(next, doc.Next)
			}
		}
		if len(seen) != 5 {
			t.Errorf("read %v", seen)
		}
	})
}

// The outbox is read from both ends: the same activities, each once
// (interop.md 5.2, checks 23 and 24).
func TestTheOutboxIsTheSameFromBothEnds(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s, network, _ := servedNode(t, db, "brest")
		list, err := demoRecords("brest", essaim.EmbeddedGazetteer(), demoDay)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []int{0, 19, 1, 20, 5} { // in all: none, one page short of one, one, two, two and some
			for range n {
				c := list[0]
				c.Title += " " + time.Now().Format(time.RFC3339Nano)
				publishAll(t, s, []essaim.Content{c})
			}
			var outbox struct {
				First, Last string
				TotalItems  int
			}
			read(t, network, "https://brest.example/actors/brest/outbox", &outbox)
			down, up := walk(t, network, outbox.First, "next"), walk(t, network, outbox.Last, "prev")
			slices.Reverse(up)
			if len(down) != outbox.TotalItems || !slices.Equal(down, up) || len(slices.Compact(slices.Sorted(slices.Values(down)))) != len(down) {
				t.Errorf("%d in all: %d from the first page, %d from the last", outbox.TotalItems, len(down), len(up))
			}
		}
	})
}

// walk gathers the ids of the activities of a collection's pages.
func walk(t *testing.T, network *fedtest.Network, page, link string) (ids []string) {
	t.Helper()
	for page != "" {
		var p struct {
			ID, Next, Prev, PartOf string
			Items                  []struct{ ID string } `json:"orderedItems"`
		}
		read(t, network, page, &p)
		if p.ID != page {
			t.Errorf("%s says that it is %s", page, p.ID)
		}
		if link == "prev" {
			slices.Reverse(p.Items)
		}
		for _, it := range p.Items {
			ids = append(ids, it.ID)
		}
		page = map[string]string{"next": p.Next, "prev": p.Prev}[link]
	}
	return ids
}

func read(t *testing.T, network *fedtest.Network, address string, into any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := network.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: status %d, %v", address, answer.StatusCode, err)
	}
	for _, f := range fedtest.LintServed(address, answer, body) {
		t.Errorf("%s: %s", address, f)
	}
	if err := json.Unmarshal(body, into); err != nil {
		t.Fatalf("%s: %v", address, err)
	}
}
