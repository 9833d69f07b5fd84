// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"testing"

	"essaim"
	"essaim/federation/proof"
	"essaim/store/storetest"
)

// A disk is lost while documents are being signed again.
func TestWhatTheKeyBeforeSignedComesBackToANodeThatBeginsAnew(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		p, other := newPair(t, storetest.SQLite(t)), anew(t, db)
		ctx := t.Context()
		ids, gone := p.published(t, 6)
		p.pass(1 << 40)
		p.anotherKey(t, "next.example", true)
		later := p.brest.publish(t, "Publiée par l’autre clef").ID // its head lists what the first signed
		p.catchUp(t)
		want := map[string][]byte{}
		for _, id := range append([]string{gone, later}, ids...) {
			want[id], _ = p.brest.ownDocument(t, id)
		}
		if proof.Verify(want[ids[0]], p.brest.key) == nil || proof.Verify(want[later], p.brest.key) != nil {
			t.Fatal("nothing is left to be signed again")
		}
		node, err := p.brest.Node(ctx)
		if err != nil {
			t.Fatal(err)
		}
		p.brest.Store = other.Open(t, p.brest.config)
		if err := p.brest.RescueNode(ctx, node, essaim.CommonsHead{}, "toulon.example"); err != nil {
			t.Fatal(err)
		}
		p.brest.serve(t, p.network)
		if s := p.brest.server.Rescuer().Survey(ctx, []string{"toulon.example"}); s.Records != 7 || s.Tombstones != 1 || s.Refused != 0 {
			t.Errorf("survey: %d records, %d tombstones, %d refused: %s", s.Records, s.Tombstones, s.Refused, s.Refusal)
		}
		if err := p.brest.server.Rescuer().Step(ctx); err != nil {
			t.Fatal(err)
		}
		for id, doc := range want {
			if got, _ := p.brest.ownDocument(t, id); !bytes.Equal(got, doc) {
				t.Errorf("%s came back as %.200s", id, got)
			}
		}
		// It goes on where it was; what the present key signed stays as it is.
		p.brest.signAgain(t)
		for id, doc := range want {
			got, digest := p.brest.ownDocument(t, id)
			if _, exact, err := proof.Digests(got); err != nil || exact != digest || proof.Verify(got, p.brest.key) != nil || id == later && !bytes.Equal(got, doc) {
				t.Errorf("%s is signed again as %.200s (%v)", id, got, err)
			}
		}
		if done, err := p.brest.Resigned(ctx); err != nil || !done {
			t.Errorf("something is left to be signed: %v", err)
		}
		p.pass(1 << 40)
		p.catchUp(t)
		p.compare(t)
		if differ := p.differences(t); len(differ) > 0 {
			t.Errorf("%d differ: %v", len(differ), differ)
		}
	})
}

func TestAThirdNodeShowsTheKeysThatWereMissed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		tr, ids := newTrio(t, db, "Une", "Deux", "Trois")
		ctx := t.Context()
		tr.later()
		tr.anotherKey(t, "next.example", true)
		tr.brest.signAgain(t)
		if _, err := tr.brest.UpdateRecord(ctx, ids[0], 0, storetest.Initiative("Revue"), essaim.StatePublished, storetest.Author); err != nil {
			t.Fatal(err)
		}
		tr.catchUp(t)
		tr.network.SetDown(brestHost, true)
		// What says nothing new stays as the first key signed it.
		if c := tr.compareBrest(t); c.Mended != 2 || len(c.Others) != 1 {
			t.Errorf("comparison %+v, want what was edited, and the actor", c)
		}
		if held, err := tr.tourcoing.Record(ctx, ids[0]); err != nil || held.Title != "Revue" {
			t.Errorf("the edited one is %q (%v)", held.Title, err)
		}
		trust, err := tr.tourcoing.PeerTrust(ctx, brestHost)
		if err != nil || len(trust.Keys) != 2 || trust.Current() != proof.EncodeMultikey(tr.brest.key) || trust.Keys[1].How != essaim.KeyContinued {
			t.Errorf("keys %+v (%v)", trust.Keys, err)
		}
		// A key that no pinned one introduced leads nowhere, whoever shows it.
		tr.network.SetDown(brestHost, false)
		tr.anotherKey(t, "thief.example", false)
		if err := tr.brest.RefreshCommons(ctx); err != nil {
			t.Fatal(err)
		}
		id := tr.brest.base + "/actors/brest"
		doc, digest := tr.brest.ownDocument(t, id)
		if proof.Verify(doc, tr.brest.key) != nil {
			t.Fatal("the thief signed nothing")
		}
		tr.toulon.damage(t, tr.lite, "UPDATE commons SET document = $2, digest = $3 WHERE id = $1", id, doc, digest)
		tr.network.SetDown(brestHost, true)
		tr.later()
		tr.compareBrest(t)
		if trust, err := tr.tourcoing.PeerTrust(ctx, brestHost); err != nil || len(trust.Keys) != 2 {
			t.Errorf("keys %+v (%v)", trust.Keys, err)
		}
	})
}
