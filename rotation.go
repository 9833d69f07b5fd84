// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import "time"

// Rotation is a change of this node's keys.
type Rotation struct {
	Old string    `json:"old"` // Ed25519, as published
	New string    `json:"new"`
	At  time.Time `json:"at"`
	// Statement introduces the new key, signed by the old one.
	Statement []byte `json:"statement"`
}

// ResignFunc signs a document of this node by its present key: the same content
// with a new proof. Rendered has its document and digests. A record that the key
// signed already comes back as it is; ErrInvalid is for what is no document of this
// node.
type ResignFunc func(document []byte) (Rendered, error)
