// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import "time"

// Withdrawal is a local tombstone: this node shows a record of another territory no
// more, for a reason of its own. It wins over whatever brings the record again,
// whoever that is, until it is lifted; the origin's record stays the origin's.
type Withdrawal struct {
	ID string `json:"id"`
	// Origin is the host of whose record it is.
	Origin string `json:"origin"`
	// Digest is the content digest of the version that was held.
	Digest string    `json:"digest"`
	At     time.Time `json:"at"`
	// Item is its number among what moderators decide about.
	Item int64 `json:"item"`
}
