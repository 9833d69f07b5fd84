// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/store/storetest"
)

// body reads an answer in a format.
func (s *site) body(t testing.TB, path string, status int, with ...asked) (string, http.Header) {
	t.Helper()
	resp := s.ask(http.MethodGet, path, "", with...)
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != status {
		t.Fatalf("%s answers %d, want %d: %.500s", path, resp.StatusCode, status, b)
	}
	return string(b), resp.Header
}

func TestEveryListAndSearchIsInEachFormat(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db).fill(t)
		lists := map[string]essaim.Kind{"/recherche": ""}
		for _, k := range essaim.Kinds() {
			lists["/"+k.Path] = k.Kind
		}
		seen := 0
		for list, kind := range lists {
			for _, f := range formats {
				if !f.of(kind) {
					s.body(t, list+"."+f.ext, http.StatusNotFound)
					continue
				}
				seen++
				body, h := s.body(t, list+"."+f.ext, http.StatusOK)
				if !strings.HasPrefix(h.Get("Content-Type"), f.media) || h.Get("Access-Control-Allow-Origin") != "*" || h.Get("ETag") == "" || !strings.Contains(h.Get("Link"), storetest.Base+list) {
					t.Errorf("%s.%s: headers %v", list, f.ext, h)
				}
				if name := h.Get("Content-Disposition"); !f.feed && !strings.Contains(name, s.clock.Now().Format("-2006-01-02.")+f.ext) {
					t.Errorf("%s.%s is saved as %q", list, f.ext, name)
				}
				for k, rec := range s.records {
					want := kind == "" && f.of(k) && (f.only == "" || f.only == k) || kind == k
					if strings.Contains(body, rec.ID) != want {
						t.Errorf("%s.%s holds %s: %v, want %v", list, f.ext, rec.ID, !want, want)
					}
				}
				for _, secret := range []string{"Brouillon secret", "Voisine"} {
					if strings.Contains(body, secret) {
						t.Errorf("%s.%s tells %q", list, f.ext, secret)
					}
				}
			}
		}
		if seen != 7*5+2 {
			t.Errorf("read %d lists in formats", seen)
		}
	})
}

func TestAFormatTakesWhatItsPageTakes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db).fill(t)
		storetest.Publish(t, s.store, storetest.Initiative("Vélos réparés", func(c *essaim.Content) { c.Themes = []string{"mobilite"} }))
		for query, want := range map[string]int{
			"/initiatives?theme=mobilite": 1, "/initiatives?theme=alimentation": 2, "/initiatives?stage=experimentation": 1, "/recherche?q=%22velos+repares%22": 1,
			"/recherche?kind=venue": 2, "/recherche?territory=" + urlEscape(toulouseActor): 6, "/recherche?origin=local": 7, "/initiatives?near=Brest&radius=5": 3,
			"/initiatives?near=Toulouse&radius=5": 0, "/recherche?q=introuvable": 0, "/recherche?limit=3": 3,
		} {
			for _, ext := range []string{"csv", "geojson", "atom", "json"} {
				body, _ := s.body(t, strings.Replace(query, "?", "."+ext+"?", 1), http.StatusOK)
				if got := countIn(t, ext, body); got != want {
					t.Errorf("%s as %s holds %d, want %d", query, ext, got, want)
				}
			}
		}
	})
}

// countIn counts what a format holds.
func countIn(t *testing.T, ext, body string) int {
	t.Helper()
	var err error
	var n int
	switch ext {
	case "csv":
		var rows [][]string
		rows, err = csv.NewReader(strings.NewReader(body)).ReadAll()
		n = len(rows) - 1
	case "geojson":
		var c struct{ Features []any }
		err, n = json.Unmarshal([]byte(body), &c), 0
		n = len(c.Features)
	case "atom":
		var f atomFeed
		err = xml.Unmarshal([]byte(body), &f)
		n = len(f.Entries)
	case "json":
		var f jsonFeed
		err = json.Unmarshal([]byte(body), &f)
		n = len(f.Items)
	}
	if err != nil {
		t.Fatalf("%s: %v", ext, err)
	}
	return n
}

