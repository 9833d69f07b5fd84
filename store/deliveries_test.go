// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"essaim"
	"essaim/store"
	"essaim/store/storetest"
)

func TestAPublicationGoesOnceToEachInbox(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		n.follow(t, territory, "https://a.example/u1", "https://a.example/inbox")
		n.follow(t, territory, "https://a.example/u2", "https://a.example/inbox")
		n.follow(t, nodeActor, "https://a.example/actor", "https://a.example/inbox")
		n.follow(t, nodeActor, "https://b.example/actor", "https://b.example/actor/inbox")
		n.follow(t, brest+"/actors/other", "https://c.example/u", "https://c.example/inbox")
		n.publish(t, "Create", "1", "o1")
		n.publish(t, "Create", "2", "o2")
		if got := n.dispatch(t); got != 2 {
			t.Errorf("%d events dispatched, want 2", got)
		}
		if got := n.dispatch(t); got != 0 {
			t.Errorf("%d events dispatched again", got)
		}
		if got, want := sent(n.take(t, "a.example", 10)), []string{"1", "2"}; !slices.Equal(got, want) {
			t.Errorf("to a.example: %v, want %v", got, want)
		}
		b := n.take(t, "b.example", 10)
		if got, want := sent(b), []string{"1", "2"}; !slices.Equal(got, want) {
			t.Errorf("to b.example: %v, want %v", got, want)
		}
		want := essaim.Delivery{
			ID: b[0].ID, Host: "b.example", Inbox: "https://b.example/actor/inbox", OrderKey: "o1", Actor: territory,
			ActivityID: brest + "/activities/1", Body: []byte(`{"id":"` + brest + `/activities/1"}`), Attempt: 1, CreatedAt: n.clock.now(),
			LeaseUntil: n.clock.now().Add(time.Minute),
		}
		if fmt.Sprint(b[0]) != fmt.Sprint(want) {
			t.Errorf("delivery = %v, want %v", b[0], want)
		}
		if got := n.take(t, "c.example", 10); len(got) != 0 {
			t.Errorf("sent to a follower of another actor: %v", got)
		}
	})
}

func TestALongFanOutTakesSeveralTransactions(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		const inboxes = 1203 // more than two transactions write
		n.raw(t, `INSERT INTO follower (local, remote, follow_id, inbox, host, state, created_at)
			WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 1203)
			SELECT CAST($1 AS TEXT), 'https://a.example/u' || n, 'f', 'https://a.example/u' || n || '/inbox', 'a.example', 'accepted', 1 FROM i`, territory)
		n.publish(t, "Create", "1", "o1")
		n.publish(t, "Update", "2", "o1")
		if got := n.dispatch(t); got != 2 {
			t.Errorf("%d events dispatched, want 2", got)
		}
		if got := one[int](t, n, "SELECT count(DISTINCT inbox || n) FROM delivery"); got != 2*inboxes {
			t.Errorf("%d distinct deliveries, want %d", got, 2*inboxes)
		}
		if got := one[int](t, n, "SELECT count(*) FROM delivery"); got != 2*inboxes {
			t.Errorf("%d deliveries, want %d", got, 2*inboxes)
		}
	})
}

func TestALongFanOutReachesWhoWasToldByAnAnnounce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		const theme = brest + "/actors/theme_jardins"
		// Two in three inboxes follow the territory, two in three the theme.
		for i, local := range []string{territory, theme} {
			n.raw(t, `INSERT INTO follower (local, remote, follow_id, inbox, host, state, created_at)
				WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 1203)
				SELECT CAST($1 AS TEXT), 'https://a.example/u' || n, 'f', 'https://a.example/u' || n || '/inbox', 'a.example', 'accepted', 1 FROM i WHERE n % 3 <> $2`, local, i)
		}
		n.raw(t, `INSERT INTO announce (actor, object, state, due_at, created_at, sent_at) VALUES ($1, 'o1', 'sent', 1, 1, 1)`, theme)
		n.raw(t, `INSERT INTO announce (actor, object, state, due_at, created_at) VALUES ($1, 'o2', 'waiting', 1, 1)`, theme)
		n.publish(t, "Create", "1", "o1")
		n.publish(t, "Update", "2", "o1")
		n.publish(t, "Delete", "3", "o1")
		n.publish(t, "Delete", "4", "o2")
		if got := n.dispatch(t); got != 4 {
			t.Errorf("%d events dispatched, want 4", got)
		}
		for activity, want := range map[string]int{"1": 802, "2": 1203, "3": 1203, "4": 802} {
			id := brest + "/activities/" + activity
			all := one[int](t, n, "SELECT count(*) FROM delivery WHERE activity_id = $1", id)
			if distinct := one[int](t, n, "SELECT count(DISTINCT inbox) FROM delivery WHERE activity_id = $1", id); all != want || distinct != want {
				t.Errorf("%s: %d deliveries to %d inboxes, want %d", activity, all, distinct, want)
			}
		}
	})
}

