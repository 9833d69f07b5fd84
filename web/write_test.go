// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"essaim"
	"essaim/store/storetest"
)

// typed is the least that publishes an initiative.
func typed() url.Values {
	return url.Values{
		"title": {"Compost de la rue Haute"}, "tagline": {"On y porte ses épluchures le samedi."}, "themes": {"jardins"},
		"places.0.commune": {"Brest (29019)"}, "licence": {essaim.DefaultLicence}, "state": {"published"},
	}
}

func TestAnInitiativeIsPublishedWithFourThings(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db)
		resp := s.post("/ecrire/initiatives", typed(), s.signedIn)
		if resp.StatusCode != http.StatusSeeOther || resp.Header.Get("Location") != "/initiatives/compost-de-la-rue-haute?fait=publie" {
			t.Fatalf("answers %d to %s", resp.StatusCode, resp.Header.Get("Location"))
		}
		d := s.get(t, "/initiatives/compost-de-la-rue-haute?fait=publie", http.StatusOK)
		d.says(t, "Compost de la rue Haute", "Jardins partagés", "Brest", "La fiche est publiée.")
		rec, err := s.store.RecordBySlug(t.Context(), essaim.KindInitiative, "", "compost-de-la-rue-haute")
		if err != nil || rec.Places[0].INSEE != "29019" || !rec.Places[0].Located() {
			t.Errorf("place is %+v, %v", rec.Places, err)
		}
		rev, err := s.store.Revisions(t.Context(), rec.ID)
		if err != nil || len(rev) != 1 || rev[0].Author.Name != "Animatrice de démonstration" {
			t.Errorf("revisions %+v, %v", rev, err)
		}
	})
}

func TestARefusedFormComesBackAsItWasTyped(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db)
		form := typed()
		form.Set("tagline", "")
		form.Set("body.since", "le mois dernier")
		form.Set("text", "Texte <gardé> & entier")
		form.Set("places.0.point", "là-bas")
		form["body.purposes"] = []string{"lien-social", "inventee"}
		d := read(t, s.post("/ecrire/initiatives", form, s.signedIn), "form", http.StatusUnprocessableEntity)
		d.says(t, "4 points sont à revoir.", "Ce que vous avez écrit est gardé.", "Date non reconnue", "À remplir.", "Écrivez la latitude puis la longitude")
		for name, want := range map[string]string{"title": "Compost de la rue Haute", "body.since": "le mois dernier", "places.0.point": "là-bas"} {
			if in := d.with("input", "name", name); len(in) != 1 || value(in[0], "value") != want {
				t.Errorf("%s was lost", name)
			}
		}
		if area := d.with("textarea", "name", "text"); len(area) != 1 || textOf(area[0]) != "Texte <gardé> & entier" {
			t.Error("the text was lost")
		}
		if box := d.with("input", "value", "jardins"); len(box) != 1 || !slices.ContainsFunc(box[0].Attr, func(a html.Attribute) bool { return a.Key == "checked" }) {
			t.Error("a theme was lost")
		}
		wrong := d.with("textarea", "name", "tagline")
		if value(wrong[0], "aria-invalid") != "true" || !strings.Contains(value(wrong[0], "aria-describedby"), "e-") {
			t.Error("the wrong field is not marked for those who hear it")
		}
		res, err := s.store.Search(t.Context(), essaim.Query{})
		if err != nil || res.Total != 0 {
			t.Errorf("a refused form left %d records, %v", res.Total, err)
		}
	})
}

func TestADraftAcceptsLessThanAPublication(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db)
		resp := s.post("/ecrire/rencontres", url.Values{"title": {"Café du mardi"}, "state": {"draft"}, "licence": {essaim.DefaultLicence}}, s.signedIn)
		if resp.StatusCode != http.StatusSeeOther || !strings.HasSuffix(resp.Header.Get("Location"), "?fait=brouillon") {
			t.Fatalf("a draft is answered %d", resp.StatusCode)
		}
		s.get(t, "/compte", http.StatusOK, s.signedIn).says(t, "Café du mardi")
		d := s.get(t, "/rencontres/cafe-du-mardi/modifier", http.StatusOK, s.signedIn)
		form := url.Values{"title": {"Café du mardi"}, "state": {"published"}, "licence": {essaim.DefaultLicence}, "revision": {value(d.with("input", "name", "revision")[0], "value")}}
		if got := s.post("/rencontres/cafe-du-mardi/modifier", form, s.signedIn); got.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("a meeting without a date is answered %d", got.StatusCode)
		}
		form.Set("body.start", "2026-04-07T18:30")
		if got := s.post("/rencontres/cafe-du-mardi/modifier", form, s.signedIn); got.StatusCode != http.StatusSeeOther {
			t.Fatalf("publishing a draft is answered %d", got.StatusCode)
		}
		s.get(t, "/rencontres/cafe-du-mardi", http.StatusOK).says(t, "mardi 7 avril 2026 à 18 h 30")
		s.get(t, "/", http.StatusOK).says(t, "Rencontres à venir", "Café du mardi")
	})
}

func TestEditingWithoutAChangeChangesNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db).fill(t)
		for kind, rec := range s.records {
			d := s.get(t, recordPath(rec)+"/modifier", http.StatusOK, s.signedIn)
			resp := s.post(recordPath(rec)+"/modifier", fields(d), s.signedIn)
			if resp.StatusCode != http.StatusSeeOther || !strings.HasSuffix(resp.Header.Get("Location"), "?fait=modifie") {
				t.Errorf("%s: the form as it is shown is answered %d: %s", kind, resp.StatusCode, read(t, resp, "form", resp.StatusCode).text())
				continue
			}
			after, err := s.store.Record(t.Context(), rec.ID)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(asJSON(t, rec.Content), asJSON(t, after.Content)); d != "" {
				t.Errorf("%s changed: %s", kind, d)
			}
		}
	})
}

func TestAnEditOfAnOldVersionIsADecision(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db).fill(t)
		rec := s.records[essaim.KindVenue]
		form := fields(s.get(t, recordPath(rec)+"/modifier", http.StatusOK, s.signedIn))
		other := rec.Content
		other.Tagline = "Autre phrase"
		if _, err := s.store.UpdateRecord(t.Context(), rec.ID, rec.Revision, other, essaim.StatePublished, storetest.Author); err != nil {
			t.Fatal(err)
		}
		form.Set("tagline", "Ma phrase à moi")
		d := read(t, s.post(recordPath(rec)+"/modifier", form, s.signedIn), "conflict", http.StatusConflict)
		d.says(t, "Quelqu’un a modifié cette fiche", "Enregistrer quand même")
		s.get(t, recordPath(rec), http.StatusOK).says(t, "Autre phrase")
		if resp := s.post(recordPath(rec)+"/modifier", fields(d), s.signedIn); resp.StatusCode != http.StatusSeeOther {
			t.Fatalf("saving anyway is answered %d", resp.StatusCode)
		}
		s.get(t, recordPath(rec), http.StatusOK).says(t, "Ma phrase à moi")
	})
}

func TestRowsAreAddedWithoutSaving(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	form := url.Values{"title": {""}, "body.steps.0.name": {"Un"}, "ajouter": {"body.steps"}}
	d := read(t, s.post("/ecrire/recettes", form, s.signedIn), "form", http.StatusOK)
	if got := len(d.with("input", "name", "body.steps.3.name")); got != 1 {
		t.Error("no more rows for steps")
	}
	if in := d.with("input", "name", "body.steps.0.name"); len(in) != 1 || value(in[0], "value") != "Un" {
		t.Error("what was typed was lost")
	}
}

func TestARelatedRecordIsNamedByTheAddressOfItsPage(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db).fill(t)
		here, there := s.records[essaim.KindInitiative], "https://toulouse.example/objects/complet-venue"
		form := url.Values{"title": {"Recette liée"}, "licence": {essaim.DefaultLicence}, "state": {"published"}, "relations-documents": {
			here.URL + "\n" + storetest.Base + "/ailleurs/" + toulouse + "/complet-venue Le lieu\nhttps://ailleurs.example/fiche/9 Ailleurs\n" + storetest.Base + "/initiatives/rien",
		}}
		if resp := s.post("/ecrire/recettes", form, s.signedIn); resp.StatusCode != http.StatusSeeOther {
			t.Fatalf("answers %d", resp.StatusCode)
		}
		rec, err := s.store.RecordBySlug(t.Context(), essaim.KindRecipe, "", "recette-liee")
		if err != nil {
			t.Fatal(err)
		}
		want := []essaim.Relation{
			{Type: essaim.RelationDocuments, Target: here.ID, Name: here.Title},
			{Type: essaim.RelationDocuments, Target: there, Name: "Le lieu"},
			{Type: essaim.RelationDocuments, Target: "https://ailleurs.example/fiche/9", Name: "Ailleurs"},
			{Type: essaim.RelationDocuments, Target: storetest.Base + "/initiatives/rien"},
		}
		if d := cmp.Diff(want, rec.Relations); d != "" {
			t.Errorf("relations: %s", d)
		}
		s.get(t, recordPath(here), http.StatusOK).says(t, "La recette Recette liée")
		if len(s.get(t, recordPath(rec), http.StatusOK).with("a", "href", "/ailleurs/"+toulouse+"/complet-venue")) != 1 {
			t.Error("no link to the copy here")
		}
	})
}

