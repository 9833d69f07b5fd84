// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"essaim"
	"essaim/store"
	"essaim/store/sqlite"
	"essaim/store/storetest"
)

// columnsAt lists the columns of each table at a schema.
func columnsAt(t *testing.T, schema int) map[string][]string {
	t.Helper()
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	files, err := fs.Glob(sqlite.Migrations(), "*.sql")
	if err != nil || len(files) < schema {
		t.Fatalf("%d migrations, %v", len(files), err)
	}
	slices.Sort(files)
	for _, name := range files[:schema] {
		text, err := fs.ReadFile(sqlite.Migrations(), name)
		if err == nil {
			_, err = db.ExecContext(t.Context(), string(text))
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	rows, err := db.QueryContext(t.Context(), "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns := map[string][]string{}
	for rows.Next() {
		var table, column string
		if err := rows.Scan(&table, &column); err != nil {
			t.Fatal(err)
		}
		columns[table] = append(columns[table], column)
	}
	return columns
}

// shorter keeps some columns of the lines of a backup.
func shorter(t *testing.T, lines []byte, keep []int) []byte {
	t.Helper()
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	for line := range bytes.Lines(lines) {
		var row, kept []json.RawMessage
		if err := json.Unmarshal(line, &row); err != nil {
			t.Fatal(err)
		}
		for _, i := range keep {
			kept = append(kept, row[i])
		}
		if err := enc.Encode(kept); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

// packed is an archive of entries in their order.
func packed(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var made bytes.Buffer
	zip := gzip.NewWriter(&made)
	out := tar.NewWriter(zip)
	for _, e := range entries {
		if err := out.WriteHeader(&tar.Header{Name: e.name, Mode: 0o600, Size: int64(len(e.body))}); err != nil {
			t.Fatal(err)
		}
		if _, err := out.Write(e.body); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(out.Close(), zip.Close()); err != nil {
		t.Fatal(err)
	}
	return made.Bytes()
}

// entry is one of an archive.
type entry struct {
	name string
	body []byte
}

// unpacked are the entries of an archive.
func unpacked(t testing.TB, file []byte) (entries []entry) {
	t.Helper()
	zip, err := gzip.NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	for in := tar.NewReader(zip); ; {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return entries
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, entry{h.Name, b})
	}
}

// ending is a backup whose closing manifest says something else.
func ending(t *testing.T, file []byte, change func(*store.Manifest)) []byte {
	t.Helper()
	entries := unpacked(t, file)
	last := &entries[len(entries)-1]
	var m store.Manifest
	if err := json.Unmarshal(last.body, &m); err != nil {
		t.Fatal(err)
	}
	change(&m)
	var err error
	if last.body, err = json.Marshal(m); err != nil {
		t.Fatal(err)
	}
	return packed(t, entries...)
}

// olden makes of a backup the one that a program of an older schema would have made,
// and tells which tables lost columns, or all of them.
func olden(t *testing.T, file []byte, schema int) (old []byte, lost map[string]bool) {
	t.Helper()
	columns := columnsAt(t, schema)
	var entries []entry
	add := func(name string, b []byte) { entries = append(entries, entry{name, b}) }
	lost = map[string]bool{}
	keep := map[string][]int{}
	digests := map[string]string{}
	for _, e := range unpacked(t, file) {
		b := e.body
		part, isPart := strings.CutPrefix(e.name, "tables/")
		switch {
		case isPart:
			table, _, _ := strings.Cut(part, "/")
			if _, known := digests[table]; known {
				t.Fatalf("%s has several parts", table)
			}
			if len(keep[table]) == 0 {
				continue
			}
			lines := shorter(t, b, keep[table])
			sum := sha256.Sum256(lines)
			digests[table] = hex.EncodeToString(sum[:])
			add(e.name, lines)
		case strings.HasSuffix(e.name, ".json"):
			var m store.Manifest
			if err := json.Unmarshal(b, &m); err != nil {
				t.Fatal(err)
			}
			m.Schema = schema
			var kept []store.ManifestTable
			for _, table := range m.Tables {
				was := table
				was.Columns, was.Digest = nil, digests[table.Name]
				keep[table.Name] = nil
				for i, c := range table.Columns {
					if slices.Contains(columns[table.Name], c) {
						was.Columns, keep[table.Name] = append(was.Columns, c), append(keep[table.Name], i)
					}
				}
				lost[table.Name] = len(was.Columns) < len(table.Columns)
				if table.Rows == 0 {
					was.Digest = table.Digest
				}
				if len(was.Columns) > 0 {
					kept = append(kept, was)
				}
			}
			m.Tables = kept
			b, err := json.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			add(e.name, b)
		default:
			add(e.name, b)
		}
	}
	return packed(t, entries...), lost
}

func TestABackupOfAnOlderSchemaIsRestoredAndMigrated(t *testing.T) {
	t.Parallel()
	last, err := store.LatestSchema()
	if err != nil {
		t.Fatal(err)
	}
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := furnished(t, db)
		file, m := backup(t, n)
		for _, schema := range []int{26, last - 1} {
			old, lost := olden(t, file, schema)
			for _, empty := range []storetest.DB{storetest.SQLite(t), storetest.Postgres(t)} {
				where := fmt.Sprintf("schema %d into %s", schema, empty.Name)
				copied := &node{db: empty, clock: n.clock}
				copied.Store = empty.Open(t, n.config)
				// Nothing of one that is damaged stays.
				if _, err := copied.Restore(t.Context(), bytes.NewReader(old[:len(old)-len(old)/4])); !errors.Is(err, essaim.ErrInvalid) {
					t.Errorf("%s: cut short: %v", where, err)
				}
				if err := copied.Ready(t.Context()); err != nil {
					t.Fatalf("%s: after one that was cut short: %v", where, err)
				}
				got, err := copied.Restore(t.Context(), bytes.NewReader(old))
				if err != nil {
					t.Fatalf("%s: %v", where, err)
				}
				if got.Node.BaseURL != brest || got.Node.Incarnation <= m.Node.Incarnation || string(got.Sealed) != "sealed" {
					t.Errorf("%s: %+v", where, got)
				}
				if err := copied.Ready(t.Context()); err != nil {
					t.Errorf("%s: %v", where, err)
				}
				_, again := backup(t, copied)
				same := 0
				for i, table := range again.Tables {
					// The migrations make the positions of places.
					whole := !lost[table.Name] && table.Name != "node" && table.Name != "counter" || table.Name == "record_place"
					if want := m.Tables[i]; whole && table.Digest != want.Digest || table.Rows != want.Rows && table.Name != "withdrawal" && table.Name != "erasure" && table.Name != "theme" {
						t.Errorf("%s: table %s has %d rows, want %d, digest %s, want %s", where, table.Name, table.Rows, want.Rows, table.Digest, want.Digest)
					}
					if whole {
						same++
					}
				}
				if same < 35 {
					t.Errorf("%s: %d tables compared", where, same)
				}
				if found, err := copied.Search(t.Context(), essaim.Query{Text: "jardin", Facets: true}); err != nil || len(found.Records) != 1 {
					t.Errorf("%s: search = %+v, %v", where, found, err)
				}
				// What the migrations counted is not counted once more with the index.
				wrong, err := copied.Check(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				for _, w := range wrong {
					if strings.HasPrefix(w.Rule, "the counts of") {
						t.Errorf("%s: %+v", where, w)
					}
				}
				if _, err := copied.EndRecovery(t.Context()); err != nil {
					t.Fatal(err)
				}
				storetest.Publish(t, copied.Store, storetest.Initiative("Après"))
				copied.receive(t, "https://a.example/after", ana)
			}
		}
	})
}

func TestABackupOfAnOlderSchemaNamesOnlyItsTables(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := db.Open(t)
		for _, table := range []string{
			`{"name":"migration","columns":["n"]}`, `{"name":"withdrawal","columns":["id"]}`, `{"name":"record; DROP TABLE node","columns":["id"]}`, `{"name":"host","columns":["host) SELECT 1; --"]}`,
		} {
			file := packed(t, entry{"essaim.json", []byte(`{"format":1,"schema":26,"tables":[` + table + `]}`)})
			if _, err := s.Restore(t.Context(), bytes.NewReader(file)); !errors.Is(err, essaim.ErrInvalid) || !strings.Contains(err.Error(), "none of schema 26") {
				t.Errorf("%s: %v", table, err)
			}
		}
	})
}
