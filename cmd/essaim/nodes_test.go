// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-chi/chi/v5"

	"essaim"
	"essaim/federation"
	"essaim/federation/fedtest"
	"essaim/federation/vocab"
	"essaim/store"
)

// testNode is a whole node but for its pages: store, federation, and a place on
// a network in memory.
type testNode struct {
	*store.Store
	host   string
	dir    string // of its data
	server *federation.Server
	router http.Handler
	// renderer makes what the node signs by its keys.
	renderer *vocab.Renderer
	keys     federation.Keys
	halt     func() // ends its workers
	stop     func()
}

// startNode puts the node of a territory on the network, on SQLite, and runs
// it until the test stops it.
func startNode(t *testing.T, network *fedtest.Network, name string) *testNode {
	t.Helper()
	return startNodeWith(t, network, name, federation.Keys{RSA: fedtest.RSA(), Ed25519: fedtest.Ed25519(name + ".example")})
}

// startNodeWith is startNode with given keys.
func startNodeWith(t *testing.T, network *fedtest.Network, name string, keys federation.Keys) *testNode {
	t.Helper()
	host := name + ".example"
	node := essaim.Node{
		BaseURL: "https://" + host, Incarnation: time.Now().Unix(),
		Territory: essaim.Territory{Actor: "https://" + host + "/actors/" + name, Username: name, Name: strings.ToUpper(name[:1]) + name[1:]},
	}
	return openNode(t, network, host, t.TempDir(), keys, &node)
}

