// SPDX-License-Identifier: AGPL-3.0-or-later

package markup_test

import (
	"strings"
	"testing"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"essaim/web/markup"
)

func TestMarkdownStaysWithinWhatMastodonShows(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"paragraphs and emphasis", "Un *jardin*\n\nou **deux**", "<p>Un <em>jardin</em></p>\n<p>ou <strong>deux</strong></p>"},
		{"a typed line is a line", "un\ndeux", "<p>un<br/>\ndeux</p>"},
		{"a heading is a bold paragraph", "## Comment faire", "<p><strong>Comment faire</strong></p>"},
		{"lists", "3. a\n4. b", "<ol start=\"3\">\n<li>a</li>\n<li>b</li>\n</ol>"},
		{"a link says it is outside", "[Brest](https://brest.example/a?b=1&c=2)", `<p><a href="https://brest.example/a?b=1&amp;c=2" rel="nofollow noopener">Brest</a></p>`},
		{"a bare address is a link", "voir https://brest.example.", `<p>voir <a href="https://brest.example" rel="nofollow noopener">https://brest.example</a>.</p>`},
		{"an address of mail is text", "a@b.example", "<p>a@b.example</p>"},
		{"an image is a link", "![le four](https://x.example/f.jpg)", `<p><a href="https://x.example/f.jpg" rel="nofollow noopener">le four</a></p>`},
		{"script address", "[x](javascript:alert(1))", "<p>x</p>"},
		{"raw HTML is dropped", "a <script>alert(1)</script> b", "<p>a alert(1) b</p>"},
		{"quotation and code", "> dit\n\n`a<b`", "<blockquote>\n<p>dit</p>\n</blockquote>\n<p><code>a&lt;b</code></p>"},
		{"strikethrough", "~~non~~ oui", "<p><del>non</del> oui</p>"},
		{"nothing", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := markup.Markdown(tt.in); got != tt.want {
				t.Errorf("Markdown(%q)\n got %q\nwant %q", tt.in, got, tt.want)
			}
		})
	}
}

func TestSanitizeKeepsTextAndDropsTheRest(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"Mastodon's mention", `<p><span class="h-card"><a href="https://m.example/@a" class="u-url">@<span>a</span></a></span> bonjour</p>`, `<p><a href="https://m.example/@a" rel="nofollow noopener">@a</a> bonjour</p>`},
		{"headings", "<h2>Titre</h2><p>texte</p>", "<p><strong>Titre</strong></p><p>texte</p>"},
		{"renamed", "<b>a</b><i>b</i><s>c</s>", "<strong>a</strong><em>b</em><del>c</del>"},
		{"script and style", "<style>p{}</style>a<script>b</script>", "a"},
		{"event handler", `<p onclick="x()">a</p>`, "<p>a</p>"},
		{"style attribute", `<p style="position:fixed">a</p>`, "<p>a</p>"},
		{"picture", `a<img src="https://x.example/pixel.gif">b`, "ab"},
		{"left open", "<p><em>a", "<p><em>a</em></p>"},
		{"closes what it did not open", "</div></main>a", "a"},
		{"address without scheme", `<a href="//evil.example">a</a>`, "a"},
		{"address with a tab in its scheme", "<a href=\"java\tscript:x\">a</a>", "a"},
		{"text that names another host", `<a href="https://evil.example/x">brest.fr</a>`, `<a href="https://evil.example/x" rel="nofollow noopener">brest.fr (evil.example)</a>`},
		{"another host before the host", `<a href="https://www.brest.fr:a@evil.example/">https://<b>www.brest.fr</b>/x</a>`, `<a href="https://evil.example/" rel="nofollow noopener">https://<strong>www.brest.fr</strong>/x (evil.example)</a>`},
		{"a host that looks like another", `<a href="https://brеst.example/">brеst.example</a>`, `<a href="https://br%D0%B5st.example/" rel="nofollow noopener">brеst.example (xn--brst-w4d.example)</a>`},
		{"text that names its host", `<a href="https://www.brest.example/a">brest.example/a…</a>`, `<a href="https://www.brest.example/a" rel="nofollow noopener">brest.example/a…</a>`},
		{"another host with a file of its name", `<a href="https://evil.example/brest.fr">brest.fr</a>`, `<a href="https://evil.example/brest.fr" rel="nofollow noopener">brest.fr (evil.example)</a>`},
		{"text that names its file", `<a href="https://brest.example/a/bilan.pdf">bilan.pdf</a>`, `<a href="https://brest.example/a/bilan.pdf" rel="nofollow noopener">bilan.pdf</a>`},
		{"telephone", `<a href="tel:+33">a</a>`, "a"},
		{"comment", "a<!-- b -->c", "ac"},
		{"blocks inside what is dropped", "<p><button><p>x</p></button></p>", "<p></p><p>x</p><p></p>"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := markup.Sanitize(tt.in); got != tt.want {
				t.Errorf("Sanitize(%q)\n got %q\nwant %q", tt.in, got, tt.want)
			}
		})
	}
}

