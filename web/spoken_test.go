// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"net/http"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"essaim"
	"essaim/store/storetest"
)

// spoken is the language in which a reader's program says what stands at a node.
func spoken(n *html.Node) string {
	for ; n != nil; n = n.Parent {
		if lang := value(n, "lang"); lang != "" {
			return lang
		}
	}
	return ""
}

// Words of others in a page of another language are said to be in theirs (WCAG 3.1.2),
// and those of the page around them are not.
func TestAPageTellsTheLanguageOfWhatRecordsSay(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t)).fill(t)
	for _, c := range fullContents() { // French, as those that name no language
		c.Title, c.Language = strings.Replace(c.Title, "Complet", "Muet", 1), ""
		if c.Kind == essaim.KindRemake {
			c.Relations = []essaim.Relation{{Type: essaim.RelationRemakes, Target: s.records[essaim.KindRecipe].ID}}
		}
		s.records[c.Kind] = storetest.Publish(t, s.store, c)
	}
	// What records say, and what pages do.
	french := []string{
		"Complet ", "Muet ", "Des voisines et des voisins", "Tout a commencé", "Deux personnes le samedi", "Nous recevons volontiers", "La table de Toulouse", "Une fiche d’ailleurs", "Le site de La Table",
		"habitantes et habitants", "chantier ouvert", "Se croiser", "Qui veut", "Aucune inscription", "Des liens, et moins", "Prix libre", "La régularité", "Commencer petit", "Objets réparés", "312",
		"une table de quartier", "deux mois pour lancer", "moins de 200", "trois voisins décidés", "une table pliante", "Choisir le lieu", "Un passage", "Demander à la gardienne", "Les jours de marché", "du café", "Un horaire fixe",
		"atelier vélo", "Tram A", "La halle", "formations", "Le réseau", "Cafés projets", "17 h 30 : accueil", "Une initiative", "plutôt que le soir", "Prévoir du thé",
	}
	english := []string{"Monday", "Saturday", "Home", "Initiatives", "Themes", "Social ties", "Advice", "Tip", "Watch out", "Opening hours", "Adapted", "Step by step"}
	paths := []string{"/", "/initiatives", "/recherche?q=table", "/recueil", "/carte", "/carte/cadre", "/territoires", "/themes/reemploi", "/territoires/" + toulouse, "/signaler?objet=" + recordPath(s.records[essaim.KindVenue])}
	for _, rec := range s.records {
		paths = append(paths, recordPath(rec), recordPath(rec)+"/copies", recordPath(rec)+"/historique", "/ailleurs/"+toulouse+"/complet-"+string(rec.Kind))
	}
	for _, k := range []essaim.Kind{essaim.KindInitiative, essaim.KindRecipe} {
		paths = append(paths, recordPath(s.records[k])+"/lignee")
	}
	met := map[string]bool{}
	for _, path := range paths {
		d := s.get(t, path, http.StatusOK, header("Accept-Language", "en"))
		for n := range d.root.Descendants() {
			if n.Type != html.TextNode || n.Parent.Data == "title" || n.Parent.Data == "script" || n.Parent.Data == "textarea" || n.Parent.Data == "text" || value(n.Parent.Parent, "class") == "choice" { // what several records say, in languages that are not counted
				continue
			}
			for lang, words := range map[string][]string{"fr": french, "en": english} {
				for _, w := range words {
					if got := spoken(n.Parent); strings.HasPrefix(plain(n.Data), plain(w)) {
						if met[w] = true; got != lang {
							t.Errorf("%s: %.60q is said in %q, want %q: <%s>", path, plain(n.Data), got, lang, n.Parent.Data)
						}
					}
				}
			}
		}
		// A page in the language of its records has nothing to say of it.
		for _, n := range s.get(t, path, http.StatusOK).with("*", "lang", "fr") {
			if n.Data != "html" && value(n, "class") != "soft" { // what is left out of a difference
				t.Errorf("%s: <%s> says again that it is French", path, n.Data)
			}
		}
	}
	for _, w := range append(french, english...) {
		if !met[w] {
			t.Errorf("no page says %q", w)
		}
	}
}
