// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// cut stands in a text for what was cut out of it.
const cut = "…"

// notWords are the fields of a content, by their names in JSON, that hold no
// words: codes, addresses of the Web, what names a row at its source; and the
// contacts themselves, which no one else is shown.
var notWords = map[string]bool{
	"postcode": true, "insee": true, "epci": true, "departement": true, "region": true, "siren": true, "rna": true,
	"url": true, "target": true, "actor": true, "networks": true, "translationOf": true, "mentions": true,
	"derivedFrom": true, "registration": true, "online": true, "key": true, "contacts": true,
}

// CutContacts takes the e-mail addresses and telephone numbers out of all that
// the content says in words, and gives them; see the function of this name.
func (c *Content) CutContacts() []Contact {
	abroad := len(c.Places) > 0 && c.Places[0].Country != "" && c.Places[0].Country != "FR"
	var found []Contact
	eachWord(reflect.ValueOf(c), func(s string) string {
		rest, cut := CutContacts(s, abroad)
		found = append(found, cut...)
		return rest
	})
	return found
}

// eachWord replaces each string below v that is words.
func eachWord(v reflect.Value, f func(string) string) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			eachWord(v.Elem(), f)
		}
	case reflect.Slice:
		for i := range v.Len() {
			eachWord(v.Index(i), f)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			field := v.Type().Field(i)
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			if field.IsExported() && !notWords[name] {
				eachWord(v.Field(i), f)
			}
		}
	case reflect.String:
		if s := v.String(); s != "" {
			if t := f(s); t != s {
				v.SetString(t)
			}
		}
	}
}

// CutContacts gives a text without the e-mail addresses and the telephone
// numbers that are written in it, "…" in place of each, and what was cut, in
// order. Telephone numbers are those of France in all their writings, and those
// of anywhere that begin with "+" or "00"; abroad adds what only looks like one
// where a French text would have a postcode. What is not certain stays: names
// such as "L'Arob@se", accounts of the Fediverse, and numbers that are dates,
// hours, prices, degrees, SIRET, codes or part of a web address.
func CutContacts(s string, abroad bool) (string, []Contact) {
	rest, found := cutOnce(s, abroad)
	if len(found) == 0 {
		return s, nil
	}
	// What stood apart may stand together now.
	rest, more := CutContacts(rest, abroad)
	return rest, append(found, more...)
}

func cutOnce(s string, abroad bool) (string, []Contact) {
	spans := emailSpans(s)
	if countDigits(s) >= 8 {
		for _, p := range phoneSpans(s, abroad) {
			if !slices.ContainsFunc(spans, func(e span) bool { return p.from < e.to && e.from < p.to }) {
				spans = append(spans, p)
			}
		}
	}
	if len(spans) == 0 {
		return s, nil
	}
	slices.SortFunc(spans, func(a, b span) int { return a.from - b.from })
	var b strings.Builder
	found := make([]Contact, len(spans))
	end := 0
	for i, p := range spans {
		found[i] = Contact{Kind: p.kind, Value: strings.TrimSpace(scheme.ReplaceAllString(s[p.from:p.to], ""))}
		if between := s[end:p.from]; i == 0 || strings.Trim(between, " \t/,;|&–-") != "" || len(between) > 6 {
			b.WriteString(between)
			b.WriteString(cut)
		}
		end = p.to
		if after := s[end:]; after == "." || strings.HasPrefix(after, ". ") || strings.HasPrefix(after, ".\n") {
			end++ // "…" ends the sentence
		}
	}
	b.WriteString(s[end:])
	// A link to an address keeps its words.
	return strings.ReplaceAll(linked.ReplaceAllString(b.String(), "$1"), "<"+cut+">", cut), found
}

const dot = `(?:\.| ?[\[({] ?(?i:dot|point|\.) ?[\])}] ?)`

type span struct {
	from, to int
	kind     string
}

