// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"essaim"
	"essaim/store/storetest"
)

func located(title string, lat, lon float64) essaim.Content {
	return storetest.Initiative(title, func(c *essaim.Content) {
		la, lo := essaim.Point(lat, lon)
		c.Places = []essaim.Place{{City: "Brest", INSEE: "29019", Lat: la, Lon: lo}}
		if lon > 0 {
			c.Places[0].City, c.Places[0].INSEE = "Toulouse", "31555"
		}
	})
}

// cells asks for those of an address.
func (s *site) cells(t *testing.T, query string) CellCollection {
	t.Helper()
	resp := s.ask(http.MethodGet, "/carte/cellules.geojson?"+query, "")
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "application/geo+json" || resp.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Fatalf("%s answers %d, %v", query, resp.StatusCode, resp.Header)
	}
	var out CellCollection
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestTheMapShowsTheResultOfASearch(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db)
		for i := range 3 {
			storetest.Publish(t, s.store, located(fmt.Sprintf("Jardin %d", i), 48.39, -4.48))
		}
		alone := storetest.Publish(t, s.store, located("Atelier vélo", 43.6, 1.44))
		storetest.Publish(t, s.store, storetest.Initiative("Sans lieu", func(c *essaim.Content) { c.Places, c.Everywhere = nil, true }))

		d := s.get(t, "/carte", http.StatusOK)
		marks := d.with("a", "aria-label", "3 emplacements")
		if len(marks) != 1 || len(d.with("a", "aria-label", "Atelier vélo")) != 1 || len(d.with("circle", "r", "*")) != 2 {
			t.Fatalf("the map shows %s", d.raw)
		}
		towns := d.with("section", "class", "town")
		if len(towns) != 3 || !strings.HasPrefix(textOf(towns[0]), "Brest 3 fiches") || !strings.Contains(textOf(towns[0]), "Jardin 0") ||
			!strings.HasPrefix(textOf(towns[1]), "Toulouse 1 fiche") || !strings.HasPrefix(textOf(towns[2]), "Sans commune précise 1 fiche") {
			t.Errorf("the list by commune has %d parts: %s", len(towns), d.text())
		}
		d.says(t, "5 fiches", "4 emplacements", "Une fiche sans lieu précis n’est pas sur la carte")
		s.get(t, "/carte?q=jardin", http.StatusOK).hides(t, "sans lieu précis")
		if got := s.get(t, value(d.with("a", "href", "/carte?commune=29019")[0], "href"), http.StatusOK); !strings.Contains(got.text(), "3 fiches") {
			t.Errorf("in Brest: %s", got.text())
		}
		// A mark of several leads to its part of the map, with the list of what is there.
		in := s.get(t, value(marks[0], "href"), http.StatusOK)
		in.says(t, "3 fiches", "Jardin 0", "zone de la carte")
		in.hides(t, "Atelier vélo")
		// The same search as a list, and back.
		for _, from := range []string{"/carte?q=jardin&theme=alimentation", "/recherche?q=jardin&theme=alimentation"} {
			d := s.get(t, from, http.StatusOK)
			for _, to := range []string{"/carte?", "/recherche?"} {
				if len(d.with("a", "href", to+"q=jardin&theme=alimentation")) != 1 {
					t.Errorf("%s does not lead to %s", from, to)
				}
			}
		}
		if len(s.get(t, "/initiatives", http.StatusOK).with("a", "href", "/carte?kind=initiative")) != 1 {
			t.Error("the initiatives do not lead to their map")
		}

		got := s.cells(t, "bbox=-6,43,3,49&zoom=4")
		if got.Total != 4 || len(got.Features) != 2 || got.Features[0].Properties.Count != 3 || got.Features[1].Properties.Path != recordPath(alone) {
			t.Errorf("cells = %+v", got)
		}
		if got := s.cells(t, "bbox=-6,43,3,49&zoom=4&q=velo"); got.Total != 1 || got.Features[0].Properties.ID != alone.ID {
			t.Errorf("cells of a word = %+v", got)
		}
		if got := s.cells(t, "near=Brest&radius=5"); got.Total != 3 {
			t.Errorf("cells near Brest = %+v", got)
		}
	})
}

