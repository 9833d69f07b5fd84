// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"time"

	"essaim"
)

// Days in the index: a day has a term of its own, of its month and of its year,
// so that any range is found by few terms, exactly.
const (
	yearLayout  = "2006"
	monthLayout = "2006-01"
	dayLayout   = time.DateOnly
	maxDays     = 366 // of one record that are told apart; see meetingDays
)

// The range within which days are told apart.
var (
	firstDay = time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)
	lastDay  = time.Date(2100, 12, 31, 0, 0, 0, 0, time.UTC)
)

// daysOf lists a day's values: its year, its month and itself.
func daysOf(day time.Time) []string {
	return []string{day.Format(yearLayout), day.Format(monthLayout), day.Format(dayLayout)}
}

// daysBetween lists the values of which one is had by what is on one of the days
// from the first to the last, both included.
func daysBetween(first, last time.Time) (values []string) {
	if first.Before(firstDay) {
		first = firstDay
	}
	if last.After(lastDay) {
		last = lastDay
	}
	for day := first; !day.After(last); {
		year, month := day.AddDate(1, 0, 0), day.AddDate(0, 1, 0)
		switch {
		case day.YearDay() == 1 && !year.AddDate(0, 0, -1).After(last):
			values, day = append(values, day.Format(yearLayout)), year
		case day.Day() == 1 && !month.AddDate(0, 0, -1).After(last):
			values, day = append(values, day.Format(monthLayout)), month
		default:
			values, day = append(values, day.Format(dayLayout)), day.AddDate(0, 0, 1)
		}
	}
	return values
}

// asked reads a day of a query, or gives another one for none.
func asked(day string, other time.Time) time.Time {
	t, err := time.Parse(dayLayout, day)
	if err != nil {
		return other
	}
	return t
}

// dayOf is the day that it is at an instant, as dates are compared: without zone.
func dayOf(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
}

// meetingDays lists the values of the days of a meeting, in its own zone. One that
// lasts long has those of its first days, then of its months, and of the days of its
// last one: it is found among what is to come until it ends.
func meetingDays(c *essaim.Content) (values []string) {
	b, ok := c.Body.(*essaim.Meeting)
	if !ok || b.Start.IsZero() {
		return nil
	}
	seen := map[string]bool{}
	add := func(list ...string) {
		for _, v := range list {
			if !seen[v] {
				seen[v] = true
				values = append(values, v)
			}
		}
	}
	first, end := b.Days()
	day, last := dayOf(first), dayOf(end)
	for range maxDays {
		if day.After(last) {
			return values
		}
		add(daysOf(day)...)
		day = day.AddDate(0, 0, 1)
	}
	if day.Before(firstDay) {
		day = firstDay
	}
	if last.After(lastDay) {
		last = lastDay
	}
	for ; day.Before(monthOf(last)); day = monthOf(day).AddDate(0, 1, 0) {
		add(daysOf(day)[:2]...)
	}
	for ; !day.After(last); day = day.AddDate(0, 0, 1) {
		add(daysOf(day)...)
	}
	return values
}

// monthOf is the first day of a day's month.
func monthOf(day time.Time) time.Time { return day.AddDate(0, 0, 1-day.Day()) }

// helpOpen says that help is wanted without an end.
const helpOpen = "open"

// helpDays lists until when help is wanted: helpOpen, or the last day of it;
// nothing for a record that wants none.
func helpDays(c *essaim.Content) []string {
	var last time.Time
	for _, h := range c.HelpWanted {
		until, ok := essaim.EndOfPartialDate(h.Until)
		if !ok || until.After(lastDay) {
			return []string{helpOpen}
		}
		if until.After(last) {
			last = until
		}
	}
	if last.IsZero() {
		return nil
	}
	return daysOf(last)
}

// helpFrom lists the values of which one is had by what wants help on a day.
func helpFrom(day time.Time) []string {
	return append(daysBetween(dayOf(day), lastDay), helpOpen)
}
