// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"essaim"
	"essaim/federation/fedtest"
	"essaim/federation/proof"
	"essaim/store/storetest"
)

// The doctor names each document, of ours or a copy, whose bytes or proof are not
// what they were.
func TestTheDoctorVerifiesDigestsAndProofs(t *testing.T) {
	t.Parallel()
	fedtest.RSA()
	synctest.Test(t, func(t *testing.T) {
		network := fedtest.NewNetwork()
		brest, toulouse := startNode(t, network, "brest"), startNode(t, network, "toulouse")
		defer brest.stop()
		defer toulouse.stop()
		toulouse.follow(t, brest)
		own := toulouse.publish(t, "Un compost de quartier")
		var copies []essaim.Record
		for _, title := range []string{"Atelier de réparation", "Un four à pain partagé"} {
			copies = append(copies, brest.publish(t, title))
		}
		for _, c := range copies {
			within(t, 2*time.Second, "the record is at Toulouse", toulouse.holds(c.ID, 1))
		}
		disk, err := sql.Open("sqlite", filepath.Join(toulouse.dir, "essaim.db"))
		if err != nil {
			t.Fatal(err)
		}
		defer disk.Close()
		n := &Node{store: toulouse.Store, keys: toulouse.keys}
		check := func() finding {
			f, err := checkDocuments(t.Context(), n)
			if err != nil {
				t.Fatal(err)
			}
			return f
		}
		if f := check(); f.State != "" || !strings.Contains(f.What, "3 documents") || !strings.Contains(f.What, "each proven") {
			t.Errorf("got %+v, want nothing wrong with 3 documents", f)
		}
		// Somebody signs a copy, and what is ours, by another key, digests included.
		for _, rec := range []essaim.Record{copies[0], own} {
			doc := toulouse.document(t, rec.ID)
			bare := doc[:strings.LastIndex(doc, `,"proof":`)] + "}"
			forged, err := proof.Sign([]byte(bare), fedtest.Ed25519("impostor"), rec.Territory+"#k", time.Now())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := disk.ExecContext(t.Context(), "UPDATE record SET document = $1, copy_digest = $2 WHERE id = $3", forged.Bytes, forged.CopyDigest, rec.ID); err != nil {
				t.Fatal(err)
			}
		}
		if f := check(); f.State != "wrong" || !strings.Contains(f.What, "2 of 3 documents are not proven") ||
			!strings.Contains(f.What, copies[0].ID) || !strings.Contains(f.What, own.ID) || strings.Contains(f.What, copies[1].ID) {
			t.Errorf("got %+v, want two documents named", f)
		}
		if _, err := disk.ExecContext(t.Context(), "UPDATE record SET document = $1 WHERE id = $2", []byte("{}"), copies[1].ID); err != nil {
			t.Fatal(err)
		}
		if f := check(); f.State != "wrong" || !strings.Contains(f.What, "1 of 3 documents are not the bytes that were kept: "+copies[1].ID) {
			t.Errorf("got %+v, want the third named too", f)
		}
	})
}

func TestTheDoctorLooksAtActorsTombstonesAndHeadsToo(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		p := newPair(t, db)
		_, gone := p.published(t, 3)
		actor := p.brest.base + "/actors/brest"
		nodes := map[*commonsNode]storetest.DB{p.brest: p.origin, p.toulon: db}
		check := func(n *commonsNode) finding {
			t.Helper()
			f, err := checkDocuments(t.Context(), &Node{store: n.Store, keys: n.keys})
			if err != nil {
				t.Fatal(err)
			}
			return f
		}
		for n, db := range nodes {
			if f := check(n); f.State != "" || !strings.Contains(f.What, "each proven") {
				t.Errorf("%s, before any damage: %+v", n.name, f)
			}
			host := map[bool]string{false: brestHost}[n == p.brest]
			n.damage(t, db, "UPDATE tombstone SET document = $2 WHERE id = $1", gone, []byte("{}"))
			n.damage(t, db, "UPDATE commons SET document = $2 WHERE id = $1", actor, []byte("x"))
			n.damage(t, db, "UPDATE head SET document = $2 WHERE host = $1", host, []byte("{}"))
			f := check(n)
			for _, want := range []string{"2 of ", gone, actor, "its head"} {
				if f.State != "wrong" || !strings.Contains(f.What, want) {
					t.Errorf("%s: %+v does not name %s", n.name, f, want)
				}
			}
		}
	})
}

func TestTheDoctorNamesWhatIsKeptWithoutBeingListed(t *testing.T) {
	t.Parallel()
	p := newPair(t, storetest.SQLite(t))
	ids, _ := p.published(t, 1)
	n := &Node{store: p.toulon.Store, opt: options{now: p.toulon.now}}
	if f, err := checkPeers(t.Context(), n); err != nil || f.State != "" {
		t.Fatalf("to begin with: %+v, %v", f, err)
	}
	// Its origin forgot it: neither listed, nor shown to be deleted.
	for _, statement := range []string{
		"DELETE FROM search WHERE rid = (SELECT rid FROM record WHERE id = $1)", "DELETE FROM record WHERE id = $1", "DELETE FROM commons WHERE id = $1",
	} {
		p.brest.damage(t, p.origin, statement, ids[0])
	}
	p.brest.publish(t, "Une autre")
	p.pass(1 << 40)
	if err := p.brest.RefreshCommons(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c := p.compare(t); len(c.Kept) != 1 {
		t.Fatalf("comparison %+v", c)
	}
	if f, err := checkPeers(t.Context(), n); err != nil || f.State != "warn" || !strings.Contains(f.What, ids[0]) || !strings.Contains(f.Mend, "peer sync") {
		t.Errorf("got %+v, %v", f, err)
	}
}
