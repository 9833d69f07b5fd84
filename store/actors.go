// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"essaim"
)

// RemoteActor is the cached copy of an actor elsewhere; essaim.ErrNotFound for
// one never fetched.
func (s *Store) RemoteActor(ctx context.Context, id string) (essaim.RemoteActor, error) {
	return s.remoteActor(ctx, "actor_by_id", id)
}

// RemoteActorByKey finds the actor whose document lists a key id.
func (s *Store) RemoteActorByKey(ctx context.Context, keyID string) (essaim.RemoteActor, error) {
	return s.remoteActor(ctx, "actor_by_key", keyID)
}

func (s *Store) remoteActor(ctx context.Context, query, id string) (essaim.RemoteActor, error) {
	var a essaim.RemoteActor
	err := s.query().row(ctx, query, id).Scan(&a.ID, &a.Type, &a.Username, &a.Name, &a.URL, &a.Icon, &a.Inbox, &a.SharedInbox,
		&a.Outbox, &a.Document, moment{&a.FetchedAt}, bit{&a.Gone}, bit{&a.Unindexed})
	if err != nil {
		return essaim.RemoteActor{}, fmt.Errorf("actor %s: %w", id, err)
	}
	if a.Keys, err = list(ctx, s.query(), scanKey, "actor_keys", a.ID); err != nil {
		return essaim.RemoteActor{}, fmt.Errorf("keys of actor %s: %w", id, err)
	}
	return a, nil
}

func scanKey(scan scanFunc) (k essaim.PublicKey, err error) {
	err = scan(&k.ID, &k.PEM)
	return k, err
}

// SaveRemoteActor writes the cached copy of an actor and the keys that its
// document lists; an older copy than the one held changes nothing.
func (s *Store) SaveRemoteActor(ctx context.Context, a essaim.RemoteActor) error {
	err := s.write(ctx, urgent, func(tx *Tx) error {
		_, err := tx.saveActor(ctx, a)
		return err
	})
	if err != nil {
		return fmt.Errorf("save actor %s: %w", a.ID, err)
	}
	return nil
}

// saveActor reports whether the copy held changed.
func (tx *Tx) saveActor(ctx context.Context, a essaim.RemoteActor) (bool, error) {
	var held int64
	err := tx.row(ctx, "actor_fetched_at", a.ID).Scan(&held)
	if err == nil && held >= instant(a.FetchedAt) {
		return false, nil
	}
	if err != nil && !errors.Is(err, essaim.ErrNotFound) {
		return false, err
	}
	n, err := tx.exec(ctx, "actor_save", a.ID, a.Type, a.Username, a.Name, a.URL, a.Icon, a.Inbox, a.SharedInbox, a.Outbox,
		a.Document, instant(a.FetchedAt), flag(a.Gone), flag(a.Unindexed), instant(a.Updated))
	if err != nil || n == 0 {
		return false, err
	}
	if a.Unindexed {
		if err := tx.candidatesOf(ctx, a.ID, tx.withdrawCandidate); err != nil {
			return false, err
		}
	}
	if held != 0 {
		// Who follows is written to where its document says now.
		inbox := a.Target()
		if _, err := tx.exec(ctx, "follower_inbox", a.ID, inbox, authority(inbox)); err != nil {
			return false, err
		}
	}
	if _, err := tx.exec(ctx, "avatar_changed", a.ID, a.Icon); err != nil {
		return false, err
	}
	return true, tx.saveKeys(ctx, a)
}

// saveKeys leaves exactly the keys that the actor's document lists.
func (tx *Tx) saveKeys(ctx context.Context, a essaim.RemoteActor) error {
	listed := map[string]bool{}
	for _, k := range a.Keys {
		listed[k.ID] = true
	}
	held, err := list(ctx, tx, scanKey, "actor_keys", a.ID)
	if err != nil {
		return err
	}
	for _, k := range held {
		if listed[k.ID] {
			continue
		}
		if _, err := tx.exec(ctx, "actor_key_remove", k.ID, a.ID); err != nil {
			return err
		}
	}
	for _, k := range a.Keys {
		if _, err := tx.exec(ctx, "actor_key_save", k.ID, a.ID, k.PEM); err != nil {
			return err
		}
	}
	return nil
}

const (
	// forgetUnlinked is how long the copy of an actor that has nothing here is kept
	// after it was fetched: its keys may be asked for again.
	forgetUnlinked = 30 * 24 * time.Hour
	// tryAgain is when one that could not be refreshed, or says that it is gone, is
	// asked again.
	tryAgain = 24 * time.Hour
)

// StaleActors claims up to n actors whose copy is older than age, and lists those
// that are to be fetched anew. What has nothing here is not; after a while its
// copy goes.
func (s *Store) StaleActors(ctx context.Context, age time.Duration, n int) ([]string, error) {
	var stale []string
	err := s.write(ctx, patient, func(tx *Tx) error {
		stale = nil
		now := s.now()
		type held struct {
			id      string
			fetched time.Time
		}
		claimed, err := list(ctx, tx, func(scan scanFunc) (h held, err error) {
			err = scan(&h.id, moment{&h.fetched})
			return h, err
		}, "actors_stale", instant(now.Add(-age)), instant(now.Add(tryAgain-age)), n)
		if err != nil {
			return err
		}
		for _, h := range claimed {
			linked, err := tx.found(ctx, "actor_linked", h.id, authority(h.id))
			if err != nil {
				return err
			}
			switch {
			case linked:
				stale = append(stale, h.id)
			case now.Sub(h.fetched) >= forgetUnlinked:
				for _, name := range []string{"avatar_remove", "actor_remove"} {
					if _, err := tx.exec(ctx, name, h.id); err != nil {
						return err
					}
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("stale actors: %w", err)
	}
	return stale, nil
}

// LoseActor notes that an actor's home says it is gone. The first time it is
// asked again a day later, the second it is forgotten with all that it left. A
// node that we follow is not: its copies stay.
func (s *Store) LoseActor(ctx context.Context, id string) error {
	err := s.write(ctx, patient, func(tx *Tx) error {
		peer, err := tx.found(ctx, "actor_of_peer", id, authority(id))
		if err != nil || peer {
			return err
		}
		now := s.now()
		n, err := tx.exec(ctx, "actor_gone", id, instant(now.Add(tryAgain-essaim.ActorAge)))
		if err != nil || n > 0 {
			return err
		}
		_, err = tx.forgetActor(ctx, essaim.ForgetActor{Actor: id}, now)
		return err
	})
	if err != nil {
		return fmt.Errorf("actor %s: %w", id, err)
	}
	return nil
}
