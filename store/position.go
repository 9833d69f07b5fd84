// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"hash/fnv"
	"math"
	"time"
)

// A record's position is its place in every list: the latest change first,
// then by id. It is one number, so that a list is a walk along one index, a
// page goes on from it, and the full-text index gives its rows in this order
// without sorting them: the milliseconds of updated, and below them a number
// made from the id. The rare second record of a position takes a free one within
// the second or so: peers date in whole seconds, and send thousands of one.

// inMilli is how many positions a millisecond has.
const inMilli = 1000

// newest is behind every position.
const newest = math.MaxInt64

func (tx *Tx) position(ctx context.Context, id string, updated time.Time) (int64, error) {
	h := fnv.New32a()
	h.Write([]byte(id))
	var p int64
	err := tx.row(ctx, "position_free", updated.UnixMilli()*inMilli+int64(h.Sum32()%inMilli)).Scan(&p)
	return p, err
}

// positionAfter is the last position of a time: what changed after it has a
// greater one.
func positionAfter(t time.Time) int64 {
	if t.IsZero() {
		return math.MinInt64
	}
	return t.UnixMilli()*inMilli + inMilli - 1
}
