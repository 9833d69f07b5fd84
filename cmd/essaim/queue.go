// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"strconv"
	"strings"
	"time"

	"essaim"
	"essaim/store"
)

type queueCommand struct {
	List  queueList  `cmd:"" help:"List what waits or failed, out and in, and why."`
	Retry queueRetry `cmd:"" help:"Try again now."`
	Drop  queueDrop  `cmd:"" help:"Give up deliveries or received activities."`
}

// maxQueued bounds a list; --host narrows it.
const maxQueued = 1000

type queueList struct {
	listing
	State string `default:"open" enum:"open,waiting,failed,done,dropped" help:"open (waiting and failed), waiting, failed, done or dropped."`
	Host  string `help:"Only of this host."`
}

func (queueList) Help() string {
	return "Deliveries are out:N, received activities in:N.\n\nExample:\n\n    essaim queue list --data /var/lib/essaim --host toulouse.example"
}

// queued is an entry of either queue.
type queued struct {
	ID       string    `json:"id"` // "out:12", "in:7"
	Host     string    `json:"host"`
	Type     string    `json:"type"`
	Activity string    `json:"activity"`
	State    string    `json:"state"`
	Attempt  int       `json:"attempt"`
	NextAt   time.Time `json:"nextAt,omitzero"`
	Status   int       `json:"status,omitempty"`
	Reason   string    `json:"reason,omitempty"`
	Since    time.Time `json:"since"`
}

func (c queueList) Run(ctx context.Context, a *app) error {
	return a.administer(ctx, func(ctx context.Context, node admin) error {
		rows, err := ask[[]queued](ctx, node, "queue.list", queueFilter{c.State, c.Host})
		if err != nil {
			return err
		}
		return c.print(a, rows, []string{"ID", "HOST", "TYPE", "STATE", "TRIES", "NEXT", "REASON"}, lines(rows, func(q queued) []string {
			return []string{q.ID, q.Host, q.Type, q.State, strconv.Itoa(q.Attempt), stamp(q.NextAt), q.Reason}
		}))
	})
}

// queueFilter chooses entries.
type queueFilter struct{ State, Host string }

// choice is what retry and drop work on.
type choice struct {
	IDs  []string `arg:"" name:"entry" optional:"" help:"Entries, as queue list shows them."`
	All  bool     `help:"All that waits or failed."`
	Host string   `help:"With --all: only of this host."`
}

func (c choice) check() error {
	if (len(c.IDs) > 0) == c.All {
		return usagef("give entries, or --all")
	}
	for _, id := range c.IDs {
		if _, _, err := entry(id); err != nil {
			return err
		}
	}
	return nil
}

type queueRetry struct{ choice }

func (queueRetry) Help() string {
	return "Example:\n\n    essaim queue retry --data /var/lib/essaim out:12 out:13\n\nOr all of a host: essaim queue retry --data /var/lib/essaim --all --host toulouse.example"
}

func (c queueRetry) Run(ctx context.Context, a *app) error {
	return a.onQueue(ctx, "queue.retry", c.choice, "due now")
}

type queueDrop struct{ choice }

func (queueDrop) Help() string {
	return "Example:\n\n    essaim queue drop --data /var/lib/essaim out:12"
}

func (c queueDrop) Run(ctx context.Context, a *app) error {
	return a.onQueue(ctx, "queue.drop", c.choice, "dropped")
}

func (a *app) onQueue(ctx context.Context, operation string, c choice, did string) error {
	if err := c.check(); err != nil {
		return err
	}
	return a.administer(ctx, func(ctx context.Context, node admin) error {
		n, err := ask[int](ctx, node, operation, c)
		if err != nil {
			return err
		}
		fmt.Fprintf(a.out, "%d %s\n", n, did)
		return nil
	})
}

// entry reads "out:12" or "in:7".
func entry(id string) (out bool, n int64, err error) {
	direction, number, _ := strings.Cut(id, ":")
	n, err = strconv.ParseInt(number, 10, 64)
	if err != nil || direction != "out" && direction != "in" {
		return false, 0, usagef("%q is no entry such as out:12 or in:7", id)
	}
	return direction == "out", n, nil
}

