// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import (
	"cmp"
	"time"
)

// VerifiedCopy is a document of a node as another node holds it, whose proof by a
// key of its own node was checked here.
type VerifiedCopy struct {
	ID       string
	Actor    string // its author; for an actor itself
	Sort     CopySort
	Document []byte // the exact bytes
	// ContentDigest names the version, CopyDigest the bytes, proof included; both
	// computed from them.
	ContentDigest string
	CopyDigest    string
	// Version is which one of a record it is. Of an actor and a tombstone only
	// Updated says so, zero when the document does not.
	Version RecordVersion
	Updated time.Time
}

// CopySort is what stands in a node's commons.
type CopySort string

// Records, the actors that write, and what is left of either.
const (
	CopyRecord    CopySort = "record"
	CopyActor     CopySort = "actor"
	CopyTombstone CopySort = "tombstone"
)

// RecordVersion is a place in the history of a record. Pairs compare as pairs.
type RecordVersion struct {
	Incarnation int64
	Revision    int64
}

// Version is the place of what a record says in its history.
func (r *Record) Version() RecordVersion { return RecordVersion{r.Incarnation, int64(r.Revision)} }

// Compare orders by incarnation, then by revision.
func (v RecordVersion) Compare(o RecordVersion) int {
	return cmp.Or(cmp.Compare(v.Incarnation, o.Incarnation), cmp.Compare(v.Revision, o.Revision))
}

// HeldCopy is what is held already under an id; the zero value for nothing.
type HeldCopy struct {
	Gone       bool // a tombstone stands
	CopyDigest string
	Version    RecordVersion
}

// Wants tells whether a copy may say more than what is held: nothing but a tombstone
// follows a tombstone, and a version only one that is older. How new an actor is,
// is for who writes it to see.
func (h HeldCopy) Wants(c *VerifiedCopy) bool {
	switch {
	case h.CopyDigest == c.CopyDigest:
		return false
	case c.Sort == CopyTombstone:
		return !h.Gone || h.CopyDigest == ""
	case h.Gone:
		return false
	case h.CopyDigest == "":
		return true
	case c.Sort == CopyRecord:
		return c.Version.Compare(h.Version) > 0
	}
	return true
}

// CopiesPage is what a page of the copies that a node holds of another comes to.
type CopiesPage struct {
	// Heads are the latest of the node whose copies they are, proven by its key,
	// the newest first.
	Heads  []CommonsHead
	Copies []VerifiedCopy
	// Refused are items that prove nothing; Held how many were left out because
	// what is held says as much.
	Refused []RefusedCopy
	Held    int
	Cursor  string // up to where everything was read
	More    bool
}

// RefusedCopy is an item that was not believed, and why.
type RefusedCopy struct{ ID, Reason string }

// CopyCheck is what another node was found to hold of this one, or of a third.
type CopyCheck struct {
	Host   string // that was asked
	Origin string // whose copies; empty for this node's
	At     time.Time
	// Number is up to which change of this node's the check was; of a third's it is
	// by date.
	Number int64
	State  CopyCheckState
	// Differs are those held here that it does not hold as they are here, with the
	// digest of what it holds; empty for nothing.
	Differs []CommonsItem
	Next    time.Time
}

// CopyCheckState is what became of a check.
type CopyCheckState string

// The digest trees were compared and some copies read; the node holds nothing; the
// trees differ too much to say what is held; bytes that it should hold were not
// shown.
const (
	CheckCompared CopyCheckState = "compared"
	CheckNothing  CopyCheckState = "nothing"
	CheckFar      CopyCheckState = "far"
	CheckUnproven CopyCheckState = "unproven"
)

// CopyHolder is what a node was found to hold under an id.
type CopyHolder struct {
	Host  string
	Name  string    // of its territory
	At    time.Time // zero for one that never answered
	State HolderState
}

// HolderState is how what another node holds compares with what stands here.
type HolderState string

// The same bytes, the tombstone where one stands; other ones; nothing; unknown, for
// one that was not asked since the last change, or could not be compared.
const (
	HoldsSame    HolderState = "same"
	HoldsOther   HolderState = "other"
	HoldsNothing HolderState = "nothing"
	HoldsUnknown HolderState = "unknown"
)
