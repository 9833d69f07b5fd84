// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"fmt"
	"time"

	"essaim"
)

// WithdrawRecord erases the content and publishes the tombstone; what was
// never public just goes.
func (s *Store) WithdrawRecord(ctx context.Context, id string, by essaim.Author) error {
	err := s.write(ctx, urgent, func(tx *Tx) error {
		e, err := tx.editable(ctx, id)
		if err != nil {
			return err
		}
		p, err := tx.withdraw(ctx, &e, false)
		if err != nil {
			return err
		}
		return tx.number(ctx, p...)
	})
	if err != nil {
		return fmt.Errorf("record %s: %w", id, err)
	}
	return nil
}

// withdraw erases a local record and its actor. Of what was public the tombstone
// remains.
func (tx *Tx) withdraw(ctx context.Context, e *entry, silent bool) ([]*publication, error) {
	if err := tx.leave(ctx, e); err != nil {
		return nil, err
	}
	if e.State != essaim.StatePublished {
		return nil, tx.remove(ctx, e)
	}
	node, err := tx.knownNode(ctx)
	if err != nil {
		return nil, err
	}
	e.next(node, tx.s.now())
	if err := tx.forgetParent(ctx, e.rid, e.DerivedFrom); err != nil {
		return nil, err
	}
	before := e.Mentions
	e.Content = blank(e.Kind)
	e.State = essaim.StateWithdrawn
	p, err := tx.s.render(e, essaim.VerbDelete, silent)
	if err != nil {
		return nil, err
	}
	p.alsoTell(before)
	tombstone := e.document
	e.document = nil
	if err := tx.eraseEntry(ctx, e, tombstone, e.Updated); err != nil {
		return nil, err
	}
	if err := tx.keepActivity(ctx, e, p); err != nil {
		return nil, err
	}
	if err := tx.announceToGroup(ctx, e, p); err != nil {
		return nil, err
	}
	farewell, err := tx.buryActor(ctx, e)
	return []*publication{p, farewell}, err
}

// leave ends what stands beside a local record that goes: its item, if it is a
// candidate, and what is kept of the objects that it was made of.
func (tx *Tx) leave(ctx context.Context, e *entry) error {
	if e.State == essaim.StateCandidate {
		if err := tx.opened(ctx, e.ID, essaim.ItemHidden); err != nil {
			return err
		}
	}
	return tx.forgetCandidates(ctx, e.ID)
}

// remove deletes what was never public, without a trace but its name.
func (tx *Tx) remove(ctx context.Context, e *entry) error {
	gone := essaim.Erasure{Sort: essaim.ErasedRecord, Ref: e.ID}
	gone.Unpublished = true
	if err := tx.noteErasure(ctx, gone); err != nil {
		return err
	}
	return tx.discard(ctx, e)
}

// discard is remove of what another takes the place of.
func (tx *Tx) discard(ctx context.Context, e *entry) error {
	if err := tx.forgetParent(ctx, e.rid, e.DerivedFrom); err != nil {
		return err
	}
	if err := tx.deleteRow(ctx, e.rid); err != nil {
		return err
	}
	return tx.noteErased(ctx)
}

// deleteRow deletes a record's row, with those beside it.
func (tx *Tx) deleteRow(ctx context.Context, rid int64) error {
	for _, name := range []string{"places_delete", "themes_delete", "relations_delete", "revisions_delete", "credits_delete", "record_delete"} {
		if err := tx.later(ctx, name, rid); err != nil {
			return err
		}
	}
	return nil
}

// blank is the content of a tombstone: its kind, which stays for good.
func blank(kind essaim.Kind) essaim.Content {
	c := essaim.Content{Kind: kind}
	if info, ok := kind.Info(); ok {
		c.Body = info.Body()
	}
	return c
}

// eraseEntry is eraseBeside of what its origin withdrew: its tombstone stays.
func (tx *Tx) eraseEntry(ctx context.Context, e *entry, tombstone []byte, at time.Time) error {
	if err := tx.eraseBeside(ctx, e); err != nil {
		return err
	}
	gone := essaim.Erasure{Sort: essaim.ErasedRecord, Ref: e.ID}
	if e.Origin == "" {
		gone.Document, gone.Digest = tombstone, e.CopyDigest
	}
	if err := tx.noteErasure(ctx, gone); err != nil {
		return err
	}
	return tx.later(ctx, "tombstone_insert", e.ID, string(e.Kind), e.Origin, micros(at), tombstone)
}

// eraseBeside removes everything that was written of a record here, in the
// transaction that withdraws it: revisions, search rows, what was published of
// it, and what still waits to be sent (replication.md, "Erasure"). The row
// stays, blank, so that its address says that it was withdrawn.
func (tx *Tx) eraseBeside(ctx context.Context, e *entry) error {
	for _, name := range []string{"deliveries_erase", "events_erase", "activities_erase", "revisions_delete"} {
		if err := tx.later(ctx, name, e.rid); err != nil {
			return err
		}
	}
	for _, name := range []string{"reactions_erase", "quotes_erase", "parent_versions_erase", "adaptation_drafts_erase", "adaptations_erase_child", "adaptations_erase_parent"} {
		if err := tx.later(ctx, name, e.ID); err != nil {
			return err
		}
	}
	if err := tx.removeComments(ctx, e.ID); err != nil {
		return err
	}
	if err := tx.noteErased(ctx); err != nil {
		return err
	}
	e.digest = "" // of the row that it was imported from
	if err := tx.save(ctx, e); err != nil {
		return err
	}
	return tx.later(ctx, "announce_drop", e.ID)
}
