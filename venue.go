// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

// Venue is a place where things happen (lieu). What it hosts and the place
// around it are relations.
type Venue struct {
	Services []string `json:"services,omitempty"` // free words: what one finds there
	// OpeningHours is schema.org text, one rule an item: "Mo,Tu 09:00-12:00".
	OpeningHours []string `json:"openingHours,omitempty"`
	Access       string   `json:"access,omitempty"` // how to come, accessibility; Markdown
}

// Kind implements Body.
func (*Venue) Kind() Kind { return KindVenue }

// Validate implements Body.
func (b *Venue) Validate(p Problems, _ bool) {
	p.words("body.services", b.Services)
	p.atMost("body.openingHours", len(b.OpeningHours), 50)
	for _, h := range b.OpeningHours {
		if !validOpeningHours(h) {
			p.Add("body.openingHours", "bad_hours")
		}
	}
	p.within("body.access", b.Access, 5_000)
}
