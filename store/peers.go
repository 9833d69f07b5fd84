// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
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
	return p, nil
}

func scanPeer(scan scanFunc) (essaim.Peer, error) {
	var p essaim.Peer
	err := scan(&p.Host, (*string)(&p.State), &p.Actor, &p.Territory, &p.TerritoryName, &p.Username, &p.URL, &p.Inbox, &p.FollowID,
		moment{&p.FollowedAt}, moment{&p.LastReceived}, moment{&p.LastDelivered}, moment{&p.DownSince}, &p.LastReason, &p.Records, &p.Waiting, bit{&p.FollowsUs})
	return p, err
}

// FollowPeer stores a peer as requested and queues our Follow. A peer that we
// follow already stays followed and gets the Follow again; a blocked one is
// essaim.ErrForbidden.
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
		return tx.enqueue(ctx, "Follow", follow, now)
	})
	if err != nil {
		return fmt.Errorf("follow peer %s: %w", p.Host, err)
	}
	return nil
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
			_, err = tx.exec(ctx, "peer_remove", host)
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
