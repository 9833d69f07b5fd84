// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/store/storetest"
	"essaim/web/markup"
)

// leaves lists the texts of a JSON value by their path.
func leaves(path string, v any, out map[string]string) {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			leaves(path+"."+k, x, out)
		}
	case []any:
		for _, x := range v {
			leaves(path, x, out)
		}
	case string:
		out[path+" "+v] = v
	}
}

// TestRecordPagesShowEveryField compares each page with the content of its
// record: what people wrote must be there to be read.
func TestRecordPagesShowEveryField(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db).fill(t)
		l := s.locales["fr"]
		lists := map[string]essaim.List{
			".body.stage": essaim.ListStage, ".body.activity": essaim.ListActivity, ".body.scope": essaim.ListLevel, ".body.purposes": essaim.ListPurpose,
			".body.forms": essaim.ListForm, ".body.difficulty": essaim.ListDifficulty, ".body.readiness": essaim.ListReadiness,
			".body.legalForm": essaim.ListActor, ".body.form": essaim.ListEvent, ".body.status": essaim.ListMeetingStatus, ".body.outcome": essaim.ListOutcome,
			".credits.role": essaim.ListRole, ".credits.kind": essaim.ListActor, ".helpWanted.kind": essaim.ListCallKind, ".helpOffered.kind": essaim.ListCallKind,
		}
		hidden := map[string]bool{
			".kind": true, ".language": true, ".places.insee": true, ".sources.key": true, ".body.timezone": true,
			".derivedFrom.digest": true, ".derivedFrom.attributedTo": true, ".relations.type": true,
		}
		for kind, rec := range s.records {
			d := s.get(t, recordPath(rec), http.StatusOK)
			text := d.text()
			b, err := json.Marshal(rec.Content)
			if err != nil {
				t.Fatal(err)
			}
			var v any
			if err := json.Unmarshal(b, &v); err != nil {
				t.Fatal(err)
			}
			found := map[string]string{}
			leaves("", v, found)
			for path, value := range found {
				name, _, _ := strings.Cut(path, " ")
				var want string
				switch {
				case hidden[name] || value == "Voisine" || value == "innovateur":
					continue
				case lists[name] != "":
					want = s.locales["fr"].term(lists[name], value)
				case name == ".themes":
					want = l.theme(value)
				case strings.HasSuffix(name, "icence"):
					want = licenceOf(value).Name
				case name == ".body.openingHours":
					want, _ = l.Hours(value)
				case name == ".body.start", name == ".body.end":
					at, err := time.Parse(time.RFC3339, value)
					if err != nil {
						t.Fatal(err)
					}
					want = l.Clock(at.In(l.zone))
				case len(d.with("a", "href", value)) > 0:
					continue
				case l.Partial(value) != value:
					want = l.Partial(value)
				default:
					want = markup.Plain(markup.Markdown(value))
				}
				if !strings.Contains(squeezed(text), squeezed(plain(want))) {
					t.Errorf("the page of the %s does not show %s: %q", kind, name, want)
				}
			}
			d.hides(t, "Voisine")
			d.says(t, "Une personne du quartier", "Informations relues le 3 mars 2026")
		}
	})
}

// squeezed leaves out spaces, which tags may add.
func squeezed(s string) string { return strings.ReplaceAll(s, " ", "") }

func TestARecordPageNamesItsObject(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t)).fill(t)
	rec := s.records[essaim.KindRecipe]
	d := s.get(t, recordPath(rec), http.StatusOK)
	alternate := d.with("link", "type", "application/activity+json")
	if len(alternate) != 1 || value(alternate[0], "href") != rec.ID || value(alternate[0], "rel") != "alternate" {
		t.Errorf("the page leads to no object: %v", alternate)
	}
	if link := d.resp.Header.Get("Link"); !strings.Contains(link, "<"+rec.ID+">") {
		t.Errorf("Link is %q", link)
	}
	if c := d.with("link", "rel", "canonical"); len(c) != 1 || value(c[0], "href") != rec.URL {
		t.Errorf("canonical is %v, want %s", c, rec.URL)
	}
	for property, want := range map[string]string{"og:title": rec.Title, "og:description": rec.Tagline, "og:url": rec.URL, "og:type": "article"} {
		if m := d.with("meta", "property", property); len(m) != 1 || value(m[0], "content") != want {
			t.Errorf("%s is not %q", property, want)
		}
	}
}

func TestAReplicatedRecordSaysWhereItComesFrom(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db).fill(t)
		rec := s.replicate(t, fullContents()[0], 2)
		d := s.get(t, "/ailleurs/"+toulouse+"/"+rec.Slug, http.StatusOK)
		d.says(t, "Vient de Toulouse", "Copie d’une fiche publiée par Toulouse", rec.Tagline)
		if c := d.with("link", "rel", "canonical"); len(c) != 1 || value(c[0], "href") != rec.URL {
			t.Errorf("canonical is not the origin's %s", rec.URL)
		}
		if len(d.with("a", "href", rec.URL)) == 0 {
			t.Error("no link to the original")
		}
		for _, page := range []string{"", "/lignee", "/copies"} {
			if m := s.get(t, "/ailleurs/"+toulouse+"/"+rec.Slug+page, http.StatusOK).with("meta", "name", "fediverse:creator"); len(m) != 0 {
				t.Errorf("%q credits %s with what Toulouse wrote", page, value(m[0], "content"))
			}
		}
		// Nobody edits here what another territory publishes.
		signed := s.get(t, "/ailleurs/"+toulouse+"/"+rec.Slug, http.StatusOK, s.signedIn)
		signed.hides(t, "/modifier")
		for _, path := range []string{"/ailleurs/" + toulouse + "/rien", "/ailleurs/nulle.example/" + rec.Slug, "/ailleurs/brest.example/complet-initiative", "/ailleurs/local/complet-initiative"} {
			s.get(t, path, http.StatusNotFound)
		}
	})
}

