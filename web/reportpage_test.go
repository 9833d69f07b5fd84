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

func TestAReaderReportsWithoutAnAccountAndReadsWhatBecameOfIt(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db).fill(t)
		own := s.records[essaim.KindInitiative]
		replica, err := s.store.RecordBySlug(t.Context(), "", toulouse, "complet-venue")
		if err != nil {
			t.Fatal(err)
		}
		for _, rec := range []essaim.Record{own, replica} {
			path := recordPath(rec)
			link := s.get(t, path, http.StatusOK).with("a", "href", reportPath+"?objet="+path)
			if len(link) != 1 {
				t.Fatalf("%s: %d links to report it", path, len(link))
			}
			page := s.get(t, value(link[0], "href"), http.StatusOK)
			page.says(t, rec.Title)
			object := value(page.with("input", "name", "objet")[0], "value")
			form := url.Values{"objet": {object}, "texte": {""}, "courriel": {"pas une adresse"}}
			d := read(t, s.post(reportPath, form), reportPath, http.StatusUnprocessableEntity)
			d.says(t, "2 points sont à revoir.", "Ce que vous avez écrit est gardé.", "Écrivez une adresse complète")
			if in := d.with("input", "name", "courriel"); len(in) != 1 || value(in[0], "value") != "pas une adresse" {
				t.Error("the address typed was lost")
			}
			form.Set("texte", "Ce n'est plus vrai.")
			form.Set("courriel", "")
			resp := s.post(reportPath, form)
			receipt := resp.Header.Get("Location")
			if resp.StatusCode != http.StatusSeeOther || !strings.HasPrefix(receipt, reportPath+"/") {
				t.Fatalf("answers %d to %s", resp.StatusCode, receipt)
			}
			got := s.get(t, receipt, http.StatusOK)
			got.says(t, "rien n'est encore décidé")
			if got.resp.Header.Get("Cache-Control") != "no-store" || got.resp.Header.Get("Referrer-Policy") != "no-referrer" {
				t.Errorf("a receipt is kept or told: %v", got.resp.Header)
			}
			items, err := s.store.Items(t.Context(), essaim.ItemFilter{State: essaim.ItemHeld, Kind: essaim.ItemReport})
			if err != nil || len(items) != 1 || items[0].About != rec.ID {
				t.Fatalf("%+v, %v", items, err)
			}
			admin, err := s.store.UserByEmail(t.Context(), adminEmail)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.store.DecideItem(t.Context(), items[0].N, essaim.ItemAccept, admin.ID, "corrigé"); err != nil {
				t.Fatal(err)
			}
			s.get(t, receipt, http.StatusOK).says(t, "jugé fondé", "corrigé")
		}
		d := read(t, s.post(reportPath, url.Values{"objet": {storetest.Base + "/initiatives/aucune"}, "texte": {"x"}}), reportPath, http.StatusUnprocessableEntity)
		d.says(t, "Rien de ce que montre ce site ne porte cette adresse")
		s.get(t, reportPath+"/"+strings.Repeat("0", 32), http.StatusNotFound)
	})
}
