// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"hash/fnv"
	"math"
	"slices"
	"time"
)

// A record's position is its place in every list: the latest change first,
// then by id. It is one number, so that a list is a walk along one index, a
// page goes on from it, and the full-text index gives its rows in this order
// without sorting them: the milliseconds of updated, and below them a number
// made from the id. The rare second record of a position takes another one
// near it.

// inMilli is how many positions a millisecond has.
const inMilli = 1000

// oldest is before every position.
const oldest = math.MinInt64

// newest is behind every position.
const newest = math.MaxInt64

// inOne is how many of the positions of a millisecond a record may take; then it
// takes one of the next: thousands of records that bear one time take a few tries
// each.
const inOne = 4

// place is the position that a record tries to take, from 0.
func place(id string, updated time.Time, try int64) int64 {
	h := fnv.New32a()
	h.Write([]byte(id))
	return (updated.UnixMilli()+try/inOne)*inMilli + (int64(h.Sum32()%inMilli)+try*397)%inMilli
}

// isPlace tells whether a record of a time may stand at a position.
func isPlace(position int64, id string, updated time.Time) bool {
	after := position/inMilli - updated.UnixMilli()
	for try := range int64(inOne) {
		if after >= 0 && place(id, updated, after*inOne+try) == position {
			return true
		}
	}
	return false
}

// positionTries is how many positions are asked for at once.
const positionTries = 8

// positionsAsked is the question which of the positions that a record tries to
// take are taken.
func positionsAsked(id string, updated time.Time, from int64) question {
	q := question{"positions_taken", make([]any, positionTries)}
	for i := range q.args {
		q.args[i] = place(id, updated, from+int64(i))
	}
	return q
}

func (tx *Tx) position(ctx context.Context, id string, updated time.Time) (int64, error) {
	for from := int64(0); ; from += positionTries {
		q := positionsAsked(id, updated, from)
		taken, err := list(ctx, tx, only[int64], q.name, q.args...)
		if err != nil {
			return 0, err
		}
		for try := range int64(positionTries) {
			p := place(id, updated, from+try)
			if tx.taken[p] || slices.Contains(taken, p) {
				continue
			}
			if tx.taken == nil {
				tx.taken = map[int64]bool{}
			}
			tx.taken[p] = true
			return p, nil
		}
	}
}

// positionAfter is the last position of a time: what changed after it has a
// greater one.
func positionAfter(t time.Time) int64 {
	if t.IsZero() {
		return oldest
	}
	return t.UnixMilli()*inMilli + inMilli - 1
}

// timeOf is the time of the records at a position.
func timeOf(position int64) time.Time { return time.UnixMilli(position / inMilli).UTC() }
