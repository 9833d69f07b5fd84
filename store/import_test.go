// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"essaim"
	"essaim/store"
	"essaim/store/storetest"
)

// Whoever writes meanwhile waits for one transaction of an import: what is
// rendered and not yet seen by another connection is never more than one holds.
func TestAnImportLetsOthersWriteEveryFewRows(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		var s *store.Store
		var rendered, most atomic.Int64
		failed := make(chan error, 1)
		made, _ := db.Node(t, func(c *store.Config) {
			c.Render = func(r essaim.RenderRequest) (essaim.Rendered, error) {
				var seen int64
				n := rendered.Add(1)
				if err := s.DB().QueryRowContext(context.Background(), "SELECT count(*) FROM record").Scan(&seen); err != nil {
					select {
					case failed <- err:
					default:
					}
				}
				for open := n - seen; ; {
					if was := most.Load(); open <= was || most.CompareAndSwap(was, open) {
						break
					}
				}
				return storetest.Render(r)
			}
		})
		s = made
		const rows = 450
		if n := outcomesOf(t, s, begin(t, s), someRows(rows), false); n[essaim.ImportCreated] != rows {
			t.Fatalf("import = %v, want %d created", n, rows)
		}
		select {
		case err := <-failed:
			t.Fatal(err)
		default:
		}
		if got := most.Load(); got < 2 || got > 40 {
			t.Errorf("%d rows stood in one transaction, want at most 40", got)
		}
	})
}

// outcomesOf counts what became of rows.
func outcomesOf(t *testing.T, s *store.Store, id int64, rows []essaim.ImportRow, dry bool) map[essaim.ImportOutcome]int {
	t.Helper()
	var list []essaim.ImportOutcome
	var err error
	if dry {
		list, err = s.CompareRows(t.Context(), rows)
	} else {
		list, err = s.ImportRows(t.Context(), id, rows)
	}
	if err != nil {
		t.Fatal(err)
	}
	n := map[essaim.ImportOutcome]int{}
	for _, o := range list {
		n[o]++
	}
	return n
}

func someRows(n int) []essaim.ImportRow {
	rows := make([]essaim.ImportRow, n)
	for i := range rows {
		rows[i] = essaim.ImportRow{
			Key: fmt.Sprint("k", i), Digest: "1", State: essaim.StatePublished,
			Content: storetest.Initiative(fmt.Sprint("Lieu ", i), func(c *essaim.Content) { c.Kind, c.Body = essaim.KindVenue, &essaim.Venue{} }),
		}
	}
	return rows
}

func begin(t *testing.T, s *store.Store) int64 {
	t.Helper()
	id, err := s.BeginImport(t.Context(), essaim.Import{File: "lieux.csv", Kind: essaim.KindVenue, Licence: "etalab-2.0", Attribution: "une source"})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestAnImportIsSilentAndTheSecondChangesNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s, clock := db.Node(t)
		rows := someRows(30)
		rows[3].State = essaim.StateCandidate
		if n := outcomesOf(t, s, 0, rows, true); n[essaim.ImportCreated] != 30 {
			t.Errorf("dry run = %v, want 30 created", n)
		}
		if n := count(t, s, "SELECT count(*) FROM record"); n != 0 {
			t.Fatalf("a dry run wrote %d records", n)
		}
		id := begin(t, s)
		if n := outcomesOf(t, s, id, rows, false); n[essaim.ImportCreated] != 30 {
			t.Errorf("first import = %v, want 30 created", n)
		}
		if n := count(t, s, "SELECT count(*) FROM event"); n != 0 {
			t.Errorf("%d events wait: an import is announced", n)
		}
		if n := count(t, s, "SELECT count(DISTINCT number) FROM record WHERE number > 0"); n != 29 {
			t.Errorf("%d numbers, want one for each of 29 published records", n)
		}
		if got, want := titles(t, s, essaim.Query{State: essaim.StateCandidate}), "Lieu 3"; got != want {
			t.Errorf("candidates = %s, want %s", got, want)
		}
		clock.Move(time.Hour)
		clock.Move(time.Hour)
		second := begin(t, s)
		for _, dry := range []bool{true, false} {
			if n := outcomesOf(t, s, second, rows, dry); n[essaim.ImportUnchanged] != 30 {
				t.Errorf("second import, dry %t = %v, want 30 unchanged", dry, n)
			}
		}
		if n := count(t, s, "SELECT count(*) FROM revision"); n != 30 {
			t.Errorf("%d revisions, want 30", n)
		}
		report := essaim.ImportReport{Rows: 30, Created: 30}
		if err := s.EndImport(t.Context(), id, report); err != nil {
			t.Fatal(err)
		}
		list, err := s.Imports(t.Context())
		if err != nil || len(list) != 2 || list[1].Report != report || list[1].File != "lieux.csv" {
			t.Errorf("imports = %+v, %v", list, err)
		}
	})
}

