// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// TitleTakenBack stands in place of a title that was the beginning of a text that its
// author deleted, until somebody gives another.
const TitleTakenBack = "Titre retiré"

// knownAgain is from how many characters on the words of a quotation are known
// among others. Shorter ones anybody may have written.
const knownAgain = 40

// WithoutQuotation is a content without what it only quoted of an object elsewhere
// that its author deleted: the source, which names the author and leads to the
// object, and the quotation where its words still stand, title included when it
// was made of them. made are the versions that were made of the object. What
// people wrote stays, and the facts: what it is called, when and where.
func (c Content) WithoutQuotation(object string, made []Content) Content {
	var pages, authors, quotes []string
	for i := range made {
		for _, s := range made[i].Sources {
			if s.Key == object {
				author, _, _ := strings.Cut(s.Name, " (")
				pages, authors = append(pages, s.URL), append(authors, author)
			}
		}
		quoted, ok := strings.CutPrefix(made[i].Text, "> ")
		if quoted = bareWords(quoted); !ok || quoted == "" {
			continue
		}
		quotes = append(quotes, quoted)
		// A title that is all of the text, or its beginning cut short, is quoted too.
		if title := bareWords(made[i].Title); title == bareWords(c.Title) && (title == quoted || title != made[i].Title && strings.HasPrefix(quoted, title)) {
			c.Title = TitleTakenBack
		}
	}
	c.Sources = slices.DeleteFunc(slices.Clone(c.Sources), func(s Source) bool {
		return s.Key == object || s.URL != "" && slices.Contains(pages, s.URL)
	})
	if slices.Contains(authors, c.Holder) {
		c.Holder = ""
	}
	c.Text, c.Tagline = withoutWords(c.Text, quotes), withoutWords(c.Tagline, quotes)
	return c
}

// withoutWords takes quotations out of a text, line by line: a line that says a part
// of one, and one inside other words.
func withoutWords(text string, quotes []string) string {
	var kept []string
	for _, line := range strings.Split(text, "\n") {
		words, marked := strings.CutPrefix(strings.TrimSpace(line), ">")
		words = bareWords(words)
		quoted := false
		for _, q := range quotes {
			switch {
			case words != "" && strings.Contains(q, words) && (marked || words == q || utf8.RuneCountInString(words) >= knownAgain):
				quoted = true
			case utf8.RuneCountInString(q) >= knownAgain:
				line = strings.ReplaceAll(line, q, "")
			}
		}
		if !quoted {
			kept = append(kept, line)
		}
	}
	out := strings.Join(kept, "\n")
	if out == text {
		return text
	}
	for strings.Contains(out, "\n\n\n") {
		out = strings.ReplaceAll(out, "\n\n\n", "\n\n")
	}
	return strings.TrimSpace(out)
}

// bareWords is a text without the mark that it is cut.
func bareWords(s string) string {
	return strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(s), "…"))
}
