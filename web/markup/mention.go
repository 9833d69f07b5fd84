// SPDX-License-Identifier: AGPL-3.0-or-later

package markup

import (
	"html/template"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"essaim"
)

// WithMentions makes a link of each handle in a sanitized fragment whose actor
// is known, in the form that Mastodon keeps (class mention). Links and code
// stay as they are.
func WithMentions(fragment string, mentions []essaim.Mention) string {
	if len(mentions) == 0 {
		return fragment
	}
	var b strings.Builder
	z := html.NewTokenizer(strings.NewReader(fragment))
	still := 0 // inside what stays as it is
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			return b.String()
		}
		raw := string(z.Raw())
		t := z.Token()
		switch apart := t.DataAtom == atom.A || t.DataAtom == atom.Code || t.DataAtom == atom.Pre; {
		case kind == html.StartTagToken && apart:
			still++
		case kind == html.EndTagToken && apart && still > 0:
			still--
		}
		if kind != html.TextToken || still > 0 {
			b.WriteString(raw)
			continue
		}
		mention(&b, t.Data, mentions)
	}
}

func mention(b *strings.Builder, text string, mentions []essaim.Mention) {
	from := 0
	for _, at := range essaim.FindHandles(text) {
		m, ok := essaim.Mentioned(mentions, text[at[0]:at[1]])
		if !ok {
			continue
		}
		b.WriteString(html.EscapeString(text[from:at[0]]))
		b.WriteString(`<a href="` + html.EscapeString(m.Actor) + `" class="mention" rel="` + rel + `">` + html.EscapeString(text[at[0]:at[1]]) + `</a>`)
		from = at[1]
	}
	b.WriteString(html.EscapeString(text[from:]))
}

// PageWith is Page with links to those whom the text names.
func PageWith(src, lang string, mentions []essaim.Mention) template.HTML {
	return template.HTML(Typography(WithMentions(Markdown(src), mentions), lang)) //nolint:gosec // Markdown ends in Sanitize; WithMentions escapes what it adds.
}
