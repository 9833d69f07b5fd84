// SPDX-License-Identifier: AGPL-3.0-or-later

package vocab

import "essaim"

// remakeTerms are the properties of a Note of kind remake. What was remade is a
// relation, in the head.
type remakeTerms struct {
	StartTime moment `json:"startTime,omitzero"`
	On        text   `json:"essaim:on,omitempty"`
	Outcome   text   `json:"essaim:outcome,omitempty"`
	Changes   text   `json:"essaim:changes,omitempty"`
	Advice    text   `json:"essaim:advice,omitempty"`
}

func (t *remakeTerms) fill(rec *essaim.Record) {
	b := rec.Body.(*essaim.Remake)
	*t = remakeTerms{StartTime: periodStart(b.On), On: text(b.On), Outcome: text(b.Outcome), Changes: text(b.Changes), Advice: text(b.Advice)}
}

func (t *remakeTerms) body(*head) essaim.Body {
	return &essaim.Remake{On: known(t.On, t.StartTime), Outcome: string(t.Outcome), Changes: string(t.Changes), Advice: string(t.Advice)}
}

func (t *remakeTerms) tell(p *page) {
	p.terms(label{"Résultat", "Outcome"}, essaim.ListOutcome, string(t.Outcome))
	p.line(label{"Quand", "When"}, string(t.On))
	p.markup(label{"Ce qui a changé", "What changed"}, string(t.Changes))
	p.markup(label{"Conseils", "Advice"}, string(t.Advice))
}
