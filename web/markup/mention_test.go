// SPDX-License-Identifier: AGPL-3.0-or-later

package markup

import (
	"strings"
	"testing"

	"essaim"
)

func TestMentionsBecomeLinksInTextAlone(t *testing.T) {
	t.Parallel()
	known := []essaim.Mention{{Handle: "@ana@m.example", Actor: "https://m.example/users/ana?a&b"}}
	const link = `<a href="https://m.example/users/ana?a&amp;b" class="mention" rel="nofollow noopener">`
	for src, want := range map[string]string{
		"Avec @ana@m.example & co":             "<p>Avec " + link + "@ana@m.example</a> &amp; co</p>",
		"**@Ana@m.example**":                   "<p><strong>" + link + "@Ana@m.example</a></strong></p>",
		"`@ana@m.example`":                     "<p><code>@ana@m.example</code></p>",
		"@bob@m.example":                       "<p>@bob@m.example</p>",
		"[@ana@m.example](https://x.example/)": `<p><a href="https://x.example/" rel="nofollow noopener">@ana@m.example</a></p>`,
	} {
		if got := WithMentions(Markdown(src), known); got != want {
			t.Errorf("%q:\n got %s\nwant %s", src, got, want)
		}
	}
}

// FuzzWithMentions holds that mentions add nothing but their links: without
// them the fragment is what it was.
func FuzzWithMentions(f *testing.F) {
	f.Add("Avec @ana@m.example, <b>&amp;</b>")
	f.Add("`@ana@m.example` \" ' @ana@m.example")
	known := []essaim.Mention{{Handle: "@ana@m.example", Actor: "https://m.example/users/ana"}}
	f.Fuzz(func(t *testing.T, src string) {
		before := Markdown(src)
		after := WithMentions(before, known)
		if Sanitize(after) != strings.ReplaceAll(after, ` class="mention"`, "") {
			t.Errorf("%q: leaves the allow-list: %s", src, after)
		}
		if Plain(after) != Plain(before) {
			t.Errorf("%q: says something else: %s", src, after)
		}
	})
}
