// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"strconv"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"essaim/web/markup"
)

// listIndent is that of lists and quotes in one another, in millimetres, as far as
// deepest: beyond it lines would have no room.
const (
	listIndent = 5.0
	deepest    = marginSide + 8*listIndent
)

// rich writes Markdown, through the one sanitizer: paragraphs, lists, quotes,
// bold, italic and links are what it leaves.
func (p *paper) rich(st style, text, lang string) {
	body := &html.Node{Type: html.ElementNode, Data: "body", DataAtom: atom.Body}
	nodes, err := html.ParseFragment(strings.NewReader(string(markup.Page(text, lang))), body)
	if err != nil {
		p.flow(st, run{text: markup.Plain(text)})
		return
	}
	for _, n := range nodes {
		body.AppendChild(n)
	}
	p.block(st, body, "")
}

// block writes what an element holds; mark stands before its first paragraph.
func (p *paper) block(st style, n *html.Node, mark string) {
	var runs []run
	end := func() {
		if strings.TrimSpace(textIn(runs)) != "" {
			p.marked(st, mark, runs)
			mark = ""
		}
		runs = nil
	}
	item := firstItem(n) - 1
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		switch c.DataAtom {
		case atom.P, atom.Pre:
			end()
			runs = inline(nil, c, run{})
			end()
		case atom.Blockquote, atom.Ul, atom.Ol, atom.Div:
			end()
			left := p.left
			p.left = min(left+listIndent, deepest)
			p.block(st, c, "")
			p.left = left
		case atom.Li:
			end()
			item++
			bullet := "•"
			if n.DataAtom == atom.Ol {
				bullet = strconv.Itoa(item) + "."
			}
			tight := st
			tight.after = min(st.after, 0.8)
			p.block(tight, c, bullet)
		default:
			runs = inlineNode(runs, c, run{})
		}
	}
	end()
}

// firstItem is the number at which a list begins.
func firstItem(list *html.Node) int {
	for _, a := range list.Attr {
		if n, err := strconv.Atoi(a.Val); a.Key == "start" && err == nil {
			return n
		}
	}
	return 1
}

// marked writes a paragraph with its bullet or number hung before it.
func (p *paper) marked(st style, mark string, runs []run) {
	if mark != "" {
		height := st.size * pointSize * orLeading(st.leading)
		p.room(height)
		p.setFont(st, run{})
		p.pdf.SetTextColor(st.color.r, st.color.g, st.color.b)
		p.pdf.Text(p.left-listIndent, p.y+height*0.75, mark+" ")
	}
	p.flow(st, runs...)
}

func textIn(runs []run) string {
	var b strings.Builder
	for _, r := range runs {
		b.WriteString(r.text)
	}
	return b.String()
}

func inline(runs []run, n *html.Node, look run) []run {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		runs = inlineNode(runs, c, look)
	}
	return runs
}

// inlineNode adds the words of a node in their look.
func inlineNode(runs []run, n *html.Node, look run) []run {
	switch {
	case n.Type == html.TextNode:
		look.text = strings.ReplaceAll(n.Data, "\n", " ") // as HTML reads it
		return append(runs, look)
	case n.Type != html.ElementNode:
		return runs
	case n.DataAtom == atom.Br:
		look.text = "\n"
		return append(runs, look)
	case n.DataAtom == atom.Strong || n.DataAtom == atom.B:
		look.bold = true
	case n.DataAtom == atom.Em || n.DataAtom == atom.I:
		look.italic = true
	case n.DataAtom == atom.A:
		for _, a := range n.Attr {
			if a.Key == "href" {
				look.link = a.Val
			}
		}
	}
	return inline(runs, n, look)
}
