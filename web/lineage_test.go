// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"essaim"
	"essaim/store/storetest"
)

func TestTheLineageTellsTheTreeAndWhatChanged(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db).fill(t)
		s.follow(t)
		c := s.records[essaim.KindRecipe].Content
		c.Title, c.DerivedFrom, c.Text = "Le four à pain", nil, "- *Pétrir*.\n\nCuire."
		parent := s.replicate(t, c, 1)
		draft, err := s.store.Adapt(t.Context(), parent.ID, essaim.Author{Name: "Contributrice de démonstration"})
		if err != nil {
			t.Fatal(err)
		}
		own := draft.Content
		own.Title, own.Text = "Le four à pain du Nord", "Cuire."
		made, err := s.store.UpdateRecord(t.Context(), draft.ID, 0, own, essaim.StatePublished, essaim.Author{})
		if err != nil {
			t.Fatal(err)
		}
		page := recordPath(made) + "/lignee"
		if len(s.get(t, recordPath(made), http.StatusOK).with("a", "href", page)) != 1 || len(s.get(t, recordPath(parent), http.StatusOK).with("a", "href", recordPath(parent)+"/lignee")) != 1 {
			t.Error("the pages of both do not lead to the tree")
		}
		if len(s.get(t, recordPath(made), http.StatusOK).with("a", "href", recordPath(parent))) == 0 {
			t.Error("the page of an adaptation does not lead to what it adapts, though it is held here")
		}
		d := s.get(t, page, http.StatusOK)
		d.says(t, "Toulouse · 2026", "L'original n'a pas changé depuis.", "Ce que cette adaptation a changé", "Ajouté : Le four à pain du Nord", "Retiré : Pétrir.", "Brest · 2026 · non confirmée")
		c.Text = "Pétrir longtemps.\n\nCuire."
		s.replicate(t, c, 2)
		s.get(t, page, http.StatusOK, s.signedIn).says(t, "Présentation", "Retiré : Pétrir.", "Ajouté : Pétrir longtemps.", "Cuire.")
		public := s.get(t, page, http.StatusOK)
		public.says(t, "Présentation", "Ajouté : Pétrir longtemps.", "Cuire.", "Des lignes ont été retirées")
		public.hides(t, "Pétrir.", "Retiré :")
		s.get(t, recordPath(parent)+"/lignee", http.StatusOK).says(t, "Le four à pain du Nord")
		s.apply(t, parent.Territory, essaim.Erase{ID: parent.ID, Actor: parent.Territory, At: s.now()})
		gone := s.get(t, page, http.StatusOK)
		gone.says(t, "Le four à pain", "fiche retirée par son origine", "L'original a été retiré par Toulouse")
		gone.hides(t, "Pétrir")
	})
}

func TestTheTreeSaysHowTheOriginOfWhatIsNotHeldFares(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db)
		s.follow(t)
		parent := "https://toulouse.example/objects/jamais-venue"
		child := s.replicate(t, storetest.Initiative("Le four du Nord", func(c *essaim.Content) {
			c.DerivedFrom = &essaim.Derivation{ID: parent, Digest: "d", Name: "Le four", AttributedTo: toulouseActor, Licence: c.Licence}
		}), 1)
		s.get(t, recordPath(child), http.StatusOK).says(t, "Ce site ne sait pas si le territoire d'origine la confirme")
		page := recordPath(child) + "/lignee"
		links := func(want int, label string) {
			t.Helper()
			d := s.get(t, page, http.StatusOK)
			if got := len(d.with("a", "href", parent)); got != want {
				t.Errorf("%d links to what is not held, want %d", got, want)
			}
			if got := strings.Count(d.text(), label); label != "" && got != 2 { // of both
				t.Errorf("%q is said %d times, want 2", label, got)
			}
			if label == "" && len(d.with("span", "class", "state bad")) > 0 {
				t.Error("a site that answers is marked")
			}
		}
		links(1, "")
		if err := s.store.PeerGone(t.Context(), toulouse, s.clock.Now()); err != nil {
			t.Fatal(err)
		}
		links(0, "Site disparu") // its address may be another's
	})
}

