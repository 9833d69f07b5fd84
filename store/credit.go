// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"fmt"

	"essaim"
)

// creditPeople puts a published record on the pages of the people of this node
// whom it credits and who agreed to it, here or at the record's origin. What
// names a person's actor without saying that she is one, and agreed, is no credit
// of hers.
func (tx *Tx) creditPeople(ctx context.Context, e *entry) error {
	for _, c := range e.PublicCredits() {
		if !c.Person || c.Actor == "" {
			continue
		}
		if err := tx.later(ctx, "credit_insert", c.Actor, e.position, e.rid); err != nil {
			return err
		}
	}
	return nil
}

// Credited lists the published records, local and replicated, that credit a
// person of this node, the latest change first: limit of them (0 = 20) from a
// cursor on. A cursor that cannot be read is essaim.ErrInvalid.
func (s *Store) Credited(ctx context.Context, actor, after string, limit int) (essaim.Results, error) {
	if limit <= 0 {
		limit = defaultLimit
	}
	limit = min(limit, maxLimit)
	var found essaim.Results
	from, err := readCursor(after)
	if err == nil {
		err = s.read(ctx, func(tx *Tx) error {
			found, err = tx.credited(ctx, actor, from, limit)
			return err
		})
	}
	if err != nil {
		return essaim.Results{}, fmt.Errorf("credits of %s: %w", actor, err)
	}
	return found, nil
}

func (tx *Tx) credited(ctx context.Context, actor string, from cursor, limit int) (found essaim.Results, err error) {
	total := from.total
	if !from.set {
		if err := tx.row(ctx, "credited_count", actor).Scan(&total); err != nil {
			return found, err
		}
	}
	found.Total, found.Capped = capped(total)
	positions, err := list(ctx, tx, only[int64], "credited_page", actor, from.position, limit+1)
	if err != nil {
		return found, err
	}
	if len(positions) > limit {
		positions = positions[:limit]
		found.Next = cursor{position: positions[limit-1], total: min(total, overCap)}.String()
	}
	found.Records, err = tx.recordsAt(ctx, positions)
	return found, err
}
