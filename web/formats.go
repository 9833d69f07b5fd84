// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"essaim"
)

// format is a form in which every list and every search can be had, at the address
// of its page with an extension: /initiatives.csv?theme=alimentation.
type format struct {
	ext, media string
	// feed tells what is asked for again and again: the newest changes, page by
	// page. The rest are files with everything.
	feed bool
	only essaim.Kind // the one kind that it can tell; empty for all
}

var formats = [...]format{
	{ext: "atom", media: "application/atom+xml", feed: true},
	{ext: "json", media: "application/feed+json", feed: true},
	{ext: "ics", media: "text/calendar", only: essaim.KindMeeting},
	{ext: "csv", media: "text/csv"},
	{ext: "geojson", media: "application/geo+json"},
	{ext: "jsonld", media: "application/ld+json"},
}

// formatOf is the format that an address asks for.
func formatOf(address string) (format, bool) {
	ext := strings.TrimPrefix(path.Ext(address), ".")
	i := slices.IndexFunc(formats[:], func(f format) bool { return f.ext == ext })
	if i < 0 {
		return format{}, false
	}
	return formats[i], true
}

// of tells whether the format can tell some of the records of a list.
func (f format) of(k essaim.Kind) bool { return f.only == "" || k == "" || f.only == k }

// contentType is the media type with its letters, where it does not say itself.
func (f format) contentType() string {
	if f.feed || strings.HasPrefix(f.media, "text/") {
		return f.media + "; charset=utf-8"
	}
	return f.media
}

// FormatLink leads to a list in a format.
type FormatLink struct {
	Ext, Media, Path, Title string
	Feed                    bool
}

// formatLinks are the formats of a list of one kind, or of the search, with what
// was chosen. Other pages that show a list use the address of the search for it.
func (s *Server) formatLinks(l *locale, title string, k essaim.Kind, action string, v url.Values) []FormatLink {
	v = without(v, "", "")
	v.Del(paramLimit)
	var out []FormatLink
	for _, f := range formats {
		if kinds := v[paramKind]; f.only != "" && k == "" && len(kinds) > 0 && !slices.Contains(kinds, string(f.only)) {
			continue
		}
		if f.of(k) {
			out = append(out, FormatLink{Ext: f.ext, Media: f.media, Path: address(action+"."+f.ext, v), Title: title + " – " + l.T("format."+f.ext), Feed: f.feed})
		}
	}
	return out
}

// formatRoutes are the lists and searches for programs. They read no cookie.
func (s *Server) formatRoutes(r chi.Router) {
	r.Use(cors, s.learnThemes)
	add := func(k essaim.Kind, path string) {
		for _, f := range formats {
			if f.of(k) {
				get(r, path+"."+f.ext, s.handle(s.showFormat(k, path, f)))
				r.Options(path+"."+f.ext, func(http.ResponseWriter, *http.Request) {})
			}
		}
	}
	get(r.With(s.limit(600, time.Minute)), cellsPath, s.handle(s.showCells)) // one a move of the map
	s.rollRoutes(r.With(s.limit(60, time.Minute)))                           // as their pages
	add("", "/recherche")
	for _, k := range essaim.Kinds() {
		add(k.Kind, "/"+k.Path)
	}
	meetings, _ := essaim.KindMeeting.Info()
	get(r, "/"+meetings.Path+"/{slug}.ics", s.handle(s.showMeetingFile))
	get(r, "/ailleurs/{host}/{slug}.ics", s.handle(s.showMeetingFile))
}

// listQuery reads what is asked of the list of one kind, or of the search: the
// same for its page and for each format.
func (s *Server) listQuery(k essaim.Kind, v url.Values) (essaim.Query, essaim.Problems) {
	if k == "" {
		v = s.fromToday(v)
	} else {
		v.Del(paramKind)
	}
	q, problems := s.parseQuery(v)
	if k != "" {
		q.Kinds, q.OwnKind = []essaim.Kind{k}, true
	}
	if k == essaim.KindMeeting {
		q.Upcoming = s.upcoming(v, &q)
	}
	return q, problems
}

// listing is a list as a format is asked for it.
type listing struct {
	format
	kind   essaim.Kind
	path   string // of its page
	values url.Values
	query  essaim.Query
	locale *locale
	title  string
}

// showFormat answers a list or a search in a format.
func (s *Server) showFormat(k essaim.Kind, path string, f format) handlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		a := s.listingOf(r, path, f)
		var problems essaim.Problems
		a.kind = k
		a.query, problems = s.listQuery(k, a.values)
		if err := problems.Err(); err != nil {
			return err
		}
		a.title = s.listTitle(a)
		s.headFormat(w, a)
		if f.feed {
			return s.showFeed(w, r, a)
		}
		return s.showFile(w, r, a)
	}
}

