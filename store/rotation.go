// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"essaim"
)

// resignTogether is how many documents are signed again in a transaction.
const resignTogether = 50

// RotateKeys notes that other keys hold from now on, with the statement that
// introduces them: the fingerprint was that of the old ones, and is that of the
// new ones. essaim.ErrConflict when others hold already.
func (s *Store) RotateKeys(ctx context.Context, r essaim.Rotation, was, is string) error {
	err := s.write(ctx, urgent, func(tx *Tx) error {
		n, err := tx.exec(ctx, "rotation_fingerprint", was, is)
		if err == nil && n == 0 {
			err = fmt.Errorf("the database is of other keys: %w", essaim.ErrConflict)
		}
		if err == nil {
			_, err = tx.exec(ctx, "rotation_add", r.Old, r.New, micros(r.At), r.Statement)
		}
		return err
	})
	s.forgetNode()
	if err != nil {
		return fmt.Errorf("rotate keys: %w", err)
	}
	return nil
}

func (tx *Tx) rotations(ctx context.Context) ([]essaim.Rotation, error) {
	return list(ctx, tx, func(scan scanFunc) (r essaim.Rotation, err error) {
		err = scan(&r.Old, &r.New, moment{&r.At}, &r.Statement)
		return r, err
	}, "rotation_list")
}

