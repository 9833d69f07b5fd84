// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"errors"
	"slices"
	"testing"

	"essaim"
	"essaim/store/storetest"
)

// keysOf lists the pinned keys of a host, those that are retired marked.
func keysOf(t *testing.T, n *node, host string) (keys []string, offered string) {
	t.Helper()
	known, err := n.PeerTrust(t.Context(), host)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range known.Keys {
		name := k.Key + " " + string(k.How)
		if !k.Until.IsZero() {
			name += " retired"
		}
		keys = append(keys, name)
	}
	return keys, known.Offered
}

// fail leaves an activity that came to nothing, with the reason, and returns its
// row.
func (n *node) fail(t *testing.T, actor, reason string) int64 {
	t.Helper()
	n.receive(t, "https://elsewhere.example/activities/"+reason, actor)
	claimed := n.claim(t, 1)
	if len(claimed) != 1 {
		t.Fatalf("claimed %v", claimed)
	}
	in := claimed[0]
	for _, err := range n.Apply(t.Context(), []essaim.Applied{{ID: in.ID, Attempt: in.Attempt, State: essaim.InboundFailed, Reason: reason}}) {
		if err != nil {
			t.Fatal(err)
		}
	}
	return in.ID
}

func TestKeysOfAPeerAreKeptInTheirOrder(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := followed(t, db)
		pin := func(after string, keys ...essaim.PeerKey) error {
			return n.PinPeerKeys(t.Context(), toulouse, after, keys...)
		}
		if err := pin("", essaim.PeerKey{Key: "zA", How: essaim.KeyFirst}); err != nil {
			t.Fatal(err)
		}
		if err := pin("", essaim.PeerKey{Key: "zX", How: essaim.KeyFirst}); !errors.Is(err, essaim.ErrConflict) {
			t.Errorf("a second first key: %v", err)
		}
		if err := pin("zA", essaim.PeerKey{Key: "zC", How: essaim.KeyContinued, Statement: []byte("a→c")}, essaim.PeerKey{Key: "zB", How: essaim.KeyContinued}); err != nil {
			t.Fatal(err)
		}
		if err := pin("zC", essaim.PeerKey{Key: "zX", How: essaim.KeyContinued}); !errors.Is(err, essaim.ErrConflict) {
			t.Errorf("after a retired key: %v", err)
		}
		want := []string{"zA first retired", "zC continued retired", "zB continued"}
		if got, offered := keysOf(t, n, toulouse); !slices.Equal(got, want) || offered != "" {
			t.Errorf("keys are %q, offered %q; want %q", got, offered, want)
		}
		known, err := n.PeerTrust(t.Context(), toulouse)
		if err != nil || known.Actor != "https://toulouse.example/actor" || known.Current() != "zB" || string(known.Keys[1].Statement) != "a→c" {
			t.Errorf("got %+v, %v", known, err)
		}
		if known, err := n.PeerTrust(t.Context(), "lille.example"); err != nil || known.Actor != "" || known.Current() != "" {
			t.Errorf("a stranger has %+v, %v", known, err)
		}
		p, err := n.Peer(t.Context(), toulouse)
		if err != nil || p.Key != "zB" || p.OfferedKey != "" || !p.ContestedAt.IsZero() {
			t.Errorf("peer = %+v, %v", p, err)
		}
		// What is known outlives the follow.
		if err := n.UnfollowPeer(t.Context(), toulouse, essaim.Outgoing{}); err != nil {
			t.Fatal(err)
		}
		if known, err := n.PeerTrust(t.Context(), toulouse); err != nil || known.Actor != "" || known.Current() != "zB" {
			t.Errorf("followed no more: %+v, %v", known, err)
		}
	})
}

