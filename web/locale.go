// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"cmp"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"math"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"

	"essaim"
)

//go:embed locale/*.json
var localeFiles embed.FS

// defaultLanguage is that of who asks for none of those that there are, and what
// another language lacks is said in it.
const defaultLanguage = "fr"

// locale says things in one language. It is safe for concurrent use.
type locale struct {
	lang      string
	localizer *i18n.Localizer
	// plain holds the sentences without number or name, which are most of them,
	// patterns those with names.
	plain, patterns map[string]string
	fallback        *locale // nil for the default language
	calendar        calendar
	zone            *time.Location
	gazetteer       *essaim.Gazetteer
	themes          *concepts
}

// newLocales reads the files of all languages, and lists these, the default first. A
// language is a file: its name is a BCP 47 tag.
func newLocales(files fs.FS, zone *time.Location, g *essaim.Gazetteer) (map[string]*locale, []string, error) {
	names, err := fs.Glob(files, "locale/*.json")
	if err != nil {
		return nil, nil, err
	}
	var languages []string
	for _, name := range names {
		if lang := strings.TrimSuffix(path.Base(name), ".json"); lang != defaultLanguage {
			languages = append(languages, lang)
		}
	}
	languages = append([]string{defaultLanguage}, languages...)
	out := map[string]*locale{}
	for _, lang := range languages {
		l, err := newLocale(files, lang)
		if err != nil {
			return nil, nil, fmt.Errorf("locale %s: %w", lang, err)
		}
		l.zone, l.gazetteer, l.fallback = zone, g, out[defaultLanguage]
		if l.calendar, err = newCalendar(l); err != nil {
			return nil, nil, fmt.Errorf("locale %s: %w", lang, err)
		}
		out[lang] = l
	}
	return out, languages, nil
}

func newLocale(files fs.FS, lang string) (*locale, error) {
	body, err := fs.ReadFile(files, path.Join("locale", lang+".json"))
	if err != nil {
		return nil, err
	}
	// A language of whose plurals Unicode says nothing names one that has the same.
	var like struct {
		Plural string `json:"language.plural"`
	}
	if err := json.Unmarshal(body, &like); err != nil {
		return nil, err
	}
	tag, err := language.Parse(cmp.Or(like.Plural, lang))
	if err != nil {
		return nil, err
	}
	bundle := i18n.NewBundle(tag)
	// Files are written with plain spaces and apostrophes, as keyboards have them.
	file, err := bundle.ParseMessageFileBytes([]byte(typo(string(body), lang)), tag.String()+".json")
	if err != nil {
		return nil, err
	}
	l := &locale{lang: lang, localizer: i18n.NewLocalizer(bundle, tag.String()), plain: map[string]string{}, patterns: map[string]string{}}
	for _, m := range file.Messages {
		switch {
		case m.One != "":
		case strings.Contains(m.Other, "{{"):
			l.patterns[m.ID] = m.Other
		default:
			l.plain[m.ID] = m.Other
		}
	}
	return l, nil
}

// T is a sentence without variables. A key that does not exist reads as itself:
// a test walks the templates, so none does.
func (l *locale) T(key string) string {
	if s, ok := l.plain[key]; ok {
		return s
	}
	if l.fallback != nil {
		return l.fallback.T(key)
	}
	s, err := l.localizer.Localize(&i18n.LocalizeConfig{MessageID: key})
	if err != nil {
		return key
	}
	return s
}

// own is what the language's file has under a key, for what others have elsewhere: the
// vocabulary of the root package is in French and English.
func (l *locale) own(key, otherwise string) string {
	if s, ok := l.plain[key]; ok {
		return s
	}
	return typo(otherwise, l.lang)
}

// N is a sentence about a number of things, in the plural that the language
// wants; the sentence writes it as {{.Count}}, and names as F does.
func (l *locale) N(key string, n int, pairs ...any) string {
	data := paired(pairs)
	data["Count"] = l.Number(n)
	s, err := l.localizer.Localize(&i18n.LocalizeConfig{MessageID: key, PluralCount: n, TemplateData: data})
	switch {
	case err != nil && l.fallback != nil:
		return l.fallback.N(key, n, pairs...)
	case err != nil:
		return key
	}
	return s
}

