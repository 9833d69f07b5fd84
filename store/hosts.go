// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"essaim"
)

// wakeTogether is how many deliveries one transaction makes due.
const wakeTogether = 500

// DueHosts lists up to n hosts with a delivery that may be claimed now, with
// their state, the one whose delivery has been due longest first.
//
// It is asked after every commit, and most commits are of the inbox: an answer
// holds until a delivery or a host changes, or a moment passes.
func (s *Store) DueHosts(ctx context.Context, n int) ([]essaim.HostState, error) {
	now, moves := s.now(), s.moves.Load()
	s.due.Lock()
	defer s.due.Unlock()
	if age := now.Sub(s.due.at); s.due.n == n && s.due.moves == moves && age >= 0 && age < dueHolds {
		return slices.Clone(s.due.hosts), nil
	}
	hosts, err := list(ctx, s.query(), func(scan scanFunc) (h essaim.HostState, err error) {
		err = scan(&h.Host, moment{&h.NextAt}, &h.Failures, moment{&h.DownSince}, moment{&h.LastSuccess}, &h.LastReason, bit{&h.RFC9421}, moment{&h.PausedUntil}, moment{&h.FailedAt})
		return h, err
	}, "host_due", micros(now), n)
	if err != nil {
		return nil, fmt.Errorf("hosts due: %w", err)
	}
	s.due.n, s.due.at, s.due.moves, s.due.hosts = n, now, moves, hosts
	return slices.Clone(hosts), nil
}

// dueHolds is how long an answer of DueHosts holds at most: what another
// process changed on SQLite, and what becomes due by itself, shows after it.
const dueHolds = 200 * time.Millisecond

// dueAnswer is the last answer of DueHosts.
type dueAnswer struct {
	sync.Mutex
	n     int
	at    time.Time
	moves int64
	hosts []essaim.HostState
}

// SaveHost writes what the deliverer remembers of a host; the later pause stays.
func (s *Store) SaveHost(ctx context.Context, h essaim.HostState) error {
	err := s.write(ctx, patient, func(tx *Tx) error {
		if h.DownSince.IsZero() {
			if err := tx.returned(ctx, h.Host); err != nil {
				return err
			}
		}
		_, err := tx.exec(ctx, "host_save", h.Host, instant(h.NextAt), h.Failures, micros(h.DownSince), micros(h.LastSuccess), h.LastReason, flag(h.RFC9421), instant(h.PausedUntil), micros(h.FailedAt))
		return err
	})
	if err != nil {
		return fmt.Errorf("save host %s: %w", h.Host, err)
	}
	return nil
}

// WakeHost makes what waits for a host due now, or when the pause that the host
// asked for ends; but for what it refused and would be given up at the next refusal.
func (s *Store) WakeHost(ctx context.Context, host string) error {
	now, late := micros(s.now()), micros(s.now().Add(-essaim.MisplacedAfter))
	for {
		var n int64
		err := s.write(ctx, patient, func(tx *Tx) error {
			if _, err := tx.exec(ctx, "host_wake", host, now); err != nil {
				return err
			}
			if err := tx.returned(ctx, host); err != nil {
				return err
			}
			tx.wake()
			var err error
			n, err = tx.exec(ctx, "delivery_wake", host, now, wakeTogether, late)
			return err
		})
		if err != nil {
			return fmt.Errorf("wake host %s: %w", host, err)
		}
		if n < wakeTogether {
			return nil
		}
	}
}

// returned makes the commons of a node due that did not answer and speaks again.
func (tx *Tx) returned(ctx context.Context, host string) error {
	n, err := tx.exec(ctx, "sync_return", host, instant(tx.s.now()))
	if n > 0 {
		tx.wake()
	}
	return err
}

// WakeHosts makes what waits for any host due now, as a node does when it
// starts.
func (s *Store) WakeHosts(ctx context.Context) error {
	hosts, err := list(ctx, s.query(), only[string], "host_waiting")
	if err != nil {
		return fmt.Errorf("hosts waiting: %w", err)
	}
	for _, host := range hosts {
		if err := s.WakeHost(ctx, host); err != nil {
			return err
		}
	}
	return nil
}

// LoseInbox removes the followers behind an inbox that is gone for good, and
// what waits for it; nothing at a host that is contested.
func (s *Store) LoseInbox(ctx context.Context, inbox string) error {
	err := s.write(ctx, urgent, func(tx *Tx) error {
		if contested, err := tx.contested(ctx, authority(inbox)); err != nil || contested {
			return err
		}
		if _, err := tx.exec(ctx, "follower_remove_inbox", inbox); err != nil {
			return err
		}
		_, err := tx.exec(ctx, "delivery_drop_inbox", inbox, micros(s.now()))
		return err
	})
	if err != nil {
		return fmt.Errorf("lose inbox %s: %w", inbox, err)
	}
	return nil
}
