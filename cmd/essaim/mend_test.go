// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/federation/proof"
	"essaim/federation/vocab"
	"essaim/store/storetest"
)

// published gives what the first node of a pair publishes: records, and one that it
// withdrew, all held by the second, which the first knows.
func (p *pair) published(t testing.TB, n int) (ids []string, gone string) {
	t.Helper()
	ctx := t.Context()
	for i := range n {
		ids = append(ids, p.brest.publish(t, fmt.Sprint("Fiche ", i)).ID)
	}
	gone = p.brest.publish(t, "Retirée").ID
	if err := p.brest.WithdrawRecord(ctx, gone, storetest.Author); err != nil {
		t.Fatal(err)
	}
	p.follow(t)
	if _, err := p.brest.server.FollowPeer(ctx, "toulon.example"); err != nil {
		t.Fatal(err)
	}
	p.catchUp(t)
	return ids, gone
}

// ownDocument is what the first node keeps under an id.
func (n *commonsNode) ownDocument(t testing.TB, id string) (doc []byte, digest string) {
	t.Helper()
	for after := ""; ; {
		page, err := n.Copies(t.Context(), "", after, 100)
		if err != nil || len(page) == 0 {
			t.Fatalf("%s has no line (%v)", id, err)
		}
		for _, c := range page {
			if after = c.Key; c.ID == id {
				return c.Bytes, c.Digest
			}
		}
	}
}

func TestWhatTheDiskDamagedOfThisNodeIsNotServedAndIsMended(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		p := newPairOn(t, db, storetest.SQLite(t))
		ctx, n := t.Context(), p.brest
		ids, gone := p.published(t, 6)
		turned, edited, lost, whole, actor := ids[0], ids[1], ids[2], ids[3], n.base+"/actors/brest"
		want := map[string][]byte{}
		for _, id := range append([]string{gone, actor}, ids...) {
			want[id], _ = n.ownDocument(t, id)
		}
		before, err := n.CommonsState(ctx)
		if err != nil {
			t.Fatal(err)
		}
		flipped := bytes.Clone(want[turned])
		flipped[len(flipped)/2] ^= 1
		n.damage(t, db, "UPDATE record SET document = $2 WHERE id = $1", turned, flipped)
		// Of these the rows say nothing that could be signed again.
		n.damage(t, db, "UPDATE record SET document = $2, content = replace(content, 'Fiche 1', 'Fiche un') WHERE id = $1", edited, []byte{0xff, 0})
		n.damage(t, db, "DELETE FROM search WHERE rid = (SELECT rid FROM record WHERE id = $1)", lost)
		n.damage(t, db, "DELETE FROM record WHERE id = $1", lost)
		n.damage(t, db, "DELETE FROM tombstone WHERE id = $1", gone)
		n.damage(t, db, "UPDATE commons SET document = $2 WHERE id = $1", actor, []byte("x"))
		damaged := []string{turned, edited, lost, gone}
		for _, id := range damaged {
			if status, _, body := n.get(t, id, ""); status != http.StatusServiceUnavailable {
				t.Errorf("%s is served damaged: %d %.80s", id, status, body)
			}
		}
		items, _ := n.crawl(t, n.base+"/commons?after=0.0")
		if len(items) != before.Count-len(damaged)-1 {
			t.Errorf("%d items of %d, want all but the 5 that are damaged", len(items), before.Count)
		}
		for _, doc := range items {
			if !bytes.Equal(doc, want[vocab.ID(doc)]) {
				t.Errorf("a page shows %.80s", doc)
			}
		}
		// What was asked for and could not be shown waits for no other day.
		if err := n.server.TurnReplicas(ctx); err != nil {
			t.Fatal(err)
		}
		for _, id := range append([]string{whole}, damaged...) {
			status, _, body := n.get(t, id, "")
			if wants := map[bool]int{true: http.StatusGone, false: http.StatusOK}[id == gone]; status != wants || !bytes.Equal(body, want[id]) {
				t.Errorf("%s: %d %.200s, want %d and what was published", id, status, body, wants)
			}
		}
		if doc, _ := n.ownDocument(t, actor); !bytes.Equal(doc, want[actor]) {
			t.Errorf("the actor is %.80s", doc)
		}
		after, err := n.CommonsState(ctx)
		if err != nil || after.Root != before.Root || after.Count != before.Count {
			t.Errorf("root %s of %d, want %s of %d (%v)", after.Root, after.Count, before.Root, before.Count, err)
		}
		if r, err := n.Record(ctx, lost); err != nil || r.State != essaim.StatePublished || r.Slug != "fiche-2" {
			t.Errorf("what was lost is %s at %q (%v)", r.State, r.Slug, err)
		}
		p.catchUp(t)
		if differ := p.differences(t); len(differ) > 0 {
			t.Errorf("%d differ: %v", len(differ), differ)
		}
	})
}