func paired(pairs []any) map[string]any {
	data := make(map[string]any, len(pairs)/2+1)
	for i := 0; i+1 < len(pairs); i += 2 {
		data[fmt.Sprint(pairs[i])] = pairs[i+1]
	}
	return data
}

// F is a sentence with names in it, given as pairs: "Name", value.
func (l *locale) F(key string, pairs ...any) string {
	data := paired(pairs)
	s, err := l.localizer.Localize(&i18n.LocalizeConfig{MessageID: key, TemplateData: data})
	switch {
	case err != nil && l.fallback != nil:
		return l.fallback.F(key, pairs...)
	case err != nil:
		return key
	}
	for _, name := range []string{"Territory", "Here", "Commune", "Place"} {
		if place, ok := data[name].(string); ok && l.lang == defaultLanguage {
			s = contracted(s, place)
		}
	}
	return s
}

// contracted joins « à » and « de » in a French sentence to the article of a place, or to
// its first vowel: « au Havre », « des Ulis », « d’Angers ».
func contracted(sentence, place string) string {
	first, rest, _ := strings.Cut(place, " ")
	letter, _ := utf8.DecodeRuneInString(place)
	var to [3]string
	switch {
	case first == "Le" && rest != "":
		to = [3]string{"au ", "Au ", "du "}
	case first == "Les" && rest != "":
		to = [3]string{"aux ", "Aux ", "des "}
	case strings.ContainsRune("AEIOUÀÂÉÈÊÎÔÛŒ", letter):
		return strings.ReplaceAll(sentence, " de "+place, " d’"+place)
	default:
		return sentence
	}
	return strings.NewReplacer(" à "+place, " "+to[0]+rest, "À "+place, to[1]+rest, " de "+place, " "+to[2]+rest).Replace(sentence)
}

// Has tells whether the language has a sentence of its own for a key.
func (l *locale) Has(key string) bool {
	_, ok := l.plain[key]
	return ok
}

// Number groups thousands: "12 345" with a narrow non-breaking space in French.
func (l *locale) Number(n int) string {
	s, sep := fmt.Sprint(n), l.T("number.group")
	start := 0
	if strings.HasPrefix(s, "-") {
		start = 1
	}
	for i := len(s) - 3; i > start; i -= 3 {
		s = s[:i] + sep + s[i:]
	}
	return s
}

// Kilometres is a distance in words: "0,5 km", "3 km", "1 234 km". Below ten it has a
// decimal where there is one, and what is not nothing is not told as nothing.
func (l *locale) Kilometres(d float64) string {
	n := l.Number(int(math.Round(d)))
	if tenths := math.Round(d * 10); d > 0 && tenths < 100 {
		n = strings.Replace(strconv.FormatFloat(max(tenths, 1)/10, 'f', -1, 64), ".", l.T("number.point"), 1)
	}
	return strings.Replace(l.pattern("distance.km"), "{{.Km}}", n, 1)
}

// Bytes is a size in words: "1,2 Mo", "1.2 MB".
func (l *locale) Bytes(n int64) string {
	unit, point := l.calendar.sizes, l.T("number.point")
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

// offer makes the matcher of the languages that there are, in their order: "pt-BR" is
// for who asks for "pt" too.
func offer(languages []string) language.Matcher {
	tags := make([]language.Tag, len(languages))
	for i, lang := range languages {
		tags[i] = language.Make(lang)
	}
	return language.NewMatcher(tags)
}

// negotiate picks the language of a page: the address first (?lang=en), then
// what the browser asks for, else the default. explicit says that the address
// chose: the links of the page then carry it on, since no cookie does.
func (s *Server) negotiate(r *http.Request) (lang string, explicit bool) {
	if l := r.URL.Query().Get("lang"); slices.Contains(s.languages, l) {
		return l, true
	}
	tags, _, err := language.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	if err != nil {
		return defaultLanguage, false
	}
	for _, t := range tags { // in her order: no language of ours stands for another, as French would for Breton
		_, i, _ := s.offered.Match(t)
		wanted, _ := t.Base()
		if has, _ := language.Make(s.languages[i]).Base(); has == wanted {
			return s.languages[i], false
		}
	}
	return defaultLanguage, false
}
