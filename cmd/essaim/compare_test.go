// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/federation/vocab"
	"essaim/store/storetest"
)

// damage runs a statement below the second node's store, as a disk or a hand does.
func (p *pair) damage(t testing.TB, db storetest.DB, statement string, args ...any) {
	t.Helper()
	p.toulon.damage(t, db, statement, args...)
}

func (n *commonsNode) damage(t testing.TB, db storetest.DB, statement string, args ...any) {
	t.Helper()
	if err := db.Exec(t.Context(), n.Store, statement, args...); err != nil {
		t.Fatal(err)
	}
}

func (p *pair) compare(t testing.TB) essaim.CommonsComparison {
	t.Helper()
	c, err := p.toulon.server.Replicator().Compare(t.Context(), brestHost)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAComparisonFindsAndMendsEachSortOfDifference(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		p := newPair(t, db)
		var ids []string
		for i := range 150 {
			ids = append(ids, p.brest.publish(t, fmt.Sprint("Fiche ", i)).ID)
		}
		gone := p.brest.publish(t, "Retirée").ID
		p.follow(t)
		p.catchUp(t)
		if err := p.brest.WithdrawRecord(t.Context(), gone, storetest.Author); err != nil {
			t.Fatal(err)
		}
		p.brest.moved.Add(1 << 40)
		p.toulon.moved.Add(1 << 40)
		stale := ids[7]
		old, err := p.toulon.Document(t.Context(), stale)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.brest.UpdateRecord(t.Context(), stale, 0, storetest.Initiative("Revue"), essaim.StatePublished, storetest.Author); err != nil {
			t.Fatal(err)
		}
		p.catchUp(t)
		if different := p.differences(t); len(different) > 0 {
			t.Fatalf("before any damage: %v", different)
		}
		// Missing, with all that was made of it.
		for _, statement := range []string{
			"DELETE FROM search WHERE rid = (SELECT rid FROM record WHERE id = $1)", "DELETE FROM record WHERE id = $1",
		} {
			p.damage(t, db, statement, ids[1])
		}
		p.damage(t, db, "DELETE FROM commons WHERE id = $1", ids[2])                                                         // forgotten
		p.damage(t, db, "UPDATE record SET document = $2, revision = 1 WHERE id = $1", stale, old)                           // an older version
		p.damage(t, db, "UPDATE record SET document = $2 WHERE id = $1", ids[3], []byte(`{"id":"damaged"}`))                 // damaged
		p.damage(t, db, "UPDATE record SET document = $2 WHERE id = $1", ids[4], []byte{0xff, 0x00})                         // not even JSON
		p.damage(t, db, "DELETE FROM tombstone WHERE id = $1", gone)                                                         // a deletion forgotten
		p.damage(t, db, "UPDATE commons SET document = $2 WHERE id = $1", p.brest.base+"/actors/brest", []byte("x"))         // an actor
		p.damage(t, db, "UPDATE record SET incarnation = incarnation + 9, document = $2 WHERE id = $1", ids[5], []byte("x")) // damaged, and said to be newer
		since := len(p.network.Log())
		c := p.compare(t)
		if different := p.differences(t); len(different) > 0 {
			t.Errorf("%d differ: %v", len(different), different)
		}
		if c.Differences != 8 || c.Mended != 8 || len(c.Kept) != 0 {
			t.Errorf("comparison %+v, want 8 found and mended", c)
		}
		if paths, _ := p.asked(since); len(paths) > 24 {
			t.Errorf("%d requests for 8 differences: %v", len(paths), paths)
		}
		if again := p.compare(t); again.Differences != 0 {
			t.Errorf("a second comparison finds %+v", again)
		}
		since = len(p.network.Log())
		p.compare(t)
		if paths, _ := p.asked(since); len(paths) != 2 { // the cursor, the head
			t.Errorf("%v is asked where nothing differs", paths)
		}
		if held, err := p.toulon.Record(t.Context(), ids[1]); err != nil || strings.HasSuffix(held.Slug, "-2") {
			t.Errorf("what was lost has another address: %s, %v", held.Slug, err)
		}
		noted, err := p.toulon.CommonsProgress(t.Context(), brestHost)
		if err != nil || noted.ComparedAt.IsZero() || !noted.NextCompared.After(noted.ComparedAt) {
			t.Errorf("noted %+v, %v", noted, err)
		}
	})
}

// What pages show comes from columns: where they say something else than the
// document beside them, they are made of it again, whether its origin answers or not.
func TestARowThatSaysSomethingElseThanItsDocumentIsReadAgain(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		p := newPair(t, db)
		var ids []string
		for i := range 4 {
			ids = append(ids, p.brest.publish(t, fmt.Sprint("Fiche ", i)).ID)
		}
		p.follow(t)
		p.catchUp(t)
		p.damage(t, db, "UPDATE record SET title = 'Autre', content = replace(content, 'Fiche', 'Autre') WHERE id = $1", ids[0])
		p.damage(t, db, "UPDATE record SET revision = revision + 1000 WHERE id = $1", ids[1])
		p.damage(t, db, "UPDATE record SET updated_at = updated_at + 5000000 WHERE id = $1", ids[2])
		since := len(p.network.Log())
		p.network.SetDown(brestHost, true)
		if _, err := p.toulon.server.Replicator().Compare(t.Context(), brestHost); err == nil {
			t.Error("compared with a node that is away")
		}
		p.network.SetDown(brestHost, false)
		for i, id := range ids {
			want, err := p.brest.Record(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			got, err := p.toulon.Record(t.Context(), id)
			if err != nil || got.Title != want.Title || got.Text != want.Text || got.Revision != want.Revision || !got.Updated.Equal(want.Updated.Truncate(time.Second)) {
				t.Errorf("record %d: got %+v, %v", i, got, err)
			}
		}
		if broken, err := p.toulon.Check(t.Context()); err != nil || len(broken) > 0 {
			t.Errorf("broken: %v %v", broken, err)
		}
		if c := p.compare(t); c.Differences != 0 {
			t.Errorf("a second comparison finds %+v", c)
		}
		for _, r := range p.network.Log()[since:] {
			if strings.HasPrefix(r.Path, "/objects/") {
				t.Errorf("%s is asked for", r.Path)
			}
		}
	})
}

