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

// A person of a node that is replicated goes with her profile, whether she says so
// or her node by a tombstone that its key proves.
func TestAPersonElsewhereGoesWithHerProfile(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		const node, said = "https://toulouse.example/actor", "Profil de démonstration"
		n := followed(t, db)
		object := n.record(t, "jardin")
		left := func(id string) int {
			return one[int](t, n, "SELECT (SELECT count(*) FROM comment WHERE actor = $1) + (SELECT count(*) FROM reaction WHERE actor = $1) + (SELECT count(*) FROM follower WHERE remote = $1) + (SELECT count(*) FROM actor WHERE id = $1)", id)
		}
		arrives := func(name string) (id string) {
			id = "https://toulouse.example/actors/" + name
			a := remote(id, "Person", "https://toulouse.example/inbox", n.clock.now())
			a.Name, a.Document = said, []byte(`{"name":"`+said+`"}`)
			n.apply(t, id, essaim.SaveActor{Actor: a, CopyDigest: "d"})
			n.apply(t, id, essaim.AddFollower{Local: territory, Follower: a, FollowID: id + "#f"})
			n.apply(t, id, essaim.React{Kind: essaim.ReactionLike, ActivityID: id + "#l", Actor: id, Object: object, At: n.clock.now()})
			note := comment(id+"/notes/1", object, n.clock.now())
			note.Actor = id
			n.apply(t, id, note)
			if got := left(id); got != 4 {
				t.Fatalf("%s left %d things, want 4", name, got)
			}
			return id
		}
		tombstone := func(id string) essaim.Erase {
			return essaim.Erase{ID: id, Actor: toulouseTerritory, Tombstone: []byte("{}"), CopyDigest: "gone", OfActor: true, At: n.clock.now()}
		}

		id := arrives("unpinned")
		n.apply(t, toulouseTerritory, tombstone(id))
		if got := left(id); got != 4 {
			t.Errorf("a tombstone that no key proves left %d things", got)
		}
		if err := n.PinPeerKeys(t.Context(), toulouse, "", essaim.PeerKey{Key: "zA", How: essaim.KeyFirst}); err != nil {
			t.Fatal(err)
		}
		unproven := tombstone(id)
		unproven.CopyDigest = ""
		n.apply(t, toulouseTerritory, unproven)
		if got := left(id); got != 4 {
			t.Errorf("a tombstone without proof left %d things", got)
		}

		for _, c := range []struct {
			name string
			gone func(id string) essaim.Effect
		}{
			{"unpinned", func(id string) essaim.Effect { return tombstone(id) }}, // first: it is here already
			{"herself", func(id string) essaim.Effect { return essaim.ForgetActor{Actor: id} }},
			{"known", func(id string) essaim.Effect {
				e := tombstone(id)
				e.OfActor = false
				return e
			}},
			{"unknown", func(id string) essaim.Effect {
				n.raw(t, "DELETE FROM actor WHERE id = $1", id)
				return tombstone(id)
			}},
		} {
			name := c.name
			id := "https://toulouse.example/actors/" + name
			if name != "unpinned" {
				id = arrives(name)
			}
			n.apply(t, toulouseTerritory, c.gone(id))
			if got := left(id); got != 0 {
				t.Errorf("%s left %d things", name, got)
			}
			want := "tombstone gone"
			if name == "herself" {
				want = "tombstone "
			}
			if got := one[string](t, n, "SELECT sort || ' ' || digest FROM commons WHERE id = $1", id); got != want {
				t.Errorf("%s stands in the commons as %q, want %q", name, got, want)
			}
			if where := n.holding(t, said); len(where) > 0 {
				t.Errorf("%s: %q is still in %v", name, said, where)
			}
		}

		n.apply(t, node, essaim.SaveActor{Actor: remote(node, "Application", "https://toulouse.example/inbox", n.clock.now())})
		n.apply(t, toulouseTerritory, tombstone(node))
		if got := left(node); got != 1 {
			t.Errorf("of the node itself %d things are left", got)
		}
	})
}
