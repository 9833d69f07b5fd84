// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"essaim"
	"essaim/store/storetest"
)

func TestOutlinesAreDrawnWhereTheyAre(t *testing.T) {
	t.Parallel()
	got, err := Outlines(strings.NewReader(`{"type":"FeatureCollection","features":[
		{"type":"Feature","properties":{"nom":"<script>"},"geometry":{"type":"Polygon","coordinates":[[[-180,66.51326044311186],[0,66.51326044311186],[0,0],[-180,0],[-180,66.51326044311186]]]}},
		{"type":"Feature","geometry":{"type":"MultiPolygon","coordinates":[[[[0,0],[90,0],[90,-66.51326044311186],[0,0]]]]}},
		{"type":"Feature","geometry":{"type":"LineString","coordinates":[[0,0],[1e9,5],[90,0]]}},
		{"type":"Feature","geometry":{"type":"Point","coordinates":[1,1]}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	const half, quarter = outlineWorld / 2, outlineWorld / 4
	want := fmt.Sprintf(`d="M0 %[2]dl%[1]d 0 0 %[2]d-%[1]d 0 0-%[2]dM%[1]d %[1]dl%[2]d 0 0 %[2]d-%[2]d-%[2]dM%[1]d %[1]dl%[2]d 0"`, half, quarter)
	if !strings.Contains(string(got), want) || strings.Contains(string(got), "script") {
		t.Errorf("got %s, want %s", got, want)
	}
	if none, err := Outlines(); none != nil || err != nil {
		t.Errorf("no file gives %q, %v", none, err)
	}
	for _, bad := range []string{"", "{", `[]`, `{"features":[{"geometry":{"type":"Polygon","coordinates":[[1,2]]}}]}`} {
		if _, err := Outlines(strings.NewReader(bad)); !errors.Is(err, essaim.ErrInvalid) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestOutlinesStayLight(t *testing.T) {
	t.Parallel()
	var ring []string
	for i := range 300_000 {
		a := float64(i) / 300_000 * 2 * math.Pi
		r := 4 + math.Sin(a*40_000)
		ring = append(ring, fmt.Sprintf("[%f,%f]", r*math.Cos(a), 45+r*math.Sin(a)))
	}
	got, err := Outlines(strings.NewReader(`{"features":[{"geometry":{"type":"LineString","coordinates":[` + strings.Join(ring, ",") + `]}}]}`))
	if err != nil || len(got) > maxOutlines+1000 || len(got) < 1000 {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

// The départements of France, as anyone may load them.
func TestRealOutlinesKeepTheirShape(t *testing.T) {
	t.Parallel()
	corpus := os.Getenv("ESSAIM_CORPUS")
	raw, err := os.ReadFile(filepath.Join(corpus, "data", "territory", "departements-simplifie.geojson"))
	if corpus == "" || errors.Is(err, os.ErrNotExist) {
		if os.Getenv("CI") == "true" {
			t.Fatal("the corpus is absent")
		}
		t.Log("the corpus is absent: no real outline is read")
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	got, err := Outlines(strings.NewReader(string(raw)))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(got), "M"); n < 96 || len(got) > maxOutlines {
		t.Errorf("%d lines in %d bytes", n, len(got))
	}
}

func TestTheNodesOwnOutlinesAreOnItsMaps(t *testing.T) {
	t.Parallel()
	own, err := Outlines(strings.NewReader(`{"features":[{"geometry":{"type":"LineString","coordinates":[[0,0],[1,1]]}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t, storetest.SQLite(t), func(c *Config) { c.Ground.Outlines = own })
	d := s.get(t, "/carte", http.StatusOK)
	address := value(d.with("figure", "id", "carte")[0], "data-areas")
	resp := s.ask(http.MethodGet, address, "")
	body, err := io.ReadAll(resp.Body)
	if err != nil || string(body) != string(own) || resp.Header.Get("Content-Type") != "image/svg+xml" || !strings.Contains(resp.Header.Get("Cache-Control"), "immutable") {
		t.Errorf("%s: %q %v %v", address, body, resp.Header, err)
	}
	if strings.Contains(newSite(t, storetest.SQLite(t)).get(t, "/carte", http.StatusOK).raw, "areas.svg") {
		t.Error("a node without outlines names them")
	}
}

var pathNumber = regexp.MustCompile(`-?\d+`)

func FuzzOutlinesStayInTheWorld(f *testing.F) {
	for _, seed := range []string{`[[0,0],[1,1],[2,0]]`, `[[-180,90],[180,-90]]`, `[[1e308,0],[0,0],[0,1e-9]]`, `[[],[1],[1,2,3]]`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		if !json.Valid([]byte(line)) {
			return
		}
		got, err := Outlines(strings.NewReader(`{"features":[{"geometry":{"type":"LineString","coordinates":` + line + `}}]}`))
		if err != nil || got == nil {
			return
		}
		_, path, _ := strings.Cut(string(got), ` d="`)
		path, _, _ = strings.Cut(path, `"`)
		x, y := 0, 0
		for i, n := range pathNumber.FindAllString(path, -1) {
			v, err := strconv.Atoi(n)
			if err != nil {
				t.Fatal(err)
			}
			if i%2 == 0 {
				x += v
			} else if y += v; x < -1 || x > outlineWorld+1 || y < -1 || y > outlineWorld+1 {
				t.Fatalf("%s leaves the world: %s", line, path)
			}
		}
	})
}