func TestPagesOfAFeedLeadToEachOther(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db)
		for i := range 120 {
			storetest.Publish(t, s.store, storetest.Initiative(fmt.Sprintf("Table numéro %03d", i)))
			s.clock.Move(time.Second)
		}
		var seen []string
		for next, page := storetest.Base+"/recherche.atom?q=table&theme=alimentation", 0; next != ""; page++ {
			body, _ := s.body(t, strings.TrimPrefix(next, storetest.Base), http.StatusOK)
			var f atomFeed
			if err := xml.Unmarshal([]byte(body), &f); err != nil {
				t.Fatal(err)
			}
			links := map[string]string{}
			for _, l := range f.Links {
				links[l.Rel] = l.Href
			}
			if links["self"] != next || (links["first"] != "") != (page > 0) || f.ID != storetest.Base+"/recherche.atom?q=table&theme=alimentation" {
				t.Errorf("page %d: id %s, links %v", page, f.ID, links)
			}
			for _, e := range f.Entries {
				seen = append(seen, e.Title)
			}
			next = links["next"]
		}
		if len(seen) != 120 || !slices.IsSortedFunc(seen, func(a, b string) int { return strings.Compare(b, a) }) {
			t.Errorf("%d entries, newest first: %v", len(seen), seen)
		}
	})
}

func TestWhatIsKnownIsNotSentAgain(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t)).fill(t)
	for _, path := range []string{"/initiatives.atom", "/recherche.json?q=table", "/lieux.csv", "/rencontres.ics", recordPath(s.records[essaim.KindMeeting]) + ".ics"} {
		_, h := s.body(t, path, http.StatusOK)
		s.body(t, path, http.StatusNotModified, header("If-None-Match", h.Get("ETag")))
		s.body(t, path, http.StatusOK, header("If-None-Match", `"other"`), header("If-Modified-Since", h.Get("Last-Modified")))
		if at := h.Get("Last-Modified"); at != "" {
			s.body(t, path, http.StatusNotModified, header("If-Modified-Since", at))
			s.body(t, path, http.StatusOK, header("If-Modified-Since", s.clock.Now().Add(-time.Hour).UTC().Format(http.TimeFormat)))
		} else if strings.Contains(path, ".atom") {
			t.Errorf("%s has no date", path)
		}
	}
	first, h := s.body(t, "/initiatives.atom", http.StatusOK)
	s.clock.Move(time.Minute)
	storetest.Publish(t, s.store, storetest.Initiative("Une de plus"))
	if again, _ := s.body(t, "/initiatives.atom", http.StatusOK, header("If-None-Match", h.Get("ETag"))); again == first {
		t.Error("the feed did not change")
	}
}

func TestAFormatSaysPlainlyWhatItRefuses(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t)).fill(t)
	for path, want := range map[string]struct {
		status int
		says   string
	}{
		"/initiatives.csv?near=Nulle-Part-les-Oies":    {400, `"near": `},
		"/recherche.atom?limit=1000":                   {400, `"limit": `},
		"/recherche.json?page=x":                       {400, "n’a pas été comprise"},
		"/recherche.geojson?page=x":                    {400, "Refaites la recherche"},
		"/recherche.csv?page=x&lang=en":                {400, "Search again"},
		"/nulle-part.csv":                              {404, "n’existe pas"},
		"/initiatives.ics":                             {404, "n’existe pas"},
		"/rencontres/aucune.ics":                       {404, "n’existe pas"},
		"/ailleurs/" + toulouse + "/complet-venue.ics": {404, "n’existe pas"},
	} {
		body, h := s.body(t, path, want.status)
		if !strings.HasPrefix(h.Get("Content-Type"), "text/plain") || !strings.Contains(body, want.says) || h.Get("Content-Disposition") != "" {
			t.Errorf("%s says %q as %v", path, body, h)
		}
	}
	away := newSite(t, storetest.SQLite(t), func(c *Config) { c.Store = broken{Store: c.Store, err: errors.New("SELECT secret")} })
	if body, _ := away.body(t, "/initiatives.csv", 500); strings.Contains(body, "secret") || !strings.Contains(body, "citez") {
		t.Errorf("a failure says %q", body)
	}
}

func TestFeedsKeepToLicenceAndConsent(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	shut := storetest.Publish(t, s.store, storetest.Initiative("Fiche réservée", func(c *essaim.Content) {
		c.Licence, c.Tagline, c.Text = "tous-droits", "En une phrase", "Le texte entier, qui ne se copie pas."
	}))
	storetest.Publish(t, s.store, storetest.Initiative("Fiche libre", func(c *essaim.Content) {
		c.Text = "<script>alert(1)</script>\n\n**Bonjour**"
		c.Contacts = []essaim.Contact{{Kind: "email", Value: "a@secret.example"}}
		c.Credits = []essaim.Credit{{Name: "Camille Secret", Role: "porteur", Person: true}, {Name: "Dominique", Role: "porteur", Person: true, Consent: &essaim.Consent{On: "2026-01-01", How: "link"}}}
	}))
	for _, f := range formats {
		body, _ := s.body(t, "/recherche."+f.ext, http.StatusOK)
		for _, never := range []string{"Le texte entier", "secret.example", "Camille Secret", "alert(1)</script>"} {
			if strings.Contains(body, never) && (f.feed || never != "alert(1)</script>") {
				t.Errorf("%s tells %q", f.ext, never)
			}
		}
		if f.feed && (!strings.Contains(body, shut.ID) || !strings.Contains(body, "En une phrase") || !strings.Contains(body, "Dominique") || !strings.Contains(body, "strong")) {
			t.Errorf("%s holds %s", f.ext, body)
		}
		if !f.feed && strings.Contains(body, shut.ID) {
			t.Errorf("the file %s holds what may not be copied", f.ext)
		}
	}
}

