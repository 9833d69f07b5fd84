// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import (
	"cmp"
	"time"
)

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
	// About is what it says of itself; of a list of peers only.
	About PeerAbout
	// GoneAt is when an administrator said that it is gone.
	GoneAt time.Time
}

// PeerAbout is what a node says of itself.
type PeerAbout struct {
	// Lat and Lon are the middle of its territory, in degrees; both zero when it does
	// not say.
	Lat, Lon float64
	// Follows are the Application actors of the nodes that it follows.
	Follows []string
}

// Located tells whether it says where it is.
func (a PeerAbout) Located() bool { return a.Lat != 0 || a.Lon != 0 }

// Brought is what a node brought to this one.
type Brought struct {
	Kinds  []Count // records by kind, the most first
	Latest Record  // that changed last
}

// PeerLife is how a node that is followed fares.
type PeerLife string

// A peer is up to date, late, silent, gone, or its address is contested. One that
// is not followed has none of them.
const (
	LifeCurrent   PeerLife = "current"
	LifeLate      PeerLife = "late"
	LifeSilent    PeerLife = "silent"
	LifeGone      PeerLife = "gone"
	LifeContested PeerLife = "contested"
)

// LifeFormer is how copies are shown of a node that is not followed any more: nothing
// keeps them up to date, but for its deletions.
const LifeFormer PeerLife = "former"

// PeerSilence is after how long without an answer a peer is silent, unless the
// node is told otherwise.
const PeerSilence = 14 * 24 * time.Hour

// Life is how a peer fares and since when; zero for one that is up to date. A
// longer silence than the one given makes a late one silent: it counts from the
// last that was heard of it, and only if it was asked for something since.
func (p *Peer) Life(now time.Time, silence time.Duration) (life PeerLife, since time.Time) {
	switch {
	case p.State != PeerFollowed:
		return "", time.Time{}
	case !p.GoneAt.IsZero():
		return LifeGone, p.GoneAt
	case !p.ContestedAt.IsZero():
		return LifeContested, p.ContestedAt
	}
	// One whose commons were never read may have none.
	unread := p.Commons.Reason != "" && !p.Commons.StartedAt.IsZero()
	if p.DownSince.IsZero() && !unread {
		return LifeCurrent, time.Time{}
	}
	heard := p.Heard()
	if now.Sub(heard) >= cmp.Or(silence, PeerSilence) {
		return LifeSilent, heard
	}
	if p.DownSince.IsZero() || unread && p.Commons.CheckedAt.Before(p.DownSince) {
		return LifeLate, p.Commons.CheckedAt
	}
	return LifeLate, p.DownSince
}

// Heard is when a peer last answered or sent something; when it was followed, for
// one that never did.
func (p *Peer) Heard() time.Time {
	heard := p.FollowedAt
	for _, t := range [...]time.Time{p.LastReceived, p.LastDelivered, p.Commons.CheckedAt} {
		if t.After(heard) {
			heard = t
		}
	}
	return heard
}

// OurFollow is our Follow of an actor elsewhere: a node's, or an account's.
type OurFollow struct {
	Actor    string
	Inbox    string
	FollowID string
	State    PeerState
}
