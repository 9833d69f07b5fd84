// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// together are the addresses asked for side by side.
const together = 4

// budget bounds the addresses of one node and reader; each bounds those that one
// route is asked with before the others have their turn.
func (w *world) budget() (all, each int) {
	if w.short {
		return 340, 3
	}
	return 4000, 1000
}

// crawls goes through each node as a stranger and as its administrator, and gives
// each judge what was found.
func (w *world) crawls() {
	for _, s := range w.sites {
		for _, signed := range []bool{false, true} {
			who := map[bool]string{false: "signed out", true: "signed in"}[signed]
			w.Must(fmt.Sprintf("%s %s %s: links are followed from /", w.db, s.name, who), func() error {
				if err := w.crawl(s, signed); err != nil {
					return err
				}
				return w.forms(s, signed)
			})
		}
	}
	if !w.takes("crawl") {
		return
	}
	for _, j := range judges {
		w.Check(w.db+" "+j.name, func() error {
			if w.looked[j.name] < 20 {
				return fmt.Errorf("%d pages: it did not look", w.looked[j.name])
			}
			return verdict(w.found[j.name])
		})
	}
	w.Check(w.db+" every route was met", w.covered)
	w.Figure("heaviest_page_"+w.db, w.heaviest, "")
	w.Figure("heaviest_text_"+w.db, w.most.text, "B")
	w.Figure("heaviest_sent_"+w.db, w.most.sent, "B")
	w.Figure("fonts_"+w.db, w.most.fonts, "B")
	w.Figure("most_requests_"+w.db, w.most.requests, "")
}

// notes is what is kept of the pages that were crawled: what the judges found, and
// a page of each kind.
type notes struct {
	found    map[string][]string // by judge
	looked   map[string]int
	met      map[string]bool // routes
	best     map[string]*page
	most     size
	heaviest string
}

func newNotes() notes {
	return notes{found: map[string][]string{}, looked: map[string]int{}, met: map[string]bool{}, best: map[string]*page{}}
}

// note has the judges look at a page.
func (w *world) note(p *page) {
	if p.status < 400 {
		w.met[p.pattern] = true
	}
	for _, j := range judges {
		if !w.takes("crawl") || !j.every && p.doc == nil {
			continue
		}
		w.looked[j.name]++
		for _, f := range j.look(w, p) {
			w.found[j.name] = append(w.found[j.name], fmt.Sprintf("%s: %s", p, f))
		}
	}
	if p.doc == nil {
		return
	}
	if got, _ := w.sizeOf(p); got.text > w.most.text {
		w.most, w.heaviest = got, p.String()
	}
	key := p.kind()
	switch {
	case p.english():
		if key = p.pattern + " in English"; w.short || p.signed || p.form || p.status != http.StatusOK {
			return // one of each route tells what the language changes
		}
	case strings.Contains(p.path, "lang="):
		return // as without
	case w.short:
		key = p.alike()
	}
	if b, ok := w.best[key]; !ok || len(p.body) > len(b.body) {
		w.best[key] = p
	}
}

// verdict says what was found, the same fault of many pages once.
func verdict(found []string) error {
	const shown = 12
	var errs []error
	for _, f := range found[:min(len(found), shown)] {
		errs = append(errs, errors.New(f))
	}
	if len(found) > shown {
		errs = append(errs, fmt.Errorf("and %d more", len(found)-shown))
	}
	return errors.Join(errs...)
}

// nowhere is the last part of addresses where nothing ever was.
const nowhere = "ce-qui-n-existe-pas"

// starts are addresses that nobody links to: those of programs, and what a reader
// meets by mistake or with a search of his own.
var starts = []string{
	"/", "/?lang=en", "/robots.txt", "/healthz", "/readyz", "/ns/essaim/themes", "/export",
	"/recherche?q=jardin", "/recherche?q=zzyzx", "/recherche?near=Nulle-Part&radius=5", "/recherche?q=jardin&near=Brest&radius=20", "/recherche?q=%22",
	"/initiatives/" + nowhere, "/" + nowhere, "/connexion/secret-perime", "/compte", "/ecrire/initiatives",
}

// erring are those of them that answer with an error, as they must.
var erring = []string{"/initiatives/" + nowhere, "/" + nowhere, "/recherche?near=Nulle-Part&radius=5"}

// errs tells whether an address is one of them, in whatever language.
func errs(path string) bool { return slices.Contains(erring, inAnyLanguage(path)) }

// inAnyLanguage is an address without the language it asks for.
func inAnyLanguage(path string) string {
	path = strings.NewReplacer("?lang=en&", "?", "?lang=fr&", "?").Replace(path)
	for _, end := range []string{"?lang=en", "?lang=fr", "&lang=en", "&lang=fr"} {
		path = strings.TrimSuffix(path, end)
	}
	return path
}

