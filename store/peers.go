// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"essaim"
)

// Peers lists the nodes that we know, by territory, with what is held of them
// and what waits for them.
func (s *Store) Peers(ctx context.Context) ([]essaim.Peer, error) {
	actor, err := s.nodeActor(ctx)
	if err != nil {
		return nil, fmt.Errorf("peers: %w", err)
	}
	all, err := list(ctx, s.query(), scanPeer, "peer_list", actor)
	if err != nil {
		return nil, fmt.Errorf("peers: %w", err)
	}
	read, err := s.CommonsProgresses(ctx)
	if err != nil {
		return nil, fmt.Errorf("peers: %w", err)
	}
	about, err := s.abouts(ctx)
	if err != nil {
		return nil, fmt.Errorf("peers: %w", err)
	}
	for i := range all {
		all[i].Commons, all[i].About = read[all[i].Host], about[all[i].Host]
	}
	return all, nil
}

// Peer is one of them.
func (s *Store) Peer(ctx context.Context, host string) (essaim.Peer, error) {
	actor, err := s.nodeActor(ctx)
	if err != nil {
		return essaim.Peer{}, fmt.Errorf("peer %s: %w", host, err)
	}
	p, err := scanPeer(s.query().row(ctx, "peer_by_host", actor, host).Scan)
	if err != nil {
		return essaim.Peer{}, fmt.Errorf("peer %s: %w", host, err)
	}
	if p.Commons, err = s.CommonsProgress(ctx, host); err != nil && !errors.Is(err, essaim.ErrNotFound) {
		return essaim.Peer{}, fmt.Errorf("peer %s: %w", host, err)
	}
	return p, nil
}

func scanPeer(scan scanFunc) (essaim.Peer, error) {
	var p essaim.Peer
	err := scan(&p.Host, (*string)(&p.State), &p.Actor, &p.Territory, &p.TerritoryName, &p.Username, &p.URL, &p.Inbox, &p.FollowID,
		moment{&p.FollowedAt}, moment{&p.LastReceived}, moment{&p.LastDelivered}, moment{&p.DownSince}, &p.LastReason, &p.Records, &p.Waiting, bit{&p.FollowsUs},
		&p.Key, &p.OfferedKey, moment{&p.ContestedAt}, moment{&p.GoneAt})
	return p, err
}

// Unwell lists the nodes that are followed and of which something is wrong, as far
// as essaim.Peer.Life looks at it, and those that are not followed any more and of
// which copies are held.
func (s *Store) Unwell(ctx context.Context) ([]essaim.Peer, error) {
	all, err := list(ctx, s.query(), func(scan scanFunc) (essaim.Peer, error) {
		var p essaim.Peer
		err := scan(&p.Host, (*string)(&p.State), moment{&p.FollowedAt}, moment{&p.LastReceived}, moment{&p.LastDelivered}, moment{&p.DownSince},
			&p.Commons.Reason, moment{&p.Commons.StartedAt}, moment{&p.Commons.CheckedAt}, moment{&p.ContestedAt}, moment{&p.GoneAt})
		return p, err
	}, "peer_unwell")
	if err != nil {
		return nil, fmt.Errorf("peers that are not well: %w", err)
	}
	return all, nil
}

