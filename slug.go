// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import "strings"

// folded maps accented letters and ligatures of European languages to ASCII.
var folded = strings.NewReplacer(
	"à", "a", "â", "a", "ä", "a", "á", "a", "ã", "a", "å", "a", "æ", "ae", "ç", "c", "è", "e", "é", "e", "ê", "e", "ë", "e",
	"ì", "i", "í", "i", "î", "i", "ï", "i", "ñ", "n", "ò", "o", "ó", "o", "ô", "o", "ö", "o", "õ", "o", "ø", "o", "œ", "oe",
	"ù", "u", "ú", "u", "û", "u", "ü", "u", "ý", "y", "ÿ", "y", "ß", "ss", "’", "-", "'", "-", "&", "-et-")

// maxSlug keeps addresses short enough to be read aloud.
const maxSlug = 60

// Slug makes a title into an ASCII path segment: lower case letters, digits and
// single hyphens, cut at a word. Empty when nothing of the title remains.
func Slug(title string) string {
	var b strings.Builder
	hyphen := false
	for _, r := range folded.Replace(strings.ToLower(title)) {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			if hyphen && b.Len() > 0 {
				b.WriteByte('-')
			}
			hyphen = false
			b.WriteRune(r)
			continue
		}
		hyphen = true
	}
	s := b.String()
	if len(s) > maxSlug {
		s = s[:maxSlug+1]
		if i := strings.LastIndexByte(s, '-'); i > maxSlug/2 {
			s = s[:i]
		} else {
			s = s[:maxSlug]
		}
	}
	return strings.Trim(s, "-")
}

// maxUsername is what every Fediverse server accepts.
const maxUsername = 30

// Username makes a name into what follows the @: lower case letters, digits and
// underscores, at most 30, never ending in "_".
func Username(name string) string {
	s := strings.ReplaceAll(Slug(name), "-", "_")
	if len(s) > maxUsername {
		s = s[:maxUsername]
	}
	return strings.Trim(s, "_")
}
