// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/store/storetest"
)

// addressesOf reads a sitemap, of addresses or of parts.
func (s *site) addressesOf(t *testing.T, path string) map[string]string {
	t.Helper()
	var m struct {
		Parts []struct {
			Loc     string `xml:"loc"`
			LastMod string `xml:"lastmod"`
		} `xml:",any"`
	}
	body, _ := s.body(t, strings.TrimPrefix(path, storetest.Base), http.StatusOK)
	if err := xml.Unmarshal([]byte(body), &m); err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, p := range m.Parts {
		out[p.Loc] = p.LastMod
	}
	return out
}

func (s *site) wholeSitemap(t *testing.T) (all map[string]string, parts int) {
	t.Helper()
	all = map[string]string{}
	for part, changed := range s.addressesOf(t, "/sitemap.xml") {
		parts++
		list := s.addressesOf(t, part)
		if len(list) > s.sitemapPart && !strings.HasSuffix(part, "/pages.xml") {
			t.Errorf("%s holds %d addresses", part, len(list))
		}
		for loc, at := range list {
			if _, again := all[loc]; again {
				t.Errorf("%s stands twice", loc)
			}
			if at > changed && changed != "" {
				t.Errorf("%s changed %s, its part %s", loc, at, changed)
			}
			all[loc] = at
		}
	}
	return all, parts
}

func TestTheSitemapHoldsWhatIsToBeFoundHere(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db).fill(t)
		s.sitemapPart = 3
		for i := range 7 {
			storetest.Publish(t, s.store, storetest.Initiative(fmt.Sprintf("Fiche %d", i)))
			s.clock.Move(time.Minute)
		}
		all, parts := s.wholeSitemap(t)
		if parts != 1+5 { // 6 and 7 records, in threes
			t.Errorf("%d parts", parts)
		}
		n := 0
		for loc, at := range all {
			s.get(t, strings.TrimPrefix(loc, storetest.Base), http.StatusOK)
			if at != "" {
				n++
			}
			if strings.Contains(loc, "/ailleurs/") || strings.Contains(loc, s.draft.Slug) {
				t.Errorf("%s is to be found elsewhere, or not yet", loc)
			}
		}
		for _, page := range []string{"/", "/carte", "/themes/alimentation", "/communes/29019", "/territoires/" + toulouse} {
			if _, ok := all[storetest.Base+page]; !ok {
				t.Errorf("%s is not to be found", page)
			}
		}
		rec := s.records[essaim.KindRecipe]
		if n != 13 || all[storetest.Base+recordPath(rec)] != feedTime(rec.Updated) || len(all) < n+8 {
			t.Errorf("%d records among %v", n, all)
		}
		if err := s.store.PeerGone(t.Context(), toulouse, s.clock.Now()); err != nil {
			t.Fatal(err)
		}
		all, parts = s.wholeSitemap(t)
		if copied := storetest.Base + "/ailleurs/" + toulouse + "/complet-venue"; parts != 8 || all[copied] == "" {
			t.Errorf("%d parts; the copy of a site that is gone: %q", parts, all[copied])
		}
	})
}

func TestASitemapHasNoOtherParts(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t)).fill(t)
	for _, path := range []string{"/sitemap/x.xml", "/sitemap/" + toulouse + "/0.xml", "/sitemap/nulle.example/0.xml", "/sitemap/"} {
		s.body(t, path, http.StatusNotFound)
	}
	if got := s.addressesOf(t, "/sitemap/9000000000000000000.xml"); len(got) != 0 {
		t.Errorf("beyond the last record: %v", got)
	}
	_, h := s.body(t, "/sitemap.xml", http.StatusOK)
	s.body(t, "/sitemap.xml", http.StatusNotModified, header("If-None-Match", h.Get("ETag")))
	if robots, _ := s.body(t, "/robots.txt", http.StatusOK); !strings.Contains(robots, "\nSitemap: "+storetest.Base+"/sitemap.xml\n") || !strings.Contains(robots, "\nDisallow: /carte?\nDisallow: /carte/\n") {
		t.Errorf("robots.txt says %q", robots)
	}
}

// A harvester takes what is made for it, and no list in a hundred formats.
func TestRobotsMayTakeTheDumps(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	robots, _ := s.body(t, "/robots.txt", http.StatusOK)
	may := func(path string) bool { // RFC 9309 2.2.2: the longest pattern that fits, and of two as long, Allow
		longest, allowed := -1, true
		for _, line := range strings.Split(robots, "\n") {
			rule, pattern, ok := strings.Cut(line, ": ")
			if !ok || rule != "Allow" && rule != "Disallow" {
				continue
			}
			fits := regexp.MustCompile("^" + strings.NewReplacer(`\*`, ".*", `\$`, "$").Replace(regexp.QuoteMeta(pattern))).MatchString(path)
			if n := len(pattern); fits && (n > longest || n == longest && rule == "Allow") {
				longest, allowed = n, rule == "Allow"
			}
		}
		return allowed
	}
	for path, want := range map[string]bool{
		"/": true, "/initiatives": true, "/export": true, "/export/catalogue.jsonld": true, "/export/dictionnaire.csv": true,
		"/initiatives.csv": false, "/recherche.atom?q=table": false, "/recherche?q=table": false, "/carte": true, "/carte?theme=reemploi": false,
	} {
		if may(path) != want {
			t.Errorf("%s may be read: %t, want %t", path, !want, want)
		}
	}
}
