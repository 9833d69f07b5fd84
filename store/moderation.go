// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"time"
	"unicode/utf8"

	"essaim"
)

// Items lists what moderators decide about, the oldest first.
func (s *Store) Items(ctx context.Context, f essaim.ItemFilter) ([]essaim.Item, error) {
	all, err := list(ctx, s.query(), scanItem, "item_page", string(f.State), string(f.Kind), f.After, pageSize(f.Limit))
	if err != nil {
		return nil, fmt.Errorf("items: %w", err)
	}
	return all, nil
}

// pageSize is 50 unless asked otherwise, and 100 at most.
func pageSize(n int) int { return min(cmp.Or(max(n, 0), 50), 100) }

func scanItem(scan scanFunc) (i essaim.Item, err error) {
	err = scan(&i.N, (*string)(&i.Kind), &i.Ref, (*string)(&i.State), &i.Actor, &i.About, &i.Excerpt, moment{&i.ReceivedAt})
	return i, err
}

func scanDecision(scan scanFunc) (d essaim.Decision, err error) {
	err = scan(&d.N, moment{&d.At}, &d.Account, &d.Action, &d.Kind, &d.Subject, &d.Before, &d.After, &d.Reason)
	return d, err
}

// Item is an item with what it holds and what was decided about it.
func (s *Store) Item(ctx context.Context, n int64) (essaim.ItemDetail, error) {
	var d essaim.ItemDetail
	err := s.read(ctx, func(tx *Tx) (err error) {
		d, err = tx.itemDetail(ctx, n)
		return err
	})
	if err != nil {
		return d, fmt.Errorf("item %d: %w", n, err)
	}
	return d, nil
}

func (tx *Tx) itemDetail(ctx context.Context, n int64) (d essaim.ItemDetail, err error) {
	if d.Item, err = tx.item(ctx, n); err != nil {
		return d, err
	}
	if d.Decisions, err = list(ctx, tx, scanDecision, "decisions_about", string(d.Kind), d.Ref); err != nil {
		return d, err
	}
	if d.Actor != "" {
		st, err := tx.standing(ctx, d.Actor)
		if err != nil {
			return d, err
		}
		d.Muted = st.Muted()
	}
	if d.Kind == essaim.ItemComment {
		c, err := scanComment(tx.row(ctx, "comment_by_id", d.Ref).Scan)
		if err != nil {
			return d, err
		}
		d.Comment = &c
	}
	if d.Kind == essaim.ItemReport {
		if d.Report, err = tx.report(ctx, d.Ref); err != nil {
			return d, err
		}
	}
	if d.Kind == essaim.ItemCandidate {
		d.Candidate, err = tx.candidateDetail(ctx, d.Ref)
	}
	return d, err
}

func (tx *Tx) item(ctx context.Context, n int64) (essaim.Item, error) {
	return scanItem(tx.row(ctx, "item_by_number", n).Scan)
}

// DecideItem applies a moderator's action to an item, with a line in the
// journal. by is her account, 0 for the command line. An action that changes
// nothing is essaim.ErrConflict.
func (s *Store) DecideItem(ctx context.Context, n int64, a essaim.ItemAction, by int64, reason string) (essaim.ItemDetail, error) {
	return s.decideItem(ctx, n, a, "", by, reason)
}

// AcceptCandidate is DecideItem for a candidate that is to become a record of
// another kind than its own.
func (s *Store) AcceptCandidate(ctx context.Context, n int64, as essaim.Kind, by int64, reason string) (essaim.ItemDetail, error) {
	return s.decideItem(ctx, n, essaim.ItemAccept, as, by, reason)
}

func (s *Store) decideItem(ctx context.Context, n int64, a essaim.ItemAction, as essaim.Kind, by int64, reason string) (essaim.ItemDetail, error) {
	var d essaim.ItemDetail
	err := s.write(ctx, urgent, func(tx *Tx) error {
		i, err := tx.item(ctx, n)
		if err != nil {
			return err
		}
		if as != "" && i.Kind != essaim.ItemCandidate {
			return fmt.Errorf("a %s becomes no %s: %w", i.Kind, as, essaim.ErrInvalid)
		}
		p, err := tx.decide(ctx, i, a, as, by, reason)
		if err != nil {
			return err
		}
		if err := tx.number(ctx, p); err != nil {
			return err
		}
		if err := tx.flush(ctx); err != nil {
			return err
		}
		d, err = tx.itemDetail(ctx, n)
		return err
	})
	if err != nil {
		return d, fmt.Errorf("item %d: %w", n, err)
	}
	return d, nil
}

