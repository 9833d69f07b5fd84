// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"essaim"
	"essaim/store"
	"essaim/store/postgres"
	"essaim/store/sqlite"
	"essaim/store/storetest"

	"github.com/google/go-cmp/cmp"
)

func TestOpenMakesTheSchemaAndOpensAgain(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		first, err := store.Open(t.Context(), db.Config())
		if err != nil {
			t.Fatal(err)
		}
		if err := first.Ready(t.Context()); err != nil {
			t.Errorf("ready: %v", err)
		}
		if err := first.Close(); err != nil {
			t.Fatal(err)
		}
		if err := db.Open(t).Ready(t.Context()); err != nil {
			t.Errorf("ready after it was opened again: %v", err)
		}
	})
}

func TestOpenRefusesANewerSchema(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := db.Open(t)
		if err := db.Exec(t.Context(), s, "INSERT INTO migration (n, applied_at) VALUES (9999, 0)"); err != nil {
			t.Fatal(err)
		}
		s.Close()
		_, err := store.Open(t.Context(), db.Config())
		if err == nil || !strings.Contains(err.Error(), "schema 9999") {
			t.Errorf("error = %v, want one that names schema 9999", err)
		}
	})
}

func TestASecondOwnerOfADataDirectoryIsRefused(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	db.Open(t)
	_, err := store.Open(t.Context(), db.Config())
	if !errors.Is(err, essaim.ErrConflict) || !strings.Contains(err.Error(), db.Dir) {
		t.Errorf("error = %v, want a conflict that names the directory", err)
	}
	guest := db.Config()
	guest.Guest = true
	s, err := store.Open(t.Context(), guest)
	if err != nil {
		t.Fatalf("a guest is refused: %v", err)
	}
	if _, ok := s.Changes(); ok {
		t.Error("a guest says that it knows of every commit")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestAGuestDoesNotMigrate(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	guest := db.Config()
	guest.Guest = true
	if s, err := store.Open(t.Context(), guest); err == nil {
		s.Close()
		t.Error("a guest made the schema of an empty database")
	}
}

// Every named statement is prepared on its database: a misspelt column shows
// here, not when a reader asks for the page.
func TestEveryStatementPrepares(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := db.Open(t)
		names := s.Statements().Names()
		if len(names) == 0 {
			t.Fatal("no statements")
		}
		for _, name := range names {
			text, _ := s.Statements().Text(name)
			st, err := s.DB().PrepareContext(t.Context(), text)
			if err != nil {
				t.Errorf("%s: %v\n%s", name, err, text)
				continue
			}
			st.Close()
		}
		t.Logf("%d statements", len(names))
	})
}

func TestBothDatabasesHaveTheSameStatements(t *testing.T) {
	t.Parallel()
	lite, pg := storetest.SQLite(t).Open(t), storetest.Postgres(t).Open(t)
	// SQLite's full-text index is a table beside the one that it indexes.
	particular := func(name string) bool {
		// Each writes over what was erased in its own way.
		return name == "search_index" || name == "search_unindex" || name == "changes_total" || strings.HasPrefix(name, "scrub_") ||
			// SQLite's index knows the order of records, and is asked without a way.
			name == "parts_marks" || name == "search_pages"
	}
	names := func(s *store.Store) []string { return slices.DeleteFunc(s.Statements().Names(), particular) }
	if diff := cmp.Diff(names(lite), names(pg)); diff != "" {
		t.Errorf("names of statements (-sqlite +postgres):\n%s", diff)
	}
}

// The two schemas are the same but for how each finds words.
func TestBothDatabasesHaveTheSameSchema(t *testing.T) {
	t.Parallel()
	lite, err := sqlite.Describe(t.Context(), storetest.SQLite(t).Open(t).DB())
	if err != nil {
		t.Fatal(err)
	}
	pg, err := postgres.Describe(t.Context(), storetest.Postgres(t).Open(t).DB())
	if err != nil {
		t.Fatal(err)
	}
	particular := []string{"column search.head text required", "column search.body text required", "column search.terms tsvector required", "index search.search_hundredth (position)", "index search.search_thousandth (position)"}
	known := func(line string) bool { return slices.Contains(particular, line) }
	lite, pg = slices.DeleteFunc(lite, known), slices.DeleteFunc(pg, known)
	slices.Sort(lite)
	slices.Sort(pg)
	if len(lite) < 150 {
		t.Errorf("%d columns and indexes described, want at least 150", len(lite))
	}
	if diff := cmp.Diff(lite, pg); diff != "" {
		t.Errorf("schemas (-sqlite +postgres):\n%s", diff)
	}
}

// SQLite orders text by its bytes. PostgreSQL does where a column says so: another
// order would not be that of a backup, nor of the keys that two columns are joined by.
func TestEveryTextOfPostgreSQLIsOrderedByItsBytes(t *testing.T) {
	t.Parallel()
	rows, err := storetest.Postgres(t).Open(t).DB().QueryContext(t.Context(), `SELECT table_name || '.' || column_name, coalesce(collation_name, 'that of the database')
		FROM information_schema.columns WHERE table_schema = 'public' AND data_type = 'text'`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	read := 0
	for ; rows.Next(); read++ {
		var column, order string
		if err := rows.Scan(&column, &order); err != nil {
			t.Fatal(err)
		}
		if order != "C" {
			t.Errorf("%s has the order %s", column, order)
		}
	}
	if err := rows.Err(); err != nil || read < 100 {
		t.Errorf("%d columns read, %v", read, err)
	}
}
