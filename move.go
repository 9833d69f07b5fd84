// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import "time"

// MoveRest is how long an account that moved stays where it went before it may
// move again (Mastodon's and GoToSocial's cool-down).
const MoveRest = 7 * 24 * time.Hour

// ActorAge is how old the copy of an actor elsewhere gets before it is fetched
// anew by itself (Mastodon's). On demand a copy is good for a day.
const ActorAge = 7 * 24 * time.Hour

// Moved notes that an account elsewhere moved to another, which says so too.
// Accounts follow again under the new one by themselves: when that happens the
// follow of the old one goes, so that nobody is written to twice.
type Moved struct {
	Actor  string
	Target RemoteActor
	// Follow and Undo are set when the node follows the old account: the new one is
	// asked, the old one let go.
	Follow, Undo Outgoing
}

func (Moved) effect() {}
