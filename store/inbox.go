// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"essaim"
)

// ReceiveActivity stores an activity that came; it is durable when it returns.
// fresh is false when one of this id was received before.
func (s *Store) ReceiveActivity(ctx context.Context, in essaim.Inbound) (fresh bool, err error) {
	var one int
	switch err := s.query().row(ctx, "inbox_known", in.ActivityID).Scan(&one); {
	case err == nil:
		return false, nil // what comes twice costs no write
	case !errors.Is(err, essaim.ErrNotFound):
		return false, fmt.Errorf("receive activity %s: %w", in.ActivityID, err)
	}
	err = s.write(ctx, urgent, func(tx *Tx) error {
		n, err := tx.exec(ctx, "inbox_add", in.ActivityID, in.Type, in.Actor, in.Raw, instant(in.ReceivedAt))
		fresh = n == 1
		tx.wake()
		return err
	})
	if err != nil {
		return false, fmt.Errorf("receive activity %s: %w", in.ActivityID, err)
	}
	return fresh, nil
}

// ClaimInbound leases up to n activities that are due, in the order in which
// they came. An actor whose activities are under lease elsewhere waits, so that
// its Undo never overtakes its Follow.
func (s *Store) ClaimInbound(ctx context.Context, n int, lease time.Duration) ([]essaim.Inbound, error) {
	// The poll of an idle node writes nothing.
	if due, err := list(ctx, s.query(), only[int], "inbox_due", micros(s.now())); err != nil || len(due) == 0 {
		return nil, err
	}
	var claimed []essaim.Inbound
	err := s.write(ctx, urgent, func(tx *Tx) error {
		if err := tx.lockInbox(ctx); err != nil {
			return err
		}
		now := s.now()
		var err error
		claimed, err = list(ctx, tx, func(scan scanFunc) (in essaim.Inbound, err error) {
			err = scan(&in.ID, &in.ActivityID, &in.Type, &in.Actor, &in.Raw, moment{&in.ReceivedAt}, &in.Attempt)
			return in, err
		}, "inbox_claim", micros(now), micros(now.Add(lease)), n)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("claim inbound activities: %w", err)
	}
	slices.SortFunc(claimed, func(a, b essaim.Inbound) int { return int(a.ID - b.ID) })
	return claimed, nil
}

// Blocked tells whether an actor, its host or a domain above its host is
// blocked.
func (s *Store) Blocked(ctx context.Context, actor string) (bool, error) {
	return s.query().blocked(ctx, actor)
}

func (tx *Tx) blocked(ctx context.Context, actor string) (bool, error) {
	var h [5]string // as many names above a host as are looked at
	copy(h[:], domains(authority(actor)))
	var one int
	err := tx.row(ctx, "blocked", actor, h[0], h[1], h[2], h[3], h[4]).Scan(&one)
	if errors.Is(err, essaim.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("block of %s: %w", actor, err)
	}
	return true, nil
}

// authority is the host of an IRI with its port, in lower case; empty when it
// has none.
func authority(iri string) string {
	u, err := url.Parse(iri)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Host)
}

// domains lists a host with its port, without it, and the domains above it.
func domains(host string) []string {
	names := []string{host}
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
		names = append(names, name)
	}
	if net.ParseIP(strings.Trim(name, "[]")) != nil {
		return names
	}
	for {
		_, above, ok := strings.Cut(name, ".")
		if !ok || !strings.Contains(above, ".") {
			return names
		}
		names = append(names, above)
		name = above
	}
}
