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

func TestAFollowedAccountThatMovedIsFollowedWhereItWent(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		const next = "https://b.example/users/ana"
		n := newNode(t, db)
		out := func(id, inbox string) essaim.Outgoing {
			return essaim.Outgoing{ActivityID: brest + "/activities/" + id, Actor: nodeActor, Inbox: inbox, OrderKey: id, Body: []byte("{}")}
		}
		if err := n.FollowAccount(t.Context(), essaim.Followed{Actor: ana, Handle: "ana@a.example", Inbox: ana + "/inbox", FollowID: "1", Agreed: "cc-by-sa-4.0"}, "she wrote", out("follow1", ana+"/inbox")); err != nil {
			t.Fatal(err)
		}
		n.apply(t, ana, essaim.PeerAnswer{FollowID: "1", Actor: ana, Accepted: true})
		n.apply(t, ana, essaim.Moved{Actor: ana, Target: remote(next, "Person", "", n.clock.now()), Follow: out("follow2", next+"/inbox"), Undo: out("undo", ana+"/inbox")})
		all, err := n.FollowedAccounts(t.Context())
		if err != nil || len(all) != 1 || all[0].Actor != next || all[0].Handle != "ana@b.example" || all[0].State != essaim.PeerRequested || all[0].Agreed != "" || all[0].FollowID != brest+"/activities/follow2" {
			t.Errorf("followed %+v, %v", all, err)
		}
		if got := sent(n.take(t, "b.example", 10)); !slices.Equal(got, []string{"follow2"}) {
			t.Errorf("sent %v to the new one", got)
		}
		if got := sent(n.take(t, "a.example", 10)); !slices.Equal(got, []string{"follow1", "undo"}) {
			t.Errorf("sent %v to the old one", got)
		}
	})
}
