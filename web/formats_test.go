// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
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
		storetest.Publish(t, s.store, essaim.Content{Kind: essaim.KindMeeting, Title: "Rencontre passée", Licence: "cc0-1.0", Everywhere: true, Body: &essaim.Meeting{Start: s.clock.Now().Add(-48 * time.Hour)}})
		for query, want := range map[string]int{
			"/initiatives?theme=mobilite": 1, "/initiatives?theme=alimentation": 2, "/initiatives?stage=experimentation": 1, "/recherche?q=%22velos+repares%22": 1,
			"/recherche?kind=venue": 2, "/recherche?territory=" + urlEscape(toulouseActor): 6, "/recherche?origin=local": 8, "/initiatives?near=Brest&radius=5": 3,
			"/rencontres?origin=local": 1, "/rencontres?origin=local&quand=toutes": 2, "/initiatives?near=Toulouse&radius=5": 0, "/recherche?q=introuvable": 0, "/recherche?limit=3": 3,
		} {
			for _, ext := range []string{"csv", "geojson", "atom", "json"} {
				body, _ := s.body(t, strings.Replace(query, "?", "."+ext+"?", 1), http.StatusOK)
				if f, _ := formatOf("x." + ext); f.feed && query == "/rencontres?origin=local" {
					want = 2 // what was is news too
				}
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
		err = json.Unmarshal([]byte(body), &c)
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
		} else if strings.HasPrefix(path, "/rencontres/") {
			t.Errorf("%s has no date", path)
		}
	}
	// A record that goes is no later change: only the tag tells.
	before := header("If-Modified-Since", s.clock.Now().UTC().Format(http.TimeFormat))
	gone := s.records[essaim.KindInitiative]
	if err := s.store.WithdrawRecord(t.Context(), gone.ID, storetest.Author); err != nil {
		t.Fatal(err)
	}
	if body, _ := s.body(t, "/initiatives.atom", http.StatusOK, before); strings.Contains(body, gone.ID) {
		t.Error("a withdrawn record is in the feed")
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
		"/initiatives.csv?near=Nulle-Part-les-Oies":    {400, `"near": Commune inconnue`},
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
