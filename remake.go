// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import "slices"

// Remake tells how something published was done again elsewhere (reprise,
// « Nous l'avons refait »): the light form of an adaptation. What was remade is
// a relation.
type Remake struct {
	Outcome string `json:"outcome,omitempty"` // ListOutcome
	On      string `json:"on,omitempty"`      // partial date
	Changes string `json:"changes,omitempty"` // what was done otherwise, Markdown
	Advice  string `json:"advice,omitempty"`  // tips for the next ones, Markdown: shown on what was remade
}

// Kind implements Body.
func (*Remake) Kind() Kind { return KindRemake }

// Validate implements Body.
func (b *Remake) Validate(p Problems, publish bool) {
	p.oneOf("body.outcome", ListOutcome, b.Outcome)
	if publish && b.Outcome == "" {
		p.Add("body.outcome", "required")
	}
	p.partialDate("body.on", b.On)
	p.within("body.changes", b.Changes, 20_000)
	p.within("body.advice", b.Advice, 20_000)
}

// remakes tells whether a content says what it remakes.
func (c *Content) remakes() bool {
	return slices.ContainsFunc(c.Relations, func(r Relation) bool { return r.Type == RelationRemakes })
}
