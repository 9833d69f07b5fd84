// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/store/storetest"
)

const neighbour = "Voisine de démonstration"

// withLinks lets the site make links of agreement.
func withLinks(c *Config) { c.Secret = []byte("secret de test") }

// waitingLink is the path of the one link that a writer is shown on a record's page.
func (s *site) waitingLink(t testing.TB, path string) string {
	t.Helper()
	inputs := s.get(t, path, http.StatusOK, s.signedIn).with("input", "id", "f-waiting-0")
	if len(inputs) != 1 {
		t.Fatalf("%d links to send", len(inputs))
	}
	link, ours := strings.CutPrefix(value(inputs[0], "value"), storetest.Base)
	if !ours || !strings.HasPrefix(link, consentPath) {
		t.Fatalf("link %s", value(inputs[0], "value"))
	}
	return link
}

func (s *site) compost(t testing.TB) essaim.Record {
	t.Helper()
	rec, err := s.store.RecordBySlug(t.Context(), essaim.KindInitiative, "", "compost-de-la-rue-haute")
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

func TestAPersonIsNamedOnceSheAgreedByHerLink(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db, withLinks)
		form := typed()
		form.Set("people.0.name", neighbour)
		form.Set("people.0.role", "porteur")
		if resp := s.post("/ecrire/initiatives", form, s.signedIn); resp.StatusCode != http.StatusSeeOther {
			t.Fatalf("answers %d", resp.StatusCode)
		}
		const page = "/initiatives/compost-de-la-rue-haute"
		// named says whether anybody but who writes reads her name.
		named := func(want bool) {
			t.Helper()
			api := s.get(t, "/api/v1/initiatives/compost-de-la-rue-haute", http.StatusOK).raw
			if got := strings.Contains(api, neighbour); got != want {
				t.Errorf("the API names her: %v, want %v", got, want)
			}
			if got := strings.Contains(s.get(t, page, http.StatusOK).raw, `<dd>`+neighbour); got != want {
				t.Errorf("the page names her: %v, want %v", got, want)
			}
			// The page of results says again what was searched for, so what counts is what it leads to.
			found := s.get(t, "/recherche?q="+url.QueryEscape(neighbour), http.StatusOK).with("a", "href", page)
			if got := len(found) > 0; got != want {
				t.Errorf("who searches for her finds the page: %v, want %v", got, want)
			}
			s.get(t, page+"/historique", http.StatusOK).hides(t, neighbour)
		}
		named(false)
		s.get(t, page, http.StatusOK).says(t, "Une personne du quartier")
		s.get(t, page, http.StatusOK).hides(t, "Accords à demander", consentPath)
		link := s.waitingLink(t, page)

		d := s.get(t, link, http.StatusOK)
		d.says(t, "D'accord pour que votre nom paraisse ?", neighbour, "Compost de la rue Haute", "Oui, mon nom peut paraître", "Non, ne me nommez pas")
		if got := d.resp.Header.Get("Cache-Control"); got != "no-store" {
			t.Errorf("a secret address may be kept: %q", got)
		}
		for _, other := range []string{link[:len(link)-1] + "x", link + "0", strings.Replace(link, consentPath, consentPath+"0", 1)} {
			s.get(t, other, http.StatusNotFound)
			if resp := s.post(other, url.Values{"reponse": {"oui"}}); resp.StatusCode != http.StatusNotFound {
				t.Errorf("%s is answered %d", other, resp.StatusCode)
			}
		}
		if resp := s.post(link, url.Values{"reponse": {"peut-être"}}); resp.StatusCode != http.StatusBadRequest {
			t.Errorf("an answer that is none: %d", resp.StatusCode)
		}
		if resp := s.post(link, url.Values{"reponse": {"oui"}}, header("Sec-Fetch-Site", "cross-site")); resp.StatusCode != http.StatusForbidden {
			t.Errorf("from another site: %d", resp.StatusCode)
		}
		named(false)

		s.clock.Move(time.Second)
		read(t, s.post(link, url.Values{"reponse": {"oui"}}), link, http.StatusOK).says(t, "votre accord est noté")
		named(true)
		c := s.compost(t).Credits[0].Consent
		if c == nil || c.On == "" || c.How != byLink || strings.Join(c.Fields, " ") != "name role" {
			t.Errorf("kept %+v", c)
		}
		s.get(t, page, http.StatusOK, s.signedIn).hides(t, "Accords à demander")

		// A writer who changes what she agreed to asks again.
		form.Set("people.0.role", "ambassadeur")
		form.Set("revision", "2")
		if resp := s.post(page+"/modifier", form, s.signedIn); resp.StatusCode != http.StatusSeeOther {
			t.Fatalf("edit: %d", resp.StatusCode)
		}
		named(false)
		s.get(t, link, http.StatusNotFound)
		again := s.waitingLink(t, page)
		s.clock.Move(time.Second)
		s.post(again, url.Values{"reponse": {"oui"}})
		named(true)

		s.get(t, again, http.StatusOK).says(t, "Vous avez donné votre accord le", "Retirer mon nom")
		s.clock.Move(time.Second)
		read(t, s.post(again, url.Values{"reponse": {"non"}}), again, http.StatusOK).says(t, "Votre nom n'y est plus")
		named(false)
		if got := s.compost(t).Credits; len(got) != 0 {
			t.Errorf("left %+v", got)
		}
		revisions, err := s.store.Revisions(t.Context(), s.compost(t).ID)
		for _, rev := range revisions {
			if err != nil || len(rev.Content.Credits) != 0 {
				t.Errorf("revision %d keeps %+v, %v", rev.Number, rev.Content.Credits, err)
			}
		}
		s.get(t, again, http.StatusNotFound)
	})
}

