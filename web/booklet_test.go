// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/store/storetest"
)

func TestBookletHoldsWhatTheSearchFinds(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db).fill(t)
		d := s.get(t, "/recueil?kind=recipe&q=table&titre=Nos+recettes", http.StatusOK)
		d.says(t, "Nos recettes", "2 fiches", "« table »", "Recettes", "Brest (1)", "Toulouse (1)", "CC BY-SA 4.0 (2)", "Sommaire")
		sheets := d.all("article")
		if len(sheets) != 2 || len(d.with("a", "href", "#fiche-2")) != 1 {
			t.Fatalf("%d records, want those of two territories, each in the contents", len(sheets))
		}
		list := s.get(t, "/recherche?kind=recipe&q=table", http.StatusOK)
		for i, card := range list.all("h3")[:2] {
			if title := textOf(d.with("h2", "id", fmt.Sprint("t-", i+1))[0]); !strings.HasSuffix(title, textOf(card)) {
				t.Errorf("the booklet has %q where the list has %q", title, textOf(card))
			}
		}
		for _, address := range []string{s.records[essaim.KindRecipe].URL, "https://toulouse.example/fiches/complet-recipe"} {
			if len(d.with("path", "d", newQR(address).Path())) != 1 || len(d.with("a", "href", address)) != 1 {
				t.Errorf("no code or no link of %s", address)
			}
		}
		if m := d.with("meta", "name", "robots"); len(m) != 1 {
			t.Error("a booklet is offered to search engines")
		}
	})
}

// What a form asks for stands in a booklet too, but for what only programs read.
func TestBookletSaysAllOfARecord(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t)).fill(t)
	words := map[essaim.Kind][]string{
		essaim.KindInitiative: {
			"Essaimage", "Se croiser sans se connaître", "Qui veut, quand elle ou il veut", "Une panne", "Aucune inscription", "Des liens", "Prix libre", "Une table, un trottoir",
			"La régularité", "L'hiver", "Commencer petit", "Objets réparés : 312 par an (bilan 2025, 2025)", "jeunes", "chantier ouvert", "mai 2019", "novembre 2026",
		},
		essaim.KindRecipe: {
			"deux mois pour lancer", "3 à 8", "moins de 200 €", "une table de quartier", "trois voisins décidés", "une affiche", "Choisir le lieu", "Demander à la gardienne", "Les jours de marché",
			"porte à porte", "Un horaire fixe", "La pluie", "Tenir trois mois",
		},
		essaim.KindVenue:        {"atelier vélo", "lundi", "14 h", "Tram A"},
		essaim.KindOrganisation: {"W291000000", "123 456 789", "juin 2003", "2021", "formations"},
		essaim.KindMeeting:      {"samedi 13 mars 2027, de 17 h 30 à 20 h", "Cafés projets, édition 9", "https://inscription.example/", "https://salle.example/", "tour de table", "Quatre projets"},
		essaim.KindRemake:       {"février 2026", "plutôt que le soir", "Prévoir du thé"},
	}
	for _, k := range essaim.Kinds() {
		d := s.get(t, "/recueil?origin=local&kind="+string(k.Kind), http.StatusOK)
		if len(words[k.Kind]) == 0 {
			t.Errorf("%s: nothing is asked of its sheet", k.Kind)
		}
		d.says(t, words[k.Kind]...)
		d.says(t, "quarante foyers", "Place de la Liberté", "12 rue de la Table", "Association La Table", "Une personne du quartier", "Deux personnes le samedi matin (jusqu'en décembre 2026)",
			"Nous recevons volontiers", "Lien social", "Le site de La Table https://latable.example/", "Journal de quartier", "Animatrice de démonstration", "3 mars 2026", credit(s.locales["fr"], s.records[k.Kind]))
		d.hides(t, "Voisine")
	}
}

