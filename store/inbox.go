// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"essaim"
)

// ReceiveActivity stores an activity that came; it is durable when it returns.
// fresh is false when one of this id was received before.
func (s *Store) ReceiveActivity(ctx context.Context, in essaim.Inbound) (fresh bool, err error) {
	var one int
	switch err := s.query().row(ctx, "inbox_known", in.ActivityID).Scan(&one); {
	case err == nil && in.Transient:
	case err == nil:
		return false, nil // what comes twice costs no write
	case !errors.Is(err, essaim.ErrNotFound):
		return false, fmt.Errorf("receive activity %s: %w", in.ActivityID, err)
	}
	digest := sha256.Sum256(in.Raw)
	err = s.write(ctx, urgent, func(tx *Tx) error {
		if in.Transient {
			// Said again, it comes after all that was said since.
			if _, err := tx.exec(ctx, "inbox_said_before", in.ActivityID); err != nil {
				return err
			}
		}
		n, err := tx.exec(ctx, "inbox_add", in.ActivityID, in.Type, in.Actor, in.Raw, instant(in.ReceivedAt), hex.EncodeToString(digest[:]))
		fresh = n == 1
		tx.wake()
		return err
	})
	if err != nil {
		return false, fmt.Errorf("receive activity %s: %w", in.ActivityID, err)
	}
	return fresh, nil
}

// ClaimInbound leases up to n activities that are due, in the order in which
// they came. An actor whose activities are under lease elsewhere waits, so that
// its Undo never overtakes its Follow.
func (s *Store) ClaimInbound(ctx context.Context, n int, lease time.Duration) ([]essaim.Inbound, error) {
	// The poll of an idle node writes nothing.
	if due, err := list(ctx, s.query(), only[int], "inbox_due", micros(s.now())); err != nil || len(due) == 0 {
		return nil, err
	}
	var claimed []essaim.Inbound
	err := s.write(ctx, urgent, func(tx *Tx) error {
		if err := tx.lockInbox(ctx); err != nil {
			return err
		}
		now := s.now()
		var err error
		claimed, err = list(ctx, tx, func(scan scanFunc) (in essaim.Inbound, err error) {
			err = scan(&in.ID, &in.ActivityID, &in.Type, &in.Actor, &in.Raw, moment{&in.ReceivedAt}, &in.Attempt)
			return in, err
		}, "inbox_claim", micros(now), micros(now.Add(lease)), n)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("claim inbound activities: %w", err)
	}
	slices.SortFunc(claimed, func(a, b essaim.Inbound) int { return int(a.ID - b.ID) })
	return claimed, nil
}
