// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"testing"

	"essaim/store/storetest"
)

// The rows of a queue, numbered from 1 to the last parameter.
const (
	numbered   = `WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < $1) `
	activities = `INSERT INTO activity (id, type, actor, bytes, at) ` + numbered +
		`SELECT 'https://brest.example/activities/' || $2 || n, 'Create', 'a', $3, 1 FROM i`
	deliveries = `INSERT INTO delivery (activity_id, actor, host, inbox, order_key, n, state, attempt, next_at, lease_until, status, reason, created_at, done_at) ` + numbered +
		`SELECT 'https://brest.example/activities/' || $2 || n, 'a', 'away.example', 'https://away.example/inbox', 'k' || n, 0, $2, 3, n, 0, 503, 'away', 1, $3 FROM i`
	received = `INSERT INTO inbox (activity_id, type, actor, object, raw, state, attempt, next_at, lease_until, reason, received_at, done_at) ` + numbered +
		`SELECT 'https://away.example/activities/' || $2 || n, 'Create', 'https://away.example/a', '', $3, $2, 3, n, 0, '', 1, $4 FROM i`
)

// A peer that was away for a week leaves more than a list shows, and what failed
// stands behind it.
func TestAllOfALongQueueIsTriedAgainOrDropped(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s, _ := db.Node(t)
		const long, few = maxQueued + 1, 3
		for _, q := range []struct {
			state   string
			out, in int
			ended   any
		}{{"waiting", long, few, nil}, {"failed", few, few, 1}} {
			for _, err := range []error{
				db.Exec(t.Context(), s, activities, q.out, q.state, []byte("{}")),
				db.Exec(t.Context(), s, deliveries, q.out, q.state, q.ended),
				db.Exec(t.Context(), s, received, q.in, q.state, []byte("{}"), q.ended),
			} {
				if err != nil {
					t.Fatal(err)
				}
			}
		}
		for _, step := range []struct {
			name string
			do   func(context.Context, *Node, choice) (int, error)
			host string
			n    int
			want [4]int
		}{
			{"of another host", retryQueue, "other.example", 0, [4]int{long, few, few, few}},
			{"retry", retryQueue, "", long + 3*few, [4]int{long + few, 0, 2 * few, 0}},
			{"drop of the host", dropQueue, "away.example", long + 3*few, [4]int{}},
		} {
			got, err := step.do(t.Context(), &Node{store: s}, choice{All: true, Host: step.host})
			if err != nil || got != step.n {
				t.Errorf("%s: %d changed, %v, want %d", step.name, got, err, step.n)
			}
			q, err := s.QueueSize(t.Context())
			if size := [4]int{q.DeliveriesWaiting, q.DeliveriesFailed, q.InboundWaiting, q.InboundFailed}; err != nil || size != step.want {
				t.Errorf("%s: queues %v, %v, want %v", step.name, size, err, step.want)
			}
		}
	})
}
