// SPDX-License-Identifier: AGPL-3.0-or-later

package vocab

import (
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"time"

	"essaim"
	"essaim/federation/proof"
)

// keyStatement introduces a key of a node.
type keyStatement struct {
	Context   json.RawMessage `json:"@context"`
	Actor     iri             `json:"actor"`
	OldKey    text            `json:"essaim:oldKey"`
	NewKey    text            `json:"essaim:newKey"`
	Published moment          `json:"published"`
}

// Introduce makes the statement by which this node's present key introduces
// another (replication.md, "keys continue").
func (r *Renderer) Introduce(next ed25519.PublicKey, at time.Time) (essaim.Rotation, error) {
	change := essaim.Rotation{Old: r.multikey, New: proof.EncodeMultikey(next), At: at.UTC().Truncate(time.Second)}
	doc, err := encode(keyStatement{
		Context: tombstoneTerms, Actor: iri(r.NodeActor()), OldKey: text(change.Old), NewKey: text(change.New), Published: utc(change.At),
	})
	if err != nil {
		return change, err
	}
	signed, err := r.sign(doc, r.NodeActor(), change.At)
	change.Statement = signed.Bytes
	return change, err
}

// Resign is the essaim.ResignFunc of this node.
func (r *Renderer) Resign(document []byte) (essaim.Rendered, error) {
	out, err := r.again(document)
	if err != nil {
		return essaim.Rendered{}, fmt.Errorf("sign again: %w: %w", essaim.ErrInvalid, err)
	}
	return essaim.Rendered{Document: out.Bytes, ContentDigest: out.ContentDigest, CopyDigest: out.CopyDigest}, nil
}

func (r *Renderer) again(document []byte) (proof.Signed, error) {
	list, err := proof.Members(document)
	// An activity carries another document, which may be by the keys before.
	if _, carries := list["object"]; err == nil && !carries && r.Signed(document) {
		return proof.Held(document)
	}
	return proof.Again(document, r.base, r.key, r.clock())
}
