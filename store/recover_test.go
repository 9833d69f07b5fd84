// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/store"
	"essaim/store/storetest"
)

// lost is a version that comes back.
func lost(id, title string, incarnation int64, revision int, with ...func(*essaim.Content)) essaim.Recovered {
	r := essaim.Record{
		ID: brest + "/objects/" + id, Slug: essaim.Slug(title), Territory: territory, TerritoryName: "Brest", URL: brest + "/initiatives/" + essaim.Slug(title),
		State: essaim.StatePublished, Incarnation: incarnation, Revision: revision,
		Published: storetest.Start, Updated: storetest.Start.Add(time.Duration(revision) * time.Minute), Content: storetest.Initiative(title, with...),
	}
	doc := fmt.Appendf(nil, `{"id":%q,"title":%q,"version":"%d.%d"}`, r.ID, title, incarnation, revision)
	sum := fmt.Sprintf("%064x", doc[len(doc)-min(len(doc), 32):])[:64]
	return essaim.Recovered{Record: &r, VerifiedCopy: essaim.VerifiedCopy{
		ID: r.ID, Sort: essaim.CopyRecord, Document: doc, ContentDigest: sum, CopyDigest: sum, Updated: r.Updated,
		Version: essaim.RecordVersion{Incarnation: incarnation, Revision: int64(revision)},
	}}
}

func erasedAgain(id string) essaim.Recovered {
	doc := []byte(`{"type":"Tombstone","id":"` + id + `"}`)
	return essaim.Recovered{VerifiedCopy: essaim.VerifiedCopy{ID: id, Sort: essaim.CopyTombstone, Document: doc, CopyDigest: fmt.Sprintf("%064x", len(id)), Updated: storetest.Start}}
}

func (n *node) takeBack(t *testing.T, items ...essaim.Recovered) map[int]string {
	t.Helper()
	why, err := n.TakeRecovered(t.Context(), items, essaim.RecoverySource{Host: toulouse, Seen: len(items)})
	if err != nil {
		t.Fatal(err)
	}
	return why
}

func TestWhatComesBackIsNewerAndNeverErased(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n, ctx := newNode(t, db), t.Context()
		const inc = 1772532000
		older := storetest.Publish(t, n.Store, storetest.Initiative("Plus ancienne"))
		same := storetest.Publish(t, n.Store, storetest.Initiative("Même numéro"))
		newer := storetest.Publish(t, n.Store, storetest.Initiative("Plus récente"))
		for range 3 {
			if _, err := n.UpdateRecord(ctx, newer.ID, 0, storetest.Initiative("Plus récente"), essaim.StatePublished, storetest.Author); err != nil {
				t.Fatal(err)
			}
		}
		gone := storetest.Publish(t, n.Store, storetest.Initiative("Retirée"))
		if err := n.WithdrawRecord(ctx, gone.ID, storetest.Author); err != nil {
			t.Fatal(err)
		}
		draft, err := n.CreateRecord(ctx, essaim.NewRecord{Content: storetest.Initiative("Brouillon", func(c *essaim.Content) {
			c.Contacts = []essaim.Contact{{Kind: "email", Value: "contact@brest.example"}}
		}), State: essaim.StateDraft, Author: storetest.Author})
		if err != nil {
			t.Fatal(err)
		}
		erased := storetest.Publish(t, n.Store, storetest.Initiative("Effacée depuis"))
		if under, err := n.BeginRecovery(ctx, essaim.RecoveryHead, lostHead(inc, 900), toulouse); err != nil || !under {
			t.Fatal(err)
		}
		told := one[int64](t, n, "SELECT coalesce(max(n), 0) FROM event")
		id := func(r essaim.Record) string { return r.ID[len(brest+"/objects/"):] }
		why := n.takeBack(t,
			lost(id(older), "Reprise", inc, 2), lost(id(same), "Autre branche", inc, 1), lost(id(newer), "Périmée", inc, 2), lost(id(gone), "Revenante", inc, 9),
			lost(id(draft), "Publiée depuis", inc, 2), lost("neuve", "Plus récente", inc, 1), erasedAgain(erased.ID), erasedAgain(brest+"/objects/inconnue"))
		for i, want := range []string{"", "", "held as new or newer", "erased since", "", "", "", ""} {
			if why[i] != want {
				t.Errorf("item %d: %q, want %q", i, why[i], want)
			}
		}
		for rec, title := range map[string]string{older.ID: "Reprise", same.ID: "Autre branche", newer.ID: "Plus récente", draft.ID: "Publiée depuis", brest + "/objects/neuve": "Plus récente"} {
			if r, err := n.Record(ctx, rec); err != nil || r.Title != title || r.State != essaim.StatePublished {
				t.Errorf("%s is %q (%s), want %q, %v", rec, r.Title, r.State, title, err)
			}
		}
		if r, err := n.Record(ctx, draft.ID); err != nil || len(r.Contacts) != 1 {
			t.Errorf("what only this node knew is gone: %+v, %v", r.Contacts, err)
		}
		if r, err := n.Record(ctx, brest+"/objects/neuve"); err != nil || r.Slug != "plus-recente-2" {
			t.Errorf("its address is %s, %v", r.Slug, err)
		}
		for _, rec := range []string{gone.ID, erased.ID, brest + "/objects/inconnue"} {
			if d, err := n.Object(ctx, rec); err != nil || !d.Gone {
				t.Errorf("%s: %+v, %v", rec, d.Gone, err)
			}
		}
		docs := standing(t, n, 100)
		if want := string(lost(id(older), "Reprise", inc, 2).Document); docs[older.ID] != want {
			t.Errorf("it stands as %s, want %s", docs[older.ID], want)
		}
		if ended, err := n.EndRecovery(ctx); err != nil || !ended {
			t.Fatal(err)
		}
		for _, what := range []string{fmt.Sprint("event WHERE n > ", told), "announce WHERE state = 'waiting'"} {
			if got := one[int](t, n, "SELECT count(*) FROM "+what); got != 0 {
				t.Errorf("%d rows of %s: what came back is told", got, what)
			}
		}
		r, err := n.UpdateRecord(ctx, older.ID, 0, storetest.Initiative("Suite"), essaim.StatePublished, storetest.Author)
		if err != nil || r.Revision != 3 || r.Incarnation <= inc {
			t.Errorf("its next version is %d.%d, %v", r.Incarnation, r.Revision, err)
		}
		rec, err := n.Recovery(ctx)
		if err != nil || rec.Recovered != 4 || rec.Withdrawn != 2 {
			t.Errorf("%d came back and %d were erased again, %v", rec.Recovered, rec.Withdrawn, err)
		}
		if broken, err := n.Check(ctx); err != nil || len(broken) > 0 {
			t.Errorf("broken: %v, %v", broken, err)
		}
	})
}

