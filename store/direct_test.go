// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"essaim"
	"essaim/store/storetest"
)

// answered has an actor's follow accepted by an activity of this number.
func (n *node) answered(t testing.TB, actor string, number int) {
	t.Helper()
	n.apply(t, actor, essaim.AddFollower{
		Local: territory, FollowID: actor + "#follow",
		Follower: remote(actor, "Person", actor+"/inbox", n.clock.now()),
		Accept: essaim.Outgoing{
			ActivityID: fmt.Sprintf("%s/activities/accept%d", brest, number), Actor: territory, Receiver: actor,
			Inbox: actor + "/inbox", OrderKey: territory + " " + actor, Body: []byte("{}"),
		},
	})
}

func TestAnAnswerToOneActorIsServedToNobodyAndGoesInItsTime(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		n.publish(t, "Update", "profile", territory) // of no record, and public
		n.answered(t, ana, 1)
		n.answered(t, "https://away.example/users/bob", 2)
		if _, err := n.Activity(t.Context(), brest+"/activities/accept1"); !errors.Is(err, essaim.ErrNotFound) {
			t.Errorf("an answer is served: %v", err)
		}
		if _, err := n.Activity(t.Context(), brest+"/activities/profile"); err != nil {
			t.Errorf("what is public is not served: %v", err)
		}
		n.finish(t, done(n.take(t, "a.example", 1)[0]))
		for _, c := range []struct {
			days       time.Duration
			kept, sent int
		}{
			{29, 3, 2},
			{2, 2, 1},
		} {
			n.clock.pass(c.days * 24 * time.Hour)
			if err := n.Tidy(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := one[int](t, n, "SELECT count(*) FROM activity"); got != c.kept {
				t.Errorf("%d activities, want %d", got, c.kept)
			}
			if got := one[int](t, n, "SELECT count(*) FROM delivery"); got != c.sent {
				t.Errorf("%d deliveries, want %d", got, c.sent)
			}
		}
		if got := n.take(t, "away.example", 1); len(got) != 1 || len(got[0].Body) == 0 {
			t.Errorf("what still waits for its receiver is gone: %v", got)
		}
	})
}

func TestAnAnswerThatFailedCanBeSentAgainUntilItIsDropped(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		n.answered(t, ana, 1)
		n.clock.pass(16 * 24 * time.Hour)
		failed := done(n.take(t, "a.example", 1)[0])
		failed.State = essaim.DeliveryFailed
		n.finish(t, failed)
		pass := func() {
			n.clock.pass(31 * 24 * time.Hour)
			if err := n.Tidy(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		pass()
		if err := n.RetryDelivery(t.Context(), failed.ID); err != nil {
			t.Fatalf("send again what failed: %v", err)
		}
		again := n.take(t, "a.example", 1)
		if len(again) != 1 || len(again[0].Body) == 0 {
			t.Fatalf("sent again: %v", again)
		}
		failed.Attempt = again[0].Attempt
		n.finish(t, failed)
		if err := n.DropDelivery(t.Context(), failed.ID); err != nil {
			t.Fatal(err)
		}
		pass()
		for _, table := range []string{"delivery", "activity"} {
			if got := one[int](t, n, "SELECT count(*) FROM "+table); got != 0 {
				t.Errorf("dropped: %d rows in %s", got, table)
			}
		}
	})
}

func TestWhoLeavesTakesOurAnswersAlong(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		n.answered(t, ana, 1)
		n.answered(t, "https://a.example/users/bob", 2)
		n.apply(t, ana, essaim.ForgetActor{Actor: ana})
		for query, want := range map[string]int{
			"SELECT count(*) FROM activity WHERE receiver = $1":                     0,
			"SELECT count(*) FROM activity WHERE receiver <> $1":                    1,
			"SELECT count(*) FROM delivery WHERE order_key LIKE '%' || $1":          0,
			"SELECT count(*) FROM delivery WHERE inbox LIKE '%bob%' OR inbox <> $1": 1,
		} {
			if got := one[int](t, n, query, ana); got != want {
				t.Errorf("%s = %d, want %d", query, got, want)
			}
		}
	})
}
