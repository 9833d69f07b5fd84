// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import (
	"fmt"
	"time"
)

// ErrDamaged means that what is kept under an id of this node is not the bytes that
// were signed, or nothing: it is served again once it is mended.
var ErrDamaged = fmt.Errorf("not the bytes that were signed: %w", ErrUnavailable)

// Stored is a document as it is served: the bytes that were signed.
type Stored struct {
	Bytes []byte
	// Digest is the copy digest that was noted when they were signed; empty for
	// documents that have none.
	Digest  string
	ETag    string // without quotes
	PageURL string // of the record's page, for browsers; empty for activities
	Updated time.Time
	// Gone is set for a withdrawn record: Bytes is its Tombstone.
	Gone bool
}

// Totals are the sizes of the collections of one local actor, and of the node.
type Totals struct {
	Published int // records now public; for the node's own actor those of all actors
	Followers int
	Following int
	Users     int // accounts of the node
	Comments  int // shown comments
}
