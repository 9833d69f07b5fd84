// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"essaim"
	"essaim/store/storetest"
)

func TestAnActivityIsReceivedOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		in := essaim.Inbound{ActivityID: "https://a.example/1", Type: "Like", Actor: "https://a.example/u", Raw: []byte("{}"), ReceivedAt: n.clock.now()}
		var mu sync.Mutex
		fresh := 0
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				ok, err := n.ReceiveActivity(t.Context(), in)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				if ok {
					fresh++
				}
			})
		}
		wg.Wait()
		if fresh != 1 {
			t.Errorf("fresh %d times, want once", fresh)
		}
		if got := len(n.claim(t, 10)); got != 1 {
			t.Errorf("%d rows, want 1", got)
		}
	})
}

func TestInboundIsClaimedInOrderAndUnderALease(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		for i := range 5 {
			n.receive(t, fmt.Sprintf("https://a.example/%d", i), fmt.Sprintf("https://a.example/u%d", i))
		}
		first := n.claim(t, 3)
		var got []string
		for _, in := range first {
			got = append(got, in.ActivityID)
			if in.Attempt != 1 || string(in.Raw) != `{"id":"`+in.ActivityID+`"}` || !in.ReceivedAt.Equal(n.clock.now()) {
				t.Errorf("claimed %+v", in)
			}
		}
		if want := []string{"https://a.example/0", "https://a.example/1", "https://a.example/2"}; !slices.Equal(got, want) {
			t.Errorf("claimed %v, want %v", got, want)
		}
		if got := len(n.claim(t, 10)); got != 2 {
			t.Errorf("%d more claimed, want the 2 that are not under lease", got)
		}
		n.clock.pass(2 * time.Minute)
		again := n.claim(t, 10)
		if len(again) != 5 || again[0].Attempt != 2 {
			t.Errorf("after the lease: %d claimed, first at attempt %d; want 5 at attempt 2", len(again), again[0].Attempt)
		}
	})
}

func TestActivitiesOfAnActorAreNeverUnderTwoLeases(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		n.receive(t, "https://a.example/follow", "https://a.example/u")
		n.receive(t, "https://b.example/1", "https://b.example/u")
		n.receive(t, "https://a.example/undo", "https://a.example/u")
		first := n.claim(t, 1)
		second := n.claim(t, 10)
		if len(second) != 1 || second[0].ActivityID != "https://b.example/1" {
			t.Fatalf("claimed %v beside the actor's lease, want the other actor's only", second)
		}
		n.Apply(t.Context(), []essaim.Applied{{ID: first[0].ID, Attempt: 1, State: essaim.InboundApplied}})
		if third := n.claim(t, 10); len(third) != 1 || third[0].ActivityID != "https://a.example/undo" {
			t.Errorf("claimed %v once the lease ended, want the Undo", third)
		}
	})
}

// Eight workers, as of several processes, share the inbox.
func TestNoInboundActivityIsClaimedTwice(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		const total, actors = 400, 20
		for i := range total {
			n.receive(t, fmt.Sprintf("https://a.example/%04d", i), fmt.Sprintf("https://a.example/u%d", i%actors))
		}
		var mu sync.Mutex
		order := map[string][]int64{}
		count := map[int64]int{}
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for {
					claimed, err := n.ClaimInbound(t.Context(), 7, time.Minute)
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					var batch []essaim.Applied
					for _, in := range claimed {
						count[in.ID]++
						order[in.Actor] = append(order[in.Actor], in.ID)
						batch = append(batch, essaim.Applied{ID: in.ID, Attempt: in.Attempt, State: essaim.InboundApplied})
					}
					over := len(count) == total
					mu.Unlock()
					if err := errors.Join(n.Apply(t.Context(), batch)...); err != nil {
						t.Error(err)
					}
					if over {
						return
					}
				}
			})
		}
		wg.Wait()
		if len(count) != total {
			t.Errorf("%d claimed, want %d", len(count), total)
		}
		for id, c := range count {
			if c != 1 {
				t.Errorf("activity %d claimed %d times", id, c)
			}
		}
		for actor, ids := range order {
			if !slices.IsSorted(ids) {
				t.Errorf("activities of %s applied in the order %v", actor, ids)
			}
		}
	})
}

func TestALostClaimWritesNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		n.receive(t, "https://a.example/1", "https://a.example/u")
		late := n.claim(t, 1)[0]
		n.clock.pass(2 * time.Minute)
		now := n.claim(t, 1)[0]
		object := n.record(t, "jardin")
		like := essaim.React{Kind: essaim.ReactionLike, ActivityID: late.ActivityID, Actor: late.Actor, Object: object, At: n.clock.now()}
		errs := n.Apply(t.Context(), []essaim.Applied{{ID: late.ID, Attempt: late.Attempt, State: essaim.InboundApplied, Effects: []essaim.Effect{like}}})
		if !errors.Is(errs[0], essaim.ErrConflict) {
			t.Errorf("error = %v, want a conflict", errs[0])
		}
		if got, _ := n.Reactions(t.Context(), object, essaim.ReactionLike); got != 0 {
			t.Errorf("%d likes of a lost claim", got)
		}
		for range 2 { // the second time the row is written already
			errs = n.Apply(t.Context(), []essaim.Applied{{ID: now.ID, Attempt: now.Attempt, State: essaim.InboundApplied, Effects: []essaim.Effect{like}}})
		}
		if !errors.Is(errs[0], essaim.ErrConflict) {
			t.Errorf("error when applied twice = %v, want a conflict", errs[0])
		}
		if got, _ := n.Reactions(t.Context(), object, essaim.ReactionLike); got != 1 {
			t.Errorf("%d likes, want 1", got)
		}
	})
}

// unknown is an effect that the store does not know.
type unknown struct{ essaim.Effect }

func TestAFailingActivityLeavesItsNeighboursAlone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		object := n.record(t, "jardin")
		var batch []essaim.Applied
		for i := range 5 {
			n.receive(t, fmt.Sprintf("https://a.example/%d", i), fmt.Sprintf("https://a.example/u%d", i))
		}
		for i, in := range n.claim(t, 5) {
			effects := []essaim.Effect{essaim.React{Kind: essaim.ReactionLike, ActivityID: in.ActivityID, Actor: in.Actor, Object: object, At: n.clock.now()}}
			if i == 2 {
				effects = append(effects, unknown{})
			}
			batch = append(batch, essaim.Applied{ID: in.ID, Attempt: in.Attempt, State: essaim.InboundApplied, Effects: effects})
		}
		for i, err := range n.Apply(t.Context(), batch) {
			if (err != nil) != (i == 2) {
				t.Errorf("error of activity %d: %v", i, err)
			}
		}
		if got, _ := n.Reactions(t.Context(), object, essaim.ReactionLike); got != 4 {
			t.Errorf("%d likes, want 4: the failing activity's own effect must not stay", got)
		}
		if got := n.inbound(t, "https://a.example/2").State; got != essaim.InboundWaiting {
			t.Errorf("the failing activity is %s, want waiting", got)
		}
	})
}

func TestAnActivityIsTriedAgainWhenItSays(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		n.receive(t, "https://a.example/1", "https://a.example/u")
		in := n.claim(t, 1)[0]
		errs := n.Apply(t.Context(), []essaim.Applied{{ID: in.ID, Attempt: in.Attempt, State: essaim.InboundWaiting, Reason: "the actor's home does not answer", RetryAt: n.clock.now().Add(time.Minute)}})
		if errs[0] != nil {
			t.Fatal(errs[0])
		}
		if got := n.claim(t, 1); len(got) != 0 {
			t.Errorf("claimed %v before its time", got)
		}
		n.clock.pass(time.Minute)
		if got := n.claim(t, 1); len(got) != 1 || got[0].Attempt != 2 {
			t.Errorf("claimed %v at its time, want it at attempt 2", got)
		}
	})
}

func TestAStartFreesTheLeasesOfADeadProcess(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	n := newNode(t, db)
	n.receive(t, "https://a.example/1", "https://a.example/u")
	n.claim(t, 1)
	n.follow(t, nodeActor, "https://b.example/u", "https://b.example/inbox")
	n.publish(t, "Create", "1", "o")
	n.dispatch(t)
	n.take(t, "b.example", 1)
	n.Close()
	n.Store = db.Open(t, n.config)
	if got := n.claim(t, 1); len(got) != 1 {
		t.Errorf("%d activities claimed after the start, want 1", len(got))
	}
	if got := n.take(t, "b.example", 1); len(got) != 1 {
		t.Errorf("%d deliveries claimed after the start, want 1", len(got))
	}
}
