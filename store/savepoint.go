// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"errors"
	"fmt"

	"essaim"
)

// part runs f as a part of the transaction that leaves no trace when it fails.
// What f gathers is written with what the other parts gathered, at the end of
// the transaction: no part may read what an earlier one gathered. An error that
// ends the whole transaction is essaim.ErrUnavailable.
func (tx *Tx) part(ctx context.Context, f func() error) error {
	before := tx.aside()
	if _, err := tx.exec(ctx, "savepoint"); err != nil {
		return fmt.Errorf("%w: %w", essaim.ErrUnavailable, err)
	}
	err := f()
	if err == nil {
		err = tx.s.db.class(tx.r.flush(ctx))
	}
	if err != nil {
		tx.drop()
		if _, lost := tx.exec(ctx, "savepoint_undo"); lost != nil {
			return errors.Join(essaim.ErrUnavailable, err, lost)
		}
	}
	tx.add(before)
	if _, lost := tx.exec(ctx, "savepoint_release"); lost != nil {
		return errors.Join(essaim.ErrUnavailable, err, lost)
	}
	return err
}