var (
	scheme = regexp.MustCompile(`^(?i:mailto|tel):`)
	linked = regexp.MustCompile(`\[([^\[\]]*)\]\(` + cut + `\)`)

	// A dot and an at sign are also written in words, in brackets so that no
	// sentence is taken for an address; a space slips in after the sign.
	address = regexp.MustCompile(`(?i:mailto:)?[\p{L}\p{N}_][\p{L}\p{N}._%+-]*` +
		`(?:[@＠] ?| ?[\[({<] ?(?i:at|arobase?|arrobase|@) ?[\])}>] ?)` +
		`(?:(?:[\p{Ll}\p{N}][\p{Ll}\p{N}-]*` + dot + `)+\p{Ll}{2,24}|(?:[\p{L}\p{N}][\p{L}\p{N}-]*` + dot + `)+\p{L}{2,24})`)
	// One whose domain was broken by a space: "a@ville-sainte marie.re".
	broken = regexp.MustCompile(`[\p{L}\p{N}_][\p{L}\p{N}._%+-]*@[\p{L}\p{N}]+-[\p{L}\p{N}-]+ \p{Ll}[\p{L}\p{N}-]*\.\p{Ll}{2,6}\b`)
)

func emailSpans(s string) (spans []span) {
	if !strings.ContainsAny(s, "@＠[({<") {
		return nil
	}
	for _, expression := range []*regexp.Regexp{broken, address} {
		for _, m := range expression.FindAllStringIndex(s, -1) {
			if !isAddress(s, m[0]) || slices.ContainsFunc(spans, func(p span) bool { return m[0] < p.to && p.from < m[1] }) {
				continue
			}
			spans = append(spans, span{m[0], m[1], "email"})
		}
	}
	return spans
}

// isAddress tells an address from an account of the Fediverse (@a@b.example) and
// from the path of a web address.
func isAddress(s string, from int) bool {
	before := s[:from]
	if strings.HasSuffix(before, "@") {
		return false
	}
	return !inURL(before) || strings.HasSuffix(before, "://") || strings.HasSuffix(before, "=") || strings.HasSuffix(before, ":")
}

// inURL tells whether what follows a text continues a web address.
func inURL(before string) bool {
	word := before[strings.LastIndexAny(before, " \t\n\r\u00a0<>\"()")+1:]
	return strings.Contains(word, "://") || strings.HasPrefix(strings.ToLower(word), "www.")
}

func countDigits(s string) (n int) {
	for i := range len(s) {
		if s[i] >= '0' && s[i] <= '9' {
			n++
		}
	}
	return n
}

const (
	// gap is what may stand between two groups of a number, needed what must
	// where the groups alone would not tell it.
	gap    = `[ \t\x{A0}\x{2009}\x{202F}./·_–‑-]{0,3}`
	needed = `[ \x{A0}\x{202F}.-]`
)

// The writings of telephone numbers. Alternatives are tried in this order.
var (
	phone = regexp.MustCompile(`(?i:tel:)?(?:` +
		// +33 2 98 00 00 00, 0033 (0)2…, (+33) 02…
		`(?:\(?\+ ?\(?|\(?00 ?)33\)?` + gap + `(?:\(0\)` + gap + `|0)?[1-9](?:` + gap + `\d\d){4}` +
		// +44 (0) 20 7250 1239, 0039 389 0190267
		`|(?:\(?\+ ?|\(?00)[1-9]\d{0,2}\)?` + gap + `(?:\(0\)` + gap + `)?\d(?:[ \x{A0}./()–-]{0,3}\d){5,11}` +
		// 02 98 00 00 00, 0298000000, (0)2…, (02) 98…
		`|(?:0[1-9]|\(0\)` + gap + `[1-9]|\(0[1-9]\))(?:` + gap + `\d\d){4}` +
		// 0 800 12 34 56, 0 800 123 456
		`|0` + needed + `[1-9]\d\d` + needed + `(?:\d\d` + needed + `\d\d` + needed + `\d\d|\d{3}` + needed + `\d{3})` +
		// 0805 290 440, 02 98 000 000
		`|0[1-9]\d\d` + needed + `\d{3}` + needed + `\d{3}|0[1-9]` + needed + `\d\d` + needed + `\d{3}` + needed + `\d{3}` +
		`)`)
	phoneAbroad = regexp.MustCompile(`\(?0[1-9]\d{0,4}\)?[ /-]{1,3}\d{2,8}(?:[ /-]\d{2,8}){0,3}`)
	// A spreadsheet took the number for an amount; nothing else is in the text.
	withoutZero = regexp.MustCompile(`^\s*[1-79]\d{8}\s*$`)
)

