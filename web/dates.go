// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"fmt"
	"strings"
	"time"

	"essaim"
)

// shortMonths are the months on a calendar's leaf.
var shortMonths = map[string][12]string{
	"fr": {"janv.", "févr.", "mars", "avril", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."},
	"en": {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"},
}

// Date is "3 mars 2026", "1er avril 2026", "3 March 2026"; empty for no time.
func (l *locale) Date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return l.day(t.In(l.zone))
}

func (l *locale) day(t time.Time) string { return essaim.DayInWords(t, l.lang) }

// Weekday is "samedi 14 mars 2026".
func (l *locale) Weekday(t time.Time) string {
	return essaim.WeekdayName(t.Weekday(), l.lang) + " " + l.day(t)
}

// Clock is "17 h 30", "17 h", "5.30 pm" being left to others: English reads "17:30".
func (l *locale) Clock(t time.Time) string {
	if l.lang == "en" {
		return t.Format("15:04")
	}
	if t.Minute() == 0 {
		return fmt.Sprintf("%d\u00a0h", t.Hour())
	}
	return fmt.Sprintf("%d\u00a0h\u00a0%02d", t.Hour(), t.Minute())
}

// When tells when a meeting takes place, in its own time zone: one day with its
// hours, or from a day to another.
func (l *locale) When(start, end time.Time, zone string) string {
	if start.IsZero() {
		return l.T("meeting.date_to_come")
	}
	z := l.zoneOf(zone)
	start = start.In(z)
	if end.IsZero() {
		return l.Weekday(start) + l.at(start)
	}
	end = end.In(z)
	if start.YearDay() == end.YearDay() && start.Year() == end.Year() {
		if midnight(start) && (midnight(end) || end.Hour() == 23 && end.Minute() == 59) {
			return l.Weekday(start)
		}
		return l.Weekday(start) + l.F("meeting.from_to", "From", l.Clock(start), "To", l.Clock(end))
	}
	return l.F("meeting.days", "From", l.Weekday(start)+l.at(start), "To", l.Weekday(end)+l.at(end))
}

func (l *locale) at(t time.Time) string {
	if midnight(t) {
		return ""
	}
	return l.F("meeting.at", "Time", l.Clock(t))
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

// Partial writes a partial date, as essaim.PartialDateInWords does.
func (l *locale) Partial(s string) string { return essaim.PartialDateInWords(s, l.lang) }

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
	return l.F("ago.since", "Date", l.Date(t))
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
		return essaim.WeekdayName(d, l.lang)
	}
	return code
}

func (l *locale) clockText(s string) string {
	if t, err := time.Parse("15:04", s); err == nil {
		return l.Clock(t)
	}
	return s
}
