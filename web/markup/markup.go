// SPDX-License-Identifier: AGPL-3.0-or-later

// Package markup turns what people write into HTML that any page and any
// Fediverse software may show: Markdown in, a short list of elements out.
//
// There is one policy and one way through it. What goes on the wire and what
// stands on our pages is the same HTML, within the allow-list that Mastodon
// keeps (lib/sanitize_ext/sanitize_config.rb), so that nothing is lost or
// changed on the way to a reader.
package markup

import (
	"bytes"
	"html/template"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer"
	ghtml "github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/util"
	"golang.org/x/net/html"
)

// markdown is safe for use by several goroutines at once: goldmark keeps the
// state of a conversion in its own context.
var markdown = goldmark.New(
	goldmark.WithExtensions(
		extension.Strikethrough,
		extension.NewLinkify(extension.WithLinkifyAllowedProtocols([][]byte{[]byte("http:"), []byte("https:")})),
	),
	goldmark.WithRendererOptions(
		// A line typed on a phone is meant as a line.
		ghtml.WithHardWraps(),
		renderer.WithNodeRenderers(util.Prioritized(plainNodes{}, 100)),
	),
)

// Markdown renders CommonMark, with strikethrough and bare web addresses, as
// sanitized HTML. Headings become bold paragraphs, images become links, raw
// HTML is dropped. Any input gives a well-formed fragment; one made to be slow to
// read keeps its words only.
func Markdown(src string) string {
	if heavy(src) {
		return Sanitize(plainHTML(tidyLines(src)))
	}
	var buf bytes.Buffer
	if err := markdown.Convert([]byte(src), &buf); err != nil {
		// Only a failing writer ends here; a buffer does not fail.
		return "<p>" + html.EscapeString(src) + "</p>"
	}
	return Sanitize(buf.String())
}

// Page renders Markdown for an HTML template, with the spaces and quotes of
// the language of the text (see [Typography]).
func Page(src, lang string) template.HTML {
	return template.HTML(Typography(Markdown(src), lang)) //nolint:gosec // Markdown ends in Sanitize, Typography adds no tag.
}

// Foreign prepares a fragment of HTML that was written elsewhere for an HTML
// template. Its spaces and quotes are its author's.
func Foreign(fragment string) template.HTML {
	return template.HTML(Sanitize(fragment)) //nolint:gosec // Sanitize is what makes it safe.
}

// plainNodes renders what the allow-list has no element for.
type plainNodes struct{}

// RegisterFuncs names the nodes that plainNodes renders.
func (plainNodes) RegisterFuncs(reg renderer.NodeRendererFuncRegisterer) {
	reg.Register(ast.KindHeading, renderHeading)
	reg.Register(ast.KindImage, renderImage)
	reg.Register(ast.KindThematicBreak, renderBreak)
}

// renderHeading writes a heading as Mastodon shows it: a bold paragraph.
func renderHeading(w util.BufWriter, _ []byte, _ ast.Node, entering bool) (ast.WalkStatus, error) {
	if entering {
		_, _ = w.WriteString("<p><strong>")
	} else {
		_, _ = w.WriteString("</strong></p>\n")
	}
	return ast.WalkContinue, nil
}

// renderImage links to the picture: a page loads nothing from elsewhere, and
// a record's own pictures are attached to it with their author and licence.
func renderImage(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	n := node.(*ast.Image)
	dest := string(n.Destination)
	label := text(n, source)
	if label == "" {
		label = dest
	}
	_, _ = w.WriteString(`<a href="` + html.EscapeString(dest) + `">` + html.EscapeString(label) + `</a>`)
	return ast.WalkSkipChildren, nil
}

func renderBreak(w util.BufWriter, _ []byte, _ ast.Node, entering bool) (ast.WalkStatus, error) {
	if entering {
		_, _ = w.WriteString("<p>* * *</p>\n")
	}
	return ast.WalkContinue, nil
}

// text gathers the words below a node.
func text(n ast.Node, source []byte) string {
	var b strings.Builder
	_ = ast.Walk(n, func(c ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch t := c.(type) {
		case *ast.Text:
			b.Write(t.Segment.Value(source))
		case *ast.String:
			b.Write(t.Value)
		}
		return ast.WalkContinue, nil
	})
	return b.String()
}
