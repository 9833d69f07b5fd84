// SPDX-License-Identifier: AGPL-3.0-or-later

package fedtest

import (
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// Mastodon's allow-list (interop.md 1.6): what is not in it loses its tags
// there, so it must not carry meaning.
var (
	allowedElements = strings.Fields("p br span a del s pre blockquote code b strong u i em ul ol li ruby rt rp")
	allowedAttrs    = map[string][]string{
		"a": {"href", "rel", "class", "translate"}, "span": {"class", "translate"}, "ol": {"start", "reversed"}, "li": {"value"}, "p": {"class"},
	}
	allowedClasses = []string{"mention", "hashtag", "ellipsis", "invisible", "quote-inline"}
	allowedSchemes = []string{"http", "https"}
)

// lintHTML calls bad for each thing that Mastodon would take away, and for
// tags that are not closed in order.
func lintHTML(src string, bad func(string)) {
	z := html.NewTokenizer(strings.NewReader(src))
	var open []string
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			break
		}
		t := z.Token()
		switch kind {
		case html.StartTagToken, html.SelfClosingTagToken:
			lintTag(t, bad)
			if t.Data != "br" {
				open = append(open, t.Data)
			}
		case html.EndTagToken:
			if len(open) == 0 || open[len(open)-1] != t.Data {
				bad("</" + t.Data + "> closes nothing")
				continue
			}
			open = open[:len(open)-1]
		case html.CommentToken, html.DoctypeToken:
			bad("a comment or a doctype")
		}
	}
	if len(open) > 0 {
		bad("<" + strings.Join(open, "><") + "> is not closed")
	}
}

func lintTag(t html.Token, bad func(string)) {
	if !slices.Contains(allowedElements, t.Data) {
		bad("<" + t.Data + ">")
		return
	}
	for _, a := range t.Attr {
		switch {
		case a.Key == "lang":
		case !slices.Contains(allowedAttrs[t.Data], a.Key):
			bad(a.Key + " on <" + t.Data + ">")
		case a.Key == "class":
			for _, c := range strings.Fields(a.Val) {
				short, _, _ := strings.Cut(c, "-")
				if !slices.Contains(allowedClasses, c) && !slices.Contains([]string{"h", "p", "u", "dt", "e"}, short) {
					bad("class " + c)
				}
			}
		case a.Key == "href":
			if u, err := url.Parse(a.Val); err != nil || !slices.Contains(allowedSchemes, u.Scheme) || u.Host == "" {
				bad("link to " + a.Val)
			}
		}
	}
}

// plain is the text of HTML, as a length is counted.
func plain(src string) string {
	z := html.NewTokenizer(strings.NewReader(src))
	var b strings.Builder
	for {
		switch z.Next() {
		case html.ErrorToken:
			return b.String()
		case html.TextToken:
			b.Write(z.Text())
		}
	}
}
