// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/store/storetest"
)

func TestTheAPICountsFacetsByTheNamesOfParameters(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db).fill(t)
		list := call[APIList](t, s, http.MethodGet, "initiatives?facets=1&commune=Brest", "", http.StatusOK)
		if got := list.Facets[paramCommune]; len(got) == 0 || got[0].Value != "29019" || got[0].Count != list.Total || got[0].Label == "" {
			t.Errorf("communes = %+v of %d", got, list.Total)
		}
		for _, name := range []string{paramTheme, paramStage, paramPurpose, paramPublic, paramLicence, paramHelp, paramTerritory} {
			if len(list.Facets[name]) == 0 {
				t.Errorf("no facet %s in %+v", name, list.Facets)
				continue
			}
			// Each value leads to what it counts.
			c := list.Facets[name][0]
			narrowed := call[APIList](t, s, http.MethodGet, "initiatives?commune=29019&"+url.Values{name: {c.Value}}.Encode(), "", http.StatusOK)
			if narrowed.Total != c.Count {
				t.Errorf("%s=%s finds %d, and is counted %d", name, c.Value, narrowed.Total, c.Count)
			}
		}
	})
}

func TestMeetingsOfSomeDays(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db)
		for title, day := range map[string]int{"Avant-hier": -2, "Demain": 1, "Dans dix jours": 10} {
			start := storetest.Start.AddDate(0, 0, day)
			storetest.Publish(t, s.store, storetest.Initiative(title, func(c *essaim.Content) {
				c.Kind, c.Body = essaim.KindMeeting, &essaim.Meeting{Start: start, End: start.Add(time.Hour)}
			}))
			s.clock.Move(time.Second)
		}
		on := func(days int) string { return storetest.Start.AddDate(0, 0, days).Format(time.DateOnly) }
		for query, want := range map[string]string{
			"":                                "Demain, Dans dix jours",
			"?from=" + on(-3):                 "Avant-hier, Demain, Dans dix jours",
			"?from=" + on(1) + "&to=" + on(1): "Demain",
			"?to=" + on(5):                    "Demain",
			"?to=" + on(-1):                   "Avant-hier",
			"?from=" + on(2) + "&to=" + on(9): "",
		} {
			var got []string
			d := s.get(t, "/rencontres"+query, http.StatusOK)
			for _, n := range d.all("h3") {
				got = append(got, textOf(n))
			}
			if strings.Join(got, ", ") != want {
				t.Errorf("%s lists %q, want %s", query, got, want)
			}
		}
		s.get(t, "/rencontres?from=demain&to="+on(1), http.StatusBadRequest).says(t, "Date non reconnue")
		s.get(t, "/rencontres?from="+on(2)+"&to="+on(1), http.StatusBadRequest).says(t, "La fin vient avant le début")
	})
}

// Facets of the meetings to come are counted as of the day that it is in the
// territory, which begins before that of Greenwich.
func TestFacetsOfMeetingsAreOfTheDayHere(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db)
		for title, hours := range map[string]int{"Ce soir": 8, "Demain": 30} {
			c := located(title, 48.39, -4.48)
			start := storetest.Start.Add(time.Duration(hours) * time.Hour)
			c.Kind, c.Themes, c.Body = essaim.KindMeeting, []string{"reemploi"}, &essaim.Meeting{Start: start, End: start.Add(time.Hour)}
			storetest.Publish(t, s.store, c)
		}
		s.clock.Move(13*time.Hour + 30*time.Minute) // half past midnight in Paris
		s.get(t, "/rencontres", http.StatusOK).says(t, "Brest (29) 1", "1 fiche")
	})
}

