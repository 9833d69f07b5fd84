// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"fmt"
	"time"

	"essaim"
)

// queuePage is the size of a page of the queue when none is given.
const queuePage = 100

// QueueFilter chooses entries of a queue.
type QueueFilter struct {
	// State is waiting, failed, done or dropped for deliveries; waiting, failed,
	// applied or ignored for activities. Empty is waiting.
	State string
	Host  string // of deliveries; empty for all
	// After is the last entry of the page before; zero for the first page.
	After QueuePosition
	Limit int // 100 when 0
}

// QueuePosition is where a page ended. Positions of one state only compare with
// those of the same state.
type QueuePosition struct {
	Host string
	At   int64
	ID   int64
}

// QueuedDelivery is a delivery as an administrator sees it.
type QueuedDelivery struct {
	ID         int64
	Host       string
	Inbox      string
	Actor      string // local actor that signs
	ActivityID string
	Type       string // of the activity
	OrderKey   string
	State      essaim.DeliveryState
	Attempt    int
	NextAt     time.Time
	Status     int // HTTP status of the last try, 0 when there was none
	Reason     string
	CreatedAt  time.Time
	DoneAt     time.Time // zero while it waits
}

// Position is where a page that ends here continues.
func (d QueuedDelivery) Position() QueuePosition {
	if d.State == essaim.DeliveryWaiting {
		return QueuePosition{Host: d.Host, At: instant(d.NextAt), ID: d.ID}
	}
	return QueuePosition{At: instant(d.DoneAt), ID: d.ID}
}

// QueuedActivity is an inbound activity as an administrator sees it.
type QueuedActivity struct {
	ID         int64
	ActivityID string
	Type       string
	Actor      string
	State      essaim.InboundState
	Attempt    int
	NextAt     time.Time
	Reason     string
	ReceivedAt time.Time
	DoneAt     time.Time // zero while it waits
}

// Position is where a page that ends here continues.
func (a QueuedActivity) Position() QueuePosition {
	if a.State == essaim.InboundWaiting {
		return QueuePosition{At: instant(a.NextAt), ID: a.ID}
	}
	return QueuePosition{At: instant(a.DoneAt), ID: a.ID}
}

// QueueSize counts what waits and what failed.
type QueueSize struct {
	DeliveriesWaiting, DeliveriesFailed int
	InboundWaiting, InboundFailed       int
}

// QueueSize counts the queues.
func (s *Store) QueueSize(ctx context.Context) (QueueSize, error) {
	var q QueueSize
	err := s.query().row(ctx, "queue_size").Scan(&q.DeliveriesWaiting, &q.DeliveriesFailed, &q.InboundWaiting, &q.InboundFailed)
	if err != nil {
		return QueueSize{}, fmt.Errorf("size of the queue: %w", err)
	}
	return q, nil
}

// QueuedDeliveries is a page of deliveries: those that wait by host and due
// time, others by when they ended.
func (s *Store) QueuedDeliveries(ctx context.Context, f QueueFilter) ([]QueuedDelivery, error) {
	if f.Limit <= 0 {
		f.Limit = queuePage
	}
	name, args := "queue_deliveries_ended", []any{f.State, f.After.At, f.After.ID, f.Host, f.Limit}
	if f.State == "" || f.State == string(essaim.DeliveryWaiting) {
		name, args = "queue_deliveries", []any{f.After.Host, f.After.At, f.After.ID, f.Host, f.Limit}
	}
	page, err := list(ctx, s.query(), scanQueuedDelivery, name, args...)
	if err != nil {
		return nil, fmt.Errorf("queue: %w", err)
	}
	return page, nil
}

// QueuedDelivery is one of them.
func (s *Store) QueuedDelivery(ctx context.Context, id int64) (QueuedDelivery, error) {
	d, err := scanQueuedDelivery(s.query().row(ctx, "queue_delivery", id).Scan)
	if err != nil {
		return QueuedDelivery{}, fmt.Errorf("delivery %d: %w", id, err)
	}
	return d, nil
}

func scanQueuedDelivery(scan scanFunc) (d QueuedDelivery, err error) {
	err = scan(&d.ID, &d.Host, &d.Inbox, &d.Actor, &d.ActivityID, &d.Type, &d.OrderKey, (*string)(&d.State), &d.Attempt,
		moment{&d.NextAt}, &d.Status, &d.Reason, moment{&d.CreatedAt}, moment{&d.DoneAt})
	return d, err
}

// QueuedActivities is a page of inbound activities: those that wait by due time,
// others by when they ended.
func (s *Store) QueuedActivities(ctx context.Context, f QueueFilter) ([]QueuedActivity, error) {
	if f.Limit <= 0 {
		f.Limit = queuePage
	}
	name, args := "queue_inbound_ended", []any{f.State, f.After.At, f.After.ID, f.Limit}
	if f.State == "" || f.State == string(essaim.InboundWaiting) {
		name, args = "queue_inbound", []any{f.After.At, f.After.ID, f.Limit}
	}
	page, err := list(ctx, s.query(), scanQueuedActivity, name, args...)
	if err != nil {
		return nil, fmt.Errorf("inbound queue: %w", err)
	}
	return page, nil
}

func scanQueuedActivity(scan scanFunc) (a QueuedActivity, err error) {
	err = scan(&a.ID, &a.ActivityID, &a.Type, &a.Actor, (*string)(&a.State), &a.Attempt, moment{&a.NextAt}, &a.Reason, moment{&a.ReceivedAt}, moment{&a.DoneAt})
	return a, err
}

// RetryDelivery makes a delivery that waits or failed due now; essaim.ErrNotFound
// when it is neither, or its content is erased.
func (s *Store) RetryDelivery(ctx context.Context, id int64) error {
	return s.changeQueued(ctx, "retry delivery", "queue_delivery_retry", id, "host_wake_for")
}

// DropDelivery gives up a delivery that waits or failed.
func (s *Store) DropDelivery(ctx context.Context, id int64) error {
	return s.changeQueued(ctx, "drop delivery", "queue_delivery_drop", id)
}

// RetryActivity has an inbound activity that waits or failed applied now.
func (s *Store) RetryActivity(ctx context.Context, id int64) error {
	return s.changeQueued(ctx, "retry activity", "queue_inbound_retry", id)
}

// DropActivity gives up an inbound activity that waits or failed.
func (s *Store) DropActivity(ctx context.Context, id int64) error {
	return s.changeQueued(ctx, "drop activity", "queue_inbound_drop", id)
}

// changeQueued runs statements on an entry: the first must find it.
func (s *Store) changeQueued(ctx context.Context, what, name string, id int64, then ...string) error {
	err := s.write(ctx, urgent, func(tx *Tx) error {
		n, err := tx.exec(ctx, name, id, micros(s.now()))
		if err == nil && n == 0 {
			return essaim.ErrNotFound
		}
		for _, also := range then {
			if err == nil {
				_, err = tx.exec(ctx, also, id, micros(s.now()))
			}
		}
		tx.wake()
		return err
	})
	if err != nil {
		return fmt.Errorf("%s %d: %w", what, id, err)
	}
	return nil
}
