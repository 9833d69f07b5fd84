// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"slices"
	"testing"
	"time"

	"essaim"
)

// A meeting is to come until its last day, however long it lasts, and not the day after.
func TestAMeetingIsToComeUntilItEnds(t *testing.T) {
	t.Parallel()
	for _, start := range []string{"2024-01-01", "2024-02-29", "2025-12-31", "2023-07-14", "1950-03-02"} {
		first, err := time.Parse(dayLayout, start)
		if err != nil {
			t.Fatal(err)
		}
		for _, lasts := range []int{0, 1, 31, 364, 365, 366, 367, 380, 800, 3000} {
			last := first.AddDate(0, 0, lasts)
			c := essaim.Content{Body: &essaim.Meeting{Start: first.Add(12 * time.Hour), End: last.Add(12 * time.Hour)}}
			has := meetingDays(&c)
			toCome := func(day time.Time) bool {
				return slices.ContainsFunc(daysBetween(day, lastDay), func(v string) bool { return slices.Contains(has, v) })
			}
			for day := first; !day.After(last) && !last.Before(firstDay); day = day.AddDate(0, 0, 3) {
				if !toCome(day) {
					t.Errorf("%s, %d days: not to come on %s", start, lasts, day.Format(dayLayout))
				}
			}
			if last.After(firstDay) && (!toCome(last) || toCome(last.AddDate(0, 0, 1))) {
				t.Errorf("%s, %d days: it ends on another day", start, lasts)
			}
		}
	}
	for _, end := range []int{2050, 2500, 9999} {
		c := essaim.Content{Body: &essaim.Meeting{Start: time.Date(2, 1, 1, 0, 0, 0, 0, time.UTC), End: time.Date(end, 1, 1, 0, 0, 0, 0, time.UTC)}}
		if n := len(meetingDays(&c)); n > 2200 {
			t.Errorf("until %d: %d values", end, n)
		}
	}
}

// What wants help on a day is found by it, and nothing else.
func TestHelpIsFoundAsLongAsItIsWanted(t *testing.T) {
	t.Parallel()
	today := time.Date(2026, time.March, 3, 23, 0, 0, 0, time.UTC)
	asked := helpFrom(today)
	for _, until := range []string{"", "2026-03-02", "2026-03-03", "2026-03-04", "2026-03", "2026-02", "2026", "2025", "2099-01-01", "2100", "2101", "9999-12-31", "bientôt"} {
		c := essaim.Content{HelpWanted: []essaim.HelpNotice{{Until: "2020"}, {Until: until}}}
		found := slices.ContainsFunc(helpDays(&c), func(v string) bool { return slices.Contains(asked, v) })
		if found != c.WantsHelp(today) {
			t.Errorf("until %q: found %t, wanted %t", until, found, c.WantsHelp(today))
		}
	}
}
