// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// judge holds a page to one promise and says how it breaks it.
type judge struct {
	name  string
	every bool // of every answer, not pages alone
	look  func(w *world, p *page) []string
}

// judges are those that need no browser.
var judges = []judge{
	{"links: none is dead", true, (*world).alive},
	{"anchors: what a link points at in a page is there", false, (*world).anchored},
	{"headers: CSP without unsafe, nosniff, Referrer-Policy, frame-ancestors", true, (*world).headers},
	{"cookies: none before signing in", true, (*world).cookies},
	{"heading: one h1, a title, a language, one main", false, (*world).heading},
	{"third parties: a page loads from its own site only", false, (*world).parties},
	{"weight: HTML, style and script of a page, its fonts, its requests", false, (*world).weight},
}

func (w *world) alive(p *page) []string {
	switch {
	case errs(p.path):
		if p.status < 400 || p.status >= 500 {
			return []string{fmt.Sprintf("answers %d, and should say what is wrong", p.status)}
		}
	case p.from == "":
		if p.status >= 500 {
			return []string{http.StatusText(p.status)}
		}
	case p.status >= 400 && inAnyLanguage(p.path) != inAnyLanguage(p.from): // itself in another language is no worse
		return []string{fmt.Sprintf("answers %d; %s leads there", p.status, p.from)}
	}
	return nil
}

// anchored looks at links within the page itself.
func (w *world) anchored(p *page) (found []string) {
	ids := map[string]bool{}
	for _, n := range p.elements() {
		if id, ok := attr(n, "id"); ok {
			ids[id] = true
		}
	}
	for _, n := range p.elements("a") {
		href, _ := attr(n, "href")
		if name, ok := strings.CutPrefix(href, "#"); ok && name != "" && !ids[name] {
			found = append(found, "nothing has the id of "+href)
		}
	}
	for _, n := range p.elements() {
		for _, name := range []string{"for", "aria-labelledby", "aria-describedby", "aria-controls"} {
			value, _ := attr(n, name)
			for _, id := range strings.Fields(value) {
				if !ids[id] {
					found = append(found, fmt.Sprintf("%s=%s of <%s> names nothing", name, id, n.Data))
				}
			}
		}
	}
	return found
}

// framed are the pages made to stand in others'.
var framed = regexp.MustCompile(`^/carte/cadre\b`)

func (w *world) headers(p *page) (found []string) {
	policy := map[string]string{}
	for _, d := range strings.Split(p.header.Get("Content-Security-Policy"), ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(d), " ")
		policy[name] = value
	}
	for name, value := range policy {
		if strings.Contains(value, "unsafe-") || strings.Contains(value, "*") && !(name == "frame-ancestors" && framed.MatchString(p.path)) {
			found = append(found, "the policy allows "+name+" "+value)
		}
	}
	for _, name := range []string{"default-src", "frame-ancestors", "base-uri", "form-action"} {
		if policy[name] == "" {
			found = append(found, "the policy says nothing of "+name)
		}
	}
	if got := p.header.Get("X-Content-Type-Options"); got != "nosniff" {
		found = append(found, "X-Content-Type-Options: "+got)
	}
	private := []string{"no-referrer", "same-origin", "strict-origin", "strict-origin-when-cross-origin"}
	if got := p.header.Get("Referrer-Policy"); !slices.Contains(private, got) {
		found = append(found, "Referrer-Policy: "+got)
	}
	if p.header.Get("Content-Type") == "" && len(p.body) > 0 {
		found = append(found, "no Content-Type")
	}
	return found
}

func (w *world) cookies(p *page) []string {
	if set := p.header.Values("Set-Cookie"); !p.signed && len(set) > 0 {
		name, _, _ := strings.Cut(set[0], "=")
		return []string{"it sets " + name}
	}
	return nil
}

func (w *world) heading(p *page) (found []string) {
	for _, name := range []string{"h1", "title", "main"} {
		// An icon that is drawn has a title too.
		list := slices.DeleteFunc(p.elements(name), func(n *html.Node) bool { return n.Namespace != "" })
		if len(list) != 1 {
			found = append(found, fmt.Sprintf("%d <%s>", len(list), name))
		} else if text(list[0]) == "" {
			found = append(found, "its <"+name+"> is empty")
		}
	}
	if lang, _ := attr(p.elements("html")[0], "lang"); lang == "" {
		found = append(found, "it says no language")
	}
	level := 1
	for _, n := range p.elements("h1", "h2", "h3", "h4", "h5", "h6") {
		next := int(n.Data[1] - '0')
		if next > level+1 {
			found = append(found, fmt.Sprintf("a <%s> %.40q after a level %d", n.Data, text(n), level))
		}
		level = next
	}
	return found
}

