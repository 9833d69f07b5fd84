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

func TestARecordShowsWhatResemblesItElsewhereAndWhy(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db)
		need := func(text string) func(*essaim.Content) {
			return func(c *essaim.Content) { c.Body = &essaim.Initiative{Need: text} }
		}
		rec := storetest.Publish(t, s.store, storetest.Initiative("Un four à pain", need("Les voisins ne se croisent plus.")))
		s.get(t, recordPath(rec), http.StatusOK).says(t, "Ailleurs aussi", "Rien de semblable n’est encore connu ailleurs.", "Chercher dans tous les territoires")

		s.follow(t)
		lat, lon := essaim.Point(43.60, 1.44)
		other := s.replicate(t, storetest.Initiative("La buvette", need("Faire se croiser des voisins."), func(c *essaim.Content) {
			c.Places, c.Themes = []essaim.Place{{City: "Toulouse", Lat: lat, Lon: lon}}, append(c.Themes, "lien-social")
		}), 1)
		s.clock.Move(similarFor)
		d := s.get(t, recordPath(rec), http.StatusOK)
		d.says(t, "La buvette", "Toulouse", "même besoin : ", "voisins", "même thème : Agriculture et alimentation", "à 702 km")
		if !strings.Contains(d.raw, "à 702\u00a0km") {
			t.Error("a distance may part from its unit")
		}
		d.hides(t, "Rien de semblable")
		// Of a copy, those that are alike are of here too.
		d = s.get(t, recordPath(other), http.StatusOK)
		d.says(t, "Fiches qui lui ressemblent", "Un four à pain", "même besoin : ", "voisins")
		d.hides(t, "Ailleurs aussi", "d’autres territoires qui ressemblent")

		// What is remembered for a minute shows nothing that is gone.
		s.clock.Move(time.Second)
		s.apply(t, toulouseActor, essaim.Erase{ID: other.ID, Actor: toulouseActor, At: s.clock.Now()})
		s.get(t, recordPath(rec), http.StatusOK).hides(t, "La buvette")
	})
}

func TestWhoWritesIsShownWhatExistsAlready(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	storetest.Publish(t, s.store, storetest.Initiative("Le four à pain du port"))
	draft, err := s.store.CreateRecord(t.Context(), essaim.NewRecord{
		Content: essaim.Content{Kind: essaim.KindInitiative, Title: "Un four à pain", Body: &essaim.Initiative{}}, State: essaim.StateDraft, Author: storetest.Author,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.get(t, recordPath(draft), http.StatusOK, s.signedIn).says(t, "Existe déjà ?", "Le four à pain du port", "mêmes mots : four, pain")
}

func TestReasonsAgreeInNumber(t *testing.T) {
	t.Parallel()
	l := testLocales(t)
	for _, tt := range []struct {
		sort   essaim.ReasonSort
		values []string
		fr, en string
	}{
		{essaim.ReasonTheme, []string{"mobilite"}, "même thème : ", "same theme: "},
		{essaim.ReasonTheme, []string{"mobilite", "culture"}, "mêmes thèmes : ", "same themes: "},
		{essaim.ReasonPurpose, []string{"a", "b"}, "mêmes buts : a, b", "same purposes: a, b"},
		{essaim.ReasonPublic, []string{"a", "b"}, "mêmes publics : a, b", "same publics: a, b"},
		{essaim.ReasonMethod, []string{"a", "b"}, "mêmes façons de faire : a, b", "same ways of working: a, b"},
		{essaim.ReasonWords, []string{"four"}, "même mot : four", "same word: four"},
		{essaim.ReasonWords, []string{"four", "pain"}, "mêmes mots : four, pain", "same words: four, pain"},
		{essaim.ReasonNeed, []string{"voisins", "isolement"}, "même besoin : voisins, isolement", "same need: voisins, isolement"},
	} {
		for lang, want := range map[string]string{"fr": tt.fr, "en": tt.en} {
			got := l[lang].reasons([]essaim.Reason{{Sort: tt.sort, Values: tt.values}})
			if len(got) != 1 || !strings.HasPrefix(plain(got[0]), want) {
				t.Errorf("%s, %v: got %q, want %q", lang, tt.values, got, want)
			}
		}
	}
}

func TestTheAPISaysWhatResemblesARecord(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	rec := storetest.Publish(t, s.store, storetest.Initiative("Un four à pain"))
	storetest.Publish(t, s.store, storetest.Initiative("Le four à pain du port", func(c *essaim.Content) {
		c.Contacts = []essaim.Contact{{Kind: "email", Value: "secret@brest.example"}}
	}))
	for path, want := range map[string]int{
		"/api/v1/initiatives/" + rec.Slug + "/similar":                    0,
		"/api/v1/initiatives/" + rec.Slug + "/similar?here=true":          1,
		"/api/v1/similar?here=true&limit=1&id=" + url.QueryEscape(rec.ID): 1,
	} {
		resp := s.ask(http.MethodGet, path, "")
		var list APISimilarList
		if err := json.NewDecoder(resp.Body).Decode(&list); err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s, %v", path, resp.Status, err)
		}
		if len(list.Items) != want {
			t.Errorf("%s gives %d, want %d", path, len(list.Items), want)
		}
		for _, item := range list.Items {
			if item.Score < 8 || len(item.Reasons) < 2 || item.Record.Title != "Le four à pain du port" || len(item.Record.Contacts) != 0 {
				t.Errorf("%s gives %+v", path, item)
			}
		}
	}
	for path, status := range map[string]int{
		"/api/v1/similar": http.StatusNotFound,
		"/api/v1/similar?id=https://nowhere.example/1":              http.StatusNotFound,
		"/api/v1/similar?limit=21&id=" + url.QueryEscape(rec.ID):    http.StatusUnprocessableEntity,
		"/api/v1/initiatives/" + rec.Slug + "/similar?here=perhaps": http.StatusUnprocessableEntity,
		"/api/v1/venues/" + rec.Slug + "/similar":                   http.StatusNotFound,
	} {
		if resp := s.ask(http.MethodGet, path, ""); resp.StatusCode != status {
			t.Errorf("%s: %s, want %d", path, resp.Status, status)
		}
	}
}