// Resign signs again, after a change of keys, what this node published: first
// what waits to be delivered, then tombstones of what is known no more, then each
// record, withdrawn ones by their tombstone, with the activity that published it. The content and the revision
// stay; copy digest and change number are new, and nobody is told. At the end
// those who follow an actor are sent its document, which shows the new keys. It
// goes on from where it was when the node stopped, and does nothing once all is
// done.
func (s *Store) Resign(ctx context.Context, sign essaim.ResignFunc) error {
	open, err := s.query().found(ctx, "rotation_left")
	if err != nil || !open {
		return err
	}
	for after, more := "", true; more && err == nil; {
		err = s.write(ctx, patient, func(tx *Tx) error {
			after, more, err = tx.resignWaiting(ctx, after, sign)
			return err
		})
	}
	for after, more := "", true; more && err == nil; {
		err = s.write(ctx, patient, func(tx *Tx) error {
			after, more, err = tx.resignTombstones(ctx, after, sign)
			return err
		})
	}
	for more := true; more && err == nil; {
		err = s.write(ctx, patient, func(tx *Tx) error {
			more, err = tx.resignRecords(ctx, sign)
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("sign again: %w", err)
	}
	return nil
}

// Resigned tells whether all that is published is signed by the present keys.
func (s *Store) Resigned(ctx context.Context) (bool, error) {
	left, err := s.query().found(ctx, "rotation_left")
	if err != nil {
		return false, fmt.Errorf("signed again: %w", err)
	}
	return !left, nil
}

// resignWaiting does a page of the activities that wait to be delivered.
func (tx *Tx) resignWaiting(ctx context.Context, after string, sign essaim.ResignFunc) (last string, more bool, err error) {
	type row struct {
		id    string
		bytes []byte
	}
	page, err := list(ctx, tx, func(scan scanFunc) (r row, err error) {
		err = scan(&r.id, &r.bytes)
		return r, err
	}, "rotation_waiting", after, resignTogether)
	if err != nil {
		return after, false, err
	}
	for _, r := range page {
		after = r.id
		if err := tx.resignActivity(ctx, r.id, r.bytes, sign); err != nil {
			return after, false, err
		}
	}
	return after, len(page) == resignTogether, nil
}

func (tx *Tx) resignActivity(ctx context.Context, id string, bytes []byte, sign essaim.ResignFunc) error {
	if bytes == nil {
		return nil
	}
	signed, err := sign(bytes)
	if errors.Is(err, essaim.ErrInvalid) {
		return nil // damaged: it keeps nothing else from being signed
	}
	if err != nil {
		return fmt.Errorf("activity %s: %w", id, err)
	}
	return tx.later(ctx, "rotation_activity", id, signed.Document)
}

// resignTombstones does a page of those of which nothing else is known here, as of
// what was erased before the node began anew.
func (tx *Tx) resignTombstones(ctx context.Context, after string, sign essaim.ResignFunc) (last string, more bool, err error) {
	type row struct {
		key, id, digest string
		document        []byte
		actor           bool
	}
	page, err := list(ctx, tx, func(scan scanFunc) (r row, err error) {
		err = scan(&r.key, &r.id, &r.digest, &r.document, bit{&r.actor})
		return r, err
	}, "rotation_tombstones", after, resignTogether)
	if err != nil {
		return after, false, err
	}
	var public []*publication
	for _, r := range page {
		after = r.key
		signed, err := sign(r.document)
		if errors.Is(err, essaim.ErrInvalid) || err == nil && signed.CopyDigest == r.digest {
			continue // damaged, or by the present keys already
		}
		l := &listing{id: r.id, sort: sortTombstone, digest: signed.CopyDigest}
		switch {
		case err != nil:
			return after, false, fmt.Errorf("tombstone %s: %w", r.id, err)
		case r.actor:
			l.document = signed.Document
		default:
			err = tx.later(ctx, "rotation_tombstone", r.id, signed.Document)
		}
		if err != nil {
			return after, false, err
		}
		public = append(public, &publication{silent: true, listing: l})
	}
	return after, len(page) == resignTogether, tx.number(ctx, public...)
}

// resignRecords does a page of records, and tells whether others follow.
func (tx *Tx) resignRecords(ctx context.Context, sign essaim.ResignFunc) (more bool, err error) {
	var n, reached int64
	if err := tx.row(ctx, "rotation_open").Scan(&n, &reached); err != nil {
		if errors.Is(err, essaim.ErrNotFound) {
			return false, nil // another process did it
		}
		return false, err
	}
	type row struct {
		rid int64
		id  string
	}
	page, err := list(ctx, tx, func(scan scanFunc) (r row, err error) {
		err = scan(&r.rid, &r.id)
		return r, err
	}, "rotation_records", reached, resignTogether)
	if err != nil {
		return false, err
	}
	if len(page) == 0 {
		if err := tx.later(ctx, "rotation_done", n, micros(tx.s.now())); err != nil {
			return false, err
		}
		return false, tx.tellKeys(ctx)
	}
	var public []*publication
	for _, r := range page {
		reached = r.rid
		p, err := tx.resignRecord(ctx, r.id, sign)
		if err != nil {
			return false, fmt.Errorf("record %s: %w", r.id, err)
		}
		public = append(public, p)
	}
	if err := tx.later(ctx, "rotation_reached", n, reached); err != nil {
		return false, err
	}
	return true, tx.number(ctx, public...)
}

// tellKeys sends the documents of actors that somebody follows, for the keys in
// them. Not the node's own: its followers get that of its territory.
func (tx *Tx) tellKeys(ctx context.Context) error {
	node, err := tx.knownNode(ctx)
	if err != nil {
		return err
	}
	ids, err := list(ctx, tx, only[string], "follower_locals")
	if err != nil {
		return err
	}
	var told []*publication
	for _, id := range ids {
		name, ok := strings.CutPrefix(id, node.BaseURL+"/actors/")
		if !ok {
			continue
		}
		a, err := tx.localActor(ctx, name)
		if errors.Is(err, essaim.ErrNotFound) || err == nil && a.Gone {
			continue
		}
		if err != nil {
			return err
		}
		p, err := tx.tell(ctx, essaim.Told{Verb: string(essaim.VerbUpdate), Actor: a.ID, Object: a.ID, Is: &a, At: tx.s.now()}, 0)
		if err != nil {
			return err
		}
		told = append(told, p)
	}
	return tx.number(ctx, told...)
}

// resignRecord does one, which is locked meanwhile; nil for one that was never
// public.
func (tx *Tx) resignRecord(ctx context.Context, id string, sign essaim.ResignFunc) (*publication, error) {
	e, ok, err := tx.locked(ctx, id)
	if err != nil || !ok {
		return nil, err
	}
	var document, activity []byte
	if err := tx.row(ctx, "rotation_document", e.rid).Scan(&document, &activity); err != nil || document == nil {
		return nil, err
	}
	signed, err := sign(document)
	gone := e.State == essaim.StateWithdrawn
	if errors.Is(err, essaim.ErrInvalid) || err == nil && !gone && signed.ContentDigest != e.ContentDigest {
		// Damaged: made again from its row, or left to be mended from elsewhere.
		if signed, err = tx.s.remadeRecord(&e); err == nil && !gone && signed.ContentDigest != e.ContentDigest {
			return nil, nil
		}
	}
	if err != nil || signed.CopyDigest == e.CopyDigest { // by the present keys already
		return nil, err
	}
	if err := tx.resignActivity(ctx, e.activityID, activity, sign); err != nil {
		return nil, err
	}
	e.CopyDigest = signed.CopyDigest
	if gone {
		if err := tx.later(ctx, "rotation_tombstone", e.ID, signed.Document); err != nil {
			return nil, err
		}
		if err := tx.later(ctx, "rotation_withdrawn", e.rid, e.CopyDigest); err != nil {
			return nil, err
		}
		gone := essaim.Erasure{Sort: essaim.ErasedRecord, Ref: e.ID, ErasureDetail: essaim.ErasureDetail{Document: signed.Document, Digest: signed.CopyDigest}}
		return &publication{silent: true, listing: listingOf(&e, essaim.VerbDelete)}, tx.noteErasure(ctx, gone)
	}
	if err := tx.later(ctx, "rotation_record", e.rid, signed.Document, e.CopyDigest); err != nil {
		return nil, err
	}
	return &publication{rid: e.rid, silent: true, listing: listingOf(&e, essaim.VerbCreate)}, nil
}