// A version whose row the disk lost is mended first: who holds an older one may be read
// last. Once all else was tried, anything is better than nothing.
func TestAnOlderVersionTakesNoPlaceOfOneWhoseRowIsLost(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n, ctx := newNode(t, db), t.Context()
		r := storetest.Publish(t, n.Store, storetest.Initiative("Nouvelle"))
		run(t, n.Store, db, "DELETE FROM search WHERE rid = (SELECT rid FROM record)")
		run(t, n.Store, db, "DELETE FROM record")
		if under, err := n.BeginRecovery(ctx, essaim.RecoveryHead, lostHead(1772532000, 900), toulouse); err != nil || !under {
			t.Fatal(under, err)
		}
		older := lost(r.ID[len(brest+"/objects/"):], "Ancienne", 1772532000, 1)
		for _, reading := range []essaim.RecoveryReading{essaim.ReadingFirst, essaim.ReadingAgain} {
			why, err := n.TakeRecovered(ctx, []essaim.Recovered{older}, essaim.RecoverySource{Host: toulouse, Reading: reading})
			if err != nil || why[0] != essaim.RecordDamaged {
				t.Errorf("reading %d: %q, %v", reading, why[0], err)
			}
			if held, err := n.Record(ctx, r.ID); !errors.Is(err, essaim.ErrNotFound) {
				t.Errorf("reading %d: %q is held, %v", reading, held.Title, err)
			}
		}
		why, err := n.TakeRecovered(ctx, []essaim.Recovered{older}, essaim.RecoverySource{Host: toulouse, Reading: essaim.ReadingLast})
		if err != nil || len(why) > 0 {
			t.Errorf("the last reading: %v, %v", why, err)
		}
		if held, err := n.Record(ctx, r.ID); err != nil || held.Title != "Ancienne" {
			t.Errorf("%q is held, %v", held.Title, err)
		}
	})
}

func TestWhatIsErasedAgainGoesWithWhatItWasMadeOf(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n, ctx := newNode(t, db), t.Context()
		n.follows(t, blog, "")
		// An address keeps the first words of a title, and stays.
		title := "Une fiche dont le titre est bien trop long pour que son adresse en garde la fin " + canary
		n.arrives(t, article, blog, essaim.Applied{Effects: []essaim.Effect{essaim.Propose{Proposal: proposal(article, title, n.clock.now()), By: blog}}})
		record := n.candidates(t)[0]
		if _, err := n.UpdateRecord(ctx, record.ID, 0, storetest.Initiative(title), essaim.StatePublished, storetest.Author); err != nil {
			t.Fatal(err)
		}
		before := n.holding(t, canary)
		for _, where := range []string{"inbox.raw", "item.excerpt", "record.content"} {
			if !slices.Contains(before, where) {
				t.Fatalf("it is in %v to begin with, not in %s", before, where)
			}
		}
		if under, err := n.BeginRecovery(ctx, essaim.RecoveryHead, lostHead(1772532000, 900), toulouse); err != nil || !under {
			t.Fatal(under, err)
		}
		if why := n.takeBack(t, erasedAgain(record.ID)); len(why) > 0 {
			t.Fatal(why)
		}
		if left := n.holding(t, canary); len(left) > 0 {
			t.Errorf("it is left in %v", left)
		}
		if broken, err := n.Check(ctx); err != nil || len(broken) > 0 {
			t.Errorf("broken: %v, %v", broken, err)
		}
	})
}

