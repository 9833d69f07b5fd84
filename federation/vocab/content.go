// SPDX-License-Identifier: AGPL-3.0-or-later

package vocab

import (
	"cmp"
	"html"
	"strings"

	"essaim"
)

// page gathers the whole record as plain HTML within Mastodon's allow-list
// (interop.md 1.6), so that software that knows nothing of our terms shows
// something complete.
type page struct {
	strings.Builder
	lang     string
	markdown func(string) string
}

// label is a heading in the two languages of the interface.
type label struct{ fr, en string }

func (l label) in(lang string) string {
	if lang == "en" {
		return l.en
	}
	return l.fr
}

// colon follows a label: French sets a non-breaking space before it.
func (p *page) colon() string {
	if p.lang == "en" {
		return ": "
	}
	return "\u00a0: "
}

// date writes a partial date in words.
func (p *page) date(s string) string { return essaim.PartialDateInWords(s, p.lang) }

// markup adds a fragment of Markdown under a bold heading; nothing when empty.
func (p *page) markup(l label, markdown string) {
	if strings.TrimSpace(markdown) == "" {
		return
	}
	p.heading(l)
	p.WriteString(p.markdown(markdown))
}

func (p *page) heading(l label) {
	if s := l.in(p.lang); s != "" {
		p.WriteString("<p><strong>" + html.EscapeString(s) + "</strong></p>")
	}
}

// line adds "Label : value, value"; nothing without a value.
func (p *page) line(l label, values ...string) {
	var kept []string
	for _, v := range values {
		if v = strings.TrimSpace(v); v != "" {
			kept = append(kept, html.EscapeString(v))
		}
	}
	if len(kept) > 0 {
		p.WriteString("<p><strong>" + html.EscapeString(l.in(p.lang)) + "</strong>" + p.colon() + strings.Join(kept, ", ") + "</p>")
	}
}

// terms adds a line of entries of a closed list, by their labels.
func (p *page) terms(l label, list essaim.List, ids ...string) {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = id
		if t, ok := list.Term(id); ok {
			names[i] = t.Label(p.lang)
		}
	}
	p.line(l, names...)
}

// list adds a heading and one item a line.
func (p *page) list(l label, items []string) {
	escaped := make([]string, len(items))
	for i, it := range items {
		escaped[i] = html.EscapeString(it)
	}
	p.items(l, "ul", escaped)
}

// items adds a list whose items are HTML already.
func (p *page) items(l label, element string, items []string) {
	if len(items) == 0 {
		return
	}
	p.heading(l)
	p.WriteString("<" + element + ">")
	for _, it := range items {
		p.WriteString("<li>" + it + "</li>")
	}
	p.WriteString("</" + element + ">")
}

// anchor is a link, as the sanitizer of our own pages would leave it.
func anchor(href, name string) string {
	return `<a href="` + html.EscapeString(href) + `" rel="nofollow noopener">` + html.EscapeString(cmp.Or(name, href)) + "</a>"
}

// record adds everything: head, what the kind has, people, places, sources,
// licence.
func (p *page) record(rec *essaim.Record, t terms) {
	if rec.Tagline != "" {
		p.WriteString("<p><em>" + html.EscapeString(rec.Tagline) + "</em></p>")
	}
	if strings.TrimSpace(rec.Text) != "" {
		p.WriteString(p.markdown(rec.Text))
	}
	t.tell(p)
	p.help(label{"Besoin d’aide", "Help wanted"}, rec.HelpWanted)
	p.help(label{"Aide proposée", "Help offered"}, rec.HelpOffered)
	p.credits(rec)
	p.places(rec)
	p.references(rec)
	p.line(label{"Informations relues le", "Information last checked on"}, p.date(rec.ReviewedOn))
	if l, ok := essaim.LicenceByID(rec.Licence); ok {
		p.WriteString("<p><strong>" + label{"Licence", "Licence"}.in(p.lang) + "</strong>" + p.colon() + anchor(l.IRI, l.Name))
		if who := holder(rec); who != "" {
			p.WriteString(", " + html.EscapeString(who))
		}
		p.WriteString("</p>")
	}
}

// until is the word before a partial date: "jusqu’au 30 juin", "jusqu’en juin".
func until(date string) label {
	if len(date) == len("2006-01-02") {
		return label{"jusqu’au ", "until "}
	}
	return label{"jusqu’en ", "until "}
}

func (p *page) help(l label, notices []essaim.HelpNotice) {
	var items []string
	for _, n := range notices {
		s := n.Kind
		if t, ok := essaim.ListCallKind.Term(n.Kind); ok {
			s = t.Label(p.lang)
		}
		if n.Text != "" {
			s += p.colon() + n.Text
		}
		if n.Until != "" {
			s += " (" + until(n.Until).in(p.lang) + p.date(n.Until) + ")"
		}
		items = append(items, s)
	}
	p.list(l, items)
}

func (p *page) credits(rec *essaim.Record) {
	var items []string
	for _, c := range rec.PublicCredits() {
		role := c.Role
		if t, ok := essaim.ListRole.Term(c.Role); ok {
			role = t.Label(p.lang)
		}
		name := html.EscapeString(c.Name)
		if c.Actor != "" {
			name = anchor(c.Actor, c.Name)
		}
		items = append(items, name+" ("+html.EscapeString(role)+")")
	}
	p.items(label{"Avec", "With"}, "ul", items)
}

func (p *page) places(rec *essaim.Record) {
	var names []string
	for _, pl := range rec.Places {
		names = append(names, where(pl))
	}
	if rec.Everywhere {
		names = append(names, label{"tout le territoire", "the whole territory"}.in(p.lang))
	}
	p.line(label{"Où", "Where"}, names...)
}

// where is a place in one line: label, street, town.
func where(pl essaim.Place) string {
	town := strings.TrimSpace(pl.Postcode + " " + pl.City)
	var parts []string
	for _, s := range []string{pl.Label, pl.Street, town} {
		if s != "" && (len(parts) == 0 || parts[len(parts)-1] != s) {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, ", ")
}

func (p *page) references(rec *essaim.Record) {
	var links []string
	for _, l := range rec.Links {
		links = append(links, anchor(l.URL, l.Name))
	}
	p.items(label{"Liens", "Links"}, "ul", links)
	var related []string
	for _, r := range rec.Relations {
		related = append(related, anchor(r.Target, r.Name))
	}
	p.items(label{"Voir aussi", "See also"}, "ul", related)
	if d := rec.DerivedFrom; d != nil {
		p.WriteString("<p><strong>" + label{"Adapté de", "Adapted from"}.in(p.lang) + "</strong>" + p.colon() + anchor(d.ID, d.Name) + "</p>")
	}
	var sources []string
	for _, s := range rec.Sources {
		switch {
		case s.URL != "":
			sources = append(sources, anchor(s.URL, s.Name))
		case s.Name != "":
			sources = append(sources, html.EscapeString(s.Name))
		}
	}
	p.items(label{"Sources", "Sources"}, "ul", sources)
}
