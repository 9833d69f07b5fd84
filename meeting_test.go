// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim_test

import (
	"testing"
	"time"

	"essaim"
)

// A midnight stands for a day whose hour is not told, but one that ends an evening.
func TestAMeetingLastsAsLongAsItSays(t *testing.T) {
	t.Parallel()
	at := func(zone string) func(s string) time.Time {
		z, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		return func(s string) time.Time {
			if s == "" {
				return time.Time{}
			}
			got, err := time.ParseInLocation("2006-01-02 15:04", s, z)
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
	}
	for _, tt := range []struct {
		name, zone, start, end, first, last, over string
		whole                                     bool
	}{
		{"a day", "", "2026-03-14 00:00", "", "2026-03-14", "2026-03-14", "2026-03-15 00:00", true},
		{"a day whose end is its beginning", "", "2026-03-14 00:00", "2026-03-14 00:00", "2026-03-14", "2026-03-14", "2026-03-15 00:00", true},
		{"a day to its last minute", "", "2026-03-14 00:00", "2026-03-14 23:59", "2026-03-14", "2026-03-14", "2026-03-14 23:59", true},
		{"two days", "", "2026-03-13 00:00", "2026-03-14 00:00", "2026-03-13", "2026-03-14", "2026-03-15 00:00", true},
		{"the day on which clocks change", "", "2026-03-29 00:00", "", "2026-03-29", "2026-03-29", "2026-03-30 00:00", true},
		{"elsewhere", "Indian/Reunion", "2026-03-14 00:00", "", "2026-03-14", "2026-03-14", "2026-03-15 00:00", true},
		{"an evening", "", "2026-03-14 17:30", "2026-03-14 20:00", "2026-03-14", "2026-03-14", "2026-03-14 20:00", false},
		{"no end", "", "2026-03-14 17:30", "", "2026-03-14", "2026-03-14", "2026-03-15 00:00", false},
		{"an end before the beginning", "", "2026-03-14 17:30", "2026-03-14 09:00", "2026-03-14", "2026-03-14", "2026-03-15 00:00", false},
		{"until midnight", "", "2026-03-13 20:00", "2026-03-14 00:00", "2026-03-13", "2026-03-13", "2026-03-14 00:00", false},
		{"into the night", "", "2026-03-13 20:00", "2026-03-14 02:00", "2026-03-13", "2026-03-14", "2026-03-14 02:00", false},
		{"a last day without its hour", "", "2026-03-13 20:00", "2026-03-15 00:00", "2026-03-13", "2026-03-15", "2026-03-16 00:00", false},
		{"a morning from midnight", "", "2026-03-14 00:00", "2026-03-14 06:00", "2026-03-14", "2026-03-14", "2026-03-14 06:00", false},
	} {
		zone := tt.zone
		if zone == "" {
			zone = "Europe/Paris"
		}
		when := at(zone)
		m := &essaim.Meeting{Start: when(tt.start).UTC(), Timezone: tt.zone}
		if tt.end != "" {
			m.End = when(tt.end).UTC()
		}
		first, last := m.Days()
		if !first.Equal(when(tt.first+" 00:00")) || !last.Equal(when(tt.last+" 00:00")) {
			t.Errorf("%s: from %s to %s, want %s to %s", tt.name, first, last, tt.first, tt.last)
		}
		if got := m.Over(); !got.Equal(when(tt.over)) || m.WholeDays() != tt.whole {
			t.Errorf("%s: over at %s, whole days %t; want %s, %t", tt.name, got, m.WholeDays(), tt.over, tt.whole)
		}
	}
	if none := (&essaim.Meeting{}).Over(); !none.IsZero() {
		t.Errorf("what has no date is over at %s", none)
	}
}