func TestAnItemThatCannotComeBackLeavesTheOthersAloneAndNothingOfIt(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n, ctx := newNode(t, db), t.Context()
		const inc = 1772532000
		if under, err := n.BeginRecovery(ctx, essaim.RecoveryHead, lostHead(inc, 900), toulouse); err != nil || !under {
			t.Fatal(under, err)
		}
		n.guard(t, "refused", "INSERT ON revision", "NEW.content LIKE '%refusée%'") // once its record is written
		strange := lost("etrange", "Étrange", inc, 1)
		strange.Sort = "x"
		why := n.takeBack(t, lost("avant", "Avant", inc, 1), lost("refusee", "La refusée", inc, 1), strange, lost("apres", "Après", inc, 1))
		if len(why) != 2 || !strings.Contains(why[1], "refused") || !strings.Contains(why[2], "neither") {
			t.Errorf("came to nothing: %v", why)
		}
		for id, want := range map[string]int{"avant": 1, "refusee": 0, "apres": 1} {
			if got := one[int](t, n, "SELECT count(*) FROM record WHERE id = $1", brest+"/objects/"+id); got != want {
				t.Errorf("%s: %d records, want %d", id, got, want)
			}
		}
		if _, ok := standing(t, n, 100)[brest+"/objects/refusee"]; ok {
			t.Error("what was refused stands in the commons")
		}
		rec, err := n.Recovery(ctx)
		if err != nil || rec.Recovered != 2 || len(rec.Sources) != 1 || rec.Sources[0].Seen != 4 {
			t.Errorf("recovery %+v, %v", rec, err)
		}
		if broken, err := n.Check(ctx); err != nil || len(broken) > 0 {
			t.Errorf("broken: %v, %v", broken, err)
		}
	})
}

func TestActorsComeBackWithWhatWasChosenOfThem(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n, ctx := newNode(t, db), t.Context()
		n.Store.Close()
		n.Store = db.Open(t, n.config, func(c *store.Config) {
			c.ReadActor = func(_ essaim.LocalActor, doc []byte) (p essaim.Profile, err error) {
				var m struct{ Summary string }
				err = json.Unmarshal(doc, &m)
				return essaim.Profile{Summary: m.Summary}, err
			}
		})
		actor := func(name, typ, summary string, record string) essaim.Recovered {
			made, err := storetest.Actor(essaim.LocalActor{ID: brest + "/actors/" + name, Profile: essaim.Profile{Summary: summary}, Record: essaim.Record{Content: essaim.Content{Title: record}}})
			if err != nil {
				t.Fatal(err)
			}
			return essaim.Recovered{Type: typ, Created: storetest.Start, VerifiedCopy: essaim.VerifiedCopy{
				ID: brest + "/actors/" + name, Sort: essaim.CopyActor, Document: made.Document, CopyDigest: made.CopyDigest, Updated: storetest.Start.Add(time.Hour),
			}}
		}
		if under, err := n.BeginRecovery(ctx, essaim.RecoveryHead, lostHead(1772532000, 900), toulouse); err != nil || !under {
			t.Fatal(err)
		}
		items := []essaim.Recovered{
			actor("brest", "Organization", "La rade", ""), actor("demo_une", "Person", "Je jardine", ""), actor("fiche_jardin", "Organization", "", "Jardin"), erasedAgain(brest + "/actors/demo_partie"),
		}
		if why := n.takeBack(t, items...); len(why) != 1 || why[2] != essaim.RecordNotHere {
			t.Errorf("first: %v", why)
		}
		n.takeBack(t, lost("jardin", "Jardin", 1772532000, 1))
		if why := n.takeBack(t, items...); len(why) != 3 || why[2] != "" {
			t.Errorf("then: %v", why)
		}
		docs := standing(t, n, 100)
		for _, it := range items {
			if docs[it.ID] != string(it.Document) {
				t.Errorf("%s stands as %s, want %s", it.ID, docs[it.ID], it.Document)
			}
		}
		if a, err := n.LocalActor(ctx, "demo_une"); err != nil || a.Kind != essaim.ActorPerson || a.Profile.Summary != "Je jardine" {
			t.Errorf("%+v, %v", a, err)
		}
		if _, err := n.EndRecovery(ctx); err != nil {
			t.Fatal(err)
		}
		if err := n.CreatePerson(ctx, 7, "demo_partie", essaim.Profile{}); !errors.Is(err, essaim.ErrConflict) {
			t.Errorf("the name of who left is another's: %v", err)
		}
		if err := n.DeletePerson(ctx, "demo_une"); err != nil {
			t.Error(err)
		}
	})
}
