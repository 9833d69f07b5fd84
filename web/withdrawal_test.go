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

func TestAModeratorWithdrawsARecordOfAnotherTerritoryOnItsPageAndTakesItBack(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db, func(c *Config) { c.Demo = true })
		s.follow(t)
		rec := s.replicate(t, storetest.Initiative("De Toulouse"), 1)
		page := "/ailleurs/" + toulouse + "/" + rec.Slug
		ask, back := page+"/retirer", page+"/retablir"
		moderator, typed := s.signedInAs(t, essaim.RoleFacilitator), func(why string) url.Values { return url.Values{"motif": {why}} }
		links := func(path, to string, status, want int, who ...asked) {
			t.Helper()
			if got := len(s.get(t, path, status, who...).with("a", "href", to)); got != want {
				t.Errorf("%s: %d links to %s, want %d", path, got, to, want)
			}
		}
		links(page, ask, http.StatusOK, 0)
		links(page, ask, http.StatusOK, 0, s.signedInAs(t, essaim.RoleContributor))
		links(page, ask, http.StatusOK, 1, moderator)
		s.get(t, back, http.StatusNotFound, moderator)
		for lang, words := range map[string][]string{
			"fr": {"Retirer « De Toulouse » de ce site", "L'original, chez Toulouse, n'est pas touché", "n'y nommez personne", "reçoivent un avis signé"},
			"en": {"Withdraw “De Toulouse” from this site", "The original, at Toulouse, is not affected", "do not name anyone in it", "receive a signed notice"},
		} {
			d := s.get(t, ask, http.StatusOK, moderator, header("Accept-Language", lang))
			d.says(t, words...)
			checkPage(t, ask, lang, d)
		}
		for why, problem := range map[string]string{" ": "À remplir.", strings.Repeat("x", essaim.MaxReason+1): "C'est trop long"} {
			d := read(t, s.post(ask, typed(why), moderator), ask, http.StatusUnprocessableEntity)
			d.says(t, problem)
			if kept := d.with("textarea", "name", "motif"); len(kept) != 1 || strings.TrimSpace(textOf(kept[0])) != strings.TrimSpace(why) {
				t.Errorf("what was typed is lost: %.80v", kept)
			}
			checkPage(t, ask, "fr", d)
		}
		done := page + "?fait=retire-ici"
		if resp := s.post(ask, typed("demande fondée"), moderator); resp.StatusCode != http.StatusSeeOther || resp.Header.Get("Location") != done {
			t.Fatalf("answers %d %s", resp.StatusCode, resp.Header.Get("Location"))
		}
		read(t, s.post(ask, typed("demande fondée"), moderator), ask, http.StatusGone) // whoever is second finds it done
		d := s.get(t, done, http.StatusGone, moderator)
		d.says(t, "La fiche est retirée de ce site.", "Fiche retirée ici par Brest", "retrait local")
		checkPage(t, done, "fr", d)
		links(page, back, http.StatusGone, 0)
		links(page, back, http.StatusGone, 1, moderator)
		items, err := s.store.Items(t.Context(), essaim.ItemFilter{Kind: essaim.ItemWithdrawal, State: essaim.ItemAccepted})
		if err != nil || len(items) != 1 || items[0].Ref != rec.ID {
			t.Fatalf("items %+v, %v", items, err)
		}
		for lang, words := range map[string][]string{"fr": {"Lever le retrait", "sera bientôt reprise à son origine"}, "en": {"Lift the withdrawal", "will soon be fetched"}} {
			d := s.get(t, back, http.StatusOK, moderator, header("Accept-Language", lang))
			d.says(t, words...)
			checkPage(t, back, lang, d)
		}
		read(t, s.post(back, typed(strings.Repeat("x", essaim.MaxReason+1)), moderator), back, http.StatusUnprocessableEntity).says(t, "C'est trop long")
		lifted := "/initiatives?fait=retabli"
		if resp := s.post(back, typed("à tort"), moderator); resp.StatusCode != http.StatusSeeOther || resp.Header.Get("Location") != lifted {
			t.Fatalf("answers %d %s", resp.StatusCode, resp.Header.Get("Location"))
		}
		s.get(t, lifted, http.StatusOK, moderator).says(t, "Le retrait est levé.")
		s.get(t, page, http.StatusNotFound) // until it is fetched again
		s.get(t, back, http.StatusNotFound, moderator)
		by, err := s.store.UserByEmail(t.Context(), string(essaim.RoleFacilitator)+"@brest.example")
		if err != nil {
			t.Fatal(err)
		}
		journal, err := s.store.Decisions(t.Context(), 0, 10)
		if err != nil || len(journal) != 2 {
			t.Fatalf("journal %+v, %v", journal, err)
		}
		for i, want := range []essaim.Decision{{Action: string(essaim.ItemRestore), Reason: "à tort"}, {Action: string(essaim.ItemWithdraw), Reason: "demande fondée"}} {
			if got := journal[i]; got.Action != want.Action || got.Reason != want.Reason || got.Account != by.ID || got.Subject != rec.ID {
				t.Errorf("journal line %d: %+v", i, got)
			}
		}
	})
}

func TestOnlyModeratorsWithdrawWhatIsOfAnotherTerritory(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db)
		s.follow(t)
		rec := s.replicate(t, storetest.Initiative("De Toulouse"), 1)
		page := "/ailleurs/" + toulouse + "/" + rec.Slug
		contributor := s.signedInAs(t, essaim.RoleContributor)
		refused := func() {
			t.Helper()
			for _, at := range []string{page + "/retirer", page + "/retablir"} {
				for _, method := range []string{http.MethodGet, http.MethodPost} {
					resp := s.ask(method, at, "", header("Sec-Fetch-Site", "same-origin"))
					status, want := http.StatusForbidden, ""
					if method == http.MethodGet {
						status, want = http.StatusSeeOther, "/connexion?suite="+urlEscape(at)
					}
					if resp.StatusCode != status || resp.Header.Get("Location") != want {
						t.Errorf("%s %s answers a stranger %d %s", method, at, resp.StatusCode, resp.Header.Get("Location"))
					}
					if resp := s.ask(method, at, "", header("Sec-Fetch-Site", "same-origin"), contributor); resp.StatusCode != http.StatusForbidden {
						t.Errorf("%s %s answers a contributor %d", method, at, resp.StatusCode)
					}
				}
			}
		}
		refused()
		if resp := s.post(page+"/retirer", url.Values{"motif": {"x"}}, s.signedIn, header("Sec-Fetch-Site", "cross-site")); resp.StatusCode != http.StatusForbidden {
			t.Errorf("another site withdraws: %d", resp.StatusCode)
		}
		s.get(t, page, http.StatusOK)
		if _, err := s.store.WithdrawHere(t.Context(), rec.ID, 0, "demande fondée"); err != nil {
			t.Fatal(err)
		}
		refused()
		s.get(t, page, http.StatusGone)
		// What its origin withdrew is not this node's to show again.
		other := s.replicate(t, storetest.Initiative("Une autre"), 1)
		s.apply(t, other.Territory, essaim.Erase{ID: other.ID, Actor: other.Territory, At: s.now()})
		s.get(t, "/ailleurs/"+toulouse+"/"+other.Slug+"/retablir", http.StatusNotFound, s.signedIn)
		s.get(t, "/ailleurs/"+toulouse+"/"+other.Slug+"/retirer", http.StatusGone, s.signedIn)
	})
}