func TestEachDocumentOfThisNodeIsLookedAtOnceADay(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		p := newPairOn(t, db, storetest.SQLite(t))
		ctx, n := t.Context(), p.brest
		ids, _ := p.published(t, 30)
		want := map[string][]byte{}
		for _, id := range ids {
			want[id], _ = n.ownDocument(t, id)
		}
		turn := func(d time.Duration) (mended []string) {
			t.Helper()
			n.moved.Add(int64(d))
			if err := n.server.TurnReplicas(ctx); err != nil {
				t.Fatal(err)
			}
			for _, id := range ids {
				if doc, _ := n.ownDocument(t, id); bytes.Equal(doc, want[id]) {
					mended = append(mended, id)
				}
			}
			return mended
		}
		turn(0)
		n.damage(t, db, "UPDATE record SET document = $1 WHERE origin = ''", []byte("{}"))
		if mended := turn(time.Minute); len(mended) > 0 {
			t.Errorf("%d were looked at within a minute", len(mended))
		}
		// A part of the day, whatever the hours; the rest when its time comes.
		part := turn(8 * time.Hour)
		if len(part) == 0 || len(part) == len(ids) {
			t.Errorf("%d of %d in a third of a day", len(part), len(ids))
		}
		for range 16 {
			part = turn(time.Hour)
		}
		if len(part) != len(ids) {
			t.Errorf("%d of %d in a day", len(part), len(ids))
		}
		n.damage(t, db, "UPDATE record SET document = $1 WHERE origin = ''", []byte("{}"))
		if all := turn(50 * time.Hour); len(all) != len(ids) {
			t.Errorf("%d of %d after two days without a turn", len(all), len(ids))
		}
	})
}

// With nobody to ask, what is kept beside it is signed once more if it is what was
// signed; peers learn of it as of any change. Nothing else is ever signed.
func TestWhatNobodyHoldsIsSignedOnceMoreOrStaysDamaged(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		p := newPairOn(t, db, storetest.SQLite(t))
		ctx, n := t.Context(), p.brest
		ids, _ := p.published(t, 3)
		anew, other := ids[0], ids[1]
		was, _ := n.ownDocument(t, anew)
		n.moved.Add(int64(30 * time.Minute))
		signed, err := proof.Again(was, n.base, n.keys.Ed25519, n.now())
		if err != nil {
			t.Fatal(err)
		}
		// It was signed again since the second node read it.
		n.damage(t, db, "UPDATE record SET document = $2, copy_digest = $3 WHERE id = $1", anew, []byte("x"), signed.CopyDigest)
		n.damage(t, db, "UPDATE commons SET digest = $2 WHERE id = $1", anew, signed.CopyDigest)
		n.damage(t, db, "UPDATE record SET document = $2, content = replace(content, 'Fiche 1', 'Fiche un') WHERE id = $1", other, []byte("x"))
		p.network.SetDown("toulon.example", true)
		if err := n.server.Rescuer().Examine(ctx); err != nil {
			t.Fatal(err)
		}
		doc, digest := n.ownDocument(t, anew)
		content, exact, err := proof.Digests(doc)
		if err != nil || exact != digest || content != signed.ContentDigest || proof.Verify(doc, n.key) != nil {
			t.Errorf("signed once more: %.200s (%v)", doc, err)
		}
		if status, _, body := n.get(t, anew, ""); status != http.StatusOK || !bytes.Equal(body, doc) {
			t.Errorf("it is served as %d %.80s", status, body)
		}
		if doc, _ := n.ownDocument(t, other); string(doc) != "x" {
			t.Errorf("what nobody published is signed: %.200s", doc)
		}
		if status, _, _ := n.get(t, other, ""); status != http.StatusServiceUnavailable {
			t.Errorf("what is still damaged: %d", status)
		}
		p.network.SetDown("toulon.example", false)
		p.catchUp(t)
		if held, err := p.toulon.Document(ctx, anew); err != nil || !bytes.Equal(held, doc) {
			t.Errorf("the other holds %.80s (%v)", held, err)
		}
		if err := n.server.Rescuer().Examine(ctx); err != nil {
			t.Fatal(err)
		}
		if differ := p.differences(t); len(differ) > 0 {
			t.Errorf("%d differ once it answers: %v", len(differ), differ)
		}
	})
}