func TestDeepNestingFallsBackToText(t *testing.T) {
	t.Parallel()
	in := strings.Repeat("<blockquote>", 2000) + "fin"
	if got, want := markup.Sanitize(in), "<p>fin</p>"; got != want {
		t.Errorf("got %.60q, want %q", got, want)
	}
}

func TestPlainIsTextOneLineAParagraph(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"paragraphs", "<p>Un &amp; deux</p><p>trois<br>quatre</p>", "Un & deux\ntrois\nquatre"},
		{"unseen", "a<script>b</script><style>c</style>d", "ad"},
		{"spaces", "<p> a \t b\u00a0! </p>", "a b\u00a0!"},
		{"what looks like a tag once read", "&lt;b&gt;", "<b>"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := markup.Plain(tt.in); got != tt.want {
				t.Errorf("Plain(%q) = %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

func TestTypographySetsFrenchSpaces(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, lang, want string }{
		{"marks", "<p>Quoi ? « Oui » : voilà !</p>", "fr", "<p>Quoi\u202f? «\u00a0Oui\u00a0»\u00a0: voilà\u202f!</p>"},
		{"apostrophe", "<p>l&#39;école d'été</p>", "fr", "<p>l’école d’été</p>"},
		{"not in code", "<code>a ? b : c</code> vrai ?", "fr", "<code>a ? b : c</code> vrai\u202f?"},
		{"not in English", "<p>What ?</p>", "en", "<p>What ?</p>"},
		{"not in an address", `<a href="https://x.example/?a=b" rel="nofollow noopener">d'ici</a>`, "", `<a href="https://x.example/?a=b" rel="nofollow noopener">d’ici</a>`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := markup.Typography(tt.in, tt.lang); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestForeignTextIsSanitized(t *testing.T) {
	t.Parallel()
	for _, in := range []string{`<p onclick=x>a</p><script>alert(1)</script>`, `<img src=x onerror=alert(1)>`, `<a href="javascript:x">a</a>`, `</div></main><form>`} {
		checkAllowed(t, in, string(markup.Foreign(in)))
	}
}

// allowed are the elements and attributes that may come out.
var allowed = map[string][]string{
	"p": nil, "br": nil, "strong": nil, "em": nil, "del": nil, "ul": nil, "ol": {"start"}, "li": nil,
	"blockquote": nil, "code": nil, "pre": nil, "a": {"href", "rel"},
}

// checkAllowed fails when a fragment holds what the allow-list does not, or
// does not close exactly what it opens.
func checkAllowed(t *testing.T, in, out string) {
	t.Helper()
	var open []string
	z := html.NewTokenizer(strings.NewReader(out))
	for {
		switch z.Next() {
		case html.ErrorToken:
			if len(open) != 0 {
				t.Fatalf("%q gives %q, which leaves %v open", in, out, open)
			}
			return
		case html.CommentToken, html.DoctypeToken:
			t.Fatalf("%q gives %q with a comment or doctype", in, out)
		case html.StartTagToken, html.SelfClosingTagToken:
			tok := z.Token()
			attrs, ok := allowed[tok.Data]
			if !ok {
				t.Fatalf("%q gives %q with <%s>", in, out, tok.Data)
			}
			for _, a := range tok.Attr {
				if !strings.Contains(" "+strings.Join(attrs, " ")+" ", " "+a.Key+" ") {
					t.Fatalf("%q gives %q with %s on <%s>", in, out, a.Key, tok.Data)
				}
				if a.Key == "href" && !strings.HasPrefix(a.Val, "http://") && !strings.HasPrefix(a.Val, "https://") {
					t.Fatalf("%q gives %q with the address %q", in, out, a.Val)
				}
			}
			if tok.Data != "br" {
				open = append(open, tok.Data)
			}
		case html.EndTagToken:
			name := z.Token().Data
			if len(open) == 0 || open[len(open)-1] != name {
				t.Fatalf("%q gives %q, which closes %s within %v", in, out, name, open)
			}
			open = open[:len(open)-1]
		}
	}
}

// checkTree fails when a browser would build of a fragment, with scripts or
// without, anything but the elements of the allow-list, as deep as they were
// written: what was sanitized as text must stay text when it is parsed.
func checkTree(t *testing.T, in, out string) {
	t.Helper()
	for _, scripting := range []bool{true, false} {
		nodes, err := html.ParseFragmentWithOptions(strings.NewReader(out), &html.Node{Type: html.ElementNode, Data: "main", DataAtom: atom.Main}, html.ParseOptionEnableScripting(scripting))
		if err != nil {
			t.Fatalf("%q gives %q, which no parser reads: %v", in, out, err)
		}
		var walk func(*html.Node)
		walk = func(n *html.Node) {
			if _, ok := allowed[n.Data]; n.Type == html.ElementNode && (!ok || n.Namespace != "") || n.Type == html.CommentNode {
				t.Fatalf("%q gives %q, of which a browser makes <%s>", in, out, n.Data)
			}
			for c := n.FirstChild; c != nil; c = c.NextSibling {
				walk(c)
			}
		}
		for _, n := range nodes {
			walk(n)
		}
	}
}

func FuzzSanitizeIsIdempotentAndWithinTheAllowList(f *testing.F) {
	for _, s := range []string{
		"", "<p>a", "<table><tr><td><p>a", "<svg><style><img src=x onerror=alert(1)>", "<math><mi><b>x", "<a href='https://x.example'><a href=//b>c",
		"<p><button><p>x", "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>", "<ol start=9999999><li><ol start=2>", "&lt;script&gt;", "<plaintext>a<b>", "<select><option><p>", "<form><div></form><div>",
		"<b><p>a</b>c</p>", "<pre>\n\na</pre>", "<pre>\n\n\n\n\n\n\n\n\n\na</pre>",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		out := markup.Sanitize(s)
		checkAllowed(t, s, out)
		checkTree(t, s, out)
		if again := markup.Sanitize(out); again != out {
			t.Fatalf("%q gives %q, then %q", s, out, again)
		}
		for _, c := range markup.Plain(out) {
			if c == '\r' {
				t.Fatalf("%q leaves a carriage return in its text", s)
			}
		}
	})
}

func FuzzMarkdownIsWithinTheAllowList(f *testing.F) {
	for _, s := range []string{"", "# a\nb", "![a](b)", "<p onclick=x>", "[a](javascript:x)", "* a\n  * b\n", "~~~\n<script>\n", "[a]: https://x.example\n[a]", "&#0;", "<https://x.example/\">", "a\\\nb", "***"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		out := markup.Markdown(s)
		checkAllowed(t, s, out)
		if again := markup.Sanitize(out); again != out {
			t.Fatalf("%q gives %q, then %q", s, out, again)
		}
		checkAllowed(t, s, markup.Typography(out, "fr"))
	})
}