func TestTheFirstKeyIsPinnedWithTheFollow(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		for _, key := range []string{"zA", "zB"} {
			p := essaim.Peer{Host: toulouse, Actor: "https://toulouse.example/actor", Inbox: "https://toulouse.example/inbox", FollowID: brest + "/activities/" + key, Key: key}
			if err := n.FollowPeer(t.Context(), p, essaim.Outgoing{ActivityID: p.FollowID, Actor: nodeActor, Inbox: p.Inbox, OrderKey: "k", Body: []byte("follow")}); err != nil {
				t.Fatal(err)
			}
			if got, _ := keysOf(t, n, toulouse); !slices.Equal(got, []string{"zA first"}) {
				t.Errorf("after a follow with %s: keys are %q", key, got)
			}
		}
	})
}

func TestAnAdministratorDecidesAboutAContestedKey(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := followed(t, db)
		if err := n.ContestPeer(t.Context(), toulouse, "zX"); err != nil {
			t.Fatal(err)
		}
		if _, offered := keysOf(t, n, toulouse); offered != "" {
			t.Errorf("a host without pinned keys is contested by %q", offered)
		}
		if err := n.PinPeerKeys(t.Context(), toulouse, "", essaim.PeerKey{Key: "zA", How: essaim.KeyFirst}); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"zX", "zX", "zY"} {
			if err := n.ContestPeer(t.Context(), toulouse, key); err != nil {
				t.Fatal(err)
			}
		}
		p, err := n.Peer(t.Context(), toulouse)
		if err != nil || p.Key != "zA" || p.OfferedKey != "zY" || p.ContestedAt.IsZero() || p.State != essaim.PeerFollowed {
			t.Errorf("peer = %+v, %v; want contested by zY", p, err)
		}
		if all, err := n.Peers(t.Context()); err != nil || len(all) != 1 || all[0].OfferedKey != "zY" {
			t.Errorf("peers = %+v, %v", all, err)
		}
		if st, err := n.Standing(t.Context(), toulouseTerritory); err != nil || st.Listed {
			t.Errorf("a contested peer has standing %+v, %v", st, err)
		}
		kept := n.fail(t, toulouseTerritory, "contested: its key is another")
		other := n.fail(t, toulouseTerritory, "broken")
		if err := n.TrustPeer(t.Context(), toulouse, "zZ"); !errors.Is(err, essaim.ErrInvalid) {
			t.Errorf("trust in a third key: %v", err)
		}
		if err := n.TrustPeer(t.Context(), toulouse, "zY"); err != nil {
			t.Fatal(err)
		}
		if got, offered := keysOf(t, n, toulouse); !slices.Equal(got, []string{"zA first retired", "zY trusted"}) || offered != "" {
			t.Errorf("keys are %q, offered %q", got, offered)
		}
		for id, want := range map[int64]string{kept: "waiting", other: "failed"} {
			if got := one[string](t, n, "SELECT state FROM inbox WHERE id = $1", id); got != want {
				t.Errorf("activity %d is %s, want %s", id, got, want)
			}
		}
		if st, err := n.Standing(t.Context(), toulouseTerritory); err != nil || !st.Listed {
			t.Errorf("settled, it has standing %+v, %v", st, err)
		}
		if err := n.TrustPeer(t.Context(), toulouse, "zA"); !errors.Is(err, essaim.ErrConflict) {
			t.Errorf("trust without a contest: %v", err)
		}
		// The old key again: first contested, then trusted, or the present one kept.
		for _, trusted := range []string{"zY", "zA"} {
			if err := n.ContestPeer(t.Context(), toulouse, "zA"); err != nil {
				t.Fatal(err)
			}
			if err := n.TrustPeer(t.Context(), toulouse, trusted); err != nil {
				t.Fatal(err)
			}
			if known, err := n.PeerTrust(t.Context(), toulouse); err != nil || known.Current() != trusted || known.Contested() {
				t.Errorf("%s trusted: %+v, %v", trusted, known, err)
			}
		}
	})
}

