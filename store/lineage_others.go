// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"essaim"
)

// AdaptedOf lists up to n records of a host that records held here adapt, those
// first of which not all is known to be acknowledged.
func (s *Store) AdaptedOf(ctx context.Context, host string, n int) ([]essaim.Adapted, error) {
	all, err := list(ctx, s.query(), func(scan scanFunc) (a essaim.Adapted, err error) {
		err = scan(&a.ID, &a.Document)
		return a, err
	}, "adaptations_of_host", host, n)
	if err != nil {
		return nil, fmt.Errorf("records of %s that are adapted: %w", host, err)
	}
	return all, nil
}

// NoteAcknowledged takes what the origin of a record elsewhere lists as its
// adaptations, of what is held here and says so itself; of the others none counts
// as acknowledged any more. One made here is answered by that as by an Accept.
func (s *Store) NoteAcknowledged(ctx context.Context, parent string, children []string) error {
	err := s.write(ctx, patient, func(tx *Tx) error {
		held, ok, err := tx.locked(ctx, parent)
		if err != nil || !ok || held.Origin == "" || held.State != essaim.StatePublished {
			return err
		}
		known, err := list(ctx, tx, only[string], "adaptations_acknowledged", parent)
		if err != nil {
			return err
		}
		for _, id := range known {
			if slices.Contains(children, id) {
				continue
			}
			if err := tx.later(ctx, "adaptations_erase_child", id); err != nil {
				return err
			}
		}
		for _, id := range children {
			if slices.Contains(known, id) {
				continue
			}
			child, err := tx.entry(ctx, "record_by_id", id)
			if errors.Is(err, essaim.ErrNotFound) || err == nil && !derives(&child.Record, parent, child.Territory) {
				continue
			}
			if err != nil {
				return err
			}
			if err := tx.later(ctx, "adaptation_list", id, parent, child.Territory, "", micros(tx.s.now())); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("adaptations of %s: %w", parent, err)
	}
	return nil
}
