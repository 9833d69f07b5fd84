// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"embed"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"

	"essaim"
)

//go:embed locale/*.json
var localeFiles embed.FS

// languages are those of the interface, the default first. A new one is a file
// in locale and a line here.
var languages = []string{"fr", "en"}

// locale says things in one language. It is safe for concurrent use.
type locale struct {
	lang      string
	localizer *i18n.Localizer
	// plain holds the sentences without number or name, which are most of them.
	plain     map[string]string
	zone      *time.Location
	gazetteer *essaim.Gazetteer
	themes    *concepts
}

// newLocales reads the files of all languages.
func newLocales(zone *time.Location, g *essaim.Gazetteer) (map[string]*locale, error) {
	bundle := i18n.NewBundle(language.French)
	out := map[string]*locale{}
	for _, lang := range languages {
		name := path.Join("locale", lang+".json")
		body, err := localeFiles.ReadFile(name)
		if err != nil {
			return nil, err
		}
		// Files are written with plain spaces and apostrophes, as keyboards have them.
		file, err := bundle.ParseMessageFileBytes([]byte(typo(string(body), lang)), name)
		if err != nil {
			return nil, fmt.Errorf("locale %s: %w", lang, err)
		}
		l := &locale{lang: lang, localizer: i18n.NewLocalizer(bundle, lang), plain: map[string]string{}, zone: zone, gazetteer: g}
		for _, m := range file.Messages {
			if m.One == "" && !strings.Contains(m.Other, "{{") {
				l.plain[m.ID] = m.Other
			}
		}
		out[lang] = l
	}
	return out, nil
}

// T is a sentence without variables. A key that does not exist reads as itself:
// a test walks the templates, so none does.
func (l *locale) T(key string) string {
	if s, ok := l.plain[key]; ok {
		return s
	}
	s, err := l.localizer.Localize(&i18n.LocalizeConfig{MessageID: key})
	if err != nil {
		return key
	}
	return s
}

// N is a sentence about a number of things, in the plural that the language
// wants; the sentence writes it as {{.Count}}.
func (l *locale) N(key string, n int) string {
	s, err := l.localizer.Localize(&i18n.LocalizeConfig{
		MessageID: key, PluralCount: n, TemplateData: map[string]any{"Count": l.Number(n)},
	})
	if err != nil {
		return key
	}
	return s
}

// F is a sentence with names in it, given as pairs: "Name", value.
func (l *locale) F(key string, pairs ...any) string {
	data := make(map[string]any, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		data[fmt.Sprint(pairs[i])] = pairs[i+1]
	}
	s, err := l.localizer.Localize(&i18n.LocalizeConfig{MessageID: key, TemplateData: data})
	if err != nil {
		return key
	}
	return s
}

// Has tells whether the language has a sentence of its own for a key.
func (l *locale) Has(key string) bool {
	_, ok := l.plain[key]
	return ok
}

// Number groups thousands: "12 345" with a narrow non-breaking space in French.
func (l *locale) Number(n int) string {
	s := fmt.Sprint(n)
	sep := "\u202f"
	if l.lang == "en" {
		sep = ","
	}
	start := 0
	if strings.HasPrefix(s, "-") {
		start = 1
	}
	for i := len(s) - 3; i > start; i -= 3 {
		s = s[:i] + sep + s[i:]
	}
	return s
}

// Bytes is a size in words: "1,2 Mo", "1.2 MB".
func (l *locale) Bytes(n int64) string {
	unit, point := []string{"octets", "ko", "Mo", "Go", "To"}, ","
	if l.lang == "en" {
		unit, point = []string{"bytes", "kB", "MB", "GB", "TB"}, "."
	}
	if n < 1000 {
		return fmt.Sprintf("%d\u202f%s", n, unit[0])
	}
	f, at := float64(n), 0
	for f >= 999.95 && at < len(unit)-1 {
		f, at = f/1000, at+1
	}
	return strings.Replace(fmt.Sprintf("%.1f\u202f%s", f, unit[at]), ".", point, 1)
}

// Counted is a number that is exact up to a cap: "1 000+".
func (l *locale) Counted(n int, capped bool) string {
	if capped {
		return l.Number(n) + "+"
	}
	return l.Number(n)
}

// negotiate picks the language of a page: the address first (?lang=en), then
// what the browser asks for, else the default. explicit says that the address
// chose: the links of the page then carry it on, since no cookie does.
func negotiate(r *http.Request) (lang string, explicit bool) {
	if l := r.URL.Query().Get("lang"); slices.Contains(languages, l) {
		return l, true
	}
	tags, _, err := language.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	if err != nil {
		return languages[0], false
	}
	for _, t := range tags {
		base, _ := t.Base()
		if slices.Contains(languages, base.String()) {
			return base.String(), false
		}
	}
	return languages[0], false
}
