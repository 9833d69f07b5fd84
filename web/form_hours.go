// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Opening hours are kept as schema.org writes them ("Mo-Fr 09:00-12:00"); people
// write "lundi-vendredi 9h-12h, 14h-18h". Days are known by their first two
// letters, in French and in English: no two of them are the same for two days.
var dayCodes = map[string]string{
	"lu": "Mo", "ma": "Tu", "me": "We", "je": "Th", "ve": "Fr", "sa": "Sa", "di": "Su",
	"mo": "Mo", "tu": "Tu", "we": "We", "th": "Th", "fr": "Fr", "su": "Su",
}

var frenchDays = strings.NewReplacer("Mo", "lundi", "Tu", "mardi", "We", "mercredi", "Th", "jeudi", "Fr", "vendredi", "Sa", "samedi", "Su", "dimanche")

var (
	dayWord   = regexp.MustCompile(`\p{L}{2,}\.?`)
	dayJoin   = regexp.MustCompile(`\s*([-–,])\s*|\s+(au|à|to|et|and)\s+`)
	hourRange = regexp.MustCompile(`(\d{1,2})\s*(?:[h:]\s*(\d\d)?)\s*(?:-|–|à|to)\s*(\d{1,2})\s*(?:[h:]\s*(\d\d)?)`)
	betweens  = regexp.MustCompile(`^(?:[\s,;:]|et|and|de|from|puis)*$`)
)

// writtenHours are rules as the reader's language writes them.
func (f *recordForm) writtenHours(rules []string) []string {
	out := make([]string, len(rules))
	for i, r := range rules {
		if out[i] = r; f.l.lang == "fr" {
			out[i] = frenchDays.Replace(r)
		}
	}
	return out
}

// readHours are the rules that people wrote. A line that is not understood stays as
// it is: whoever checks the record says so.
func readHours(lines []string) []string {
	var out []string
	for _, line := range lines {
		if rules := hourRules(strings.ToLower(line)); rules != nil {
			out = append(out, rules...)
		} else {
			out = append(out, line)
		}
	}
	return out
}

// hourRules reads one line: days, then the hours of each part of the day; nil when
// it does not understand all of it.
func hourRules(line string) []string {
	hours := hourRange.FindAllStringSubmatchIndex(line, -1)
	end := len(line)
	if len(hours) > 0 {
		end = hours[0][0]
	}
	days, ok := dayRule(line[:end])
	if !ok {
		return nil
	}
	if len(hours) == 0 {
		return []string{days}
	}
	var out []string
	for i, at := range hours {
		if i > 0 && !betweens.MatchString(line[hours[i-1][1]:at[0]]) {
			return nil
		}
		part := func(n int) int {
			v, err := strconv.Atoi(line[max(at[2*n], 0):max(at[2*n+1], 0)]) // 9h is 9h00
			if err != nil {
				return 0
			}
			return v
		}
		out = append(out, fmt.Sprintf("%s %02d:%02d-%02d:%02d", days, part(1), part(2), part(3), part(4)))
	}
	if strings.TrimSpace(line[hours[len(hours)-1][1]:]) != "" {
		return nil
	}
	return out
}

// dayWritten tells whether a word is the name of a day or begins it: « matin » begins
// as Tuesday does.
func dayWritten(word, code string) bool {
	return slices.ContainsFunc([]string{frenchDays.Replace(code), strings.ToLower(dayNames[code].String())}, func(name string) bool {
		return strings.HasPrefix(name+"s", word)
	})
}

// dayRule reads "du lundi au vendredi", "mar, jeu" or "Mo-Fr".
func dayRule(text string) (string, bool) {
	text = strings.Trim(strings.TrimSpace(text), ":,")
	for _, word := range []string{"du ", "le ", "les ", "from ", "on "} {
		text = strings.TrimPrefix(text, word)
	}
	text = strings.TrimSuffix(strings.TrimSpace(text), " de")
	text = dayJoin.ReplaceAllStringFunc(text, func(m string) string {
		switch strings.TrimSpace(m) {
		case ",", "et", "and":
			return ","
		}
		return "-"
	})
	known := true
	text = dayWord.ReplaceAllStringFunc(strings.TrimSpace(text), func(w string) string {
		code := dayCodes[string([]rune(w)[:2])]
		known = known && code != "" && dayWritten(strings.TrimSuffix(w, "."), code)
		return code
	})
	return text, known && text != "" && !strings.ContainsAny(text, " ")
}
