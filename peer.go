// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import "time"

// PeerState is how far our follow of a peer node is.
type PeerState string

// The states of a peer: asked, following, refused by it, blocked by us. A known
// one follows us and is not followed.
const (
	PeerKnown     PeerState = "known"
	PeerRequested PeerState = "requested"
	PeerFollowed  PeerState = "followed"
	PeerRefused   PeerState = "refused"
	PeerBlocked   PeerState = "blocked"
)

// Peer is another node of the network (territoire du réseau).
type Peer struct {
	Host  string
	State PeerState
	// Actor is its Application actor, Territory its territory's actor.
	Actor         string
	Territory     string
	TerritoryName string
	Username      string // of the territory
	URL           string
	Inbox         string // where our Follow goes
	FollowID      string
	FollowsUs     bool
	FollowedAt    time.Time
	LastReceived  time.Time // last activity of it that we applied
	LastDelivered time.Time
	DownSince     time.Time // our deliveries to it fail since
	LastReason    string
	// Commons is how far what it publishes is read.
	Commons CommonsProgress
	Records int // of it, held here
	Waiting int // deliveries that wait for it
	// Key is the key by which it proves what it publishes; empty for one that
	// does not. OfferedKey is the one that its host shows instead since ContestedAt.
	Key         string
	OfferedKey  string
	ContestedAt time.Time
}

// OurFollow is our Follow of an actor elsewhere: a node's, or an account's.
type OurFollow struct {
	Actor    string
	Inbox    string
	FollowID string
	State    PeerState
}
