// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"io"
	"math"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"essaim/store/storetest"
)

var testZone = time.FixedZone("CET", 3600)

var token = regexp.MustCompile(`--([a-z-]+):(#[0-9a-f]{6})`)

// palettes reads the colours of the style sheet: light, and dark over it.
func palettes(t *testing.T) map[string]map[string]string {
	t.Helper()
	css, err := os.ReadFile("static/essaim.css")
	if err != nil {
		t.Fatal(err)
	}
	light, rest, ok := strings.Cut(string(css), "@media (prefers-color-scheme:dark)")
	dark, _, ok2 := strings.Cut(rest, "}}")
	if !ok || !ok2 {
		t.Fatal("the style sheet has no two palettes")
	}
	out := map[string]map[string]string{"light": {}, "dark": {}}
	for _, m := range token.FindAllStringSubmatch(light, -1) {
		out["light"][m[1]], out["dark"][m[1]] = m[2], m[2]
	}
	for _, m := range token.FindAllStringSubmatch(dark, -1) {
		out["dark"][m[1]] = m[2]
	}
	return out
}

// contrast is that of WCAG 2.2, 1.4.3.
func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	la, lb := luminance(t, a), luminance(t, b)
	return (math.Max(la, lb) + 0.05) / (math.Min(la, lb) + 0.05)
}

func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	var sum float64
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(hex[1+2*i:3+2*i], 16, 8)
		if err != nil {
			t.Fatalf("colour %q: %v", hex, err)
		}
		c := float64(n) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}

func TestColoursContrastEnough(t *testing.T) {
	t.Parallel()
	pairs := []struct {
		on, text string
		min      float64
	}{
		{"paper", "ink", 7},
		{"raised", "ink", 7},
		{"sunk", "ink", 7},
		{"paper", "soft", 4.5},
		{"raised", "soft", 4.5},
		{"sunk", "soft", 4.5},
		{"paper", "brand", 4.5},
		{"raised", "brand", 4.5},
		{"sunk", "brand", 4.5},
		{"brand-soft", "brand", 4.5},
		{"brand", "on-brand", 4.5},
		{"honey-soft", "on-honey", 4.5},
		{"honey-soft", "ink", 4.5},
		{"good-soft", "good", 4.5},
		{"warn-soft", "warn", 4.5},
		{"bad-soft", "bad", 4.5},
		{"bad", "paper", 4.5},
		{"good-soft", "ink", 4.5},
		{"warn-soft", "ink", 4.5},
		{"raised", "edge", 3},
		{"paper", "edge", 3},
		{"paper", "focus", 3},
		{"raised", "focus", 3},
		{"sunk", "focus", 3},
	}
	for _, kind := range []string{"initiative", "recipe", "venue", "organisation", "meeting", "remake"} {
		for _, on := range []string{kind + "-soft", "raised", "paper"} {
			pairs = append(pairs, struct {
				on, text string
				min      float64
			}{on, kind, 4.5})
		}
	}
	for name, p := range palettes(t) {
		for _, pair := range pairs {
			on, text := p[pair.on], p[pair.text]
			if on == "" || text == "" {
				t.Errorf("%s: no colour %s or %s", name, pair.on, pair.text)
				continue
			}
			if got := contrast(t, on, text); got < pair.min {
				t.Errorf("%s: %s on %s is %.2f, want at least %.1f", name, pair.text, pair.on, got, pair.min)
			}
		}
	}
}

// ofTheMap are the files that no page without a map loads.
var ofTheMap = [...]string{"leaflet.js", "leaflet.css", "carte.css", "carte.js", "outlines.svg", "pmtiles.js"}

func TestAMapIsLightForAPhone(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t)).fill(t)
	sent := 0
	for _, path := range append([]string{"/carte", "/static/essaim.css", "/static/icons.svg", "/static/atkinson.woff2", "/static/bricolage-700.woff2"}, staticPaths(ofTheMap[:])...) {
		resp := s.ask(http.MethodGet, path, "", header("Accept-Encoding", "gzip"))
		n, err := io.Copy(io.Discard, resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%s answers %d, %v", path, resp.StatusCode, err)
		}
		sent += int(n)
	}
	if sent > 300_000 || sent < 100_000 {
		t.Errorf("a page with a map weighs %d bytes with all that it loads", sent)
	}
	if n := len(s.assets["leaflet.js"].body); n > 160_000 {
		t.Errorf("Leaflet weighs %d bytes", n)
	}
}

func staticPaths(names []string) []string {
	paths := make([]string, len(names))
	for i, n := range names {
		paths[i] = "/static/" + n
	}
	return paths
}

func TestStyleSheetLoadsOnlyWhatStandsBesideIt(t *testing.T) {
	t.Parallel()
	assets, err := loadAssets()
	if err != nil {
		t.Fatal(err)
	}
	urls := regexp.MustCompile(`url\(([^)]*)\)`).FindAllStringSubmatch(string(assets["essaim.css"].body), -1)
	if len(urls) < 3 {
		t.Fatalf("the style sheet names %d files", len(urls))
	}
	for _, u := range urls {
		name, version, ok := strings.Cut(u[1], "?v=")
		if a, known := assets[name]; !ok || !known || a.hash != version {
			t.Errorf("the style sheet loads %s, which does not stand beside it", u[1])
		}
	}
	total := 0
	for name, a := range assets {
		if slices.Contains(ofTheMap[:], name) || strings.HasSuffix(name, ".js") {
			continue // of a map, or read after the page is
		}
		if name != "licences.txt" && name != "booklet.css" && name != "swarm.svg" && !strings.HasPrefix(name, "actor") { // pictures of actors: no page loads them
			total += len(a.body)
		}
	}
	if total > 100_000 {
		t.Errorf("style, fonts and icons weigh %d bytes before compression", total)
	}
}
