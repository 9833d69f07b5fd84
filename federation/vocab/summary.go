// SPDX-License-Identifier: AGPL-3.0-or-later

package vocab

import (
	"fmt"
	"html"
	"strings"
	"time"
	"unicode/utf8"

	"essaim"
	"essaim/web/markup"
)

// maxSummary keeps a summary within a teaser: Mastodon shows it above the
// link, Misskey and GoToSocial as a subject line (interop.md 2.8).
const maxSummary = 300

// summary is one or two neutral sentences: the tagline or the beginning of
// the text, and for a meeting its date and place, which other software shows
// nowhere else.
func summary(rec *essaim.Record, lang string, markdown func(string) string) string {
	first := strings.TrimSpace(rec.Tagline)
	if first == "" {
		first = opening(markdown(rec.Text))
	}
	second := ""
	if m, ok := rec.Body.(*essaim.Meeting); ok {
		second = occasion(m, rec.Places, lang)
	} else if first == "" && len(rec.Places) > 0 {
		second = where(rec.Places[0])
	}
	if first != "" && second != "" {
		first = ended(first) + " "
	}
	s := first + second
	if s == "" {
		return ""
	}
	return "<p>" + html.EscapeString(s) + "</p>"
}

// teaser is a record in a few lines of HTML: its title, its summary and the
// address of its page.
func teaser(rec *essaim.Record, summary string) string {
	return "<p><strong>" + html.EscapeString(rec.Title) + "</strong></p>" + summary + "<p>" + anchor(rec.URL, "") + "</p>"
}

// ended closes a sentence that has no final mark.
func ended(s string) string {
	last, _ := utf8.DecodeLastRuneInString(s)
	if strings.ContainsRune(".!?…»", last) {
		return s
	}
	return s + "."
}

// opening is the beginning of a text as plain words.
func opening(html string) string {
	plain := markup.Plain(html)
	plain, _, _ = strings.Cut(plain, "\n")
	if utf8.RuneCountInString(plain) <= maxSummary {
		return plain
	}
	cut := string([]rune(plain)[:maxSummary])
	if i := strings.LastIndexAny(cut, ".!?"); i > maxSummary/3 {
		return cut[:i+1]
	}
	if i := strings.LastIndexByte(cut, ' '); i > 0 {
		cut = cut[:i]
	}
	return cut + "…"
}

// occasion is when and where a meeting is: « Samedi 14 mars 2026, 14 h 30 –
// 17 h, Maison pour tous, Brest. »
func occasion(m *essaim.Meeting, places []essaim.Place, lang string) string {
	if m.Start.IsZero() {
		return ""
	}
	start, end := m.Times()
	from, to := m.Days()
	s := dated(start, lang)
	switch whole, sameDay := m.WholeDays(), from.Equal(to); {
	case end.IsZero():
	case whole && sameDay:
		s = day(from, lang)
	case whole:
		s = day(from, lang) + " – " + day(to, lang)
	case sameDay:
		s = day(from, lang) + ", " + clock(start, lang) + " – " + clock(end, lang)
	default:
		s += " – " + dated(end, lang)
	}
	if m.Status == "cancelled" {
		s = label{"Annulée : ", "Cancelled: "}.in(lang) + s
	}
	if len(places) > 0 {
		if w := where(places[0]); w != "" {
			s += ", " + w
		}
	}
	first, size := utf8.DecodeRuneInString(s)
	return strings.ToUpper(string(first)) + s[size:] + "."
}

func midnight(t time.Time) bool { return t.Hour() == 0 && t.Minute() == 0 }

// dated is a day with its hour; midnight alone stands for no hour.
func dated(t time.Time, lang string) string {
	if midnight(t) {
		return day(t, lang)
	}
	return day(t, lang) + ", " + clock(t, lang)
}

func day(t time.Time, lang string) string {
	return essaim.WeekdayName(t.Weekday(), lang) + " " + essaim.DayInWords(t, lang)
}

func clock(t time.Time, lang string) string {
	if lang == "en" {
		return t.Format("15:04")
	}
	if t.Minute() == 0 {
		return fmt.Sprintf("%d\u00a0h", t.Hour())
	}
	return fmt.Sprintf("%d\u00a0h\u00a0%02d", t.Hour(), t.Minute())
}
