// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"essaim"
	"essaim/store/storetest"
)

const (
	ana      = "https://a.example/users/ana"
	anaInbox = "https://a.example/inbox"
)

func remote(id, kind, inbox string, at time.Time) essaim.RemoteActor {
	return essaim.RemoteActor{ID: id, Type: kind, Username: "ana", Inbox: id + "/inbox", SharedInbox: inbox, FetchedAt: at, Document: []byte("{}")}
}

func accept(id string) essaim.Outgoing {
	return essaim.Outgoing{ActivityID: brest + "/activities/" + id, Actor: territory, Inbox: anaInbox, OrderKey: territory + " " + ana, Body: []byte(id)}
}

func TestAFollowIsCountedOnceAndAcceptedEachTime(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		for i, id := range []string{"accept1", "accept2"} {
			got := n.apply(t, ana, essaim.AddFollower{Local: territory, Follower: remote(ana, "Person", anaInbox, n.clock.now()), FollowID: fmt.Sprint("follow", i), Accept: accept(id)})
			if got.State != essaim.InboundApplied {
				t.Errorf("follow is %s: %s", got.State, got.Reason)
			}
			claimed := n.take(t, "a.example", 10)
			if got := sent(claimed); !slices.Equal(got, []string{id}) || claimed[0].Inbox != anaInbox {
				t.Errorf("claimed %v, want %s to the shared inbox", claimed, id)
			}
			n.finish(t, done(claimed[0]))
		}
		if got, err := n.Followers(t.Context(), territory, "", 10); err != nil || !slices.Equal(got, []string{ana}) {
			t.Errorf("followers = %v, %v", got, err)
		}
		if a, err := n.RemoteActor(t.Context(), ana); err != nil || a.SharedInbox != anaInbox {
			t.Errorf("cached actor = %+v, %v", a, err)
		}
		// An Undo of a follow that another one replaced changes nothing.
		if got := n.apply(t, ana, essaim.RemoveFollower{Local: territory, Follower: ana, FollowID: "follow0"}); got.State != essaim.InboundIgnored {
			t.Errorf("undo of the first follow is %s", got.State)
		}
		n.apply(t, ana, essaim.RemoveFollower{Follower: ana, FollowID: "follow1"})
		if c, err := n.Counts(t.Context(), territory); err != nil || c.Followers != 0 {
			t.Errorf("followers after the undo = %+v, %v", c, err)
		}
	})
}

func TestAPendingFollowWaitsForAnAdministrator(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		n.apply(t, ana, essaim.AddFollower{Local: nodeActor, Follower: remote(ana, "Application", anaInbox, n.clock.now()), FollowID: "follow", Accept: accept("early"), Pending: true})
		if got := n.take(t, "a.example", 10); len(got) != 0 {
			t.Errorf("sent %v before the decision", sent(got))
		}
		waiting, err := n.PendingFollows(t.Context(), 10)
		if err != nil || len(waiting) != 1 || waiting[0].Follower != ana || waiting[0].FollowID != "follow" {
			t.Fatalf("pending = %+v, %v", waiting, err)
		}
		n.publish(t, "Create", "1", "o")
		n.dispatch(t)
		if err := n.AnswerFollow(t.Context(), waiting[0], true, accept("accept")); err != nil {
			t.Fatal(err)
		}
		if got := sent(n.take(t, "a.example", 10)); !slices.Equal(got, []string{"accept"}) {
			t.Errorf("sent %v, want the Accept and nothing from before it", got)
		}
		if err := n.AnswerFollow(t.Context(), waiting[0], true, accept("twice")); !errors.Is(err, essaim.ErrNotFound) {
			t.Errorf("answered twice: %v", err)
		}
	})
}

