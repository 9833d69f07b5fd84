// SPDX-License-Identifier: AGPL-3.0-or-later

package vocab

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"essaim"
	"essaim/federation/wire"
)

func foreign(t testing.TB, doc string) Foreign {
	t.Helper()
	d, err := wire.Parse([]byte(doc), wire.Fetched)
	if err != nil {
		t.Fatalf("%s: %v", doc, err)
	}
	return ReadForeign(d.Root())
}

func TestForeignDocumentsAreReadAsFarAsTheyGo(t *testing.T) {
	t.Parallel()
	const head = `{"id":"https://a.example/1",`
	for _, c := range []struct {
		name, doc string
		check     func(Foreign) bool
	}{
		{"a title with a colon", head + `"type":"Article","name":"COVID-19: entraide"}`, func(f Foreign) bool { return f.Name == "COVID-19: entraide" && f.Type == "Article" }},
		{"name only in a map", head + `"type":"Article","nameMap":{"en":"Garden","fr":"Jardin"}}`, func(f Foreign) bool { return f.Name == "Jardin" && f.Language == "fr" }},
		{"a map under the plain name", head + `"type":"Note","name":{"en":"Garden","de":"Garten"}}`, func(f Foreign) bool { return f.Name == "Garten" }},
		{"a name among other things", head + `"type":"Note","name":[7,null,{},"Jardin"]}`, func(f Foreign) bool { return f.Name == "Jardin" }},
		{"an expanded document", `{"@id":"https://a.example/1","@type":["https://www.w3.org/ns/activitystreams#Person"],"https://www.w3.org/ns/activitystreams#name":[{"@value":"Hong"}]}`, func(f Foreign) bool { return f.ID == "https://a.example/1" && f.Type == "Person" && f.Name == "Hong" }},
		{"an author as a string", head + `"type":"Note","attributedTo":"https://a.example/u"}`, func(f Foreign) bool { return f.Author() == "https://a.example/u" && f.Actor == "" }},
		{"authors of PeerTube", head + `"type":"Video","attributedTo":[{"type":"Person","id":"https://a.example/u"},{"type":"Group","id":"https://a.example/c"}]}`, func(f Foreign) bool { return strings.Join(f.Authors, " ") == "https://a.example/u https://a.example/c" }},
		{"an author of Mobilizon", head + `"type":"Event","actor":"https://a.example/u","attributedTo":"https://a.example/g"}`, func(f Foreign) bool { return f.Author() == "https://a.example/g" && f.Actor == "https://a.example/u" }},
		{"an activity's author", head + `"type":"Like","actor":{"id":"https://a.example/u"},"attributedTo":"https://a.example/v"}`, func(f Foreign) bool { return f.Author() == "https://a.example/u" }},
		{"dates", head + `"type":"Event","published":"2026-05-02T10:00:00.5+02:00","startTime":"2026-05-02","endTime":"2026-05-02T18:00:00"}`, func(f Foreign) bool {
			return f.Published.Equal(time.Date(2026, 5, 2, 8, 0, 0, 5e8, time.UTC)) && f.Start.Format("15:04") == "00:00" && f.End.Hour() == 18
		}},
		{"dates of no calendar", head + `"type":"Event","published":"+292277026596-12-04T15:30:07Z","startTime":"2026-02-30T25:61:61+99:99","endTime":7}`, func(f Foreign) bool { return f.Published.IsZero() && f.Start.IsZero() && f.End.IsZero() }},
		{"a date written twice", head + `"type":"Event","startTime":"2026-05-02","startTime":"2026-05-03"}`, func(f Foreign) bool { return f.Start.Day() == 3 }},
		{"the page among files", head + `"type":"Video","url":[{"type":"Link","mediaType":"video/mp4","href":"https://a.example/f.mp4"},{"type":"Link","mediaType":"text/html","href":"https://a.example/w/1"}]}`, func(f Foreign) bool { return f.URL == "https://a.example/w/1" }},
		{"a page elsewhere", head + `"type":"Article","url":"https://b.example/phish"}`, func(f Foreign) bool { return f.URL == "https://a.example/1" }},
		{"a page that is no page", head + `"type":"Article","url":"javascript:alert(1)"}`, func(f Foreign) bool { return f.URL == "https://a.example/1" }},
		{"a licence", head + `"type":"Article","dcterms:license":"http://creativecommons.org/licenses/by-sa/4.0"}`, func(f Foreign) bool { return f.Licence == "cc-by-sa-4.0" }},
		{"a licence by its summary", head + `"type":"Article","schema:license":{"id":"https://creativecommons.org/licenses/by/4.0/deed.fr"}}`, func(f Foreign) bool { return f.Licence == "cc-by-4.0" }},
		{"two licences", head + `"type":"Article","license":"https://creativecommons.org/licenses/by/4.0/","cc:license":"https://creativecommons.org/publicdomain/zero/1.0/"}`, func(f Foreign) bool { return f.Licence == "" }},
		{"a licence without version", head + `"type":"Video","licence":{"identifier":"1","name":"Attribution"}}`, func(f Foreign) bool { return f.Licence == "" }},
		{"a language of Lemmy", head + `"type":"Page","language":{"identifier":"br","name":"Brezhoneg"}}`, func(f Foreign) bool { return f.Language == "br" }},
		{"no language", head + `"type":"Page","language":{"identifier":"und"}}`, func(f Foreign) bool { return f.Language == "" }},
		{"a place with an address", head + `"type":"Event","location":{"type":"Place","name":"Maison","latitude":48.4,"longitude":"-4.5","address":{"streetAddress":"1 rue X","addressLocality":"Brest","postalCode":"29200","addressCountry":"France"}}}`, func(f Foreign) bool {
			return f.Place.Label == "Maison" && f.Place.City == "Brest" && f.Place.Located() && f.Place.Country == ""
		}},
		{"a place of Gancio", head + `"type":"Event","location":{"type":"Place","name":"Maison","address":"1 rue X, Brest"}}`, func(f Foreign) bool { return f.Place.Street == "1 rue X, Brest" }},
		{"a place out of the world", head + `"type":"Event","location":{"name":"X","latitude":91,"longitude":2}}`, func(f Foreign) bool { return f.Place.Label == "X" && !f.Place.Located() }},
		{"a place in words, and online", head + `"type":"Event","location":[{"type":"VirtualLocation","url":"https://visio.example/x"},"Brest"]}`, func(f Foreign) bool { return f.Place.Label == "Brest" && f.Online == "https://visio.example/x" }},
		{"pictures of Pleroma and others", head + `"type":"Note","attachment":[{"type":"Document","mediaType":"image/png","url":"https://a.example/1.png","name":"alt"},{"type":"Document","mediaType":"application/pdf","url":"https://a.example/1.pdf","name":"x"},{"type":"PropertyValue","name":"x","value":"y"},{"type":"Image","url":"https://a.example/2.png"}]}`, func(f Foreign) bool { return len(f.Images) == 1 && f.Images[0].Alt == "alt" }},
		{"hashtags", head + `"type":"Note","tag":[{"type":"Hashtag","name":"#jardin"},{"type":"Hashtag","name":"jardin"},{"type":"Mention","name":"@a"}]}`, func(f Foreign) bool { return len(f.Tags) == 1 && f.Tags[0] == "jardin" }},
		{"one hashtag", head + `"type":"Note","tag":{"type":"Hashtag","name":"#jardin"}}`, func(f Foreign) bool { return len(f.Tags) == 1 }},
		{"names that differ in no way that is read", head + `"type":"Article","name":"F","nаme":"G"}`, func(f Foreign) bool { return f.Name == "F" }},
		{"wrong shapes everywhere", head + `"type":"Article","name":5,"summary":5,"content":{"x":1},"tag":"x","attachment":null,"location":7,"image":[],"url":{},"source":"x","published":7,"attributedTo":7}`, func(f Foreign) bool {
			return f.Name == "" && f.Text() == "" && f.URL == f.ID && f.Author() == ""
		}},
		{"Markdown of PeerTube", head + `"type":"Video","mediaType":"text/markdown","content":"**Un** jardin"}`, func(f Foreign) bool { return f.Text() == "Un jardin" }},
		{"Markdown beside HTML", head + `"type":"Page","content":"<p>x</p>","source":{"content":"*y*","mediaType":"text/markdown"}}`, func(f Foreign) bool { return f.Text() == "y" }},
	} {
		if f := foreign(t, c.doc); !c.check(f) {
			t.Errorf("%s: got %+v", c.name, f)
		}
	}
}

