// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"maps"
	"net/http"
	"strings"
	"testing"

	"essaim"
	"essaim/store/storetest"
)

// A page has one address for those who list pages, in each language that is asked for,
// and tells those of the others, which tell it back.
func TestAPageTellsItsAddressInEachLanguage(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t)).fill(t)
	rec := recordPath(s.records[essaim.KindInitiative])
	for _, tt := range []struct {
		path, stands string
		listed       bool
	}{
		{"/", "/", true},
		{"/themes/reemploi", "/themes/reemploi", true},
		{"/themes/reemploi?lang=en", "/themes/reemploi?lang=en", true},
		{"/themes/reemploi?lang=fr", "/themes/reemploi", true},
		{"/themes/reemploi?lang=xx", "/themes/reemploi", true},
		{rec + "?fait=modifie&lang=en", rec + "?lang=en", true},
		{"/initiatives?utm_source=a&theme=", "/initiatives", true},
		{"/initiatives?lang=en&fbclid=1&theme=reemploi", "/initiatives?theme=reemploi&lang=en", true},
		{"/initiatives?theme=reemploi&stage=essaimage", "/initiatives?stage=essaimage&theme=reemploi", false},
		{"/initiatives?theme=reemploi&theme=lien-social", "/initiatives?theme=reemploi&theme=lien-social", false},
		{"/initiatives?q=table", "/initiatives?q=table", false},
		{"/initiatives?near=Brest&radius=5", "/initiatives?near=Brest&radius=5", false},
		{"/rencontres?quand=toutes", "/rencontres?quand=toutes", true},
		{"/recherche?utm_source=a&lang=en", "/recherche?lang=en", true},
		{"/recherche?q=table", "/recherche?q=table", false},
	} {
		// Who asks in no language is answered in that of her browser, at the same address.
		for _, lang := range []string{"", "en"} {
			d := s.get(t, tt.path, http.StatusOK, header("Accept-Language", lang))
			links := d.with("link", "rel", "canonical")
			if len(links) != 1 || value(links[0], "href") != storetest.Base+tt.stands {
				t.Errorf("%s has %d addresses, or another than %s", tt.path, len(links), tt.stands)
				continue
			}
			if got := len(d.with("meta", "name", "robots")) == 0; got != tt.listed {
				t.Errorf("%s may be listed: %v", tt.path, got)
			}
			languages := map[string]string{}
			for _, l := range d.with("link", "hreflang", "*") {
				languages[value(l, "hreflang")] = value(l, "href")
			}
			if !tt.listed {
				if len(languages) > 0 {
					t.Errorf("%s is not listed, in no language: %v", tt.path, languages)
				}
				continue
			}
			own := value(links[0], "href")
			for _, at := range languages {
				there := map[string]string{}
				for _, l := range s.get(t, strings.TrimPrefix(at, storetest.Base), http.StatusOK).with("link", "hreflang", "*") {
					there[value(l, "hreflang")] = value(l, "href")
				}
				if !maps.Equal(languages, there) {
					t.Errorf("%s tells %v, and %s %v", tt.path, languages, at, there)
				}
			}
			if len(languages) != 3 || languages["x-default"] != languages["fr"] || own != languages["fr"] && own != languages["en"] || languages["en"] == languages["fr"] {
				t.Errorf("%s, which stands as %s, tells %v", tt.path, own, languages)
			}
		}
	}
	// What stands elsewhere is the same there in whatever language.
	if got := s.get(t, "/ailleurs/"+toulouse+"/complet-recipe", http.StatusOK).with("link", "hreflang", "*"); len(got) > 0 {
		t.Errorf("a copy has %d addresses of its own", len(got))
	}
}
