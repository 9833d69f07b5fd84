// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"cmp"
	"context"
	"time"

	"essaim"
)

// upsertReplica stores a version of a peer's record in place of what is held,
// which is empty when nothing is: exact bytes and what was read from them.
// Whether it may is for the caller to have decided.
func (tx *Tx) upsertReplica(ctx context.Context, held entry, r essaim.Record, document []byte, now time.Time) (err error) {
	slug := held.Slug
	if held.rid == 0 {
		space, want := replicaName(&r)
		if slug, err = tx.allot(ctx, space, want, r.ID); err != nil {
			return err
		}
	}
	e := entry{Record: r, rid: held.rid, position: held.position, document: document, received: now}
	e.Slug = slug
	e.State = essaim.StatePublished
	e.Number = 0
	e.Contacts = nil // kept by their own node only
	if e.Updated.IsZero() {
		e.Updated = now
	}
	if err := tx.save(ctx, &e); err != nil {
		return err
	}
	if e.DerivedFrom != nil || held.DerivedFrom != nil {
		if err := tx.settleClaim(ctx, &e.Record, now); err != nil {
			return err
		}
	}
	l := &listing{id: e.ID, sort: sortRecord, digest: e.CopyDigest}
	if !essaim.Reusable(e.Licence) {
		if held.rid == 0 {
			return nil
		}
		l.digest = "" // left the commons of its node
	}
	return tx.enlistCopy(ctx, e.Origin, l)
}

// replicaName is the name that a peer's record wants, and its space. One space for
// all kinds: /ailleurs/{host}/{slug} does not say the kind.
func replicaName(r *essaim.Record) (space, want string) {
	return "@" + r.Origin, cmp.Or(r.Slug, string(r.Kind))
}

// replicaAsked are the questions of replicate.
func replicaAsked(e essaim.Replicate) []question {
	r := &e.Record
	return []question{
		{"replica_context", []any{r.Origin, r.ID}},
		{"record_locked", []any{r.ID}},
		nameAsked(replicaName(r)),
		positionsAsked(r.ID, r.Updated, 0),
	}
}

// eraseReplica erases a peer's record that is held here and leaves its
// tombstone, which may be empty; digest is the copy digest of it.
func (tx *Tx) eraseReplica(ctx context.Context, e entry, tombstone []byte, digest string, at time.Time) error {
	e.State = essaim.StateWithdrawn
	e.Content = blank(e.Kind)
	e.document, e.ContentDigest, e.CopyDigest = nil, "", ""
	if at.After(e.Updated) {
		e.Updated = at
	}
	if err := tx.enlistCopy(ctx, e.Origin, &listing{id: e.ID, sort: sortTombstone, digest: digest}); err != nil {
		return err
	}
	return tx.eraseEntry(ctx, &e, tombstone, at)
}
