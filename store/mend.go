// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"essaim"
)

// Remade makes a document of this node again from what is kept beside it: of a
// record from its row, of one that was withdrawn its tombstone, of an actor from
// what was chosen. Nothing is written. Where that is lost too there is no Document;
// essaim.ErrNotFound is for what was never published.
func (s *Store) Remade(ctx context.Context, id string) (made essaim.Remade, err error) {
	var e entry
	var actor essaim.LocalActor
	var listed bool
	err = s.read(ctx, func(tx *Tx) error {
		e, actor = entry{}, essaim.LocalActor{}
		if made.Noted, listed, err = tx.listedAs(ctx, id); err != nil {
			return err
		}
		name, isActor, err := tx.ownActor(ctx, id)
		switch {
		case err != nil:
			return err
		case isActor:
			actor, err = tx.localActor(ctx, name)
		default:
			if e, err = tx.entry(ctx, "record_by_id", id); err == nil && e.Origin == "" && e.State == essaim.StatePublished {
				made.Repeated, err = tx.repeats(ctx, &e)
			}
		}
		if errors.Is(err, essaim.ErrNotFound) && listed {
			e, actor, err = entry{}, essaim.LocalActor{}, nil
		}
		return err
	})
	made.ID = id
	var out essaim.Rendered
	switch {
	case err != nil:
	case actor.ID != "" && s.cfg.Actor != nil:
		made.Sort, made.Intact = essaim.CopyActor, true
		if actor.Gone {
			made.Sort = essaim.CopyTombstone
		}
		out, err = s.cfg.Actor(actor)
	case e.ID != "" && e.Origin == "" && s.cfg.Render != nil:
		if made.Noted == "" {
			made.Noted = e.CopyDigest
		}
		out, err = s.remadeRecord(&e)
		made.Sort, made.Intact = essaim.CopyRecord, out.ContentDigest == e.ContentDigest
		if e.State == essaim.StateWithdrawn {
			made.Sort, made.Intact = essaim.CopyTombstone, true // an id, a kind, a date
		}
	case !listed:
		err = essaim.ErrNotFound
	}
	if err != nil {
		return made, fmt.Errorf("%s made again: %w", id, err)
	}
	made.Document, made.ContentDigest, made.CopyDigest = out.Document, out.ContentDigest, out.CopyDigest
	return made, nil
}

// ownActor is the name of an actor of this node, if an id is that of one.
func (tx *Tx) ownActor(ctx context.Context, id string) (name string, ok bool, err error) {
	node, err := tx.knownNode(ctx)
	if err != nil {
		return "", false, err
	}
	name, ok = strings.CutPrefix(id, node.BaseURL+"/actors/")
	return name, ok, nil
}

// remadeRecord makes the document of a version, or the tombstone, as it was made
// when it was published.
func (s *Store) remadeRecord(e *entry) (essaim.Rendered, error) {
	verb := essaim.VerbUpdate
	switch e.State {
	case essaim.StatePublished:
	case essaim.StateWithdrawn:
		verb = essaim.VerbDelete
	default:
		return essaim.Rendered{}, essaim.ErrNotFound
	}
	return s.cfg.Render(essaim.RenderRequest{Verb: verb, ActivityID: e.activityID, Record: e.Record, At: e.Updated})
}

// Mend puts a document of this node in the place of one that is damaged or lost.
// One of the digest that was noted changes nothing else; any other takes a new
// change number, and is announced to nobody. essaim.ErrConflict means that another
// digest is noted by now, or that something else stands there.
func (s *Store) Mend(ctx context.Context, it essaim.Recovered, noted string) error {
	err := s.write(ctx, patient, func(tx *Tx) error {
		public, err := tx.mend(ctx, it, noted)
		if err != nil {
			return err
		}
		return tx.number(ctx, public...)
	})
	if err != nil {
		return fmt.Errorf("mend %s: %w", it.ID, err)
	}
	return nil
}

func (tx *Tx) mend(ctx context.Context, it essaim.Recovered, noted string) ([]*publication, error) {
	_, isActor, err := tx.ownActor(ctx, it.ID)
	if err != nil {
		return nil, err
	}
	e, ok, err := tx.locked(ctx, it.ID)
	if err != nil {
		return nil, err
	}
	was, listed, err := tx.listedAs(ctx, it.ID)
	if err != nil {
		return nil, err
	}
	if !listed || was == "" { // under a licence that keeps it out of the commons
		was = e.CopyDigest
	}
	if was != noted || ok && e.Origin != "" {
		return nil, fmt.Errorf("it changed meanwhile: %w", essaim.ErrConflict)
	}
	l := &listing{id: it.ID, sort: sortOf(it.Sort), digest: it.CopyDigest}
	p := &publication{rid: e.rid, silent: true, listing: l}
	switch {
	case isActor:
		l.document = it.Document
		err = tx.later(ctx, "mend_line", it.ID, it.Document)
	case ok && e.State == essaim.StatePublished && it.Sort == essaim.CopyRecord:
		e.CopyDigest = it.CopyDigest
		if p.listing = nil; listed {
			p.listing = listingOf(&e, essaim.VerbUpdate)
		}
		err = tx.later(ctx, "mend_record", e.rid, it.Document, it.ContentDigest, it.CopyDigest)
	case it.Sort == essaim.CopyTombstone && (!ok || e.State == essaim.StateWithdrawn):
		at := e.Updated
		if at.IsZero() {
			at = it.Updated
		}
		if err = tx.later(ctx, "tombstone_renew", it.ID, string(e.Kind), "", micros(at), it.Document); err == nil && ok {
			err = tx.later(ctx, "rotation_withdrawn", e.rid, it.CopyDigest)
		}
	case !ok && it.Record != nil:
		return tx.mendLost(ctx, it)
	default:
		err = fmt.Errorf("something else stands there: %w", essaim.ErrConflict)
	}
	if err != nil || it.CopyDigest == noted {
		return nil, err
	}
	return []*publication{p}, nil
}

// mendLost writes a record of which nothing is left but its line.
func (tx *Tx) mendLost(ctx context.Context, it essaim.Recovered) ([]*publication, error) {
	node, err := tx.knownNode(ctx)
	if err != nil {
		return nil, err
	}
	if it.Record.Territory != node.Territory.Actor {
		return nil, fmt.Errorf("of %s: %w", it.Record.Territory, essaim.ErrInvalid)
	}
	tx.s.foresee(&it.Record.Content)
	public, why, err := tx.recoverRecord(ctx, &it, false)
	if why != "" {
		err = fmt.Errorf("%s: %w", why, essaim.ErrConflict)
	}
	return public, err
}
