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

func TestPagesSayHowTheOriginOfARecordFares(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db, func(c *Config) { c.PeerSilence = 10 * 24 * time.Hour })
		s.follow(t)
		rec := s.replicate(t, located("Le four partagé", 43.6, 1.44), 1)
		ctx := t.Context()
		fares := func(want essaim.PeerLife, card, page string, original bool) {
			t.Helper()
			for _, path := range []string{"/initiatives", "/", "/recherche?q=four", "/recueil?q=four", "/carte?q=four", "/carte/cadre?q=four&vue=liste", "/ailleurs/" + toulouse + "/" + rec.Slug + "/lignee"} {
				d := s.get(t, path, http.StatusOK)
				if card != "" {
					d.says(t, card)
				} else if strings.Contains(d.text(), "Site en retard") {
					t.Errorf("%s marks a record of a site that answers", path)
				}
			}
			onPaper := "Toulouse Le four partagé"
			if card != "" {
				onPaper = "Toulouse · " + card
			}
			if paper := plain(strings.Join(pdfText(t, s.pdfOf(t, "/recueil.pdf?q=four")), " ")); !strings.Contains(paper, onPaper) {
				t.Errorf("%s: on paper: %s", want, paper)
			}
			state := string(want)
			if want == essaim.LifeCurrent {
				state = ""
			}
			if found := s.cells(t, "q=four").Features; len(found) != 1 || found[0].Properties.Territory != "Toulouse" || found[0].Properties.State != state {
				t.Errorf("%s: the bubbles of the map say %+v", want, found)
			}
			d := s.get(t, "/ailleurs/"+toulouse+"/"+rec.Slug, http.StatusOK)
			if page != "" {
				d.says(t, page)
			}
			if got := strings.Contains(d.raw, `href="`+rec.URL+`"`); got != original {
				t.Errorf("%s: leads to the original: %t", want, got)
			}
			one := call[APIRecord](t, s, http.MethodGet, "initiatives?id="+url.QueryEscape(rec.ID), "", http.StatusOK)
			list := call[APIList](t, s, http.MethodGet, "initiatives", "", http.StatusOK)
			if file := s.get(t, "/initiatives.csv", http.StatusOK); !strings.Contains(file.raw, rec.ID) {
				t.Errorf("%s: the record is not exported", want)
			}
			if len(list.Items) != 1 || one.OriginState != state || list.Items[0].OriginState != state || one.OriginSince.IsZero() != (state == "") {
				t.Errorf("the API says %q since %s, and %+v; want %q", one.OriginState, one.OriginSince, list.Items, state)
			}
		}
		fares(essaim.LifeCurrent, "", "", true)
		if err := s.store.SaveHost(ctx, essaim.HostState{Host: toulouse, DownSince: s.clock.Now(), LastSuccess: s.clock.Now(), LastReason: "refused"}); err != nil {
			t.Fatal(err)
		}
		since := s.clock.Now()
		fares(essaim.LifeLate, "Site en retard", "ne répond pas en ce moment. Vous lisez la copie du 3 mars 2026.", true)
		s.get(t, "/territoires", http.StatusOK).says(t, "En retard")
		s.clock.Move(11 * 24 * time.Hour)
		fares(essaim.LifeSilent, "Site qui ne répond plus", "Le site d’origine (toulouse.example) ne répond plus depuis le 3 mars 2026. Vous lisez la copie du 3 mars 2026.", true)
		s.get(t, "/territoires", http.StatusOK).says(t, "Ne répond plus", "Dernière réponse")
		s.get(t, "/ailleurs/"+toulouse+"/"+rec.Slug+"?lang=en", http.StatusOK).says(t, "has not answered since")
		if err := s.store.PeerGone(ctx, toulouse, since.Add(24*time.Hour)); err != nil {
			t.Fatal(err)
		}
		fares(essaim.LifeGone, "Site disparu", "(toulouse.example) a disparu (constat du 4 mars 2026). Vous lisez la copie du 3 mars 2026", false)
		s.get(t, "/territoires", http.StatusOK).says(t, "Site disparu")
		if err := s.store.PeerGone(ctx, toulouse, time.Time{}); err != nil {
			t.Fatal(err)
		}
		fares(essaim.LifeSilent, "Site qui ne répond plus", "ne répond plus", true)
	})
}

