// SPDX-License-Identifier: AGPL-3.0-or-later

package markup_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"essaim/web/markup"
)

// slowest is what one text of 250 kB may take: it allows for a slow machine, and
// what it guards against takes minutes, or all memory.
const slowest = 6 * time.Second

// differing are start tags of one element that a parser holds for different.
func differing(tag string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "<%s a=%d>", tag, i)
	}
	return b.String()
}

func upTo(pre, unit string) string {
	return pre + strings.Repeat(unit, (250_000-len(pre))/len(unit))
}

func TestNoTextIsSlowToRead(t *testing.T) { //nolint:paralleltest // measures time
	tests := []struct {
		name string
		read func(string) string
		text string
	}{
		{"form reopened in each paragraph", markup.Sanitize, upTo("<p>"+differing("b", 400), "<p>x")},
		{"form reopened by paragraphs that were not open", markup.Sanitize, upTo(differing("b", 400), "</p>")},
		{"form left open in each paragraph", markup.Sanitize, upTo("", "<p><b>")},
		{"as many tags as keep their form", markup.Sanitize, "<p>" + differing("b", 3000) + strings.Repeat("<p>x", 6900)},
		{"closed again and again", markup.Sanitize, differing("b", 500) + strings.Repeat("</p>", 9400)},
		{"headings in headings", markup.Sanitize, upTo("", "<h1>")},
		{"tables in what has form", markup.Sanitize, upTo(differing("b", 300), "<table><td>")},
		{"crossing", markup.Sanitize, upTo("", "<b><i><p></b></i>")},
		{"attributes without end", markup.Sanitize, upTo("<a ", "b=c ")},
		{"foreign elements", markup.Sanitize, upTo("", "<svg><desc><math><mi>")},
		{"quotes in quotes", markup.Markdown, upTo("", ">")},
		{"quotes in quotes, spaced", markup.Markdown, upTo("", "> ")},
		{"lists in lists", markup.Markdown, upTo("", "1. ")},
		{"links never closed", markup.Markdown, upTo("", "[a](")},
		{"brackets", markup.Markdown, upTo(strings.Repeat("[", 120_000), "]")},
		{"emphasis never closed", markup.Markdown, upTo("", "**a__b")},
	}
	for _, tt := range tests {
		start := time.Now()
		out := tt.read(tt.text)
		if took := time.Since(start); took > slowest {
			t.Errorf("%s: %d bytes took %s, want %s at most", tt.name, len(tt.text), took, slowest)
		}
		if len(out) > 8*len(tt.text) {
			t.Errorf("%s: %d bytes became %d", tt.name, len(tt.text), len(out))
		}
	}
}

func TestWhatPeopleWriteKeepsItsForm(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"a long ruler", "a\n\n" + strings.Repeat("-", 300) + "\n\nb", "<p>* * *</p>"},
		{"a long ruler with spaces", "a\n\n" + strings.Repeat("* ", 40) + "\n\nb", "<p>* * *</p>"},
		{"a title underlined", "Titre\n" + strings.Repeat("-", 300), "<strong>Titre</strong>"},
		{"quotes of quotes", strings.Repeat(">", 12) + " a", strings.Repeat("</blockquote>\n", 11)},
		{"a thousand links", strings.Repeat("[a](https://a.example/) ", 1000), `<a href="https://a.example/"`},
	}
	for _, tt := range tests {
		if got := markup.Markdown(tt.in); !strings.Contains(got, tt.want) {
			t.Errorf("%s: Markdown gave %.200q, without %q", tt.name, got, tt.want)
		}
	}
	long := strings.Repeat("<p>Un <b>jardin</b> à <i>Brest</i>.</p>", 1500)
	if got := markup.Sanitize(long); strings.Count(got, "<strong>") != 1500 {
		t.Errorf("Sanitize kept %d words in bold, want 1500", strings.Count(got, "<strong>"))
	}
}

func TestTheWordsOfWhatIsTooMuchAreKept(t *testing.T) {
	t.Parallel()
	if got := markup.Sanitize("<p>un" + strings.Repeat("<i>x</i>", 5500) + "</p><p>deux"); !strings.HasPrefix(got, "<p>unxx") || !strings.HasSuffix(got, "<p>deux</p>") {
		t.Errorf("Sanitize gave %.40q…%.40q", got, got[len(got)-20:])
	}
	got := markup.Markdown(strings.Repeat(">", 200) + " un\n\n<b>deux</b>")
	if !strings.HasSuffix(got, "&gt; un</p><p>&lt;b&gt;deux&lt;/b&gt;</p>") {
		t.Errorf("Markdown gave %q", got)
	}
	fragment, plain := markup.Short("<p><strong>un</strong></p>", 10)
	if fragment != "<p><strong>un</strong></p>" || plain != "un" {
		t.Errorf("Short gave %q, %q", fragment, plain)
	}
	if fragment, plain = markup.Short("<p><strong>longue</strong></p>", 3); fragment != "<p>lon…</p>" || plain != "lon…" {
		t.Errorf("Short gave %q, %q", fragment, plain)
	}
	if fragment, _ = markup.Short(strings.Repeat("<p>", 30_000)+"un", 3); fragment != "<p>un</p>" {
		t.Errorf("Short gave %.40q", fragment)
	}
}
