// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"essaim"
)

// FollowsHere tells whether an actor elsewhere follows any of this node.
func (s *Store) FollowsHere(ctx context.Context, actor string) (bool, error) {
	var one int
	err := s.query().row(ctx, "follows_here", actor).Scan(&one)
	if errors.Is(err, essaim.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("follows of %s: %w", actor, err)
	}
	return true, nil
}

// noteMove notes where an account went, unless it moved lately.
func (tx *Tx) noteMove(ctx context.Context, e essaim.Moved, now time.Time) (outcome, error) {
	lately, err := tx.found(ctx, "moved_lately", e.Actor, instant(now.Add(-essaim.MoveRest)))
	if err != nil {
		return did, err
	}
	if lately {
		return nothing("it moved less than a week ago"), nil
	}
	if _, err := tx.exec(ctx, "moved_save", e.Actor, e.Target.ID, instant(now)); err != nil {
		return did, err
	}
	// It may have followed under its new name before it said that it moved.
	locals, err := list(ctx, tx, only[string], "followed_by", e.Target.ID)
	if err != nil {
		return did, err
	}
	for _, local := range locals {
		if _, err := tx.exec(ctx, "follower_replace", local, e.Target.ID); err != nil {
			return did, err
		}
	}
	return did, tx.followMoved(ctx, e, now)
}

// followMoved takes our own follow of an account along. What its author agreed to
// was said under the old account and is not: an administrator asks again.
func (tx *Tx) followMoved(ctx context.Context, e essaim.Moved, now time.Time) error {
	if e.Follow.ActivityID == "" {
		return nil
	}
	n, err := tx.exec(ctx, "followed_remove", e.Actor)
	if err != nil || n == 0 {
		return err
	}
	if err := tx.enqueue(ctx, "Undo", e.Undo, now); err != nil {
		return err
	}
	to := e.Target
	n, err = tx.exec(ctx, "followed_moved", to.ID, to.Username+"@"+authority(to.ID), to.Name, to.URL, to.Inbox, e.Follow.ActivityID, micros(now))
	if err != nil || n == 0 { // followed already
		return err
	}
	return tx.enqueue(ctx, "Follow", e.Follow, now)
}