func (w *world) parties(p *page) (found []string) {
	for _, r := range p.references() {
		if r.loaded && r.url.Scheme != "data" && !r.own(p.site) {
			found = append(found, fmt.Sprintf("<%s %s> loads %s", r.element, r.attribute, r.url))
		}
	}
	for _, n := range p.elements("style", "script") {
		if _, ok := attr(n, "src"); ok {
			continue
		}
		if kind, _ := attr(n, "type"); n.Data == "style" || kind != "application/ld+json" && kind != "application/json" {
			found = append(found, "an inline <"+n.Data+">")
		}
	}
	for _, n := range p.elements() {
		for _, a := range n.Attr {
			if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
				found = append(found, fmt.Sprintf("<%s %s>", n.Data, a.Key))
			}
		}
	}
	return found
}

// asset is a file that pages load.
type asset struct {
	kind        string // style, script, font or image
	bytes, sent int
	loads       []string // addresses that a style names
}

var styleAddress = regexp.MustCompile(`url\(["']?([^"')]+)["']?\)`)

// load fetches a file of the site once.
func (w *world) load(s *site, path string) (asset, error) {
	if a, ok := s.assets[path]; ok {
		return a, nil
	}
	p, err := w.get(s, path, false)
	if err != nil {
		return asset{}, err
	}
	a := asset{kind: "image", bytes: len(p.body), sent: p.sent}
	switch kind := p.header.Get("Content-Type"); {
	case strings.HasPrefix(kind, "text/css"):
		a.kind = "style"
		base, err := url.Parse(s.url + path)
		if err != nil {
			return a, err
		}
		for _, m := range styleAddress.FindAllStringSubmatch(string(p.body), -1) {
			if u, err := base.Parse(m[1]); err == nil && u.Scheme != "data" {
				a.loads = append(a.loads, u.String())
			}
		}
	case strings.Contains(kind, "javascript"):
		a.kind = "script"
	case strings.HasPrefix(kind, "font/"):
		a.kind = "font"
	}
	s.assets[path] = a
	return a, nil
}

// What a page may weigh, in bytes as they stand before compression, without images
// and map; and how often it may ask.
const (
	pageBytes = 100_000 // HTML, style and script
	mapBytes  = 400_000 // the same of a page with a map
	bookBytes = 200_000 // of a booklet, which is many records made to be printed: as it is sent
	fontBytes = 100_000 // fonts, which a browser keeps and waits for nowhere
	requests  = 40      // images too
)

// size is what a page makes a browser load.
type size struct{ text, sent, fonts, requests int }

func (w *world) sizeOf(p *page) (size, []string) {
	total := size{text: len(p.body), sent: p.sent, requests: 1}
	var found, wait []string
	for _, r := range p.references() {
		if r.loaded && r.own(p.site) {
			wait = append(wait, strings.SplitN(r.url.String(), "#", 2)[0])
		}
	}
	seen := map[string]bool{}
	for len(wait) > 0 {
		address := wait[0]
		wait = wait[1:]
		path, own := strings.CutPrefix(address, p.site.url)
		if seen[address] {
			continue
		}
		seen[address] = true
		if !own {
			found = append(found, "a style loads "+address)
			continue
		}
		a, err := w.load(p.site, path)
		if err != nil {
			found = append(found, err.Error())
			continue
		}
		total.requests++
		switch a.kind {
		case "font":
			total.fonts += a.sent
		case "style", "script":
			total.text += a.bytes
			total.sent += a.sent
		}
		wait = append(wait, a.loads...)
	}
	return total, found
}

func (w *world) weight(p *page) []string {
	got, found := w.sizeOf(p)
	most := pageBytes
	if strings.HasPrefix(p.pattern, "/carte") {
		most = mapBytes
	}
	text := got.text
	if p.pattern == "/recueil" {
		text, most = got.sent, bookBytes
	}
	if text > most {
		found = append(found, fmt.Sprintf("%d kB of HTML, style and script (%d kB sent)", got.text/1000, got.sent/1000))
	}
	if got.fonts > fontBytes {
		found = append(found, fmt.Sprintf("%d kB of fonts", got.fonts/1000))
	}
	if got.requests > requests {
		found = append(found, fmt.Sprintf("%d requests", got.requests))
	}
	return found
}
