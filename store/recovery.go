// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"essaim"
)

// BeginRecovery makes the node get back what it lost from the given hosts: from
// the commit on nothing is published, by no process, and what is published after
// the recovery bears a greater incarnation than anything before. It is durable,
// and does nothing but add to a recovery that is under way. For
// essaim.RecoveryHead the head must go beyond the node's own, or while it recovers
// not back behind the one that is known to be lost, which is decided here, without
// a write where it does not; the nodes that it knows of are asked then too. It
// tells whether a recovery is under way.
func (s *Store) BeginRecovery(ctx context.Context, cause essaim.RecoveryCause, head essaim.CommonsHead, hosts ...string) (under bool, err error) {
	if cause == essaim.RecoveryHead {
		// Anybody shows a node its own head as often as he likes.
		if under, news, err := s.isNews(ctx, head); err != nil || !news {
			return under, err
		}
	}
	err = s.write(ctx, urgent, func(tx *Tx) error {
		return tx.beginRecovery(ctx, cause, head, hosts)
	})
	if errors.Is(err, errNothingLost) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("begin a recovery: %w", err)
	}
	s.forgetNode()
	return true, nil
}

// isNews tells whether a recovery is under way, and whether a head says something
// of it, or begins one.
func (s *Store) isNews(ctx context.Context, head essaim.CommonsHead) (under, news bool, err error) {
	err = s.read(ctx, func(tx *Tx) error {
		var n int64
		if err := tx.row(ctx, "recovery_counter").Scan(&n, bit{&under}); err != nil {
			return err
		}
		if under {
			// All heads of the node are public: whoever kept an old one could name any
			// number of hosts to ask.
			r, err := tx.lastRecovery(ctx)
			news = head.Number.Compare(r.Head.Number) >= 0
			return err
		}
		node, _, err := tx.node(ctx)
		if err == nil {
			news, err = tx.beyond(ctx, node, head)
		}
		return err
	})
	if err != nil {
		return false, false, fmt.Errorf("head of this node: %w", err)
	}
	return under, news, nil
}

// errNothingLost undoes a recovery that there is no reason for.
var errNothingLost = errors.New("nothing is lost")

func (tx *Tx) beginRecovery(ctx context.Context, cause essaim.RecoveryCause, head essaim.CommonsHead, hosts []string) error {
	// Who took a number before is waited for here; who wants one waits.
	held, err := tx.exec(ctx, "recovery_hold")
	if err != nil {
		return err
	}
	var n int64
	if err := tx.row(ctx, "recovery_counter").Scan(&n, bit{new(bool)}); err != nil {
		return err
	}
	now := tx.s.now()
	if held > 0 {
		node, _, err := tx.node(ctx)
		if err != nil {
			return err
		}
		if cause == essaim.RecoveryHead {
			if beyond, err := tx.beyond(ctx, node, head); err != nil || !beyond {
				return errors.Join(err, errNothingLost)
			}
			known, err := list(ctx, tx, only[string], "recovery_hosts")
			if err != nil {
				return err
			}
			hosts = append(slices.Clip(hosts), known...)
		}
		at := max(now.Unix(), node.Incarnation+1, head.Number.Incarnation+1)
		if _, err := tx.exec(ctx, "restore_node_at", at); err != nil {
			return err
		}
		if _, err := tx.exec(ctx, "recovery_sources_clear"); err != nil {
			return err
		}
		if _, err := tx.exec(ctx, "recovery_add", n, string(cause), micros(now)); err != nil {
			return err
		}
	}
	for _, host := range hosts {
		if err := tx.later(ctx, "recovery_source_add", host, micros(now)); err != nil {
			return err
		}
	}
	return tx.raiseHead(ctx, n, head)
}

// RescueNode writes down who a node was of which nothing is left but its keys, in
// an empty database, and makes it get back from the given hosts what they hold of
// it. A database that is not empty is essaim.ErrConflict.
func (s *Store) RescueNode(ctx context.Context, n essaim.Node, head essaim.CommonsHead, hosts ...string) error {
	err := s.write(ctx, urgent, func(tx *Tx) error {
		var rows int
		if err := tx.row(ctx, "restore_empty").Scan(&rows); err != nil {
			return err
		}
		if rows > 0 {
			return fmt.Errorf("the database is not empty: %w", essaim.ErrConflict)
		}
		if err := tx.createNode(ctx, n); err != nil {
			return err
		}
		for i, r := range n.Rotations {
			if _, err := tx.exec(ctx, "rotation_add", r.Old, r.New, micros(r.At), r.Statement); err != nil {
				return err
			}
			// Of the last, some of what comes back may still be by the key before.
			if _, err := tx.exec(ctx, "rotation_done", i, micros(tx.s.now())); err != nil {
				return err
			}
		}
		return tx.beginRecovery(ctx, essaim.RecoveryRescue, head, hosts)
	})
	s.forgetNode()
	if err != nil {
		return fmt.Errorf("rescue of %s: %w", n.BaseURL, err)
	}
	return nil
}

