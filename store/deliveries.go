// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"essaim"
)

// overtakenAfter is how long an Update waits before a newer version behind it
// takes its place: then its receiver was away, and gets the newest version per
// object instead of the backlog. Before, each version is sent.
const overtakenAfter = time.Hour

// finishTogether is how many results share one commit.
const finishTogether = 200

// enqueue queues an activity for one inbox in the transaction of what caused it. It
// is between two actors: served to nobody, and gone once it is of no use.
func (tx *Tx) enqueue(ctx context.Context, kind string, out essaim.Outgoing, now time.Time) error {
	if _, err := tx.exec(ctx, "activity_direct", out.ActivityID, kind, out.Actor, out.Receiver, out.Body, micros(now)); err != nil {
		return fmt.Errorf("activity %s: %w", out.ActivityID, err)
	}
	tx.wake()
	_, err := tx.exec(ctx, "delivery_add", out.ActivityID, out.Actor, authority(out.Inbox), out.Inbox, out.OrderKey, micros(now))
	if err != nil {
		return fmt.Errorf("delivery of %s: %w", out.ActivityID, err)
	}
	return nil
}

// claimedDelivery is a delivery with what decides whether it is still wanted.
type claimedDelivery struct {
	essaim.Delivery
	kind string
}

// ClaimDeliveries leases up to n due deliveries of a host, oldest first, and
// never one behind an earlier live delivery with the same inbox and order key, nor any
// within a pause that the host asked for.
func (s *Store) ClaimDeliveries(ctx context.Context, host string, n int, lease time.Duration) ([]essaim.Delivery, error) {
	var claimed []essaim.Delivery
	err := s.write(ctx, patient, func(tx *Tx) error {
		claimed = nil
		now := s.now()
		// What is dropped as overtaken or erased makes room for others.
		for round := 0; len(claimed) < n && round < 20; round++ {
			found, err := tx.claim(ctx, host, n-len(claimed), now, lease)
			if err != nil {
				return err
			}
			wanted, err := tx.wanted(ctx, found, now)
			if err != nil {
				return err
			}
			claimed = append(claimed, wanted...)
			if len(wanted) == len(found) {
				break
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("claim deliveries to %s: %w", host, err)
	}
	return claimed, nil
}

func (tx *Tx) claim(ctx context.Context, host string, n int, now time.Time, lease time.Duration) ([]claimedDelivery, error) {
	found, err := list(ctx, tx, func(scan scanFunc) (d claimedDelivery, err error) {
		err = scan(&d.ID, &d.Host, &d.Inbox, &d.OrderKey, &d.Actor, &d.ActivityID, &d.Attempt, moment{&d.CreatedAt}, &d.Status)
		d.LeaseUntil = now.Add(lease)
		return d, err
	}, "delivery_claim", host, micros(now), micros(now.Add(lease)), n)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(found, func(a, b claimedDelivery) int { return int(a.ID - b.ID) })
	return found, tx.loadBodies(ctx, found)
}

// loadBodies reads each distinct activity once: a fan-out claims the same one often.
func (tx *Tx) loadBodies(ctx context.Context, found []claimedDelivery) error {
	type sent struct {
		kind string
		body []byte
	}
	seen := map[string]sent{}
	for i := range found {
		d := &found[i]
		a, ok := seen[d.ActivityID]
		if !ok {
			err := tx.row(ctx, "activity_to_send", d.ActivityID).Scan(&a.kind, &a.body)
			if err != nil && !errors.Is(err, essaim.ErrNotFound) {
				return err
			}
			seen[d.ActivityID] = a
		}
		d.kind, d.Body = a.kind, a.body
	}
	return nil
}

// wanted drops, among what was claimed, the erased and the overtaken.
func (tx *Tx) wanted(ctx context.Context, found []claimedDelivery, now time.Time) ([]essaim.Delivery, error) {
	var wanted []essaim.Delivery
	for _, d := range found {
		if len(d.Body) == 0 {
			if _, err := tx.exec(ctx, "delivery_erased", d.ID, micros(now)); err != nil {
				return nil, err
			}
			continue
		}
		if d.kind == string(essaim.VerbUpdate) && now.Sub(d.CreatedAt) > overtakenAfter {
			n, err := tx.exec(ctx, "delivery_overtake", d.ID, micros(now), d.Inbox, d.OrderKey)
			if err != nil {
				return nil, err
			}
			if n > 0 {
				continue
			}
		}
		wanted = append(wanted, d.Delivery)
	}
	return wanted, nil
}

// FinishDeliveries writes what became of claimed deliveries; those whose claim
// was lost are left alone.
func (s *Store) FinishDeliveries(ctx context.Context, results []essaim.DeliveryResult) error {
	for chunk := range slices.Chunk(results, finishTogether) {
		err := s.write(ctx, patient, func(tx *Tx) error {
			tx.wake() // what waited behind these may go
			for _, r := range chunk {
				if err := tx.finish(ctx, r); err != nil {
					return fmt.Errorf("delivery %d: %w", r.ID, err)
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("finish deliveries: %w", err)
		}
	}
	return nil
}

func (tx *Tx) finish(ctx context.Context, r essaim.DeliveryResult) error {
	var done any
	next := int64(0)
	if r.State == essaim.DeliveryWaiting {
		next = instant(r.NextAt)
	} else {
		done = micros(tx.s.now())
	}
	if !r.Untried.IsZero() {
		_, err := tx.exec(ctx, "delivery_give_back", r.ID, r.Attempt, micros(r.Untried), next, r.Reason)
		return err
	}
	n, err := tx.exec(ctx, "delivery_finish", r.ID, r.Attempt, string(r.State), next, r.Status, r.Reason, done)
	if err != nil || n == 0 || r.State != essaim.DeliveryWaiting {
		return err
	}
	_, err = tx.exec(ctx, "delivery_behind", r.ID, next)
	return err
}
