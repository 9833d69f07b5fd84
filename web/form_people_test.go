// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"essaim/store/storetest"
)

// A form that comes back says of each person what it said before, and an agreement
// that it repeats is none.
func TestTheFormStillSaysWhoAgreedWhenItComesBack(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t), withLinks)
	form := typed()
	form.Set("people.0.name", neighbour)
	form.Set("people.0.role", "porteur")
	if resp := s.post("/ecrire/initiatives", form, s.signedIn); resp.StatusCode != http.StatusSeeOther {
		t.Fatalf("answers %d", resp.StatusCode)
	}
	const page, agreed = "/initiatives/compost-de-la-rue-haute", "A donné son accord"
	form.Set("revision", "1")
	form.Set("title", "")
	form.Set("people.0.agreed", "2026-03-03")
	s.get(t, page+"/modifier", http.StatusOK, s.signedIn).hides(t, agreed)
	s.clock.Move(time.Second)
	s.post(s.waitingLink(t, page), url.Values{"reponse": {"oui"}})
	s.get(t, page+"/modifier", http.StatusOK, s.signedIn).says(t, agreed)
	form.Set("revision", "2")
	read(t, s.post(page+"/modifier", form, s.signedIn), page, http.StatusUnprocessableEntity).says(t, agreed)

	form.Set("title", "Compost de la rue Haute")
	form.Set("people.1.name", "Autre voisine")
	form.Set("people.1.role", "porteur")
	form.Set("people.1.agreed", "2026-03-03")
	if resp := s.post(page+"/modifier", form, s.signedIn); resp.StatusCode != http.StatusSeeOther {
		t.Fatalf("answers %d", resp.StatusCode)
	}
	for _, cr := range s.compost(t).Credits {
		if cr.Name == "Autre voisine" && cr.Shown() {
			t.Error("an agreement is taken from the form")
		}
	}
}
