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
// first of which not all is known to be acknowledged. Of more than n it lists others
// at another time.
func (s *Store) AdaptedOf(ctx context.Context, host string, n int) ([]essaim.Adapted, error) {
	all, err := list(ctx, s.query(), func(scan scanFunc) (a essaim.Adapted, err error) {
		err = scan(&a.ID, &a.Document)
		return a, err
	}, "adaptations_of_host", host, n, s.now().Unix()%1000003)
	if err != nil {
		return nil, fmt.Errorf("records of %s that are adapted: %w", host, err)
	}
	return all, nil
}

// NoteAcknowledged takes what the origin of a record elsewhere lists as its
// adaptations, of what is held here and says so itself; of the others none counts
// as acknowledged any more. One made here is answered by that as by an Accept.
func (s *Store) NoteAcknowledged(ctx context.Context, parent string, children []string) error {
	// The list is as long as its origin likes: only what is held waits for the writer,
	// so many at a time.
	held, err := list(ctx, s.query(), only[string], "adaptations_held", parent)
	if err != nil {
		return fmt.Errorf("adaptations of %s: %w", parent, err)
	}
	listed := make(map[string]bool, len(children))
	for _, id := range children {
		listed[id] = true
	}
	held = slices.DeleteFunc(held, func(id string) bool { return !listed[id] })
	for first := true; first || len(held) > 0; first = false {
		some := held[:min(len(held), acknowledgedAtOnce)]
		held = held[len(some):]
		if err := s.noteAcknowledged(ctx, parent, listed, some); err != nil {
			return fmt.Errorf("adaptations of %s: %w", parent, err)
		}
	}
	return nil
}

// acknowledgedAtOnce bounds how many of one record are written in a transaction.
const acknowledgedAtOnce = 100

func (s *Store) noteAcknowledged(ctx context.Context, parent string, listed map[string]bool, children []string) error {
	return s.write(ctx, patient, func(tx *Tx) error {
		held, ok, err := tx.locked(ctx, parent)
		if err != nil || !ok || held.Origin == "" || held.State != essaim.StatePublished {
			return err
		}
		known, err := list(ctx, tx, only[string], "adaptations_acknowledged", parent)
		if err != nil {
			return err
		}
		for _, id := range known {
			if listed[id] {
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
}
