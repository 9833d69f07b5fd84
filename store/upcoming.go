// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"essaim"
)

// recent is a query of the meetings to come as the index knows days: it has all of
// them, and some that ended. Their days are those of their own zone.
func recent(q essaim.Query) essaim.Query {
	from := q.Upcoming.AddDate(0, 0, -2).Format(dayLayout)
	if q.To != "" {
		from = min(from, q.To) // what lasts until now was there on that day too
	}
	q.From = max(q.From, from)
	return q
}

// soonest reads, of records at positions, a page of those that have not ended.
func (tx *Tx) soonest(ctx context.Context, positions []int64, q essaim.Query, after cursor) (found essaim.Results, err error) {
	if len(positions) == 0 {
		return found, nil
	}
	wanted, err := json.Marshal(positions)
	if err != nil {
		return found, err
	}
	type meeting struct{ starts, position int64 }
	all, err := list(ctx, tx, func(scan scanFunc) (m meeting, err error) {
		return m, scan(&m.starts, &m.position)
	}, "upcoming_at", string(wanted), q.Upcoming.UnixMicro())
	if err != nil {
		return found, err
	}
	slices.SortFunc(all, func(a, b meeting) int {
		return cmp.Or(cmp.Compare(a.starts, b.starts), cmp.Compare(a.position, b.position))
	})
	found.Total = len(all)
	if after.set {
		all = slices.DeleteFunc(all, func(m meeting) bool {
			return m.starts < after.starts || m.starts == after.starts && m.position <= after.position
		})
	}
	if len(all) > q.Limit {
		all = all[:q.Limit]
		last := all[len(all)-1]
		found.Next = cursor{starts: last.starts, position: last.position, total: found.Total}.String()
	}
	page := make([]int64, len(all))
	for i, m := range all {
		page[i] = m.position
	}
	found.Records, err = tx.recordsAt(ctx, page)
	return found, err
}

// longest is how long a meeting lasts that is looked for by its beginning; those that
// last longer are looked for by their end.
const longest = 31 * 24 * time.Hour

// walkUpcoming reads, where a query finds more than are counted, all meetings to come
// in their order until a page is full, or so many are read.
func (s *Store) walkUpcoming(ctx context.Context, q essaim.Query, after cursor, found essaim.Results) (essaim.Results, error) {
	m := newMatch(q, s.now())
	begins := q.Upcoming.Add(-longest).UnixMicro()
	// Nothing that starts two days after the last one is on it, in any zone.
	limit := asked(q.To, lastDay).AddDate(0, 0, 2).UnixMicro()
	return s.sift(ctx, q, m, after, found, func(tx *Tx, keep func(*entry) bool) error {
		more := true
		read := func(name string, starts, position, until int64) error {
			for more {
				n := 0
				err := tx.each(ctx, name, func(scan func(...any) error) error {
					e, err := scanEntry(scan)
					if err != nil {
						return err
					}
					n++
					starts, position = e.starts(), e.position
					more = more && keep(&e) && starts < limit
					return nil
				}, q.Upcoming.UnixMicro(), starts, position, until, siftChunk)
				if err != nil || n < siftChunk {
					return err
				}
			}
			return nil
		}
		if !after.set || after.starts < begins {
			starts, position := int64(-1<<62), int64(-1<<62)
			if after.set {
				starts, position = after.starts, after.position
			}
			if err := read("records_lasting", starts, position, begins); err != nil {
				return err
			}
		}
		starts, position := begins, int64(-1<<62)
		if after.set && after.starts >= begins {
			starts, position = after.starts, after.position
		}
		return read("records_upcoming", starts, position, 1<<62)
	}, func(e *entry) bool {
		return !after.set || e.starts() > after.starts || e.starts() == after.starts && e.position > after.position
	})
}
