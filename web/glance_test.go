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

// What a reader needs first stands in the head, above the text.
func TestTheHeadOfARecordSaysWhereWhoAndHowFresh(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t)).fill(t)
	for kind, rec := range s.records {
		d := s.get(t, recordPath(rec), http.StatusOK)
		meta := d.with("ul", "class", "meta")
		if len(meta) != 1 {
			t.Fatalf("%s: %d lines under the title", kind, len(meta))
		}
		want := []string{"Association La Table", "Informations relues le 3 mars 2026", "Besoin d'un coup de main"}
		if kind != essaim.KindMeeting { // its box says when and where
			want = append(want, "Brest")
		}
		for _, w := range want {
			if !strings.Contains(textOf(meta[0]), w) {
				t.Errorf("%s: the head does not say %q: %s", kind, w, textOf(meta[0]))
			}
		}
		if len(d.with("a", "href", "#h-help")) != 1 || len(d.with("h2", "id", "h-help")) != 1 {
			t.Errorf("%s: the call for help is not led to", kind)
		}
		if strings.Contains(textOf(meta[0]), "Voisine") {
			t.Errorf("%s: the head names a person who has not agreed", kind)
		}
		if len(d.with("a", "href", "/communes/29019")) == 0 || len(d.with("a", "href", "/themes/alimentation")) == 0 {
			t.Errorf("%s: no way to its commune or its theme", kind)
		}
		d.says(t, "en citant ses auteurs et sous la même licence")
	}
	s.get(t, recordPath(s.records[essaim.KindMeeting]), http.StatusOK).says(t, "Place de la Liberté, Brest, 12 rue de la Table")
	remake := s.get(t, recordPath(s.records[essaim.KindRemake]), http.StatusOK)
	remake.says(t, "Reprise de Une recette")
	if n := strings.Count(remake.text(), "Une recette"); n != 1 {
		t.Errorf("what is remade is said %d times", n)
	}
}

func TestARecordPageSaysHowToFollowWhateverItsKind(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t)).fill(t)
	s.get(t, recordPath(s.records[essaim.KindInitiative]), http.StatusOK).says(t, "Suivre cette fiche")
	d := s.get(t, recordPath(s.records[essaim.KindRecipe]), http.StatusOK)
	d.says(t, "Suivre Brest", "Ce que Brest publie ici arrive dans votre fil")
	if d.hides(t, "Suivre cette fiche"); len(d.with("a", "href", "/suivre/brest")) != 1 {
		t.Error("no way to follow the territory of a record that has no actor of its own")
	}
	away := s.get(t, "/ailleurs/"+toulouse+"/complet-recipe", http.StatusOK)
	if away.says(t, "Voir Toulouse et ses fiches"); len(away.with("a", "href", territoryPath(toulouse))) != 1 {
		t.Error("no way to the territory that a record comes from")
	}
}

func TestAMeetingThatIsOverSaysSo(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	c := fullContents()[4]
	m := *c.Body.(*essaim.Meeting)
	m.Status, m.End = "", s.clock.Now().Add(time.Hour)
	m.Start, c.Body = s.clock.Now().Add(-time.Hour), &m
	page := recordPath(storetest.Publish(t, s.store, c))
	s.get(t, page, http.StatusOK).says(t, "S'inscrire", "Ajouter à mon agenda")
	s.clock.Move(2 * time.Hour)
	d := s.get(t, page, http.StatusOK)
	d.says(t, "Passée", "Participer en ligne")
	if text := d.text(); strings.Index(text, "Quatre projets présentés") > strings.Index(text, "tour de table") {
		t.Error("what came of it stands after the programme")
	}
	d.hides(t, "S'inscrire", "Ajouter à mon agenda")
}

func TestACallForHelpThatEndedIsNoCall(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	rec := storetest.Publish(t, s.store, storetest.Initiative("Le four", func(c *essaim.Content) {
		c.HelpWanted = []essaim.HelpNotice{{Kind: "benevolat", Text: "Porter du bois", Until: "2026-03-04"}}
	}))
	s.get(t, recordPath(rec), http.StatusOK).says(t, "(jusqu'au 4 mars 2026)")
	s.get(t, "/initiatives", http.StatusOK).says(t, "A besoin d'aide")
	s.clock.Move(48 * time.Hour)
	d := s.get(t, recordPath(rec), http.StatusOK)
	if d.says(t, "Porter du bois (jusqu'au 4 mars 2026) Terminé"); len(d.with("a", "href", "#h-help")) != 0 || len(d.with("section", "class", "box call")) != 0 {
		t.Error("a call that ended still calls")
	}
	if cards := s.get(t, "/initiatives", http.StatusOK).all("article"); len(cards) != 1 || strings.Contains(textOf(cards[0]), "besoin d") {
		t.Error("its card still calls")
	}
}

func TestPicturesThatStandElsewhereAreLedTo(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	const here, away = storetest.Base + "/media/four.jpg", "https://ailleurs.example/four.jpg"
	rec := storetest.Publish(t, s.store, storetest.Initiative("Le four", func(c *essaim.Content) {
		c.Images = []essaim.Image{{URL: here, Alt: "Le four d'ici"}, {URL: away, Alt: "Un four", Author: "L'atelier", Licence: "cc-by-4.0"}}
	}))
	d := s.get(t, recordPath(rec), http.StatusOK)
	if len(d.with("img", "src", here)) != 1 || len(d.with("img", "src", away)) != 0 || len(d.with("a", "href", away)) != 1 {
		t.Error("what stands here is not shown, or what stands elsewhere not led to")
	}
	d.says(t, "Image : Un four L'atelier · CC BY 4.0")
}

func TestLicencesAreSaidInPlainWords(t *testing.T) {
	t.Parallel()
	l := testLocales(t)["fr"]
	for id, want := range map[string]string{
		"cc-by-sa-4.0": "licence.alike", "odbl-1.0": "licence.alike", "fal-1.3": "licence.alike", "etalab-2.0": "licence.credit", "cc-by-4.0": "licence.credit",
		"cc0-1.0": "licence.free", "cc-pddc": "licence.free", "cc-by-nc-nd": "licence.none", "tous-droits": "licence.none", "inconnue": "licence.none",
	} {
		if got := licenceTerms(l, id); got != l.T(want) {
			t.Errorf("%s: %s", id, got)
		}
	}
}

func TestPartialDatesTakeTheirPreposition(t *testing.T) {
	t.Parallel()
	l := testLocales(t)["fr"]
	for date, want := range map[string]string{"2026": "jusqu'en 2026", "2026-05": "jusqu'en mai 2026", "2026-05-03": "jusqu'au 3 mai 2026"} {
		if got := plain(l.Dated("fact.until", date)); got != want {
			t.Errorf("%s reads %q, want %q", date, got, want)
		}
	}
}
