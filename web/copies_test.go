// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"net/http"
	"testing"
	"time"

	"essaim"
	"essaim/store/storetest"
)

func TestPagesSayWhoHoldsARecordAndWhoConfirmedItsDeletion(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db)
		s.follow(t)
		ctx := t.Context()
		one, two := storetest.Publish(t, s.store, storetest.Initiative("Le four partagé")), storetest.Publish(t, s.store, storetest.Initiative("Le vélo commun"))
		checked := func(differs ...essaim.CommonsItem) {
			t.Helper()
			h, err := s.store.CommonsState(ctx)
			if err != nil {
				t.Fatal(err)
			}
			err = s.store.SaveCopyCheck(ctx, essaim.CopyCheck{Host: toulouse, At: s.clock.Now(), Number: h.Number.N, State: essaim.CheckCompared, Differs: differs})
			if err != nil {
				t.Fatal(err)
			}
		}
		copies := recordPath(one) + "/copies"
		if got := s.get(t, recordPath(one), http.StatusOK).with("a", "href", copies); len(got) != 1 {
			t.Errorf("%d links to who keeps a copy", len(got))
		}
		s.get(t, copies, http.StatusOK).says(t, "Aucun autre territoire n’a encore été interrogé", "Ce qu’est une copie conforme")
		checked(essaim.CommonsItem{ID: two.ID})
		s.get(t, recordPath(one), http.StatusOK).says(t, "1 autre territoire garde une copie conforme Toulouse vérification du 3 mars 2026")
		s.get(t, copies, http.StatusOK).says(t, "Toulouse Copie conforme", "vérification du 3 mars 2026")
		s.get(t, recordPath(two)+"/copies", http.StatusOK).says(t, "Toulouse Pas de copie")
		s.get(t, copies+"?lang=en", http.StatusOK).says(t, "Exact copy")
		got := call[APIRecord](t, s, http.MethodGet, "initiatives/"+one.Slug, "", http.StatusOK)
		if len(got.Copies) != 1 || got.Copies[0].Host != toulouse || got.Copies[0].CheckedAt.IsZero() {
			t.Errorf("the API says %+v", got.Copies)
		}
		// Withdrawn: to those who moderate, who confirmed it.
		s.clock.Move(time.Hour)
		if err := s.store.WithdrawRecord(ctx, one.ID, storetest.Author); err != nil {
			t.Fatal(err)
		}
		s.get(t, copies, http.StatusGone).hides(t, "confirmé", toulouse)
		if links := s.get(t, recordPath(one), http.StatusGone, s.signedIn).with("a", "href", copies); len(links) != 1 {
			t.Errorf("%d links to who confirmed", len(links))
		}
		s.get(t, copies, http.StatusOK, s.signedIn).says(t, "Qui a confirmé la suppression", "Toulouse À vérifier")
		checked(essaim.CommonsItem{ID: one.ID, Digest: "00"})
		s.get(t, copies, http.StatusOK, s.signedIn).says(t, "Toulouse Garde encore une copie")
		checked()
		s.get(t, copies, http.StatusOK, s.signedIn).says(t, "Toulouse Suppression confirmée")
		s.get(t, "/initiatives/rien/copies", http.StatusNotFound)
	})
}
