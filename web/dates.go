// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"essaim"
)

// calendar is how a language writes dates, and sizes of files.
type calendar struct {
	months, short     []string // names, from January
	weekdays, leaf    []string // names, from Sunday; on a calendar's leaf
	sizes             []string // bytes, kilobytes and so on
	day, month, first string   // patterns; how the first day of a month is written
	sharp, minutes    string   // patterns of hours
}

// newCalendar reads it from a language's file: names are separated by spaces.
func newCalendar(l *locale) (calendar, error) {
	c := calendar{
		first: l.T("date.first"), day: l.pattern("date.day"), month: l.pattern("date.month"),
		sharp: l.pattern("date.hour"), minutes: l.pattern("date.minutes"),
	}
	for _, list := range []struct {
		key   string
		names *[]string
		n     int
	}{{"date.months", &c.months, 12}, {"date.months_short", &c.short, 12}, {"date.weekdays", &c.weekdays, 7}, {"date.weekdays_short", &c.leaf, 7}, {"size.units", &c.sizes, 5}} {
		if *list.names = strings.Fields(l.T(list.key)); len(*list.names) != list.n {
			return c, fmt.Errorf("%s has %d names, not %d", list.key, len(*list.names), list.n)
		}
	}
	return c, nil
}

// pattern is a sentence before its names are put in.
func (l *locale) pattern(key string) string {
	if s, ok := l.patterns[key]; ok || l.fallback == nil {
		return s
	}
	return l.fallback.pattern(key)
}

// Date is "3 mars 2026", "1er avril 2026", "3 March 2026"; empty for no time.
func (l *locale) Date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return l.day(t.In(l.zone))
}

func (l *locale) day(t time.Time) string {
	day := strconv.Itoa(t.Day())
	if t.Day() == 1 {
		day = l.calendar.first
	}
	return strings.NewReplacer("{{.Day}}", day, "{{.Month}}", l.calendar.months[t.Month()-1], "{{.Year}}", strconv.Itoa(t.Year())).Replace(l.calendar.day)
}

func (l *locale) month(t time.Time) string {
	return strings.NewReplacer("{{.Month}}", l.calendar.months[t.Month()-1], "{{.Year}}", strconv.Itoa(t.Year())).Replace(l.calendar.month)
}

// Weekday is "samedi 14 mars 2026".
func (l *locale) Weekday(t time.Time) string {
	return l.calendar.weekdays[t.Weekday()] + " " + l.day(t)
}

// Clock is "17 h 30", "17 h"; "17:30" in English. {{.Hours}} has two digits.
func (l *locale) Clock(t time.Time) string {
	pattern := l.calendar.minutes
	if t.Minute() == 0 {
		pattern = l.calendar.sharp
	}
	return strings.NewReplacer("{{.Hour}}", strconv.Itoa(t.Hour()), "{{.Hours}}", t.Format("15"), "{{.Minutes}}", t.Format("04")).Replace(pattern)
}

// When tells when a meeting takes place, in its own time zone: one day with its
// hours, or from a day to another.
func (l *locale) When(m *essaim.Meeting) string {
	if m.Start.IsZero() {
		return l.T("meeting.date_to_come")
	}
	start, end := m.Times()
	first, last := m.Days()
	switch whole, sameDay := m.WholeDays(), first.Equal(last); {
	case sameDay && whole:
		return l.Weekday(first)
	case sameDay && end.IsZero():
		return l.Weekday(first) + l.at(start)
	case sameDay:
		return l.Weekday(first) + l.F("meeting.from_to", "From", l.Clock(start), "To", l.Clock(end))
	case whole:
		return l.F("meeting.days", "From", l.Weekday(first), "To", l.Weekday(last))
	}
	return l.F("meeting.days", "From", l.Weekday(first)+l.at(start), "To", l.Weekday(last)+l.at(end))
}

func (l *locale) at(t time.Time) string {
	if midnight(t) {
		return ""
	}
	return l.F("meeting.at", "Time", l.Clock(t))
}

// bounds are the same for programs: days where no hours are told, else instants. The
// end is empty where none is told.
func bounds(m *essaim.Meeting) (from, to string) {
	start, end := m.Times()
	switch first, last := m.Days(); {
	case m.Start.IsZero():
	case m.WholeDays():
		from, to = first.Format(time.DateOnly), last.Format(time.DateOnly)
	default:
		from, to = start.Format(time.RFC3339), m.Over().Format(time.RFC3339)
	}
	if end.IsZero() {
		to = ""
	}
	return from, to
}

func midnight(t time.Time) bool { return t.Hour() == 0 && t.Minute() == 0 }

func (l *locale) zoneOf(name string) *time.Location {
	if name == "" {
		return l.zone
	}
	z, err := time.LoadLocation(name)
	if err != nil {
		return l.zone
	}
	return z
}

// Partial writes a partial date: "2003", "mars 2006", "26 mars 2006". What is not one
// is given back as it is.
func (l *locale) Partial(s string) string {
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		return l.day(t)
	}
	if t, err := time.Parse("2006-01", s); err == nil {
		return l.month(t)
	}
	return s
}

// Ago says how long ago something was, in the largest unit that fits.
func (l *locale) Ago(t, now time.Time) string {
	if t.IsZero() {
		return l.T("ago.never")
	}
	d := now.Sub(t)
	switch {
	case d < time.Minute:
		return l.T("ago.now")
	case d < time.Hour:
		return l.N("ago.minutes", int(d/time.Minute))
	case d < 24*time.Hour:
		return l.N("ago.hours", int(d/time.Hour))
	case d < 60*24*time.Hour:
		return l.N("ago.days", int(d/(24*time.Hour)))
	}
	return l.F("ago.on", "Date", l.Date(t))
}

// dayNames are the days of schema.org opening hours.
var dayNames = map[string]time.Weekday{
	"Su": time.Sunday, "Mo": time.Monday, "Tu": time.Tuesday, "We": time.Wednesday, "Th": time.Thursday, "Fr": time.Friday, "Sa": time.Saturday,
}

// Hours reads one schema.org rule, "Mo-Fr 09:00-12:00", as days and hours in
// words; the hours are empty when it gives none.
func (l *locale) Hours(rule string) (days, hours string) {
	d, h, _ := strings.Cut(rule, " ")
	var parts []string
	for _, item := range strings.Split(d, ",") {
		from, to, span := strings.Cut(item, "-")
		s := l.dayName(from)
		if span {
			s = l.F("hours.from_to", "From", s, "To", l.dayName(to))
		}
		parts = append(parts, s)
	}
	days = strings.Join(parts, ", ")
	if from, to, ok := strings.Cut(h, "-"); ok {
		hours = l.clockText(from) + "\u2009–\u2009" + l.clockText(to)
	}
	return days, hours
}

func (l *locale) dayName(code string) string {
	if d, ok := dayNames[code]; ok {
		return l.calendar.weekdays[d]
	}
	return code
}

func (l *locale) clockText(s string) string {
	if t, err := time.Parse("15:04", s); err == nil {
		return l.Clock(t)
	}
	return s
}