func TestADraftIsSeenByThoseWhoWriteOnly(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db).fill(t)
		for _, path := range []string{recordPath(s.draft), recordPath(s.draft) + "/historique", "/api/v1/initiatives/" + s.draft.Slug, "/api/v1/initiatives?id=" + urlEscape(s.draft.ID)} {
			if got := s.ask(http.MethodGet, path, ""); got.StatusCode != http.StatusNotFound {
				t.Errorf("%s answers a stranger %d", path, got.StatusCode)
			}
		}
		d := s.get(t, recordPath(s.draft), http.StatusOK, s.signedIn)
		d.says(t, "Brouillon : visible seulement par les personnes qui écrivent ici")
		if len(d.with("link", "type", "application/activity+json")) != 0 {
			t.Error("a draft names an object that does not exist")
		}
		for _, path := range []string{"/", "/initiatives", "/recherche?q=brouillon", "/api/v1/initiatives?q=brouillon"} {
			b := s.ask(http.MethodGet, path, "")
			if d := read(t, b, path, http.StatusOK); strings.Contains(d.raw, "Brouillon secret") {
				t.Errorf("%s shows a draft", path)
			}
		}
	})
}

func TestAWithdrawnRecordIsGoneWithItsDate(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db).fill(t)
		rec := s.records[essaim.KindVenue]
		s.get(t, recordPath(rec)+"/retirer", http.StatusOK, s.signedIn).says(t, "C’est sans retour", "Retirer la fiche")
		resp := s.post(recordPath(rec)+"/retirer", nil, s.signedIn)
		if resp.StatusCode != http.StatusSeeOther || resp.Header.Get("Location") != "/lieux?fait=retire" {
			t.Fatalf("withdrawal answers %d %s", resp.StatusCode, resp.Header.Get("Location"))
		}
		s.get(t, "/lieux?fait=retire", http.StatusOK).says(t, "La fiche est retirée.")
		d := s.get(t, recordPath(rec), http.StatusGone)
		d.says(t, "Fiche retirée par Brest le 3 mars 2026", "son contenu a été effacé")
		d.hides(t, rec.Tagline, "Place de la Liberté")
		s.get(t, recordPath(rec)+"/historique", http.StatusGone)
		if got := s.ask(http.MethodGet, "/api/v1/venues/"+rec.Slug, ""); got.StatusCode != http.StatusGone {
			t.Errorf("the API answers %d", got.StatusCode)
		}
		copied := s.replicate(t, fullContents()[2], 2)
		s.apply(t, toulouseActor, essaim.Erase{ID: copied.ID, Actor: toulouseActor, At: s.clock.Now()})
		s.get(t, "/ailleurs/"+toulouse+"/"+copied.Slug, http.StatusGone).says(t, "Fiche retirée par Toulouse")
	})
}

func TestHistoryShowsWhoWroteWhat(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db).fill(t)
		rec := s.records[essaim.KindInitiative]
		c := rec.Content
		c.Title, c.Places = "Complet, deuxième version", []essaim.Place{{City: "Brest", INSEE: "29019"}}
		s.clock.Move(48 * time.Hour)
		if _, err := s.store.UpdateRecord(t.Context(), rec.ID, rec.Revision, c, essaim.StatePublished, essaim.Author{Name: "Autre personne"}); err != nil {
			t.Fatal(err)
		}
		s.get(t, recordPath(rec), http.StatusOK).says(t, "Fiche recueillie par Animatrice de démonstration, février 2026")
		d := s.get(t, recordPath(rec)+"/historique", http.StatusOK)
		d.says(t, "Version 2", "5 mars 2026", "par Autre personne", "Version 1", "3 mars 2026", "par Contributrice de démonstration", "A changé : Titre, Lieux")
		if d.hides(t, "12 rue de la Table"); strings.Count(d.text(), "A changé") != 1 {
			t.Error("the first version changes something")
		}
	})
}

func TestTheFediversesThanksAreCounted(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db).fill(t)
		rec := s.records[essaim.KindMeeting]
		for _, who := range []string{"ana", "bob"} {
			s.apply(t, "https://m.example/users/"+who, essaim.React{Kind: essaim.ReactionLike, ActivityID: "https://m.example/likes/" + who, Actor: "https://m.example/users/" + who, Object: rec.ID, At: s.clock.Now()})
		}
		s.get(t, recordPath(rec), http.StatusOK).says(t, "2 mercis")
	})
}
