// SPDX-License-Identifier: AGPL-3.0-or-later

package federation_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"essaim"
)

const public = `"to":["https://www.w3.org/ns/activitystreams#Public"],`

// answerBy is a Create of an answer to a record, with more properties.
func answerBy(seq int, typ, more string) string {
	object := fmt.Sprintf(`{"id":"https://peer.example/n/%d","type":%q,"attributedTo":%q,"inReplyTo":"%s/objects/1","published":"2000-01-01T00:00:00Z",%s}`,
		seq, typ, alice, here, more)
	return strings.Replace(activity(fmt.Sprintf("https://peer.example/a/%d", seq), "Create", alice, object), `"to":"https://www.w3.org/ns/activitystreams#Public"`, `"to":["https://www.w3.org/ns/activitystreams#Public"]`, 1)
}

func TestWhatIsKeptOfAnAnswer(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		typ, more string
		want      essaim.HoldComment
	}{
		"a Note of Mastodon": {
			"Note", public + `"summary":"Attention : long","content":"<p>Très beau <span class=\"h-card\"><a href=\"https://brest.example/actors/brest\" class=\"u-url mention\">@brest</a></span></p>","contentMap":{"fr":"<p>Très beau <span class=\"h-card\"><a href=\"https://brest.example/actors/brest\" class=\"u-url mention\">@brest</a></span></p>"},"url":"https://peer.example/@alice/1","updated":"2000-01-01T00:00:00Z"`,
			essaim.HoldComment{Content: `<p>Très beau <a href="https://brest.example/actors/brest" rel="nofollow noopener">@brest</a></p>`, Excerpt: "Très beau @brest", Warning: "Attention : long", Language: "fr", URL: "https://peer.example/@alice/1"},
		},
		"French when it is there": {
			"Note", public + `"content":"<p>Hello</p>","contentMap":{"en":"<p>Hello</p>","fr":"<p>Bonjour</p>"}`,
			essaim.HoldComment{Content: "<p>Bonjour</p>", Excerpt: "Bonjour", Language: "fr"},
		},
		"another language": {
			"Note", public + `"content":"<p>Demat</p>","contentMap":{"br":"<p>Demat</p>"}`,
			essaim.HoldComment{Content: "<p>Demat</p>", Excerpt: "Demat", Language: "br"},
		},
		"a comment of Lemmy, whose language is an object": {
			"Note", public + `"content":"<p>Hallo</p>","source":{"content":"Hallo","mediaType":"text/markdown"},"language":{"identifier":"de","name":"Deutsch"}`,
			essaim.HoldComment{Content: "<p>Hallo</p>", Excerpt: "Hallo", Language: "de"},
		},
		"of Akkoma, whose language is a tag": {
			"Note", public + `"content":"<p>Kaixo</p>","language":"eu"`,
			essaim.HoldComment{Content: "<p>Kaixo</p>", Excerpt: "Kaixo", Language: "eu"},
		},
		"a language of Mobilizon's kind": {
			"Note", public + `"content":"<p>Bonjour</p>","inLanguage":"fr"`,
			essaim.HoldComment{Content: "<p>Bonjour</p>", Excerpt: "Bonjour", Language: "fr"},
		},
		"a language of the context": {
			"Note", public + `"@context":["https://www.w3.org/ns/activitystreams",{"@language":"oc"}],"content":"<p>Adiu</p>"`,
			essaim.HoldComment{Content: "<p>Adiu</p>", Excerpt: "Adiu", Language: "oc"},
		},
		"a language of none, and of another text": {
			"Note", public + `"content":"<p>Ola</p>","contentMap":{"und":"<p>Ola</p>","de":"<p>Hallo</p>"},"language":"und"`,
			essaim.HoldComment{Content: "<p>Ola</p>", Excerpt: "Ola"},
		},
		"a script and a picture": {
			"Note", public + `"content":"<p onclick=x>un<script>alert(1)</script><img src=https://evil.example/t.gif>deux</p>"`,
			essaim.HoldComment{Content: "<p>undeux</p>", Excerpt: "undeux"},
		},
		"a titled Article, whose summary is no warning": {
			"Article", public + `"name":"Un <titre>","summary":"résumé","content":"<p>texte</p>"`,
			essaim.HoldComment{Content: "<p><strong>Un &lt;titre&gt;</strong></p><p>texte</p>", Excerpt: "Un <titre> texte"},
		},
		"a page of another origin": {
			"Note", public + `"content":"x","url":"https://evil.example/phish"`,
			essaim.HoldComment{Content: "x", Excerpt: "x"},
		},
		"a Link as address": {
			"Note", public + `"content":"x","url":[{"type":"Link","mediaType":"text/html","href":"https://peer.example/p/1"}]`,
			essaim.HoldComment{Content: "x", Excerpt: "x", URL: "https://peer.example/p/1"},
		},
		"unlisted": {
			"Note", `"cc":["as:Public"],"content":"x"`,
			essaim.HoldComment{Content: "x", Excerpt: "x"},
		},
		"addressed by its activity alone": {
			"Note", `"content":"x"`,
			essaim.HoldComment{Content: "x", Excerpt: "x"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t)
			n.ingest.Comments = essaim.CommentsKnown
			row := apply(t, n, time.Millisecond, answerBy(1, c.typ, c.more))
			if row.state != essaim.InboundApplied {
				t.Fatalf("%s: %s", row.state, row.reason)
			}
			got, ok := n.applied[0].Effects[0].(essaim.HoldComment)
			if !ok {
				t.Fatalf("effects %s", said(n.applied[0].Effects))
			}
			want := c.want
			want.ID, want.Actor, want.InReplyTo, want.Policy = "https://peer.example/n/1", alice, here+"/objects/1", essaim.CommentsKnown
			want.Published = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
			if want.URL == "" {
				want.URL = want.ID
			}
			got.Published, got.Updated = got.Published.UTC(), time.Time{}
			if got != want {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}

func TestALetterIsKeptByNobody(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"to us alone":                        strings.Replace(answerBy(1, "Note", `"to":["`+here+`/actors/brest"],"content":"secret"`), "https://www.w3.org/ns/activitystreams#Public", here+"/actors/brest", 1),
		"to followers":                       strings.Replace(answerBy(1, "Note", `"to":["https://peer.example/users/alice/followers"],"content":"secret"`), "https://www.w3.org/ns/activitystreams#Public", alice+"/followers", 1),
		"in a public activity":               answerBy(1, "Note", `"to":["`+here+`/actors/brest"],"content":"secret"`),
		"to nobody, in a public activity":    answerBy(1, "Note", `"to":[],"content":"secret"`),
		"a letter that answers nothing here": strings.Replace(activity("https://peer.example/a/1", "Create", alice, note("https://peer.example/n/1", alice, "")), "https://www.w3.org/ns/activitystreams#Public", here+"/actors/brest", 1),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t)
			row := apply(t, n, time.Millisecond, body)
			if row.state != essaim.InboundApplied {
				t.Fatalf("%s: %s\n%s", row.state, row.reason, body)
			}
			if got := said(n.applied[0].Effects); got != "letter https://peer.example/n/1 by "+alice {
				t.Errorf("comes to %s\n%s", got, body)
			}
		})
	}
}

func TestALongAnswerKeepsItsWordsOnly(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	apply(t, n, time.Millisecond, answerBy(1, "Note", public+`"content":"<p><strong>`+strings.Repeat("ça ", 5000)+`</strong></p>"`))
	c, ok := n.applied[0].Effects[0].(essaim.HoldComment)
	if !ok || len([]rune(c.Content)) > 10_010 || strings.Contains(c.Content, "strong") || !strings.HasSuffix(c.Content, "…</p>") {
		t.Errorf("%d characters, %.60s…", len([]rune(c.Content)), c.Content)
	}
	m := newNode(t)
	if row := apply(t, m, time.Millisecond, answerBy(1, "Note", public+`"content":"<p><img src=x></p>"`)); row.state != essaim.InboundIgnored || !strings.Contains(row.reason, "without words") {
		t.Errorf("an answer without words: %s %s", row.state, row.reason)
	}
}
