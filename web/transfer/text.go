// SPDX-License-Identifier: AGPL-3.0-or-later

package transfer

import (
	"html"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"
)

// Clean mends a value of a file written elsewhere: HTML entities, text read in
// the wrong encoding where that is certain, decomposed accents, control
// characters, spaces around. Cleaning twice changes nothing more.
func Clean(s string) string {
	if plain(s) {
		return strings.TrimSpace(s)
	}
	for range 100 { // each turn mends one layer; files have two at most
		t := cleanOnce(s)
		if t == s {
			break
		}
		s = t
	}
	return s
}

// plain says that a value is printable ASCII without entity: the usual case.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '&' {
			return false
		}
	}
	return true
}

func cleanOnce(s string) string {
	if strings.Contains(s, "&") {
		s = html.UnescapeString(s)
	}
	s = mendMojibake(strings.ToValidUTF8(s, "\uFFFD"))
	if !norm.NFC.IsNormalString(s) {
		s = norm.NFC.String(s)
	}
	s = strings.ReplaceAll(s, "\r\n", "\n")
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\r':
			return '\n'
		case r == '\n' || r == '\t':
			return r
		case unicode.IsControl(r), r == '\uFEFF', r == '\u200B':
			return -1
		}
		return r
	}, s)
	return strings.TrimSpace(s)
}

// mendMojibake gives back text whose UTF-8 bytes were once read as Windows-1252
// ("Ã©" for "é"). It is certain only when the whole value turns into valid UTF-8
// and when one pair at least is no plausible writing of its own.
func mendMojibake(s string) string {
	if !strings.ContainsAny(s, "ÃÂâÅÄÐÑ") {
		return s
	}
	raw := make([]byte, 0, len(s))
	for _, r := range s {
		b, ok := windows1252Byte(r)
		if !ok {
			return s
		}
		raw = append(raw, b)
	}
	if !utf8.Valid(raw) {
		return s
	}
	mended := string(raw)
	if mended == s || !certainPair(s) {
		return s
	}
	return mended
}

// windows1252Byte gives the byte that Windows-1252 reads as r. The five bytes
// that it leaves undefined are passed as control characters by most readers.
func windows1252Byte(r rune) (byte, bool) {
	if b, ok := charmap.Windows1252.EncodeRune(r); ok {
		return b, true
	}
	if r < 0x100 {
		return byte(r), true
	}
	return 0, false
}

// certainPair finds a lead letter followed by a sign that does not follow a
// letter in any language: "Ã©", "Â°" would do, "Ã »" or "Ã " may be Portuguese.
func certainPair(s string) bool {
	prev := rune(0)
	for _, r := range s {
		lead := prev >= 0xC2 && prev <= 0xF4
		if lead && !unicode.IsLetter(r) && !unicode.IsSpace(r) && !strings.ContainsRune("«»‘’“”‚„‹›–—…·.´", r) {
			b, ok := windows1252Byte(r)
			if ok && b >= 0x80 && b <= 0xBF {
				return true
			}
		}
		prev = r
	}
	return false
}

// nothings are the words that files write for "not known", in lower case.
var nothings = map[string]bool{
	"non renseigné": true, "non renseignée": true, "non renseigne": true, "non communiqué": true,
	"#n/a": true, "#n/d": true, "n/a": true, "null": true, "(null)": true, "none": true, "nan": true,
	"undefined": true, "inconnu": true, "inconnue": true, "-": true, "--": true, "–": true, "—": true, "?": true,
}

// isNothing says that a cleaned value stands for no value.
func isNothing(v string) bool {
	return len(v) <= 20 && nothings[strings.ToLower(v)]
}

// isBroken says that a value is the trace of a formula that lost its target.
func isBroken(v string) bool {
	if !strings.HasPrefix(v, "#") {
		return false
	}
	u := strings.ToUpper(v)
	for _, p := range []string{"#INVALID REF", "#REF!", "#VALUE!", "#VALEUR!", "#NAME?", "#NOM?", "#DIV/0!", "#NUM!", "#NOMBRE!", "#NULL!", "#NUL!"} {
		if strings.HasPrefix(u, p) {
			return true
		}
	}
	return false
}

// Fold gives the form under which words are compared: no accents, lower case,
// one space for anything that is neither letter nor digit.
func Fold(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	space := false
	put := func(t string) {
		if space && b.Len() > 0 {
			b.WriteByte(' ')
		}
		space = false
		b.WriteString(t)
	}
	for _, r := range norm.NFD.String(s) {
		switch {
		case unicode.Is(unicode.Mn, r):
		case r == 'œ' || r == 'Œ':
			put("oe")
		case r == 'æ' || r == 'Æ':
			put("ae")
		case unicode.IsLetter(r), unicode.IsDigit(r):
			put(string(unicode.ToLower(r)))
		default:
			space = true
		}
	}
	return b.String()
}