func TestAnImportLeavesWhatPeopleEditedOrWithdrew(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s, clock := db.Node(t)
		rows := someRows(4)
		id := begin(t, s)
		outcomesOf(t, s, id, rows, false)
		found, err := s.Search(t.Context(), essaim.Query{Text: "lieu"})
		if err != nil || len(found.Records) != 4 {
			t.Fatalf("%d found, %v", len(found.Records), err)
		}
		bySlug := func(slug string) essaim.Record {
			i := slices.IndexFunc(found.Records, func(r essaim.Record) bool { return r.Slug == slug })
			return found.Records[i]
		}
		clock.Move(time.Hour)
		edited := bySlug("lieu-0")
		edited.Content.Title = "Notre lieu"
		if _, err := s.UpdateRecord(t.Context(), edited.ID, 0, edited.Content, essaim.StatePublished, storetest.Author); err != nil {
			t.Fatal(err)
		}
		if err := s.WithdrawRecord(t.Context(), bySlug("lieu-1").ID, storetest.Author); err != nil {
			t.Fatal(err)
		}
		for i := range rows[:3] {
			rows[i].Digest, rows[i].Content.Title = "2", "Changé à la source"
		}
		clock.Move(time.Hour)
		second := begin(t, s)
		for _, dry := range []bool{true, false} {
			n := outcomesOf(t, s, second, rows, dry)
			if n[essaim.ImportUnchanged] != 3 || n[essaim.ImportChanged] != 1 {
				t.Errorf("dry %t: %v, want 3 unchanged and 1 changed", dry, n)
			}
		}
		if got, want := titles(t, s, essaim.Query{}), "Changé à la source, Notre lieu, Lieu 3"; got != want {
			t.Errorf("records = %s, want %s", got, want)
		}
		gone, kept, err := s.UndoImport(t.Context(), id)
		if err != nil || gone != 2 || kept != 1 {
			t.Errorf("undo: %d gone, %d kept, %v, want 2 and the edited one", gone, kept, err)
		}
		if got, want := titles(t, s, essaim.Query{}), "Notre lieu"; got != want {
			t.Errorf("after the undo = %s, want %s", got, want)
		}
		if gone, _, err := s.UndoImport(t.Context(), id); err != nil || gone != 0 {
			t.Errorf("undone twice: %d gone, %v", gone, err)
		}
	})
}

func TestARowThatIsRefusedLeavesNothingOfItsChunk(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s, _ := db.Node(t)
		rows := someRows(5)
		rows[4].Content.Places = nil // a venue needs one to be published
		if _, err := s.ImportRows(t.Context(), begin(t, s), rows); err == nil {
			t.Fatal("no error")
		}
		if n := count(t, s, "SELECT (SELECT count(*) FROM record) + (SELECT count(*) FROM search) + (SELECT count(*) FROM facet) + (SELECT count(*) FROM map_cell) + (SELECT n FROM counter)"); n != 0 {
			t.Errorf("%d rows or numbers remain", n)
		}
		outcomesOf(t, s, begin(t, s), rows[:4], false)
		if n := count(t, s, "SELECT count(*) FROM record"); n != 4 {
			t.Errorf("%d records, want 4", n)
		}
	})
}
