// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"errors"
	"time"

	"essaim"
)

// replicate stores a version of a peer's record when the peer is followed, the
// id is of its host, no tombstone stands and the version is newer.
func (tx *Tx) replicate(ctx context.Context, e essaim.Replicate, now time.Time) (outcome, error) {
	r := e.Record
	var state essaim.PeerState
	var gone, withdrawn bool
	if err := tx.row(ctx, "replica_context", r.Origin, r.ID).Scan((*string)(&state), bit{&gone}, bit{&withdrawn}); err != nil {
		return did, err
	}
	// A record may come before the Accept of the Follow that asked for it.
	if state != essaim.PeerFollowed && state != essaim.PeerRequested {
		return nothing("its node is not followed"), nil
	}
	if authority(r.ID) != r.Origin || authority(r.Territory) != r.Origin {
		return nothing("its id or territory is of another host"), nil
	}
	if gone {
		return outcome{nothing: "deleted before", erase: true}, nil
	}
	if withdrawn {
		return tx.withdrawnAgain(ctx, r.ID, r.CopyDigest)
	}
	h, ok, err := tx.locked(ctx, r.ID)
	if err != nil {
		return did, err
	}
	if e.Repair {
		digest, _, err := tx.listedAs(ctx, r.ID)
		if err != nil {
			return did, err
		}
		e.Repair = digest == e.Held
	}
	if ok {
		if why := supersedes(e, h); why != "" {
			// What comes late may say what a newer version no longer does.
			return outcome{nothing: why, erase: why == past || why == notNewer && (r.Revision < h.Revision || r.CopyDigest != h.CopyDigest)}, nil
		}
	}
	if err := tx.upsertReplica(ctx, h, r, e.Document, now); err != nil {
		return did, err
	}
	out := outcome{newer: ok}
	if tx.heard[r.Origin] {
		return out, nil
	}
	if tx.heard == nil {
		tx.heard = map[string]bool{}
	}
	tx.heard[r.Origin] = true
	return out, tx.later(ctx, "peer_received", r.Origin, micros(now), micros(now.Add(-time.Second)))
}

// Why a version comes too late.
const (
	past     = "older than what is held"
	notNewer = "not newer than what is held"
)

// supersedes tells why a version does not replace what is held; empty when it
// does.
func supersedes(e essaim.Replicate, h entry) string {
	r := e.Record
	switch {
	case h.Origin != r.Origin || h.Origin == "":
		return "held from another origin"
	case h.State == essaim.StateWithdrawn:
		return "deleted before"
	case h.Kind != r.Kind || h.Territory != r.Territory:
		return "its kind and author never change"
	case e.Repair:
		return "" // what is held says of itself what it is not
	case e.Foreign && r.Updated.Before(h.Updated):
		return past
	case e.Foreign:
		return "" // by date, then by arrival
	case r.Incarnation != h.Incarnation:
		if r.Incarnation < h.Incarnation {
			return past
		}
	case r.Revision == h.Revision && r.ContentDigest == h.ContentDigest && r.CopyDigest != h.CopyDigest:
		return "" // signed anew, by a key that took the place of the first
	case r.Revision <= h.Revision:
		return notNewer
	}
	return ""
}

// erase applies a deletion by the origin: of a record, of a comment, or of an id
// never seen, whose tombstone then keeps late versions out.
func (tx *Tx) erase(ctx context.Context, e essaim.Erase, now time.Time) (outcome, error) {
	at := e.At
	if at.IsZero() {
		at = now
	}
	// A post that quotes a record of ours quotes it no more.
	quoted, err := tx.exec(ctx, "quote_revoke", e.ID, e.Actor)
	if err == nil && quoted > 0 {
		err = tx.noteDeleted(ctx, e.ID, false)
	}
	if err != nil {
		return did, err
	}
	h, ok, err := tx.locked(ctx, e.ID)
	if err != nil {
		return did, err
	}
	if ok {
		// Not whoever shares its host: a host may have many actors.
		speaks := e.Actor == h.Territory
		if !speaks && h.Origin != "" {
			if speaks, err = tx.found(ctx, "peer_speaks", h.Origin, e.Actor); err != nil {
				return did, err
			}
		}
		if !speaks || h.Origin == "" {
			return nothing("neither of its author nor of its node"), nil
		}
		if h.State == essaim.StateWithdrawn {
			return tx.eraseWithdrawn(ctx, h, e, at)
		}
		if err := tx.eraseReplica(ctx, h, e.Tombstone, e.CopyDigest, at); err != nil {
			return did, err
		}
		return did, tx.eraseRaw(ctx, e.ID)
	}
	var author string
	err = tx.row(ctx, "comment_author", e.ID).Scan(&author)
	if err != nil && !errors.Is(err, essaim.ErrNotFound) {
		return did, err
	}
	if author != "" {
		if author != e.Actor {
			return nothing("not its author"), nil
		}
		return did, tx.removeComment(ctx, e.ID, now)
	}
	return tx.eraseElsewhere(ctx, e, at, now)
}

