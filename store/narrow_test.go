// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"cmp"
	"slices"
	"strings"
	"testing"
	"time"

	"essaim"
)

// Of the days until which help may be wanted, a search asks for those that some record
// names, or for one.
func TestASearchAsksForDaysThatSomeRecordNames(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s, err := Open(ctx, Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	now := time.Date(2026, time.March, 3, 12, 0, 0, 0, time.UTC)
	asked := newMatch(essaim.Query{NeedsHelp: true, Kinds: []essaim.Kind{essaim.KindInitiative}}, now)
	help := func() (list []string) {
		t.Helper()
		err := s.read(ctx, func(tx *Tx) error {
			m, err := tx.narrow(ctx, asked)
			if err == nil && len(m.filter) != 2 {
				t.Errorf("asked for %v", m.filter)
			}
			list = m.filter[len(m.filter)-1]
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	if got := help(); len(got) != 1 {
		t.Errorf("without any call: %v", got)
	}
	err = s.write(ctx, patient, func(tx *Tx) error {
		tx.count([]string{filterTerm(filterHelp, helpOpen), filterTerm(filterHelp, "2020-01-01")}, nil, 1)
		return tx.flush(ctx)
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := help(); !slices.Equal(got, []string{filterTerm(filterHelp, helpOpen)}) {
		t.Errorf("with a call without end and one that ended: %v", got)
	}
}

// PostgreSQL evaluates the parts of a question row by row, in the order in which they
// are written, and stops at the first that fails.
func TestWhatCostsLeastIsAskedFirst(t *testing.T) {
	t.Parallel()
	m := newMatch(essaim.Query{Text: "lieu -jardin", Kinds: []essaim.Kind{essaim.KindRecipe, essaim.KindVenue}, Themes: []string{"eau", "nature", "sante"}}, time.Now())
	parts := strings.Split(m.tsquery(anywhere), "&")
	if len(parts) != 4 || !slices.IsSortedFunc(parts, func(a, b string) int { return cmp.Compare(len(a), len(b)) }) {
		t.Errorf("asked %q", parts)
	}
}
