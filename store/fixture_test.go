// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"essaim"
	"essaim/store"
	"essaim/store/storetest"
)

const (
	brest     = "https://brest.example"
	nodeActor = brest + "/actor"
	territory = brest + "/actors/brest"
)

// clock is a time that a test moves.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// node is the node of Brest on a fresh database, at a time that the test moves.
type node struct {
	*store.Store
	db    storetest.DB
	clock *clock
}

func newNode(t testing.TB, db storetest.DB, with ...func(*store.Config)) *node {
	t.Helper()
	c := &clock{t: time.Date(2026, 3, 3, 10, 0, 0, 0, time.UTC)}
	n := &node{db: db, clock: c}
	n.Store = db.Open(t, append([]func(*store.Config){n.config}, with...)...)
	err := n.CreateNode(t.Context(), essaim.Node{
		BaseURL: brest, Incarnation: 1772532000,
		Territory: essaim.Territory{Actor: territory, Username: "brest", Name: "Brest"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (n *node) config(cfg *store.Config) {
	cfg.Now, cfg.Render, cfg.Tell, cfg.Actor = n.clock.now, storetest.Render, storetest.Tell, storetest.Actor
}

// raw runs a statement below the store, for what another node or a crash would
// leave behind.
func (n *node) raw(t testing.TB, statement string, args ...any) {
	t.Helper()
	if err := n.db.Exec(t.Context(), n.Store, statement, args...); err != nil {
		t.Fatal(err)
	}
}

// one reads a single value.
func one[T any](t testing.TB, n *node, query string, args ...any) T {
	t.Helper()
	var v T
	if err := n.DB().QueryRowContext(t.Context(), query, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return v
}

// receive takes in an activity of an actor.
func (n *node) receive(t testing.TB, id, actor string) {
	t.Helper()
	fresh, err := n.ReceiveActivity(t.Context(), essaim.Inbound{ActivityID: id, Type: "Like", Actor: actor, Raw: []byte(`{"id":"` + id + `"}`), ReceivedAt: n.clock.now()})
	if err != nil {
		t.Fatal(err)
	}
	if !fresh {
		t.Fatalf("%s was received before", id)
	}
}

// claim leases up to n activities.
func (n *node) claim(t testing.TB, count int) []essaim.Inbound {
	t.Helper()
	got, err := n.ClaimInbound(t.Context(), count, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// apply receives an activity and applies effects as what it comes to.
func (n *node) apply(t testing.TB, actor string, effects ...essaim.Effect) store.QueuedActivity {
	t.Helper()
	id := fmt.Sprintf("https://elsewhere.example/activities/%d", one[int](t, n, "SELECT count(*) FROM inbox"))
	n.receive(t, id, actor)
	claimed := n.claim(t, 1)
	if len(claimed) != 1 || claimed[0].ActivityID != id {
		t.Fatalf("claimed %v, want %s", claimed, id)
	}
	for _, err := range n.Apply(t.Context(), []essaim.Applied{{ID: claimed[0].ID, Attempt: claimed[0].Attempt, State: essaim.InboundApplied, Effects: effects}}) {
		if err != nil {
			t.Fatal(err)
		}
	}
	return n.inbound(t, id)
}

// inbound is what became of an activity.
func (n *node) inbound(t testing.TB, id string) store.QueuedActivity {
	t.Helper()
	for _, state := range []string{"waiting", "applied", "ignored", "unknown", "failed"} {
		page, err := n.QueuedActivities(t.Context(), store.QueueFilter{State: state, Limit: 1000})
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range page {
			if a.ActivityID == id {
				return a
			}
		}
	}
	t.Fatalf("no inbound activity %s", id)
	return store.QueuedActivity{}
}

// record writes a published local record's row, with nothing beside it.
func (n *node) record(t testing.TB, slug string) string {
	t.Helper()
	id := brest + "/objects/" + slug
	n.raw(t, `INSERT INTO record (id, kind, slug, origin, territory, territory_name, url, state, incarnation, revision, number, title, stage,
		reusable, content, document, content_digest, copy_digest, activity_id, updated_at, position)
		VALUES ($1, 'initiative', $2, '', $3, 'Brest', $4, 'published', 1, 1, 1, $2, '', 1, '{"kind":"initiative","title":"x","body":{}}', $5, 'c', 'd', $6, 1,
		(SELECT coalesce(max(position), 0) + 1 FROM record))`,
		id, slug, territory, brest+"/initiatives/"+slug, []byte(`{"id":"`+id+`"}`), brest+"/activities/"+slug)
	return id
}

// publish writes an activity about an object and its event, as a publication
// does.
func (n *node) publish(t testing.TB, kind, activity, object string) {
	t.Helper()
	id := brest + "/activities/" + activity
	n.raw(t, "INSERT INTO activity (id, type, actor, bytes, at) VALUES ($1, $2, $3, $4, 1)", id, kind, territory, []byte(`{"id":"`+id+`"}`))
	n.raw(t, "UPDATE counter SET n = n + 1")
	n.raw(t, "INSERT INTO event (n, activity_id, actor, order_key) SELECT n, $1, $2, $3 FROM counter", id, territory, object)
}

// follow makes a remote actor a follower.
func (n *node) follow(t testing.TB, local, follower, inbox string) {
	t.Helper()
	n.apply(t, follower, essaim.AddFollower{Local: local, FollowID: follower + "#follow", Follower: essaim.RemoteActor{
		ID: follower, Type: "Person", Inbox: inbox, FetchedAt: n.clock.now(),
	}})
}

// dispatch fans out what is published.
func (n *node) dispatch(t testing.TB) int {
	t.Helper()
	done, err := n.Dispatch(t.Context(), nodeActor, 1000)
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// take claims deliveries of a host and gives the last part of their ids.
func (n *node) take(t testing.TB, host string, count int) []essaim.Delivery {
	t.Helper()
	got, err := n.ClaimDeliveries(t.Context(), host, count, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func (n *node) finish(t testing.TB, results ...essaim.DeliveryResult) {
	t.Helper()
	if err := n.FinishDeliveries(t.Context(), results); err != nil {
		t.Fatal(err)
	}
}

// done is a result that ends a delivery well.
func done(d essaim.Delivery) essaim.DeliveryResult {
	return essaim.DeliveryResult{ID: d.ID, Attempt: d.Attempt, State: essaim.DeliveryDone, Status: 202}
}

// sent names deliveries by the last part of their activity's id.
func sent(ds []essaim.Delivery) []string {
	names := []string{}
	for _, d := range ds {
		names = append(names, d.ActivityID[len(brest+"/activities/"):])
	}
	return names
}
