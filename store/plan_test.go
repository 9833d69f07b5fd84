// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"essaim/store"
	"essaim/store/postgres"
	"essaim/store/storetest"

	"github.com/jackc/pgx/v5"
)

// hot are the statements that run for each page, each activity or each
// delivery, with parameters of their types. None may read a whole table.
var hot = map[string][]any{
	"record_by_id":       {"x"},
	"record_by_slug":     {"initiative", "", "x"},
	"record_locked":      {"x"},
	"record_from_digest": {"initiative", "x"},
	"records_listed":     {"draft", int64(1), int64(0), 20},
	"records_upcoming":   {int64(0), int64(0), int64(0), int64(1), 20},
	"records_lasting":    {int64(0), int64(0), int64(0), int64(1), 20},
	"upcoming_at":        {"[1,2]", int64(0)},
	"records_at":         {"[1,2]"},
	"records_by_sources": {`["x","y"]`},
	"related_to":         {"x"},
	"branches":           {`["x","y"]`, 20},
	"revisions":          {"x"},
	"thanks":             {"x"},
	"positions_taken":    {int64(1), int64(2), int64(3), int64(4), int64(5), int64(6), int64(7), int64(8)},
	"search_all":         {int64(1), 20},
	"cells_extent":       {"", 6, 0, 63, 0, 63},
	"cells_counted":      {"venue", 9, 0, 511, 0, 511, 2},
	"address_page":       {"x", int64(1), 20},
	"credited_page":      {"x", int64(1), 20},
	"credited_count":     {"x"},
	"object_published":   {"x"},
	"object_gone":        {"x"},
	"activity_by_id":     {"x"},
	"outbox_page":        {"x", int64(1), 20},
	"actor_by_id":        {"x"},
	"peer_state":         {"x"},
	"lock_peer":          {"x"},
	"peer_key_list":      {"x"},
	"copy_kept":          {"x"},
	"tombstone_stands":   {"x"},
	"comments_shown":     {"x", int64(0), 20},
	"comments_count":     {"x"},
	"comment_known":      {"x"},
	"comment_context":    {"x", "y"},
	"comment_thread":     {"x"},
	"item_known_author":  {"x"},
	"item_page":          {"held", "", int64(0), 20},
	"items_of_actor":     {"x"},
	"decisions_about":    {"comment", "x"},
	"reaction_count":     {"x", "Like"},
	"follower_page":      {"x", "", 20},
	"account_by_session": {"x", int64(0)},
}

func TestHotStatementsUseTheirIndex(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s, _ := db.Node(t)
		imported(t, s, 400)
		pool := planner(t, db, s)
		asked := 0
		for name, args := range hot {
			text, ok := s.Statements().Text(name)
			if !ok {
				t.Errorf("no statement %s", name)
				continue
			}
			asked++
			for _, line := range plan(t, db, pool, text, args) {
				if scans(db, line) {
					t.Errorf("%s reads a whole table: %s", name, line)
				}
			}
		}
		t.Logf("%d plans", asked)
	})
}

// Search walks the full-text index in its own order, and sorts nothing, on
// SQLite. On PostgreSQL it looks up the terms of a part of all records in the
// index of terms, whatever the planner expects of them: a word of all is no reason to
// read everything in order, nor one of none.
func TestSearchUsesTheFullTextIndex(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s, _ := db.Node(t)
		imported(t, s, 1500)
		ask, by := []string{`("·x" AND "42")`, `("·x" AND "lieu")`}, "VIRTUAL TABLE INDEX"
		if db.Name == "postgres" {
			ask, by = []string{`'42'`, `'lieu'`}, "Bitmap Index Scan on search_term"
			if _, err := s.DB().ExecContext(t.Context(), "VACUUM ANALYZE"); err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range []string{"search_page", "search_page_near", "search_pages", "search_filters", "search_filters_near", "search_points"} {
			text, ok := s.Statements().Text(name)
			if !ok && db.Name == "sqlite" {
				continue // of PostgreSQL alone
			}
			for _, expression := range ask {
				args := []any{expression, int64(1) << 62, int64(0), 21}
				if db.Name == "postgres" {
					args = []any{expression, []string{"{1,2,3}"}, []int64{1 << 62}, 21, []int64{0}}
				}
				switch {
				case strings.HasSuffix(name, "_near"):
					args = append(args, -90., 90., -180., 180., 0., 0., 2.)
				case name == "search_points":
					args = append(args, -90., 90., -180., 180.)
				}
				if name == "search_pages" {
					args[0] = []string{expression, expression}
				}
				whole := strings.Join(plan(t, db, s.DB(), text, args), "\n")
				if !strings.Contains(whole, by) || strings.Contains(whole, "TEMP B-TREE") || strings.Contains(whole, "Seq Scan") || strings.Contains(whole, "search_pkey") {
					t.Errorf("%s of %s:\n%s", name, expression, whole)
				}
			}
		}
	})
}

// planner is a pool whose plans are those of large tables: on a small one
// PostgreSQL reads all of it, and rightly.
func planner(t *testing.T, db storetest.DB, s *store.Store) *sql.DB {
	t.Helper()
	if db.Name == "sqlite" {
		return s.DB()
	}
	large, err := postgres.Open(t.Context(), db.URL+"&enable_seqscan=off")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { large.Close() })
	if _, err := large.SQL.ExecContext(t.Context(), "VACUUM ANALYZE"); err != nil {
		t.Fatal(err)
	}
	return large.SQL
}

// scans tells whether a line of a plan reads a table from one end to the other.
// What a JSON array or a subquery gives is no table.
func scans(db storetest.DB, line string) bool {
	line = strings.TrimSpace(line)
	if db.Name == "postgres" {
		return strings.Contains(line, "Seq Scan on ")
	}
	return strings.HasPrefix(line, "SCAN ") && !strings.Contains(line, "USING") && !strings.Contains(line, "VIRTUAL TABLE") &&
		!strings.Contains(line, "CONSTANT ROW") && !strings.Contains(line, "SUBQUERY")
}

func plan(t *testing.T, db storetest.DB, pool *sql.DB, text string, args []any) []string {
	t.Helper()
	prefix := "EXPLAIN QUERY PLAN "
	if db.Name == "postgres" {
		prefix = "EXPLAIN "
		args = append([]any{pgx.QueryExecModeCacheDescribe}, args...)
	}
	rows, err := pool.QueryContext(t.Context(), prefix+text, args...)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	defer rows.Close()
	var lines []string
	for rows.Next() {
		var a, b, c int
		var line string
		if db.Name == "postgres" {
			err = rows.Scan(&line)
		} else {
			err = rows.Scan(&a, &b, &c, &line)
		}
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(fmt.Errorf("plan: %w", err))
	}
	return lines
}