// eraseWithdrawn applies a deletion by the origin of what is withdrawn already:
// here only, and its origin's tombstone then stands too, or by the origin itself.
func (tx *Tx) eraseWithdrawn(ctx context.Context, h entry, e essaim.Erase, at time.Time) (outcome, error) {
	gone, err := tx.found(ctx, "tombstone_stands", h.ID)
	if err != nil || gone {
		return nothing("deleted before"), errors.Join(err, tx.renewTombstone(ctx, h.Origin, e, at))
	}
	if err := tx.enlistCopy(ctx, h.Origin, &listing{id: h.ID, sort: sortTombstone, digest: e.CopyDigest}); err != nil {
		return did, err
	}
	return did, tx.later(ctx, "tombstone_insert", h.ID, string(h.Kind), h.Origin, micros(at), e.Tombstone)
}

// eraseElsewhere applies the deletion of what is no record and no comment here:
// the candidate made of it goes, and the tombstone keeps late versions out.
func (tx *Tx) eraseElsewhere(ctx context.Context, e essaim.Erase, at, now time.Time) (outcome, error) {
	node, err := tx.nodeActor(ctx)
	if err != nil {
		return did, err
	}
	host := authority(e.ID)
	if host == "" || host != authority(e.Actor) || host == authority(node) {
		return nothing("not of its origin"), nil
	}
	if err := tx.later(ctx, "adaptations_erase_child", e.ID); err != nil {
		return did, err
	}
	c, ok, err := tx.candidate(ctx, e.ID)
	if err != nil {
		return did, err
	}
	if ok && c.author != e.Actor {
		// Somebody else of its host, as a group's moderator: the host is asked.
		return tx.want(ctx, essaim.Want{Object: e.ID, By: c.by, Announce: c.announce, Deleted: true}, now)
	}
	out := did
	if ok {
		if out, err = tx.takeBack(ctx, c); err != nil {
			return did, err
		}
	}
	if err := tx.departed(ctx, e, host, now); err != nil {
		return did, err
	}
	// What came of it and was nothing here goes too.
	if err := tx.eraseRaw(ctx, e.ID); err != nil {
		return did, err
	}
	var state essaim.PeerState
	if err := tx.row(ctx, "peer_state", host).Scan(&state); err != nil && !errors.Is(err, essaim.ErrNotFound) {
		return did, err
	}
	// The bytes of a stranger's are of no use: only nodes that we follow are served
	// again. Its days are counted from here, whatever date it bears.
	document := e.Tombstone
	if state != essaim.PeerRequested && state != essaim.PeerFollowed {
		document, at = nil, now
	}
	n, err := tx.exec(ctx, "tombstone_insert", e.ID, "", host, micros(at), document)
	switch {
	case err != nil:
		return out, err
	case n == 0 && document == nil:
		return nothing("deleted before"), nil
	case n == 0:
		return nothing("deleted before"), tx.renewTombstone(ctx, host, e, at)
	case document != nil && e.CopyDigest != "":
		return out, tx.enlistCopy(ctx, host, &listing{id: e.ID, sort: sortTombstone, digest: e.CopyDigest})
	}
	return out, nil
}

// departed erases what an actor left when its node, which is replicated or was, says
// by a tombstone of its key that it is gone. Not the node's own: its copies stay.
func (tx *Tx) departed(ctx context.Context, e essaim.Erase, host string, now time.Time) error {
	if e.CopyDigest == "" {
		return nil
	}
	known, err := tx.peerTrust(ctx, host)
	if err != nil || len(known.Keys) == 0 {
		return err
	}
	if !known.Binds() { // of one that was replicated, what is kept here is held to its keys
		if kept, err := tx.found(ctx, "copy_kept", e.ID); err != nil || !kept {
			return err
		}
	}
	own, err := tx.found(ctx, "actor_of_peer", e.ID, host)
	if err != nil || own {
		return err
	}
	actor := e.OfActor
	if !actor {
		if actor, err = tx.found(ctx, "actor_fetched_at", e.ID); err != nil || !actor {
			return err
		}
	}
	_, err = tx.forgetActor(ctx, essaim.ForgetActor{Actor: e.ID}, now)
	return err
}

// holdsCopy tells whether a copy is held already: whoever passes on what another
// signed may write it in other bytes, which prove the same.
func (tx *Tx) holdsCopy(ctx context.Context, id, digest string) (bool, error) {
	var held string
	err := tx.row(ctx, "commons_digest", id).Scan(&held)
	if errors.Is(err, essaim.ErrNotFound) {
		return false, nil
	}
	return held != "" && held == digest, err
}

// renewTombstone keeps a tombstone as its origin signed it, where it stood
// without: a deletion often comes as an id alone.
func (tx *Tx) renewTombstone(ctx context.Context, origin string, e essaim.Erase, at time.Time) error {
	if e.CopyDigest == "" {
		return nil
	}
	if held, err := tx.holdsCopy(ctx, e.ID, e.CopyDigest); err != nil || held {
		return err
	}
	if err := tx.later(ctx, "tombstone_renew", e.ID, "", origin, micros(at), e.Tombstone); err != nil {
		return err
	}
	return tx.enlistCopy(ctx, origin, &listing{id: e.ID, sort: sortTombstone, digest: e.CopyDigest})
}
