// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"database/sql"
	"os"
	"regexp"
	"strings"
	"testing"

	"essaim/store/storetest"
)

// Rows of docs/PRIVACY.md: a field about a person with purpose, retention and
// erasure, and the tables whose other columns are about nobody.
var (
	personalField = regexp.MustCompile("(?m)^\\| `([a-z_]+)\\.([a-z_]+)` \\|([^|]+)\\|([^|]+)\\|([^|]+)\\|$")
	otherTables   = regexp.MustCompile("(?m)^\\| ((?:`[a-z_]+`(?:, )?)+) \\| `\\*`")
)

func TestEachStoredFieldIsAccountedForInPrivacyDocument(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../docs/PRIVACY.md")
	if err != nil {
		t.Fatal(err)
	}
	personal := map[string]bool{}
	for _, m := range personalField.FindAllStringSubmatch(string(b), -1) {
		for i, what := range []string{"purpose", "retention", "erasure"} {
			if strings.TrimSpace(m[3+i]) == "" {
				t.Errorf("%s.%s has no %s", m[1], m[2], what)
			}
		}
		personal[m[1]+"."+m[2]] = true
	}
	others := map[string]bool{}
	for _, m := range otherTables.FindAllStringSubmatch(string(b), -1) {
		for _, table := range strings.Split(m[1], ", ") {
			others[strings.Trim(table, "`")] = true
		}
	}
	if len(personal) < 30 || len(others) < 15 {
		t.Fatalf("read %d fields and %d tables of docs/PRIVACY.md", len(personal), len(others))
	}
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		columns := schemaColumns(t, db.Open(t).DB(), db.Name == "postgres")
		if len(columns) < 150 {
			t.Fatalf("the schema has %d columns", len(columns))
		}
		found := map[string]bool{}
		for _, c := range columns {
			table, _, _ := strings.Cut(c, ".")
			found[c] = true
			if !personal[c] && !others[table] {
				t.Errorf("%s is not in docs/PRIVACY.md: say what it is for, for how long, and how it is erased", c)
			}
		}
		for c := range personal {
			if !found[c] {
				t.Errorf("docs/PRIVACY.md lists %s, which the schema does not have", c)
			}
		}
	})
}

// schemaColumns lists table.column, without what the full-text index keeps for itself.
func schemaColumns(t *testing.T, db *sql.DB, postgres bool) (columns []string) {
	t.Helper()
	list := `SELECT m.name || '.' || c.name FROM sqlite_schema m, pragma_table_info(m.name) c
		WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name NOT LIKE 'search_term%'`
	if postgres {
		list = `SELECT table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = 'public'`
	}
	rows, err := db.QueryContext(t.Context(), list)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var c string
		if err := rows.Scan(&c); err != nil {
			t.Fatal(err)
		}
		columns = append(columns, c)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return columns
}
