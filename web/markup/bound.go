// SPDX-License-Identifier: AGPL-3.0-or-later

package markup

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Bounds of what keeps its form. The parsers that follow take time and memory
// that grow with the square of what someone sends on purpose: nobody's text
// comes near these numbers, and beyond them only the words are kept.
const (
	maxTags     = 10_000   // tags of a fragment of HTML, closing ones too
	maxMarkdown = 100_000  // bytes of Markdown
	maxNesting  = 100      // quotes and lists that one line of Markdown opens
	maxBrackets = 2000     // links and pictures that a Markdown text opens
	maxHTML     = 64 << 10 // bytes of sanitized HTML that Short lets keep its form
)

// tame drops the attributes that the policy would drop anyway, and comments,
// before anything is parsed: HTML has a parser open again in each paragraph
// every element of form (b, i, font…) that was left open, and as many of a kind
// as differ in their attributes (WHATWG HTML 13.2.4.3). A few hundred of them
// made gigabytes of a fragment that passes every limit of size. It tells false
// when there are too many tags all the same.
func tame(src string) (string, bool) {
	var b strings.Builder
	b.Grow(len(src))
	tags := 0
	z := html.NewTokenizer(strings.NewReader(src))
	for {
		switch kind := z.Next(); kind {
		case html.ErrorToken:
			return b.String(), true
		case html.TextToken:
			b.Write(z.Raw())
		case html.StartTagToken, html.SelfClosingTagToken, html.EndTagToken:
			if tags++; tags > maxTags {
				return "", false
			}
			if kind == html.EndTagToken {
				b.Write(z.Raw())
			} else {
				startTag(&b, z, kind == html.SelfClosingTagToken)
			}
		}
	}
}

// startTag writes a start tag with no attribute but where a link leads and where
// a list starts.
func startTag(b *strings.Builder, z *html.Tokenizer, closed bool) {
	name, more := z.TagName()
	kept := ""
	switch atom.Lookup(name) {
	case atom.A:
		kept = "href"
	case atom.Ol:
		kept = "start"
	}
	b.WriteByte('<')
	b.Write(name)
	for kept != "" && more {
		var key, value []byte
		if key, value, more = z.TagAttr(); string(key) == kept {
			b.WriteString(" " + kept + `="` + html.EscapeString(string(value)) + `"`)
			break
		}
	}
	if closed {
		b.WriteByte('/')
	}
	b.WriteByte('>')
}

// plainHTML is text as HTML: a paragraph a line.
func plainHTML(text string) string {
	return "<p>" + strings.ReplaceAll(html.EscapeString(text), "\n", "</p><p>") + "</p>"
}

// Short is sanitized HTML that is not long: what is longer keeps its words, at
// most so many characters of them, and loses its form. It gives the words too.
func Short(sanitized string, characters int) (fragment, plain string) {
	plain = Plain(sanitized)
	if long := []rune(plain); len(long) > characters {
		plain = string(long[:characters]) + "…"
	} else if len(sanitized) <= maxHTML {
		return sanitized, plain
	}
	return plainHTML(plain), plain
}

// heavy tells whether a Markdown text is made to be slow to read: goldmark takes
// a time that grows with the square of the quotes and lists that a line opens,
// and of the links that a paragraph leaves open.
func heavy(src string) bool {
	if len(src) > maxMarkdown || strings.Count(src, "[") > maxBrackets {
		return true
	}
	for line := range strings.FieldsFuncSeq(src, func(r rune) bool { return r == '\n' || r == '\r' }) {
		if nesting(line) > maxNesting {
			return true
		}
	}
	return false
}

// nesting counts the quotes and lists that a line opens before its words. A ruler
// or a title's underline opens none.
func nesting(line string) int {
	n := 0
	for i := range len(line) {
		c := line[i]
		last := i+1 == len(line) || line[i+1] == ' ' || line[i+1] == '\t'
		switch {
		case c == '>', (c == '-' || c == '+' || c == '*' || c == '.' || c == ')') && last:
			n++
		case (c < '0' || c > '9') && c != ' ' && c != '\t' && c != '-' && c != '+' && c != '*':
			return n
		}
	}
	return n
}
