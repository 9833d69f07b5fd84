// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"net/http"
	"net/url"
	"testing"

	"essaim"
	"essaim/store/storetest"
)

func TestARemakeIsToldFromWhatWasRemadeAndItsTipsFlowBack(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db).fill(t)
		recipe := s.records[essaim.KindRecipe]
		form := "/ecrire/reprises?de=" + url.QueryEscape(recipe.ID)
		page := s.get(t, recordPath(recipe), http.StatusOK, s.signedIn)
		if len(page.with("a", "href", form)) != 1 {
			t.Fatal("the page of a recipe does not lead to a remake of it")
		}
		if len(s.get(t, recordPath(recipe), http.StatusOK).with("a", "href", form)) != 0 {
			t.Error("those who may not write are led to a form")
		}
		typed := fields(s.get(t, form, http.StatusOK, s.signedIn))
		typed.Set("state", "published")
		d := read(t, s.post("/ecrire/reprises", typed, s.signedIn), form, http.StatusUnprocessableEntity)
		d.says(t, "Résultat : À remplir.")
		typed.Set("body.outcome", "adapted")
		typed.Set("body.on", "2026-02")
		typed.Set("body.advice", "Prévoir du thé.")
		if got := s.post("/ecrire/reprises", typed, s.signedIn); got.StatusCode != http.StatusSeeOther {
			t.Fatalf("a remake is answered %d", got.StatusCode)
		}
		s.get(t, recordPath(recipe), http.StatusOK).says(t, "Reprises", "Reprise : "+recipe.Title, "Ça marche, autrement", "février 2026", "Prévoir du thé.")
		none := url.Values{"title": {"Reprise de rien"}, "state": {"published"}, "licence": {essaim.DefaultLicence}, "body.outcome": {"works"}}
		read(t, s.post("/ecrire/reprises", none, s.signedIn), form, http.StatusUnprocessableEntity).says(t, "Ce que nous avons refait : À remplir.")
		s.get(t, "/ecrire/reprises?de=https%3A%2F%2Fnowhere.example%2F1", http.StatusNotFound, s.signedIn)
	})
}
