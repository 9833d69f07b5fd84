// SPDX-License-Identifier: AGPL-3.0-or-later

package transfer

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// endless repeats a row for ever, as a file too large for memory does.
type endless struct {
	head, row string
	left      int
	buf       string
}

func (e *endless) Read(p []byte) (int, error) {
	if e.buf == "" {
		e.buf, e.head = e.head, ""
	}
	if e.buf == "" {
		if e.left == 0 {
			return 0, io.EOF
		}
		e.left--
		e.buf = e.row
	}
	n := copy(p, e.buf)
	e.buf = e.buf[n:]
	return n, nil
}

func TestMemoryDoesNotGrowWithTheFile(t *testing.T) {
	heap := func(rows int, src io.Reader) uint64 {
		f, err := Open(src, FormatAuto)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		var m runtime.MemStats
		for r, err := range f.Rows() {
			if err != nil || r.Err != nil {
				t.Fatal(err, r.Err)
			}
			if n++; n == rows {
				runtime.GC()
				runtime.ReadMemStats(&m)
			}
		}
		if n != rows {
			t.Fatalf("got %d rows, want %d", n, rows)
		}
		return m.HeapAlloc
	}
	csvOf := func(n int) io.Reader {
		return &endless{head: "nom,ville,description\n", row: "Jardin,Dijon," + strings.Repeat("terre ", 100) + "\n", left: n}
	}
	geoOf := func(n int) io.Reader {
		feature := `{"type":"Feature","properties":{"name":"Jardin","description":"` + strings.Repeat("terre ", 100) + `"},"geometry":null}`
		return io.MultiReader(
			strings.NewReader(`{"type":"FeatureCollection","features":[`+feature),
			&endless{row: "," + feature, left: n - 1},
			strings.NewReader("]}"))
	}
	for name, of := range map[string]func(int) io.Reader{"csv": csvOf, "geojson": geoOf} {
		small, large := heap(1_000, of(1_000)), heap(40_000, of(40_000))
		if large > small+4<<20 {
			t.Errorf("%s: heap %d bytes after 1,000 rows, %d after 40,000", name, small, large)
		}
	}
}

func TestARowThatNeverEndsIsRefused(t *testing.T) {
	t.Parallel()
	src := &endless{head: "nom,ville\n\"jamais fermé,", row: strings.Repeat("x", 1<<16), left: 1 << 10}
	f, err := Open(src, FormatCSV)
	if err != nil {
		t.Fatal(err)
	}
	var last error
	for _, err := range f.Rows() {
		last = err
	}
	if !errors.Is(last, ErrTooLong) {
		t.Errorf("got %v, want ErrTooLong", last)
	}
	if src.left < 1<<9 {
		t.Errorf("read %d KiB beyond the bound", (1<<10-src.left)*64)
	}
}

func TestSeparatorsAndHeaders(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, columns string }{
		{"a,b\n1,2\n", "a|b"},
		{"a;b\n1;2\n", "a|b"},
		{"a\tb\n1\t2\n", "a|b"},
		{"a|b\n1|2\n", "a|b"},
		{"\"x;y,z\";b\r\n1;2\r\n", "x;y,z|b"},
		{"a,a,,a\n1,2,3,4\n", "a|a_2|a_3"},
		{"\xff\xfea\x00;\x00b\x00\n\x001\x00;\x002\x00\n\x00", "a|b"},
		{"nom;d\xe9partement\nA;21\n", "nom|département"},
	} {
		f, err := Open(strings.NewReader(c.text), FormatCSV)
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		if got := strings.Join(f.Columns, "|"); got != c.columns {
			t.Errorf("%q: got %q, want %q", c.text, got, c.columns)
		}
		if got := len(f.Sample()); got != 1 {
			t.Errorf("%q: got %d rows, want 1", c.text, got)
		}
	}
	for _, text := range []string{"", "\n\n", ",,\n1,2,3\n"} {
		if _, err := Open(strings.NewReader(text), FormatCSV); !errors.Is(err, ErrFormat) {
			t.Errorf("%q: got %v, want ErrFormat", text, err)
		}
	}
	for _, text := range []string{"<?xml version=\"1.0\"?>\n<kml/>", "\ufeff <html>\n<b>\n"} {
		if _, err := Open(strings.NewReader(text), FormatAuto); !errors.Is(err, ErrFormat) {
			t.Errorf("%q: got %v, want ErrFormat", text, err)
		}
	}
	for _, text := range []string{"{", "[]", `{"a":1}`, `{"features":{}}`, `{"type":"FeatureCollection"}`} {
		if _, err := Open(strings.NewReader(text), FormatGeoJSON); !errors.Is(err, ErrFormat) {
			t.Errorf("%q: got %v, want ErrFormat", text, err)
		}
	}
}

func TestCleanMendsOnlyWhatIsCertain(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{"  Café ", "Café"},
		{"Caf&eacute; &amp;amp; th&#233;", "Café & thé"},
		{"FranÃ§ois et la forÃªt", "François et la forêt"},
		{"lâ€™Ã©cole", "l’école"},
		{"Ã‰cole", "École"},
		{"ASSOCIAÇÃO AMANHÃ »", "ASSOCIAÇÃO AMANHÃ »"},
		{"AMANHÃ", "AMANHÃ"},
		{"e\u0301te\u0301", "été"},
		{"a\x00b\u200bc", "abc"},
		{"10 < 20 & 30", "10 < 20 & 30"},
	} {
		if got := Clean(c.in); got != c.want {
			t.Errorf("%q: got %q, want %q", c.in, got, c.want)
		}
	}
}

func TestHoursAreReadOrLeftOut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in   string
		want string
		ok   bool
	}{
		{"09:00 - 12:00 / 13:30 - 17:00", "[{540 720} {810 1020}]", true},
		{"8h30-12h", "[{510 720}]", true},
		{"9h12h", "[{540 720}]", true},
		{"14h à 18h30", "[{840 1110}]", true},
		{"9h-12h et 14h-17h", "[{540 720} {840 1020}]", true},
		{"00:00 - 00:00 / 09:00 - 12:00", "[{540 720}]", true},
		{"09:45 - 12:00 / 09:45 - 12:00", "[{585 720}]", true},
		{"09:00 - 17:00 / 09:00 - 12:00 / 14:00 - 17:00", "[{540 1020}]", true},
		{"-", "[]", true},
		{"x", "[]", true},
		{"souscondition", "[]", false},
		{"17h-9h", "[]", false},
		{"9h75-12h", "[]", false},
	} {
		got, ok := parseSpans(c.in)
		if fmt.Sprint(got) != c.want || ok != c.ok {
			t.Errorf("%q: got %v %v, want %v %v", c.in, got, ok, c.want, c.ok)
		}
	}
	if got, want := hoursRules("Mo-Fr 09:00-12:00,14:00-17:00; Sa 09:00-12:00"), []string{"Mo-Fr 09:00-12:00", "Mo-Fr 14:00-17:00", "Sa 09:00-12:00"}; !cmp.Equal(got, want) {
		t.Errorf("OpenStreetMap: got %q, want %q", got, want)
	}
	if got := hoursRules("normal market timetable"); got != nil {
		t.Errorf("prose: got %q", got)
	}
}
