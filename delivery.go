// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import "time"

// Outgoing is an activity for one inbox, queued in the transaction of what
// caused it (an Accept, a Follow).
type Outgoing struct {
	ActivityID string
	Actor      string // local actor that signs
	Receiver   string // actor elsewhere that it is for
	Inbox      string
	// OrderKey keeps the order: a delivery waits for earlier live ones with the
	// same inbox and key. The object's id; actor and target for Follow, Accept,
	// Reject, Undo, Block.
	OrderKey string
	Body     []byte
}

// MisplacedAfter is how long a delivery is tried at an inbox that says it is not one,
// or not for us: a peer may be misconfigured for a while. What waited as long for a
// host that was down is tried once more, half a day later, and nothing wakes it before.
const MisplacedAfter = 3 * 24 * time.Hour

// DeliveryState is what became of a delivery.
type DeliveryState string

// The states of a delivery. A dropped one was given up by an administrator or
// overtaken by a newer version of its object.
const (
	DeliveryWaiting DeliveryState = "waiting"
	DeliveryDone    DeliveryState = "done"
	DeliveryFailed  DeliveryState = "failed"
	DeliveryDropped DeliveryState = "dropped"
)

// Delivery is one activity for one inbox, claimed under a lease.
type Delivery struct {
	ID         int64
	Host       string
	Inbox      string
	OrderKey   string
	Actor      string
	ActivityID string
	Body       []byte
	Attempt    int // tries so far, the one it is claimed for included
	CreatedAt  time.Time
	LeaseUntil time.Time // of this claim
	Status     int       // HTTP status of the try before, 0 when there was none
}

// DeliveryResult is written only if Attempt is still the row's.
type DeliveryResult struct {
	ID      int64
	Attempt int
	State   DeliveryState
	NextAt  time.Time // when State is DeliveryWaiting
	Status  int       // HTTP status, 0 when there was none
	Reason  string    // one line for an administrator, without secrets
	// Untried is, of one that is given back without a try, the lease of its claim:
	// the attempt does not count.
	Untried time.Time
}

// HostState is what the deliverer remembers of a host across restarts.
type HostState struct {
	Host        string
	NextAt      time.Time // nothing is due before; zero when well
	Failures    int       // in a row
	DownSince   time.Time // zero when it answers
	FailedAt    time.Time // its last failure, or the answer that ended them; zero when there was none
	LastSuccess time.Time
	LastReason  string
	// PausedUntil is what the host itself asked for (Retry-After): unlike our
	// own caution, nothing cuts it short.
	PausedUntil time.Time
	// RFC9421 remembers that the host wants that signature (interop.md rule 10).
	RFC9421 bool
}
