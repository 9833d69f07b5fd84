// SPDX-License-Identifier: AGPL-3.0-or-later

package vocab

import (
	"cmp"
	"fmt"
	"net/url"
	"path"
	"strings"
	"unicode/utf8"

	"essaim"
	"essaim/federation/proof"
	"essaim/web/markup"
)

// Parse reads a record from a node's document, by its essaim:kind; what other
// software writes is for ReadForeign. The document has passed the gate; whether
// its author may write it is decided elsewhere.
//
// The record comes back with Origin set to the host of its id and published;
// slug, dates and version are as written. Lists and texts beyond what a record
// may hold are cut. An unknown kind, or no id, gives ErrInvalid.
func Parse(doc []byte) (essaim.Record, error) { return ParseDocument(proof.Of(doc)) }

// ParseDocument is Parse for a document that is asked for its proof too: it is
// taken apart once.
func ParseDocument(doc *proof.Document) (essaim.Record, error) {
	m, err := doc.Members()
	if err != nil {
		return essaim.Record{}, fmt.Errorf("document: %w", essaim.ErrInvalid)
	}
	var h head
	read(m, &h)
	at, err := url.Parse(string(h.ID))
	if h.ID == "" || err != nil || at.Host == "" {
		return essaim.Record{}, fmt.Errorf("document without id: %w", essaim.ErrInvalid)
	}
	kind := essaim.Kind(h.Kind)
	if kinds[kind] == nil {
		return essaim.Record{}, fmt.Errorf("document %s of kind %q, type %q: %w", h.ID, h.Kind, h.Type, essaim.ErrInvalid)
	}
	t := kinds[kind]()
	read(m, t)
	rec := essaim.Record{
		ID: string(h.ID), Origin: at.Host, Territory: string(cmp.Or(h.Territory, h.AttributedTo)), TerritoryName: string(h.TerritoryName),
		URL: string(cmp.Or(h.URL, h.ID)), State: essaim.StatePublished,
		Incarnation: int64(h.Incarnation), Revision: int(h.Revision),
		Published: h.Published.Time, Updated: h.Updated.Time,
		Content: h.content(kind),
	}
	rec.Slug = slugOf(rec.URL, rec.Title)
	if rec.Updated.Before(rec.Published) {
		rec.Updated = rec.Published
	}
	rec.Body = t.body(&h)
	return rec, nil
}

func (h *head) content(kind essaim.Kind) essaim.Content {
	lang := cmp.Or(h.NameMap.language(), h.ContentMap.language(), h.SummaryMap.language(), "fr")
	c := essaim.Content{
		Kind: kind, Language: lang,
		Title:    oneLine(cmp.Or(string(h.Name), h.NameMap[lang]), 200),
		Tagline:  oneLine(string(h.Tagline), 180),
		Text:     h.markdown(),
		Keywords: h.Keywords, Networks: h.Networks, Everywhere: bool(h.Everywhere), Holder: string(h.Holder),
		TranslationOf: string(h.Translation), ReviewedOn: string(h.ReviewedOn),
	}
	if c.Title == "" {
		c.Title = oneLine(cmp.Or(c.Tagline, markup.Plain(c.Text)), 80)
	}
	if l, ok := essaim.LicenceByIRI(string(h.Licence)); ok {
		c.Licence = l.ID
	}
	for _, t := range h.Themes {
		if id, ok := essaim.ThemeID(t); ok {
			c.Themes = append(c.Themes, id)
		}
	}
	h.readPlaces(&c)
	h.readPeople(&c)
	h.readLinks(&c)
	return c
}

// markdown is the text as people wrote it; nothing without source, for the
// content of a node's document only repeats its terms.
func (h *head) markdown() string {
	if s := h.Source.v; s != nil && s.MediaType == "text/markdown" {
		return string(s.Content)
	}
	return ""
}

func (h *head) readPlaces(c *essaim.Content) {
	if h.Location.v != nil {
		h.Places = append(listOf[place]{*h.Location.v}, h.Places...)
	}
	for _, w := range h.Places {
		if pl := w.place(); !empty(pl) {
			c.Places = append(c.Places, pl)
		}
	}
}