func TestReactionsCountOncePerActorAndAreUndone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		object := n.record(t, "jardin")
		like := func(actor, id string) essaim.React {
			return essaim.React{Kind: essaim.ReactionLike, ActivityID: id, Actor: actor, Object: object, At: n.clock.now()}
		}
		count := func(want int) {
			t.Helper()
			if got, err := n.Reactions(t.Context(), object, essaim.ReactionLike); err != nil || got != want {
				t.Errorf("likes = %d, %v; want %d", got, err, want)
			}
		}
		n.apply(t, ana, like(ana, "l1"))
		if got := n.apply(t, ana, like(ana, "l2")); got.State != essaim.InboundIgnored || got.Reason == "" {
			t.Errorf("second like is %s (%s), want ignored with a reason", got.State, got.Reason)
		}
		n.apply(t, ana+"2", like(ana+"2", "l3"))
		count(2)
		n.apply(t, ana+"2", essaim.Unreact{ActivityID: "l1", Actor: ana + "2"})
		count(2) // not hers to undo
		n.apply(t, ana, essaim.Unreact{ActivityID: "l1", Actor: ana})
		count(1)
		n.apply(t, ana+"2", essaim.Unreact{Kind: essaim.ReactionLike, ActivityID: "unknown", Actor: ana + "2", Object: object})
		count(0)
		if got := n.apply(t, ana, essaim.React{Kind: essaim.ReactionLike, ActivityID: "l4", Actor: ana, Object: brest + "/objects/none"}); got.State != essaim.InboundIgnored {
			t.Errorf("like of nothing is %s", got.State)
		}
	})
}

func comment(id, to string, at time.Time) essaim.HoldComment {
	return essaim.HoldComment{ID: id, Actor: ana, InReplyTo: to, Content: "<p>" + id + "</p>", Excerpt: id, Published: at, Updated: at}
}

func TestCommentsAreHeldAndErasedForGood(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		object := n.record(t, "jardin")
		first, second := "https://a.example/notes/1", "https://a.example/notes/2"
		at := n.clock.now()
		n.apply(t, ana, comment(first, object, at))
		n.apply(t, ana, comment(second, first, at))
		if got := n.apply(t, ana, comment("https://a.example/notes/3", "https://a.example/notes/none", at)); got.State != essaim.InboundIgnored {
			t.Errorf("reply to nothing of ours is %s", got.State)
		}
		n.decide(t, n.item(t, first), essaim.ItemAccept)
		if c, _ := n.Counts(t.Context(), nodeActor); c.Comments != 1 {
			t.Errorf("%d comments counted, want the one that is shown", c.Comments)
		}
		if got := n.apply(t, ana, comment(first, object, at)); got.State != essaim.InboundIgnored {
			t.Errorf("the same version again is %s", got.State)
		}
		n.apply(t, ana, comment(first, object, at.Add(time.Minute)))
		if got := n.item(t, first).State; got != essaim.ItemHeld {
			t.Errorf("a changed comment is %s, want held again", got)
		}
		other := comment(first, object, at.Add(time.Hour))
		other.Actor = "https://evil.example/u"
		if got := n.apply(t, other.Actor, other); got.State != essaim.InboundIgnored {
			t.Errorf("a change by another is %s", got.State)
		}
		if got := n.apply(t, "https://evil.example/u", essaim.EraseComment{ID: first, Actor: "https://evil.example/u"}); got.State != essaim.InboundIgnored {
			t.Errorf("a deletion by another is %s", got.State)
		}
		n.apply(t, ana, essaim.EraseComment{ID: first, Actor: ana})
		if got := n.apply(t, ana, comment(first, object, at.Add(2*time.Hour))); got.State != essaim.InboundIgnored {
			t.Errorf("a late version of an erased comment is %s", got.State)
		}
		if got := one[int](t, n, "SELECT count(*) FROM inbox WHERE object = $1 AND raw IS NOT NULL", first); got != 0 {
			t.Errorf("%d received copies of an erased comment are kept", got)
		}
		if got := one[int](t, n, "SELECT count(*) FROM comment"); got != 1 {
			t.Errorf("%d comments left, want the other one", got)
		}
	})
}

