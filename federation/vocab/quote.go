// SPDX-License-Identifier: AGPL-3.0-or-later

package vocab

import (
	"encoding/json"
	"time"
)

// stamp is a QuoteAuthorization (FEP-044f): its author lets one post quote one
// object. It embeds neither.
type stamp struct {
	Context      json.RawMessage `json:"@context"`
	ID           iri             `json:"id"`
	Type         text            `json:"type"`
	AttributedTo iri             `json:"attributedTo"`
	Post         iri             `json:"interactingObject"`
	Target       iri             `json:"interactionTarget"`
}

// Stamp makes the document by which a post may quote an object of author, with
// author's proof.
func (r *Renderer) Stamp(id, author, post, object string, at time.Time) ([]byte, error) {
	doc, err := encode(stamp{
		Context: quoteContext, ID: iri(id), Type: "QuoteAuthorization", AttributedTo: iri(author), Post: iri(post), Target: iri(object),
	})
	if err != nil {
		return nil, err
	}
	signed, err := r.sign(doc, author, at)
	return signed.Bytes, err
}

// QuoteRequest is what an answer to one names: the rest of it is its sender's
// to choose, and ours to sign.
type QuoteRequest struct{ ID, Actor, Object, Post string }

// AcceptQuote answers a QuoteRequest; stamp is the address of what it grants.
func (r *Renderer) AcceptQuote(id, actor string, q QuoteRequest, stamp string) ([]byte, error) {
	named, err := encode(struct {
		ID     iri  `json:"id"`
		Type   text `json:"type"`
		Actor  iri  `json:"actor"`
		Object iri  `json:"object"`
		Post   iri  `json:"instrument"`
	}{iri(q.ID), "QuoteRequest", iri(q.Actor), iri(q.Object), iri(q.Post)})
	if err != nil {
		return nil, err
	}
	return r.Build(Activity{ID: id, Type: "Accept", Actor: actor, Document: named, To: []string{q.Actor}, Result: stamp, context: quoteContext})
}

// Ignore answers a Join that is not taken over ActivityPub, named by its id
// (FEP-8a8e).
func (r *Renderer) Ignore(id, actor, to, join string) ([]byte, error) {
	return r.Build(Activity{ID: id, Type: "Ignore", Actor: actor, Object: join, To: []string{to}})
}