// listingOf reads in which language a format is asked for. One address gives everyone
// the same: a feed is kept in one language, the one that its address says.
func (s *Server) listingOf(r *http.Request, path string, f format) listing {
	a := listing{format: f, path: path, values: r.URL.Query(), locale: s.locales[defaultLanguage]}
	if l, ok := s.locales[a.values.Get("lang")]; ok {
		a.locale = l
	}
	return a
}

// headFormat says what all formats do: the page is what is to be found.
func (s *Server) headFormat(w http.ResponseWriter, a listing) {
	h := w.Header()
	h.Set("X-Robots-Tag", "noindex")
	h.Set("Cache-Control", "public, no-cache")
	h.Set("Content-Language", a.locale.lang)
	h.Set("Link", "<"+s.abs(address(a.path, a.chosen()))+`>; rel="alternate"; type="text/html"`)
	if !a.feed {
		name := strings.TrimPrefix(a.path, "/") + "-" + s.now().In(s.cfg.Zone).Format(time.DateOnly) + "." + a.ext
		h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	}
}

// chosen is the address's query from the first page, in its language.
func (a listing) chosen() url.Values {
	v := without(a.values, "", "")
	if a.locale.lang != defaultLanguage {
		v.Set("lang", a.locale.lang)
	}
	return v
}

// listTitle names a list by what is chosen of it: « Initiatives · Alimentation – Brest ».
func (s *Server) listTitle(a listing) string {
	l := a.locale
	parts := []string{l.T("format.all")}
	if a.kind != "" {
		parts[0] = l.T("kinds." + string(a.kind))
	}
	p := &ListPage{Kind: a.kind, Action: a.path}
	s.fillFacets(p, l, a.query, essaim.Facets{})
	s.fillChips(p, l, a.query, a.values)
	for _, c := range p.Chips {
		parts = append(parts, c.Label)
	}
	return strings.Join(parts, " · ") + " – " + s.cfg.Node.Territory.Name
}

// failText answers a program that asked for a format: what happened, what to do,
// and the parameters that were not understood.
func (s *Server) failText(w http.ResponseWriter, r *http.Request, status int, key string, err error) {
	lang := r.URL.Query().Get("lang")
	l, ok := s.locales[lang]
	if !ok {
		l = s.locales[defaultLanguage]
	}
	lines := []string{l.T("error." + key + ".title"), l.T("error." + key + ".text")}
	var invalid *essaim.ValidationError
	if errors.As(err, &invalid) {
		lines[1] = l.T("format.refused")
		for _, name := range sortedKeys(invalid.Problems) {
			lines = append(lines, fmt.Sprintf("%q: %s", name, l.T("problem."+invalid.Problems[name])))
		}
	} else if status == http.StatusBadRequest {
		lines[1] = l.T("format.refused")
	}
	if status == http.StatusInternalServerError {
		lines = append(lines, l.T("error.quote")+" "+requestID(r))
	}
	h := w.Header()
	h.Del("Content-Disposition")
	h.Del("ETag")
	h.Del("Last-Modified")
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Content-Language", l.lang)
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write([]byte(strings.Join(lines, "\n") + "\n"))
	}
}

func sortedKeys(p essaim.Problems) []string {
	names := make([]string, 0, len(p))
	for name := range p {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// answerFormat writes a body that is whole, unless the reader has it already.
func answerFormat(w http.ResponseWriter, r *http.Request, contentType string, body []byte, changed time.Time) {
	h := w.Header()
	tag := pageTag(body)
	h.Set("Content-Type", contentType)
	h.Set("ETag", tag)
	if !changed.IsZero() {
		h.Set("Last-Modified", changed.UTC().Format(http.TimeFormat))
	}
	if unchanged(r, tag, changed) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // A reader who left is no error of ours.
	}
}

// unchanged tells whether a reader has a version already (RFC 9110 13.2.2): the
// date counts only for one who knows no tag.
func unchanged(r *http.Request, tag string, changed time.Time) bool {
	if match := r.Header.Get("If-None-Match"); match != "" {
		return strings.Contains(match, strings.TrimPrefix(tag, "W/"))
	}
	since, err := http.ParseTime(r.Header.Get("If-Modified-Since"))
	return err == nil && !changed.IsZero() && !changed.Truncate(time.Second).After(since)
}

// publicPage is where a record is to be read: at its origin while that answers,
// else here.
func (s *Server) publicPage(by map[string]Origin) func(essaim.Record) string {
	return func(r essaim.Record) string {
		if r.Origin != "" && by[r.Origin].Reachable() {
			return cmp.Or(r.URL, s.abs(recordPath(r)))
		}
		return s.abs(recordPath(r))
	}
}