func listQueue(ctx context.Context, n *Node, f queueFilter) ([]queued, error) {
	states := []string{f.State}
	if f.State == "open" || f.State == "" {
		states = []string{"waiting", "failed"}
	}
	rows := []queued{}
	for _, state := range states {
		for q, err := range inState(ctx, n, state, f.Host) {
			if err != nil {
				return nil, err
			}
			if len(rows) == maxQueued {
				return rows, nil
			}
			rows = append(rows, q)
		}
	}
	return rows, nil
}

// inState gives the entries of both queues in a state, in their order.
func inState(ctx context.Context, n *Node, state, host string) iter.Seq2[queued, error] {
	return func(yield func(queued, error) bool) {
		for d, err := range paged(ctx, store.QueueFilter{State: state, Host: host, Limit: 100}, n.store.QueuedDeliveries) {
			if !yield(outgoing(d), err) {
				return
			}
		}
		for i, err := range paged(ctx, store.QueueFilter{State: inboundState(state), Limit: 100}, n.store.QueuedActivities) {
			if q := incoming(i); (err != nil || host == "" || host == q.Host) && !yield(q, err) {
				return
			}
		}
	}
}

// paged gives what a filter finds, page by page; an error is the last.
func paged[T interface{ Position() store.QueuePosition }](ctx context.Context, f store.QueueFilter, read func(context.Context, store.QueueFilter) ([]T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for {
			page, err := read(ctx, f)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, row := range page {
				if f.After = row.Position(); !yield(row, nil) {
					return
				}
			}
			if len(page) < f.Limit {
				return
			}
		}
	}
}

// inboundState is the word for an activity of what a delivery calls done.
func inboundState(state string) string {
	switch state {
	case "done":
		return string(essaim.InboundApplied)
	case "dropped":
		return string(essaim.InboundIgnored)
	}
	return state
}

func outgoing(d store.QueuedDelivery) queued {
	q := queued{
		ID: "out:" + strconv.FormatInt(d.ID, 10), Host: d.Host, Type: d.Type, Activity: d.ActivityID,
		State: string(d.State), Attempt: d.Attempt, Status: d.Status, Reason: d.Reason, Since: d.CreatedAt,
	}
	if d.State == essaim.DeliveryWaiting {
		q.NextAt = d.NextAt
	}
	return q
}

func incoming(i store.QueuedActivity) queued {
	from := i.Actor
	if u, err := url.Parse(i.Actor); err == nil {
		from = u.Host
	}
	q := queued{
		ID: "in:" + strconv.FormatInt(i.ID, 10), Host: from, Type: i.Type, Activity: i.ActivityID,
		State: string(i.State), Attempt: i.Attempt, Reason: i.Reason, Since: i.ReceivedAt,
	}
	if i.State == essaim.InboundWaiting {
		q.NextAt = i.NextAt
	}
	return q
}

func retryQueue(ctx context.Context, n *Node, c choice) (int, error) {
	return eachQueued(ctx, n, c, n.store.RetryDelivery, n.store.RetryActivity)
}

func dropQueue(ctx context.Context, n *Node, c choice) (int, error) {
	return eachQueued(ctx, n, c, n.store.DropDelivery, n.store.DropActivity)
}

// eachQueued applies one of two changes to each chosen entry and counts them.
// With --all, one that ended meanwhile is passed over.
func eachQueued(ctx context.Context, n *Node, c choice, out, in func(context.Context, int64) error) (int, error) {
	change := func(id string) error {
		isOut, number, err := entry(id)
		if err != nil {
			return err
		}
		if isOut {
			return out(ctx, number)
		}
		return in(ctx, number)
	}
	done := 0
	if !c.All {
		for _, id := range c.IDs {
			if err := change(id); err != nil {
				return done, err
			}
			done++
		}
		return done, nil
	}
	// What is tried again waits anew, behind what waited: each once, of those that
	// were there. What failed comes after, or it would be met twice.
	met := map[string]bool{}
	for _, state := range []string{"waiting", "failed"} {
		for q, err := range inState(ctx, n, state, c.Host) {
			if err != nil {
				return done, err
			}
			if met[q.ID] {
				continue
			}
			met[q.ID] = true
			err := change(q.ID)
			if errors.Is(err, essaim.ErrNotFound) {
				continue
			}
			if err != nil {
				return done, err
			}
			done++
		}
	}
	return done, nil
}

// waiting is the backlog that the metrics show.
func (n *Node) waiting(ctx context.Context) (deliveries, inbound int, err error) {
	q, err := n.store.QueueSize(ctx)
	return q.DeliveriesWaiting, q.InboundWaiting, err
}
