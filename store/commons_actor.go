// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"essaim"
)

// inCommons tells of actors that stand in the commons: those that write, not the
// feeds, which only announce, nor the node's own.
func inCommons(k essaim.ActorKind) bool {
	switch k {
	case essaim.ActorTerritory, essaim.ActorInitiative, essaim.ActorOrganisation, essaim.ActorPerson:
		return true
	}
	return false
}

// actorListing is the line of an actor; nil when it changes nothing.
func (tx *Tx) actorListing(ctx context.Context, a essaim.LocalActor) (*listing, error) {
	if tx.s.cfg.Actor == nil || !inCommons(a.Kind) {
		return nil, nil
	}
	was, listed, err := tx.listedAs(ctx, a.ID)
	if err != nil || a.Gone && !listed {
		return nil, err
	}
	made, err := tx.s.cfg.Actor(a)
	if err != nil || made.CopyDigest == was {
		return nil, err
	}
	l := &listing{id: a.ID, sort: sortActor, digest: made.CopyDigest, document: made.Document}
	if a.Gone {
		l.sort = sortTombstone
	}
	return l, nil
}

// numberActor moves the counter after something of an actor changed, and the
// actor's line with it.
func (tx *Tx) numberActor(ctx context.Context, username string) error {
	if err := tx.flush(ctx); err != nil {
		return err
	}
	a, err := tx.localActor(ctx, username)
	if err != nil {
		return err
	}
	p := &publication{silent: true}
	if p.listing, err = tx.actorListing(ctx, a); err != nil {
		return err
	}
	return tx.number(ctx, p)
}

// relistActor renews the line of an edited record's actor, which describes it;
// there is one once the actor was followed or something of it chosen.
func (tx *Tx) relistActor(ctx context.Context, e *entry, p *publication) error {
	if _, ok := recordActors[e.Kind]; !ok || p.verb != essaim.VerbUpdate || tx.s.cfg.Actor == nil {
		return nil
	}
	node, err := tx.knownNode(ctx)
	if err != nil {
		return err
	}
	var id string
	err = tx.row(ctx, "commons_actor_of", e.ID, node.BaseURL+"/actors/").Scan(&id)
	if errors.Is(err, essaim.ErrNotFound) {
		return nil
	}
	if err == nil {
		err = tx.flush(ctx)
	}
	if err != nil {
		return err
	}
	a, err := tx.localActor(ctx, id[strings.LastIndexByte(id, '/')+1:])
	if err != nil {
		return err
	}
	l, err := tx.actorListing(ctx, a)
	if l != nil {
		p.also = &publication{silent: true, listing: l}
	}
	return err
}

// refreshTogether is how many lines are written in a transaction.
const refreshTogether = 100

// RefreshCommons lists what stands in the commons and is not listed: what was
// published before they were, and actors whose document changed with the node's
// configuration or the program, or that are followed since.
func (s *Store) RefreshCommons(ctx context.Context) error {
	if err := s.listRecords(ctx); err != nil {
		return fmt.Errorf("refresh of the commons: %w", err)
	}
	s.tree.mu.Lock()
	s.tree.grown = false // those may bear numbers that it has passed
	s.tree.mu.Unlock()
	node, err := s.Node(ctx)
	if err != nil {
		return fmt.Errorf("refresh of the commons: %w", err)
	}
	ids, err := list(ctx, s.query(), only[string], "commons_actors")
	if err != nil {
		return fmt.Errorf("refresh of the commons: %w", err)
	}
	names := []string{node.Territory.Username}
	for _, id := range ids {
		if name, ok := strings.CutPrefix(id, node.BaseURL+"/actors/"); ok && id != node.Territory.Actor {
			names = append(names, name)
		}
	}
	for len(names) > 0 {
		some := names[:min(len(names), refreshTogether)]
		names = names[len(some):]
		if err := s.listActors(ctx, some); err != nil {
			return fmt.Errorf("refresh of the commons: %w", err)
		}
	}
	return nil
}

// listActors looks first without writing: mostly nothing changed.
func (s *Store) listActors(ctx context.Context, names []string) error {
	var changed []string
	find := func(tx *Tx, f func(name string, l *listing)) error {
		for _, name := range names {
			a, err := tx.localActor(ctx, name)
			if errors.Is(err, essaim.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			l, err := tx.actorListing(ctx, a)
			if err != nil {
				return err
			}
			if l != nil {
				f(name, l)
			}
		}
		return nil
	}
	err := s.read(ctx, func(tx *Tx) error {
		changed = nil
		return find(tx, func(name string, _ *listing) { changed = append(changed, name) })
	})
	if err != nil || len(changed) == 0 {
		return err
	}
	names = changed
	return s.write(ctx, patient, func(tx *Tx) error {
		var public []*publication
		err := find(tx, func(_ string, l *listing) { public = append(public, &publication{silent: true, listing: l}) })
		if err != nil {
			return err
		}
		return tx.number(ctx, public...)
	})
}

// listRecords lists records that have no line. Their numbers are those that they
// have: no head was signed before.
func (s *Store) listRecords(ctx context.Context) error {
	for last, more := int64(0), true; more; {
		var reached int64
		err := s.write(ctx, patient, func(tx *Tx) error {
			reached, more = last, false
			type row struct {
				origin string
				number int64
				listing
			}
			rows, err := list(ctx, tx, func(scan scanFunc) (r row, err error) {
				var state essaim.State
				err = scan(&reached, &r.id, &r.origin, &state, &r.digest, &r.number)
				if r.sort = sortRecord; state == essaim.StateWithdrawn {
					r.sort = sortTombstone
				}
				return r, err
			}, "commons_unlisted", last, refreshTogether)
			if err != nil {
				return err
			}
			more = len(rows) == refreshTogether
			for _, r := range rows {
				if r.origin == "" {
					err = tx.enlist(ctx, &r.listing, r.number)
				} else {
					err = tx.enlistCopy(ctx, r.origin, &r.listing)
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		last = reached
	}
	return nil
}
