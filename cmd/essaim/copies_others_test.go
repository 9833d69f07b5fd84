// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"strings"
	"testing"

	"essaim"
	"essaim/federation/fedtest"
	"essaim/federation/proof"
	"essaim/store/storetest"
)

// trio are a pair and a third node that follows both; the second and the third
// hold what the first publishes.
type trio struct {
	*pair
	tourcoing *commonsNode
	lite, db  storetest.DB // of the second and of the third
}

func newTrio(t testing.TB, db storetest.DB, titles ...string) (*trio, []string) {
	t.Helper()
	lite := storetest.SQLite(t)
	tr := &trio{pair: newPair(t, lite), lite: lite, db: db}
	tr.tourcoing = newCommonsNode(t, db, "tourcoing", tr.network)
	var ids []string
	for _, title := range titles {
		ids = append(ids, tr.brest.publish(t, title).ID)
	}
	tr.follow(t)
	tr.tourcoing.follow(t, brestHost)
	tr.tourcoing.follow(t, "toulon.example")
	tr.catchUp(t)
	tr.tourcoing.catchUp(t, brestHost)
	return tr, ids
}

// later moves all clocks.
func (tr *trio) later() {
	for _, n := range []*commonsNode{tr.brest, tr.toulon, tr.tourcoing} {
		n.moved.Add(1 << 40)
	}
}

// compareBrest is what the third node does about the first.
func (tr *trio) compareBrest(t testing.TB) essaim.CommonsComparison {
	t.Helper()
	c, err := tr.tourcoing.server.Replicator().Compare(t.Context(), brestHost)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// heldRoot is the root of the digest tree of what a node holds of the first.
func (n *commonsNode) heldRoot(t testing.TB) string {
	t.Helper()
	tree, err := n.CopyTree(t.Context(), brestHost)
	if err != nil {
		t.Fatal(err)
	}
	return tree[""].Hash.String()
}

func TestOfASilentNodeTheOthersAreAsked(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		var titles []string
		for i := range 120 {
			titles = append(titles, fmt.Sprint("Fiche ", i))
		}
		tr, ids := newTrio(t, db, titles...)
		tr.later()
		ctx := t.Context()
		if _, err := tr.brest.UpdateRecord(ctx, ids[0], 0, storetest.Initiative("Revue"), essaim.StatePublished, storetest.Author); err != nil {
			t.Fatal(err)
		}
		if err := tr.brest.WithdrawRecord(ctx, ids[1], storetest.Author); err != nil {
			t.Fatal(err)
		}
		if _, err := tr.brest.UpdateRecord(ctx, ids[4], 0, storetest.Initiative("Revue, et retirée ailleurs"), essaim.StatePublished, storetest.Author); err != nil {
			t.Fatal(err)
		}
		if _, err := tr.tourcoing.WithdrawHere(ctx, ids[4], 0, "demande fondée"); err != nil {
			t.Fatal(err)
		}
		added := tr.brest.publish(t, "Une de plus").ID
		tr.catchUp(t)
		tr.network.SetDown(brestHost, true)
		// The third missed all of that, and its disk did the rest.
		tr.tourcoing.damage(t, db, "UPDATE record SET document = $2 WHERE id = $1", ids[2], []byte(`{"id":"damaged"}`))
		tr.tourcoing.damage(t, db, "DELETE FROM commons WHERE id = $1", ids[3])
		tr.tourcoing.damage(t, db, "UPDATE record SET title = 'Autre chose' WHERE id = $1", ids[5])
		// What its origin did not list is for the origin to say.
		if err := tr.tourcoing.SaveComparison(ctx, brestHost, essaim.CommonsComparison{Kept: []string{ids[6], tr.brest.base + "/objects/gone"}}); err != nil {
			t.Fatal(err)
		}
		since := len(tr.network.Log())
		c := tr.compareBrest(t)
		if len(c.Kept) != 1 || c.Kept[0] != ids[6] {
			t.Errorf("kept %v, want what it did not list and is held", c.Kept)
		}
		if c.Differences != 6 || c.Mended != 6 || len(c.Others) != 1 || c.Others[0] != "toulon.example" {
			t.Errorf("comparison %+v, want 6 found and mended with toulon.example", c)
		}
		roots := 0
		for _, r := range tr.network.Log()[since:] {
			if strings.HasPrefix(r.Path, "/commons/copies/digest?") {
				roots++
			}
			if strings.Contains(r.Path, essaim.CommonsKey(ids[4])) {
				t.Errorf("%s: what is withdrawn here is fetched", r.Path)
			}
		}
		if roots != 1 {
			t.Errorf("the root is asked for %d times", roots)
		}
		for _, id := range []string{ids[0], ids[2], ids[3], added} {
			want, err := tr.toulon.Document(ctx, id)
			if got, err2 := tr.tourcoing.Document(ctx, id); err != nil || err2 != nil || !bytes.Equal(got, want) {
				t.Errorf("%s: %v %v, other bytes", id, err, err2)
			}
		}
		if _, err := tr.tourcoing.Document(ctx, ids[1]); !errors.Is(err, essaim.ErrNotFound) {
			t.Errorf("the deleted one: %v", err)
		}
		want, err := tr.toulon.Heads(ctx, brestHost, 1)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := tr.tourcoing.Heads(ctx, brestHost, 1); err != nil || len(got) != 1 || !bytes.Equal(got[0].Document, want[0].Document) {
			t.Errorf("head %v, %v", got, err)
		}
		if n := len(tr.network.Log()) - since; n > 30 {
			t.Errorf("%d requests for 5 differences", n)
		}
		var told int
		if err := tr.tourcoing.DB().QueryRowContext(ctx, "SELECT count(*) FROM event").Scan(&told); err != nil || told != 0 {
			t.Errorf("%d events (%v): something is told of copies", told, err)
		}
		if broken, err := tr.tourcoing.Check(ctx); err != nil || len(broken) > 0 {
			t.Errorf("broken: %v %v", broken, err)
		}
		// Asked again, it costs one request, and one more for the line of what is
		// withdrawn here.
		since = len(tr.network.Log())
		if again := tr.compareBrest(t); again.Differences != 0 || len(again.Others) != 1 {
			t.Errorf("again %+v", again)
		}
		asked := 0
		for _, r := range tr.network.Log()[since:] {
			if r.Host == "toulon.example" {
				asked++
			}
		}
		if asked != 2 {
			t.Errorf("%d requests where nothing differs", asked)
		}
		noted, err := tr.tourcoing.CommonsProgress(ctx, brestHost)
		if err != nil || !noted.NextCompared.After(noted.ComparedAt) || noted.ComparedAt.IsZero() {
			t.Errorf("noted %+v, %v", noted, err)
		}
	})
}

