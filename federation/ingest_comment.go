// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"html"
	"strings"

	"essaim"
	"essaim/federation/vocab"
	"essaim/federation/wire"
	"essaim/web/markup"
)

// Bounds of a comment, in characters of its plain text and its warning. A longer text
// loses its form and its end; the original is a link away.
const (
	maxComment = 10_000
	maxWarning = 500
)

// comment takes an answer to a record, or to another comment. Whether what it
// answers is here, and whether it waits for a moderator, is for the store to
// see.
func (r *reader) comment(o *wire.Object, reply essaim.IRI) error {
	switch o.Type {
	case "Note", "Article", "Page":
	default:
		return nothingToDo("an answer that is no text")
	}
	content, language := readComment(o.Value)
	content, plain := markup.Short(content, maxComment)
	if plain == "" {
		return nothingToDo("an answer without words")
	}
	published, ok := o.Value.Get("published").Time()
	if !ok {
		published = r.in.ReceivedAt
	}
	updated, _ := o.Value.Get("updated").Time()
	return r.does(essaim.HoldComment{
		ID: o.ID.String(), Actor: r.in.Actor, InReplyTo: r.subject(reply), URL: pageAddress(o), Content: content,
		Excerpt: strings.ReplaceAll(plain, "\n", " "), Warning: warning(o), Language: language,
		Published: published, Updated: updated, Policy: r.Comments,
	})
}

// refuseLetter keeps nothing of what is not public: nobody reads private letters
// here. What its author had published under the same id goes with it.
func (r *reader) refuseLetter(o *wire.Object) error {
	return r.does(essaim.EraseComment{ID: o.ID.String(), Actor: r.in.Actor})
}

// isPublicNote tells whether an answer is for everyone: what it says of itself
// counts, the activity around it only when it says nothing.
func isPublicNote(a *wire.Activity) bool {
	if a.Object.Value.Get("to").Present() || a.Object.Value.Get("cc").Present() {
		return wire.IsPublic(a.Object.Value)
	}
	return a.IsPublic()
}

// readComment is the sanitized text of an answer and its language: French when
// it is there, else as the author wrote it. Where no map tells the language of
// the text, the document may (Lemmy, Akkoma). The title of a long text comes
// first.
func readComment(v wire.Value) (content, language string) {
	text := wire.TextOf(v, "content")
	content = text.In("fr")
	for tag, in := range text.ByTag {
		if in == content && vocab.IsLanguage(tag) && (language == "" || tag == "fr" || language != "fr" && tag < language) {
			language = tag
		}
	}
	if language == "" {
		language = vocab.DeclaredLanguage(v)
	}
	if name := strings.TrimSpace(wire.TextOf(v, "name").In(language)); name != "" {
		content = "<p><strong>" + html.EscapeString(name) + "</strong></p>" + content
	}
	return markup.Sanitize(content), language
}

// warning is what a Note wants shown in place of its text. The summary of a
// longer text is a part of it.
func warning(o *wire.Object) string {
	if o.Type != "Note" {
		return ""
	}
	return cut(strings.ReplaceAll(markup.Plain(wire.TextOf(o.Value, "summary").In("fr")), "\n", " "), maxWarning)
}

// pageAddress is the address for people that an object gives, on its own
// origin: else its id.
func pageAddress(o *wire.Object) string {
	for e := range o.Value.Get("url").Elements() {
		iri, ok := e.IRI()
		if !ok {
			iri, ok = e.Get("href").IRI()
		}
		if ok && iri.SameOrigin(o.ID) {
			return iri.String()
		}
	}
	return o.ID.String()
}
