// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"fmt"

	"essaim"
)

// What moderators are told of a record whose source its author deleted.
const (
	toldQuotation = "What this record was made of was deleted by its author. The author's name, the link and what was quoted are taken out of it and of its versions; what people here wrote stays. Read it again: accept once it stands by itself, or withdraw it."
	toldLicensed  = "What this record was made of was deleted by its author, who had let it be kept under %s. It stays, with the name that the licence asks for. Accept if it is to stay; withdraw it, or take the name out, if the author asks for that."
)

// takeBack applies that an object is gone where it came from, by its author's will
// or with the author. What nobody here wrote goes whole, accepted or not, where it was only
// quoted; what people rewrote loses the quotation and the author's name; what is
// under a licence that lets it be kept, and was accepted, stays. Of what stays
// moderators are told, so that somebody decides. What leads from the record to the
// object goes in any case.
func (tx *Tx) takeBack(ctx context.Context, c candidate) (outcome, error) {
	if err := tx.eraseRaw(ctx, c.object); err != nil {
		return did, err
	}
	e, ok, err := tx.locked(ctx, c.record)
	if err != nil {
		return did, err
	}
	published := ok && e.State == essaim.StatePublished // whatever becomes of it below
	switch {
	case published && tx.again:
		return did, nil // what is signed anew waits for TakeBackAgain; a tombstone comes by itself
	case ok && e.State != essaim.StateWithdrawn:
		if err := tx.takeBackFrom(ctx, &e, c.object); err != nil {
			return did, err
		}
	}
	if err := tx.removeItem(ctx, essaim.ItemCandidate, c.object); err != nil {
		return did, err
	}
	if _, err := tx.exec(ctx, "candidate_remove", c.object); err != nil {
		return did, err
	}
	return did, tx.noteDeleted(ctx, c.object, published)
}

// TakeBackAgain takes out of records what its author had deleted, and whom they were
// to name no more, before an older state of the database was put back. It needs what
// renders documents.
func (s *Store) TakeBackAgain(ctx context.Context) error {
	known, err := s.Erasures(ctx)
	if err != nil {
		return err
	}
	if err := s.eraseCreditsAgain(ctx, known); err != nil {
		return err
	}
	gone := map[string]bool{}
	for _, e := range known {
		gone[e.Ref] = gone[e.Ref] || e.Sort == essaim.ErasedObject
	}
	objects, err := list(ctx, s.query(), only[string], "erasure_candidates")
	if err != nil {
		return fmt.Errorf("what was taken back: %w", err)
	}
	for _, object := range objects {
		if !gone[essaim.ErasureRef(essaim.ErasedObject, object)] {
			continue
		}
		err := s.write(ctx, patient, func(tx *Tx) error {
			if err := tx.lockObjects(ctx, []string{object}); err != nil {
				return err
			}
			c, ok, err := tx.candidate(ctx, object)
			if err == nil && ok {
				_, err = tx.takeBack(ctx, c)
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("what was made of %s: %w", object, err)
		}
	}
	return nil
}

func (tx *Tx) takeBackFrom(ctx context.Context, e *entry, object string) error {
	made, err := tx.madeOf(ctx, e.rid, object)
	if err != nil {
		return err
	}
	written, licence := true, ""
	if n := len(made); n > 0 {
		if written, err = differs(e.Content, made[n-1]); err != nil {
			return err
		}
		licence = made[n-1].Licence
	}
	free := essaim.Reusable(licence)
	content, stands := e.Content, true
	if !free {
		content = e.WithoutQuotation(object, made)
		stands = len(content.Validate(e.State == essaim.StatePublished)) == 0
	}
	if !stands || !written && (e.State == essaim.StateCandidate || !free) {
		gone, err := tx.withdraw(ctx, e, false)
		tx.publishes(gone...)
		return err
	}
	if !free {
		return tx.takeOut(ctx, e, content, object, made)
	}
	if e.State == essaim.StateCandidate {
		// Theirs, and waiting for nobody: they go on with it.
		list, err := tx.edit(ctx, e, content, essaim.StateDraft, essaim.Author{Name: authority(object)})
		if err != nil {
			return err
		}
		tx.publishes(list...)
	}
	return tx.tellTakenBack(ctx, e.ID, object, fmt.Sprintf(toldLicensed, licence))
}

// takeOut writes the version of a record without what it quoted, and takes that out
// of the versions before and of what was sent.
func (tx *Tx) takeOut(ctx context.Context, e *entry, content essaim.Content, object string, made []essaim.Content) error {
	list, err := tx.edit(ctx, e, content, essaim.StateDraft, essaim.Author{Name: authority(object)})
	if err != nil {
		return err
	}
	tx.publishes(list...)
	if err := tx.flush(ctx); err != nil {
		return err
	}
	_, err = tx.rewriteRevisions(ctx, e.rid, func(c *essaim.Content) (bool, error) {
		was := *c
		*c = c.WithoutQuotation(object, made)
		return differs(was, *c)
	})
	if err != nil {
		return err
	}
	if err := tx.eraseSent(ctx, e); err != nil {
		return err
	}
	return tx.tellTakenBack(ctx, e.ID, object, toldQuotation)
}

// madeOf lists the versions that were made of an object, and that nobody changed:
// those that its host signs, else the first, of a record that was accepted as another kind.
func (tx *Tx) madeOf(ctx context.Context, rid int64, object string) (made []essaim.Content, err error) {
	all, err := tx.versions(ctx, rid)
	if err != nil {
		return nil, err
	}
	for i, v := range all {
		if v.by == (essaim.Author{Name: authority(object)}) {
			made = append(made, all[i].content)
		}
	}
	if len(made) == 0 && len(all) > 0 {
		made = append(made, all[0].content)
	}
	return made, nil
}

// differs tells whether a content says anything else than another.
func differs(a, b essaim.Content) (bool, error) {
	if b.Kind != a.Kind {
		b = b.As(a.Kind)
	}
	one, err := digestOf(a)
	if err != nil {
		return false, err
	}
	other, err := digestOf(b)
	return one != other, err
}

// tellTakenBack opens an item for the moderators. It names the host and not the
// author.
func (tx *Tx) tellTakenBack(ctx context.Context, record, object, text string) error {
	return tx.addReport(ctx, essaim.Report{ID: tx.s.cfg.NewID(), Host: authority(object), Objects: []string{record}, Text: text}, record, tx.s.now())
}