func TestWhatAnAdministratorRefusedStaysRefused(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := followed(t, db)
		if err := n.PinPeerKeys(t.Context(), toulouse, "", essaim.PeerKey{Key: "zA", How: essaim.KeyFirst}); err != nil {
			t.Fatal(err)
		}
		contest := func(key string) essaim.PeerTrust {
			t.Helper()
			if err := n.ContestPeer(t.Context(), toulouse, key); err != nil {
				t.Fatal(err)
			}
			known, err := n.PeerTrust(t.Context(), toulouse)
			if err != nil {
				t.Fatal(err)
			}
			return known
		}
		for _, key := range []string{"zX", ""} {
			if known := contest(key); !known.Contested() || known.Offered != key {
				t.Errorf("before: %+v", known)
			}
			if err := n.TrustPeer(t.Context(), toulouse, "zA"); err != nil {
				t.Fatal(err)
			}
			if known := contest(key); known.Contested() || known.Current() != "zA" || !slices.Contains(known.Refused, key) {
				t.Errorf("refused: %+v", known)
			}
		}
		if p, err := n.Peer(t.Context(), toulouse); err != nil || p.Key != "zA" || !p.ContestedAt.IsZero() {
			t.Errorf("peer = %+v, %v", p, err)
		}
		if known := contest("zY"); known.Offered != "zY" {
			t.Errorf("a third key: %+v", known)
		}
		// A refusal may have been an error.
		if err := n.TrustPeer(t.Context(), toulouse, "zX"); err != nil {
			t.Fatal(err)
		}
		known, err := n.PeerTrust(t.Context(), toulouse)
		if err != nil || known.Current() != "zX" || known.Contested() || slices.Contains(known.Refused, "zX") {
			t.Errorf("trusted after all: %+v, %v", known, err)
		}
	})
}

func TestAFormerPeerIsContestedNoMoreAndItsKeysCanBeForgotten(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := followed(t, db)
		v := version("jardin", 10, 1)
		n.apply(t, toulouseTerritory, v)
		if err := n.PinPeerKeys(t.Context(), toulouse, "", essaim.PeerKey{Key: "zA", How: essaim.KeyFirst}); err != nil {
			t.Fatal(err)
		}
		if err := n.ContestPeer(t.Context(), toulouse, "zX"); err != nil {
			t.Fatal(err)
		}
		kept := n.fail(t, toulouseTerritory, "contested: of a peer")
		if err := n.ForgetPeerKeys(t.Context(), toulouse); !errors.Is(err, essaim.ErrConflict) {
			t.Errorf("of a node that is followed: %v", err)
		}
		if err := n.UnfollowPeer(t.Context(), toulouse, essaim.Outgoing{}); err != nil {
			t.Fatal(err)
		}
		if err := n.ContestPeer(t.Context(), toulouse, "zY"); err != nil {
			t.Fatal(err)
		}
		if keys, offered := keysOf(t, n, toulouse); !slices.Equal(keys, []string{"zA first"}) || offered != "" {
			t.Errorf("followed no more: keys %q, offered %q", keys, offered)
		}
		for id, want := range map[string]bool{v.Record.ID: true, "https://toulouse.example/users/ana": false, n.record(t, "ours"): false} {
			if got, err := n.KeepsCopy(t.Context(), id); err != nil || got != want {
				t.Errorf("a copy of %s: %v, %v; want %v", id, got, err, want)
			}
		}
		state := func(id int64) string { return one[string](t, n, "SELECT state FROM inbox WHERE id = $1", id) }
		if got := state(kept); got != "waiting" {
			t.Errorf("what was kept of it is %s", got)
		}
		for _, in := range n.claim(t, 10) {
			n.Apply(t.Context(), []essaim.Applied{{ID: in.ID, Attempt: in.Attempt, State: essaim.InboundFailed, Reason: "contested: about a copy"}})
		}
		if err := n.ForgetPeerKeys(t.Context(), toulouse); err != nil {
			t.Fatal(err)
		}
		if keys, _ := keysOf(t, n, toulouse); len(keys) != 0 || state(kept) != "waiting" {
			t.Errorf("forgotten: keys %q, what was kept is %s", keys, state(kept))
		}
		if err := n.ForgetPeerKeys(t.Context(), toulouse); !errors.Is(err, essaim.ErrNotFound) {
			t.Errorf("forgotten twice: %v", err)
		}
	})
}
