// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// leftOut are tables that say what came and when, and counters over all rows,
// which Check holds to the rows themselves.
var leftOut = []string{"inbox", "host", "commons_sync", "head", "facet", "map_cell", "counter"}

// moving are columns that say when something came or was looked at, and numbers
// that nothing refers to.
var moving = []string{"fetched_at", "tried_at", "last_received", "received_at", "read_at", "pid"}

// notHis is a dump of all that is in the database and does not name the forger's
// host, one line a row.
func (w *forgery) notHis(t *testing.T) []string {
	t.Helper()
	ctx := t.Context()
	list := "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE 'search\\_term%' ESCAPE '\\'"
	if w.db.Name == "postgres" {
		list = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
	}
	var tables []string
	for _, row := range w.rows(t, list) {
		tables = append(tables, fmt.Sprintf("%s", row[0].value))
	}
	his := map[string]bool{}
	for _, row := range w.rows(t, "SELECT rid FROM record WHERE origin = $1", mallory) {
		his[fmt.Sprint(row[0].value)] = true
	}
	var lines []string
	for _, table := range tables {
		if slices.Contains(leftOut, table) {
			continue
		}
		for _, row := range w.rows(t, "SELECT * FROM "+table) {
			line, skip := table, false
			for _, c := range row {
				text := fmt.Sprint(c.value)
				if b, ok := c.value.([]byte); ok {
					text = string(b)
				}
				skip = skip || strings.Contains(text, mallory) || c.name == "rid" && his[text] || table == "peer_key" && text == "contested"
				if len(text) > 100 {
					text = fmt.Sprintf("%x", sha256.Sum256([]byte(text)))
				}
				if !slices.Contains(moving, c.name) {
					line += " " + c.name + "=" + text
				}
			}
			if !skip {
				lines = append(lines, line)
			}
		}
	}
	if err := ctx.Err(); err != nil || len(tables) < 40 {
		t.Fatalf("%d tables, %v", len(tables), err)
	}
	slices.Sort(lines)
	return lines
}

type column struct {
	name  string
	value any
}

// rows reads a statement of the test.
func (w *forgery) rows(t *testing.T, statement string, args ...any) (all [][]column) {
	t.Helper()
	rows, err := w.toulon.DB().QueryContext(t.Context(), statement, args...)
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		row, into := make([]column, len(names)), make([]any, len(names))
		for i := range row {
			row[i].name, into[i] = names[i], &row[i].value
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		all = append(all, row)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}
