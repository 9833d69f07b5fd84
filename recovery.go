// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import (
	"fmt"
	"time"
)

// ErrRecovering refuses to publish while the node gets back from its peers what
// it published and lost. It ends by itself.
var ErrRecovering = fmt.Errorf("the node is getting back what it lost: %w", ErrUnavailable)

// RecoveryCause is why a node gets back what it lost.
type RecoveryCause string

// The causes of a recovery.
const (
	RecoveryHead    RecoveryCause = "head"    // somebody holds a later head of it, of its own key
	RecoveryRestore RecoveryCause = "restore" // a backup was restored
	RecoveryRescue  RecoveryCause = "rescue"  // it begins anew with its keys alone
)

// Recovery is how far a node that lost its latest changes is with getting them
// back (replication.md, "rollback guard"). While it is under way nothing is
// published; what is asked for later is still taken, below what was written
// since.
type Recovery struct {
	Cause     RecoveryCause
	BeganAt   time.Time
	EndedAt   time.Time   // when it was writable again
	Head      CommonsHead // the latest that anybody showed; zero for none
	Recovered int         // records and actors that came back
	Withdrawn int         // that were erased again
	Sources   []RecoverySource
}

// UnderWay tells whether nothing is published.
func (r Recovery) UnderWay() bool { return !r.BeganAt.IsZero() && r.EndedAt.IsZero() }

// RecoverySource is a node that is asked for what it holds of this one.
type RecoverySource struct {
	Host   string
	Cursor string // where reading goes on
	Seen   int
	DoneAt time.Time
	NextAt time.Time // when it is asked again
	// Reading is which reading of its copies this is.
	Reading RecoveryReading
	Reason  string
	// Gone is set when an administrator said that the node is: it is asked, and
	// nobody waits for it.
	Gone bool
}

// RecoveryReading is which reading of a node's copies is under way: an actor that
// came before its record is taken in a second one.
type RecoveryReading int

// The readings of a node's copies.
const (
	ReadingFirst RecoveryReading = iota
	ReadingAgain                 // the first, and one more is to follow
	ReadingLast
)

// RecoverySurvey is what other nodes could give back of one, before anything is
// written.
type RecoverySurvey struct {
	Head                        CommonsHead // the latest that is proven; zero for none
	Records, Actors, Tombstones int         // each once, at its latest version
	// Missing is how many documents the head counts and nobody supplies; Whole tells
	// that the digest tree of what is supplied is the head's.
	Missing int
	Whole   bool
	Hosts   []RecoverySource // whom was asked
	// Refused items prove nothing; of the first which and why.
	Refused int
	Refusal string
}

// KeptFollower is a follower as the backup of the keys keeps it: whom a node that
// begins anew tells what it publishes.
type KeptFollower struct {
	Local    string `json:"local"`
	Actor    string `json:"actor"`
	FollowID string `json:"follow"`
	Inbox    string `json:"inbox"` // shared when there is one
	Takes    string `json:"takes,omitempty"`
}

// RecordNotHere is why an actor does not come back yet: the record that it is of
// did not.
const RecordNotHere = "its record is not here"

// RecordDamaged is why a record does not come back before the last reading: it stands
// in the list of this node, and the disk lost its row. What was listed is to be mended
// first, for another version, which may be an older one, would take its place.
const RecordDamaged = "its row is lost, and what was listed is mended first"

// Recovered is a document that this node signed, as a peer gave it back, and what
// was read of it.
type Recovered struct {
	VerifiedCopy
	Record *Record // of a record
	// Type is an actor's, or what stood where a tombstone does; Created when an
	// actor was made.
	Type    string
	Created time.Time
}

// Remade is a document of this node as it comes out of what is kept beside it, where
// its bytes are damaged or lost.
type Remade struct {
	Recovered        // without Document where nothing is kept
	Noted     string // copy digest of what was published
	Intact    bool   // its content is what was signed
	Repeated  bool   // of a record: its columns say what its content does
}