func TestWritingNeedsAnAccountThatMay(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db).fill(t)
		other := s.signedInAs(t, essaim.RoleContributor)
		path := recordPath(s.records[essaim.KindInitiative])
		for _, at := range []string{"/ecrire/initiatives", path + "/modifier", path + "/retirer"} {
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				resp := s.ask(method, at, "", header("Sec-Fetch-Site", "same-origin"))
				status, want := http.StatusForbidden, "" // and not led away from what she wrote
				if method == http.MethodGet {
					status, want = http.StatusSeeOther, "/connexion?suite="+urlEscape(at)
				}
				if resp.StatusCode != status || resp.Header.Get("Location") != want {
					t.Errorf("%s %s answers a stranger %d %s", method, at, resp.StatusCode, resp.Header.Get("Location"))
				}
				if resp := s.ask(method, at, "", header("Sec-Fetch-Site", "same-origin"), other); resp.StatusCode != http.StatusForbidden {
					t.Errorf("%s %s answers a contributor %d", method, at, resp.StatusCode)
				}
			}
		}
		s.get(t, path, http.StatusOK, other).hides(t, "/modifier")
	})
}

func TestAnotherSiteCannotWriteThroughAReadersBrowser(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t)).fill(t)
	path := recordPath(s.records[essaim.KindInitiative]) + "/retirer"
	for name, from := range map[string]asked{
		"fetch metadata": header("Sec-Fetch-Site", "cross-site"),
		"origin":         func(r *http.Request) { r.Header.Del("Sec-Fetch-Site"); r.Header.Set("Origin", "https://evil.example") },
		"silence":        func(r *http.Request) { r.Header.Del("Sec-Fetch-Site") },
		"no origin":      func(r *http.Request) { r.Header.Del("Sec-Fetch-Site"); r.Header.Set("Origin", "null") },
		"subdomain":      func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-site") },
	} {
		if resp := s.post(path, nil, s.signedIn, from); resp.StatusCode != http.StatusForbidden {
			t.Errorf("%s: answers %d", name, resp.StatusCode)
		}
	}
	s.get(t, recordPath(s.records[essaim.KindInitiative]), http.StatusOK)
}

func TestAFormTooLargeIsRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	form := typed()
	form.Set("text", strings.Repeat("a", maxFormBytes))
	if resp := s.post("/ecrire/initiatives", form, s.signedIn); resp.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("answers %d", resp.StatusCode)
	}
}

// A session may end while someone writes: a redirect to sign in would lose the text.
func TestWhoIsNoLongerSignedInKeepsWhatSheWrote(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	d := read(t, s.post("/ecrire/initiatives", typed()), "form", http.StatusForbidden)
	d.says(t, "Vous n'êtes plus connecté·e", "votre navigateur renverra votre texte")
	if links := d.with("a", "target", "_blank"); len(links) != 1 || value(links[0], "href") != "/connexion" {
		t.Errorf("%d links to sign in elsewhere", len(links))
	}
	if resp := s.ask(http.MethodGet, "/ecrire/initiatives", ""); resp.StatusCode != http.StatusSeeOther {
		t.Errorf("who only came to look is answered %d", resp.StatusCode)
	}
}

func TestWhatIsWrongStandsInTheOrderOfTheForm(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	form := typed()
	form.Set("title", "")
	form.Set("tagline", strings.Repeat("é", 181))
	form.Del("themes")
	form.Set("places.0.commune", "")
	form.Set("body.since", "hier")
	form.Set("body.indicators.1.label", "Vélos")
	form.Set("body.need", "Un texte que l’on garde sous les yeux")
	d := read(t, s.post("/ecrire/initiatives", form, s.signedIn), "form", http.StatusUnprocessableEntity)
	var got []string
	for _, a := range d.all("a") {
		if href := value(a, "href"); strings.HasPrefix(href, "#f-") {
			got = append(got, href)
		}
	}
	want := []string{"#f-title", "#f-tagline", "#f-places", "#f-themes", "#f-body-indicators-1-value", "#f-body-since"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	d.says(t, "Valeur (ligne 2)", "181 caractères")
	if open := d.with("details", "open", ""); len(open) < 3 {
		t.Errorf("%d parts are open: what was typed in the others is out of sight", len(open))
	}
}
