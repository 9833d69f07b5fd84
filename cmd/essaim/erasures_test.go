// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"crypto/ed25519"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/federation/fedtest"
	"essaim/federation/proof"
	"essaim/federation/vocab"
	"essaim/store/storetest"
)

// anotherKey gives the first node of a pair another key, introduced by the one that
// it has or, as a thief's, by none. What it published is not signed again.
func (p *pair) anotherKey(t testing.TB, name string, introduced bool) {
	t.Helper()
	n, ctx := p.brest, t.Context()
	next := fedtest.Ed25519(name)
	if introduced {
		node, err := n.Node(ctx)
		if err != nil {
			t.Fatal(err)
		}
		r, err := vocab.New(vocab.Config{Node: node, Ed25519: n.keys.Ed25519, RSA: &n.keys.RSA.PublicKey, Now: n.now})
		if err != nil {
			t.Fatal(err)
		}
		change, err := r.Introduce(next.Public().(ed25519.PublicKey), n.now())
		if err == nil {
			err = n.RotateKeys(ctx, change, node.KeyFingerprint, name)
		}
		if err != nil {
			t.Fatal(err)
		}
		n.rotations = append(n.rotations, change)
	}
	n.keys.Ed25519, n.key = next, next.Public().(ed25519.PublicKey)
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	n.Store = p.origin.Open(t, n.config)
	n.serve(t, p.network)
}

// signAgain does what a node does in the background after a change of keys.
func (n *commonsNode) signAgain(t testing.TB) {
	t.Helper()
	err := n.Resign(t.Context(), n.server.Renderer().Resign)
	if err := errors.Join(err, n.RefreshCommons(t.Context())); err != nil {
		t.Fatal(err)
	}
}

func TestWhatANodeDeletesGoesAlsoWhereItIsFollowedNoMore(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		p := newPair(t, db)
		ctx := t.Context()
		ids, _ := p.published(t, 5)
		slug := "fiche-1"
		if err := p.brest.SetProfile(ctx, essaim.ActorName(essaim.ActorInitiative, slug), essaim.Profile{Summary: "Une équipe"}); err != nil {
			t.Fatal(err)
		}
		p.catchUp(t)
		team := p.brest.base + "/actors/" + essaim.ActorName(essaim.ActorInitiative, slug)
		line := func(id string) (n int) {
			t.Helper()
			if err := p.toulon.DB().QueryRowContext(ctx, "SELECT count(*) FROM commons WHERE id = $1 AND document IS NOT NULL", id).Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		if line(team) != 1 {
			t.Fatal("its team's actor is not held")
		}
		if err := p.toulon.server.UnfollowPeer(ctx, brestHost); err != nil {
			t.Fatal(err)
		}
		turn := func(d time.Duration) (paths []string) {
			t.Helper()
			p.pass(d)
			since := len(p.network.Log())
			p.replicas(t)
			paths, _ = p.asked(since)
			return paths
		}
		stands := func(id string) bool {
			_, err := p.toulon.Document(ctx, id)
			return err == nil
		}
		turn(2 * time.Hour)
		was, err := p.toulon.Record(ctx, ids[2])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.brest.UpdateRecord(ctx, ids[2], 0, storetest.Initiative("Revue"), essaim.StatePublished, storetest.Author); err != nil {
			t.Fatal(err)
		}
		for _, id := range ids[:2] {
			if err := p.brest.WithdrawRecord(ctx, id, storetest.Author); err != nil {
				t.Fatal(err)
			}
		}
		later := p.brest.publish(t, "Publiée depuis").ID
		if paths := turn(time.Hour); len(paths) > 0 {
			t.Errorf("it is asked twice a day: %v", paths)
		}
		turn(27 * time.Hour)
		for i, id := range ids {
			if stands(id) != (i > 1) {
				t.Errorf("record %d stands: %v", i, stands(id))
			}
		}
		if line(team) != 0 || stands(later) {
			t.Errorf("its team's actor is kept (%d), or more is taken than deletions (%v)", line(team), stands(later))
		}
		if is, err := p.toulon.Record(ctx, ids[2]); err != nil || is.Title != was.Title {
			t.Errorf("the copy became %q (%v)", is.Title, err)
		}
		if r, err := p.toulon.Record(ctx, ids[0]); err != nil || r.State != essaim.StateWithdrawn {
			t.Errorf("what was deleted is %s (%v)", r.State, err)
		}
		if broken, err := p.toulon.Check(ctx); err != nil || len(broken) > 0 {
			t.Errorf("broken: %v %v", broken, err)
		}
		if paths := turn(27 * time.Hour); len(paths) != 1 {
			t.Errorf("%v is asked where nothing changed", paths)
		}
		// Its key continues.
		p.anotherKey(t, "next.example", true)
		p.brest.signAgain(t)
		if err := p.brest.WithdrawRecord(ctx, ids[3], storetest.Author); err != nil {
			t.Fatal(err)
		}
		turn(27 * time.Hour)
		if trust, err := p.toulon.PeerTrust(ctx, brestHost); stands(ids[3]) || err != nil || trust.Current() != proof.EncodeMultikey(p.brest.key) {
			t.Errorf("by a key that the one before introduced: it stands %v, the key is %s (%v)", stands(ids[3]), trust.Current(), err)
		}
		// Whoever has its domain now deletes nothing.
		p.anotherKey(t, "thief.example", false)
		if err := p.brest.WithdrawRecord(ctx, ids[4], storetest.Author); err != nil {
			t.Fatal(err)
		}
		if status, _, _ := p.brest.get(t, ids[4], ""); status != http.StatusGone {
			t.Errorf("the thief answers %d", status)
		}
		if paths := turn(27 * time.Hour); len(paths) == 0 || !stands(ids[4]) {
			t.Errorf("by another key: it stands %v, asked %v", stands(ids[4]), paths)
		}
		if heads, err := p.toulon.Heads(ctx, brestHost, 1); err != nil || len(heads) != 1 || proof.Verify(heads[0].Document, p.brest.key) == nil {
			t.Errorf("its head is kept (%v)", err)
		}
	})
}

