// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"testing"
	"time"

	"essaim"
	"essaim/store"
	"essaim/store/storetest"
)

// parts counts those of the full-text index.
func parts(t *testing.T, s *store.Store) (n int) {
	t.Helper()
	if err := s.DB().QueryRowContext(t.Context(), "SELECT count(DISTINCT segid) FROM search_term_idx").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// An import leaves the index in one part, and what it indexed is found.
func TestAnImportCompactsTheIndex(t *testing.T) {
	t.Parallel()
	s, _ := storetest.SQLite(t).Node(t)
	id := begin(t, s)
	const together, times = 100, 12
	rows := someRows(together * times)
	for n := range times {
		if _, err := s.ImportRows(t.Context(), id, rows[n*together:(n+1)*together]); err != nil {
			t.Fatal(err)
		}
	}
	if got := parts(t, s); got < 2 {
		t.Fatalf("the index has %d parts before: nothing to merge", got)
	}
	if err := s.EndImport(t.Context(), id, essaim.ImportReport{Created: together * times}); err != nil {
		t.Fatal(err)
	}
	if got := parts(t, s); got != 1 {
		t.Errorf("the index has %d parts, want 1", got)
	}
	found, err := s.Search(t.Context(), essaim.Query{Text: "lieu"})
	if err != nil || found.Total != essaim.CountCap {
		t.Errorf("found %d, %v; want %d", found.Total, err, essaim.CountCap)
	}
}

func TestTidyingCompactsTheIndexThoughAScrubFails(t *testing.T) {
	t.Parallel()
	n := newNode(t, storetest.SQLite(t))
	id := begin(t, n.Store)
	const together, times = 100, 12
	rows := someRows(together * times)
	for i := range times {
		if _, err := n.ImportRows(t.Context(), id, rows[i*together:(i+1)*together]); err != nil {
			t.Fatal(err)
		}
	}
	n.raw(t, "UPDATE scrub SET erased_at = 1")
	n.guard(t, "refused", "UPDATE ON scrub", "NEW.begun_at IS NOT NULL")
	n.clock.pass(24 * time.Hour)
	if got := parts(t, n.Store); got < 2 {
		t.Fatalf("the index has %d parts before: nothing to merge", got)
	}
	if err := n.Tidy(t.Context()); err == nil {
		t.Error("that the scrub failed is not told")
	}
	if got := parts(t, n.Store); got != 1 {
		t.Errorf("the index has %d parts, want 1", got)
	}
}

// After an import PostgreSQL knows what the tables hold, without waiting for its own
// look at them.
func TestAnImportIsKnownToThePlanner(t *testing.T) {
	t.Parallel()
	s, _ := storetest.Postgres(t).Node(t)
	for _, table := range []string{"search", "record", "record_place"} {
		if _, err := s.DB().ExecContext(t.Context(), "ALTER TABLE "+table+" SET (autovacuum_enabled = false)"); err != nil {
			t.Fatal(err)
		}
	}
	rows := func() (n int) {
		if err := s.DB().QueryRowContext(t.Context(), "SELECT min(reltuples)::int FROM pg_class WHERE relname IN ('search', 'record')").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	id := begin(t, s)
	const together, times = 100, 12
	list := someRows(together * times)
	for n := range times {
		if _, err := s.ImportRows(t.Context(), id, list[n*together:(n+1)*together]); err != nil {
			t.Fatal(err)
		}
	}
	if n := rows(); n > 0 {
		t.Fatalf("%d rows are known before", n)
	}
	if err := s.EndImport(t.Context(), id, essaim.ImportReport{Created: together * times}); err != nil {
		t.Fatal(err)
	}
	if n := rows(); n < together*times {
		t.Errorf("%d rows are known, want %d", n, together*times)
	}
}
