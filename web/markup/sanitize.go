// SPDX-License-Identifier: AGPL-3.0-or-later

package markup

import (
	"net/url"
	"regexp"
	"strings"

	"essaim"

	"github.com/microcosm-cc/bluemonday"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
	"golang.org/x/net/publicsuffix"
)

// rel is the relation that every link carries.
const rel = "nofollow noopener"

// policy is the allow-list. A policy does not change once made, and may be
// used by several goroutines.
var policy = newPolicy()

func newPolicy() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "br", "strong", "em", "del", "ul", "ol", "li", "blockquote", "code", "pre")
	p.AllowAttrs("href").OnElements("a")
	p.AllowAttrs("rel").Matching(regexp.MustCompile(`^` + rel + `$`)).OnElements("a")
	p.AllowAttrs("start").Matching(regexp.MustCompile(`^[0-9]{1,6}$`)).OnElements("ol")
	p.AllowURLSchemes("http", "https")
	p.AllowRelativeURLs(false)
	p.RequireParseableURLs(true)
	return p
}

// maxPasses bounds the search for a fragment that parsing leaves as it is.
const maxPasses = 6

// Sanitize keeps of a fragment of HTML the elements p, br, a, strong, em,
// del, ul, ol, li, blockquote, code and pre, and of their attributes the
// address of a link (http and https only) and the start of a list. Headings
// become bold paragraphs, b becomes strong, i becomes em. What is not allowed
// loses its tags and keeps its text, but for scripts, styles and the like.
// The result is well formed: it closes what it opens and nothing else, so it
// cannot disturb the page around it. Sanitizing twice changes nothing more.
func Sanitize(src string) string {
	out, ok := tame(src)
	for range maxPasses {
		if !ok {
			break
		}
		var next string
		next, ok = pass(out)
		if !ok {
			break
		}
		if next == out {
			return out
		}
		out = next
	}
	// Nothing that people write comes here: nested beyond the parser's limit, of
	// too many tags, or shaped so that each reading differs from the one before.
	return plainHTML(Plain(src))
}

// pass parses, renames and applies the policy once.
func pass(src string) (string, bool) {
	nodes, err := html.ParseFragment(strings.NewReader(src), &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div})
	if err != nil {
		return "", false
	}
	var b strings.Builder
	for _, n := range nodes {
		rewrite(n)
		if err := html.Render(&b, n); err != nil {
			return "", false
		}
	}
	return strings.TrimSpace(policy.Sanitize(b.String())), true
}

// rewrite gives a tree the elements of the allow-list that mean the same.
func rewrite(n *html.Node) {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		rewrite(c)
	}
	if n.Type != html.ElementNode {
		return
	}
	switch n.DataAtom {
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		rename(n, atom.P)
		wrap(n, atom.Strong)
	case atom.B:
		rename(n, atom.Strong)
	case atom.I:
		rename(n, atom.Em)
	case atom.S, atom.Strike:
		rename(n, atom.Del)
	case atom.A:
		link(n)
	}
}

func rename(n *html.Node, a atom.Atom) {
	n.DataAtom, n.Data, n.Attr = a, a.String(), nil
}

// wrap puts all that n holds into a new element.
func wrap(n *html.Node, a atom.Atom) {
	inner := &html.Node{Type: html.ElementNode, DataAtom: a, Data: a.String()}
	for c := n.FirstChild; c != nil; c = n.FirstChild {
		n.RemoveChild(c)
		inner.AppendChild(c)
	}
	n.AppendChild(inner)
}

// link keeps the address of a link when it leads to the web, and nothing else
// of it; without an address the policy drops the element and keeps its text.
func link(n *html.Node) {
	var href string
	for _, a := range n.Attr {
		if a.Key == "href" && a.Namespace == "" {
			href = strings.TrimSpace(a.Val)
			break
		}
	}
	n.Attr = nil
	u, err := url.Parse(href)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return
	}
	u.User = nil // nobody needs it, and it passes for the host
	n.Attr = []html.Attribute{{Key: "href", Val: u.String()}, {Key: "rel", Val: rel}}
	tellHost(n, u)
}

