// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"strings"
	"sync"
	"time"

	"essaim"
	"essaim/web/markup"
)

//go:embed templates
var templateFiles embed.FS

// Base is what every page has; each page's own struct embeds it.
type Base struct {
	Lang        string
	Title       string // of this page
	Description string // one sentence, for search engines and previews
	Path        string // of this page, without its language
	// Canonical is the address that stands for the page; that of the origin for
	// a replicated record. Languages are the addresses of the same in each language,
	// of a page that searches may show. Object is the ActivityPub id of what it shows.
	Canonical string
	Languages []OtherLanguage
	Object    string
	NoIndex   bool
	NoStore   bool   // its address is a secret: no cache keeps it
	Type      string // OpenGraph type: "website" or "article"
	Image     string // address at this site of a picture for previews
	ImageAlt  string
	Drawn     bool        // the picture is one of ours, of a size that is known
	Data      *Structured // the same for programs
	// Alternates are the same in other formats, for programs that look at the page.
	Alternates []FormatLink

	Territory essaim.Territory
	Handle    string // @brest@brest.example
	// Creator is the handle of who wrote the page, for who shows a link to it
	// (Mastodon's fediverse:creator). None on a copy: its author names no page of ours.
	Creator string
	Host    string
	Demo    bool
	// Recovering is set while the node gets back what it lost and publishes nothing.
	Recovering bool
	User       *essaim.User
	CanWrite   bool
	Section    string // path segment of the current section of the menu
	Crumbs     []Crumb
	TitleLang  string // of the record whose title is the third crumb; none on other pages
	Flash      string // key of a message, see flashes
	Query      string // what was searched
	Now        time.Time
	Kinds      []essaim.KindInfo
	Others     []OtherLanguage
	Version    string
	Source     string // of the program
}

// Crumb is a step of the way from the home page.
type Crumb struct{ Name, Path string }

// OtherLanguage is the same page in another language.
type OtherLanguage struct{ Lang, Name, Path string }

// base lets render fill the part that all pages share.
func (b *Base) base() *Base { return b }

// Prose is a part of a record's text under its heading.
type Prose struct {
	Title, Text, Lang string
	Mentions          []essaim.Mention
}

type page interface{ base() *Base }

// flashes are the messages that an address may ask for (?fait=), so that no
// cookie carries them.
var flashes = map[string]string{
	"publie": "flash.published", "brouillon": "flash.draft", "modifie": "flash.updated", "retire": "flash.withdrawn", "efface": "flash.erased", "adapte": "flash.adapted",
	"retire-ici": "flash.withdrawn_here", "retabli": "flash.lifted",
	"bonjour": "flash.signed_in", "au-revoir": "flash.signed_out",
}

// templates holds each page's template by language and by whether the links
// carry the language on. A set is parsed at its first use: most sites are read
// in one language, and a node should start at once.
type templates struct {
	parse func(templateKey) (map[string]*template.Template, error)
	mu    sync.Mutex
	sets  map[templateKey]map[string]*template.Template
}

type templateKey struct {
	lang     string
	explicit bool
}

// set is that of a key; in development it is read anew each time.
func (t *templates) set(k templateKey, anew bool) (map[string]*template.Template, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if set, ok := t.sets[k]; ok && !anew {
		return set, nil
	}
	set, err := t.parse(k)
	if err != nil {
		return nil, err
	}
	t.sets[k] = set
	return set, nil
}

// newTemplates parses the pages in the first language, so that a mistake in one
// stops the start.
func (s *Server) newTemplates() (*templates, error) {
	t := &templates{parse: s.parseTemplates, sets: map[templateKey]map[string]*template.Template{}}
	_, err := t.set(templateKey{lang: defaultLanguage}, false)
	return t, err
}

