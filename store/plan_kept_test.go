// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"database/sql"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"essaim/store/storetest"
)

// PostgreSQL keeps the plan of a prepared statement until its statistics are made
// anew, a minute or more after a queue filled: a plan that was right for an empty
// queue must not read all of a full one.
func TestAPlanMadeWhileAQueueIsEmptyServesItFull(t *testing.T) {
	t.Parallel()
	kept := []struct{ name, types, args string }{
		{"delivery_claim", "(text, bigint, bigint, bigint)", "('h3', 5, 9, 8)"},
		{"host_due", "(bigint, bigint)", "(5, 100)"},
		{"host_waiting", "", ""},
	}
	for name, before := range map[string][]string{
		"a new node": nil,
		"a node that delivered much": {`INSERT INTO delivery (activity_id, actor, host, inbox, order_key, n, state, attempt, next_at, lease_until, status, reason, created_at)
			SELECT 'd' || n, 'x', 'h' || (n % 20), 'i' || (n % 100), 'o' || n, n, 'delivered', 1, 0, 0, 202, '', 1 FROM generate_series(1, 5000) n`, "ANALYZE delivery"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db storetest.DB) {
				if db.Name != "postgres" {
					return // SQLite's plans do not depend on how many rows there are
				}
				n := newNode(t, db)
				conn, err := n.DB().Conn(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				do := func(text string) {
					t.Helper()
					if _, err := conn.ExecContext(t.Context(), text); err != nil {
						t.Fatal(err)
					}
				}
				for _, text := range append(before, "SET plan_cache_mode = force_generic_plan") {
					do(text)
				}
				for _, k := range kept {
					text, ok := n.Statements().Text(k.name)
					if !ok {
						t.Fatalf("no statement %s", k.name)
					}
					do("PREPARE " + k.name + k.types + " AS " + text)
					do("EXECUTE " + k.name + k.args)
				}
				do(`INSERT INTO delivery (activity_id, actor, host, inbox, order_key, n, state, attempt, next_at, lease_until, status, reason, created_at)
					SELECT 'a' || n, 'x', 'h' || (n % 20), 'i' || (n % 200), 'o' || n, n, 'waiting', 0, 0, 0, 0, '', 1 FROM generate_series(1, 4000) n`)
				for _, k := range kept {
					if most, line := mostRows(t, conn, "EXPLAIN (ANALYZE, TIMING OFF) EXECUTE "+k.name+k.args); most > 400 || most == 0 {
						t.Errorf("%s reads %d rows of a queue of 4,000: %s", k.name, most, line)
					}
				}
			})
		})
	}
}

var readRows = regexp.MustCompile(`(?:actual rows=|Rows Removed by [A-Za-z ]+: )(\d+)`)

// mostRows is the greatest number of rows that a step of a plan reads or throws away.
func mostRows(t *testing.T, on *sql.Conn, explain string) (most int, line string) {
	t.Helper()
	rows, err := on.QueryContext(t.Context(), explain)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		for _, m := range readRows.FindAllStringSubmatch(text, -1) {
			if n, err := strconv.Atoi(m[1]); err == nil && n > most {
				most, line = n, strings.TrimSpace(text)
			}
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return most, line
}
