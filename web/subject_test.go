// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/store/storetest"
)

func TestAThemeHasAPageOfWhatIsHereAndElsewhere(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db)
		s.get(t, "/themes/jardins", http.StatusOK).says(t, "Jardins partagés et compost", "On dit aussi", "Rien encore sur ce thème à Brest", "Agriculture et alimentation", "Aucun territoire suivi")
		s.follow(t)
		jardins := func(c *essaim.Content) { c.Themes = []string{"jardins"} }
		storetest.Publish(t, s.store, storetest.Initiative("Jardin du port", jardins))
		s.clock.Move(time.Second)
		s.replicate(t, storetest.Initiative("Jardin des violettes", jardins), 1)

		d := s.get(t, "/themes", http.StatusOK)
		if len(d.with("a", "href", "/themes/jardins")) != 1 {
			t.Error("the tree does not lead to a narrower theme")
		}
		if text := d.text(); strings.Index(text, "Climat et énergie") < strings.Index(text, "Sans fiche pour le moment") {
			t.Error("themes without a record stand among the others")
		}
		for _, path := range []string{"/themes/jardins", "/themes/alimentation"} {
			d := s.get(t, path, http.StatusOK)
			d.says(t, "Jardin du port", "Jardin des violettes")
			d.hides(t, "Rien encore sur ce thème")
		}
		d = s.get(t, "/themes/jardins", http.StatusOK)
		for _, to := range []string{"/recherche?theme=jardins", "/recherche?origin=elsewhere&theme=jardins", "/recherche.atom?theme=jardins", "/themes/alimentation"} {
			if len(d.with("a", "href", to)) == 0 {
				t.Errorf("nothing leads to %s", to)
			}
		}
		d.says(t, "@theme_jardins@brest.example", "Suivre « Jardins partagés et compost » depuis mon instance", "Ce que Brest publie ici sur ce thème arrive")
		s.get(t, "/recherche?origin=elsewhere", http.StatusOK).says(t, "Jardin des violettes", "venu d’ailleurs", "1 fiche")
		s.get(t, "/recherche?origin=elsewhere", http.StatusOK).hides(t, "Jardin du port")
		for _, path := range []string{"/themes/inconnu", "/themes/nowhere.example:x", "/themes/%2F"} {
			s.get(t, path, http.StatusNotFound)
		}
	})
}

func TestATerritoryKeepsItsPageWhenItIsGone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db)
		s.get(t, "/territoires/"+toulouse, http.StatusNotFound)
		s.follow(t)
		s.get(t, "/territoires/"+toulouse, http.StatusOK).says(t, "Toulouse", "rien publié", "@toulouse@toulouse.example")
		s.replicate(t, storetest.Initiative("Jardin des violettes"), 1)
		d := s.get(t, "/territoires/"+toulouse, http.StatusOK)
		d.says(t, "Jardin des violettes", "Agriculture et alimentation", "Voir son site")
		if len(d.with("a", "href", "/recherche?origin=toulouse.example&theme=alimentation")) != 1 {
			t.Error("its themes lead to no search")
		}
		if err := s.store.PeerGone(t.Context(), toulouse, s.clock.Now()); err != nil {
			t.Fatal(err)
		}
		d = s.get(t, "/territoires/"+toulouse, http.StatusOK)
		d.says(t, "Jardin des violettes")
		d.hides(t, "Voir son site")
		if resp := s.ask(http.MethodGet, "/territoires/brest.example", ""); resp.StatusCode != http.StatusSeeOther || resp.Header.Get("Location") != "/" {
			t.Errorf("our own: %s to %s", resp.Status, resp.Header.Get("Location"))
		}
		s.get(t, "/territoires/local", http.StatusNotFound)
	})
}

func TestHomeShowsWhatCameFromSeveralTerritories(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	s.get(t, "/", http.StatusOK).says(t, "Les premières initiatives publiées", "Aucun pour le moment")
	s.fill(t)
	storetest.Publish(t, s.store, storetest.Initiative("Un four", func(c *essaim.Content) {
		c.HelpWanted = []essaim.HelpNotice{{Kind: "benevolat", Text: "Porter du bois."}}
	}))
	d := s.get(t, "/", http.StatusOK)
	d.says(t, "Elles cherchent un coup de main", "Un four")
	s.get(t, "/recherche?help=1", http.StatusOK).says(t, "Un four", "A besoin d’aide")
	ended := storetest.Publish(t, s.store, storetest.Initiative("Un verger", func(c *essaim.Content) {
		c.HelpWanted = []essaim.HelpNotice{{Kind: "benevolat", Text: "Planter.", Until: storetest.Start.AddDate(0, 0, -1).Format(time.DateOnly)}}
	}))
	s.get(t, "/recherche?help=1", http.StatusOK).hides(t, "Un verger")
	s.get(t, "/recherche?q=verger", http.StatusOK).hides(t, "A besoin d’aide")
	d = s.get(t, recordPath(ended), http.StatusOK)
	if len(d.with("a", "href", "/themes/alimentation")) == 0 {
		t.Error("the record does not lead to its theme")
	}
	d = s.get(t, "/", http.StatusOK)
	for _, to := range []string{"/territoires/" + toulouse, "/au-hasard", "/carte", "/themes", "/recherche?origin=elsewhere"} {
		if len(d.with("a", "href", to)) == 0 {
			t.Errorf("nothing leads to %s", to)
		}
	}
	if size := len(d.raw); size > 100_000 {
		t.Errorf("%d bytes", size)
	}
}

