// SPDX-License-Identifier: AGPL-3.0-or-later

package markup

import "strings"

// The spaces of French typography (Lexique des règles typographiques en usage
// à l'Imprimerie nationale): narrow before ; ! ?, full before : and inside « ».
const (
	nbsp       = "\u00a0"
	narrowNBSP = "\u202f"
)

var french = strings.NewReplacer(
	" ;", narrowNBSP+";",
	" !", narrowNBSP+"!",
	" ?", narrowNBSP+"?",
	" :", nbsp+":",
	" »", nbsp+"»",
	"« ", "«"+nbsp,
	" %", nbsp+"%",
	" €", nbsp+"€",
	"...", "…",
)

// Typography sets the spaces and apostrophes of a sanitized fragment as its
// language wants them: a French colon, question or quotation mark never
// begins or ends a line alone. Tags, code and languages other than French are
// left as they are. It adds no tag.
func Typography(fragment, lang string) string {
	if lang != "" && lang != "fr" && !strings.HasPrefix(lang, "fr-") {
		return fragment
	}
	var b strings.Builder
	b.Grow(len(fragment) + 16)
	code := 0
	for fragment != "" {
		open := strings.IndexByte(fragment, '<')
		if open < 0 {
			open = len(fragment)
		}
		if code == 0 {
			// The renderer writes an apostrophe as an entity; both mean the same.
			b.WriteString(FrenchText(strings.ReplaceAll(fragment[:open], "&#39;", "'")))
		} else {
			b.WriteString(fragment[:open])
		}
		fragment = fragment[open:]
		end := strings.IndexByte(fragment, '>')
		if end < 0 {
			b.WriteString(fragment)
			break
		}
		tag := fragment[:end+1]
		switch {
		case tag == "<code>" || tag == "<pre>":
			code++
		case (tag == "</code>" || tag == "</pre>") && code > 0:
			code--
		}
		b.WriteString(tag)
		fragment = fragment[end+1:]
	}
	return b.String()
}

// FrenchText sets the spaces and apostrophes of French plain text.
func FrenchText(s string) string {
	s = french.Replace(s)
	if !strings.Contains(s, "'") {
		return s
	}
	return apostrophes(s)
}

// apostrophes curls an apostrophe between two letters, and no other: feet,
// minutes and quotations in other languages keep theirs.
func apostrophes(s string) string {
	var b strings.Builder
	b.Grow(len(s) + 8)
	rs := []rune(s)
	for i, r := range rs {
		switch {
		case r != '\'':
			b.WriteRune(r)
		case i > 0 && i < len(rs)-1 && letter(rs[i-1]) && letter(rs[i+1]):
			b.WriteRune('’')
		default:
			b.WriteRune('\'')
		}
	}
	return b.String()
}

func letter(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= 'À' && r <= 'ſ'
}
