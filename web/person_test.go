// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/store/storetest"
)

const (
	camille     = storetest.Base + "/actors/camille"
	camilleName = "Contributrice de démonstration"
)

// person puts a person on the Fediverse, and publishes a record that credits
// her.
func (s *site) person(t testing.TB) essaim.Record {
	t.Helper()
	u, err := s.store.UserByEmail(t.Context(), adminEmail)
	if err != nil {
		t.Fatal(err)
	}
	err = s.store.CreatePerson(t.Context(), u.ID, "camille", essaim.Profile{
		Name: camilleName, Summary: "Je raconte ce qui **pousse** ici.",
		Fields: []essaim.ProfileField{{Name: "Jardin", Value: "https://jardin.example/plan"}, {Name: "Pronom", Value: "elle"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return storetest.Publish(t, s.store, storetest.Initiative("Le four du quartier", agreed("porteur"), agreed("ambassadeur")))
}

// agreed credits her in a role, as she agreed.
func agreed(role string) func(*essaim.Content) {
	return func(c *essaim.Content) {
		c.Credits = append(c.Credits, essaim.Credit{
			Name: camilleName, Actor: camille, Role: role, Person: true, Consent: &essaim.Consent{On: "2026-03-01", How: "link", Fields: []string{"name"}},
		})
	}
}

func TestAPersonHasAPageWithWhatCreditsHer(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db, func(c *Config) { c.Fediverse = fediverse{} })
		rec := s.person(t)
		s.follow(t)
		there := storetest.Initiative("La ruche des voisins", agreed("partenaire"))
		s.clock.Move(time.Second)
		copied := s.replicate(t, there, 1)
		storetest.Publish(t, s.store, storetest.Initiative("Sans elle"))

		d := s.get(t, "/personnes/camille", http.StatusOK)
		d.says(t, camilleName, "@camille@brest.example", "Je raconte ce qui pousse ici.", "jardin.example/plan", "elle", "2 fiches où cette personne est nommée", "Toulouse",
			"Suivre depuis mon instance", s.locales["fr"].term(essaim.ListRole, "porteur"), s.locales["fr"].term(essaim.ListRole, "ambassadeur"), s.locales["fr"].term(essaim.ListRole, "partenaire"))
		d.hides(t, "Sans elle")
		for _, r := range []essaim.Record{rec, copied} {
			if len(d.with("a", "href", recordPath(r))) != 1 {
				t.Errorf("no link to %s", r.Title)
			}
		}
		if forms := d.with("form", "action", "/suivre/camille"); len(forms) != 1 {
			t.Error("she cannot be followed from one's own server")
		}
		if got := d.with("link", "type", "application/activity+json"); len(got) != 1 || value(got[0], "href") != camille || value(got[0], "rel") != "alternate" {
			t.Errorf("the page leads to no actor: %v", got)
		}
		if got := d.with("link", "rel", "canonical"); len(got) != 1 || value(got[0], "href") != storetest.Base+"/personnes/camille" {
			t.Errorf("canonical is %v", got)
		}
		if m := d.with("meta", "name", "fediverse:creator"); len(m) != 1 || value(m[0], "content") != "@camille@brest.example" {
			t.Errorf("her page is credited to %v", m)
		}
		for property, want := range map[string]string{
			"og:type": "profile", "og:title": camilleName, "og:description": "Je raconte ce qui pousse ici.", "og:url": storetest.Base + "/personnes/camille",
		} {
			if m := d.with("meta", "property", property); len(m) != 1 || value(m[0], "content") != want {
				t.Errorf("%s is not %q", property, want)
			}
		}
		s.get(t, "/personnes/camille", http.StatusOK, header("Accept-Language", "en")).says(t, "Person", "2 records name this person", "Follow from my server")
		for _, name := range []string{"brest", "fiche_le-four-du-quartier", "personne", "CAMILLE"} {
			s.get(t, "/personnes/"+name, http.StatusNotFound)
		}

		// A credit leads to her; one of somebody's word only does not.
		page := s.get(t, recordPath(rec), http.StatusOK)
		if got := page.with("a", "href", "/personnes/camille"); len(got) != 2 {
			t.Errorf("%d of her 2 credits lead to her page", len(got))
		}
	})
}

func TestASearchFindsAPersonByHerOwnYesOnly(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	s.person(t)
	yes, no := true, false
	for name, tt := range map[string]struct {
		said *bool
		want int
	}{"nothing said": {nil, 1}, "no": {&no, 1}, "yes": {&yes, 0}} {
		if err := s.store.SetProfile(t.Context(), "camille", essaim.Profile{Discoverable: tt.said}); err != nil {
			t.Fatal(err)
		}
		if got := len(s.get(t, "/personnes/camille", http.StatusOK).with("meta", "name", "robots")); got != tt.want {
			t.Errorf("%s: %d noindex, want %d", name, got, tt.want)
		}
	}
}

func TestThePageOfAPersonIsReadOn(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db)
		s.person(t)
		for i := range 29 {
			s.clock.Move(time.Second)
			storetest.Publish(t, s.store, storetest.Initiative(fmt.Sprintf("Jardin %d", i), agreed("porteur")))
		}
		at, seen := "/personnes/camille", map[string]bool{}
		for range 3 {
			d := s.get(t, at, http.StatusOK)
			d.says(t, "30 fiches où cette personne est nommée")
			for _, a := range d.all("a") {
				if path := value(a, "href"); strings.HasPrefix(path, "/initiatives/") {
					if seen[path] {
						t.Errorf("%s is on two pages", path)
					}
					seen[path] = true
				}
			}
			next := d.with("a", "rel", "next")
			if len(next) == 0 {
				break
			}
			at = value(next[0], "href")
		}
		if len(seen) != 30 {
			t.Errorf("%d of 30 records", len(seen))
		}
		s.get(t, "/personnes/camille?page=n'importe", http.StatusBadRequest)
	})
}

func TestNothingIsSaidOfWhoTookHerselfOff(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db)
		rec := s.person(t)
		if err := s.store.DeletePerson(t.Context(), "camille"); err != nil {
			t.Fatal(err)
		}
		for lang, says := range map[string]string{"fr": "a repris son accord", "en": "withdrew their consent"} {
			d := s.get(t, "/personnes/camille", http.StatusGone, header("Accept-Language", lang))
			d.says(t, says)
			for _, word := range []string{camilleName, "camille", "pousse", "jardin.example", rec.Title} {
				if strings.Contains(d.text(), word) {
					t.Errorf("the page says %q", word)
				}
			}
			if strings.Contains(d.raw, camilleName) || len(d.with("link", "type", "application/activity+json")) != 0 {
				t.Error("the page tells programs of her")
			}
		}
		page := s.get(t, recordPath(rec), http.StatusOK)
		if len(page.with("a", "href", "/personnes/camille"))+len(page.with("a", "href", camille)) != 0 {
			t.Error("a record leads to who is gone")
		}
	})
}