func TestACandidateQuotesUnlessItsLicenceLetsItKeepAll(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("mot ", 400)
	doc := func(more string) string {
		return `{"id":"https://a.example/1","type":"Article","name":"Un jardin","summary":"<p>En bref</p>","content":"<p>` + long + `</p>","url":"https://a.example/jardin","published":"2026-03-01T10:00:00Z",
"tag":[{"type":"Hashtag","name":"#jardin"}],"attachment":[{"type":"Image","url":"https://a.example/1.png","name":"Un potager"},{"type":"Image","url":"https://a.example/2.png","name":"Une affiche","dcterms:license":"https://creativecommons.org/licenses/by-nc-nd/4.0/"}],"location":{"name":"Jardin","address":{"addressLocality":"Brest"}}` + more + `}`
	}
	at := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	const cc = `,"dcterms:license":"https://creativecommons.org/licenses/by-sa/4.0/"`
	for _, c := range []struct {
		name, more, agreed string
		whole              bool
		licence            string
	}{
		{"no licence", "", "", false, ""},
		{"a licence of the table", cc, "", true, "cc-by-sa-4.0"},
		{"a licence for links only", `,"dcterms:license":"https://creativecommons.org/licenses/by-nc-nd/4.0/"`, "", false, "cc-by-nc-nd"},
		{"a licence for links only, whatever was agreed", `,"dcterms:license":"https://creativecommons.org/licenses/by-nc-nd/4.0/"`, "cc-by-4.0", false, "cc-by-nc-nd"},
		{"its author agreed", "", "cc-by-4.0", true, "cc-by-4.0"},
		{"its author agreed, the document says more", cc, "cc-by-4.0", true, "cc-by-sa-4.0"},
	} {
		f := foreign(t, doc(c.more))
		p, ok := f.Proposal("https://a.example/u")
		if !ok {
			t.Fatalf("%s: no proposal", c.name)
		}
		got := p.Candidate("Le blog", c.agreed, at)
		if problems := got.Validate(false); len(problems) > 0 {
			t.Errorf("%s: %v", c.name, problems)
		}
		if whole := len(got.Text) > 1000 && len(got.Images) == 1 && len(got.Keywords) == 1 && got.Holder == "Le blog"; whole != c.whole {
			t.Errorf("%s: got whole %v, want %v: %+v", c.name, whole, c.whole, got)
		}
		// 300 is the figure of the promise, not whatever the constant became.
		if !c.whole && (utf8.RuneCountInString(strings.TrimPrefix(got.Text, "> ")) > 300 || got.Tagline != "" || len(got.Images)+len(got.Keywords) > 0) {
			t.Errorf("%s: more than a quotation: %+v", c.name, got)
		}
		if got.Licence != c.licence || got.Title != "Un jardin" || len(got.Places) != 1 {
			t.Errorf("%s: got %+v", c.name, got)
		}
		if s := got.Sources; len(s) != 1 || s[0].URL != "https://a.example/jardin" || s[0].Name != "Le blog (a.example), 2026-03-01" || s[0].Fetched != "2026-03-02" || s[0].Key != f.ID {
			t.Errorf("%s: sources %+v", c.name, s)
		}
	}
}