// The map of a list of meetings to come has those alone, of today and later.
func TestTheMapOfMeetingsToComeLeavesOutThosePast(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db)
		for title, days := range map[string]int{"Hier": -1, "Demain": 1} {
			c := located(title, 48.39, -4.48)
			c.Kind, c.Body = essaim.KindMeeting, &essaim.Meeting{Start: s.clock.Now().AddDate(0, 0, days)}
			storetest.Publish(t, s.store, c)
		}
		feeds := map[string]string{}
		for list, want := range map[string]string{"/rencontres": "1 fiche", "/rencontres?quand=toutes": "2 fiches", "/rencontres?to=2020-01-01": "0 fiche"} {
			d := s.get(t, list, http.StatusOK)
			onMap := ""
			for _, a := range d.all("a") {
				if href := value(a, "href"); strings.HasPrefix(href, "/carte?") {
					onMap = href
				}
			}
			of := s.get(t, onMap, http.StatusOK)
			if d, of := textOf(d.with("h2", "id", "h-results")[0]), textOf(of.with("h2", "id", "h-results")[0]); d != want || of != want {
				t.Errorf("%s lists %s, its map %s; want %s", list, d, of, want)
			}
			atom := ""
			for _, link := range of.with("link", "type", "application/atom+xml") {
				atom = value(link, "href")
			}
			if feeds[list] = atom; list == "/rencontres" {
				s.get(t, strings.Replace(onMap, mapPath, embedPath, 1), http.StatusOK).hides(t, "Toutes les fiches")
				s.get(t, strings.Replace(atom, "/recherche.atom", embedPath, 1), http.StatusOK).hides(t, "Toutes les fiches")
			}
		}
		// What is followed from the map goes on with the days.
		s.clock.Move(48 * time.Hour)
		for list, want := range map[string]int{"/rencontres": 0, "/rencontres?quand=toutes": 2} {
			if body, _ := s.body(t, feeds[list], http.StatusOK); strings.Count(body, "<entry") != want {
				t.Errorf("%s, followed from its map by %s, has %d entries two days later, want %d", list, feeds[list], strings.Count(body, "<entry"), want)
			}
		}
	})
}

// A call that has ended is no call: neither the badge nor the facet has it.
func TestWhatWantsHelpNoMoreSaysSo(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db)
		month := s.clock.Now().Format("2006-01")
		for title, until := range map[string]string{"Sans fin": "", "Ce mois": month, "Autrefois": "2001"} {
			storetest.Publish(t, s.store, storetest.Initiative(title, func(c *essaim.Content) { c.HelpWanted = []essaim.HelpNotice{{Kind: "lieu", Until: until}} }))
		}
		wanted := strings.Count(plain(s.get(t, "/initiatives", http.StatusOK).text()), "A besoin d'aide")
		if found := len(s.get(t, "/initiatives?help=1", http.StatusOK).all("article")); wanted != 2 || found != 2 {
			t.Errorf("%d have the badge, %d are found; want 2", wanted, found)
		}
	})
}

// hostile is what searches are sent that no person types.
func hostile() (queries []string) {
	texts := []string{
		"*", "a*", `"`, `""""`, "' OR 1=1 --", "NEAR(a b, 3)", "{head} : x", "a AND OR NOT (", ":*&|!<->()", "%00", "\x00", "a\x00b", "\xff\xfe", "-", "--a", "OU", "OU OU OU",
		strings.Repeat("a", 10_000), strings.Repeat("a ", 5000), strings.Repeat("-a ", 3000), strings.Repeat("é", 500), strings.Repeat(`"a" OU `, 70),
		strings.Repeat("(", 400), strings.Repeat("👩\u200d🌾", 100), "\u202e\u0300\ufeff", "../../etc/passwd", "<script>alert(1)</script>", "${jndi:ldap://x}",
	}
	for _, text := range texts {
		queries = append(queries, url.Values{"q": {text}}.Encode())
	}
	all := url.Values{"q": {"pain OU levain -four"}, "near": {"Brest"}, "radius": {"500"}, "help": {"1"}, "since": {"2020-01-01"}, "until": {"2030-01-01"}, "from": {"1900-01-01"}, "to": {"2200-12-31"}, "origin": {"local"}}
	for _, k := range essaim.Kinds() {
		all.Add("kind", string(k.Kind))
	}
	for _, t := range essaim.Themes()[:20] {
		all.Add("theme", t.ID)
	}
	for _, t := range essaim.ListStage.Terms() {
		all.Add("stage", t.ID)
	}
	for _, t := range essaim.ListPurpose.Terms() {
		all.Add("purpose", t.ID)
	}
	for _, l := range essaim.Licences() {
		all.Add("licence", l.ID)
	}
	for _, c := range []string{"Brest", "31555", "59599"} {
		all.Add("commune", c)
		all.Add("public", c)
		all.Add("territory", "https://x.example/"+c)
	}
	return append(queries, all.Encode(), "theme="+strings.Repeat("a&theme=", 21), "commune=zzz", "public=%2A", "licence=mit", "help=2", "purpose=x", "page=1.2.3", "page=9999999999999999999999",
		"near=91,0", "near=NaN,NaN", "near=Brest&radius=1e308", "radius=-1&near=Brest", "limit=1e9", "limit=0", "since=9999-99-99", "until=%00", "from=2026-02-30", "from=2026-03-01&to=2026-02-01",
		"kind="+strings.Repeat("x", 3000), "q[]=a", "q=%zz", "%00=%00", "territory="+strings.Repeat("%C3%A9", 900))
}

