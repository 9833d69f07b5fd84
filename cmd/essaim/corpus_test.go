// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"essaim/store"
	"essaim/store/storetest"
)

// realFiles are files of open data (ESSAIM_CORPUS), how they are imported, and
// what is said of it.
var realFiles = []struct {
	name        string
	o           importOptions
	first, then string
}{
	{
		"france-services-20240801.csv",
		importOptions{Licence: "etalab-2.0", Attribution: "ANCT"},
		"rows 2845 created 2845 changed 0 unchanged 0 refused 0", "rows 2845 created 0 changed 0 unchanged 2845 refused 0",
	},
	{
		"mednum-bfc.csv",
		importOptions{Licence: "ODbL-1.0", Attribution: "MedNum BFC"},
		"rows 697 created 697 changed 0 unchanged 0 refused 0", "rows 697 created 0 changed 0 unchanged 697 refused 0",
	},
	{
		"susy-ssedas-transformap.geojson",
		importOptions{Licence: "CC-PDDC", Attribution: "SUSY"},
		"rows 1794 created 1794 changed 0 unchanged 0 refused 0", "rows 1794 created 0 changed 0 unchanged 1794 refused 0",
	},
	{
		"territoires-engagement.csv",
		importOptions{Licence: "etalab-2.0", Attribution: "ANCT"},
		"rows 230 created 229 changed 0 unchanged 0 refused 1", "rows 230 created 0 changed 0 unchanged 229 refused 1",
	},
}

// corpusFile reads a real file; ok is false, and the test says so, when there is
// no corpus.
func corpusFile(t *testing.T, name string) (text string, ok bool) {
	t.Helper()
	dir := os.Getenv("ESSAIM_CORPUS")
	if dir == "" {
		dir = "../../../shared"
	}
	b, err := os.ReadFile(filepath.Join(dir, "data", "initiatives", name))
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("the corpus is required: %v", err)
		}
		t.Logf("left out: %s (no corpus in %s)", name, dir)
	}
	return string(b), err == nil
}

// whole counts all that an import could change.
func whole(t *testing.T, s *store.Store) (n int) {
	t.Helper()
	const all = `SELECT (SELECT count(*) FROM record) + (SELECT count(*) FROM revision) + (SELECT count(*) FROM activity) + (SELECT count(*) FROM import) + (SELECT n FROM counter)`
	if err := s.DB().QueryRowContext(t.Context(), all).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// ways are an address, or a telephone number of France, wherever it stands.
var ways = regexp.MustCompile(`[\pL\pN._%+-]+@[\pL\pN-]+\.\pL\pL|[^\d.,]0[1-9](?:[ ./\x{A0}-]{0,3}\d\d){4}[^\d]`)

// Real files meet real databases: each is tried, loaded and loaded again, and
// what they gave goes to a node on the other database and comes back the same.
func TestRealFilesGoRoundOnBothDatabases(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		origin, _ := db.Node(t)
		for _, file := range realFiles {
			text, ok := corpusFile(t, file.name)
			if !ok {
				return
			}
			before := whole(t, origin)
			dry := file.o
			dry.DryRun = true
			if got := lastLine(importText(t, origin, file.name, text, dry)); got != file.first {
				t.Errorf("%s, dry run: got %q, want %q", file.name, got, file.first)
			}
			if after := whole(t, origin); after != before {
				t.Errorf("%s: a dry run changed the node from %d to %d", file.name, before, after)
			}
			if got := lastLine(importText(t, origin, file.name, text, file.o)); got != file.first {
				t.Errorf("%s: got %q, want %q", file.name, got, file.first)
			}
			before = whole(t, origin) + 1 // the import itself is noted
			if got := lastLine(importText(t, origin, file.name, text, file.o)); got != file.then {
				t.Errorf("%s again: got %q, want %q", file.name, got, file.then)
			}
			if after := whole(t, origin); after != before {
				t.Errorf("%s: the second import changed the node from %d to %d", file.name, before, after)
			}
		}
		format, other := "csv", storetest.Postgres
		if db.Name == "postgres" {
			format, other = "geojson", storetest.SQLite
		}
		elsewhere, _ := other(t).Node(t)
		first := exported(t, origin, format)
		// The 229 territories have neither tagline nor theme: they are candidates.
		const want = "rows 5336 created 5336 changed 0 unchanged 0 refused 0"
		if got := lastLine(importText(t, elsewhere, "export", first, importOptions{Licence: "cc0-1.0", Attribution: "Ailleurs"})); got != want {
			t.Errorf("%s elsewhere: got %q, want %q", format, got, want)
		}
		a, b := rowsOf(t, format, first), rowsOf(t, format, exported(t, elsewhere, format))
		for i := range min(len(a), len(b)) {
			if a[i] != b[i] {
				t.Fatalf("%s: a row left as\n%s\nand came back as\n%s", format, a[i], b[i])
			}
		}
		if len(a) != len(b) {
			t.Errorf("%s: %d rows left, %d came back", format, len(a), len(b))
		}
		if found := ways.FindAllString(first, 5); found != nil {
			t.Errorf("%s tells how to reach people: %q", format, found)
		}
		var documents int
		rows, err := origin.DB().QueryContext(t.Context(), "SELECT content FROM record UNION ALL SELECT content FROM revision")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var content string
			if err := rows.Scan(&content); err != nil {
				t.Fatal(err)
			}
			if documents++; ways.MatchString(content) {
				t.Errorf("stored: %q", ways.FindString(content))
			}
		}
		if err := rows.Err(); err != nil || documents != 2*5565 {
			t.Errorf("%d contents read, %v", documents, err)
		}
	})
}