// address is a text that reads as where its link leads.
var address = regexp.MustCompile(`^(?i:https?://)?((?:[\pL\pN-]+\.)+\pL{2,})(?:[/?#:].*)?$`)

// tellHost adds the host of a link whose text names another, as it is written for
// machines: « brest.fr » that leads to evil.example reads « brest.fr (evil.example) ».
func tellHost(n *html.Node, u *url.URL) {
	text := strings.TrimSpace(textOf(n))
	named := address.FindStringSubmatch(text)
	if named == nil {
		return
	}
	if _, real := publicsuffix.PublicSuffix(strings.ToLower(named[1])); !real && strings.HasSuffix(u.Path, "/"+text) {
		return // a file has a dot too, and ends in no domain
	}
	host := strings.ToLower(u.Hostname())
	if iri, err := essaim.ParseIRI("https://" + host + "/"); err == nil {
		host = iri.Host()
	}
	if strings.TrimPrefix(strings.ToLower(named[1]), "www.") == strings.TrimPrefix(host, "www.") || strings.HasSuffix(text, " ("+host+")") {
		return
	}
	n.AppendChild(&html.Node{Type: html.TextNode, Data: " (" + host + ")"})
}

// textOf is the text of an element.
func textOf(n *html.Node) string {
	if n.Type == html.TextNode {
		return n.Data
	}
	var b strings.Builder
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		b.WriteString(textOf(c))
	}
	return b.String()
}

// blocks end a line of plain text.
var blocks = map[atom.Atom]bool{
	atom.P: true, atom.Br: true, atom.Li: true, atom.Blockquote: true, atom.Pre: true, atom.Div: true,
	atom.H1: true, atom.H2: true, atom.H3: true, atom.H4: true, atom.H5: true, atom.H6: true, atom.Tr: true,
}

// unseen elements hold no text for a reader.
var unseen = map[atom.Atom]bool{
	atom.Script: true, atom.Style: true, atom.Template: true, atom.Iframe: true,
	atom.Noscript: true, atom.Textarea: true, atom.Title: true, atom.Object: true, atom.Noembed: true, atom.Noframes: true, atom.Xmp: true,
}

// Plain gives the text of a fragment of HTML, one line a paragraph, without
// tags or entities. The result is text, not HTML: escape it to show it.
func Plain(src string) string {
	z := html.NewTokenizer(strings.NewReader(src))
	var b strings.Builder
	skip := atom.Atom(0)
	for {
		switch z.Next() {
		case html.ErrorToken:
			return tidyLines(b.String())
		case html.TextToken:
			if skip == 0 {
				b.WriteString(html.UnescapeString(string(z.Raw())))
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			name, _ := z.TagName()
			a := atom.Lookup(name)
			if skip == 0 && unseen[a] {
				skip = a
			}
			if blocks[a] {
				b.WriteByte('\n')
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			a := atom.Lookup(name)
			if a == skip {
				skip = 0
			}
			if blocks[a] {
				b.WriteByte('\n')
			}
		}
	}
}

// tidyLines gives each line single spaces and drops the empty ones.
func tidyLines(s string) string {
	var lines []string
	for line := range strings.SplitSeq(s, "\n") {
		if f := singleSpaced(line); f != "" {
			lines = append(lines, f)
		}
	}
	return strings.Join(lines, "\n")
}

func singleSpaced(line string) string {
	line = strings.TrimFunc(line, isSpace)
	if !strings.ContainsAny(line, "\t\r\f") && !strings.Contains(line, "  ") {
		return line
	}
	return strings.Join(strings.FieldsFunc(line, isSpace), " ")
}

// isSpace leaves non-breaking spaces alone: French needs them.
func isSpace(r rune) bool { return r == ' ' || r == '\t' || r == '\r' || r == '\n' || r == '\f' }
