// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import "time"

// PeerKey is an Ed25519 key by which a node that is replicated proves what it
// publishes, as it is known here.
type PeerKey struct {
	// Key is the key as it is published (publicKeyMultibase, "z6Mk…"): what two
	// administrators compare.
	Key   string
	How   KeyOrigin
	Since time.Time // taken here
	Until time.Time // its successor was taken; zero for the one that holds
	// Statement introduces the key, signed by the one before: its exact bytes;
	// nil for one that none introduced.
	Statement []byte
}

// KeyOrigin is why a key of a peer is believed.
type KeyOrigin string

// A key was the first that its node showed, was introduced by the one before, or
// was taken by an administrator's decision.
const (
	KeyFirst     KeyOrigin = "first"
	KeyContinued KeyOrigin = "continued"
	KeyTrusted   KeyOrigin = "trusted"
)

// PeerTrust is what is known of the keys of a host.
type PeerTrust struct {
	// Actor is the node's own, when it is followed or asked; empty otherwise.
	Actor string
	// Keys are pinned, oldest first: the last holds, the others are retired. None
	// for a host that was never followed, or signs no documents.
	Keys []PeerKey
	// Refused are keys that the host showed and an administrator did not believe;
	// "" for showing none.
	Refused []string
	// Offered is the key, "" for none, that the host shows and that none of them
	// introduced, since ContestedAt.
	Offered     string
	ContestedAt time.Time
	// BehindAt is since when the node shows an older state than one that it signed;
	// zero when it does not.
	BehindAt time.Time
	// GoneAt is when an administrator said that the node is gone.
	GoneAt time.Time
}

// Binds tells whether the host is held to its keys in all that it says: while it
// is followed. Of any other host that has some they protect the copies kept here.
func (t PeerTrust) Binds() bool { return t.Actor != "" && len(t.Keys) > 0 }

// Current is the key that holds; empty when none is pinned.
func (t PeerTrust) Current() string {
	if len(t.Keys) == 0 {
		return ""
	}
	return t.Keys[len(t.Keys)-1].Key
}

// Contested tells whether the host shows a key that does not continue those that
// are pinned.
func (t PeerTrust) Contested() bool { return !t.ContestedAt.IsZero() }