func TestChanceLeadsToARecord(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	leads := func(path string) string {
		t.Helper()
		resp := s.ask(http.MethodGet, path, "")
		if resp.StatusCode != http.StatusSeeOther || resp.Header.Get("Cache-Control") != "no-store" {
			t.Fatalf("%s: %s, %v", path, resp.Status, resp.Header)
		}
		return resp.Header.Get("Location")
	}
	if to := leads("/au-hasard?kind=recipe"); to != "/recettes" {
		t.Errorf("where there is none it leads to %s", to)
	}
	rec := storetest.Publish(t, s.store, storetest.Initiative("Un four"))
	if to := leads("/au-hasard"); to != recordPath(rec) {
		t.Errorf("it leads to %s", to)
	}
	if to := leads("/au-hasard?kind=initiative&lang=en"); !strings.HasSuffix(to, "?lang=en") {
		t.Errorf("in English it leads to %s", to)
	}
	storetest.Publish(t, s.store, storetest.Initiative("Un lavoir", func(c *essaim.Content) { c.Themes = []string{"sante"} }))
	for path, want := range map[string]string{
		"/au-hasard?theme=sante&origin=local":              "/initiatives/un-lavoir",
		"/au-hasard?kind=initiative&q=lavoir":              "/initiatives/un-lavoir",
		"/au-hasard?q=licorne&theme=sante&page=2.1.1":      "/recherche?q=licorne&theme=sante",
		"/au-hasard?kind=recipe&origin=elsewhere":          "/recettes?origin=elsewhere",
		"/au-hasard?kind=meeting&quand=avenir":             "/rencontres",
		"/au-hasard?kind=licorne":                          "/recherche?kind=licorne",
		"/au-hasard?near=Nulle-part-sur-terre&kind=recipe": "/recettes?near=Nulle-part-sur-terre",
	} {
		if to := leads(path); to != want {
			t.Errorf("%s leads to %s, want %s", path, to, want)
		}
	}
	s.get(t, "/recherche?q=licorne&theme=sante", http.StatusOK).says(t, "Rien")
	for list, lot := range map[string][2]string{
		"/recherche":                       {"/au-hasard", "Une fiche au hasard"},
		"/initiatives":                     {"/au-hasard?kind=initiative", "Une initiative au hasard"},
		"/initiatives?theme=sante":         {"/au-hasard?kind=initiative&theme=sante", "Au hasard parmi ces résultats"},
		"/recherche?q=lavoir&origin=local": {"/au-hasard?origin=local&q=lavoir", "Au hasard parmi ces résultats"},
		"/carte?near=29019&radius=5":       {"/au-hasard?near=29019&radius=5", "Au hasard parmi ces résultats"},
	} {
		d := s.get(t, list, http.StatusOK)
		if links := d.with("a", "href", lot[0]); len(links) != 1 || textOf(links[0]) != lot[1] {
			t.Errorf("%s does not lead to %s in these words: %s", list, lot[0], lot[1])
		}
	}
}

func TestACommuneHasAPageOfWhatIsThereAndAround(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db)
		s.get(t, "/communes", http.StatusOK).says(t, "Aucune fiche ne dit encore sa commune")
		s.get(t, "/communes/29019", http.StatusOK).says(t, "Brest", "Rien encore à Brest")
		storetest.Publish(t, s.store, storetest.Initiative("Jardin du port"))
		s.get(t, "/communes/29019", http.StatusOK).hides(t, "à moins de 20 km")
		lat, lon := essaim.Point(48.37, -4.75)
		storetest.Publish(t, s.store, storetest.Initiative("Four de la pointe", func(c *essaim.Content) {
			c.Places = []essaim.Place{{City: "Plougonvelin", INSEE: "29190", Lat: lat, Lon: lon}}
		}))
		d := s.get(t, "/communes", http.StatusOK)
		d.says(t, "Brest", "Plougonvelin")
		if len(d.with("a", "href", "/communes/29019")) != 1 {
			t.Error("the index does not lead to Brest")
		}
		d = s.get(t, "/communes/29019", http.StatusOK)
		d.says(t, "Jardin du port", "Alentour, à moins de 20 km", "Tout voir à moins de 20 km", "Four de la pointe", "Agriculture et alimentation")
		if n := strings.Count(d.text(), "Jardin du port"); n != 1 {
			t.Errorf("what is of Brest is shown %d times", n)
		}
		if len(d.with("a", "href", "/recherche?commune=29019")) == 0 {
			t.Error("it leads to no search")
		}
		d = s.get(t, "/recherche?commune=29190", http.StatusOK)
		d.says(t, "Four de la pointe", "Plougonvelin")
		d.hides(t, "Jardin du port")
		s.get(t, "/communes/29190", http.StatusOK).says(t, "Suivre Plougonvelin depuis mon instance", "Ce que Brest publie ici sur cette commune arrive")
		s.get(t, "/communes/99999", http.StatusNotFound)
	})
}
