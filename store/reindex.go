// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"errors"
	"fmt"

	"essaim"
)

// searchVersion is of how a record is made into terms. It goes up with each change
// of newSearchDoc, of french.Terms or of when a meeting is over: what an older
// program wrote is made again.
const searchVersion = 6

// reindexChunk is how many records are made again in one transaction.
const reindexChunk = 20

// Reindex makes again what search knows of records that an older program wrote.
// It goes on where it was when it was interrupted, holds nobody up, and costs one
// statement when there is nothing to do. Any process may call it at any time.
func (s *Store) Reindex(ctx context.Context) error {
	for {
		ended := false
		err := s.write(ctx, patient, func(tx *Tx) (err error) {
			ended, err = tx.reindex(ctx)
			return err
		})
		if err != nil {
			return fmt.Errorf("reindex: %w", err)
		}
		if ended {
			return nil
		}
	}
}

// reindex makes the next records again; true when there are no more.
func (tx *Tx) reindex(ctx context.Context) (ended bool, err error) {
	var version, position int64
	if err := tx.row(ctx, "reindex_state").Scan(&version, &position, bit{&ended}); err != nil {
		return false, err
	}
	switch {
	case version != searchVersion:
		position = oldest
	case ended:
		return true, nil
	}
	type found struct {
		position int64
		id       string
	}
	page, err := list(ctx, tx, func(scan scanFunc) (f found, err error) {
		err = scan(&f.position, &f.id)
		return f, err
	}, "reindex_page", position, reindexChunk)
	if err != nil {
		return false, err
	}
	for _, f := range page {
		if err := tx.reindexOne(ctx, f.id); err != nil {
			return false, fmt.Errorf("%s: %w", f.id, err)
		}
		position = f.position
	}
	ended = len(page) < reindexChunk
	_, err = tx.exec(ctx, "reindex_save", searchVersion, position, flag(ended))
	return ended, err
}

// reindexOne leaves a record that is damaged, or no longer published, as it is.
func (tx *Tx) reindexOne(ctx context.Context, id string) error {
	e, ok, err := tx.locked(ctx, id)
	if errors.Is(err, essaim.ErrDamaged) || err == nil && (!ok || e.State != essaim.StatePublished) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := tx.endAgain(ctx, &e); err != nil {
		return err
	}
	d, err := tx.searchDoc(ctx, &e.Record)
	if err != nil {
		return err
	}
	return tx.recount(ctx, &e, &d, false)
}

// endAgain writes when a meeting is over as this program tells it.
func (tx *Tx) endAgain(ctx context.Context, e *entry) error {
	_, ends := period(&e.Content)
	if ends.IsZero() {
		return nil
	}
	return tx.later(ctx, "record_ends", e.rid, micros(ends))
}