func TestAnActorThatDeletesItselfIsForgotten(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		object := n.record(t, "jardin")
		actor := remote(ana, "Person", "", n.clock.now())
		actor.Keys = []essaim.PublicKey{{ID: ana + "#main-key", PEM: "pem"}}
		n.apply(t, ana, essaim.AddFollower{Local: territory, Follower: actor, FollowID: "f"})
		n.apply(t, ana, essaim.React{Kind: essaim.ReactionAnnounce, ActivityID: "b", Actor: ana, Object: object, At: n.clock.now()})
		n.apply(t, ana, comment("https://a.example/notes/1", object, n.clock.now()))
		n.publish(t, "Create", "1", "o")
		n.dispatch(t)
		n.receive(t, "https://a.example/waiting", ana)
		n.receive(t, "https://b.example/other", "https://b.example/u")
		n.raw(t, "UPDATE inbox SET next_at = $1 WHERE activity_id IN ('https://a.example/waiting', 'https://b.example/other')", n.clock.now().Add(time.Hour).UnixMicro())
		n.apply(t, ana, essaim.ForgetActor{Actor: ana})
		for _, table := range []string{"follower", "reaction", "comment", "actor", "actor_key"} {
			if got := one[int](t, n, "SELECT count(*) FROM "+table); got != 0 {
				t.Errorf("%d rows left in %s", got, table)
			}
		}
		if got := one[int](t, n, "SELECT count(*) FROM inbox WHERE raw IS NOT NULL"); got != 1 {
			t.Errorf("%d received copies left, want the other actor's", got)
		}
		if got := n.inbound(t, "https://a.example/waiting").State; got != essaim.InboundIgnored {
			t.Errorf("what waited of it is %s", got)
		}
		if got := n.take(t, "a.example", 10); len(got) != 0 {
			t.Errorf("sent %v to it", sent(got))
		}
		if got := one[int](t, n, "SELECT count(*) FROM tombstone WHERE id = 'https://a.example/notes/1'"); got != 1 {
			t.Error("its comment left no tombstone")
		}
	})
}

func TestAnOlderCopyOfAnActorChangesNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		if _, err := n.RemoteActor(t.Context(), ana); !errors.Is(err, essaim.ErrNotFound) {
			t.Errorf("actor never fetched: %v", err)
		}
		at := n.clock.now()
		save := func(at time.Time, name string, keys ...essaim.PublicKey) {
			t.Helper()
			a := remote(ana, "Person", anaInbox, at)
			a.Name, a.Keys = name, keys
			if err := n.SaveRemoteActor(t.Context(), a); err != nil {
				t.Fatal(err)
			}
		}
		key := func(name string) essaim.PublicKey {
			return essaim.PublicKey{ID: ana + "#" + name, PEM: "pem of " + name}
		}
		save(at, "first", key("old"), key("kept"))
		save(at.Add(time.Hour), "second", key("kept"), key("new"))
		save(at.Add(time.Minute), "late", key("old"))
		a, err := n.RemoteActor(t.Context(), ana)
		if err != nil || a.Name != "second" || !slices.Equal(a.Keys, []essaim.PublicKey{key("kept"), key("new")}) || !a.FetchedAt.Equal(at.Add(time.Hour)) {
			t.Errorf("actor = %+v, %v", a, err)
		}
		if a, err := n.RemoteActorByKey(t.Context(), ana+"#new"); err != nil || a.ID != ana {
			t.Errorf("by its new key: %+v, %v", a, err)
		}
		if _, err := n.RemoteActorByKey(t.Context(), ana+"#old"); !errors.Is(err, essaim.ErrNotFound) {
			t.Errorf("by the key that it no longer lists: %v", err)
		}
		// A document that lists another actor's key does not get it.
		thief := remote("https://evil.example/u", "Person", "", at)
		thief.Keys = []essaim.PublicKey{{ID: ana + "#new", PEM: "stolen"}}
		if err := n.SaveRemoteActor(t.Context(), thief); err != nil {
			t.Fatal(err)
		}
		if a, _ := n.RemoteActorByKey(t.Context(), ana+"#new"); a.ID != ana || a.Keys[1].PEM != "pem of new" {
			t.Errorf("the key now belongs to %+v", a)
		}
	})
}

