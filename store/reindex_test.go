// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"database/sql"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"essaim"
	"essaim/store"
	"essaim/store/storetest"

	"github.com/google/go-cmp/cmp"
)

// What an older program wrote is found by what it did not know of, and counted,
// once it is made again; what it knew is counted as before.
func TestWhatAnOlderProgramIndexedIsMadeAgain(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s, clock := db.Node(t)
		all := fill(t, s, clock, rand.New(rand.NewPCG(5, 6)), 90)
		before, err := s.Search(t.Context(), essaim.Query{Facets: true})
		if err != nil {
			t.Fatal(err)
		}
		q := essaim.Query{Communes: []string{"29019"}, Limit: 100}
		old(t, s, db)
		if got, err := s.Search(t.Context(), q); err != nil || got.Total != 0 {
			t.Fatalf("before, %d are found, %v", got.Total, err)
		}
		if err := s.Reindex(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Search(t.Context(), q); err != nil || !slices.Equal(ids(got.Records), ids(model(all, q))) || len(got.Records) == 0 {
			t.Errorf("after, %d are found, %v, want %d", len(got.Records), err, len(model(all, q)))
		}
		after, err := s.Search(t.Context(), essaim.Query{Facets: true})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(before.Facets, after.Facets, cmp.Comparer(func(a, b essaim.Count) bool { return a.Value == b.Value && a.N == b.N })); diff != "" {
			t.Errorf("facets (-before +after):\n%s", diff)
		}
		if wrong, err := s.Check(t.Context()); len(wrong) > 0 || err != nil {
			t.Errorf("check: %v, %v", wrong, err)
		}
		// Nothing is left to do: what is spoilt now stays.
		run(t, s, db, "UPDATE search SET filter = '·x'")
		if err := s.Reindex(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := count(t, s, "SELECT count(*) FROM search WHERE filter = '·x'"); n != len(all) {
			t.Errorf("%d of %d rows were left alone", n, len(all))
		}
	})
}

// A first import would be indexed twice, while others read what it brought.
func TestANewNodeHasNothingToIndexAgain(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s, clock := db.Node(t)
		all := fill(t, s, clock, rand.New(rand.NewPCG(5, 6)), 30)
		run(t, s, db, "UPDATE search SET filter = '·x'")
		if err := s.Reindex(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := count(t, s, "SELECT count(*) FROM search WHERE filter = '·x'"); n != len(all) {
			t.Errorf("%d of %d rows were left alone", n, len(all))
		}
	})
}

func run(t *testing.T, s *store.Store, db storetest.DB, statement string, args ...any) {
	t.Helper()
	if err := db.Exec(t.Context(), s, statement, args...); err != nil {
		t.Fatal(err)
	}
}

// old leaves in the index what a program knew that had no facets but kind, theme,
// territory, stage and origin.
func old(t *testing.T, s *store.Store, db storetest.DB) {
	t.Helper()
	kept := map[int64]string{}
	each(t, s, "SELECT position, filter FROM search", func(rows *sql.Rows) error {
		var position int64
		var filter string
		err := rows.Scan(&position, &filter)
		kept[position] = strings.Join(slices.DeleteFunc(strings.Fields(filter), func(term string) bool {
			return slices.ContainsFunc([]string{"·c", "·p", "·b", "·l", "·h", "·d"}, func(sort string) bool { return strings.HasPrefix(term, sort) })
		}), " ")
		return err
	})
	lite := db.Name == "sqlite"
	if lite {
		run(t, s, db, "INSERT INTO search_term (search_term, rowid, head, body, filter) SELECT 'delete', position, head, body, filter FROM search")
	}
	for position, filter := range kept {
		if !lite {
			run(t, s, db, "UPDATE search SET terms = ts_delete(terms, array(SELECT unnest(string_to_array(filter, ' ')) EXCEPT SELECT unnest(string_to_array($2, ' ')))) WHERE position = $1", position, filter)
		}
		run(t, s, db, "UPDATE search SET filter = $2 WHERE position = $1", position, filter)
	}
	if lite {
		run(t, s, db, "INSERT INTO search_term (rowid, head, body, filter) SELECT position, head, body, filter FROM search")
	}
	run(t, s, db, "DELETE FROM facet WHERE facet IN ('commune', 'purpose', 'public', 'licence', 'help')")
	run(t, s, db, "UPDATE reindex SET version = 0, position = 0, ended = 0")
}
