// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"html"
	"net/http"
	"strconv"
	"strings"
	"time"

	"essaim"
	"essaim/web/markup"
)

// feedLength is how many of the newest changes a page of a feed holds.
const feedLength = 50

// feed is a page of a list's newest changes, as Atom and JSON Feed both tell it.
type feed struct {
	Lang, Title, Subtitle   string
	ID, Self, Page          string // of the feed, of this page of it, of the list for people
	First, Next             string // RFC 5005 3; First from the second page on
	Author, AuthorURL, Icon string
	Updated                 time.Time
	Entries                 []feedEntry
}

// feedEntry is a record in a feed. What its licence lets nobody copy is told by its
// title, tagline and address.
type feedEntry struct {
	essaim.Record
	Page    string // where it is to be read
	HTML    string // sanitized; empty where the licence keeps it
	Licence essaim.Licence
	Rights  string
	Tags    []feedTag
	People  []essaim.Credit // those who may be named
}

type feedTag struct{ Scheme, Term, Label string }

// showFeed answers a list as a feed: the latest change first, also of meetings,
// past and to come, and of what words are looked for in.
func (s *Server) showFeed(w http.ResponseWriter, r *http.Request, a listing) error {
	q := a.query
	q.Newest, q.Upcoming, q.Facets = true, time.Time{}, false
	if q.Limit == 0 {
		q.Limit = feedLength
	}
	res, err := s.store.Search(r.Context(), q)
	if err != nil {
		return fmt.Errorf("feed: %w", err)
	}
	f, err := s.feed(r.Context(), a, res)
	if err != nil {
		return err
	}
	body, err := f.in(a.format)
	if err != nil {
		return fmt.Errorf("feed: %w", err)
	}
	// It has a tag and no date: a copy that comes late, or a record that goes, changes
	// it without being its latest change.
	answerFormat(w, r, a.contentType(), body, time.Time{})
	return nil
}

// in writes a feed in a format.
func (f feed) in(as format) ([]byte, error) {
	if as.ext == "atom" {
		return f.atom()
	}
	return f.json()
}

// newFeed is a list's feed without entries, at its first page.
func (s *Server) newFeed(a listing) feed {
	t := s.cfg.Node.Territory
	self := s.abs(address(a.path+"."+a.ext, a.chosen()))
	return feed{
		Lang: a.locale.lang, Title: a.title, Subtitle: a.locale.F("format.subtitle", "Territory", t.Name),
		ID: self, Self: self, Page: s.abs(address(a.path, a.chosen())),
		Author: t.Name, AuthorURL: t.Actor, Icon: s.abs("/static/actor.png"),
		// A feed without entries has no date of its own: that of the node stands.
		Updated: s.cfg.Node.CreatedAt,
	}
}

func (s *Server) feed(ctx context.Context, a listing, res essaim.Results) (feed, error) {
	at := a.path + "." + a.ext
	first := a.chosen()
	if n := a.values.Get(paramLimit); n != "" {
		first.Set(paramLimit, n)
	}
	page := func(after string) string {
		if after == "" {
			return s.abs(address(at, first))
		}
		v := without(first, "", "")
		if l := first.Get("lang"); l != "" {
			v.Set("lang", l)
		}
		v.Set(paramPage, after)
		return s.abs(address(at, v))
	}
	f := s.newFeed(a)
	f.ID, f.Self = page(""), page(a.query.After)
	if a.query.After != "" {
		f.First = page("")
	}
	if res.Next != "" {
		f.Next = page(res.Next)
	}
	by, err := s.origins(ctx)
	if err != nil {
		return f, err
	}
	where := s.publicPage(by)
	for _, rec := range res.Records {
		if rec.Updated.After(f.Updated) {
			f.Updated = rec.Updated
		}
		f.Entries = append(f.Entries, s.feedEntry(a.locale, rec, where(rec)))
	}
	return f, nil
}

