// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"strings"
	"testing"
)

func TestOpeningHoursAreReadAsPeopleWriteThem(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"Mo-Fr 09:00-12:00":                          "Mo-Fr 09:00-12:00",
		"lundi-vendredi 9h-12h":                      "Mo-Fr 09:00-12:00",
		"Du lundi au vendredi de 9h à 12h30":         "Mo-Fr 09:00-12:30",
		"lun. au ven. : 9h00 - 12h00 et 14h - 18h":   "Mo-Fr 09:00-12:00|Mo-Fr 14:00-18:00",
		"mardi, jeudi 14:00–18:00":                   "Tu,Th 14:00-18:00",
		"mardi et jeudi 14h-18h":                     "Tu,Th 14:00-18:00",
		"Sa":                                         "Sa",
		"le dimanche 10h-13h":                        "Su 10:00-13:00",
		"Monday to Friday 9:00-17:30":                "Mo-Fr 09:00-17:30",
		"lundi-vendredi 9h-12h sauf août":            "lundi-vendredi 9h-12h sauf août",
		"sur rendez-vous":                            "sur rendez-vous",
		"lundi ou mardi 9h-12h":                      "lundi ou mardi 9h-12h",
		"mercredi, matin 9h-12h":                     "mercredi, matin 9h-12h",
		"les mardis 9h-12h":                          "Tu 09:00-12:00",
		"Tues, Thurs 9:00-12:00":                     "Tu,Th 09:00-12:00",
		"9h-12h":                                     "9h-12h",
		"Mo-Fr 09:00-12:00, sauf le 1er 10:00-11:00": "Mo-Fr 09:00-12:00, sauf le 1er 10:00-11:00",
	} {
		if got := strings.Join(readHours([]string{typed}), "|"); got != want {
			t.Errorf("%q is read as %q, want %q", typed, got, want)
		}
	}
	rules := []string{"Mo-Fr 09:00-12:00", "Tu,Th", "Sa 10:00-24:00"}
	for _, lang := range []string{"fr", "en"} {
		f := &recordForm{l: &locale{lang: lang}}
		if got := readHours(f.writtenHours(rules)); strings.Join(got, "|") != strings.Join(rules, "|") {
			t.Errorf("%s: %q come back as %q", lang, rules, got)
		}
	}
}