func TestAContestedNodesCopiesComeFromTheOthersByItsOwnKey(t *testing.T) {
	t.Parallel()
	tr, ids := newTrio(t, storetest.SQLite(t), "Une", "Deux")
	tr.later()
	if _, err := tr.brest.UpdateRecord(t.Context(), ids[0], 0, storetest.Initiative("Revue"), essaim.StatePublished, storetest.Author); err != nil {
		t.Fatal(err)
	}
	tr.catchUp(t)
	// Somebody else answers at its address.
	thief := newCommonsNode(t, storetest.SQLite(t), "mallory", tr.network)
	thief.publish(t, "Fausse")
	tr.network.Serve(brestHost, thief.router)
	if err := tr.tourcoing.ContestPeer(t.Context(), brestHost, proof.EncodeMultikey(thief.key)); err != nil {
		t.Fatal(err)
	}
	if c := tr.compareBrest(t); c.Mended != 1 || len(c.Others) != 1 {
		t.Errorf("comparison %+v", c)
	}
	if got, want := tr.tourcoing.heldRoot(t), tr.toulon.heldRoot(t); got != want {
		t.Errorf("root %s, want %s", got, want)
	}
	peer, err := tr.tourcoing.Peer(t.Context(), brestHost)
	if err != nil || peer.ContestedAt.IsZero() {
		t.Errorf("not contested any more: %v", err)
	}
}

// plant puts a document in what the second node holds, with all that says that it
// belongs there.
func (tr *trio) plant(t testing.TB, id string, doc []byte) {
	t.Helper()
	_, exact, err := proof.Digests(doc)
	if err != nil {
		t.Fatal(err)
	}
	tr.toulon.damage(t, tr.lite, "UPDATE record SET document = $2, copy_digest = $3 WHERE id = $1", id, doc, exact)
	tr.toulon.damage(t, tr.lite, "UPDATE commons SET digest = $2 WHERE id = $1", id, exact)
}

// forged is a later version of a document, signed by a key in its owner's name.
func forged(t testing.TB, doc []byte, keyOf string) []byte {
	t.Helper()
	d := decode(t, doc)
	d["name"], d["essaim:revision"] = "Fausse", 99
	key := fedtest.Ed25519(keyOf)
	return signed(t, d, key, authorOf(d)+"#"+proof.KeyFragment(key.Public().(ed25519.PublicKey)))
}

