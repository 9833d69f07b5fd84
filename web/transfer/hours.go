// SPDX-License-Identifier: AGPL-3.0-or-later

package transfer

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// dayCodes are the days as schema.org openingHours writes them, from Monday.
var dayCodes = [7]string{"Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"}

// span is a time of opening, in minutes from midnight.
type span struct{ from, to int }

// spanPattern reads "09:00 - 12:00", "8h30-12h", "9h12h", "14h à 18h".
var spanPattern = regexp.MustCompile(`^(\d{1,2})\s*(?:[h:.]\s*(\d{2})?)?\s*(?:-|–|—|à|a|to)?\s*(\d{1,2})\s*(?:[h:.]\s*(\d{2})?)?$`)

// parseSpans reads the hours of a day or half-day. What is empty, "-" or "fermé"
// is closed; what cannot be read is said not to be known (ok false), never guessed.
func parseSpans(s string) (spans []span, ok bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	switch s {
	case "", "-", "–", "x", "ferme", "fermé", "fermée", "closed", "off":
		return nil, true
	}
	for _, part := range strings.FieldsFunc(s, func(r rune) bool { return r == '/' || r == ',' || r == ';' || r == '|' }) {
		part = strings.TrimSpace(strings.ReplaceAll(part, " et ", "/"))
		for _, p := range strings.Split(part, "/") {
			sp, ok := parseSpan(strings.TrimSpace(p))
			if !ok {
				return nil, false
			}
			if sp.from < sp.to { // "00:00 - 00:00" fills a cell without saying anything
				spans = append(spans, sp)
			}
		}
	}
	return merge(spans), true
}

func parseSpan(s string) (span, bool) {
	m := spanPattern.FindStringSubmatch(s)
	if m == nil {
		return span{}, false
	}
	n := func(i int) int { v, _ := strconv.Atoi(m[i]); return v }
	sp := span{n(1)*60 + n(2), n(3)*60 + n(4)}
	if n(2) > 59 || n(4) > 59 || sp.from > 24*60 || sp.to > 24*60 || sp.from > sp.to {
		return span{}, false
	}
	return sp, true
}

// merge orders the spans and joins those that overlap: a cell that lists several
// timetables is open when one of them is. Spans that only touch stay apart when
// written apart by nobody's intention, so they are joined too.
func merge(spans []span) []span {
	slices.SortFunc(spans, func(a, b span) int {
		if a.from != b.from {
			return a.from - b.from
		}
		return a.to - b.to
	})
	var out []span
	for _, s := range spans {
		if n := len(out); n > 0 && s.from <= out[n-1].to {
			out[n-1].to = max(out[n-1].to, s.to)
			continue
		}
		out = append(out, s)
	}
	return out
}

// week is what a row says of each day.
type week [7][]span

// rules writes the week as schema.org openingHours: one item for each span, with
// its days: "Mo-Fr 09:00-12:00", "Mo,We 14:00-17:00".
func (w week) rules() []string {
	var spans []span
	days := map[span][]int{}
	for d, list := range w {
		for _, s := range list {
			if days[s] == nil {
				spans = append(spans, s)
			}
			days[s] = append(days[s], d)
		}
	}
	slices.SortStableFunc(spans, func(a, b span) int {
		if c := days[a][0] - days[b][0]; c != 0 {
			return c
		}
		return a.from - b.from
	})
	out := make([]string, len(spans))
	for i, s := range spans {
		out[i] = fmt.Sprintf("%s %02d:%02d-%02d:%02d", dayList(days[s]), s.from/60, s.from%60, s.to/60, s.to%60)
	}
	return out
}

// dayList writes days, three or more in a row as a range.
func dayList(days []int) string {
	var parts []string
	for i := 0; i < len(days); {
		j := i
		for j+1 < len(days) && days[j+1] == days[j]+1 {
			j++
		}
		if j-i >= 2 {
			parts = append(parts, dayCodes[days[i]]+"-"+dayCodes[days[j]])
			i = j + 1
			continue
		}
		parts = append(parts, dayCodes[days[i]])
		i++
	}
	return strings.Join(parts, ",")
}

// rulePattern is one rule of schema.org openingHours, which the simple part of
// OpenStreetMap's opening_hours shares; the hours may be several.
var rulePattern = regexp.MustCompile(`^((?:Mo|Tu|We|Th|Fr|Sa|Su)(?:[-,](?:Mo|Tu|We|Th|Fr|Sa|Su))*) (\d{2}:\d{2}-\d{2}:\d{2}(?:, ?\d{2}:\d{2}-\d{2}:\d{2})*)$`)

// hoursRules reads a column of opening hours already in that shape; anything
// else (prose, an address) gives nothing.
func hoursRules(s string) []string {
	var out []string
	for _, rule := range strings.Split(s, ";") {
		rule = strings.TrimSpace(rule)
		if rule == "" {
			continue
		}
		m := rulePattern.FindStringSubmatch(rule)
		if m == nil {
			return nil
		}
		for _, hours := range strings.Split(m[2], ",") {
			sp, ok := parseSpan(strings.TrimSpace(hours))
			if !ok || sp.from == sp.to {
				return nil
			}
			out = append(out, m[1]+" "+strings.TrimSpace(hours))
		}
	}
	return out
}

// dayNames are the names of days in column names, folded.
var dayNames = map[string]int{
	"lundi": 0, "mardi": 1, "mercredi": 2, "jeudi": 3, "vendredi": 4, "samedi": 5, "dimanche": 6,
	"lun": 0, "mer": 2, "jeu": 3, "ven": 4, "sam": 5, "dim": 6,
	"monday": 0, "tuesday": 1, "wednesday": 2, "thursday": 3, "friday": 4, "saturday": 5, "sunday": 6,
}

// dayOf finds the day that a folded column name speaks of.
func dayOf(folded string) (int, bool) {
	day, found := 0, false
	for _, w := range strings.Fields(folded) {
		if d, ok := dayNames[w]; ok {
			if found && d != day {
				return 0, false
			}
			day, found = d, true
		}
	}
	return day, found
}
