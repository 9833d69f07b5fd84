// SPDX-License-Identifier: AGPL-3.0-or-later

package vocab

import (
	"time"

	"essaim"
)

// relationship says that one record was derived from another.
type relationship struct {
	ID           iri  `json:"id"`
	Type         text `json:"type"`
	Subject      iri  `json:"subject"`
	Relationship iri  `json:"relationship"`
	Object       iri  `json:"object"`
}

// Offer tells the territory of a record that it was adapted.
func (r *Renderer) Offer(id, actor, to, child, parent string, at time.Time) ([]byte, error) {
	doc, err := encode(relationship{
		ID: iri(child + "#adaptation"), Type: "Relationship", Subject: iri(child), Relationship: essaim.RelationDerived, Object: iri(parent),
	})
	if err != nil {
		return nil, err
	}
	return r.Build(Activity{ID: id, Type: "Offer", Actor: actor, Document: doc, To: []string{to}, Published: at})
}

// AcceptOffer acknowledges an Offer, named by what names it: the rest of it is
// its sender's to choose, and ours to sign.
func (r *Renderer) AcceptOffer(id, actor, to, offer string) ([]byte, error) {
	named, err := encode(struct {
		ID    iri  `json:"id"`
		Type  text `json:"type"`
		Actor iri  `json:"actor"`
	}{iri(offer), "Offer", iri(to)})
	if err != nil {
		return nil, err
	}
	return r.Build(Activity{ID: id, Type: "Accept", Actor: actor, Document: named, To: []string{to}})
}
