// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import "time"

// Stored is a document as it is served: the bytes that were signed.
type Stored struct {
	Bytes   []byte
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
