// SPDX-License-Identifier: AGPL-3.0-or-later

package transfer

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"essaim"
)

// corpus opens a file of real open data, or gives nil. Without the corpus the
// test says what it left out; where CI is set that is a failure.
func corpus(t *testing.T, name string) *os.File {
	t.Helper()
	dir := os.Getenv("ESSAIM_CORPUS")
	if dir == "" {
		dir = "../../../shared"
	}
	f, err := os.Open(filepath.Join(dir, "data", "initiatives", name))
	switch {
	case err == nil:
		t.Cleanup(func() { _ = f.Close() })
	case os.Getenv("CI") == "true":
		t.Fatalf("the corpus is required: %v", err)
	default:
		t.Logf("left out: %s (no corpus in %s)", name, dir)
		return nil
	}
	return f
}

func TestRealFilesLoadWhole(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, licence, attribution string
		kind                       essaim.Kind
		first, second              string
		candidates, coded, cut     int // rows unpublished; rows with an official code; contacts in texts
	}{
		{"france-services-20240801.csv", "etalab-2.0", "ANCT", essaim.KindVenue, "rows 2845 created 2845 changed 0 unchanged 0 refused 0", "rows 2845 created 0 changed 0 unchanged 2845 refused 0", 0, 2845, 345},
		{"mednum-bfc.csv", "ODbL-1.0", "MedNum BFC", essaim.KindVenue, "rows 697 created 697 changed 0 unchanged 0 refused 0", "rows 697 created 0 changed 0 unchanged 697 refused 0", 0, 600, 0},
		{"susy-ssedas-transformap.geojson", "CC-PDDC", "SUSY", essaim.KindOrganisation, "rows 1794 created 1794 changed 0 unchanged 0 refused 0", "rows 1794 created 0 changed 0 unchanged 1794 refused 0", 0, 20, 4},
		{"territoires-engagement.csv", "etalab-2.0", "ANCT", essaim.KindInitiative, "rows 230 created 229 changed 0 unchanged 0 refused 1", "rows 230 created 0 changed 0 unchanged 229 refused 1", 229, 229, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			file := corpus(t, c.name)
			if file == nil {
				return
			}
			sink := &codeSink{memorySink: memorySink{digests: map[string]string{}}}
			for _, want := range []string{c.first, c.second} {
				if _, err := file.Seek(0, 0); err != nil {
					t.Fatal(err)
				}
				f, err := Open(file, FormatAuto)
				if err != nil {
					t.Fatal(err)
				}
				m, err := Guess(f, nil)
				if err != nil {
					t.Fatal(err)
				}
				kind, why := m.GuessKind(f)
				if kind != c.kind {
					t.Errorf("kind: got %s (%s), want %s", kind, why, c.kind)
				}
				conv, err := NewConverter(f, m, ConvertConfig{Kind: kind, Licence: c.licence, Attribution: c.attribution})
				if err != nil {
					t.Fatal(err)
				}
				begin := time.Now()
				res, err := Import(t.Context(), Options{Import: essaim.Import{File: c.name}}, f, conv, sink)
				if err != nil {
					t.Fatal(err)
				}
				t.Logf("%s in %v; unused columns: %s; %d with a code", Line(res.Report), time.Since(begin), strings.Join(m.Unused, ", "), sink.coded)
				if got := Line(res.Report); got != want {
					t.Errorf("got %q, want %q; %v", got, want, res.Refusals)
				}
				if got := res.Report.Contacts; got != c.cut {
					t.Errorf("addresses and numbers cut: got %d, want %d", got, c.cut)
				}
				if got := res.Report.Candidates; got != c.candidates {
					t.Errorf("candidates: got %d, want %d", got, c.candidates)
				}
			}
			if len(sink.reach) > 0 {
				t.Errorf("%d rows tell how to reach people: %q", len(sink.reach), sink.reach[:min(10, len(sink.reach))])
			}
			if sink.coded < 2*c.coded {
				t.Errorf("official codes in both imports: got %d, want at least %d", sink.coded, 2*c.coded)
			}
		})
	}
}