func TestAnAdaptationBetweenTwoOthersIsMarkedUntilItsOriginListsIt(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db).fill(t)
		s.follow(t)
		c := s.records[essaim.KindRecipe].Content
		c.Title, c.DerivedFrom = "Le four à pain", nil
		parent := s.replicate(t, c, 1)
		c.Title, c.DerivedFrom = "Le four d'à côté", &essaim.Derivation{ID: parent.ID, Digest: "d", Name: parent.Title, AttributedTo: parent.Territory, Licence: parent.Licence}
		child := s.replicate(t, c, 1)
		tree := recordPath(child) + "/lignee"
		s.get(t, recordPath(parent), http.StatusOK).says(t, "Le four d'à côté", "non confirmée")
		s.get(t, recordPath(child), http.StatusOK).says(t, "Pas encore confirmée par le territoire d'origine")
		s.get(t, tree, http.StatusOK).says(t, "non confirmée")
		if err := s.store.NoteAcknowledged(t.Context(), parent.ID, []string{child.ID}); err != nil {
			t.Fatal(err)
		}
		s.get(t, recordPath(child), http.StatusOK).says(t, "Adaptation confirmée par le territoire d'origine")
		for _, page := range []string{recordPath(parent), tree} {
			d := s.get(t, page, http.StatusOK)
			d.says(t, "Le four d'à côté")
			d.hides(t, "non confirmée")
		}
	})
}

func TestATreeThatComesBackToItselfEnds(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db).fill(t)
		s.follow(t)
		from := func(r essaim.Record) *essaim.Derivation {
			return &essaim.Derivation{ID: r.ID, Digest: "d", Name: r.Title, AttributedTo: r.Territory, Licence: r.Licence}
		}
		c := s.records[essaim.KindRecipe].Content
		c.Title, c.DerivedFrom = "Boucle un", nil
		one := s.replicate(t, c, 1)
		c.Title, c.DerivedFrom = "Boucle deux", from(one)
		two := s.replicate(t, c, 1)
		c.Title, c.DerivedFrom = "Boucle un", from(two)
		s.replicate(t, c, 2)
		d := s.get(t, recordPath(one)+"/lignee", http.StatusOK)
		d.says(t, "Boucle un", "Boucle deux", "n'est pas gardée ici")
		if n := strings.Count(d.text(), "Boucle deux"); n > 3 {
			t.Errorf("the tree names it %d times", n)
		}
		for _, k := range []essaim.Kind{essaim.KindVenue} {
			s.get(t, recordPath(s.records[k])+"/lignee", http.StatusNotFound)
		}
	})
}

func TestATreeIsBoundedAndSoIsHowOftenItIsAskedFor(t *testing.T) {
	t.Parallel()
	root := &LineageNode{ID: "https://brest.example/objects/0", Own: true}
	at := map[string]*LineageNode{root.ID: root}
	shown := 0
	for i := range 2 * maxAdaptations {
		id := fmt.Sprintf("https://toulouse.example/objects/%d", i)
		if branch(at, essaim.Branch{Parent: root.ID, Record: essaim.Record{ID: id, Origin: "toulouse.example", Content: essaim.Content{Kind: essaim.KindRecipe}}}) {
			shown++
		}
	}
	if shown != maxAdaptations-1 || len(root.Children) != shown || !root.Children[0].Claimed {
		t.Errorf("%d shown, %d in the tree", shown, len(root.Children))
	}
	s := newSite(t, storetest.SQLite(t)).fill(t)
	for i := range 61 {
		kind := []essaim.Kind{essaim.KindRecipe, essaim.KindInitiative}[i%2]
		want := http.StatusOK
		if i == 60 {
			want = http.StatusTooManyRequests
		}
		s.get(t, recordPath(s.records[kind])+"/lignee", want)
	}
}

func TestADifferenceIsReadWithoutTheMarksOfMarkdown(t *testing.T) {
	t.Parallel()
	line := func(gone bool, text string) essaim.DifferenceLine {
		return essaim.DifferenceLine{Gone: gone, New: !gone, Text: text}
	}
	got := unmarked([]essaim.DifferenceLine{line(true, "- Un **four** à *bois*"), line(false, "## Deux fours, 2 * 3 m")})
	if want := []essaim.DifferenceLine{line(true, "Un four à bois"), line(false, "Deux fours, 2 * 3 m")}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	only := []essaim.DifferenceLine{line(true, "Un four"), line(false, "Un *four*")}
	if got := unmarked(only); !slices.Equal(got, only) {
		t.Errorf("nothing else changed, and yet %v", got)
	}
}
