// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import (
	"strconv"
	"time"
)

// A partial date is a year, a year and month, or a day: "2003", "2006-03",
// "2006-03-26". What a source does not say is not filled in.
var partialDateLayouts = [...]string{"2006", "2006-01", "2006-01-02"}

func validPartialDate(s string) bool {
	for _, l := range partialDateLayouts {
		if len(l) == len(s) {
			_, err := time.Parse(l, s)
			return err == nil
		}
	}
	return false
}

// EndOfPartialDate is the last day that a partial date may mean; not ok for what
// is none.
func EndOfPartialDate(s string) (last time.Time, ok bool) {
	for i, l := range partialDateLayouts {
		if len(l) != len(s) {
			continue
		}
		day, err := time.Parse(l, s)
		after := [...]time.Time{day.AddDate(1, 0, 0), day.AddDate(0, 1, 0), day.AddDate(0, 0, 1)}
		return after[i].AddDate(0, 0, -1), err == nil
	}
	return last, false
}

// Names of days and months, Sunday and January first: golang.org/x/text has none.
var (
	frenchMonths = [...]string{"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"}
	frenchDays   = [...]string{"dimanche", "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi"}
)

// WeekdayName is "samedi", or "Saturday" in English.
func WeekdayName(d time.Weekday, lang string) string {
	if lang == "en" {
		return d.String()
	}
	return frenchDays[d]
}

// DayInWords is "3 mars 2026" or "1er avril 2026", or "3 March 2026" in English,
// of the zone that the time is in.
func DayInWords(t time.Time, lang string) string {
	day := strconv.Itoa(t.Day())
	if lang != "en" && t.Day() == 1 {
		day = "1er"
	}
	return day + "\u00a0" + monthInWords(t, lang)
}

func monthInWords(t time.Time, lang string) string {
	if lang == "en" {
		return t.Format("January 2006")
	}
	return frenchMonths[t.Month()-1] + " " + strconv.Itoa(t.Year())
}

// PartialDateInWords writes a partial date: "2003", "mars 2006", "26 mars 2006".
// What is not one is given back as it is.
func PartialDateInWords(s, lang string) string {
	switch len(s) {
	case len("2006-01"):
		if t, err := time.Parse("2006-01", s); err == nil {
			return monthInWords(t, lang)
		}
	case len(time.DateOnly):
		if t, err := time.Parse(time.DateOnly, s); err == nil {
			return DayInWords(t, lang)
		}
	}
	return s
}
