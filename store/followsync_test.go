// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"errors"
	"slices"
	"testing"

	"essaim"
	"essaim/store/storetest"
)

func TestFollowersAreListedByHost(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		for _, id := range []string{"https://a.example/users/b", ana, "https://b.example/users/c"} {
			n.follow(t, territory, id, id+"/inbox")
		}
		n.follow(t, nodeActor, "https://a.example/actor", "https://a.example/inbox")
		for host, want := range map[string][]string{"a.example": {ana, "https://a.example/users/b"}, "b.example": {"https://b.example/users/c"}, "c.example": nil} {
			if got, err := n.FollowersAt(t.Context(), territory, host, 10); err != nil || !slices.Equal(got, want) {
				t.Errorf("%s: %v, %v; want %v", host, got, err, want)
			}
		}
		if got, err := n.FollowersAt(t.Context(), territory, "a.example", 1); err != nil || len(got) != 1 {
			t.Errorf("one at most: %v, %v", got, err)
		}
	})
}

func TestAFollowThatWasLostIsAskedAgain(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		const node, account = "https://toulouse.example/actor", "https://m.example/users/ana"
		n := newNode(t, db)
		out := func(id, inbox string) essaim.Outgoing {
			return essaim.Outgoing{ActivityID: id, Actor: nodeActor, Inbox: inbox, OrderKey: id, Body: []byte("{}")}
		}
		if err := n.FollowPeer(t.Context(), essaim.Peer{Host: "toulouse.example", Actor: node, Inbox: node + "/inbox", FollowID: "1"}, out("1", node+"/inbox")); err != nil {
			t.Fatal(err)
		}
		if err := n.FollowAccount(t.Context(), essaim.Followed{Actor: account, Handle: "ana@m.example", Inbox: account + "/inbox", FollowID: "2"}, "", out("2", account+"/inbox")); err != nil {
			t.Fatal(err)
		}
		if _, err := n.OurFollow(t.Context(), "https://toulouse.example/actors/other"); !errors.Is(err, essaim.ErrNotFound) {
			t.Errorf("another actor of its host: %v", err)
		}
		for id, actor := range map[string]string{"1": node, "2": account} {
			f, err := n.OurFollow(t.Context(), actor)
			if err != nil || f.FollowID != id || f.Inbox != actor+"/inbox" || f.State != essaim.PeerRequested {
				t.Errorf("%+v, %v", f, err)
			}
			f.FollowID = id + id
			if err := n.FollowLost(t.Context(), f, out(f.FollowID, f.Inbox)); err != nil {
				t.Fatal(err)
			}
			if f, _ := n.OurFollow(t.Context(), actor); f.FollowID != id {
				t.Error("a follow under way is asked again")
			}
			n.apply(t, actor, essaim.PeerAnswer{FollowID: id, Actor: actor, Accepted: true})
			if err := n.FollowLost(t.Context(), f, out(f.FollowID, f.Inbox)); err != nil {
				t.Fatal(err)
			}
			f, err = n.OurFollow(t.Context(), actor)
			if err != nil || f.FollowID != id+id || f.State != essaim.PeerRequested {
				t.Errorf("%+v, %v; want it asked again", f, err)
			}
			n.apply(t, actor, essaim.PeerAnswer{FollowID: id + id, Actor: actor, Accepted: true})
			if f, _ := n.OurFollow(t.Context(), actor); f.State != essaim.PeerFollowed {
				t.Errorf("accepted again: %+v", f)
			}
		}
		if got := one[int](t, n, "SELECT count(*) FROM delivery"); got != 4 {
			t.Errorf("%d deliveries, want each Follow twice", got)
		}
		if err := n.Send(t.Context(), "Undo", out(brest+"/activities/3", "https://c.example/inbox")); err != nil {
			t.Fatal(err)
		}
		if got := sent(n.take(t, "c.example", 10)); !slices.Equal(got, []string{"3"}) {
			t.Errorf("sent %v", got)
		}
	})
}