// parseTemplates parses all pages, each with its copy of the layout, and the shared
// parts.
func (s *Server) parseTemplates(k templateKey) (map[string]*template.Template, error) {
	files := fs.FS(templateFiles)
	if s.cfg.Dev {
		if _, err := os.Stat("web/templates/base.html"); err == nil {
			files = os.DirFS("web")
		}
	}
	names, err := fs.Glob(files, "templates/*.html")
	if err != nil {
		return nil, err
	}
	read := func(file string) (string, error) {
		text, err := fs.ReadFile(files, file)
		return string(text), err
	}
	base, err := read("templates/base.html")
	if err != nil {
		return nil, err
	}
	all := template.New("").Funcs(s.funcs(s.locales[k.lang], k.explicit))
	set := map[string]*template.Template{}
	for _, n := range names {
		text, err := read(n)
		if err != nil {
			return nil, err
		}
		name := strings.TrimSuffix(path.Base(n), ".html")
		switch {
		case name == "base":
			continue
		case strings.HasPrefix(name, "part_"):
			_, err = all.New(n).Parse(text)
		default:
			page := all.New(n)
			if _, err = page.Parse(ownBlocks(name, text)); err == nil && all.Lookup(name+"/base") == nil {
				_, err = page.Parse(ownBlocks(name, base))
			}
			set[name] = nil
		}
		if err != nil {
			return nil, fmt.Errorf("template %s: %w", n, err)
		}
	}
	for name := range set {
		set[name] = all.Lookup(name + "/base")
	}
	return set, nil
}

