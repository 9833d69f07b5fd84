// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"fmt"
	"time"

	"essaim"
)

// DueCopyChecks lists up to n nodes, followed or following, that are to be asked
// now what they hold, those that wait longest first.
func (s *Store) DueCopyChecks(ctx context.Context, n int) ([]string, error) {
	hosts, err := list(ctx, s.query(), only[string], "copy_check_due", instant(s.now()), n)
	if err != nil {
		return nil, fmt.Errorf("checks that are due: %w", err)
	}
	return hosts, nil
}

// SaveCopyCheck notes what a node holds, in place of what was noted before.
func (s *Store) SaveCopyCheck(ctx context.Context, c essaim.CopyCheck) error {
	err := s.ofPeer(ctx, c.Host, func(tx *Tx) error {
		was := map[string]string{}
		err := tx.each(ctx, "copy_differs_list", func(scan func(...any) error) error {
			var it essaim.CommonsItem
			err := scan(&it.ID, &it.Digest)
			was[it.ID] = it.Digest
			return err
		}, c.Host, c.Origin)
		if err != nil {
			return err
		}
		for _, it := range c.Differs {
			if digest, known := was[it.ID]; !known || digest != it.Digest {
				if err := tx.later(ctx, "copy_differs_put", c.Host, c.Origin, it.ID, it.Digest); err != nil {
					return err
				}
			}
			delete(was, it.ID)
		}
		for id := range was {
			if err := tx.later(ctx, "copy_differs_drop", c.Host, c.Origin, id); err != nil {
				return err
			}
		}
		return tx.later(ctx, "copy_check_save", c.Host, c.Origin, micros(c.At), c.Number, string(c.State), instant(c.Next))
	})
	if err != nil {
		return fmt.Errorf("what %s holds: %w", c.Host, err)
	}
	return nil
}

// PutOffCopyCheck plans the next question to a node that did not answer; what it
// was found to hold stays, with its date.
func (s *Store) PutOffCopyCheck(ctx context.Context, host string, at time.Time) error {
	err := s.ofPeer(ctx, host, func(tx *Tx) error {
		_, err := tx.exec(ctx, "copy_check_put_off", host, instant(at))
		return err
	})
	if err != nil {
		return fmt.Errorf("what %s holds: %w", host, err)
	}
	return nil
}

// CopyHolders lists the nodes that were asked and what they hold under an id that
// stands in the commons of this node, or of one that it follows: a document, or a
// tombstone. Of what this node deleted, those who never answered are listed too.
func (s *Store) CopyHolders(ctx context.Context, id string) ([]essaim.CopyHolder, error) {
	all, err := list(ctx, s.query(), func(scan scanFunc) (h essaim.CopyHolder, err error) {
		var state essaim.CopyCheckState
		var other *string
		var stale bool
		err = scan(&h.Host, &h.Name, stamp{&h.At}, (*string)(&state), &other, bit{&stale})
		switch {
		case state == essaim.CheckNothing:
			h.State = essaim.HoldsNothing
		case stale || state != essaim.CheckCompared:
			h.State = essaim.HoldsUnknown
		case other == nil:
			h.State = essaim.HoldsSame
		case *other == "":
			h.State = essaim.HoldsNothing
		default:
			h.State = essaim.HoldsOther
		}
		return h, err
	}, "copy_holders", id)
	if err != nil {
		return nil, fmt.Errorf("who holds %s: %w", id, err)
	}
	return all, nil
}
