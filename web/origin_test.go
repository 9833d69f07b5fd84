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
		rec := s.replicate(t, storetest.Initiative("Le four partagé"), 1)
		ctx := t.Context()
		fares := func(want essaim.PeerLife, card, page string, original bool) {
			t.Helper()
			for _, path := range []string{"/initiatives", "/", "/recherche?q=four", "/carte?q=four", "/carte/cadre?q=four&vue=liste", "/ailleurs/" + toulouse + "/" + rec.Slug + "/lignee"} {
				d := s.get(t, path, http.StatusOK)
				if card != "" {
					d.says(t, card)
				} else if strings.Contains(d.text(), "Site en retard") {
					t.Errorf("%s marks a record of a site that answers", path)
				}
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
			if want == essaim.LifeCurrent {
				want = ""
			}
			if len(list.Items) != 1 || one.OriginState != string(want) || list.Items[0].OriginState != string(want) || one.OriginSince.IsZero() != (want == "") {
				t.Errorf("the API says %q since %s, and %+v; want %q", one.OriginState, one.OriginSince, list.Items, want)
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
		s.get(t, "/territoires", http.StatusOK).says(t, "Disparu")
		if err := s.store.PeerGone(ctx, toulouse, time.Time{}); err != nil {
			t.Fatal(err)
		}
		fares(essaim.LifeSilent, "Site qui ne répond plus", "ne répond plus", true)
	})
}