func phoneSpans(s string, abroad bool) (spans []span) {
	if withoutZero.MatchString(s) {
		return []span{{0, len(s), "phone"}}
	}
	expressions := []*regexp.Regexp{phone}
	if abroad {
		expressions = append(expressions, phoneAbroad)
	}
	for _, expression := range expressions {
		for from := 0; from < len(s); {
			m := expression.FindStringIndex(s[from:])
			if m == nil {
				break
			}
			at, end := from+m[0], from+m[1]
			if n := s[at:end]; n[0] == '(' && strings.Count(n, "(") > strings.Count(n, ")") {
				at++
			}
			follows := len(spans) > 0 && spans[len(spans)-1].to > at-4
			switch when := timeIn(s[at:end]); {
			case slices.ContainsFunc(spans, func(p span) bool { return at < p.to && p.from < end }):
				from = end
			case when > 0:
				from = at + when
			case isPhone(s, at, end, follows):
				spans = append(spans, span{at, end, "phone"})
				from = end
			default:
				_, size := utf8.DecodeRuneInString(s[at:])
				from = at + size
			}
		}
	}
	return spans
}

// isPhone decides on what is written like a telephone number; follows says that
// it comes right after another.
func isPhone(s string, from, to int, follows bool) bool {
	number, before := s[from:to], s[:from]
	if next, _ := utf8.DecodeRuneInString(s[to:]); unicode.IsDigit(next) || inURL(before) {
		return false
	}
	prev, size := utf8.DecodeLastRuneInString(before)
	switch {
	case unicode.IsDigit(prev):
		return false
	case unicode.IsUpper(prev) && !called.MatchString(before[max(0, len(before)-6):]):
		return false // a reference: FR0298000000
	case (prev == '.' || prev == ',') && !follows && isDigit(before[:len(before)-size]) && countDigits(number) == len(number):
		return false // decimals
	}
	digits := countDigits(number)
	if strings.Contains(number, "+") {
		return digits >= 9 && (digits >= 11 || !thousands.MatchString(number))
	}
	if strings.HasPrefix(strings.TrimLeft(number, "("), "00") {
		// The end of a SIRET written in groups is no prefix.
		return digits >= 11 && (follows || !unicode.IsSpace(prev) || !isDigit(before[:len(before)-size]))
	}
	return digits >= 9
}

var (
	called    = regexp.MustCompile(`(?:TEL|TÉL|FAX|MOB|GSM|PORT)$`)
	thousands = regexp.MustCompile(`^\(?\+ ?\d{1,3}(?:[ .]\d{3})+$`)
	fullDate  = regexp.MustCompile(`^(\d\d)[./ -](\d\d)[./ -](?:19|20)\d\d`)
	pairs     = regexp.MustCompile(`^(\d\d)(\D*)(\d\d)(\D*)(\d\d)(\D*)(\d\d)(\D*)(\d\d)$`)
)

func isDigit(before string) bool {
	r, _ := utf8.DecodeLastRuneInString(before)
	return unicode.IsDigit(r)
}

// timeIn is how much of a number is a date or hours, which are pairs of digits
// too: 01/02/2023 14, 08.30-12.00 13, 01/02/23 09.30; or degrees: 02.98000000.
func timeIn(number string) int {
	if m := fullDate.FindStringSubmatch(number); m != nil && m[1] <= "31" && m[2] <= "12" && m[2] != "00" {
		return len(m[0])
	}
	m := pairs.FindStringSubmatch(number)
	if m == nil {
		return 0
	}
	a, b, c, d, e := m[1], m[3], m[5], m[7], m[9]
	s1, s2, s3, s4 := m[2], m[4], m[6], m[8]
	switch {
	case s1 == "." && s2+s3+s4 == "":
		return len(number)
	case s1 == s3 && s1 != s2 && s1 != "" && s1 != " " && a <= "31" && c <= "31" && b <= "59" && d <= "59":
		return len(number) - len(s4+e)
	case s1 == s2 && s1 != "" && strings.Contains(s3, " ") && s3 != s1 && s4 != s3 && a <= "31" && b <= "12" && d <= "24" && e <= "59":
		return len(number)
	}
	return 0
}
