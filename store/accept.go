// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"errors"
	"fmt"

	"essaim"
)

// decideCandidate does what a new state means for a candidate. as is the kind
// that it is accepted as, its own when empty.
func (tx *Tx) decideCandidate(ctx context.Context, i essaim.Item, next essaim.ItemState, as essaim.Kind, by int64) (*publication, error) {
	switch {
	case i.State == essaim.ItemAccepted:
		return nil, fmt.Errorf("it was taken over, its record is to be withdrawn: %w", essaim.ErrConflict)
	case next != essaim.ItemAccepted:
		return nil, nil
	}
	c, ok, err := tx.candidate(ctx, i.Ref)
	if err != nil || !ok {
		return nil, errors.Join(err, essaim.ErrNotFound)
	}
	author := essaim.Author{User: by}
	if by != 0 {
		u, err := scanUser(tx.row(ctx, "account_by_id", by).Scan)
		if err != nil && !errors.Is(err, essaim.ErrNotFound) {
			return nil, err
		}
		author.Name = u.Name
	}
	return tx.accept(ctx, c, as, author)
}

// accept takes a candidate over: published when it has what its kind requires,
// else opened as a draft for people to complete.
func (tx *Tx) accept(ctx context.Context, c candidate, as essaim.Kind, by essaim.Author) (*publication, error) {
	e, err := tx.editable(ctx, c.record)
	if errors.Is(err, essaim.ErrNotFound) {
		return nil, fmt.Errorf("its record was removed: %w", essaim.ErrConflict)
	}
	if err != nil || e.State != essaim.StateCandidate {
		return nil, err // opened in the pages before
	}
	content := e.Content
	if as != "" && as != content.Kind {
		content = content.As(as)
	}
	state := essaim.StatePublished
	if len(content.Validate(true)) > 0 {
		state = essaim.StateDraft
	}
	if content.Kind == e.Kind {
		return tx.update(ctx, &e, content, state, by, false)
	}
	// A record keeps its kind and its address for good: another is made.
	if err := tx.discard(ctx, &e); err != nil {
		return nil, err
	}
	made, p, err := tx.create(ctx, essaim.NewRecord{Content: content, State: state, Author: by}, "", "")
	if err != nil {
		return nil, err
	}
	_, err = tx.exec(ctx, "candidate_moved", c.object, made.ID)
	if err == nil {
		_, err = tx.exec(ctx, "item_moved", string(essaim.ItemCandidate), c.object, made.ID)
	}
	return p, err
}

// opened tells the moderators' list that a candidate was opened, or removed, in
// the pages.
func (tx *Tx) opened(ctx context.Context, record string, now essaim.ItemState) error {
	_, err := tx.exec(ctx, "item_opened", record, string(now))
	return err
}

// candidateDetail is a candidate for a moderator to look at.
func (tx *Tx) candidateDetail(ctx context.Context, object string) (*essaim.Candidate, error) {
	c, ok, err := tx.candidate(ctx, object)
	if err != nil || !ok {
		return nil, err
	}
	d := &essaim.Candidate{BroughtBy: c.by, Announce: c.announce, Record: c.record}
	r, err := tx.entry(ctx, "record_by_id", c.record)
	if errors.Is(err, essaim.ErrNotFound) {
		return d, nil
	}
	if err != nil {
		return nil, err
	}
	d.State, d.Content = r.State, &r.Content
	if r.State != essaim.StatePublished {
		d.Missing = r.Validate(true)
	}
	return d, nil
}
