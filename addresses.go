// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import "time"

// Address is where a published record stands, without what it says.
type Address struct {
	Kind     Kind
	Origin   string // host; empty for a local record
	Slug     string
	Updated  time.Time
	Position int64 // among the records, by their latest change
}

// AddressPart is a run of published records in the order of their latest change.
type AddressPart struct {
	From    int64     // position of the first
	Updated time.Time // of the last
}
