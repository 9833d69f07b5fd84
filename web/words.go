// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"cmp"
	"html/template"
	"net/url"
	"strings"

	"essaim"
	"essaim/web/markup"
)

// typo sets the spaces and apostrophes of plain text in its language.
func typo(text, lang string) string {
	if lang == "" || strings.HasPrefix(lang, "fr") {
		return markup.FrenchText(text)
	}
	return text
}

// of tells the language of a text as an attribute, where it is not that of the page
// around it: a French page of French records says it once. Of a record that names no
// language it is French.
func (l *locale) of(lang string) template.HTMLAttr {
	if lang = cmp.Or(lang, "fr"); strings.EqualFold(lang, l.lang) {
		return ""
	}
	return template.HTMLAttr(` lang="` + template.HTMLEscapeString(lang) + `"`) //nolint:gosec // Its value is escaped.
}

// marked is a record's Markdown that stands among words of the page: it tells its
// language itself.
func (l *locale) marked(text, lang string) template.HTML {
	page, of := markup.Page(text, lang), l.of(lang)
	if of == "" {
		return page
	}
	return template.HTML("<div"+string(of)+">") + page + "</div>" //nolint:gosec // Both are HTML already.
}

// term is an entry of a closed list in words; an id that this version does not know,
// from a newer peer, reads as itself.
func (l *locale) term(list essaim.List, id string) string {
	if t, ok := list.Term(id); ok {
		return l.label(t)
	}
	return id
}

// label is a term, or a theme, in words.
func (l *locale) label(of interface{ Label(lang string) string }) string {
	key := ""
	switch t := of.(type) {
	case essaim.Term:
		key = "term." + string(t.List) + "." + t.ID
	case essaim.Theme:
		key = "theme." + t.ID
	}
	return l.own(key, of.Label(l.lang))
}

// licenceOf is the licence of an id; an unknown one is its own name.
func licenceOf(id string) essaim.Licence {
	if l, ok := essaim.LicenceByID(id); ok {
		return l
	}
	return essaim.Licence{ID: id, Name: id}
}

// recordPath is where this site shows a record.
func recordPath(r essaim.Record) string {
	if r.Origin != "" {
		return "/ailleurs/" + r.Origin + "/" + r.Slug
	}
	return localPath(r.Kind, r.Slug)
}

func localPath(k essaim.Kind, slug string) string {
	info, _ := k.Info()
	return "/" + info.Path + "/" + slug
}

// siteName is the host of an address, as people say it.
func siteName(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return address
	}
	return strings.TrimPrefix(u.Host, "www.")
}

// placeName is the shortest name that tells a place from others.
func placeName(l *locale, p essaim.Place) string {
	city := p.City
	switch {
	case p.Label != "" && city != "" && !strings.Contains(strings.ToLower(p.Label), strings.ToLower(city)):
		return p.Label + ", " + city
	case p.Label != "":
		return p.Label
	case city != "":
		return city
	}
	if level, code := p.Smallest(); code != "" {
		if a, ok := l.gazetteer.Area(level, code); ok && a.Name != "" {
			return a.Name
		}
		return l.F("place."+string(level), "Code", code)
	}
	return l.T("place.point")
}

// placeNames is where a record is, in few words, for a card.
func placeNames(l *locale, c essaim.Content) string {
	if len(c.Places) == 0 {
		if c.Everywhere {
			return l.T("place.everywhere")
		}
		return ""
	}
	first := c.Places[0]
	name := first.City
	if name == "" {
		name = placeName(l, first)
	}
	if more := len(c.Places) - 1; more > 0 {
		return name + " " + l.N("place.and_more", more)
	}
	return name
}

// HoursRow is a line of opening hours in words.
type HoursRow struct {
	Days  string
	Hours []string
}

// hoursRows joins the hours of the same days, in the order given.
func (l *locale) hoursRows(rules []string) []HoursRow {
	var rows []HoursRow
	for _, rule := range rules {
		days, hours := l.Hours(rule)
		if n := len(rows); n > 0 && rows[n-1].Days == days {
			rows[n-1].Hours = append(rows[n-1].Hours, hours)
			continue
		}
		rows = append(rows, HoursRow{Days: days, Hours: []string{hours}})
	}
	return rows
}

// DateBox is the start of a meeting as a small calendar leaf.
type DateBox struct{ Weekday, Day, Month, Machine string }

func (l *locale) dateBox(m *essaim.Meeting) DateBox {
	if m.Start.IsZero() {
		return DateBox{}
	}
	t, _ := m.Times()
	machine, _ := bounds(m)
	return DateBox{
		Weekday: l.calendar.leaf[t.Weekday()], Day: t.Format("2"),
		Month: l.calendar.short[t.Month()-1], Machine: machine,
	}
}