// A row that says something else than its whole document is written again from it:
// columns, content, what stands beside, what nobody but the node knows included.
func TestARowThatSaysSomethingElseThanItsOwnDocumentIsMended(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newCommonsNode(t, db, "brest", nil)
		ctx := t.Context()
		keeps := func(c *essaim.Content) {
			c.Language, c.Holder = "fr", "Brest" // as a document says it
			c.Contacts = []essaim.Contact{{Kind: "email", Value: "accueil@brest.example"}}
			c.Credits = []essaim.Credit{
				{Name: "Contributrice de démonstration", Role: "porteur", Person: true, Consent: &essaim.Consent{On: "2026-01-02", How: "link", Fields: []string{"name", "role"}}},
				{Name: "Contributeur à demander", Role: "partenaire", Person: true},
			}
		}
		harms := []string{
			"UPDATE record SET title = 'Faux', content = replace(content, 'Vrai', 'Faux') WHERE id = $1",
			"UPDATE record SET title = 'Faux' WHERE id = $1",
			"UPDATE record SET content = replace(content, 'Vrai', 'Faux') WHERE id = $1",
			"UPDATE record SET content = 'x' WHERE id = $1",
			"UPDATE record SET stage = 'abandoned', reusable = 0 WHERE id = $1",
			"UPDATE record SET revision = revision + 1000, incarnation = incarnation + 1 WHERE id = $1",
			"UPDATE record SET updated_at = updated_at + 5000000 WHERE id = $1",
			"DELETE FROM record_theme WHERE rid = (SELECT rid FROM record WHERE id = $1)",
			"UPDATE record_place SET insee = '31555' WHERE rid = (SELECT rid FROM record WHERE id = $1)",
		}
		var recs []essaim.Record
		for i := range harms {
			rec := n.publish(t, fmt.Sprint("Vrai ", i), keeps)
			rec, err := n.Record(ctx, rec.ID)
			if err != nil {
				t.Fatal(err)
			}
			recs = append(recs, rec)
		}
		whole := n.publish(t, "Vrai de vrai", keeps)
		before, err := n.CommonsState(ctx)
		if err != nil {
			t.Fatal(err)
		}
		doctor := func() finding {
			t.Helper()
			f, err := checkDocuments(ctx, &Node{store: n.Store, keys: n.keys})
			if err != nil {
				t.Fatal(err)
			}
			return f
		}
		if f := doctor(); f.State != "" {
			t.Fatalf("to begin with: %+v", f)
		}
		for i, harm := range harms {
			n.damage(t, db, harm, recs[i].ID)
		}
		// Of two no history tells.
		for _, i := range []int{0, 2} {
			n.damage(t, db, "DELETE FROM revision WHERE rid = (SELECT rid FROM record WHERE id = $1)", recs[i].ID)
		}
		f := doctor()
		if f.State != "wrong" || !strings.Contains(f.What, fmt.Sprint(len(harms), " rows say something else")) || strings.Contains(f.What, whole.ID) {
			t.Errorf("doctor: %+v", f)
		}
		for i, rec := range recs {
			if !strings.Contains(f.What, rec.ID) {
				t.Errorf("doctor does not name what befell %q", harms[i])
			}
		}
		if err := n.server.Rescuer().Examine(ctx); err != nil {
			t.Fatal(err)
		}
		for i, want := range recs {
			got, err := n.Record(ctx, want.ID)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("after %q:\n got %+v (%v)\nwant %+v", harms[i], got, err, want)
			}
		}
		if f := doctor(); f.State != "" {
			t.Errorf("mended: %+v", f)
		}
		if all, err := n.Search(ctx, essaim.Query{Text: "Faux"}); err != nil || len(all.Records) > 0 {
			t.Errorf("search finds %+v (%v)", all, err)
		}
		if after, err := n.CommonsState(ctx); err != nil || after.Root != before.Root {
			t.Errorf("root %s, want %s (%v)", after.Root, before.Root, err)
		}
	})
}