// Of a node that is blocked, followed until then or not, nothing is asked but what it
// deleted.
func TestWhatABlockedNodeDeletesGoesToo(t *testing.T) {
	t.Parallel()
	for _, removed := range []bool{false, true} {
		storetest.Each(t, func(t *testing.T, db storetest.DB) {
			p := newPairOn(t, db, storetest.SQLite(t))
			ctx := t.Context()
			ids, _ := p.published(t, 3)
			if removed {
				if err := p.toulon.server.UnfollowPeer(ctx, brestHost); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := p.toulon.AddMeasure(ctx, essaim.Measure{Scope: essaim.MeasureHost, Value: brestHost, Level: essaim.LevelBlock}, 0); err != nil {
				t.Fatal(err)
			}
			if err := p.brest.WithdrawRecord(ctx, ids[0], storetest.Author); err != nil {
				t.Fatal(err)
			}
			later := p.brest.publish(t, "Publiée depuis").ID
			since := len(p.network.Log())
			for range 2 {
				p.pass(27 * time.Hour)
				p.replicas(t)
			}
			for id, want := range map[string]bool{ids[0]: false, ids[1]: true, ids[2]: true, later: false} {
				if _, err := p.toulon.Document(ctx, id); (err == nil) != want {
					t.Errorf("removed before %v: %s stands: %v", removed, id, err)
				}
			}
			paths, _ := p.asked(since)
			for _, path := range paths {
				if !strings.HasPrefix(path, "/commons") {
					t.Errorf("removed before %v: a blocked node is asked for %s", removed, path)
				}
			}
			if len(paths) == 0 {
				t.Errorf("removed before %v: it is asked nothing", removed)
			}
			since = len(p.network.Log())
			_, err := p.toulon.server.FollowPeer(ctx, brestHost)
			if paths, _ := p.asked(since); err == nil || len(paths) > 0 {
				t.Errorf("removed before %v: it is asked for %v (%v)", removed, paths, err)
			}
		})
	}
}

// What was read for deletions alone is compared once it is followed anew.
func TestANodeThatIsFollowedAnewIsReadWhole(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		p := newPair(t, db)
		ctx := t.Context()
		ids, _ := p.published(t, 3)
		p.compare(t) // the next is a day away
		if err := p.toulon.server.UnfollowPeer(ctx, brestHost); err != nil {
			t.Fatal(err)
		}
		if _, err := p.brest.UpdateRecord(ctx, ids[0], 0, storetest.Initiative("Revue"), essaim.StatePublished, storetest.Author); err != nil {
			t.Fatal(err)
		}
		p.pass(2 * time.Hour)
		p.replicas(t)
		p.follow(t)
		p.replicas(t)
		if differ := p.differences(t); len(differ) > 0 {
			t.Errorf("%d differ: %v", len(differ), differ)
		}
	})
}
