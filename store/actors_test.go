// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"essaim"
	"essaim/store/storetest"
)

func TestActorsAreRefreshedByAgeWhileTheyHaveSomethingHere(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		const passer = "https://b.example/users/passer"
		n := newNode(t, db)
		stale := func(want ...string) {
			t.Helper()
			got, err := n.StaleActors(t.Context(), essaim.ActorAge, 10)
			if slices.Sort(got); err != nil || !slices.Equal(got, want) {
				t.Errorf("stale %v, %v; want %v", got, err, want)
			}
		}
		n.follow(t, territory, ana, anaInbox)
		if err := n.SaveRemoteActor(t.Context(), remote(passer, "Person", "", n.clock.now())); err != nil {
			t.Fatal(err)
		}
		stale()
		n.clock.pass(8 * 24 * time.Hour)
		stale(ana)
		stale() // claimed: tried again a day later
		n.clock.pass(25 * time.Hour)
		stale(ana)
		if err := n.SaveRemoteActor(t.Context(), remote(ana, "Person", anaInbox, n.clock.now())); err != nil {
			t.Fatal(err)
		}
		n.clock.pass(25 * time.Hour)
		stale()
		n.clock.pass(25 * 24 * time.Hour)
		stale(ana)
		if _, err := n.RemoteActor(t.Context(), passer); !errors.Is(err, essaim.ErrNotFound) {
			t.Errorf("one that has nothing here is kept: %v", err)
		}
	})
}

// One that is not known any more when it deletes itself is not looked for.
func TestWhoOnlyThankedIsKnownAsLongAsTheThanks(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		object := n.record(t, "jardin")
		const thanks, sent = "https://b.example/users/thanks", "https://b.example/users/sent"
		for _, who := range []string{thanks, sent} {
			if err := n.SaveRemoteActor(t.Context(), remote(who, "Person", "", n.clock.now())); err != nil {
				t.Fatal(err)
			}
		}
		n.apply(t, thanks, essaim.React{Kind: essaim.ReactionLike, ActivityID: "https://b.example/a/1", Actor: thanks, Object: object, At: n.clock.now()})
		n.apply(t, sent)
		n.raw(t, "UPDATE inbox SET raw = NULL WHERE actor = '"+thanks+"'")
		n.clock.pass(31 * 24 * time.Hour)
		if got, err := n.StaleActors(t.Context(), essaim.ActorAge, 10); err != nil || len(got) != 2 {
			t.Errorf("refreshed %v, %v; want who thanked, and whose bytes are kept", got, err)
		}
		n.raw(t, "UPDATE inbox SET raw = NULL")
		n.raw(t, "DELETE FROM reaction")
		n.clock.pass(31 * 24 * time.Hour)
		if got, err := n.StaleActors(t.Context(), essaim.ActorAge, 10); err != nil || len(got) != 0 {
			t.Errorf("refreshed %v, %v; want neither once nothing of them is here", got, err)
		}
	})
}

func TestAnActorIsForgottenTheSecondTimeItIsGone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		const node = "https://toulouse.example/actor"
		n := newNode(t, db)
		n.follow(t, territory, ana, anaInbox)
		n.follow(t, territory, node, "https://toulouse.example/inbox")
		if err := n.FollowPeer(t.Context(), essaim.Peer{Host: "toulouse.example", Actor: node}, essaim.Outgoing{ActivityID: brest + "/activities/f", Inbox: node + "/inbox", Body: []byte("{}")}); err != nil {
			t.Fatal(err)
		}
		lose := func(want ...string) {
			t.Helper()
			for _, id := range []string{ana, node} {
				if err := n.LoseActor(t.Context(), id); err != nil {
					t.Fatal(err)
				}
			}
			got, err := n.Followers(t.Context(), territory, "", 10)
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("followers %v, %v; want %v", got, err, want)
			}
		}
		lose(ana, node)
		if a, err := n.RemoteActor(t.Context(), ana); err != nil || !a.Gone {
			t.Errorf("once gone: %+v, %v", a, err)
		}
		n.clock.pass(25 * time.Hour)
		if got, err := n.StaleActors(t.Context(), essaim.ActorAge, 10); err != nil || !slices.Contains(got, ana) {
			t.Errorf("asked again a day later: %v, %v", got, err)
		}
		lose(node) // a node that we follow stays, whatever its home says
	})
}

func TestAFollowerIsWrittenToWhereItsDocumentSays(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		n.follow(t, territory, ana, anaInbox)
		n.clock.pass(time.Second)
		n.apply(t, ana, essaim.SaveActor{Actor: remote(ana, "Person", "https://a.example/shared", n.clock.now())})
		n.publish(t, "Create", "1", "o")
		n.dispatch(t)
		if got := n.take(t, "a.example", 10); len(got) != 1 || got[0].Inbox != "https://a.example/shared" {
			t.Errorf("deliveries %v", got)
		}
	})
}