func TestTheListUnderAMapSaysHowMuchOfEachCommuneItShows(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	in := func(code string) Card {
		return Card{Record: essaim.Record{Content: essaim.Content{Places: []essaim.Place{{INSEE: code}}}}}
	}
	list := []Card{in("29075"), in(""), in("31555"), in("29019"), in("29019"), in("29190")}
	counts := essaim.Facets{Communes: []essaim.Count{{Value: "29019", N: 49}, {Value: "31555", N: 1000, Capped: true}, {Value: "29190", N: 1}}}
	var got []string
	for _, town := range s.towns(s.locales["fr"], list, counts, url.Values{"q": {"jardin"}}) {
		got = append(got, plain(fmt.Sprint(town.Name, ": ", town.Count, "; ", town.See, " ", town.All)))
	}
	want := []string{
		"Toulouse: 1 fiche sur 1 000+; Plus de 1 000 fiches /recherche?commune=31555&q=jardin",
		"Brest: 2 fiches sur 49; Voir les 49 fiches /recherche?commune=29019&q=jardin",
		"Plougonvelin: 1 fiche;",
		"Guipavas: 1 fiche;", // not among the communes that are counted
		": 1 fiche;",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestCellsAreAskedForOnceUntilTheyChange(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	storetest.Publish(t, s.store, located("Jardin", 48.39, -4.48))
	etag := s.ask(http.MethodGet, "/carte/cellules.geojson", "").Header.Get("ETag")
	if got := s.ask(http.MethodGet, "/carte/cellules.geojson", "", header("If-None-Match", etag)); got.StatusCode != http.StatusNotModified {
		t.Errorf("unchanged cells answer %d", got.StatusCode)
	}
	storetest.Publish(t, s.store, located("Verger", 48.39, -4.48))
	if got := s.ask(http.MethodGet, "/carte/cellules.geojson", "", header("If-None-Match", etag)); got.StatusCode != http.StatusOK {
		t.Errorf("changed cells answer %d", got.StatusCode)
	}
}

func TestAMapThatCannotBeIsRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	for _, query := range []string{
		"bbox=1,2,3", "bbox=a,b,c,d", "bbox=NaN,0,1,1", "bbox=-181,0,0,1", "bbox=0,50,1,40", "bbox=0,0,1,Inf", "bbox=1,2,3,4,5",
		"zoom=-1", "zoom=20", "zoom=x", "zoom=99999999999999999999", "near=Nulle-Part-les-Oies", "kind=x", "q=%00",
	} {
		resp := s.ask(http.MethodGet, "/carte/cellules.geojson?"+query, "")
		if resp.StatusCode != http.StatusBadRequest || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/plain") {
			t.Errorf("%s answers %d %s", query, resp.StatusCode, resp.Header.Get("Content-Type"))
		}
		if strings.HasPrefix(query, "bbox") {
			s.get(t, "/carte?"+query, http.StatusBadRequest).says(t, "La recherche n’a pas pu se faire")
		}
	}
}

func TestADrawnMapHoldsItsBox(t *testing.T) {
	t.Parallel()
	for _, b := range []essaim.Box{
		{South: 48.3, North: 48.5, West: -4.6, East: -4.3},
		{South: 48.39, North: 48.39, West: -4.48, East: -4.48},
		{South: -90, North: 90, West: -180, East: 180},
		{South: -21, North: 51, West: -62, East: 56},
		{South: -20, North: -10, West: 170, East: -170},
	} {
		f := frameOf(b)
		east := b.East
		for _, at := range [][2]float64{{b.South, b.West}, {b.North, east}, {b.South, east}, {b.North, b.West}} {
			if x, y := f.at(at[0], at[1]); x < 0 || x > mapWidth || y < 0 || y > mapHeight {
				t.Errorf("%+v: %v is drawn at %d,%d", b, at, x, y)
			}
		}
		if got := f.box(); !got.Valid() || got.South > b.South && b.South > -85 || got.North < b.North && b.North < 85 {
			t.Errorf("%+v is shown as %+v", b, got)
		}
	}
}

