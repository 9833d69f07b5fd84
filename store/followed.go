// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"essaim"
)

func scanFollowed(scan scanFunc) (f essaim.Followed, err error) {
	err = scan(&f.Actor, &f.Handle, &f.Name, &f.URL, &f.Inbox, (*string)(&f.State), &f.FollowID, &f.Agreed, moment{&f.FollowedAt}, &f.Candidates)
	return f, err
}

// FollowedAccounts lists the accounts elsewhere that the node follows.
func (s *Store) FollowedAccounts(ctx context.Context) ([]essaim.Followed, error) {
	all, err := list(ctx, s.query(), scanFollowed, "followed_list")
	if err != nil {
		return nil, fmt.Errorf("followed accounts: %w", err)
	}
	return all, nil
}

// FollowedAccount is one of them, by its actor's id.
func (s *Store) FollowedAccount(ctx context.Context, actor string) (essaim.Followed, error) {
	f, err := scanFollowed(s.query().row(ctx, "followed_by_actor", actor).Scan)
	if err != nil {
		return f, fmt.Errorf("followed account %s: %w", actor, err)
	}
	return f, nil
}

// FollowAccount stores an account as requested and queues our Follow; asked again
// it replaces what its author agreed to. What is agreed stands in the journal,
// with the reason given for it.
func (s *Store) FollowAccount(ctx context.Context, f essaim.Followed, reason string, follow essaim.Outgoing) error {
	err := s.write(ctx, urgent, func(tx *Tx) error {
		now := s.now()
		was, err := scanFollowed(tx.row(ctx, "followed_by_actor", f.Actor).Scan)
		if err != nil && !errors.Is(err, essaim.ErrNotFound) {
			return err
		}
		if was.Agreed != f.Agreed {
			err := tx.journal(ctx, essaim.Decision{Action: "agree", Kind: "actor", Subject: f.Actor, Before: was.Agreed, After: f.Agreed, Reason: reason})
			if err != nil {
				return err
			}
		}
		_, err = tx.exec(ctx, "followed_follow", f.Actor, f.Handle, f.Name, f.URL, f.Inbox, f.FollowID, f.Agreed, micros(now))
		if err != nil {
			return err
		}
		return tx.enqueue(ctx, "Follow", follow, now)
	})
	if err != nil {
		return fmt.Errorf("follow %s: %w", f.Handle, err)
	}
	return nil
}

// UnfollowAccount removes an account and queues the Undo of our Follow. What it
// brought stays for the moderators.
func (s *Store) UnfollowAccount(ctx context.Context, actor string, undo essaim.Outgoing) error {
	err := s.write(ctx, urgent, func(tx *Tx) error {
		n, err := tx.exec(ctx, "followed_remove", actor)
		if err == nil && n == 0 {
			err = essaim.ErrNotFound
		}
		if err != nil {
			return err
		}
		if _, err := tx.exec(ctx, "wanted_remove_brought", actor); err != nil {
			return err
		}
		return tx.enqueue(ctx, "Undo", undo, s.now())
	})
	if err != nil {
		return fmt.Errorf("unfollow %s: %w", actor, err)
	}
	return nil
}

// want notes an object to be fetched, when who named it is followed and neither
// the object nor its tombstone is here.
func (tx *Tx) want(ctx context.Context, e essaim.Want, now time.Time) (outcome, error) {
	about, err := tx.about(ctx, e.Object, e.By, "")
	switch {
	case err != nil:
		return did, err
	case !about.followed:
		return nothing("its account is not followed"), nil
	case about.gone:
		return nothing("deleted before"), nil
	}
	if _, ok, err := tx.locked(ctx, e.Object); err != nil || ok {
		return nothing("held as a record"), err
	}
	if e.Deleted {
		if _, held, err := tx.candidate(ctx, e.Object); err != nil || !held {
			return nothing("nothing of it is here"), err
		}
	}
	from, below := ofOrigin(e.By)
	var waiting int
	if err := tx.row(ctx, "wanted_of_host", from, below, maxWanted).Scan(&waiting); err != nil {
		return did, err
	}
	if waiting >= maxWanted {
		return nothing("too much of its host is to be fetched"), nil
	}
	n, err := tx.exec(ctx, "wanted_add", e.Object, authority(e.Object), e.By, e.Announce, micros(now), flag(e.Deleted))
	if err != nil || n == 0 {
		return nothing("to be fetched already"), err
	}
	var due time.Time
	err = tx.row(ctx, "gathered_name", authority(e.By), micros(now), namedCounts.Microseconds(), namedApart.Microseconds(), (namedAtOnce * namedCounts).Microseconds()).Scan(moment{&due})
	if err == nil && due.After(now) {
		_, err = tx.exec(ctx, "wanted_later", e.Object, 0, micros(due))
	}
	if err != nil {
		return did, err
	}
	tx.wake()
	return did, nil
}

