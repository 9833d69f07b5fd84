// SPDX-License-Identifier: AGPL-3.0-or-later

package transfer

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"

	"essaim"
)

// readAll reads a file whatever it holds and checks what every row promises.
func readAll(t *testing.T, data []byte, format Format) []Row {
	t.Helper()
	f, err := Open(bytes.NewReader(data), format)
	if err != nil {
		return nil
	}
	var rows []Row
	line := 0
	for r, err := range f.Rows() {
		if err != nil {
			break
		}
		if r.Line < line {
			t.Fatalf("row %d comes after row %d", r.Line, line)
		}
		line = r.Line
		for column, v := range r.Values {
			if v == "" || column == "" || !utf8.ValidString(v) || !utf8.ValidString(column) {
				t.Fatalf("row %d: column %q holds %q", r.Line, column, v)
			}
			if !f.Own && Clean(v) != v {
				t.Fatalf("row %d: %q is not clean: %q", r.Line, v, Clean(v))
			}
		}
		if (r.Lat == nil) != (r.Lon == nil) {
			t.Fatalf("row %d: half a point", r.Line)
		}
		if r.Lat != nil && !(math.Abs(*r.Lat) <= 90 && math.Abs(*r.Lon) <= 180) {
			t.Fatalf("row %d: point %v, %v", r.Line, *r.Lat, *r.Lon)
		}
		rows = append(rows, r)
	}
	// Whatever was read, a row is refused or makes a content that validates.
	f.sample = nil
	m, err := Guess(f, nil)
	if err != nil {
		t.Fatal(err)
	}
	kind, _ := m.GuessKind(f)
	c, err := NewConverter(f, m, ConvertConfig{Kind: kind, Licence: "etalab-2.0", Attribution: "A", Contacts: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		row, err := c.Convert(r)
		if err != nil {
			continue
		}
		if p := row.Content.Validate(row.State == essaim.StatePublished); len(p) > 0 || row.Key == "" || row.Content.Title == "" {
			t.Fatalf("row %d: accepted with key %q, problems %v", r.Line, row.Key, p)
		}
	}
	return rows
}

func seed(f *testing.F, pattern string) {
	names, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil || len(names) == 0 {
		f.Fatalf("no seeds %s: %v", pattern, err)
	}
	for _, n := range names {
		b, err := os.ReadFile(n)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
}

func FuzzCSV(f *testing.F) {
	seed(f, "*.csv")
	f.Add([]byte("nom,ville\n\"a\"\"b\",\"c\n"))
	f.Add([]byte("essaim_kind,title,city,essaim_details\nvenue,T,C,\"{\"\"kind\"\":\"\"venue\"\"}\"\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		rows := readAll(t, data, FormatCSV)
		if n := bytes.Count(data, []byte("\n")) + bytes.Count(data, []byte("\r")) + 1; len(rows) > n {
			t.Fatalf("%d rows of %d lines", len(rows), n)
		}
	})
}

func FuzzGeoJSON(f *testing.F) {
	seed(f, "*.geojson")
	f.Add([]byte(`{"type":"Feature","properties":{"a":{"b":[1,true,null]}},"geometry":{"type":"MultiPolygon","coordinates":[[[[0,0],[1,0],[1,1]]]]}}`))
	f.Add([]byte(`{"essaim":"x","type":"FeatureCollection","features":[{"type":"Feature","properties":{"essaim_kind":"recipe","title":"T"},"geometry":null}]}`))
	f.Fuzz(func(t *testing.T, data []byte) { readAll(t, data, FormatGeoJSON) })
}

func FuzzClean(f *testing.F) {
	for _, s := range []string{"Caf&eacute;", "FranÃ§ois", "&amp;amp;amp;amp;lt;", "e\u0301", "\xff\x80"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once := Clean(s)
		if twice := Clean(once); twice != once {
			t.Errorf("%q: cleaned once %q, twice %q", s, once, twice)
		}
		if !utf8.ValidString(once) {
			t.Errorf("%q: %q is not UTF-8", s, once)
		}
	})
}
