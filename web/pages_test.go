// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"essaim"
	"essaim/store/storetest"
)

// inFormat tells whether a route is of a list in a format, no page.
func inFormat(pattern string) bool {
	_, ok := formatOf(pattern)
	return ok
}

// addresses gives each page route of the site an address, so that a new page is
// checked without being listed here.
func (s *site) addresses(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, e := range s.endpoints {
		if e.method != http.MethodGet || strings.HasPrefix(e.pattern, "/api/") || strings.HasPrefix(e.pattern, "/static/") || strings.HasPrefix(e.pattern, "/m/") ||
			slices.Contains([]string{"/healthz", "/readyz", "/robots.txt", "/recherche/suggestions", "/export/SHA256SUMS"}, e.pattern) || inFormat(e.pattern) || strings.HasPrefix(e.pattern, "/sitemap") || e.pattern == archivePath || strings.HasPrefix(e.pattern, "/export/{") {
			continue
		}
		if strings.HasPrefix(e.pattern, previewPath) || e.pattern == bookletPath+".pdf" { // no pages
			continue
		}
		path := strings.NewReplacer("{secret}", "secret", "{id}", "jardins", "{insee}", "29019", "{host}", toulouse, "/personnes/{name}", "/personnes/camille", "{name}", "brest").Replace(e.pattern)
		switch {
		case strings.HasPrefix(path, consentPath):
			asked := essaim.Credit{Name: neighbour, Role: "porteur", Person: true}
			rec := storetest.Publish(t, s.store, storetest.Initiative("Le lavoir", func(c *essaim.Content) { c.Credits = append(c.Credits, asked) }))
			out = append(out, strings.TrimPrefix(s.consentLink(rec.ID, asked), storetest.Base), recordPath(rec))
			continue
		case strings.HasPrefix(path, "/ailleurs/"):
			for _, rec := range s.records {
				out = append(out, strings.Replace(path, "{slug}", rec.Slug, 1))
			}
			continue
		case strings.Contains(path, "{slug}"):
			for _, k := range essaim.Kinds() {
				if strings.HasPrefix(path, "/"+k.Path+"/") {
					path = strings.Replace(path, "{slug}", s.records[k.Kind].Slug, 1)
				}
			}
		}
		if strings.Contains(path, "{") {
			t.Fatalf("no address for %s", e.pattern)
		}
		out = append(out, path)
	}
	return append(out, "/recherche?q=table&theme=reemploi&near=Brest&radius=30", "/recherche?q=rien-du-tout", "/recherche?radius=-1&near=Brest",
		"/initiatives?stage=essaimage&territory="+urlEscape(toulouseActor), "/rencontres?quand=toutes", "/carte?q=table&bbox=-5,47,-1,49", "/carte?bbox=a", "/nulle-part")
}

func TestEveryPageIsWellMade(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db, withLinks, func(c *Config) { c.Demo = true }).fill(t)
		s.person(t)
		paths := s.addresses(t)
		if len(paths) < 50 {
			t.Fatalf("only %d pages", len(paths))
		}
		for _, path := range paths {
			for _, lang := range s.languages {
				for _, who := range []asked{func(*http.Request) {}, s.signedIn} {
					resp := s.ask(http.MethodGet, path, "", who, header("Accept-Language", lang))
					if resp.StatusCode == http.StatusSeeOther {
						continue // leads to sign-in, or from it
					}
					checkPage(t, path, lang, read(t, resp, path, resp.StatusCode))
				}
			}
		}
	})
}

// unsaid is a key that should have been a sentence.
var unsaid = regexp.MustCompile(`\b(?:nav|field|hint|problem|form|fact|record|list|kind|kinds|error|facet|relation|state|network|home|search|meeting|place|ago|chip|account|signin|role|flash|local|withdraw)\.[a-z_]+\b`)