// KeepFollowers lists all followers for the backup of the keys.
func (s *Store) KeepFollowers(ctx context.Context) ([]essaim.KeptFollower, error) {
	all, err := list(ctx, s.query(), func(scan scanFunc) (f essaim.KeptFollower, err error) {
		err = scan(&f.Local, &f.Actor, &f.FollowID, &f.Inbox, &f.Takes)
		return f, err
	}, "follower_kept")
	if err != nil {
		return nil, fmt.Errorf("followers: %w", err)
	}
	return all, nil
}

// BringFollowers writes followers that a backup of the keys kept; those that stand
// stay as they are.
func (s *Store) BringFollowers(ctx context.Context, all []essaim.KeptFollower) error {
	for some := range slices.Chunk(all, followersTogether) {
		err := s.write(ctx, patient, func(tx *Tx) error {
			for _, f := range some {
				if err := tx.later(ctx, "follower_bring", f.Local, f.Actor, f.FollowID, f.Inbox, authority(f.Inbox), micros(tx.s.now()), cmp.Or(f.Takes, "activity")); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("followers: %w", err)
		}
	}
	return nil
}

// followersTogether is how many followers are written in a transaction.
const followersTogether = 200

// beyond tells whether a head that this node signed knows of a change that is not
// here: by its number, or by another root at the number where the commons stand.
func (tx *Tx) beyond(ctx context.Context, node essaim.Node, head essaim.CommonsHead) (bool, error) {
	last := essaim.CommonsNumber{Incarnation: node.Incarnation}
	if err := tx.row(ctx, "commons_last").Scan(&last.N); err != nil {
		return false, err
	}
	c := head.Number.Compare(last)
	if c != 0 {
		return c > 0, nil
	}
	own, err := list(ctx, tx, scanHead, "head_latest", "", 1)
	if err != nil || len(own) == 0 {
		return false, err
	}
	return own[0].Number == last && own[0].Root != head.Root, nil
}

// raiseHead notes the latest head that somebody showed of this node.
func (tx *Tx) raiseHead(ctx context.Context, n int64, head essaim.CommonsHead) error {
	if head.Document == nil {
		return nil
	}
	held, err := tx.lastRecovery(ctx)
	if err != nil || held.Head.Document != nil && head.Number.Compare(held.Head.Number) <= 0 {
		return err
	}
	return tx.later(ctx, "recovery_head", n, head.Number.Incarnation, head.Number.N, micros(head.At), head.Count, head.Root.String(), head.Document)
}

// NoteLostHead keeps the latest head that a source of the recovery showed.
func (s *Store) NoteLostHead(ctx context.Context, head essaim.CommonsHead) error {
	err := s.write(ctx, patient, func(tx *Tx) error {
		var n int64
		var under bool
		if err := tx.row(ctx, "recovery_counter").Scan(&n, bit{&under}); err != nil {
			return err
		}
		return tx.raiseHead(ctx, n, head)
	})
	if err != nil {
		return fmt.Errorf("head that was lost: %w", err)
	}
	return nil
}

// Recovery is the latest recovery, under way or ended, with whom it asks; the zero
// value for a node that never needed one.
func (s *Store) Recovery(ctx context.Context) (r essaim.Recovery, err error) {
	err = s.read(ctx, func(tx *Tx) error {
		if r, err = tx.lastRecovery(ctx); err != nil || r.BeganAt.IsZero() {
			return err
		}
		r.Sources, err = list(ctx, tx, func(scan scanFunc) (s essaim.RecoverySource, err error) {
			err = scan(&s.Host, &s.Cursor, &s.Seen, stamp{&s.DoneAt}, moment{&s.NextAt}, &s.Reading, &s.Reason, bit{&s.Gone})
			return s, err
		}, "recovery_sources")
		return err
	})
	if err != nil {
		return r, fmt.Errorf("recovery: %w", err)
	}
	return r, nil
}

func (tx *Tx) lastRecovery(ctx context.Context) (r essaim.Recovery, err error) {
	var root string
	err = tx.row(ctx, "recovery_last").Scan((*string)(&r.Cause), stamp{&r.BeganAt}, stamp{&r.EndedAt}, &r.Head.Number.Incarnation, &r.Head.Number.N,
		moment{&r.Head.At}, &r.Head.Count, &root, &r.Head.Document, &r.Recovered, &r.Withdrawn)
	if errors.Is(err, essaim.ErrNotFound) {
		return essaim.Recovery{}, nil
	}
	if err == nil {
		r.Head.Root, err = essaim.ParseDigest(root)
	}
	return r, err
}

// RecoveryHosts lists the nodes that may hold copies of this one: those that it
// follows, or that follow it.
func (s *Store) RecoveryHosts(ctx context.Context) ([]string, error) {
	hosts, err := list(ctx, s.query(), only[string], "recovery_hosts")
	if err != nil {
		return nil, fmt.Errorf("nodes that hold copies: %w", err)
	}
	return hosts, nil
}

// recoverFor is for how long a node that did not answer is asked again.
const recoverFor = 14 * 24 * time.Hour

// ClaimRecoverySource leases the source of the latest recovery that is to be asked
// now, one that gave something before the others or after them, and was for longest:
// no other process gets it until the lease ends, which NextAt says and saving it
// moves. There is none when Host is empty.
func (s *Store) ClaimRecoverySource(ctx context.Context, lease time.Duration, gave bool) (claimed essaim.RecoverySource, err error) {
	rec, err := s.Recovery(ctx)
	now := s.now()
	if err != nil || now.After(rec.BeganAt.Add(recoverFor)) {
		return claimed, err
	}
	due := slices.DeleteFunc(rec.Sources, func(f essaim.RecoverySource) bool { return !f.DoneAt.IsZero() || f.NextAt.After(now) })
	turn := func(f essaim.RecoverySource) int {
		if f.Seen > 0 == gave {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(due, func(a, b essaim.RecoverySource) int { return cmp.Or(turn(a)-turn(b), a.NextAt.Compare(b.NextAt)) })
	for _, from := range due {
		from.NextAt = now.Add(lease)
		n := int64(0)
		err = s.write(ctx, patient, func(tx *Tx) error {
			n, err = tx.exec(ctx, "recovery_source_claim", from.Host, instant(from.NextAt), instant(now))
			return err
		})
		if err != nil {
			return claimed, fmt.Errorf("sources of a recovery: %w", err)
		}
		if n > 0 {
			return from, nil
		}
	}
	return claimed, nil
}

// SaveRecoverySource notes how far what a node holds of this one is read.
func (s *Store) SaveRecoverySource(ctx context.Context, from essaim.RecoverySource) error {
	err := s.write(ctx, patient, func(tx *Tx) error { return tx.saveSource(ctx, from) })
	if err != nil {
		return fmt.Errorf("recovery from %s: %w", from.Host, err)
	}
	return nil
}

func (tx *Tx) saveSource(ctx context.Context, from essaim.RecoverySource) error {
	return tx.later(ctx, "recovery_source_save", from.Host, from.Cursor, from.Seen, micros(from.DoneAt), instant(from.NextAt), from.Reading, from.Reason)
}

// EndRecovery lets the node publish again. It tells whether one was under way.
func (s *Store) EndRecovery(ctx context.Context) (ended bool, err error) {
	err = s.write(ctx, urgent, func(tx *Tx) (err error) {
		ended, err = tx.endRecovery(ctx)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("end a recovery: %w", err)
	}
	s.forgetNode()
	return ended, nil
}

func (tx *Tx) endRecovery(ctx context.Context) (ended bool, err error) {
	n, err := tx.exec(ctx, "recovery_release")
	if err != nil || n == 0 {
		return false, err
	}
	tx.wake()
	_, err = tx.exec(ctx, "recovery_end", micros(tx.s.now()))
	return true, err
}

// Recovering tells whether nothing is published because the node gets back what it
// lost; what another process changed shows after a moment.
func (s *Store) Recovering(ctx context.Context) (bool, error) {
	now := s.now()
	s.node.Lock()
	known, at, value := s.node.known != nil, s.node.asked, s.node.recovering
	s.node.Unlock()
	if age := now.Sub(at); known && age >= 0 && age < recoveringHolds {
		return value, nil
	}
	var n int64
	if err := s.query().row(ctx, "recovery_counter").Scan(&n, bit{&value}); err != nil {
		return false, fmt.Errorf("recovery: %w", err)
	}
	s.node.Lock()
	if s.node.recoveries != n {
		s.node.known = nil
	}
	s.node.asked, s.node.recovering = now, value
	s.node.Unlock()
	return value, nil
}

// recoveringHolds is for how long an answer of Recovering holds.
const recoveringHolds = 2 * time.Second

// forgetNode makes what is known of the node be read again.
func (s *Store) forgetNode() {
	s.node.Lock()
	defer s.node.Unlock()
	s.node.known, s.node.asked = nil, time.Time{}
}

// PeerBehind notes that a node shows an older head than one that it signed, or
// that it does no more: what was kept meanwhile is read again then.
func (s *Store) PeerBehind(ctx context.Context, host string, behind bool) error {
	err := s.write(ctx, urgent, func(tx *Tx) error {
		if behind {
			_, err := tx.exec(ctx, "sync_behind", host, micros(s.now()))
			return err
		}
		n, err := tx.exec(ctx, "sync_ahead", host)
		if err == nil && n > 0 {
			_, err = tx.exec(ctx, "inbox_settle", host, micros(s.now()), "behind:%")
			tx.wake()
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("head of %s: %w", host, err)
	}
	return nil
}
