// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"essaim"
	"essaim/store/storetest"
)

func TestARecordFromElsewhereIsAdaptedAsADraftThatKeepsItsOrigin(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db).fill(t)
		s.follow(t)
		c := s.records[essaim.KindRecipe].Content
		c.Title, c.DerivedFrom, c.Licence = "Le four à pain", nil, "cc-by-4.0"
		rec := s.replicate(t, c, 1)
		page := s.get(t, recordPath(rec), http.StatusOK, s.signedIn)
		page.says(t, "Adapter chez nous", "Nous l'avons refait", "« Adapter chez nous » crée un brouillon sur ce site, sous CC BY 4.0")
		s.get(t, recordPath(rec), http.StatusOK).hides(t, "Adapter chez nous")
		// What is of here already is not brought here.
		own := s.get(t, recordPath(s.records[essaim.KindRecipe]), http.StatusOK, s.signedIn)
		own.says(t, "En faire une variante", "« En faire une variante » crée un brouillon")
		own.hides(t, "Adapter chez nous")
		resp := s.post(recordPath(rec)+"/adapter", url.Values{}, s.signedIn)
		to := resp.Header.Get("Location")
		if resp.StatusCode != http.StatusSeeOther || !strings.HasSuffix(to, "/modifier?fait=adapte") {
			t.Fatalf("adapting is answered %d to %s", resp.StatusCode, to)
		}
		typed := fields(s.get(t, to, http.StatusOK, s.signedIn))
		if typed.Get("title") != rec.Title || typed.Get("licence") != "cc-by-4.0" || typed.Get("places.0.label") != "" {
			t.Errorf("the draft is %v", typed)
		}
		slug := strings.TrimSuffix(strings.TrimPrefix(to, "/recettes/"), "/modifier?fait=adapte")
		draft, err := s.store.RecordBySlug(t.Context(), essaim.KindRecipe, "", slug)
		want := essaim.Derivation{ID: rec.ID, Digest: rec.ContentDigest, Name: rec.Title, AttributedTo: rec.Territory, Licence: "cc-by-4.0"}
		if err != nil || draft.State != essaim.StateDraft || draft.DerivedFrom == nil || *draft.DerivedFrom != want {
			t.Fatalf("draft %+v, %v, from %+v", draft.State, err, draft.DerivedFrom)
		}
		typed.Set("state", "published")
		typed.Set("licence", "cc0-1.0")
		edit := "/recettes/" + slug + "/modifier"
		read(t, s.post(edit, typed, s.signedIn), edit, http.StatusUnprocessableEntity).says(t, "La licence de la fiche adaptée ne permet pas celle-ci")
		typed.Set("licence", "cc-by-sa-4.0")
		if got := s.post(edit, typed, s.signedIn); got.StatusCode != http.StatusSeeOther {
			t.Errorf("publishing is answered %d", got.StatusCode)
		}
	})
}

func TestALicenceThatForbidsAdaptingSaysWhy(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db).fill(t)
		s.follow(t)
		c := s.records[essaim.KindRecipe].Content
		c.Title, c.DerivedFrom, c.Licence = "Sans dérivé", nil, "cc-by-nc-nd"
		rec := s.replicate(t, c, 1)
		s.get(t, recordPath(rec), http.StatusOK, s.signedIn).says(t, "CC BY-NC-ND ne permet pas de partager une adaptation")
		if got := s.post(recordPath(rec)+"/adapter", url.Values{}, s.signedIn); got.Header.Get("Location") != recordPath(rec) {
			t.Errorf("adapting it is answered %d to %s", got.StatusCode, got.Header.Get("Location"))
		}
		if got := s.post(recordPath(rec)+"/adapter", url.Values{}); got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "/connexion?suite="+urlEscape(recordPath(rec)) {
			t.Errorf("a stranger is answered %d to %s", got.StatusCode, got.Header.Get("Location"))
		}
	})
}

func TestAnAdaptationSaysWhetherItsOriginAcknowledgedIt(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db).fill(t)
		s.follow(t)
		parent := s.records[essaim.KindRecipe]
		c := parent.Content
		c.Title, c.DerivedFrom = "Une adaptation d’ailleurs", &essaim.Derivation{ID: parent.ID, Digest: parent.ContentDigest, Name: parent.Title, AttributedTo: parent.Territory, Licence: parent.Licence}
		s.replicate(t, c, 1)
		s.get(t, recordPath(parent), http.StatusOK).says(t, "Adaptée dans", "Une adaptation d’ailleurs", "non confirmée")
		c.Title = "Une adaptation d’ici"
		made, err := s.store.CreateRecord(t.Context(), essaim.NewRecord{Content: c, State: essaim.StatePublished})
		if err != nil {
			t.Fatal(err)
		}
		s.get(t, recordPath(made), http.StatusOK).says(t, "Adaptation confirmée par le territoire d'origine")
	})
}
