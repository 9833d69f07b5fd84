// SPDX-License-Identifier: AGPL-3.0-or-later

package vocab

import (
	"html"
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

// Notice tells a node that a record, of whatever territory, is withdrawn here, in
// the version of a content digest, and why: for its moderators to read and to
// decide (docs/PROFILE.md, "Withdrawing locally").
func (r *Renderer) Notice(id, actor, to, record, digest, reason string, at time.Time) ([]byte, error) {
	return r.Build(Activity{
		ID: id, Type: "Flag", Actor: actor, Object: record, To: []string{to}, Published: at,
		Content: html.EscapeString(reason), Withdrawn: digest, context: tombstoneTerms,
	})
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