func FuzzABoxIsReadAsItIsWritten(f *testing.F) {
	for _, s := range []string{"-5,47,-1,49", "170,-20,-170,-10", "NaN,1,2,3", "1e999,0,0,0", "0,0,0,0", "-180,-90,180,90"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p := essaim.Problems{}
		b := parseBox(url.Values{paramBox: {text}}, p)
		if b == nil || len(p) > 0 {
			return
		}
		again := parseBox(url.Values{paramBox: {boxText(*b)}}, p)
		if len(p) > 0 || again == nil || math.Abs(again.West-b.West) > 1e-4 || math.Abs(again.North-b.North) > 1e-4 {
			t.Fatalf("%q is %+v, then %+v", text, b, again)
		}
	})
}

func TestFramesAloneMayBeShownByOtherSites(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t)).fill(t)
	framed := 0
	for _, path := range append(s.addresses(t), "/static/essaim.css", "/api/v1/openapi.json", "/carte/cellules.geojson", "/carte/cadre?vue=liste&theme=alimentation") {
		h := s.ask(http.MethodGet, path, "", s.signedIn).Header
		csp, deny := h.Get("Content-Security-Policy"), h.Get("X-Frame-Options")
		if !strings.HasPrefix(path, framePath) {
			if !strings.Contains(csp, "frame-ancestors 'none'") || deny != "DENY" {
				t.Errorf("%s may be framed: %s, %q", path, csp, deny)
			}
			continue
		}
		framed++
		if !strings.Contains(csp, "frame-ancestors *") || deny != "" || !strings.Contains(csp, "default-src 'none'") {
			t.Errorf("%s: %s, %q", path, csp, deny)
		}
		if cookies := h.Values("Set-Cookie"); len(cookies) > 0 {
			t.Errorf("%s sets %v", path, cookies)
		}
	}
	if framed != 2 {
		t.Errorf("%d frames, want 2", framed)
	}
}

func TestAFrameShowsTheSearchOfItsCode(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db)
		storetest.Publish(t, s.store, located("Jardin partagé", 48.39, -4.48))
		storetest.Publish(t, s.store, located("Atelier vélo", 48.39, -4.48))
		page := s.get(t, "/carte/integrer?q=jardin", http.StatusOK)
		codes := page.all("textarea")
		if len(codes) != 2 {
			t.Fatalf("%d codes", len(codes))
		}
		for i, code := range codes {
			frame, err := html.Parse(strings.NewReader(textOf(code)))
			if err != nil {
				t.Fatal(err)
			}
			src := value((&doc{root: frame}).all("iframe")[0], "src")
			path, ok := strings.CutPrefix(src, storetest.Base)
			if !ok {
				t.Fatalf("the frame is at %s", src)
			}
			d := s.get(t, path, http.StatusOK, s.signedIn)
			d.says(t, "Jardin partagé", "Voir tout sur le site de Brest", "licence libre")
			d.hides(t, "Atelier vélo", adminEmail)
			if n := len(d.all("script")); (i == 0) != (n > 0) {
				t.Errorf("%s has %d scripts", path, n)
			}
			for _, a := range d.all("a") {
				if href := value(a, "href"); !strings.HasPrefix(href, "#") && !strings.HasPrefix(href, framePath) && value(a, "target") != "_blank" {
					t.Errorf("%s: %s opens within the frame", path, href)
				}
			}
			if len(d.with("a", "href", "/carte?q=jardin&lang=fr")) != 1 {
				t.Errorf("%s does not lead to the whole, in its language", path)
			}
		}
		s.get(t, "/carte/integrer?bbox=x", http.StatusBadRequest)
		s.get(t, "/carte/cadre?bbox=x", http.StatusBadRequest).says(t, "La recherche n’a pas pu se faire")
	})
}