// ownBlocks gives the blocks of the layout names of a page's own, so that all
// pages stand in one set: a set for each would hold each shared part as often.
func ownBlocks(page, text string) string {
	var pairs []string
	for _, verb := range []string{"define", "block"} {
		for _, name := range []string{"base", "head", "main"} {
			pairs = append(pairs, verb+` "`+name+`"`, verb+` "`+page+"/"+name+`"`)
		}
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// funcs are what templates may call, bound to a language.
func (s *Server) funcs(l *locale, explicit bool) template.FuncMap {
	return template.FuncMap{
		"t": l.T, "n": l.N, "f": l.F, "lang": func() string { return l.lang },
		"number": l.Number, "counted": l.Counted, "km": l.Kilometres, "date": l.Date, "when": l.When, "partial": l.Partial, "dated": l.Dated,
		"ago": func(t time.Time) string { return l.Ago(t, s.now()) },
		"href": func(p string) string {
			if explicit {
				return withLang(p, l.lang)
			}
			return p
		},
		"asset": s.assetPath,
		"icon": func(name string) template.HTML {
			return template.HTML(`<svg class="icon" aria-hidden="true"><use href="` + template.HTMLEscapeString(s.assetPath("icons.svg")) + `#` + template.HTMLEscapeString(name) + `"></use></svg>`) //nolint:gosec // Both parts are our own and escaped.
		},
		"langfield": func() template.HTML {
			if !explicit {
				return ""
			}
			return template.HTML(`<input type="hidden" name="lang" value="` + l.lang + `">`) //nolint:gosec // A language of ours.
		},
		"of":        l.of,
		"md":        l.marked,
		"said":      func(p Prose) template.HTML { return markup.PageWith(p.Text, p.Lang, p.Mentions) },
		"prose":     func(title, text string, r essaim.Record) Prose { return Prose{title, text, r.Language, r.Mentions} },
		"choose":    func(f Field, list string) Choice { return Choice{f, list} },
		"boxes":     func(f *recordForm, name, list string) Boxes { return Boxes{f, name, list} },
		"typo":      typo,
		"kind":      func(k essaim.Kind) string { return l.T("kind." + string(k)) },
		"kinds":     func(k essaim.Kind) string { return l.T("kinds." + string(k)) },
		"term":      func(list, id string) string { return l.term(essaim.List(list), id) },
		"terms":     func(list string) []essaim.Term { return essaim.List(list).Terms() },
		"label":     l.label,
		"theme":     l.theme,
		"licence":   licenceOf,
		"may":       func(id string) string { return licenceTerms(l, id) },
		"siren":     sirenGroups,
		"credit":    func(r essaim.Record) string { return credit(l, r) },
		"qr":        newQR,
		"place":     func(p essaim.Place) string { return placeName(l, p) },
		"places":    func(c essaim.Content) string { return placeNames(l, c) },
		"hours":     l.hoursRows,
		"path":      recordPath,
		"themepath": themePath,
		"communepath": func(p essaim.Place) string {
			if c, ok := s.cfg.Gazetteer.Commune(p.INSEE); ok {
				return communePath(c.Code)
			}
			return ""
		},
		"kindpath": func(k essaim.Kind) string {
			i, _ := k.Info()
			return "/" + i.Path
		},
		"site": siteName,
		"leaf": l.dateBox,
	}
}

// withLang adds the language to an address of this site.
func withLang(p, lang string) string {
	if !strings.HasPrefix(p, "/") {
		return p
	}
	p, frag, hasFrag := strings.Cut(p, "#")
	sep := "?"
	if strings.Contains(p, "?") {
		sep = "&"
	}
	p += sep + "lang=" + lang
	if hasFrag {
		p += "#" + frag
	}
	return p
}

// leadTo sends a reader on to a page of this site, in the language that the address she
// asked says.
func (s *Server) leadTo(w http.ResponseWriter, r *http.Request, to string) {
	if lang, explicit := s.negotiate(r); explicit && !strings.Contains(to, "lang=") {
		to = withLang(to, lang)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// render writes a page: into a buffer first, so that a page that fails never
// shows half. Pages are asked about again at each visit and answered by their
// ETag when nothing changed.
func (s *Server) render(w http.ResponseWriter, r *http.Request, status int, name string, p page) error {
	lang, explicit := s.negotiate(r)
	s.fillBase(r, p.base(), lang)
	made, err := s.page(name, templateKey{lang, explicit}, p)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", lang)
	h.Add("Vary", "Accept-Language, Cookie")
	switch b := p.base(); {
	case b.NoStore:
		h.Set("Cache-Control", "no-store")
	case b.User != nil:
		h.Set("Cache-Control", "private, no-cache")
	default:
		h.Set("Cache-Control", "public, no-cache")
	}
	if id := p.base().Object; id != "" {
		// How Mastodon finds the object behind an address that is pasted to it.
		h.Add("Link", "<"+id+`>; rel="alternate"; type="application/activity+json"`)
	}
	if status == http.StatusOK && r.Method != http.MethodPost {
		h.Set("ETag", made.etag)
		if unchanged(r, made.etag, time.Time{}) {
			w.WriteHeader(http.StatusNotModified)
			return nil
		}
	}
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return nil
	}
	_, _ = w.Write(made.body) // A reader who left is no error of ours.
	return nil
}

// page writes a page's HTML, unless it is kept from a visit to which it would
// have shown the same.
func (s *Server) page(name string, k templateKey, p page) (keptPage, error) {
	themes := s.themes.get().version
	digest, steady := digestOf(name, k, themes, p)
	steady = steady && !s.cfg.Dev // there templates change too
	if steady {
		if made, ok := s.kept.get(digest); ok {
			return made, nil
		}
	}
	set, err := s.templates.set(k, s.cfg.Dev)
	if err != nil {
		return keptPage{}, err
	}
	tmpl, ok := set[name]
	if !ok {
		return keptPage{}, fmt.Errorf("template %s: %w", name, essaim.ErrNotFound)
	}
	var buf bytes.Buffer
	if err := tmpl.Execute(&buf, p); err != nil {
		return keptPage{}, fmt.Errorf("page %s: %w", name, err)
	}
	made := keptPage{body: buf.Bytes(), etag: pageTag(buf.Bytes())}
	if steady && themes == s.themes.get().version { // it names them as they were
		s.kept.put(digest, made)
	}
	return made, nil
}

// fillBase gives a page what it shares with the others.
func (s *Server) fillBase(r *http.Request, b *Base, lang string) {
	b.Lang = lang
	s.illustrate(b)
	b.Path = pathOf(r)
	s.standFor(r, b)
	if b.Type == "" {
		b.Type = "website"
	}
	b.Territory, b.Host, b.Demo, b.Recovering = s.cfg.Node.Territory, s.host, s.demo(), s.recovering(r)
	b.Handle = s.handleOf(b.Territory.Username)
	if b.Creator == "" && !strings.HasPrefix(r.URL.Path, "/ailleurs/") {
		b.Creator = b.Handle
	}
	b.User = userOf(r)
	b.CanWrite = essaim.May(b.User, essaim.ActionWrite)
	b.Now = s.now()
	b.Kinds = essaim.Kinds()
	b.Version, b.Source = s.cfg.Version, s.cfg.SourceURL
	if b.Flash == "" {
		b.Flash = flashes[r.URL.Query().Get("fait")]
	}
	for _, other := range s.languages {
		if other != lang {
			b.Others = append(b.Others, OtherLanguage{other, s.locales[other].T("language.name"), withLang(b.Path, other)})
		}
	}
}

// pathOf is the address of a page with its query, less its language and the
// message it was asked to show.
func pathOf(r *http.Request) string {
	q := url.Values{}
	for k, v := range r.URL.Query() {
		if k != "lang" && k != "fait" {
			q[k] = v
		}
	}
	if len(q) == 0 {
		return r.URL.EscapedPath()
	}
	return r.URL.EscapedPath() + "?" + q.Encode()
}