func TestAPeerIsFollowedRefusedAndLeft(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		p := essaim.Peer{
			Host: "toulouse.example", Actor: "https://toulouse.example/actor", Territory: "https://toulouse.example/actors/toulouse",
			TerritoryName: "Toulouse", Inbox: "https://toulouse.example/inbox", FollowID: brest + "/activities/follow",
		}
		follow := essaim.Outgoing{ActivityID: p.FollowID, Actor: nodeActor, Inbox: p.Inbox, OrderKey: "k", Body: []byte("follow")}
		if err := n.FollowPeer(t.Context(), p, follow); err != nil {
			t.Fatal(err)
		}
		state := func(want essaim.PeerState) essaim.Peer {
			t.Helper()
			got, err := n.Peer(t.Context(), p.Host)
			if err != nil || got.State != want {
				t.Errorf("peer = %+v, %v; want it %s", got, err, want)
			}
			return got
		}
		if got := state(essaim.PeerRequested); got.Waiting != 1 {
			t.Errorf("%d deliveries wait, want the Follow", got.Waiting)
		}
		n.apply(t, "https://evil.example/actor", essaim.PeerAnswer{FollowID: p.FollowID, Actor: "https://evil.example/actor", Accepted: true})
		state(essaim.PeerRequested)
		n.apply(t, p.Actor, essaim.PeerAnswer{FollowID: p.FollowID, Actor: p.Actor, Accepted: true})
		if got := state(essaim.PeerFollowed); !got.FollowedAt.Equal(n.clock.now()) || got.FollowsUs {
			t.Errorf("peer = %+v", got)
		}
		n.apply(t, p.Actor, essaim.AddFollower{Local: nodeActor, Follower: remote(p.Actor, "Application", p.Inbox, n.clock.now()), FollowID: "back"})
		n.apply(t, "https://lyon.example/actor", essaim.AddFollower{Local: nodeActor, Follower: remote("https://lyon.example/actor", "Application", "", n.clock.now()), FollowID: "f"})
		peers, err := n.Peers(t.Context())
		if err != nil || len(peers) != 2 || peers[0].State != essaim.PeerKnown || !peers[0].FollowsUs || !peers[1].FollowsUs {
			t.Errorf("peers = %+v, %v; want lyon.example known and toulouse.example followed, both following us", peers, err)
		}
		if c, _ := n.Counts(t.Context(), nodeActor); c.Following != 1 || c.Followers != 2 {
			t.Errorf("counts = %+v", c)
		}
		n.apply(t, p.Actor, essaim.PeerAnswer{FollowID: p.FollowID, Actor: p.Actor, Accepted: false})
		state(essaim.PeerRefused)
		undo := essaim.Outgoing{ActivityID: brest + "/activities/undo", Actor: nodeActor, Inbox: p.Inbox, OrderKey: "k", Body: []byte("undo")}
		if err := n.UnfollowPeer(t.Context(), p.Host, undo); err != nil {
			t.Fatal(err)
		}
		state(essaim.PeerKnown) // it follows us
		first := n.take(t, p.Host, 10)
		if got := sent(first); !slices.Equal(got, []string{"follow"}) {
			t.Fatalf("claimed %v, want the Follow before its Undo", got)
		}
		n.finish(t, done(first[0]))
		if got := sent(n.take(t, p.Host, 10)); !slices.Equal(got, []string{"undo"}) {
			t.Errorf("claimed %v, want the Undo", got)
		}
		if err := n.UnfollowPeer(t.Context(), "none.example", undo); !errors.Is(err, essaim.ErrNotFound) {
			t.Errorf("unfollow of nobody: %v", err)
		}
	})
}

func TestABlockedPeerIsNeitherFollowedNorServed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		p := essaim.Peer{Host: "a.example", Actor: ana, Inbox: anaInbox, FollowID: "f"}
		follow := essaim.Outgoing{ActivityID: "f", Actor: nodeActor, Inbox: anaInbox, OrderKey: "k", Body: []byte("follow")}
		if err := n.FollowPeer(t.Context(), p, follow); err != nil {
			t.Fatal(err)
		}
		n.follow(t, nodeActor, ana, anaInbox)
		n.publish(t, "Create", "1", "o")
		n.dispatch(t)
		if _, err := n.AddMeasure(t.Context(), essaim.Measure{Scope: essaim.MeasureHost, Value: "a.example", Level: essaim.LevelBlock}, 0); err != nil {
			t.Fatal(err)
		}
		if got, err := n.Peer(t.Context(), "a.example"); err != nil || got.State != essaim.PeerBlocked || got.Waiting != 0 || got.FollowsUs {
			t.Errorf("peer = %+v, %v", got, err)
		}
		follow.ActivityID = "g"
		if err := n.FollowPeer(t.Context(), p, follow); !errors.Is(err, essaim.ErrForbidden) {
			t.Errorf("follow of a blocked peer: %v", err)
		}
		if _, err := n.LiftMeasure(t.Context(), essaim.Measure{Scope: essaim.MeasureHost, Value: "a.example"}, 0); err != nil {
			t.Fatal(err)
		}
		if err := n.FollowPeer(t.Context(), p, follow); err != nil {
			t.Errorf("follow after the block: %v", err)
		}
	})
}