func TestAMapLoadsItsGroundAndNothingElse(t *testing.T) {
	t.Parallel()
	archive := filepath.Join(t.TempDir(), "map.pmtiles")
	if err := os.WriteFile(archive, []byte(strings.Repeat("0123456789", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		ground Ground
		images string
		says   string
	}{
		{"outlines", Ground{}, "img-src 'self';", "data-outlines"},
		{"tiles", Ground{Tiles: "https://tiles.example:444/a/{z}/{x}/{y}.png", Credit: "© <b>Elles</b>"}, "img-src 'self' https://tiles.example:444;", `data-made="© &lt;b&gt;Elles&lt;/b&gt;"`},
		{"an archive", Ground{Archive: archive}, "img-src 'self' blob:;", `data-archive="/carte/fond.pmtiles"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, storetest.SQLite(t), func(c *Config) { c.Ground = tt.ground })
			for _, path := range []string{"/carte", "/carte/cadre"} {
				d := s.get(t, path, http.StatusOK)
				if csp := d.resp.Header.Get("Content-Security-Policy"); !strings.Contains(csp, tt.images) || !strings.Contains(d.raw, tt.says) {
					t.Errorf("%s: %s\n%s", path, csp, d.raw)
				}
			}
			if csp := s.get(t, "/recherche", http.StatusOK).resp.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "img-src 'self';") {
				t.Errorf("a page without a map loads more: %s", csp)
			}
			says := "Il ne demande rien à d’autres sites"
			if tt.ground.Tiles != "" {
				says = "vient de tiles.example:444"
			}
			s.get(t, "/carte/integrer", http.StatusOK).says(t, says)
			part := s.ask(http.MethodGet, "/carte/fond.pmtiles", "", header("Range", "bytes=10-14"), header("Accept-Encoding", "gzip"))
			body, err := io.ReadAll(part.Body)
			switch {
			case tt.ground.Archive == "" && part.StatusCode != http.StatusNotFound:
				t.Errorf("a file that is not there answers %d", part.StatusCode)
			case tt.ground.Archive != "" && (part.StatusCode != http.StatusPartialContent || string(body) != "01234" || err != nil):
				t.Errorf("a part answers %d %q %v", part.StatusCode, body, err)
			}
		})
	}
}

func TestAGroundThatCannotBeIsRefused(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"", "https://tiles.example/{z}/{x}.png", "http://tiles.example/{z}/{x}/{y}.png", "https://{s}.tiles.example/{z}/{x}/{y}.png",
		"https://tiles.example;script-src/{z}/{x}/{y}", "https://a@tiles.example/{z}/{x}/{y}", "https:///{z}/{x}/{y}", "https://{z}.example/{x}/{y}",
		"https://tiles.example/{z}/{x}/{y} https://evil.example", "javascript:{z}{x}{y}",
	} {
		if err := CheckTiles(address); !errors.Is(err, essaim.ErrInvalid) {
			t.Errorf("%q: %v", address, err)
		}
	}
	if err := CheckTiles("https://tiles.example/osm/{z}/{x}/{y}.png?key=a"); err != nil {
		t.Error(err)
	}
	file := filepath.Join(t.TempDir(), "map.pmtiles")
	for kind, want := range map[byte]bool{0: false, 1: false, 2: true, 4: true, 5: true, 6: false} {
		head := append([]byte("PMTiles\x03"), make([]byte, 200)...)
		head[99] = kind
		if err := os.WriteFile(file, head, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := CheckArchive(file); (err == nil) != want {
			t.Errorf("tiles of kind %d: %v", kind, err)
		}
	}
	if err := CheckArchive(file + ".absent"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

func TestAMapNamesTheTownsThatItShows(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	got := s.cells(t, "bbox=-5.2,47.7,-1,48.9&zoom=9").Names
	if len(got) < 3 || len(got) > maxNames || got[0].Name != "Rennes" || got[1].Name != "Brest" {
		t.Errorf("names = %+v", got)
	}
	if d := s.get(t, "/carte?bbox=-5.2,47.7,-1,48.9", http.StatusOK); !strings.Contains(d.raw, ">Brest</text>") {
		t.Error("the drawing does not name Brest")
	}
	if got := s.cells(t, "bbox=-40,30,-30,40&zoom=5").Names; len(got) > 0 {
		t.Errorf("names in the ocean: %+v", got)
	}
	tiled := newSite(t, storetest.SQLite(t), func(c *Config) { c.Ground = Ground{Tiles: "https://tiles.example/{z}/{x}/{y}.png", Credit: "Elles"} })
	if got := tiled.cells(t, "bbox=-5.2,47.7,-1,48.9&zoom=9").Names; len(got) > 0 {
		t.Errorf("names on tiles that have them: %+v", got)
	}
}