func TestNobodyAgreesForAnother(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db, withLinks)
		s.person(t)
		const me = "Animatrice de démonstration" // the name of the account
		for i, c := range []struct{ name, credit, want string }{
			{"a consent that a program writes", `{"name":"` + neighbour + `","role":"porteur","person":true,"consent":{"on":"2026-01-01","how":"link","fields":["name"]}}`, ""},
			{"a consent by nobody", `{"name":"` + neighbour + `","role":"porteur","person":true,"consent":{"on":"2026-01-01","how":"origin"}}`, ""},
			{"another's, said to be one's own", `{"name":"` + neighbour + `","role":"porteur","person":true,"consent":{"how":"self"}}`, me},
			{"one's own", `{"name":"` + me + `","role":"porteur","person":true,"actor":"https://evil.example/u","consent":{"how":"self"}}`, me},
		} {
			body := `{"title":"Fiche ` + string(rune('A'+i)) + `","tagline":"Une phrase.","themes":["jardins"],"places":[{"insee":"29019"}],"state":"published","credits":[` + c.credit + `]}`
			resp := s.ask(http.MethodPost, "/api/v1/initiatives", body, s.bearer, header("Content-Type", "application/json"))
			if resp.StatusCode != http.StatusCreated {
				t.Fatalf("%s: %d", c.name, resp.StatusCode)
			}
			rec, err := s.store.RecordBySlug(t.Context(), essaim.KindInitiative, "", "fiche-"+string(rune('a'+i)))
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, cr := range rec.PublicCredits() {
				got += cr.Name
				if cr.Actor != camille {
					t.Errorf("%s: leads to %q", c.name, cr.Actor)
				}
			}
			if got != c.want {
				t.Errorf("%s: %q is named, want %q", c.name, got, c.want)
			}
		}
		// Herself, by the box of the form.
		form := typed()
		form.Set("people.0.self", "1")
		s.post("/ecrire/initiatives", form, s.signedIn)
		rec := s.compost(t)
		if got := rec.PublicCredits(); len(got) != 1 || got[0].Name != me || got[0].Role != "porteur" || got[0].Actor != camille {
			t.Errorf("by the form: %+v", got)
		}
		s.get(t, "/initiatives/compost-de-la-rue-haute/modifier", http.StatusOK, s.signedIn).says(t, "A donné son accord le")
	})
}

func TestThePeopleWhoAgreedToBeListedAre(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db)
		s.person(t) // on the Fediverse, and in no list
		s.get(t, "/personnes", http.StatusOK).says(t, "Personne n'a encore demandé à paraître ici")
		s.clock.Move(time.Second)
		yes := true
		if err := s.store.SetProfile(t.Context(), "camille", essaim.Profile{Name: camilleName, Summary: "Je *jardine*.", Discoverable: &yes}); err != nil {
			t.Fatal(err)
		}
		d := s.get(t, "/personnes", http.StatusOK)
		d.says(t, camilleName, "@camille@brest.example", "Je jardine.")
		if got := d.with("a", "href", "/personnes/camille"); len(got) != 1 {
			t.Errorf("%d links to her page", len(got))
		}
		s.get(t, "/personnes?after=camille", http.StatusOK).hides(t, camilleName)
		if err := s.store.DeletePerson(t.Context(), "camille"); err != nil {
			t.Fatal(err)
		}
		s.get(t, "/personnes", http.StatusOK).hides(t, camilleName)
	})
}