func TestATitleMadeOfTheTextIsPartOfTheQuotation(t *testing.T) {
	t.Parallel()
	f := foreign(t, `{"id":"https://a.example/1","type":"Note","content":"<p>`+strings.Repeat("mot ", 400)+`</p>"}`)
	p, ok := f.Proposal("https://a.example/u")
	c := p.Candidate("", "", time.Time{})
	if n := utf8.RuneCountInString(c.Title) + utf8.RuneCountInString(strings.TrimPrefix(c.Text, "> ")); !ok || n > essaim.QuoteLimit || n < essaim.QuoteLimit/2 {
		t.Errorf("got %d characters of another's text, want at most %d", n, essaim.QuoteLimit)
	}
}

// FuzzForeign holds that whatever passes the gate makes, if anything, a
// candidate that is valid as a draft, that quotes within the limit, and that
// links to where it came from.
func FuzzForeign(f *testing.F) {
	for _, seed := range []string{
		`{"id":"https://a.example/1","type":"Event","name":"F","startTime":"2026-05-02T10:00:00+02:00","endTime":"2026-05-02","timezone":"Europe/Paris","status":"TENTATIVE","location":{"type":"Place","latitude":48.0,"longitude":"-4","address":{"addressLocality":"Brest"}}}`,
		`{"id":"https://a.example/1","type":"Note","content":"<p>a</p>","tag":{"type":"Hashtag","name":"#a"},"attachment":[{"type":"Document","mediaType":"image/png","url":"https://a.example/1","name":"a"}]}`,
		`{"id":"https://a.example/1","type":"Video","name":["F"],"attributedTo":[{"id":"https://a.example/u"}],"url":[{"href":"https://a.example/2","mediaType":"text/html"}],"mediaType":"text/markdown","content":"*a*"}`,
		`{"id":"https://a.example/1","type":"Page","nameMap":{"en":"F"},"language":{"identifier":"br"},"license":"https://creativecommons.org/licenses/by/4.0/"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		d, err := wire.Parse(raw, wire.Fetched)
		if err != nil {
			return
		}
		o := ReadForeign(d.Root())
		if id, err := essaim.ParseIRI(o.ID); err == nil {
			if page, err := essaim.ParseIRI(o.URL); err != nil || !page.SameOrigin(id) {
				t.Errorf("page %q of %q", o.URL, o.ID)
			}
		}
		p, ok := o.Proposal("https://a.example/u")
		if !ok {
			return
		}
		for _, agreed := range []string{"", "cc-by-4.0"} {
			c := p.Candidate("A", agreed, time.Unix(0, 0))
			for field, why := range c.Validate(false) {
				// The address of what has none is not asked of the reader.
				if !strings.HasPrefix(field, "sources.") {
					t.Errorf("%s: %s: %s", raw, field, why)
				}
			}
			if !essaim.Reusable(c.Licence) && (utf8.RuneCountInString(c.Text) > essaim.QuoteLimit+2 || len(c.Images) > 0) {
				t.Errorf("%s: %q is more than a quotation", raw, c.Text)
			}
		}
	})
}