func (s *Server) feedEntry(l *locale, rec essaim.Record, page string) feedEntry {
	e := feedEntry{Record: rec, Page: page, Licence: licenceOf(rec.Licence), People: rec.PublicCredits()}
	holder := rec.Holder
	if holder == "" {
		holder = rec.TerritoryName
	}
	e.Rights = l.F("format.rights", "Holder", holder, "Licence", e.Licence.Name)
	info, _ := rec.Kind.Info()
	e.Tags = append(e.Tags, feedTag{s.abs("/"), info.Path, l.T("kind." + string(rec.Kind))})
	for _, t := range rec.Themes {
		e.Tags = append(e.Tags, feedTag{"", essaim.ThemeIRI(t), l.theme(t)})
	}
	for _, k := range rec.Keywords {
		e.Tags = append(e.Tags, feedTag{"", k, k})
	}
	if !e.Licence.Free {
		return e
	}
	var b strings.Builder
	paragraph := func(text string) {
		if text != "" {
			b.WriteString("<p>" + html.EscapeString(text) + "</p>\n")
		}
	}
	paragraph(rec.Tagline)
	if m, ok := rec.Body.(*essaim.Meeting); ok && m != nil {
		paragraph(l.When(m))
	}
	paragraph(placeNames(l, rec.Content))
	b.WriteString(markup.WithMentions(markup.Markdown(rec.Text), rec.Mentions))
	b.WriteString("\n<p><a href=\"" + html.EscapeString(page) + "\">" + html.EscapeString(l.F("format.read", "Territory", rec.TerritoryName)) + "</a> – " + html.EscapeString(e.Rights) + "</p>")
	e.HTML = b.String()
	return e
}

// What an Atom feed is written from (RFC 4287).
type (
	atomFeed struct {
		XMLName   xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
		Lang      string      `xml:"xml:lang,attr"`
		GeoRSS    string      `xml:"xmlns:georss,attr"`
		ID        string      `xml:"id"`
		Title     string      `xml:"title"`
		Subtitle  string      `xml:"subtitle,omitempty"`
		Updated   string      `xml:"updated"`
		Author    atomPerson  `xml:"author"`
		Generator string      `xml:"generator"`
		Icon      string      `xml:"icon"`
		Links     []atomLink  `xml:"link"`
		Entries   []atomEntry `xml:"entry"`
	}
	atomPerson struct {
		Name string `xml:"name"`
		URI  string `xml:"uri,omitempty"`
	}
	atomLink struct {
		Rel  string `xml:"rel,attr"`
		Type string `xml:"type,attr,omitempty"`
		Href string `xml:"href,attr"`
	}
	atomText struct {
		Type string `xml:"type,attr"`
		Text string `xml:",chardata"`
	}
	atomCategory struct {
		Scheme string `xml:"scheme,attr,omitempty"`
		Term   string `xml:"term,attr"`
		Label  string `xml:"label,attr"`
	}
	atomSource struct {
		ID      string `xml:"id"`
		Title   string `xml:"title"`
		Updated string `xml:"updated"`
	}
	atomEntry struct {
		Lang         string         `xml:"xml:lang,attr"`
		ID           string         `xml:"id"`
		Title        string         `xml:"title"`
		Published    string         `xml:"published"`
		Updated      string         `xml:"updated"`
		Author       atomPerson     `xml:"author"`
		Contributors []atomPerson   `xml:"contributor"`
		Links        []atomLink     `xml:"link"`
		Categories   []atomCategory `xml:"category"`
		Rights       string         `xml:"rights,omitempty"`
		Source       *atomSource    `xml:"source"`
		Summary      string         `xml:"summary,omitempty"`
		Content      *atomText      `xml:"content"`
		Point        string         `xml:"georss:point,omitempty"`
	}
)

func (f feed) atom() ([]byte, error) {
	out := atomFeed{
		Lang: f.Lang, GeoRSS: "http://www.georss.org/georss", ID: f.ID, Title: f.Title, Subtitle: f.Subtitle, Updated: feedTime(f.Updated),
		Author: atomPerson{f.Author, f.AuthorURL}, Generator: "Essaim", Icon: f.Icon,
		Links: []atomLink{{"self", "application/atom+xml", f.Self}, {"alternate", "text/html", f.Page}},
	}
	if f.First != "" {
		out.Links = append(out.Links, atomLink{"first", "application/atom+xml", f.First})
	}
	if f.Next != "" {
		out.Links = append(out.Links, atomLink{"next", "application/atom+xml", f.Next})
	}
	for _, e := range f.Entries {
		out.Entries = append(out.Entries, e.atom())
	}
	body, err := xml.Marshal(out)
	return append([]byte(xml.Header), body...), err
}

