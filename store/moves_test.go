// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"slices"
	"testing"
	"time"

	"essaim"
	"essaim/store/storetest"
)

func TestWhoMovedFollowsOnceUnderTheNewAccount(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		const next, third = "https://b.example/users/ana", "https://c.example/users/ana"
		n := newNode(t, db)
		followers := func(want ...string) {
			t.Helper()
			got, err := n.Followers(t.Context(), territory, "", 10)
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("followers %v, %v; want %v", got, err, want)
			}
		}
		moves := func(from, to string) essaim.InboundState {
			return n.apply(t, from, essaim.Moved{Actor: from, Target: remote(to, "Person", "", n.clock.now())}).State
		}
		n.follow(t, territory, ana, anaInbox)
		n.follow(t, nodeActor, ana, anaInbox)
		if got := moves(ana, next); got != essaim.InboundApplied {
			t.Errorf("the move is %s", got)
		}
		followers(ana) // nobody follows in another's name
		n.follow(t, territory, next, next+"/inbox")
		followers(next)
		if c, err := n.Counts(t.Context(), nodeActor); err != nil || c.Followers != 1 {
			t.Errorf("the old account's other follow: %+v, %v", c, err)
		}
		if got := moves(ana, third); got != essaim.InboundIgnored {
			t.Errorf("a second move within the week is %s", got)
		}
		n.follow(t, territory, third, third+"/inbox")
		followers(next, third)
		n.clock.pass(8 * 24 * time.Hour)
		moves(next, third) // it follows already
		followers(third)
		moves(third, next) // and back: nothing turns in a circle
		n.follow(t, territory, next, next+"/inbox")
		followers(next)
		n.apply(t, ana, essaim.ForgetActor{Actor: ana})
		if got := one[int](t, n, "SELECT count(*) FROM moved WHERE actor = $1", ana); got != 0 {
			t.Error("the move outlives its actor")
		}
	})
}
