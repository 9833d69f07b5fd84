// SPDX-License-Identifier: AGPL-3.0-or-later

package query_test

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"essaim/store/query"
)

func TestLoadReadsNamedStatements(t *testing.T) {
	t.Parallel()
	dir := fstest.MapFS{"a.sql": {Data: []byte("-- What this is about.\n\n-- name: one\nSELECT 1\n-- a comment\n  FROM a;\n\n-- name: two\nSELECT $2, $1\n")}}
	set, err := query.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := set.Names(), []string{"one", "two"}; !slices.Equal(got, want) {
		t.Errorf("names = %q, want %q", got, want)
	}
	if got, _ := set.Text("one"); got != "SELECT 1\n  FROM a" {
		t.Errorf("text of one = %q", got)
	}
	if _, ok := set.Text("three"); ok {
		t.Error("a statement that is not there was found")
	}
}

func TestLoadRefusesWhatIsAmbiguous(t *testing.T) {
	t.Parallel()
	for name, file := range map[string]string{
		"stands twice": "-- name: one\nSELECT 1\n-- name: one\nSELECT 2\n",
		"is empty":     "-- name: one\n-- name: two\nSELECT 2\n",
		"no name":      "-- name:\nSELECT 2\n",
	} {
		_, err := query.Load(fstest.MapFS{"a.sql": {Data: []byte(file)}})
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("error for %q = %v, want one that says %q", file, err, name)
		}
	}
}
