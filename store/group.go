// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"errors"
	"fmt"

	"essaim"
)

// OpenGroup makes the territory's community announce what is published from now
// on, and gives it its actor the first time; it returns the actor's id. Call it
// before anything is published. A community announces to its followers what the
// territory sends, whole, as FEP-1b12 asks: also edits and withdrawals.
func (s *Store) OpenGroup(ctx context.Context) (id string, err error) {
	err = s.write(ctx, urgent, func(tx *Tx) error {
		node, err := tx.knownNode(ctx)
		if err != nil {
			return err
		}
		err = tx.row(ctx, "local_actor_of", string(essaim.ActorGroup), node.Territory.Actor).Scan(&id)
		if !errors.Is(err, essaim.ErrNotFound) {
			return err
		}
		id, err = tx.newActor(ctx, essaim.ActorName(essaim.ActorGroup, node.Territory.Username), essaim.ActorGroup, node.Territory.Actor, essaim.Profile{})
		if err != nil {
			return err
		}
		return tx.number(ctx, &publication{silent: true})
	})
	if err != nil {
		return "", fmt.Errorf("group: %w", err)
	}
	s.group = id
	return id, nil
}

// announceToGroup plans what the community announces of a publication: the whole
// activity, for Lemmy, and at the first the record's id, for servers that
// understand no more.
func (tx *Tx) announceToGroup(ctx context.Context, e *entry, p *publication) error {
	if tx.s.group == "" || p.silent {
		return nil
	}
	now := micros(tx.s.now())
	objects := []string{p.activity}
	if p.verb == essaim.VerbCreate {
		objects = append(objects, e.ID)
	}
	for _, object := range objects {
		if err := tx.later(ctx, "announce_add", tx.s.group, object, now, now, ""); err != nil {
			return err
		}
	}
	return nil
}

// tellWhole makes the announce of an activity that the territory sent; nil when
// its content is erased.
func (tx *Tx) tellWhole(ctx context.Context, told essaim.Told) (*publication, error) {
	var rid int64
	var record string
	err := tx.row(ctx, "announce_activity", told.Object).Scan(&told.Embedded, stamp{&told.At}, &rid, &record)
	if errors.Is(err, essaim.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	p, err := tx.tell(ctx, told, rid)
	if p != nil {
		p.id = record // in the order of what is announced of it
	}
	return p, err
}
