// SPDX-License-Identifier: AGPL-3.0-or-later

package proof

import (
	"crypto/ed25519"
	"encoding/json"
	"fmt"

	"essaim"
)

// VerifyOwned checks that one of keys proves the document in the name of its
// owner, and returns that key. The owner is the actor of an activity, whom an
// object is attributed to, or an actor itself; the proof's verificationMethod is
// a key of it, and both share the origin of the document's id (FEP-8b32,
// FEP-fe34). That the keys are the owner's is for the caller to know. Errors are
// those of Verify; a key or an owner of another origin gives ErrInvalid.
func VerifyOwned(doc []byte, keys ...ed25519.PublicKey) (ed25519.PublicKey, error) {
	return Of(doc).VerifyOwned(keys...)
}

// checkOwner holds the proof's key to the document's owner.
func (p Proof) checkOwner(list []member) error {
	method, err := essaim.ParseIRI(p.VerificationMethod)
	if err != nil {
		return fmt.Errorf("%w: verificationMethod: %w", ErrInvalid, err)
	}
	if id := find(list, "id"); id != nil {
		iri, err := essaim.ParseIRI(reference(id.value))
		if err != nil || !iri.SameOrigin(method) {
			return fmt.Errorf("%w: key of another origin than the document", ErrInvalid)
		}
	}
	by := method.WithoutFragment()
	for _, o := range owners(list) {
		owner, err := essaim.ParseIRI(o)
		if err == nil && owner == by {
			return nil
		}
	}
	return fmt.Errorf("%w: %s is no key of the document's owner", ErrInvalid, method)
}

// owners are who may prove a document: its actor when it is an activity, else
// those whom it is attributed to, else itself.
func owners(list []member) []string {
	actor, object := find(list, "actor"), find(list, "object")
	if actor != nil && object != nil {
		return references(actor.value)
	}
	for _, name := range [...]string{"attributedTo", "actor", "id"} {
		if m := find(list, name); m != nil {
			return references(m.value)
		}
	}
	return nil
}

// references are the ids in a value: one, or a list of them.
func references(raw json.RawMessage) []string {
	var ids []string
	for _, item := range items(raw) {
		if id := reference(item); id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// reference is an id, given as text or as the object that has it.
func reference(raw json.RawMessage) string {
	if s, err := textOf(raw); err == nil {
		return s
	}
	var o struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(raw, &o) != nil {
		return ""
	}
	return o.ID
}