// ClaimWanted leases the object that has been due longest, of a host that is not
// being asked and had its rest; essaim.ErrNotFound when there is none. What an
// account named that is followed no more is dropped.
func (s *Store) ClaimWanted(ctx context.Context, lease time.Duration) (essaim.Wanted, error) {
	for {
		due, err := list(ctx, s.query(), only[string], "wanted_due", micros(s.now()))
		if err == nil && len(due) == 0 {
			err = essaim.ErrNotFound
		}
		if err != nil {
			return essaim.Wanted{}, fmt.Errorf("wanted object: %w", err)
		}
		w, followed, err := s.claimWanted(ctx, due[0], lease)
		if err != nil {
			return w, fmt.Errorf("wanted object %s: %w", due[0], err)
		}
		if followed {
			return w, nil
		}
	}
}

func (s *Store) claimWanted(ctx context.Context, object string, lease time.Duration) (w essaim.Wanted, followed bool, err error) {
	err = s.write(ctx, patient, func(tx *Tx) error {
		now := s.now()
		if err := tx.row(ctx, "wanted_claim", object, micros(now), micros(now.Add(lease))).Scan(&w.Object, &w.By, &w.Announce, &w.Attempt, bit{&w.Deleted}); err != nil {
			return err
		}
		about, err := tx.about(ctx, w.Object, w.By, "")
		if followed = about.followed; err == nil && !followed {
			_, err = tx.exec(ctx, "wanted_remove_brought", w.By)
		}
		return err
	})
	return w, followed, err
}

// FinishWanted ends a fetch: what came of it is proposed; gone takes back what was
// made of it before; neither forgets it.
func (s *Store) FinishWanted(ctx context.Context, w essaim.Wanted, found *essaim.Propose, gone bool) (why string, err error) {
	err = s.write(ctx, patient, func(tx *Tx) error {
		if err := tx.lockObjects(ctx, []string{w.Object}); err != nil {
			return err
		}
		if err := tx.rest(ctx, w); err != nil {
			return err
		}
		n, err := tx.exec(ctx, "wanted_remove", w.Object)
		if err != nil || n == 0 {
			return err // its Announce was undone meanwhile
		}
		out := did
		switch c, held, cerr := tx.candidate(ctx, w.Object); {
		case cerr != nil:
			err = cerr
		case gone && held:
			out, err = tx.takeBack(ctx, c)
		case found != nil && w.Deleted:
			out = nothing("its origin still serves it")
		case found != nil && held && c.author != found.Proposal.Author:
			// Mobilizon's members publish for their group: the origin says whose it is.
			if _, err = tx.exec(ctx, "candidate_author", c.object, found.Proposal.Author); err == nil {
				out, err = tx.propose(ctx, *found, s.now())
			}
		case found != nil:
			out, err = tx.propose(ctx, *found, s.now())
		}
		why = out.nothing
		return err
	})
	if err != nil {
		return "", fmt.Errorf("wanted object %s: %w", w.Object, err)
	}
	return why, nil
}

// PutOffWanted plans another try.
func (s *Store) PutOffWanted(ctx context.Context, w essaim.Wanted, at time.Time) error {
	err := s.write(ctx, patient, func(tx *Tx) error {
		if err := tx.rest(ctx, w); err != nil {
			return err
		}
		_, err := tx.exec(ctx, "wanted_later", w.Object, w.Attempt, micros(at))
		return err
	})
	if err != nil && !errors.Is(err, essaim.ErrNotFound) {
		return fmt.Errorf("wanted object %s: %w", w.Object, err)
	}
	return nil
}

// rest leaves the host of an object alone that was just fetched, whoever named it.
func (tx *Tx) rest(ctx context.Context, w essaim.Wanted) error {
	if w.Rest <= 0 {
		return nil
	}
	_, err := tx.exec(ctx, "gathered_rest", authority(w.Object), micros(tx.s.now().Add(w.Rest)))
	return err
}