func TestListsAndRecordsNameTheirFormats(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t)).fill(t)
	d := s.get(t, "/initiatives?theme=alimentation&q=table", http.StatusOK)
	for _, ext := range []string{"atom", "json", "csv", "geojson", "jsonld"} {
		path := "/initiatives." + ext + "?q=table&theme=alimentation"
		if len(d.with("link", "href", path)) != 1 || len(d.with("a", "href", path)) != 1 {
			t.Errorf("the page does not lead to %s", path)
		}
	}
	if len(d.with("a", "href", "/initiatives.ics?q=table&theme=alimentation")) != 0 {
		t.Error("initiatives have no dates")
	}
	rec := s.records[essaim.KindMeeting]
	if page := s.get(t, recordPath(rec), http.StatusOK); len(page.with("a", "href", recordPath(rec)+".ics")) != 1 || len(page.with("link", "type", "text/calendar")) != 1 {
		t.Error("a meeting does not lead to its calendar")
	}
	if home := s.get(t, "/", http.StatusOK); len(home.with("link", "href", "/recherche.atom?origin=local")) != 1 {
		t.Error("the home page names no feed")
	}
}

// failing answers the first pages of a search only.
type failing struct {
	Store
	pages int
}

func (f *failing) Search(ctx context.Context, q essaim.Query) (essaim.Results, error) {
	if f.pages--; f.pages < 0 {
		return essaim.Results{}, errors.New("the database fell")
	}
	return f.Store.Search(ctx, q)
}

func TestAFileThatCannotBeFinishedIsNeverTakenForWhole(t *testing.T) {
	t.Parallel()
	for _, zip := range []bool{false, true} {
		fail := &failing{pages: 2}
		s := newSite(t, storetest.SQLite(t), func(c *Config) { fail.Store, c.Store = c.Store, fail })
		for i := range 250 {
			storetest.Publish(t, s.store, storetest.Initiative(fmt.Sprintf("Longue %d", i), func(c *essaim.Content) { c.Text = strings.Repeat(fmt.Sprintf("texte %d ", i), 1500) }))
		}
		server := httptest.NewServer(s)
		defer server.Close()
		client := &http.Client{Transport: &http.Transport{DisableCompression: !zip}}
		for _, ext := range []string{"csv", "geojson"} {
			fail.pages = 2
			req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/initiatives."+ext, nil)
			resp, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			n, err := io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			if err == nil || n < wholeFile/2 {
				t.Errorf("%s (compressed %v): %d bytes, %v; want a cut", ext, zip, n, err)
			}
		}
		fail.pages = 1 // of three: less than what is held before anything is sent
		if body, _ := s.body(t, "/initiatives.csv?limit=100", http.StatusOK); countIn(t, "csv", body) != 100 {
			t.Error("a file of one page needs no other")
		}
		fail.pages = 0
		s.body(t, "/initiatives.csv", http.StatusInternalServerError)
	}
}

func TestFewFilesAreWrittenAtATime(t *testing.T) {
	t.Parallel()
	var f filesOut
	one := netip.MustParsePrefix("192.0.2.1/32")
	for i := range maxFilesOne {
		if !f.take(one) {
			t.Fatalf("file %d of one reader is refused", i)
		}
	}
	if f.take(one) {
		t.Error("one reader takes more than their part")
	}
	for i := range maxFiles - maxFilesOne {
		if !f.take(netip.PrefixFrom(netip.AddrFrom4([4]byte{198, 51, 100, byte(i)}), 32)) {
			t.Fatalf("reader %d is refused", i)
		}
	}
	if f.take(netip.MustParsePrefix("203.0.113.1/32")) {
		t.Error("more files than the node bears")
	}
	f.give(one)
	if !f.take(netip.MustParsePrefix("203.0.113.1/32")) {
		t.Error("a place that was given back is not taken")
	}
}
