// SPDX-License-Identifier: AGPL-3.0-or-later

package french

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// letters that do not decompose into a base letter and a mark, and what
// French readers type in their place.
var ligatures = map[rune]string{
	'œ': "oe", 'æ': "ae", 'ß': "ss", 'ẞ': "ss", 'ø': "o", 'ł': "l", 'đ': "d",
	'ð': "d", 'þ': "th", 'ħ': "h", 'ŧ': "t", 'ı': "i", 'ŋ': "ng", 'ĸ': "k",
}

// Fold returns text in lower case, without accents, with ligatures spelt out
// and every apostrophe written as '. Marks of scripts in which they are
// letters (Devanagari, Thai) stay. Fold(Fold(s)) == Fold(s), and the composed
// and decomposed forms of a text fold to the same string.
func Fold(text string) string {
	if plain(text) {
		return text
	}
	var b strings.Builder
	b.Grow(len(text))
	// A second pass is needed by the few capitals whose lower case decomposes.
	for range 2 {
		b.Reset()
		for _, r := range norm.NFKD.String(strings.ToValidUTF8(text, "\uFFFD")) {
			r = unicode.ToLower(r)
			switch {
			case r >= 0x300 && r <= 0x36F: // combining accents
			case r == '\u00AD' || r == '\u200D' || r == '\u200C' || r == '\uFEFF': // invisible
			case apostrophe(r):
				b.WriteByte('\'')
			case r < utf8.RuneSelf:
				b.WriteRune(r)
			default:
				if s, ok := ligatures[r]; ok {
					b.WriteString(s)
				} else {
					b.WriteRune(r)
				}
			}
		}
		text = b.String()
		if plain(text) {
			return text
		}
	}
	return norm.NFC.String(text)
}

// plain tells whether Fold would leave text as it is, without looking further
// than ASCII.
func plain(text string) bool {
	for i := range len(text) {
		if c := text[i]; c >= utf8.RuneSelf || c >= 'A' && c <= 'Z' || c == '`' {
			return false
		}
	}
	return true
}

func apostrophe(r rune) bool {
	switch r {
	case '\'', '`', '\u2018', '\u2019', '\u201B', '\u02BC', '\u02B9', '\u2032', '\u00B4', '\uFF07',
		'\u0374', '\u1FEF', '\u1FFD': // Greek ones that are composed as ʹ ` ´
		return true
	}
	return false
}

// wordRune tells whether r is part of a word. Apostrophes are handled apart,
// even those that Unicode counts as letters.
func wordRune(r rune) bool {
	if r < utf8.RuneSelf {
		return r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z'
	}
	if apostrophe(r) {
		return false
	}
	return unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r) || r == '\u00AD' || r == '\u200D' || r == '\u200C'
}