// passOver makes the second node believe that it read all of the first's, as its
// signed head says.
func (p *pair) passOver(t testing.TB) {
	t.Helper()
	p.brest.readHead(t)
	heads, err := p.brest.Heads(t.Context(), "", 1)
	if err != nil || len(heads) != 1 {
		t.Fatalf("heads %v, %v", heads, err)
	}
	if err := p.toulon.SaveHead(t.Context(), brestHost, heads[0]); err != nil {
		t.Fatal(err)
	}
	progress, err := p.toulon.CommonsProgress(t.Context(), brestHost)
	if err != nil {
		t.Fatal(err)
	}
	progress.Cursor = heads[0].Number
	if err := p.toulon.SaveCommonsProgress(t.Context(), progress); err != nil {
		t.Fatal(err)
	}
}

func TestADeletionThatWasMissedIsFoundAndNothingComesBack(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		p := newPair(t, db)
		kept, gone := p.brest.publish(t, "Gardée").ID, p.brest.publish(t, "Retirée").ID
		p.follow(t)
		p.catchUp(t)
		if err := p.brest.WithdrawRecord(t.Context(), gone, storetest.Author); err != nil {
			t.Fatal(err)
		}
		// As if the change had been passed over: the cursor is behind it.
		p.passOver(t)
		if c := p.compare(t); c.Mended != 1 {
			t.Errorf("comparison %+v", c)
		}
		if _, err := p.toulon.Document(t.Context(), gone); !errors.Is(err, essaim.ErrNotFound) {
			t.Errorf("the deleted one: %v", err)
		}
		if _, err := p.toulon.Document(t.Context(), kept); err != nil {
			t.Errorf("the other one: %v", err)
		}
		if different := p.differences(t); len(different) > 0 {
			t.Errorf("%v", different)
		}
	})
}

func TestWhatIsNotListedIsKeptUnlessItsDeletionIsShown(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		p := newPair(t, db)
		p.brest.publish(t, "Une")
		lost := p.brest.publish(t, "Perdue").ID
		p.follow(t)
		p.catchUp(t)
		// The origin forgets it wholly, and answers 404.
		for _, statement := range []string{"DELETE FROM commons WHERE id = $1", "UPDATE record SET state = 'draft' WHERE id = $1"} {
			p.brest.damage(t, p.origin, statement, lost)
		}
		p.brest.moved.Add(1 << 40)
		p.toulon.moved.Add(1 << 40)
		p.brest.publish(t, "Trois")
		c := p.compare(t)
		if len(c.Kept) != 1 || c.Kept[0] != lost {
			t.Errorf("comparison %+v", c)
		}
		if _, err := p.toulon.Document(t.Context(), lost); err != nil {
			t.Errorf("what its origin lost is gone: %v", err)
		}
	})
}

func TestALyingDigestIsNotBelieved(t *testing.T) {
	t.Parallel()
	p := newPair(t, storetest.SQLite(t))
	for i := range 100 {
		p.brest.publish(t, fmt.Sprint("Fiche ", i))
	}
	p.follow(t)
	p.catchUp(t)
	p.network.Serve(brestHost, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		p.brest.router.ServeHTTP(answer, r)
		body := answer.Body.String()
		if strings.HasPrefix(r.URL.Path, "/commons/digest") {
			body = strings.ReplaceAll(body, `"essaim:children":["`, `"essaim:children":["00`)[:len(body)]
		}
		w.Header().Set("Content-Type", vocab.ContentType)
		w.WriteHeader(answer.Code)
		_, _ = w.Write([]byte(body))
	}))
	p.toulon.moved.Add(1 << 40)
	p.brest.moved.Add(1 << 40)
	p.brest.publish(t, "De plus")
	p.passOver(t)
	if _, err := p.toulon.server.Replicator().Compare(t.Context(), brestHost); err == nil {
		t.Error("digests that are not of the signed head are walked")
	}
}

// An origin lists what its disk damaged, and answers 503 for it until it is mended.
func TestAnItemThatItsOriginKeepsBackEndsNoComparison(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		p := newPair(t, db)
		p.brest.publish(t, "Gardée")
		broken := p.brest.publish(t, "Abîmée").ID
		p.follow(t)
		p.catchUp(t)
		p.damage(t, db, "DELETE FROM commons WHERE id = $1", broken)
		p.brest.damage(t, p.origin, "UPDATE record SET document = $2 WHERE id = $1", broken, []byte("x"))
		if c := p.compare(t); c.Differences != 1 || c.Mended != 0 || c.ComparedAt.IsZero() {
			t.Errorf("comparison %+v", c)
		}
		if noted, err := p.toulon.CommonsProgress(t.Context(), brestHost); err != nil || noted.ComparedAt.IsZero() || noted.Differences != 1 {
			t.Errorf("noted %+v, %v", noted, err)
		}
	})
}
