// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"essaim"
	"essaim/store/storetest"
)

func TestATerritorysOwnThemeIsNamedWhereverItShows(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db)
		const id = "brest.example:algues-vertes"
		refused := call[refusal](t, s, http.MethodPost, "initiatives", `{"title":"a","tagline":"b","themes":["`+id+`"],"places":[{"insee":"29019"}]}`, http.StatusUnprocessableEntity)
		if refused.Errors["themes.0"] != "unknown" {
			t.Errorf("before it is defined: %+v", refused)
		}
		define := func(french, english string) {
			t.Helper()
			if _, err := s.store.DefineTheme(t.Context(), "algues-vertes", "nature", french, english); err != nil {
				t.Fatal(err)
			}
		}
		define("Algues vertes", "Green algae")
		made := call[APIRecord](t, s, http.MethodPost, "initiatives", `{"title":"Ramassage","tagline":"b","themes":["`+id+`"],"places":[{"insee":"29019"}]}`, http.StatusCreated)
		if len(made.Themes) != 2 || made.Themes[1] != "nature" {
			t.Errorf("themes %v", made.Themes)
		}
		var list APIList
		if list = call[APIList](t, s, http.MethodGet, "initiatives?theme=nature", "", http.StatusOK); list.Total != 1 {
			t.Errorf("the broader theme finds %d", list.Total)
		}
		for _, path := range []string{"/initiatives/ramassage", "/initiatives", "/ns/essaim", "/ns/essaim/themes"} {
			s.get(t, path, http.StatusOK).says(t, "Algues vertes")
			s.get(t, path+"?lang=en", http.StatusOK).says(t, "Green algae")
		}
		s.get(t, "/ecrire/initiatives", http.StatusOK, s.signedIn).says(t, "Algues vertes")
		// A page that is kept must not keep the old name.
		define("Marées vertes", "")
		for _, path := range []string{"/initiatives/ramassage", "/initiatives?lang=en"} {
			s.get(t, path, http.StatusOK).says(t, "Marées vertes")
		}
		if d := s.get(t, "/ns/essaim/themes", http.StatusOK); !strings.Contains(d.raw, `<tr id="algues-vertes">`) {
			t.Error("the page has no place for the address of the concept")
		}
	})
}

func TestAConceptsAddressAnswersWithTheConcept(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	if _, err := s.store.DefineTheme(t.Context(), "", "nature", "Algues vertes", ""); err != nil {
		t.Fatal(err)
	}
	iri := essaim.ThemeIRI("brest.example:algues-vertes")
	path, _, _ := strings.Cut(strings.TrimPrefix(iri, storetest.Base), "#")
	d := read(t, s.ask(http.MethodGet, path, "", header("Accept", "application/ld+json")), path, http.StatusOK)
	var doc struct {
		Graph []struct {
			ID      string `json:"@id"`
			Type    string `json:"@type"`
			Broader struct {
				ID string `json:"@id"`
			} `json:"skos:broader"`
		} `json:"@graph"`
	}
	if err := json.Unmarshal([]byte(d.raw), &doc); err != nil {
		t.Fatal(err)
	}
	for _, n := range doc.Graph {
		if n.ID == iri && n.Type == "skos:Concept" && n.Broader.ID == essaim.ThemeIRI("nature") {
			return
		}
	}
	t.Errorf("%s does not define %s: %s", path, iri, d.raw)
}

// One round of corrections: what a code, a theme and the content lack is said together.
func TestAllThatIsWrongIsSaidAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	const unknown = "brest.example:rien"
	refused := call[refusal](t, s, http.MethodPost, "initiatives",
		`{"titel":"a","state":"gone","keywords":"mot","startYear":{},"since":3,"themes":["`+unknown+`"],"places":[{"insee":"99999"}],"links":[{"url":"javascript:x"}]}`, http.StatusUnprocessableEntity)
	want := map[string]string{
		"title": "required", "titel": "unknown", "state": "unknown", "keywords": "bad_type", "startYear": "unknown", "since": "bad_type",
		"themes.0": "unknown", "places.0.insee": "bad_code", "tagline": "required", "links.0.url": "bad_url",
	}
	for field, reason := range want {
		if got := refused.Errors[field]; got != reason {
			t.Errorf("%s: got %q, want %q", field, got, reason)
		}
	}
	if len(refused.Errors) != len(want) {
		t.Errorf("got %v, want %v", refused.Errors, want)
	}
	form := url.Values{"title": {""}, "places.0.commune": {"99999"}, "themes": {unknown}, "state": {"published"}}
	d := read(t, s.post("/ecrire/initiatives", form, s.signedIn), "the form", http.StatusUnprocessableEntity)
	for _, field := range []string{"title", "places.0", "themes"} {
		if !strings.Contains(d.raw, `<a href="#`+fieldID(field)) {
			t.Errorf("the form does not point to %s", field)
		}
	}
}