func TestWhatAThirdNodeForgedKeepsOrResurrectsIsNotTaken(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		tr, ids := newTrio(t, db, "Une", "Deux", "Trois", "Retirée")
		ctx := t.Context()
		tr.later()
		old, err := tr.toulon.Document(ctx, ids[1])
		if err != nil {
			t.Fatal(err)
		}
		// The third knows of a deletion and of an edit that the second missed.
		if err := tr.brest.WithdrawRecord(ctx, ids[3], storetest.Author); err != nil {
			t.Fatal(err)
		}
		if _, err := tr.brest.UpdateRecord(ctx, ids[1], 0, storetest.Initiative("Revue"), essaim.StatePublished, storetest.Author); err != nil {
			t.Fatal(err)
		}
		tr.tourcoing.catchUp(t, brestHost)
		want := map[string][]byte{}
		for _, id := range ids[:3] {
			if want[id], err = tr.tourcoing.Document(ctx, id); err != nil {
				t.Fatal(err)
			}
		}
		if bytes.Equal(want[ids[1]], old) {
			t.Fatal("nothing was edited")
		}
		doc, err := tr.toulon.Document(ctx, ids[0])
		if err != nil {
			t.Fatal(err)
		}
		tr.plant(t, ids[0], forged(t, doc, "mallory.example"))
		tr.network.SetDown(brestHost, true)
		// The forger holds what is missing here, too: still nothing.
		tr.tourcoing.damage(t, db, "DELETE FROM commons WHERE id = $1", ids[0])
		if c := tr.compareBrest(t); c.Mended != 0 || c.Differences != 3 {
			t.Errorf("comparison %+v, want 3 found and none mended", c)
		}
		for _, id := range ids[:3] {
			if got, err := tr.tourcoing.Document(ctx, id); err != nil || !bytes.Equal(got, want[id]) {
				t.Errorf("%s changed (%v)", id, err)
			}
		}
		if _, err := tr.tourcoing.Document(ctx, ids[3]); !errors.Is(err, essaim.ErrNotFound) {
			t.Errorf("the deleted one: %v", err)
		}
	})
}

func TestWhatARetiredKeySignedCountsIfAHeadOfItsTimeListsIt(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		tr, ids := newTrio(t, db, "Une", "Deux", "Trois")
		ctx := t.Context()
		tr.later()
		// The third learns of another key, and then nothing more.
		next := proof.EncodeMultikey(fedtest.Ed25519("next.example").Public().(ed25519.PublicKey))
		first := proof.EncodeMultikey(tr.brest.key)
		if err := tr.tourcoing.PinPeerKeys(ctx, brestHost, first, essaim.PeerKey{Key: next, How: essaim.KeyContinued}); err != nil {
			t.Fatal(err)
		}
		tr.network.SetDown(brestHost, true)
		want, err := tr.tourcoing.Document(ctx, ids[0])
		if err != nil {
			t.Fatal(err)
		}
		damaged := []byte(`{"id":"damaged"}`)
		tr.tourcoing.damage(t, db, "UPDATE record SET document = $2 WHERE id = $1", ids[0], damaged)
		if c := tr.compareBrest(t); c.Mended != 1 {
			t.Errorf("comparison %+v, want 1 mended: a head that is held lists it", c)
		}
		if got, err := tr.tourcoing.Document(ctx, ids[0]); err != nil || !bytes.Equal(got, want) {
			t.Errorf("other bytes (%v)", err)
		}
		// Who has the retired key signs what no head of its time lists.
		tr.plant(t, ids[1], forged(t, want, brestHost))
		tr.toulon.moved.Add(1 << 40) // its tree is made anew
		if c := tr.compareBrest(t); c.Mended != 0 || c.Differences != 1 {
			t.Errorf("comparison %+v, want 1 found and none mended", c)
		}
		if got, err := tr.tourcoing.Document(ctx, ids[1]); err != nil || strings.Contains(string(got), "Fausse") {
			t.Errorf("forged (%v)", err)
		}
		// Without any head of that time nothing of that key is taken.
		tr.plant(t, ids[1], tr.fromThird(t, ids[1]))
		tr.toulon.moved.Add(1 << 40)
		tr.tourcoing.damage(t, db, "UPDATE record SET document = $2 WHERE id = $1", ids[0], damaged)
		tr.tourcoing.damage(t, db, "DELETE FROM head WHERE host = $1", brestHost)
		if c := tr.compareBrest(t); c.Mended != 0 || c.Differences != 1 {
			t.Errorf("without a head: %+v, want 1 found and none mended", c)
		}
	})
}

func (tr *trio) fromThird(t testing.TB, id string) []byte {
	t.Helper()
	doc, err := tr.tourcoing.Document(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// Who got its copies by deliveries alone holds neither heads nor the actor whose
// statements show newer keys: the pinned key proves what it holds as well.
func TestANodeThatHoldsNoActorOfAnotherIsComparedWith(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		tr, ids := newTrio(t, db, "Une", "Deux")
		tr.later()
		if _, err := tr.brest.UpdateRecord(t.Context(), ids[0], 0, storetest.Initiative("Revue"), essaim.StatePublished, storetest.Author); err != nil {
			t.Fatal(err)
		}
		tr.catchUp(t)
		tr.network.SetDown(brestHost, true)
		tr.toulon.damage(t, tr.lite, "DELETE FROM head WHERE host = $1", brestHost)
		tr.toulon.damage(t, tr.lite, "DELETE FROM commons WHERE id = $1", tr.brest.base+"/actors/brest")
		if c := tr.compareBrest(t); c.Mended != 1 || len(c.Others) != 1 {
			t.Errorf("comparison %+v", c)
		}
	})
}
