// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import "strconv"

// Credit names who stands behind a record: its carriers, ambassadors, partners,
// funders. Organisations are named by whoever writes; a natural person appears
// only by consent.
type Credit struct {
	Name  string `json:"name"`
	Actor string `json:"actor,omitempty"` // actor IRI, when it has one
	Kind  string `json:"kind,omitempty"`  // ListActor
	Role  string `json:"role"`            // ListRole
	// FromStage and ToStage say from when to when, in stages of the initiative.
	FromStage string `json:"fromStage,omitempty"`
	ToStage   string `json:"toStage,omitempty"`
	Since     string `json:"since,omitempty"` // partial date
	// Person marks a natural person.
	Person  bool     `json:"person,omitempty"`
	Consent *Consent `json:"consent,omitempty"`
}

// Consent is what a natural person agreed to: when, how, and which fields may
// be shown. It stays with the node; documents never carry it.
type Consent struct {
	On     string   `json:"on"`     // date
	How    string   `json:"how"`    // "link" (accepted by link) or "self" (added herself)
	Fields []string `json:"fields"` // "name", "role", …
}

// Shown tells whether the name may appear. What may not reads « portée par une
// personne du quartier ».
func (c Credit) Shown() bool {
	return !c.Person || c.Consent != nil && c.Consent.On != ""
}

// PublicCredits are the credits that may leave the node, without their consent.
func (c *Content) PublicCredits() []Credit {
	var out []Credit
	for _, cr := range c.Credits {
		if cr.Shown() {
			cr.Consent = nil
			out = append(out, cr)
		}
	}
	return out
}

func (c *Content) validatePeople(p Problems) {
	p.atMost("credits", len(c.Credits), 100)
	for i, cr := range c.Credits {
		at := "credits." + strconv.Itoa(i)
		p.required(at+".name", cr.Name, 200)
		if cr.Role == "" {
			p.Add(at+".role", "required")
		}
		p.oneOf(at+".role", ListRole, cr.Role)
		p.oneOf(at+".kind", ListActor, cr.Kind)
		p.oneOf(at+".fromStage", ListStage, cr.FromStage)
		p.oneOf(at+".toStage", ListStage, cr.ToStage)
		p.partialDate(at+".since", cr.Since)
		p.webAddress(at+".actor", cr.Actor)
		if cr.Consent != nil {
			p.partialDate(at+".consent.on", cr.Consent.On)
		}
	}
}