// checkPage holds a page to what every page owes its readers.
func checkPage(t *testing.T, path, lang string, d *doc) {
	t.Helper()
	fail := func(format string, args ...any) {
		t.Helper()
		t.Errorf(path+" ("+lang+"): "+format, args...)
	}
	if d.resp.StatusCode >= 500 {
		fail("status %d", d.resp.StatusCode)
	}
	h := d.resp.Header
	if csp := h.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") == "" {
		fail("headers %v", h)
	}
	if n := len(d.raw); n > 60_000 && !strings.HasPrefix(path, bookletPath) { // as long as its records are many
		fail("weighs %d bytes before compression", n)
	}
	if got := value(d.all("html")[0], "lang"); got != lang {
		fail("its language is %q", got)
	}
	if n := len(d.all("h1")); n != 1 {
		fail("%d first headings", n)
	}
	if n := len(d.all("main")); n != 1 || len(d.with("main", "id", "contenu")) != 1 || len(d.with("a", "href", "#contenu")) != 1 {
		fail("no main part that a skip link reaches")
	}
	if titles := d.all("title"); len(titles) != 1 || textOf(titles[0]) == "" {
		fail("no title")
	}
	if m := unsaid.FindString(d.text()); m != "" {
		fail("shows the key %q", m)
	}
	if !strings.Contains(d.text(), "Démonstration") && !strings.Contains(d.text(), "Demonstration") {
		fail("no demonstration notice")
	}
	ids := map[string]bool{}
	level := 0
	for _, n := range d.all("*") {
		if id, ok := attr(n, "id"); ok {
			if ids[id] {
				fail("two elements %q", id)
			}
			ids[id] = true
		}
		for _, a := range n.Attr {
			if a.Key == "style" || strings.HasPrefix(a.Key, "on") || strings.HasPrefix(strings.TrimSpace(strings.ToLower(a.Val)), "javascript:") {
				fail("<%s %s=%q>", n.Data, a.Key, a.Val)
			}
		}
		switch n.Data {
		case "style", "iframe", "script":
			if n.Data == "script" && value(n, "type") == "application/ld+json" && value(n, "src") == "" {
				continue // data, which no browser runs
			}
			if n.Data == "script" && strings.HasPrefix(value(n, "src"), "/static/") && n.FirstChild == nil {
				continue // a file of ours, without which the page says the same
			}
			fail("has a <%s>", n.Data)
		case "h1", "h2", "h3", "h4":
			l := int(n.Data[1] - '0')
			if l > level+1 {
				fail("heading %s follows level %d: %q", n.Data, level, textOf(n))
			}
			level = l
		case "img", "source":
			if src := value(n, "src"); !strings.HasPrefix(src, "/") && !strings.HasPrefix(src, storetest.Base+"/") {
				fail("loads %s", src)
			}
			if _, ok := attr(n, "alt"); !ok {
				fail("an image without alternative text")
			}
		case "link":
			if rel := value(n, "rel"); (rel == "stylesheet" || rel == "icon") && !strings.HasPrefix(value(n, "href"), "/static/") {
				fail("loads %s", value(n, "href"))
			}
		}
	}
	checkForms(d, ids, fail)
}

// checkForms wants a label for each field, and what aria- attributes name.
func checkForms(d *doc, ids map[string]bool, fail func(string, ...any)) {
	labelled := map[string]bool{}
	for _, l := range d.all("label") {
		labelled[value(l, "for")] = true
	}
	for _, n := range d.all("*") {
		for _, a := range []string{"aria-describedby", "aria-labelledby", "list"} {
			for _, id := range strings.Fields(value(n, a)) {
				if !ids[id] {
					fail("%s names %q, which is not there", a, id)
				}
			}
		}
		switch n.Data {
		case "input", "select", "textarea":
			if value(n, "type") == "hidden" || labelled[value(n, "id")] && value(n, "id") != "" || within(n, "label") {
				continue
			}
			fail("no label for %s %q", n.Data, value(n, "name"))
		case "a", "button":
			if textOf(n) == "" && value(n, "aria-label") == "" {
				fail("a %s without words", n.Data)
			}
		}
	}
}

func within(n *html.Node, name string) bool {
	for p := n.Parent; p != nil; p = p.Parent {
		if p.Data == name {
			return true
		}
	}
	return false
}

func TestPagesOfTheSiteHaveNoDeadLinks(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db).fill(t)
		seen, queue := map[string]bool{"/": true}, []string{"/"}
		for len(queue) > 0 && len(seen) < 600 {
			path := queue[0]
			queue = queue[1:]
			resp := s.ask(http.MethodGet, path, "")
			if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusSeeOther {
				t.Errorf("a page links to %s, which answers %d", path, resp.StatusCode)
				continue
			}
			if !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") {
				continue
			}
			for _, a := range read(t, resp, path, resp.StatusCode).all("a") {
				href, _, _ := strings.Cut(value(a, "href"), "#")
				if strings.HasPrefix(href, "/") && !seen[href] {
					seen[href] = true
					queue = append(queue, href)
				}
			}
		}
		if len(seen) < 60 {
			t.Errorf("only %d addresses reached from the home page", len(seen))
		}
		for _, rec := range s.records {
			if !seen[recordPath(rec)] {
				t.Errorf("nothing leads to %s", recordPath(rec))
			}
		}
	})
}

