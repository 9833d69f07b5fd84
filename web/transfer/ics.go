// SPDX-License-Identifier: AGPL-3.0-or-later

package transfer

import (
	"bufio"
	"cmp"
	"io"
	"iter"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"essaim"
)

// Calendar is what an iCalendar file says of itself. Times are in UTC: a meeting
// is one moment and none repeats, so that no zone has to be described.
type Calendar struct {
	Name string
	URL  string // its own address
	// Page is where a meeting is read, its page at its origin when nil; Label is a
	// theme in words, the French ones when nil.
	Page  func(essaim.Record) string
	Label func(theme string) string
}

// Write writes the meetings among some items, and says how many. One whose licence
// lets nobody copy it is there with its facts, without its text.
func (c Calendar) Write(w io.Writer, items iter.Seq2[Item, error]) (int, error) {
	bw := bufio.NewWriter(w)
	n, err := c.write(bw, items)
	if err != nil {
		return n, err
	}
	return n, bw.Flush()
}

func (c Calendar) write(w io.Writer, items iter.Seq2[Item, error]) (n int, err error) {
	l := icsLines{w: w}
	l.raw("BEGIN", "VCALENDAR")
	l.raw("VERSION", "2.0")
	l.raw("PRODID", "-//Essaim//essaim//FR")
	l.raw("CALSCALE", "GREGORIAN")
	if c.Name != "" {
		l.text("NAME", c.Name)
		l.text("X-WR-CALNAME", c.Name) // what was read before RFC 7986
	}
	if c.URL != "" {
		l.raw("SOURCE;VALUE=URI", c.URL)
	}
	l.raw("REFRESH-INTERVAL;VALUE=DURATION", "PT6H")
	l.raw("X-PUBLISHED-TTL", "PT6H")
	for item, err := range items {
		if err != nil {
			return n, err
		}
		m, ok := item.Record.Body.(*essaim.Meeting)
		if !ok || m == nil || m.Start.IsZero() || item.Record.State != essaim.StatePublished {
			continue
		}
		c.event(&l, item.Record, m)
		if l.err != nil {
			return n, l.err
		}
		n++
	}
	l.raw("END", "VCALENDAR")
	return n, l.err
}

// icsStatus gives the words of RFC 5545 3.8.1.11.
var icsStatus = map[string]string{"tentative": "TENTATIVE", "cancelled": "CANCELLED"}

func (c Calendar) event(l *icsLines, r essaim.Record, m *essaim.Meeting) {
	page := r.URL
	if c.Page != nil {
		page = c.Page(r)
	}
	l.raw("BEGIN", "VEVENT")
	l.text("UID", r.ID)
	l.raw("SEQUENCE", strconv.Itoa(r.Revision))
	l.raw("DTSTAMP", icsTime(r.Updated))
	l.raw("LAST-MODIFIED", icsTime(r.Updated))
	l.raw("CREATED", icsTime(r.Published))
	l.when(m)
	l.text("SUMMARY", r.Title)
	l.text("DESCRIPTION", icsDescription(r, m, page))
	if where := icsPlace(r.Content); where != "" {
		l.text("LOCATION", where)
	}
	for _, pl := range r.Places {
		if pl.Located() {
			l.raw("GEO", degreesText(*pl.Lat)+";"+degreesText(*pl.Lon))
			break
		}
	}
	l.raw("STATUS", cmp.Or(icsStatus[m.Status], "CONFIRMED"))
	if tags := c.categories(r.Content); len(tags) > 0 {
		l.list("CATEGORIES", tags)
	}
	l.raw("URL", page)
	if m.Online != "" {
		l.raw("CONFERENCE;VALUE=URI", m.Online) // RFC 7986 5.11
	}
	if lic, ok := essaim.LicenceByID(r.Licence); ok && lic.Free {
		l.raw("LINK;VALUE=URI;LINKREL=license", lic.IRI) // RFC 9253 8.2
	}
	l.raw("END", "VEVENT")
}

func (c Calendar) categories(content essaim.Content) []string {
	var tags []string
	for _, t := range content.Themes {
		if c.Label != nil {
			t = c.Label(t)
		} else {
			t = essaim.Thesaurus{}.Label("fr", t)
		}
		tags = append(tags, t)
	}
	return append(tags, content.Keywords...)
}

// icsDescription is what a calendar shows below the title; Markdown reads well as
// it is.
func icsDescription(r essaim.Record, m *essaim.Meeting, page string) string {
	parts := []string{r.Tagline}
	if essaim.Reusable(r.Licence) {
		parts = append(parts, r.Text, m.Programme)
	}
	parts = append(parts, m.Registration, strings.TrimSpace(r.TerritoryName+"\n"+page))
	var out []string
	for _, p := range parts {
		if p = strings.TrimSpace(p); p != "" {
			out = append(out, p)
		}
	}
	return strings.Join(out, "\n\n")
}

// icsPlace is the first place on one line, as an envelope has it.
func icsPlace(c essaim.Content) string {
	if len(c.Places) == 0 {
		return ""
	}
	pl := c.Places[0]
	var parts []string
	for _, p := range []string{pl.Label, pl.Street, strings.TrimSpace(pl.Postcode + " " + pl.City)} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	return strings.Join(parts, ", ")
}

func degreesText(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

func icsTime(t time.Time) string { return t.UTC().Format("20060102T150405Z") }

// when writes beginning and end: days where the meeting takes whole days in its own
// zone, as its page says, moments otherwise.
func (l *icsLines) when(m *essaim.Meeting) {
	if first, last := m.Days(); m.WholeDays() {
		l.raw("DTSTART;VALUE=DATE", first.Format("20060102"))
		l.raw("DTEND;VALUE=DATE", last.AddDate(0, 0, 1).Format("20060102")) // the day after (RFC 5545 3.6.1)
		return
	}
	l.raw("DTSTART", icsTime(m.Start))
	if m.End.After(m.Start) {
		l.raw("DTEND", icsTime(m.Over()))
	}
}

// icsLines writes content lines, folded at 75 octets between letters (RFC 5545 3.1).
type icsLines struct {
	w   io.Writer
	err error
}

// raw writes a value that is no text: whatever it holds, it is one line.
func (l *icsLines) raw(name, value string) {
	l.line(name + ":" + strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, value))
}

// icsEscape escapes a text (RFC 5545 3.3.11).
var icsEscape = strings.NewReplacer("\\", `\\`, ";", `\;`, ",", `\,`, "\r\n", `\n`, "\n", `\n`, "\r", `\n`, "\t", " ")

func (l *icsLines) text(name, value string) { l.raw(name, icsEscape.Replace(value)) }

func (l *icsLines) list(name string, values []string) {
	escaped := make([]string, len(values))
	for i, v := range values {
		escaped[i] = icsEscape.Replace(v)
	}
	l.raw(name, strings.Join(escaped, ","))
}

func (l *icsLines) line(s string) {
	if l.err != nil {
		return
	}
	var b strings.Builder
	room := 75
	for _, r := range s {
		n := utf8.RuneLen(r)
		if n < 0 { // invalid UTF-8 was read as U+FFFD, which has a length
			continue
		}
		if n > room {
			b.WriteString("\r\n ")
			room = 74
		}
		b.WriteRune(r)
		room -= n
	}
	b.WriteString("\r\n")
	_, l.err = io.WriteString(l.w, b.String())
}
