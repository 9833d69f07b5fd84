// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"errors"
	"fmt"

	"essaim"
)

// DueAvatars claims up to n avatars of actors that a page shows, which are not
// held yet, changed, or old. What no page shows any more goes.
func (s *Store) DueAvatars(ctx context.Context, n int) ([]essaim.Avatar, error) {
	var due []essaim.Avatar
	err := s.write(ctx, patient, func(tx *Tx) error {
		due = nil
		now := s.now()
		if _, err := tx.exec(ctx, "avatars_want", n); err != nil {
			return err
		}
		actors, err := list(ctx, tx, only[string], "avatars_due", instant(now), instant(now.Add(essaim.AvatarRetry)), n)
		if err != nil {
			return err
		}
		for _, actor := range actors {
			a := essaim.Avatar{Actor: actor}
			err := tx.row(ctx, "avatar_source", actor).Scan(&a.Source)
			switch {
			case err == nil && a.Source != "":
				due = append(due, a)
			case err == nil:
				_, err = tx.exec(ctx, "avatar_save", actor, "", "", instant(now.Add(essaim.AvatarAge)))
			case errors.Is(err, essaim.ErrNotFound):
				_, err = tx.exec(ctx, "avatar_remove", actor)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("due avatars: %w", err)
	}
	return due, nil
}

// SaveAvatar notes the file that holds our copy; an empty one that there is none
// to be had.
func (s *Store) SaveAvatar(ctx context.Context, a essaim.Avatar, file string) error {
	err := s.write(ctx, patient, func(tx *Tx) error {
		_, err := tx.exec(ctx, "avatar_save", a.Actor, a.Source, file, instant(s.now().Add(essaim.AvatarAge)))
		return err
	})
	if err != nil {
		return fmt.Errorf("avatar of %s: %w", a.Actor, err)
	}
	return nil
}

// HasPicture tells whether a file is named by anything: what is not is neither
// served nor kept.
func (s *Store) HasPicture(ctx context.Context, file string) (bool, error) {
	ok, err := s.query().found(ctx, "avatar_named", file)
	if err != nil {
		return false, fmt.Errorf("picture %s: %w", file, err)
	}
	return ok, nil
}
