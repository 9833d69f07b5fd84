// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

const takenObject = "https://blog.example/@ana/1"

// quotedVersion is what is kept of an object without a licence.
func quotedVersion(title, text string, untitled bool) Content {
	return Proposal{
		Object: takenObject, Author: "https://blog.example/@ana", URL: "https://blog.example/@ana/1.html", Untitled: untitled,
		Content: Content{Kind: KindInitiative, Title: title, Text: text, Body: &Initiative{}},
	}.Candidate("L’autrice", "", time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC))
}

func TestWhatWasOnlyQuotedIsTakenOutAndNothingElse(t *testing.T) {
	t.Parallel()
	long := "Un four à pain partagé ouvre samedi au fond de la cour des voisins, avec de la farine du moulin."
	made := quotedVersion("Le four", long, false)
	other := Source{URL: "https://ville.example/fours", Name: "La ville"}
	for name, c := range map[string]struct {
		made  Content
		write func(*Content)
		want  Content // title, tagline, text, holder, sources
	}{
		"as it came": {made, func(*Content) {}, Content{Title: "Le four"}},
		"with words before and after": {
			made, func(c *Content) { c.Text = "Nous y étions.\n\n" + c.Text + "\n\nRevenez." },
			Content{Title: "Le four", Text: "Nous y étions.\n\nRevenez."},
		},
		"without its mark": {made, func(c *Content) { c.Text = strings.TrimPrefix(c.Text, "> ") }, Content{Title: "Le four"}},
		"shortened":        {made, func(c *Content) { c.Text = "> Un four à pain partagé ouvre samedi…\n\nÀ voir." }, Content{Title: "Le four", Text: "À voir."}},
		"inside a sentence": {
			made, func(c *Content) { c.Text = "Elle écrit : " + long + " Nous aussi." },
			Content{Title: "Le four", Text: "Elle écrit :  Nous aussi."},
		},
		"as the tagline": {made, func(c *Content) { c.Tagline, c.Text = long, "" }, Content{Title: "Le four"}},
		"another title, holder and source": {
			made, func(c *Content) { c.Title, c.Holder, c.Sources = "Notre four", "L’autrice", append(c.Sources, other) },
			Content{Title: "Notre four", Sources: []Source{other}},
		},
		"a source whose key is lost": {made, func(c *Content) { c.Sources[0].Key = "" }, Content{Title: "Le four"}},
		"short words that anybody writes": {
			quotedVersion("Le four", "samedi", false), func(c *Content) { c.Text = "Ouvert samedi et dimanche" },
			Content{Title: "Le four", Text: "Ouvert samedi et dimanche"},
		},
		"a title that is the text":              {quotedVersion("Un four ouvre", "Un four ouvre", true), func(*Content) {}, Content{Title: TitleTakenBack}},
		"a title that is its beginning":         {quotedVersion("Un four à pain partagé…", long, true), func(*Content) {}, Content{Title: TitleTakenBack}},
		"a title that the text begins with too": {quotedVersion("Un four à pain", long, false), func(*Content) {}, Content{Title: "Un four à pain"}},
		"a title that people gave":              {quotedVersion("Un four ouvre", "Un four ouvre", true), func(c *Content) { c.Title = "Le nôtre" }, Content{Title: "Le nôtre"}},
		"nothing of it is left": {
			made, func(c *Content) { c.Text, c.Sources = "Tout de nous.", []Source{other} },
			Content{Title: "Le four", Text: "Tout de nous.", Sources: []Source{other}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now := c.made
			now.Sources = append([]Source(nil), c.made.Sources...)
			c.write(&now)
			got := now.WithoutQuotation(takenObject, []Content{c.made})
			said := func(c Content) []any {
				return []any{c.Title, c.Tagline, c.Text, c.Holder, append([]Source{}, c.Sources...)}
			}
			if got, want := said(got), said(c.want); !reflect.DeepEqual(got, want) {
				t.Errorf("got  %q\nwant %q", got, want)
			}
			if again := got.WithoutQuotation(takenObject, []Content{c.made}); !reflect.DeepEqual(said(again), said(got)) {
				t.Errorf("twice it is %q", said(again))
			}
		})
	}
}