func TestVersionsOfAnObjectReachAnInboxInOrder(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		n.follow(t, nodeActor, "https://a.example/actor", "https://a.example/inbox")
		n.publish(t, "Create", "create", "o")
		n.publish(t, "Update", "update", "o")
		n.publish(t, "Create", "other", "p")
		n.dispatch(t)
		first := n.take(t, "a.example", 10)
		if got, want := sent(first), []string{"create", "other"}; !slices.Equal(got, want) {
			t.Fatalf("claimed %v, want %v: the Update waits for the Create", got, want)
		}
		// The Create fails for a while: the Update is not due before it.
		n.finish(t, essaim.DeliveryResult{ID: first[0].ID, Attempt: 1, State: essaim.DeliveryWaiting, NextAt: n.clock.now().Add(time.Minute), Status: 503, Reason: "503"}, done(first[1]))
		if due, err := n.DueHosts(t.Context(), 10); err != nil || len(due) != 0 {
			t.Errorf("due hosts = %v, %v; want none while the Create waits", due, err)
		}
		n.clock.pass(time.Minute)
		again := n.take(t, "a.example", 10)
		if got := sent(again); !slices.Equal(got, []string{"create"}) || again[0].Attempt != 2 {
			t.Fatalf("claimed %v, want the Create again", again)
		}
		// A failure for good no longer blocks.
		n.finish(t, essaim.DeliveryResult{ID: again[0].ID, Attempt: 2, State: essaim.DeliveryFailed, Status: 410, Reason: "410"})
		if got := sent(n.take(t, "a.example", 10)); !slices.Equal(got, []string{"update"}) {
			t.Errorf("claimed %v after the failure, want the Update", got)
		}
	})
}

func TestWhatIsPublishedBehindARetryWaitsForIt(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		n.follow(t, nodeActor, "https://a.example/actor", "https://a.example/inbox")
		n.publish(t, "Create", "create", "o")
		n.dispatch(t)
		d := n.take(t, "a.example", 1)[0]
		n.finish(t, essaim.DeliveryResult{ID: d.ID, Attempt: 1, State: essaim.DeliveryWaiting, NextAt: n.clock.now().Add(time.Hour)})
		n.publish(t, "Update", "update", "o")
		n.dispatch(t)
		if due, _ := n.DueHosts(t.Context(), 10); len(due) != 0 {
			t.Errorf("due hosts = %v, want none", due)
		}
		if err := n.WakeHost(t.Context(), "a.example"); err != nil {
			t.Fatal(err)
		}
		if got := sent(n.take(t, "a.example", 10)); !slices.Equal(got, []string{"create"}) {
			t.Errorf("claimed %v once the host is awake, want the Create", got)
		}
	})
}

func TestALateResultIsLeftAlone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		n.follow(t, nodeActor, "https://a.example/actor", "https://a.example/inbox")
		n.publish(t, "Create", "1", "o")
		n.dispatch(t)
		late := n.take(t, "a.example", 1)[0]
		n.clock.pass(2 * time.Minute)
		now := n.take(t, "a.example", 1)[0]
		n.finish(t, essaim.DeliveryResult{ID: late.ID, Attempt: late.Attempt, State: essaim.DeliveryFailed})
		if d, err := n.QueuedDelivery(t.Context(), now.ID); err != nil || d.State != essaim.DeliveryWaiting || d.Attempt != 2 {
			t.Errorf("delivery = %+v, %v; want it waiting at attempt 2", d, err)
		}
		n.finish(t, done(now))
		if d, _ := n.QueuedDelivery(t.Context(), now.ID); d.State != essaim.DeliveryDone || d.Status != 202 || !d.DoneAt.Equal(n.clock.now()) {
			t.Errorf("delivery = %+v, want it done", d)
		}
	})
}

// Eight workers share a host's queue, as those of several processes do.
func TestNoDeliveryIsClaimedTwice(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		const objects, versions = 40, 5
		n.follow(t, nodeActor, "https://a.example/actor", "https://a.example/inbox")
		for v := range versions {
			for o := range objects {
				n.publish(t, "Update", fmt.Sprintf("%02d-%d", o, v), fmt.Sprintf("o%02d", o))
			}
		}
		n.dispatch(t)
		var mu sync.Mutex
		count := map[int64]int{}
		order := map[string][]string{}
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for {
					claimed, err := n.ClaimDeliveries(t.Context(), "a.example", 5, time.Minute)
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					var results []essaim.DeliveryResult
					for _, d := range claimed {
						count[d.ID]++
						order[d.OrderKey] = append(order[d.OrderKey], d.ActivityID)
						results = append(results, done(d))
					}
					over := len(count) == objects*versions
					mu.Unlock()
					if err := n.FinishDeliveries(t.Context(), results); err != nil {
						t.Error(err)
					}
					if over {
						return
					}
				}
			})
		}
		wg.Wait()
		for id, c := range count {
			if c != 1 {
				t.Errorf("delivery %d claimed %d times", id, c)
			}
		}
		for key, ids := range order {
			if len(ids) != versions || !slices.IsSorted(ids) {
				t.Errorf("versions of %s claimed in the order %v", key, ids)
			}
		}
	})
}