func (e feedEntry) atom() atomEntry {
	out := atomEntry{
		Lang: e.lang(), ID: e.ID, Title: e.Title, Published: feedTime(e.Published), Updated: feedTime(e.Updated),
		Author: atomPerson{e.TerritoryName, e.Territory}, Rights: e.Rights, Summary: e.Tagline,
		Links: []atomLink{{"alternate", "text/html", e.Page}},
	}
	if e.Licence.IRI != "" {
		out.Links = append(out.Links, atomLink{Rel: "license", Href: e.Licence.IRI}) // RFC 4946
	}
	for _, p := range e.People {
		out.Contributors = append(out.Contributors, atomPerson{p.Name, p.Actor})
	}
	for _, t := range e.Tags {
		out.Categories = append(out.Categories, atomCategory(t))
	}
	if e.Origin != "" {
		out.Source = &atomSource{ID: e.Territory, Title: e.TerritoryName, Updated: feedTime(e.Updated)}
	}
	if e.HTML != "" {
		out.Content = &atomText{"html", e.HTML}
	}
	if lat, lon, ok := e.point(); ok {
		out.Point = strconv.FormatFloat(lat, 'f', -1, 64) + " " + strconv.FormatFloat(lon, 'f', -1, 64)
	}
	return out
}

func (e feedEntry) lang() string {
	if e.Language == "" {
		return "fr"
	}
	return e.Language
}

func (e feedEntry) point() (lat, lon float64, ok bool) {
	for _, p := range e.Places {
		if p.Located() {
			return *p.Lat, *p.Lon, true
		}
	}
	return 0, 0, false
}

func feedTime(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// What a JSON Feed is written from (jsonfeed.org, version 1.1). Members that begin
// with a line are extensions.
type (
	jsonFeed struct {
		Version     string       `json:"version"`
		Title       string       `json:"title"`
		HomePageURL string       `json:"home_page_url"`
		FeedURL     string       `json:"feed_url"`
		NextURL     string       `json:"next_url,omitempty"`
		Description string       `json:"description,omitempty"`
		Icon        string       `json:"icon,omitempty"`
		Language    string       `json:"language"`
		Authors     []jsonAuthor `json:"authors"`
		Items       []jsonItem   `json:"items"`
	}
	jsonAuthor struct {
		Name string `json:"name"`
		URL  string `json:"url,omitempty"`
	}
	jsonItem struct {
		ID        string       `json:"id"`
		URL       string       `json:"url"`
		Title     string       `json:"title"`
		Summary   string       `json:"summary,omitempty"`
		HTML      string       `json:"content_html,omitempty"`
		Text      string       `json:"content_text,omitempty"`
		Published string       `json:"date_published"`
		Modified  string       `json:"date_modified"`
		Authors   []jsonAuthor `json:"authors"`
		Tags      []string     `json:"tags,omitempty"`
		Language  string       `json:"language"`
		Essaim    *jsonEssaim  `json:"_essaim,omitempty"` // of a record
	}
	jsonEssaim struct {
		About     string         `json:"about"`
		Kind      essaim.Kind    `json:"kind"`
		Territory string         `json:"territory"`
		Origin    string         `json:"origin,omitempty"`
		Licence   string         `json:"licence"`
		Holder    string         `json:"holder,omitempty"`
		Revision  int            `json:"revision"`
		Places    []essaim.Place `json:"places,omitempty"`
	}
)

func (f feed) json() ([]byte, error) {
	out := jsonFeed{
		Version: "https://jsonfeed.org/version/1.1", Title: f.Title, HomePageURL: f.Page, FeedURL: f.Self, NextURL: f.Next,
		Description: f.Subtitle, Icon: f.Icon, Language: f.Lang, Authors: []jsonAuthor{{f.Author, f.AuthorURL}}, Items: []jsonItem{},
	}
	for _, e := range f.Entries {
		item := jsonItem{
			ID: e.ID, URL: e.Page, Title: e.Title, Summary: e.Tagline, HTML: e.HTML, Published: feedTime(e.Published), Modified: feedTime(e.Updated),
			Authors: []jsonAuthor{{e.TerritoryName, e.Territory}}, Language: e.lang(),
		}
		if e.Kind != "" {
			item.Essaim = &jsonEssaim{
				About: essaim.Namespace, Kind: e.Kind, Territory: e.Territory, Origin: e.Origin, Licence: e.Licence.IRI, Holder: e.Holder, Revision: e.Revision, Places: e.Places,
			}
		}
		if item.HTML == "" { // one of both is required
			item.Text = strings.TrimSpace(e.Title + "\n\n" + e.Tagline)
		}
		for _, p := range e.People {
			item.Authors = append(item.Authors, jsonAuthor{p.Name, p.Actor})
		}
		for _, t := range e.Tags {
			item.Tags = append(item.Tags, t.Label)
		}
		out.Items = append(out.Items, item)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(out)
	return b.Bytes(), err
}