// openNode opens the node of a data directory, which it makes first if it is
// given, and runs it.
func openNode(t *testing.T, network *fedtest.Network, host, dir string, keys federation.Keys, fresh *essaim.Node) *testNode {
	t.Helper()
	n := &testNode{host: host, dir: dir, keys: keys}
	var err error
	// t.Context ends before the clean-up that needs the database.
	n.Store, err = store.Open(context.WithoutCancel(t.Context()), store.Config{
		Dir:    dir,
		Render: func(r essaim.RenderRequest) (essaim.Rendered, error) { return n.renderer.Render(r) },
		Tell:   func(told essaim.Told) ([]byte, error) { return n.renderer.Tell(told) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if fresh != nil {
		if err := n.CreateNode(t.Context(), *fresh); err != nil {
			t.Fatal(err)
		}
	}
	node, err := n.Node(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	n.renderer, err = vocab.New(vocab.Config{Node: node, Ed25519: keys.Ed25519, RSA: &keys.RSA.PublicKey})
	if err != nil {
		t.Fatal(err)
	}
	n.server, err = federation.New(federation.Config{
		Node: node, Keys: keys, Store: n.Store, Transport: network, Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	router := chi.NewRouter()
	n.server.Mount(router)
	n.router = router
	network.Serve(host, router)
	n.run(t)
	n.stop = func() {
		n.inbox(t)
		n.halt()
		if err := n.Store.Close(); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
	return n
}

// run starts the node's workers, as a process does.
func (n *testNode) run(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- n.server.Run(ctx) }()
	n.halt = func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("%s: %v", n.host, err)
		}
	}
}

func (n *testNode) publish(t *testing.T, title string) essaim.Record {
	t.Helper()
	rec, err := n.CreateRecord(t.Context(), essaim.NewRecord{State: essaim.StatePublished, Author: essaim.Author{Name: "test"}, Content: essaim.Content{
		Kind: essaim.KindInitiative, Title: title, Tagline: "Réparer ensemble", Everywhere: true, Themes: []string{"alimentation"},
		Licence: essaim.DefaultLicence, Body: &essaim.Initiative{},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

// document is the stored bytes of a record, wherever it comes from.
func (n *testNode) document(t *testing.T, id string) string {
	t.Helper()
	var b []byte
	if err := n.DB().QueryRowContext(t.Context(), "SELECT document FROM record WHERE id = $1", id).Scan(&b); err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// within waits, on the bubble's clock, for something to come true.
func within(t *testing.T, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("not within %s: %s", limit, what)
}

// inbox tells what became of the activities that came, for a test that failed.
func (n *testNode) inbox(t *testing.T) {
	if !t.Failed() {
		return
	}
	list, err := n.QueuedActivities(context.Background(), store.QueueFilter{})
	t.Logf("%s: activities %+v, %v", n.host, list, err)
}

func (n *testNode) holds(id string, revision int) func() bool {
	return func() bool {
		rec, err := n.Record(context.Background(), id)
		return err == nil && rec.Revision == revision && rec.State == essaim.StatePublished
	}
}

// follow makes one node follow another and waits until it is accepted.
func (n *testNode) follow(t *testing.T, other *testNode) {
	t.Helper()
	if _, err := n.server.FollowPeer(t.Context(), other.host); err != nil {
		t.Fatal(err)
	}
	within(t, 5*time.Second, other.host+" accepts the follow", func() bool {
		p, err := n.Peer(t.Context(), other.host)
		return err == nil && p.State == essaim.PeerFollowed
	})
}

func TestWhatOneNodePublishesTheOtherHolds(t *testing.T) {
	t.Parallel()
	fedtest.RSA()
	synctest.Test(t, func(t *testing.T) {
		network := fedtest.NewNetwork()
		brest, toulouse := startNode(t, network, "brest"), startNode(t, network, "toulouse")
		defer brest.stop()
		defer toulouse.stop()
		toulouse.follow(t, brest)

		rec := brest.publish(t, "Atelier de réparation")
		within(t, 2*time.Second, "the record is at Toulouse", toulouse.holds(rec.ID, 1))
		if got, want := toulouse.document(t, rec.ID), brest.document(t, rec.ID); got != want {
			t.Errorf("the copy differs\n got %s\nwant %s", got, want)
		}
		copied, err := toulouse.Record(t.Context(), rec.ID)
		if err != nil {
			t.Fatal(err)
		}
		if copied.Origin != brest.host || copied.Title != rec.Title || copied.Territory != rec.Territory || copied.TerritoryName != "Brest" || copied.CopyDigest == "" {
			t.Errorf("got %+v", copied)
		}

		changed := rec.Content
		changed.Title = "Atelier de réparation et de prêt"
		if _, err := brest.UpdateRecord(t.Context(), rec.ID, rec.Revision, changed, essaim.StatePublished, essaim.Author{Name: "test"}); err != nil {
			t.Fatal(err)
		}
		within(t, 2*time.Second, "the change is at Toulouse", toulouse.holds(rec.ID, 2))
		if got, want := toulouse.document(t, rec.ID), brest.document(t, rec.ID); got != want {
			t.Errorf("the changed copy differs\n got %s\nwant %s", got, want)
		}

		if err := brest.WithdrawRecord(t.Context(), rec.ID, essaim.Author{Name: "test"}); err != nil {
			t.Fatal(err)
		}
		within(t, 2*time.Second, "the record is gone from Toulouse", func() bool {
			r, err := toulouse.Record(t.Context(), rec.ID)
			return errors.Is(err, essaim.ErrNotFound) || errors.Is(err, essaim.ErrGone) || err == nil && r.State == essaim.StateWithdrawn && r.Text == ""
		})
		w := httptest.NewRecorder()
		brest.router.ServeHTTP(w, httptest.NewRequest(http.MethodGet, strings.TrimPrefix(rec.ID, "https://brest.example"), nil))
		var tombstone struct{ Type, FormerType string }
		if err := json.Unmarshal(w.Body.Bytes(), &tombstone); err != nil || w.Code != http.StatusGone || tombstone.Type != "Tombstone" || tombstone.FormerType != "Article" {
			t.Errorf("got %d %s, want 410 and the tombstone", w.Code, w.Body)
		}
	})
}

func TestANodeThatWasDownGetsWhatItMissed(t *testing.T) {
	t.Parallel()
	fedtest.RSA()
	synctest.Test(t, func(t *testing.T) {
		network := fedtest.NewNetwork()
		brest, toulouse := startNode(t, network, "brest"), startNode(t, network, "toulouse")
		defer brest.stop()
		defer toulouse.stop()
		toulouse.follow(t, brest)

		// Cut both ways: it cannot read what it is not sent either.
		network.SetDown(toulouse.host, true)
		network.SetDown(brest.host, true)
		var recs []essaim.Record
		for i := range 10 {
			recs = append(recs, brest.publish(t, fmt.Sprintf("Initiative %d", i)))
		}
		time.Sleep(20 * time.Minute)
		if got, err := toulouse.Record(t.Context(), recs[0].ID); !errors.Is(err, essaim.ErrNotFound) {
			t.Fatalf("a record came while deliveries were blocked: %+v, %v", got, err)
		}
		p, err := brest.Peer(t.Context(), toulouse.host)
		if err != nil || p.DownSince.IsZero() || p.LastReason == "" {
			t.Errorf("got peer %+v, %v, want down with a reason", p, err)
		}

		network.SetDown(toulouse.host, false)
		network.SetDown(brest.host, false)
		within(t, 45*time.Minute, "all records are at Toulouse", func() bool {
			for _, r := range recs {
				if !toulouse.holds(r.ID, 1)() {
					return false
				}
			}
			return true
		})
	})
}

func TestANodeThatStartsIsSentAtOnceWhatWaits(t *testing.T) {
	t.Parallel()
	fedtest.RSA()
	synctest.Test(t, func(t *testing.T) {
		network := fedtest.NewNetwork()
		brest, toulouse := startNode(t, network, "brest"), startNode(t, network, "toulouse")
		defer brest.stop()
		defer toulouse.stop()
		toulouse.follow(t, brest)

		toulouse.halt()
		network.SetDown(toulouse.host, true)
		rec := brest.publish(t, "Un four à pain partagé")
		time.Sleep(90 * time.Minute) // the next try is half an hour away
		network.SetDown(toulouse.host, false)
		toulouse.run(t)
		within(t, 5*time.Second, "the record is at Toulouse", toulouse.holds(rec.ID, 1))
	})
}