// PeerGone notes that an administrator says that a node that is followed is gone:
// its copies stay, and whoever answers at its address without its key is another.
// The zero time takes it back: what was kept meanwhile is read again.
// essaim.ErrNotFound for one that is not followed.
func (s *Store) PeerGone(ctx context.Context, host string, at time.Time) error {
	err := s.write(ctx, urgent, func(tx *Tx) error {
		n, err := tx.exec(ctx, "peer_gone", host, micros(at))
		if err != nil || n == 0 {
			return cmp.Or(err, essaim.ErrNotFound)
		}
		if at.IsZero() {
			if _, err := tx.exec(ctx, "sync_again", host); err != nil {
				return err
			}
			_, err = tx.exec(ctx, "inbox_settle", host, micros(s.now()), "contested:%")
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("peer %s: %w", host, err)
	}
	return nil
}

// CopyReceived is when the version of a record of another node that is held came.
func (s *Store) CopyReceived(ctx context.Context, id string) (at time.Time, err error) {
	if err := s.query().row(ctx, "copy_received", id).Scan(stamp{&at}); err != nil {
		return at, fmt.Errorf("copy of %s: %w", id, err)
	}
	return at, nil
}

// FollowPeer stores a peer as requested and queues our Follow. A peer that we
// follow already stays followed and gets the Follow again; a blocked one is
// essaim.ErrForbidden. The key that it shows is pinned if it is the first.
func (s *Store) FollowPeer(ctx context.Context, p essaim.Peer, follow essaim.Outgoing) error {
	err := s.write(ctx, urgent, func(tx *Tx) error {
		var state string
		err := tx.row(ctx, "peer_state", p.Host).Scan(&state)
		if err != nil && !errors.Is(err, essaim.ErrNotFound) {
			return err
		}
		if essaim.PeerState(state) == essaim.PeerBlocked {
			return fmt.Errorf("blocked: %w", essaim.ErrForbidden)
		}
		now := s.now()
		_, err = tx.exec(ctx, "peer_follow", p.Host, p.Actor, p.Territory, p.TerritoryName, p.Username, p.URL, p.Inbox, p.FollowID, micros(now))
		if err != nil {
			return err
		}
		if err := tx.pinFirst(ctx, p.Host, p.Key, now); err != nil {
			return err
		}
		return tx.enqueue(ctx, "Follow", follow, now)
	})
	if err != nil {
		return fmt.Errorf("follow peer %s: %w", p.Host, err)
	}
	return nil
}

// removePeer removes a peer, and what it was found to hold.
func (tx *Tx) removePeer(ctx context.Context, host string) error {
	for _, name := range []string{"peer_remove", "copy_checks_forget", "copy_differs_forget", "peer_about_forget"} {
		if _, err := tx.exec(ctx, name, host); err != nil {
			return err
		}
	}
	return nil
}

// ofPeer writes what a peer answered, unless it was removed meanwhile with all that was
// noted of it.
func (s *Store) ofPeer(ctx context.Context, host string, f func(tx *Tx) error) error {
	return s.write(ctx, patient, func(tx *Tx) error {
		var state string
		err := tx.row(ctx, "lock_peer", host).Scan(&state)
		if errors.Is(err, essaim.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		return f(tx)
	})
}

// UnfollowPeer removes a peer and queues the Undo of our Follow; what is held of
// it stays. A peer that follows us stays known.
func (s *Store) UnfollowPeer(ctx context.Context, host string, undo essaim.Outgoing) error {
	actor, err := s.nodeActor(ctx)
	if err != nil {
		return fmt.Errorf("unfollow peer %s: %w", host, err)
	}
	err = s.write(ctx, urgent, func(tx *Tx) error {
		p, err := scanPeer(tx.row(ctx, "peer_by_host", actor, host).Scan)
		if err != nil {
			return err
		}
		if p.FollowsUs {
			_, err = tx.exec(ctx, "peer_set_state", host, string(essaim.PeerKnown))
		} else {
			err = tx.removePeer(ctx, host)
		}
		if err == nil {
			err = tx.settlePeer(ctx, host, s.now()) // it is a host like others
		}
		if err != nil || undo.ActivityID == "" {
			return err
		}
		return tx.enqueue(ctx, "Undo", undo, s.now())
	})
	if err != nil {
		return fmt.Errorf("unfollow peer %s: %w", host, err)
	}
	return nil
}

// FollowersAt lists up to n followers of a local actor that are of a host.
func (s *Store) FollowersAt(ctx context.Context, local, host string, n int) ([]string, error) {
	ids, err := list(ctx, s.query(), only[string], "followers_at", local, host, n)
	if err != nil {
		return nil, fmt.Errorf("followers of %s at %s: %w", local, host, err)
	}
	return ids, nil
}

// OurFollow is our follow of an actor elsewhere, a node's or an account's;
// essaim.ErrNotFound when there is none.
func (s *Store) OurFollow(ctx context.Context, actor string) (essaim.OurFollow, error) {
	f := essaim.OurFollow{Actor: actor}
	err := s.query().row(ctx, "our_follow", actor, authority(actor)).Scan(&f.Inbox, &f.FollowID, (*string)(&f.State))
	if err != nil {
		return f, fmt.Errorf("follow of %s: %w", actor, err)
	}
	return f, nil
}

// FollowLost notes that an actor that we follow does not list us among its
// followers: the Follow is queued once more, under f's new id. Nothing happens
// when our follow changed meanwhile, or the actor's host is contested.
func (s *Store) FollowLost(ctx context.Context, f essaim.OurFollow, follow essaim.Outgoing) error {
	err := s.write(ctx, patient, func(tx *Tx) error {
		if contested, err := tx.contested(ctx, authority(f.Actor)); err != nil || contested {
			return err
		}
		n, err := tx.exec(ctx, "peer_ask_again", authority(f.Actor), f.Actor, f.FollowID)
		if err == nil && n == 0 {
			n, err = tx.exec(ctx, "followed_ask_again", f.Actor, f.FollowID)
		}
		if err != nil || n == 0 {
			return err
		}
		return tx.enqueue(ctx, "Follow", follow, s.now())
	})
	if err != nil {
		return fmt.Errorf("follow %s again: %w", f.Actor, err)
	}
	return nil
}

// Send queues an activity of a type for one inbox.
func (s *Store) Send(ctx context.Context, typ string, out essaim.Outgoing) error {
	err := s.write(ctx, patient, func(tx *Tx) error { return tx.enqueue(ctx, typ, out, s.now()) })
	if err != nil {
		return fmt.Errorf("send %s: %w", out.ActivityID, err)
	}
	return nil
}

// Followers lists the followers of a local actor by id, those after one.
func (s *Store) Followers(ctx context.Context, local, after string, n int) ([]string, error) {
	ids, err := list(ctx, s.query(), only[string], "follower_page", local, after, n)
	if err != nil {
		return nil, fmt.Errorf("followers of %s: %w", local, err)
	}
	return ids, nil
}

// PendingFollow is a Follow that waits for an administrator.
type PendingFollow struct {
	Local, Follower string // actors
	FollowID        string
	Inbox           string
	At              time.Time
}

// PendingFollows lists the follows that wait, oldest first.
func (s *Store) PendingFollows(ctx context.Context, n int) ([]PendingFollow, error) {
	all, err := list(ctx, s.query(), func(scan scanFunc) (f PendingFollow, err error) {
		err = scan(&f.Local, &f.Follower, &f.FollowID, &f.Inbox, moment{&f.At})
		return f, err
	}, "follower_pending", n)
	if err != nil {
		return nil, fmt.Errorf("pending follows: %w", err)
	}
	return all, nil
}

// AnswerFollow accepts a follow that waits, or refuses it, and queues the Accept
// or Reject.
func (s *Store) AnswerFollow(ctx context.Context, f PendingFollow, accept bool, answer essaim.Outgoing) error {
	err := s.write(ctx, urgent, func(tx *Tx) error {
		kind := "Accept"
		n, err := int64(0), error(nil)
		if accept {
			n, err = tx.exec(ctx, "follower_accept", f.Local, f.Follower)
		} else {
			kind = "Reject"
			n, err = tx.exec(ctx, "follower_remove", f.Local, f.Follower, f.FollowID)
		}
		if err != nil {
			return err
		}
		if n == 0 {
			return essaim.ErrNotFound
		}
		return tx.enqueue(ctx, kind, answer, s.now())
	})
	if err != nil {
		return fmt.Errorf("answer the follow of %s: %w", f.Follower, err)
	}
	return nil
}