// What was free once keeps its line in the commons, which lists it no more.
func TestARowOfARecordThatIsFreeNoMoreIsMended(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newCommonsNode(t, db, "brest", nil)
		ctx := t.Context()
		rec := n.publish(t, "Vrai")
		n.moved.Add(int64(time.Minute))
		c := rec.Content
		c.Licence = "tous-droits"
		if _, err := n.UpdateRecord(ctx, rec.ID, 0, c, essaim.StatePublished, storetest.Author); err != nil {
			t.Fatal(err)
		}
		n.damage(t, db, "UPDATE record SET title = 'Faux', content = replace(content, 'Vrai', 'Faux') WHERE id = $1", rec.ID)
		if err := n.server.Rescuer().Examine(ctx); err != nil {
			t.Fatal(err)
		}
		if got, err := n.Record(ctx, rec.ID); err != nil || got.Title != "Vrai" || got.Licence != "tous-droits" {
			t.Errorf("the row says %q, %s (%v)", got.Title, got.Licence, err)
		}
	})
}

// What history and row say alike is not undone: the document was written by a
// version of the program that said less.
func TestARowThatItsHistoryConfirmsIsToldOfAndLeft(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newCommonsNode(t, db, "brest", nil)
		rec := n.publish(t, "Vrai")
		n.damage(t, db, "UPDATE record SET title = 'Faux', content = replace(content, 'Vrai', 'Faux') WHERE id = $1", rec.ID)
		n.damage(t, db, "UPDATE revision SET content = replace(content, 'Vrai', 'Faux') WHERE rid = (SELECT rid FROM record WHERE id = $1)", rec.ID)
		if err := n.server.Rescuer().Examine(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got, err := n.Record(t.Context(), rec.ID); err != nil || got.Title != "Faux" {
			t.Errorf("the row says %q (%v)", got.Title, err)
		}
		f, err := checkDocuments(t.Context(), &Node{store: n.Store, keys: n.keys})
		if err != nil || f.State != "wrong" || !strings.Contains(f.What, rec.ID) {
			t.Errorf("doctor: %+v (%v)", f, err)
		}
	})
}

func TestADamagedOrUnfreeCopyIsToBeHadOfItsOriginAlone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		p := newPair(t, db)
		ids, _ := p.published(t, 3)
		pages := p.toulon.server.Pages(p.toulon.Store, http.NotFoundHandler())
		ask := func(id string) *httptest.ResponseRecorder {
			t.Helper()
			r, err := p.toulon.Record(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/ailleurs/"+brestHost+"/"+r.Slug, nil)
			req.Header.Set("Accept", vocab.ContentType)
			w := httptest.NewRecorder()
			pages.ServeHTTP(w, req)
			return w
		}
		for _, id := range ids {
			want, err := p.toulon.Document(t.Context(), id)
			if w := ask(id); err != nil || w.Code != http.StatusOK || !bytes.Equal(w.Body.Bytes(), want) {
				t.Errorf("%s: %d %.80s (%v)", id, w.Code, w.Body, err)
			}
		}
		p.damage(t, db, "UPDATE record SET document = $2 WHERE id = $1", ids[0], []byte(`{"id":"damaged"}`))
		p.damage(t, db, "UPDATE record SET content = replace(content, $2, $3) WHERE id = $1", ids[1], essaim.DefaultLicence, "CC-BY-NC-4.0")
		for i, id := range ids {
			w := ask(id)
			if away := w.Code == http.StatusSeeOther && w.Header().Get("Location") == id; away != slices.Contains(ids[:2], id) {
				t.Errorf("copy %d: %d to %q: %.80s", i, w.Code, w.Header().Get("Location"), w.Body)
			}
		}
	})
}
