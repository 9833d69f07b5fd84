// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"errors"
	"net/http"
	"testing"
	"time"

	"essaim"
	"essaim/federation/proof"
	"essaim/federation/vocab"
	"essaim/store/storetest"
)

func TestANodeSaidToBeGoneIsItselfOnlyByItsKey(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		p := newPair(t, db)
		ctx := t.Context()
		rec := p.brest.publish(t, "Une")
		p.follow(t)
		p.catchUp(t)
		copied, err := p.toulon.Document(ctx, rec.ID)
		if err != nil {
			t.Fatal(err)
		}
		last, err := p.toulon.Heads(ctx, brestHost, 1)
		if err != nil || len(last) != 1 {
			t.Fatal(err)
		}
		p.toulon.moved.Add(int64(30 * 24 * time.Hour))
		p.brest.moved.Add(int64(30 * 24 * time.Hour))
		gone := storetest.Start.Add(30 * 24 * time.Hour)
		if err := p.toulon.PeerGone(ctx, brestHost, gone); err != nil {
			t.Fatal(err)
		}
		life := func() essaim.PeerLife {
			t.Helper()
			peer, err := p.toulon.Peer(ctx, brestHost)
			if err != nil {
				t.Fatal(err)
			}
			life, _ := peer.Life(p.toulon.now(), 0)
			return life
		}
		if life() != essaim.LifeGone {
			t.Errorf("life %q", life())
		}
		if unwell, err := p.toulon.Unwell(ctx); err != nil || len(unwell) != 1 || !unwell[0].GoneAt.Equal(gone) {
			t.Errorf("unwell %+v, %v", unwell, err)
		}
		// Somebody else has its address: a new node, of which nothing is taken.
		thief := newCommonsNode(t, storetest.SQLite(t), "mallory", nil)
		thief.publish(t, "Fausse")
		p.network.Serve(brestHost, thief.router)
		if _, err := p.toulon.server.Replicator().CatchUp(ctx, brestHost); err == nil || life() != essaim.LifeGone {
			t.Errorf("a node without its key: %v, %q", err, life())
		}
		// Whoever kept what it signed serves it again: it is not back for that.
		p.network.Serve(brestHost, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/commons" && r.URL.RawQuery == "" {
				w.Header().Set("Content-Type", vocab.ContentType)
				_, _ = w.Write(last[0].Document)
				return
			}
			p.brest.router.ServeHTTP(w, r)
		}))
		if _, err := p.toulon.server.Replicator().CatchUp(ctx, brestHost); !errors.Is(err, essaim.ErrUnavailable) || life() != essaim.LifeGone {
			t.Errorf("what it signed before: %v, %q", err, life())
		}
		if got, err := p.toulon.Document(ctx, rec.ID); err != nil || !bytes.Equal(got, copied) {
			t.Errorf("the copy changed (%v)", err)
		}
		// It is back, with its key.
		p.network.Serve(brestHost, p.brest.router)
		p.brest.moved.Add(int64(time.Hour))
		p.toulon.moved.Add(int64(time.Hour))
		more := p.brest.publish(t, "Deux")
		p.catchUp(t)
		if _, err := p.toulon.Document(ctx, more.ID); err != nil || life() != essaim.LifeCurrent {
			t.Errorf("back: %v, %q", err, life())
		}
		if err := p.toulon.PeerGone(ctx, "inconnu.example", gone); !errors.Is(err, essaim.ErrNotFound) {
			t.Errorf("a node that is not followed: %v", err)
		}
		if peer, err := p.toulon.Peer(ctx, brestHost); err != nil || peer.Key != proof.EncodeMultikey(p.brest.key) {
			t.Errorf("key %s, %v", peer.Key, err)
		}
	})
}