// A list that may hold records of several territories says of each whose it is, its
// own too; one that holds those of here alone does not repeat it.
func TestEachRecordOfAMixedListNamesItsTerritory(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t)).fill(t)
	theme := s.records[essaim.KindInitiative].Themes[0]
	for _, path := range []string{
		"/", "/recherche", "/recherche?q=table", "/initiatives", "/rencontres", "/themes/" + theme, "/communes/29019",
		"/carte", "/carte/cadre", "/carte/cadre?vue=liste",
	} {
		d := s.get(t, path, http.StatusOK)
		named := map[string]int{}
		for _, a := range d.all("a") {
			li := a.Parent
			for li != nil && li.Data != "li" {
				li = li.Parent
			}
			if li == nil || a.Parent.Data != "h3" && !strings.HasPrefix(value(li, "class"), "k-") {
				continue
			}
			want := "Brest"
			if strings.HasPrefix(value(a, "href"), "/ailleurs/") {
				want = "Toulouse"
			}
			if named[want]++; !strings.Contains(textOf(li), want) {
				t.Errorf("%s: %q does not say %s", path, textOf(li), want)
			}
		}
		if named["Brest"] == 0 || named["Toulouse"] == 0 {
			t.Errorf("%s has %v", path, named)
		}
	}
	for _, path := range []string{"/recherche?origin=local", "/initiatives?origin=local", "/carte?origin=local"} {
		d := s.get(t, path, http.StatusOK)
		if n := len(d.with("span", "class", "origin here")); n > 0 || strings.Contains(d.raw, "Initiative · Brest") {
			t.Errorf("%s repeats the territory", path)
		}
	}
	d := s.get(t, "/recherche/suggestions?q=complet", http.StatusOK)
	if !strings.Contains(d.raw, "Initiative, Brest") || !strings.Contains(d.raw, ", Toulouse") {
		t.Errorf("suggestions: %s", d.raw)
	}
}

// Files and feeds name it in fields of their own.
func TestEachFormatNamesTheTerritoryOfEachRecord(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t)).fill(t)
	for path, says := range map[string][]string{
		"/recherche.atom":              {"<author><name>Brest</name>", "<author><name>Toulouse</name>"},
		"/recherche.json":              {`"authors":[{"name":"Brest"`, `"authors":[{"name":"Toulouse"`},
		"/recherche.geojson":           {`"territory_name":"Brest"`, `"territory_name":"Toulouse"`, `"territory":"` + toulouseActor + `"`},
		"/recherche.csv":               {",territory,territory_name,", "," + toulouseActor + ",Toulouse,", ",Brest,"},
		"/rencontres.ics?quand=toutes": {"Brest\\nhttps://", "Toulouse\\nhttps://"},
		"/api/v1/initiatives":          {`"territoryName":"Brest"`, `"territoryName":"Toulouse"`},
	} {
		body, _ := s.body(t, path, http.StatusOK)
		body = strings.NewReplacer("\r\n ", "", "\n  ", "", ": ", ":").Replace(body)
		for _, want := range says {
			if !strings.Contains(body, want) {
				t.Errorf("%s does not say %q: %.3000s", path, want, body)
			}
		}
	}
}

func TestCopiesOfANodeThatIsFollowedNoMoreSaySo(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db)
		s.follow(t)
		rec := s.replicate(t, storetest.Initiative("Le four partagé"), 1)
		state := func(want string) {
			t.Helper()
			if one := call[APIRecord](t, s, http.MethodGet, "initiatives?id="+url.QueryEscape(rec.ID), "", http.StatusOK); one.OriginState != want || !one.OriginSince.IsZero() {
				t.Errorf("the API says %q since %s, want %q", one.OriginState, one.OriginSince, want)
			}
		}
		state("")
		undo := essaim.Outgoing{ActivityID: storetest.Base + "/activities/undo", Actor: storetest.Base + "/actor", Inbox: "https://toulouse.example/inbox", OrderKey: "k", Body: []byte("{}")}
		if err := s.store.UnfollowPeer(t.Context(), toulouse, undo); err != nil {
			t.Fatal(err)
		}
		state("former")
		s.get(t, "/initiatives", http.StatusOK).says(t, "Le four partagé", "Site qui n’est plus suivi")
		d := s.get(t, "/ailleurs/"+toulouse+"/"+rec.Slug, http.StatusOK)
		d.says(t, "Ce site ne suit plus le site d’origine (toulouse.example). Vous lisez la copie du 3 mars 2026, qui n’est plus tenue à jour.")
		if !strings.Contains(d.raw, `href="`+rec.URL+`"`) {
			t.Error("it does not lead to the original")
		}
		s.follow(t)
		state("")
	})
}
