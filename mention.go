// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Mention is an account elsewhere that a text names by its handle, and the
// actor that WebFinger found for it.
type Mention struct {
	Handle string `json:"handle"` // as Handle.String writes it
	Actor  string `json:"actor"`  // IRI
}

// MaxMentions is how many accounts a record may call: more is a mailing.
const MaxMentions = 10

// written is a handle in a text: after a space or a mark, and not part of an
// address or of a mail address.
var written = regexp.MustCompile(`(^|[^A-Za-z0-9_@./-])@([A-Za-z0-9_]+(?:[.-]+[A-Za-z0-9_]+)*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+(?::[0-9]+)?)`)

// FindHandles gives the places of the handles in a text, as pairs of byte
// offsets.
func FindHandles(text string) [][2]int {
	var places [][2]int
	for _, m := range written.FindAllStringSubmatchIndex(text, -1) {
		if _, err := ParseHandle(text[m[4]:m[5]]); err == nil {
			places = append(places, [2]int{m[3], m[5]})
		}
	}
	return places
}

// Handles lists the accounts that a content's text names, each once. The title
// and the tagline name nobody: they are name and summary of the document, which
// others show as a title or a subject line, without links (vocabulary.md). In
// the other fields a handle is a link where the text names it too.
func (c *Content) Handles() []Handle {
	var list []Handle
	for _, at := range FindHandles(c.Text) {
		h, err := ParseHandle(c.Text[at[0]:at[1]])
		if err == nil && len(list) < MaxMentions && !slices.ContainsFunc(list, h.Same) {
			list = append(list, h)
		}
	}
	return list
}

// Same tells whether two handles name one account, whatever their case.
func (h Handle) Same(other Handle) bool {
	return h.Host == other.Host && strings.EqualFold(h.User, other.User)
}

// Mentioned is the mention of a handle as it stands in a text.
func Mentioned(list []Mention, text string) (Mention, bool) {
	h, err := ParseHandle(text)
	if err != nil {
		return Mention{}, false
	}
	for _, m := range list {
		if known, err := ParseHandle(m.Handle); err == nil && known.Same(h) {
			return m, true
		}
	}
	return Mention{}, false
}

func (c *Content) validateMentions(p Problems) {
	p.atMost("mentions", len(c.Mentions), MaxMentions)
	for i, m := range c.Mentions {
		at := "mentions." + strconv.Itoa(i)
		p.required(at+".actor", m.Actor, 2000)
		p.webAddress(at+".actor", m.Actor)
		if h, err := ParseHandle(m.Handle); err != nil || h.User == "" {
			p.Add(at+".handle", "unknown")
		}
	}
}