// queue are the addresses to ask, of which those come first whose route was asked
// least.
type queue struct {
	waiting map[string][]string // by route
	asked   map[string]int
	from    map[string]string // of every address known: the page that named it
}

// named adds an address that is asked whatever share its route has.
func (q *queue) named(route, path string) {
	q.add(route, path, "")
	q.asked[route]--
}

func (q *queue) add(route, path, from string) {
	if by, ok := q.from[inAnyLanguage(path)]; ok && by == "" {
		from = "" // what was named may answer that it is gone, in each language
	}
	if _, ok := q.from[path]; !ok {
		q.from[path] = from
		q.waiting[route] = append(q.waiting[route], path)
	}
}

// next takes some addresses, none of a route that had its share.
func (q *queue) next(some, each int) (list []string) {
	for len(list) < some {
		least, found := "", false
		for _, route := range slices.Sorted(maps.Keys(q.waiting)) {
			if len(q.waiting[route]) > 0 && q.asked[route] < each && (!found || q.asked[route] < q.asked[least]) {
				least, found = route, true
			}
		}
		if !found {
			return list
		}
		list = append(list, q.waiting[least][0])
		q.waiting[least] = q.waiting[least][1:]
		q.asked[least]++
	}
	return list
}

// crawl follows the links of a site.
func (w *world) crawl(s *site, signed bool) error {
	q := &queue{map[string][]string{}, map[string]int{}, map[string]string{}}
	for _, path := range starts {
		q.named(w.pattern(path), path)
	}
	if s == w.sites[0] {
		for _, path := range w.first {
			q.named(w.pattern(path), path)
		}
	}
	budget, each := w.budget()
	count := 0
	for count < budget {
		paths := q.next(together, each)
		if len(paths) == 0 {
			break
		}
		pages, errs := make([]*page, len(paths)), make([]error, len(paths))
		var all sync.WaitGroup
		for i, path := range paths {
			all.Go(func() { pages[i], errs[i] = w.get(s, path, signed) })
		}
		all.Wait()
		if err := errors.Join(errs...); err != nil {
			return err
		}
		for i, p := range pages {
			p.from = q.from[paths[i]]
			count++
			for _, r := range p.references() {
				path := r.url.EscapedPath()
				if !r.own(s) || r.posted && w.pattern(path) == "" {
					continue
				}
				if r.url.RawQuery != "" {
					path += "?" + r.url.RawQuery
				}
				q.add(w.pattern(path), path, p.path)
			}
			for _, path := range p.listed() {
				q.add(w.pattern(path), path, p.path)
			}
			w.note(p)
		}
	}
	left := 0
	for _, list := range q.waiting {
		left += len(list)
	}
	who := map[bool]string{false: "out", true: "in"}[signed]
	w.Figure(fmt.Sprintf("pages_%s_%s_signed_%s", w.db, s.name, who), count, "")
	w.Figure(fmt.Sprintf("addresses_left_%s_%s_signed_%s", w.db, s.name, who), left, "")
	return nil
}

// listed are the addresses that a map of the site names, as robots.txt does.
func (p *page) listed() (list []string) {
	kind := p.header.Get("Content-Type")
	if !strings.HasPrefix(kind, "application/xml") && !strings.HasPrefix(kind, "text/xml") && p.pattern != "/robots.txt" {
		return nil
	}
	for _, part := range strings.Split(string(p.body), p.site.url+"/")[1:] {
		end := strings.IndexAny(part, "<\" \r\n\t")
		if end < 0 {
			end = len(part)
		}
		list = append(list, "/"+strings.ReplaceAll(part[:end], "&amp;", "&"))
	}
	return list
}

// unmet are the routes that no page leads to, and why. A pattern that begins with
// one of these needs no address.
var unmet = map[string]string{
	"/api/v1/":               "for programs: openapi.json, which pages lead to, describes them",
	"/recherche/suggestions": "asked by a script while one types; TestSuggestions in web",
	"/carte/fond.pmtiles":    "a file that the operator has or has not, and here none is",
	"/m/{file}":              "copies of pictures of others, of which the demonstration has none",
}

// covered tells whether each route had an address.
func (w *world) covered() error {
	var found []string
	for _, pattern := range w.known {
		excused := slices.ContainsFunc(slices.Collect(maps.Keys(unmet)), func(prefix string) bool { return strings.HasPrefix(pattern, prefix) })
		if !w.met[pattern] && !excused {
			found = append(found, pattern+": no page leads there")
		}
	}
	w.Figure("routes_met_"+w.db, len(w.met), "")
	return verdict(found)
}
