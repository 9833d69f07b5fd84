// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// QuoteLimit is how many characters of a text are quoted whose author declared
// no licence of our table and was not asked.
const QuoteLimit = 300

// Proposal is something published elsewhere that could become a record here:
// its whole content, of which Candidate says how much may be kept.
type Proposal struct {
	// Object is its id, Author the actor that wrote it.
	Object string
	Author string
	// Content has no source yet; its licence is the one that the document
	// declares, empty when it declares none of our table.
	Content   Content
	URL       string // of its page
	Published time.Time
	Updated   time.Time
	// Untitled says that the title is the text's beginning.
	Untitled bool
}

// Candidate is what may be kept of a proposal. name is its author's, agreed the
// licence under which the author lets us keep the whole, empty if none. Without
// agreement or a licence that allows reuse this is the title, the address, the
// author, the dates, the place and a quotation (article L. 122-5 of the French
// code of intellectual property): no picture, no keyword, no tagline.
func (p Proposal) Candidate(name, agreed string, at time.Time) Content {
	c := p.Content
	source := Source{URL: p.URL, Name: oneName(name, p.Object), Fetched: at.UTC().Format(time.DateOnly), Key: p.Object}
	if !p.Published.IsZero() {
		source.Name += ", " + p.Published.UTC().Format(time.DateOnly)
	}
	c.Sources = []Source{source}
	if c.Licence == "" {
		c.Licence = agreed
	}
	if Reusable(c.Licence) {
		c.Holder = cmp.Or(c.Holder, name)
		c.Images = slices.DeleteFunc(slices.Clone(c.Images), func(i Image) bool { return i.Licence != "" && !Reusable(i.Licence) })
		return c
	}
	left := QuoteLimit
	if p.Untitled {
		left -= utf8.RuneCountInString(c.Title)
	}
	quoted := cmp.Or(c.Text, c.Tagline)
	c.Text = ""
	if quote := Excerpt(quoted, left); quote != "" {
		c.Text = "> " + quote
	}
	c.Tagline, c.Keywords, c.Images, c.Holder = "", nil, nil, ""
	return c
}

// As is a content as another kind's: what both have stays, the rest is for people
// to write.
func (c Content) As(kind Kind) Content {
	c.Kind, c.Body = kind, nil
	if info, ok := kind.Info(); ok {
		c.Body = info.Body()
	}
	return c
}

// oneName is how a source is named: its author and the host.
func oneName(name, object string) string {
	host := object
	if iri, err := ParseIRI(object); err == nil {
		host = iri.Host()
	}
	if name == "" {
		return host
	}
	return name + " (" + host + ")"
}

// Excerpt is the beginning of a text in one line, cut at a word, of at most limit
// characters with its ellipsis.
func Excerpt(text string, limit int) string {
	text = strings.Join(strings.Fields(text), " ")
	if utf8.RuneCountInString(text) <= limit {
		return text
	}
	if limit < 2 {
		return ""
	}
	cut := string([]rune(text)[:limit-1])
	if i := strings.LastIndexByte(cut, ' '); i > len(cut)/2 {
		cut = cut[:i]
	}
	return cut + "…"
}

// Candidate is something published elsewhere that waits for a moderator, or that
// was taken over.
type Candidate struct {
	Record    string   `json:"record"`            // id of the record made of it
	State     State    `json:"state,omitempty"`   // of that record; empty once it was removed
	Content   *Content `json:"content,omitempty"` // of that record
	Missing   Problems `json:"missing,omitempty"` // what keeps it from being published
	BroughtBy string   `json:"broughtBy"`         // account or node followed
	Announce  string   `json:"announce,omitempty"`
}

// Followed is an account elsewhere that the node follows for what it publishes:
// a blog, an agenda, a channel.
type Followed struct {
	Actor      string // id
	Handle     string // user@host
	Name       string
	URL        string
	Inbox      string
	State      PeerState // PeerRequested, PeerFollowed or PeerRefused
	FollowID   string
	FollowedAt time.Time
	// Agreed is the licence under which its author lets whole texts and pictures
	// be kept; empty when nobody asked.
	Agreed     string
	Candidates int // that it brought
}

// Wanted is an object to be fetched from its origin.
type Wanted struct {
	Want
	Attempt int // claims so far, this one included
	// Rest is how long nothing more is fetched from its host, once this was.
	Rest time.Duration
}