func TestAfterALongBacklogOnlyTheNewestVersionGoes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		n.follow(t, nodeActor, "https://a.example/actor", "https://a.example/inbox")
		n.publish(t, "Create", "create", "o")
		for _, v := range []string{"v2", "v3", "v4"} {
			n.publish(t, "Update", v, "o")
		}
		n.publish(t, "Update", "only", "p")
		n.dispatch(t)
		n.clock.pass(3 * 24 * time.Hour)
		var got []string
		for claimed := n.take(t, "a.example", 10); len(claimed) > 0; claimed = n.take(t, "a.example", 10) {
			for _, d := range claimed {
				n.finish(t, done(d))
			}
			got = append(got, sent(claimed)...)
		}
		slices.Sort(got)
		if want := []string{"create", "only", "v4"}; !slices.Equal(got, want) {
			t.Errorf("sent %v, want %v", got, want)
		}
		dropped, err := n.QueuedDeliveries(t.Context(), store.QueueFilter{State: "dropped"})
		if err != nil || len(dropped) != 2 || !strings.Contains(dropped[0].Reason, "newer version") {
			t.Errorf("dropped = %+v, %v; want two, with the reason", dropped, err)
		}
	})
}

func TestEachVersionGoesWhenThereIsNoBacklog(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		n.follow(t, nodeActor, "https://a.example/actor", "https://a.example/inbox")
		for _, v := range []string{"v1", "v2", "v3"} {
			n.publish(t, "Update", v, "o")
		}
		n.dispatch(t)
		var got []string
		for claimed := n.take(t, "a.example", 10); len(claimed) > 0; claimed = n.take(t, "a.example", 10) {
			n.finish(t, done(claimed[0]))
			got = append(got, sent(claimed)...)
		}
		if want := []string{"v1", "v2", "v3"}; !slices.Equal(got, want) {
			t.Errorf("sent %v, want %v", got, want)
		}
	})
}

func TestErasedContentIsNotSent(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		n.follow(t, nodeActor, "https://a.example/actor", "https://a.example/inbox")
		n.publish(t, "Create", "before", "o")
		n.dispatch(t)
		n.publish(t, "Update", "undispatched", "o")
		n.raw(t, "UPDATE activity SET bytes = NULL WHERE type IN ('Create', 'Update')")
		n.publish(t, "Delete", "delete", "o")
		n.dispatch(t)
		if got := sent(n.take(t, "a.example", 10)); !slices.Equal(got, []string{"delete"}) {
			t.Errorf("sent %v, want the Delete alone", got)
		}
	})
}

func TestWorkIsAnnounced(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		other := n.Store
		if db.Name == "postgres" {
			other = db.Open(t, n.config) // another process
		}
		bell := other.Notify()
		n.receive(t, "https://a.example/1", "https://a.example/u")
		select {
		case <-bell:
		case <-time.After(5 * time.Second):
			t.Error("nobody was told of an activity that came")
		}
	})
}

func TestTheQueueIsListedRetriedAndDropped(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		for _, host := range []string{"a.example", "b.example", "c.example"} {
			n.follow(t, nodeActor, "https://"+host+"/actor", "https://"+host+"/inbox")
		}
		n.publish(t, "Create", "1", "o")
		n.publish(t, "Create", "2", "p")
		n.dispatch(t)
		var walked []string
		f := store.QueueFilter{Limit: 2}
		for {
			page, err := n.QueuedDeliveries(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			for _, d := range page {
				walked = append(walked, d.Host+" "+d.Type)
			}
			f.After = page[len(page)-1].Position()
		}
		if want := []string{"a.example Create", "a.example Create", "b.example Create", "b.example Create", "c.example Create", "c.example Create"}; !slices.Equal(walked, want) {
			t.Errorf("pages give %v, want %v", walked, want)
		}
		d := n.take(t, "b.example", 1)[0]
		n.finish(t, essaim.DeliveryResult{ID: d.ID, Attempt: d.Attempt, State: essaim.DeliveryFailed, Status: 404, Reason: "no such inbox"})
		failed, err := n.QueuedDeliveries(t.Context(), store.QueueFilter{State: "failed", Host: "b.example"})
		if err != nil || len(failed) != 1 || failed[0].Reason != "no such inbox" || failed[0].Status != 404 {
			t.Fatalf("failed = %+v, %v", failed, err)
		}
		if size, err := n.QueueSize(t.Context()); err != nil || size.DeliveriesWaiting != 5 || size.DeliveriesFailed != 1 {
			t.Errorf("size = %+v, %v", size, err)
		}
		if err := n.RetryDelivery(t.Context(), d.ID); err != nil {
			t.Fatal(err)
		}
		if got := sent(n.take(t, "b.example", 10)); len(got) != 2 {
			t.Errorf("claimed %v after the retry, want both", got)
		}
		if err := n.DropDelivery(t.Context(), d.ID); err != nil {
			t.Fatal(err)
		}
		if got, _ := n.QueuedDelivery(t.Context(), d.ID); got.State != essaim.DeliveryDropped {
			t.Errorf("state = %s, want dropped", got.State)
		}
		if err := n.RetryDelivery(t.Context(), d.ID); err == nil {
			t.Error("a dropped delivery was retried")
		}
	})
}
