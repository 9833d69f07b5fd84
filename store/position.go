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

// newest is behind every position.
const newest = math.MaxInt64

func (tx *Tx) position(ctx context.Context, id string, updated time.Time) (int64, error) {
	h := fnv.New32a()
	h.Write([]byte(id))
	slot, milli := int64(h.Sum32()%inMilli), updated.UnixMilli()
	// A few other places in this millisecond, then the next one: thousands of
	// records that bear one time take a few tries each.
	var tries [8]int64
	for from := int64(0); ; from += int64(len(tries)) {
		args := make([]any, len(tries))
		for i := range tries {
			try := from + int64(i)
			tries[i] = (milli+try/4)*inMilli + (slot+try*397)%inMilli
			args[i] = tries[i]
		}
		taken, err := list(ctx, tx, only[int64], "positions_taken", args...)
		if err != nil {
			return 0, err
		}
		for _, p := range tries {
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
		return math.MinInt64
	}
	return t.UnixMilli()*inMilli + inMilli - 1
}