func TestBookletIsBounded(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	for i := range maxBooklet + 3 {
		storetest.Publish(t, s.store, storetest.Initiative(fmt.Sprintf("Jardin %d", i)))
	}
	d := s.get(t, "/recueil", http.StatusOK)
	if n := len(d.all("article")); n != maxBooklet {
		t.Errorf("%d records in a booklet", n)
	}
	d.says(t, "3 autres fiches trouvées ne tiennent pas")
	s.get(t, "/recueil?q=absent", http.StatusOK).says(t, "Aucune fiche")
	title := url.QueryEscape("<b>Un\u202etitre\x00" + strings.Repeat(" long", 100))
	d = s.get(t, "/recueil?titre="+title+"&q=jardin", http.StatusOK)
	if got := textOf(d.all("h1")[0]); len([]rune(got)) > maxTitle || !strings.HasPrefix(got, "<b>Un") || strings.ContainsAny(got, "\x00\u202e") {
		t.Errorf("the cover says %q", got)
	}
	resp := s.ask(http.MethodGet, "/recueil?near=Nulle-part-sur-terre&kind=recipe", "")
	if got := resp.Header.Get("Location"); resp.StatusCode != http.StatusSeeOther || got != "/recherche?kind=recipe&near=Nulle-part-sur-terre" {
		t.Errorf("a selection that cannot be read answers %d to %q", resp.StatusCode, got)
	}
}

func TestListsLeadToTheirBooklet(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t)).fill(t)
	for list, booklet := range map[string]string{
		"/initiatives?theme=reemploi":  "/recueil?kind=initiative&theme=reemploi",
		"/recherche?q=table&page=":     "/recueil?q=table",
		"/rencontres":                  "/recueil?kind=meeting&quand=avenir",
		"/rencontres?quand=toutes":     "/recueil?kind=meeting",
		"/recherche?q=rien-de-tel-ici": "",
		"/recherche?q=table&lang=en":   "/recueil?q=table&lang=en",
	} {
		d := s.get(t, list, http.StatusOK)
		got := ""
		for _, a := range d.all("a") {
			if strings.HasPrefix(value(a, "href"), "/recueil") {
				got = value(a, "href")
			}
		}
		if got != booklet {
			t.Errorf("%s leads to %q, want %q", list, got, booklet)
		}
		if booklet != "" {
			s.get(t, booklet, http.StatusOK)
		}
	}
}

// A booklet of meetings holds those of the list that led to it, and leads back to it.
func TestABookletOfMeetingsIsTheirList(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db)
		days := map[string]int{"Avant-hier": -2, "Demain": 1, "Dans dix jours": 10}
		for _, title := range []string{"Avant-hier", "Demain", "Dans dix jours"} {
			storetest.Publish(t, s.store, storetest.Initiative(title, func(c *essaim.Content) {
				c.Kind, c.Body = essaim.KindMeeting, &essaim.Meeting{Start: storetest.Start.AddDate(0, 0, days[title])}
			}))
			s.clock.Move(time.Second)
		}
		on := func(days int) string { return storetest.Start.AddDate(0, 0, days).Format(time.DateOnly) }
		for query, want := range map[string]string{
			"":                                 "Demain, Dans dix jours",
			"?from=" + on(-3):                  "Avant-hier, Demain, Dans dix jours",
			"?from=" + on(-3) + "&to=" + on(5): "Avant-hier, Demain",
			"?to=" + on(5):                     "Demain",
			"?to=" + on(-1):                    "Avant-hier",
			"?lang=en&q=demain&from=" + on(-3): "Demain",
			"?quand=toutes&to=" + on(-1):       "Avant-hier",
			"?quand=toutes":                    "Dans dix jours, Demain, Avant-hier",
		} {
			titles := func(d *doc) string {
				var list []string
				for _, n := range d.all("h3") {
					list = append(list, textOf(n))
				}
				return strings.Join(list, ", ")
			}
			list := s.get(t, "/rencontres"+query, http.StatusOK)
			booklet, back := "", ""
			for _, a := range list.all("a") {
				if strings.HasPrefix(value(a, "href"), "/recueil") {
					booklet = value(a, "href")
				}
			}
			d := s.get(t, booklet, http.StatusOK)
			var got []string
			for _, a := range d.all("a") {
				if strings.HasPrefix(value(a, "href"), "#fiche-") {
					got = append(got, textOf(a))
				}
				if strings.HasPrefix(value(a, "href"), "/re") && strings.Contains(value(a, "class"), "plain") {
					back = value(a, "href")
				}
			}
			if strings.Join(got, ", ") != want || titles(list) != want {
				t.Errorf("%s: the list has %q, its booklet %q, want %q", query, titles(list), got, want)
			}
			if again := titles(s.get(t, back, http.StatusOK)); again != want {
				t.Errorf("%s: %s leads back to %s with %q, want %q", query, booklet, back, again, want)
			}
		}
	})
}
