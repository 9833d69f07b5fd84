// SPDX-License-Identifier: AGPL-3.0-or-later

package vocab

import "essaim"

// venueTerms are the properties of an Article of kind venue. What it hosts and
// what it is within are relations, in the head.
type venueTerms struct {
	Services     texts `json:"essaim:services,omitempty"`
	OpeningHours texts `json:"essaim:openingHours,omitempty"`
	Access       text  `json:"essaim:access,omitempty"`
}

func (t *venueTerms) fill(rec *essaim.Record) {
	b := rec.Body.(*essaim.Venue)
	*t = venueTerms{Services: b.Services, OpeningHours: b.OpeningHours, Access: text(b.Access)}
}

func (t *venueTerms) body(*head) essaim.Body {
	return &essaim.Venue{Services: t.Services, OpeningHours: t.OpeningHours, Access: string(t.Access)}
}

func (t *venueTerms) tell(p *page) {
	p.list(label{"On y trouve", "What one finds there"}, t.Services)
	p.list(label{"Horaires", "Opening hours"}, t.OpeningHours)
	p.markup(label{"Accès", "Getting there"}, string(t.Access))
}