func (h *head) readPeople(c *essaim.Content) {
	for _, list := range h.creditLists() {
		for _, w := range *list.Credits {
			if w.Name == "" {
				continue
			}
			cr := essaim.Credit{
				Name: string(w.Name), Actor: string(w.Actor), Kind: string(w.Kind), Role: cmp.Or(string(w.Role), list.Role),
				FromStage: string(w.FromStage), ToStage: string(w.ToStage), Since: string(w.Since), Person: bool(w.Person),
			}
			if cr.Person {
				// She agreed at the node that published this; the proof of it stays there.
				cr.Consent = &essaim.Consent{On: h.Updated.Format("2006-01-02"), How: "origin", Fields: []string{"name", "role"}}
			}
			c.Credits = append(c.Credits, cr)
		}
	}
	for _, n := range h.HelpWanted {
		c.HelpWanted = append(c.HelpWanted, essaim.HelpNotice{Kind: string(n.Kind), Text: string(n.Text), Until: string(n.Until)})
	}
	for _, n := range h.HelpOffered {
		c.HelpOffered = append(c.HelpOffered, essaim.HelpNotice{Kind: string(n.Kind), Text: string(n.Text), Until: string(n.Until)})
	}
	if h.Collected.v != nil {
		c.CollectedBy, c.CollectedOn = string(h.Collected.v.By), string(h.Collected.v.On)
	}
}

func (h *head) readLinks(c *essaim.Content) {
	for _, p := range h.Attachment {
		if p.shown() {
			c.Images = append(c.Images, p.image())
		}
	}
	if img := h.Image.v; len(c.Images) == 0 && img != nil && img.URL != "" {
		c.Images = append(c.Images, img.image())
	}
	for _, l := range h.Links {
		if l.Href != "" {
			c.Links = append(c.Links, essaim.Link{URL: string(l.Href), Name: string(l.Name)})
		}
	}
	for _, s := range h.Sources {
		c.Sources = append(c.Sources, essaim.Source{URL: string(s.URL), Name: string(s.Name), Fetched: string(s.Fetched), Key: string(s.Key)})
	}
	names := map[iri]text{}
	for _, t := range h.Tag {
		switch t.Type {
		case "Link":
			names[t.Href] = t.Name
		case "Mention":
			if len(c.Mentions) < essaim.MaxMentions {
				c.Mentions = append(c.Mentions, t.mention()...)
			}
		}
	}
	for _, list := range h.relations() {
		for _, target := range *list.IRIs {
			c.Relations = append(c.Relations, essaim.Relation{Type: list.Type, Target: target, Name: string(names[iri(target)])})
		}
	}
	if d := h.DerivedFrom.v; d != nil {
		c.DerivedFrom = &essaim.Derivation{ID: string(d.ID), Digest: string(d.Digest), Name: string(d.Name), AttributedTo: string(d.AttributedTo)}
		if l, ok := essaim.LicenceByIRI(string(d.Licence)); ok {
			c.DerivedFrom.Licence = l.ID
		}
	}
}

// mention is whom a tag names; none when it does not say so in full.
func (t tag) mention() []essaim.Mention {
	h, err := essaim.ParseHandle(string(t.Name))
	if err != nil || h.User == "" || t.Href == "" {
		return nil
	}
	return []essaim.Mention{{Handle: h.String(), Actor: string(t.Href)}}
}

// slugOf is the last segment of the page's address when it is a slug, else
// made from the title.
func slugOf(page, title string) string {
	if u, err := url.Parse(page); err == nil {
		if s := path.Base(u.Path); s == essaim.Slug(s) && s != "" {
			return s
		}
	}
	return cmp.Or(essaim.Slug(title), "sans-titre")
}

// oneLine joins lines and cuts at a word.
func oneLine(s string, limit int) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' || r == '\t' }), " ")
	s = strings.TrimSpace(s)
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	cut := string([]rune(s)[:limit-1])
	if i := strings.LastIndexByte(cut, ' '); i > limit/2 {
		cut = cut[:i]
	}
	return cut + "…"
}