func TestAnUnchangedPageIsNotSentAgain(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db).fill(t)
		path := recordPath(s.records[essaim.KindInitiative])
		first := s.ask(http.MethodGet, path, "")
		etag := first.Header.Get("ETag")
		if etag == "" || first.Header.Get("Cache-Control") != "public, no-cache" || !strings.Contains(strings.Join(first.Header.Values("Vary"), ", "), "Accept-Language") {
			t.Fatalf("headers %v", first.Header)
		}
		if got := s.ask(http.MethodGet, path, "", header("If-None-Match", etag)); got.StatusCode != http.StatusNotModified {
			t.Errorf("unchanged page answers %d", got.StatusCode)
		}
		if got := s.ask(http.MethodGet, path, "", s.signedIn); got.Header.Get("Cache-Control") != "private, no-cache" || got.Header.Get("ETag") == etag {
			t.Errorf("the page of somebody signed in: %v", got.Header)
		}
		head := s.ask(http.MethodHead, path, "")
		if body, _ := io.ReadAll(head.Body); head.StatusCode != http.StatusOK || len(body) != 0 {
			t.Errorf("HEAD answers %d with %d bytes", head.StatusCode, len(body))
		}
		zipped := s.ask(http.MethodGet, path, "", header("Accept-Encoding", "gzip"))
		z, err := gzip.NewReader(zipped.Body)
		if err != nil {
			t.Fatalf("compressed page: %v, headers %v", err, zipped.Header)
		}
		body, err := io.ReadAll(z)
		plainBody, _ := io.ReadAll(first.Body)
		if err != nil || string(body) != string(plainBody) {
			t.Errorf("the compressed page differs: %v", err)
		}
	})
}

func TestStaticFilesAreKeptByTheirContent(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	for name := range s.assets {
		path := s.assetPath(name)
		if got := s.ask(http.MethodGet, path, ""); got.StatusCode != http.StatusOK || !strings.Contains(got.Header.Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d %v", path, got.StatusCode, got.Header)
		}
		if got := s.ask(http.MethodGet, "/static/"+name, ""); strings.Contains(got.Header.Get("Cache-Control"), "immutable") {
			t.Errorf("/static/%s is kept for ever without its version", name)
		}
	}
	for _, path := range []string{"/static/none.css", "/static/..%2fweb.go", "/static/"} {
		if got := s.ask(http.MethodGet, path, ""); got.StatusCode != http.StatusNotFound {
			t.Errorf("%s answers %d", path, got.StatusCode)
		}
	}
}

func TestTheVocabularyIsForProgramsToo(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	d := read(t, s.ask(http.MethodGet, "/ns/essaim", "", header("Accept", "application/ld+json")), "/ns/essaim", http.StatusOK)
	var doc struct {
		Graph []struct {
			ID   string `json:"@id"`
			Type string `json:"@type"`
		} `json:"@graph"`
	}
	if err := json.Unmarshal([]byte(d.raw), &doc); err != nil {
		t.Fatal(err)
	}
	ids := map[string]string{}
	for _, n := range doc.Graph {
		ids[n.ID] = n.Type
	}
	if ids[essaim.Namespace+"steps"] != "rdf:Property" || ids[essaim.ThemeIRI("alimentation")] != "skos:Concept" {
		t.Errorf("%d terms, steps is %q", len(ids), ids[essaim.Namespace+"steps"])
	}
	if got := s.get(t, "/ns/essaim", http.StatusOK, header("Accept", "text/html,application/xhtml+xml,*/*")); len(got.all("h1")) != 1 {
		t.Error("a browser gets no page")
	}
}

func TestEachTermOnTheWireIsDocumented(t *testing.T) {
	t.Parallel()
	var documented []string
	for _, line := range vocabularyTerms {
		documented = append(documented, strings.Split(line.Name, ", ")...)
	}
	files, err := filepath.Glob("../federation/vocab/*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`json:"(essaim:[a-zA-Z]+)`).FindAllStringSubmatch(string(b), -1) {
			found++
			if !slices.Contains(documented, m[1]) {
				t.Errorf("%s is written and not documented at /ns/essaim", m[1])
			}
		}
	}
	if found < 50 {
		t.Errorf("found %d terms: the pattern no longer fits", found)
	}
}

func TestALanguageChosenInTheAddressStays(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t)).fill(t)
	d := s.get(t, "/?lang=en", http.StatusOK, header("Accept-Language", "fr"))
	d.says(t, "Latest records from here")
	for _, a := range d.all("a") {
		href := value(a, "href")
		if strings.HasPrefix(href, "/") && !strings.HasPrefix(href, "/api/") && !strings.HasPrefix(href, "/static/") && !strings.Contains(href, "lang=") {
			t.Errorf("%s loses the language", href)
		}
	}
	if len(d.with("input", "name", "lang")) == 0 {
		t.Error("a search loses the language")
	}
	for _, a := range s.get(t, "/", http.StatusOK).all("a") {
		if href := value(a, "href"); strings.Contains(href, "lang=fr") {
			t.Errorf("%s carries a language nobody chose", href)
		}
	}
}
