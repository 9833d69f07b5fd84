// SPDX-License-Identifier: AGPL-3.0-or-later

package transfer

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/html"

	"essaim"
)

// oneLine joins the lines of a value.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// dateLayouts are the ways of writing a day that files mix; French order.
var dateLayouts = []string{
	"2006-01-02", time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02 15:04",
	"02/01/2006", "2/1/2006", "02/01/2006 15:04", "02/01/2006 15:04:05", "02-01-2006", "02.01.2006", "2006/01/02", "20060102",
}

// date reads a day, a month or a year as a partial date; "" for what is none.
func date(s string) string {
	s = strings.TrimSpace(s)
	if t, ok := parseTime(s); ok {
		return t.Format(time.DateOnly)
	}
	for _, l := range []string{"2006-01", "01/2006"} {
		if t, err := time.Parse(l, s); err == nil {
			return t.Format("2006-01")
		}
	}
	if len(s) == 4 && isDigits(s) && s > "0999" {
		return s
	}
	return ""
}

func parseTime(s string) (time.Time, bool) {
	for _, l := range dateLayouts {
		if t, err := time.Parse(l, s); err == nil && t.Year() > 0 {
			return t, true
		}
	}
	// Unix time, in seconds or, as JavaScript writes it, milliseconds.
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && len(s) >= 9 && n > 0 {
		switch {
		case len(s) <= 10:
			return time.Unix(n, 0).UTC(), true
		case len(s) == 12 || len(s) == 13:
			return time.UnixMilli(n).UTC(), true
		}
	}
	return time.Time{}, false
}

// instant reads a moment; without offset it is one of Paris, which the meeting's
// default time zone is. Empty is the zero time.
func instant(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		return time.Time{}, fmt.Errorf("time zone Europe/Paris: %w", err)
	}
	for _, l := range dateLayouts {
		if t, err := time.ParseInLocation(l, s, paris); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("date %q: %w", s, essaim.ErrInvalid)
}

// MatchLicence finds a licence by identifier, address or usual name: files
// write "Licence Ouverte 2.0", "ODbL", "Public Domain".
func MatchLicence(s string) (id string, ok bool) {
	if l, ok := essaim.LicenceByID(s); ok {
		return l.ID, true
	}
	if l, ok := essaim.LicenceByIRI(strings.TrimSpace(s)); ok {
		return l.ID, true
	}
	f := Fold(s)
	for _, l := range essaim.Licences() {
		if f == Fold(l.Name) || f == Fold(l.ID) {
			return l.ID, true
		}
	}
	id, ok = licenceNames[f]
	return id, ok
}

// licenceNames are names in use that say one version without doubt, folded. A
// name without its version ("CC-BY") is not among them.
var licenceNames = map[string]string{
	"public domain": "cc-pddc", "domaine public": "cc-pddc", "pd": "cc-pddc",
	"odbl": "odbl-1.0", "odbl 1 0": "odbl-1.0", "odc odbl": "odbl-1.0", "open database license": "odbl-1.0", "open data commons open database license odbl": "odbl-1.0",
	"licence ouverte 2 0": "etalab-2.0", "licence ouverte v2 0": "etalab-2.0", "lov2": "etalab-2.0", "licence ouverte open licence version 2 0": "etalab-2.0",
	"cc0": "cc0-1.0", "cc zero": "cc0-1.0",
}

// plainText takes the tags out of text that holds HTML, keeping its paragraphs;
// other text stays as it is.
func plainText(s string) string {
	if !strings.Contains(s, "<") || !strings.Contains(s, ">") {
		return s
	}
	var b strings.Builder
	skip := 0
	z := html.NewTokenizer(strings.NewReader(s))
	for {
		switch z.Next() {
		case html.ErrorToken:
			lines := strings.Split(b.String(), "\n")
			for i := range lines {
				lines[i] = strings.TrimSpace(lines[i])
			}
			out := strings.Join(lines, "\n")
			for strings.Contains(out, "\n\n\n") {
				out = strings.ReplaceAll(out, "\n\n\n", "\n\n")
			}
			return strings.TrimSpace(out)
		case html.TextToken:
			if skip == 0 {
				b.Write(z.Text())
			}
		case html.StartTagToken, html.EndTagToken, html.SelfClosingTagToken:
			t := z.Token()
			switch t.Data {
			case "script", "style":
				if t.Type == html.StartTagToken {
					skip++
				} else if t.Type == html.EndTagToken && skip > 0 {
					skip--
				}
			case "br", "li", "tr":
				if t.Type != html.EndTagToken {
					b.WriteByte('\n')
				}
			case "p", "div", "h1", "h2", "h3", "h4", "ul", "ol", "blockquote":
				b.WriteString("\n\n")
			}
		}
	}
}
