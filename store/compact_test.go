// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"testing"

	"essaim"
	"essaim/store/storetest"
)

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
	parts := func() (n int) {
		t.Helper()
		if err := s.DB().QueryRowContext(t.Context(), "SELECT count(DISTINCT segid) FROM search_term_idx").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if got := parts(); got < 2 {
		t.Fatalf("the index has %d parts before: nothing to merge", got)
	}
	if err := s.EndImport(t.Context(), id, essaim.ImportReport{Created: together * times}); err != nil {
		t.Fatal(err)
	}
	if got := parts(); got != 1 {
		t.Errorf("the index has %d parts, want 1", got)
	}
	found, err := s.Search(t.Context(), essaim.Query{Text: "lieu"})
	if err != nil || found.Total != essaim.CountCap {
		t.Errorf("found %d, %v; want %d", found.Total, err, essaim.CountCap)
	}
}
