// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"essaim"
	"essaim/store/storetest"
)

// What is chosen is said in words wherever a search goes: its list, its files, its
// booklet, the code for another site.
func TestWhatIsChosenIsSaidInWords(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t)).fill(t)
	const query = "?near=29019&radius=30&since=2020-01-01&kind=recipe&q=table+"
	want := []string{"à moins de 30 km de Brest (29)", "modifié depuis le 1er janvier 2020", "Recettes"}
	for _, path := range []string{"/recherche", "/carte", "/recueil", embedPath} {
		s.get(t, path+query, http.StatusOK).says(t, want...)
	}
	feed := s.get(t, "/recherche.atom"+query, http.StatusOK)
	for _, w := range want {
		if !strings.Contains(plain(feed.raw), w) {
			t.Errorf("the feed is not called by %q", w)
		}
	}
	for _, path := range []string{"/recherche.atom", "/recueil", embedPath} {
		if got := plain(s.get(t, path+"?origin="+toulouse, http.StatusOK).raw); !strings.Contains(got, "venu de toulouse.example") {
			t.Errorf("%s does not say of where it is", path)
		}
	}
	d := s.get(t, "/recherche"+query, http.StatusOK)
	if got := value(d.with("input", "id", "f-near")[0], "value"); got != "Brest (29019)" {
		t.Errorf("the field asks for %q", got)
	}
	s.get(t, "/recherche?near="+url.QueryEscape("Brest (29019)"), http.StatusOK).says(t, "km de Brest (29)")
	for radius, want := range map[string]string{"0.5": "à moins de 0,5\u00a0km de Brest", "2,5": "à moins de 2,5\u00a0km de Brest", "1500": "à moins de 1\u202f500\u00a0km de Brest"} {
		if d := s.get(t, "/recherche?near=29019&radius="+radius, http.StatusOK); !strings.Contains(d.raw, want) {
			t.Errorf("a radius of %s is not said %q", radius, want)
		}
	}
	if d := s.get(t, "/recherche?near=31555&radius=1500", http.StatusOK); !regexp.MustCompile("<span>\\d{3}\u00a0km</span>").MatchString(d.raw) {
		t.Error("a card's distance may part from its unit")
	}
	s.get(t, "/recherche?near=48.39,-4.48", http.StatusOK).says(t, "km de 48.39,-4.48")
	// Keyboards of telephones end words with a space.
	for _, c := range s.get(t, embedPath+query, http.StatusOK).with("a", "class", "chip") {
		if href := value(c, "href"); strings.Contains(textOf(c), "table") && strings.Contains(href, "table") {
			t.Errorf("%s leads to %s", textOf(c), href)
		}
	}
}

// A code for meetings to come, copied one day, shows those to come on any other.
func TestAFrameOfMeetingsToComeGoesWithTheDays(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	for title, days := range map[string]int{"Fête de demain": 1, "Fête du mois prochain": 30} {
		c := located(title, 48.39, -4.48)
		c.Kind, c.Body = essaim.KindMeeting, &essaim.Meeting{Start: s.clock.Now().AddDate(0, 0, days)}
		storetest.Publish(t, s.store, c)
	}
	list := s.get(t, "/rencontres", http.StatusOK)
	onMap := ""
	for _, a := range list.all("a") {
		if href := value(a, "href"); strings.HasPrefix(href, "/carte?") {
			onMap = href
		}
	}
	var frames []string
	for _, code := range s.get(t, strings.Replace(onMap, mapPath, embedPath, 1), http.StatusOK).all("textarea") {
		frame, err := html.Parse(strings.NewReader(textOf(code)))
		if err != nil {
			t.Fatal(err)
		}
		frames = append(frames, strings.TrimPrefix(value((&doc{root: frame}).all("iframe")[0], "src"), storetest.Base))
	}
	if len(frames) != 2 {
		t.Fatalf("%d codes", len(frames))
	}
	for _, frame := range frames {
		s.get(t, frame, http.StatusOK).says(t, "2 fiches", "Fête de demain")
	}
	s.clock.Move(7 * 24 * time.Hour)
	for _, frame := range frames {
		d := s.get(t, frame, http.StatusOK)
		d.says(t, "1 fiche", "Fête du mois prochain")
		d.hides(t, "Fête de demain")
		for _, m := range d.with("figure", "id", "carte") {
			if cells := s.get(t, value(m, "data-cells"), http.StatusOK); !strings.Contains(cells.raw, `"total":1,`) {
				t.Errorf("its cells are %s", cells.raw)
			}
		}
		for _, a := range d.all("a") {
			if href := value(a, "href"); strings.HasPrefix(href, mapPath+"?") {
				whole := s.get(t, href, http.StatusOK)
				whole.says(t, "1 fiche", "à partir du")
			}
		}
	}
}

// Who reads in the language that the address says goes on in it.
func TestWhoIsLedOnKeepsTheLanguage(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t)).fill(t)
	for path, want := range map[string]string{
		"/recueil?near=Nulle-part&lang=en":     "/recherche?near=Nulle-part&lang=en",
		"/recueil.pdf?near=Nulle-part&lang=en": "/recherche?near=Nulle-part&lang=en",
		"/export?lang=en":                      "/export/?lang=en",
		"/territoires/brest.example?lang=en":   "/?lang=en",
		"/compte?lang=en":                      "/connexion?suite=%2Fcompte%3Flang%3Den&lang=en",
		"/recueil?near=Nulle-part":             "/recherche?near=Nulle-part",
	} {
		if got := s.ask(http.MethodGet, path, "").Header.Get("Location"); got != want {
			t.Errorf("%s leads to %s, want %s", path, got, want)
		}
	}
	form := url.Values{"objet": {s.records[essaim.KindRecipe].URL}, "texte": {"It moved"}}
	if got := s.post("/signaler?lang=en", form).Header.Get("Location"); !strings.HasSuffix(got, "?lang=en") {
		t.Errorf("the receipt is at %s", got)
	}
}