func (tx *Tx) decide(ctx context.Context, i essaim.Item, a essaim.ItemAction, as essaim.Kind, by int64, reason string) (*publication, error) {
	var was essaim.ItemState
	err := tx.row(ctx, "decision_hidden_from", string(i.Kind), i.Ref).Scan((*string)(&was))
	if err != nil && !errors.Is(err, essaim.ErrNotFound) {
		return nil, err
	}
	leads := a
	if i.Kind == essaim.ItemWithdrawal && a == essaim.ItemRestore {
		leads = essaim.ItemHide // the record is what is restored
	}
	next, err := leads.After(i.State, was)
	if err != nil {
		return nil, err
	}
	n, err := tx.exec(ctx, "item_set_state", i.N, string(next), string(i.State))
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, fmt.Errorf("decided by somebody else meanwhile: %w", essaim.ErrConflict)
	}
	p, err := tx.decided(ctx, i, next, as, by)
	if err != nil {
		return nil, err
	}
	return p, tx.journal(ctx, essaim.Decision{
		Account: by, Action: string(a), Kind: string(i.Kind), Subject: i.Ref, Before: string(i.State), After: string(next), Reason: reason,
	})
}

// decided does what a new state means for the kind of an item; what becomes
// public by it has no number yet.
func (tx *Tx) decided(ctx context.Context, i essaim.Item, next essaim.ItemState, as essaim.Kind, by int64) (*publication, error) {
	switch i.Kind {
	case essaim.ItemComment:
		st, err := tx.standing(ctx, i.Actor)
		if err != nil {
			return nil, err
		}
		_, err = tx.exec(ctx, "comment_show", i.N, flag(next == essaim.ItemAccepted && !st.Muted()))
		return nil, err
	case essaim.ItemCandidate:
		return tx.decideCandidate(ctx, i, next, as, by)
	case essaim.ItemReport:
		if next == essaim.ItemAccepted {
			return nil, tx.uphold(ctx, i, by)
		}
	case essaim.ItemWithdrawal:
		return nil, tx.decideWithdrawal(ctx, i, next)
	}
	return nil, nil
}

// journal writes a line; its number and time are given here.
func (tx *Tx) journal(ctx context.Context, d essaim.Decision) error {
	_, err := tx.exec(ctx, "decision_add", micros(tx.s.now()), d.Account, d.Action, d.Kind, d.Subject, d.Before, d.After, d.Reason)
	return err
}

// Decisions is the journal, newest first: up to n lines before the one numbered
// before (0 = from the newest).
func (s *Store) Decisions(ctx context.Context, before int64, n int) ([]essaim.Decision, error) {
	if before <= 0 {
		before = math.MaxInt64
	}
	all, err := list(ctx, s.query(), scanDecision, "decision_page", before, pageSize(n))
	if err != nil {
		return nil, fmt.Errorf("moderation journal: %w", err)
	}
	return all, nil
}

// addItem gives a new item its number. What it holds goes to the table of its
// kind, in the same transaction.
func (tx *Tx) addItem(ctx context.Context, i essaim.Item) (n int64, err error) {
	err = tx.row(ctx, "item_add", string(i.Kind), i.Ref, string(i.State), i.Actor, i.About, excerpt(i.Excerpt), micros(i.ReceivedAt)).Scan(&n)
	return n, err
}

// excerpt cuts a text to what a list shows.
func excerpt(text string) string {
	if utf8.RuneCountInString(text) <= essaim.MaxExcerpt {
		return text
	}
	return string([]rune(text)[:essaim.MaxExcerpt-1]) + "…"
}

// removeItem erases an item and what it holds. The journal says that something
// was decided, no longer about what.
func (tx *Tx) removeItem(ctx context.Context, kind essaim.ItemKind, ref string) error {
	for _, name := range []string{"item_remove", "decision_anonymise"} {
		if _, err := tx.exec(ctx, name, string(kind), ref); err != nil {
			return err
		}
	}
	return tx.noteErased(ctx)
}

// forgetItems erases what an actor elsewhere left, and tells how many items that were.
func (tx *Tx) forgetItems(ctx context.Context, actor string, now time.Time) (n int64, err error) {
	items, err := list(ctx, tx, scanItem, "items_of_actor", actor)
	if err != nil {
		return 0, err
	}
	for _, i := range items {
		if i.Kind == essaim.ItemComment {
			err = tx.removeComment(ctx, i.Ref, now)
		} else {
			err = tx.removeItem(ctx, i.Kind, i.Ref)
		}
		if err != nil {
			return 0, err
		}
	}
	return int64(len(items)), nil
}