// Whatever is searched for is answered, or refused with its reason.
func TestHostileSearchesAreAnsweredOrRefused(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db).fill(t)
		refused := 0
		for _, path := range []string{"/recherche", "/rencontres", "/recherche.geojson", "/api/v1/initiatives", "/recherche/suggestions"} {
			for _, query := range hostile() {
				resp := s.ask(http.MethodGet, path+"?"+query, "")
				resp.Body.Close()
				switch resp.StatusCode {
				case http.StatusOK:
				case http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusTooManyRequests:
					refused++
				default:
					t.Errorf("%s?%.100s: %d", path, query, resp.StatusCode)
				}
			}
		}
		if refused < 20 {
			t.Errorf("%d were refused: too few to be what nobody types", refused)
		}
	})
}

func TestSuggestionsAreTitlesThemesAndCommunes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db)
		rec := storetest.Publish(t, s.store, storetest.Initiative("Alimenter le quartier"))
		for range 12 {
			storetest.Publish(t, s.store, storetest.Initiative("Réparation"))
			s.clock.Move(time.Second)
		}
		suggested := func(query string) (list []Suggestion) {
			d := s.get(t, "/recherche/suggestions?"+query, http.StatusOK)
			if err := json.Unmarshal([]byte(d.raw), &list); err != nil {
				t.Fatalf("%s: %v: %s", query, err, d.raw)
			}
			return list
		}
		got := suggested("q=alim")
		if len(got) < 2 || got[0] != (Suggestion{"record", rec.Title, "Initiative, Brest", "/initiatives/" + rec.Slug}) || got[1].Type != "theme" || got[1].URL != "/recherche?theme=alimentation" {
			t.Errorf("alim suggests %+v", got)
		}
		if got := suggested("q=amap"); len(got) == 0 || got[0].Type != "theme" || got[0].URL != "/recherche?theme=alimentation" {
			t.Errorf("another word for a theme suggests %+v", got)
		}
		if got := suggested("q=bres"); len(got) == 0 || got[0].Type != "commune" || got[0].Label != "Brest (29)" || got[0].URL != "/recherche?near=29019" {
			t.Errorf("bres suggests %+v", got)
		}
		if got := suggested("q=r%C3%A9par&lang=en"); len(got) != maxSuggestions || !strings.HasSuffix(got[0].URL, "lang=en") {
			t.Errorf("répar suggests %d: %+v", len(got), got)
		}
		for _, none := range []string{"", "q=", "q=a", "q=%20"} {
			if got := suggested(none); len(got) != 0 {
				t.Errorf("%q suggests %+v", none, got)
			}
		}
		s.get(t, "/recherche/suggestions?q="+strings.Repeat("a", 10_000), http.StatusUnprocessableEntity)
		// The field works by itself: what the script needs stands beside it.
		d := s.get(t, "/recherche", http.StatusOK)
		if fields := d.with("input", "data-suggest", "/recherche/suggestions"); len(fields) != 1 || value(fields[0], "name") != "q" || value(fields[0], "role") != "" {
			t.Errorf("%d fields suggest", len(fields))
		}
		for range 120 {
			s.ask(http.MethodGet, "/recherche/suggestions?q=bres", "").Body.Close()
		}
		s.get(t, "/recherche/suggestions?q=bres", http.StatusTooManyRequests)
	})
}
