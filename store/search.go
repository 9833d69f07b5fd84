// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"essaim"
)

// Pages of search.
const (
	defaultLimit = 20
	maxLimit     = 100
)

// Search runs a query; a cursor that cannot be read is essaim.ErrInvalid. Any
// text is a query. The results and their order are the same on both databases.
func (s *Store) Search(ctx context.Context, q essaim.Query) (essaim.Results, error) {
	if q.Limit <= 0 {
		q.Limit = defaultLimit
	}
	q.Limit = min(q.Limit, maxLimit)
	after, err := readCursor(q.After)
	if err != nil {
		return essaim.Results{}, err
	}
	var found essaim.Results
	switch {
	case q.State != "" && q.State != essaim.StatePublished:
		found, err = s.searchListed(ctx, q, after)
	case !q.Upcoming.IsZero():
		found, err = s.searchUpcoming(ctx, q, after)
	default:
		err = s.read(ctx, func(tx *Tx) error {
			found, err = tx.search(ctx, q, after)
			return err
		})
	}
	if err != nil {
		return essaim.Results{}, fmt.Errorf("search: %w", err)
	}
	return found, nil
}

// cursor is where a page ended: its tier, the position of its last record, and
// the total, which is not counted again.
type cursor struct {
	tier     tier
	position int64
	starts   int64 // of a list of meetings
	total    int
	least    bool // there may be more than the total
	set      bool
}

// limits of the total, and how it is written when it is beyond.
const overCap = essaim.CountCap + 1

// String writes a total that may be less than there is as what is left to -1.
func (c cursor) String() string {
	total := c.total
	if c.least {
		total = -1 - total
	}
	return fmt.Sprintf("%d.%d.%d.%d", c.tier, c.position, c.starts, total)
}

func readCursor(text string) (cursor, error) {
	c := cursor{position: newest}
	if text == "" {
		return c, nil
	}
	parts := strings.Split(text, ".")
	var n [4]int64
	for i := range n {
		var err error
		if len(parts) != len(n) {
			return c, fmt.Errorf("page %q: %w", text, essaim.ErrInvalid)
		}
		if n[i], err = strconv.ParseInt(parts[i], 10, 64); err != nil {
			return c, fmt.Errorf("page %q: %w", text, essaim.ErrInvalid)
		}
	}
	least := n[3] < 0
	if least {
		n[3] = -1 - n[3]
	}
	if n[0] < 0 || n[0] > int64(notInHead) || n[3] > overCap {
		return c, fmt.Errorf("page %q: %w", text, essaim.ErrInvalid)
	}
	return cursor{tier: tier(n[0]), position: n[1], starts: n[2], total: int(n[3]), least: least, set: true}, nil
}

// search finds published records.
func (tx *Tx) search(ctx context.Context, q essaim.Query, after cursor) (essaim.Results, error) {
	m, err := tx.narrow(ctx, newMatch(q, tx.s.now()))
	if err != nil {
		return essaim.Results{}, err
	}
	found, counted, err := tx.totals(ctx, m, q, after)
	if err == nil && q.Facets {
		err = tx.widen(ctx, q, &found.Facets)
	}
	if err != nil {
		return found, err
	}
	if counted.total == 0 && !counted.least {
		return found, nil
	}
	tiers, err := tx.tiers(ctx, m, q, after)
	if err != nil {
		return found, err
	}
	var positions []int64
	last := cursor{total: min(counted.total, overCap), least: counted.least}
	for _, t := range tiers {
		from := m.until
		if after.set {
			if t < after.tier {
				continue
			}
			if t == after.tier {
				from = min(from, after.position)
			}
		}
		l := look{m, t, from, q.Limit + 1 - len(positions), counted.one && counted.whole()}
		var more []int64
		switch {
		case !after.set && counted.one && (t == anywhere || t == notInHead && counted.total <= essaim.CountCap):
			// All that are in the head were listed just now: the others are not.
			l.since = counted.since
			more = slices.DeleteFunc(counted.all, func(p int64) bool { return slices.Contains(positions, p) })
			more = more[:min(l.n, len(more))]
		default:
			if after.set || t != inHead { // else the tiers are known to need none
				l.since, err = tx.stretch(ctx, m, t, from)
			}
			if err == nil {
				more, err = tx.page(ctx, l)
			}
			if err != nil {
				return found, err
			}
		}
		for _, p := range more {
			if len(positions) == q.Limit {
				found.Next = last.String()
				break
			}
			positions = append(positions, p)
			last.tier, last.position = t, p
		}
		if found.Next == "" && l.since > m.since {
			last.tier, last.position, last.total = t, l.since+1, max(last.total, len(positions))
			found.Next, found.Back = last.String(), timeOf(l.since)
		}
		if found.Next != "" {
			break
		}
	}
	if found.Least {
		found.Total = max(found.Total, len(positions))
	}
	found.Records, err = tx.recordsAt(ctx, positions)
	return found, err
}

// tiers are the parts in which results come, in their order. What very many have in their
// titles comes by its date alone: all of a part comes before the next one.
func (tx *Tx) tiers(ctx context.Context, m match, q essaim.Query, after cursor) ([]tier, error) {
	if len(m.words) == 0 || q.Newest || after.set && after.tier == anywhere {
		return []tier{anywhere}, nil
	}
	if !after.set {
		if since, err := tx.stretch(ctx, m, inHead, m.until); err != nil || since > m.since {
			return []tier{anywhere}, err
		}
	}
	return []tier{inHead, notInHead}, nil
}

// page lists the latest positions of what matches.
func (tx *Tx) page(ctx context.Context, l look) (list []int64, err error) {
	if l.n <= 0 {
		return nil, nil
	}
	add := func(scan func(...any) error) error {
		var p int64
		err := scan(&p)
		list = append(list, p)
		return err
	}
	if l.everything() {
		return list, tx.each(ctx, "search_all", add, l.below, l.n)
	}
	if l.area != nil {
		return list, tx.find(ctx, "search_page_near", l, l.area.args(), add)
	}
	return list, tx.find(ctx, "search_page", l, nil, add)
}

// recordsAt reads the records of positions, in their order.
func (tx *Tx) recordsAt(ctx context.Context, positions []int64) ([]essaim.Record, error) {
	if len(positions) == 0 {
		return nil, nil
	}
	wanted, err := json.Marshal(positions)
	if err != nil {
		return nil, err
	}
	at := make(map[int64]essaim.Record, len(positions))
	err = tx.each(ctx, "records_at", func(scan func(...any) error) error {
		e, err := scanEntry(scan)
		at[e.position] = e.Record
		return err
	}, string(wanted))
	if err != nil {
		return nil, err
	}
	records := make([]essaim.Record, 0, len(positions))
	for _, p := range positions {
		if r, ok := at[p]; ok {
			records = append(records, r)
		}
	}
	return records, nil
}

// searchListed finds drafts, candidates or withdrawn records. They are few,
// and for those only who may see them: the match is applied to each.
func (s *Store) searchListed(ctx context.Context, q essaim.Query, after cursor) (essaim.Results, error) {
	m := newMatch(q, s.now())
	from := m.until
	return s.sift(ctx, q, m, after, essaim.Results{}, func(tx *Tx, keep func(*entry) bool) error {
		for {
			n, more := 0, true
			err := tx.each(ctx, "records_listed", func(scan func(...any) error) error {
				e, err := scanEntry(scan)
				if err != nil {
					return err
				}
				n++
				from = e.position
				more = keep(&e)
				return nil
			}, string(q.State), from, m.since, siftChunk)
			if err != nil || n < siftChunk || !more {
				return err
			}
		}
	}, func(e *entry) bool { return !after.set || e.position < after.position })
}

// searchUpcoming finds meetings that have not ended, soonest first.
func (s *Store) searchUpcoming(ctx context.Context, q essaim.Query, after cursor) (essaim.Results, error) {
	var found essaim.Results
	err := s.read(ctx, func(tx *Tx) error {
		m := newMatch(recent(q), s.now())
		since, err := tx.stretch(ctx, m, anywhere, m.until)
		if err != nil {
			return err
		}
		if found.Least = since > m.since; found.Least {
			return nil
		}
		positions, err := tx.page(ctx, look{match: m, below: m.until, n: overCap})
		if err != nil {
			return err
		}
		if len(positions) == overCap {
			found.Total, found.Capped = essaim.CountCap, true
			return nil
		}
		found, err = tx.soonest(ctx, positions, q, after)
		return err
	})
	if err == nil && (found.Capped || found.Least) {
		found, err = s.walkUpcoming(ctx, q, after, found)
	}
	if err != nil || !q.Facets {
		return found, err
	}
	// Counted as of the days to come: the index knows no hours.
	if q.From == "" {
		q.From = q.Upcoming.Format(dayLayout)
	}
	err = s.read(ctx, func(tx *Tx) error {
		var known essaim.Results
		m, err := tx.narrow(ctx, newMatch(q, s.now()))
		if err != nil {
			return err
		}
		_, err = tx.counted(ctx, m, true, &known)
		found.Facets = known.Facets
		if err != nil {
			return err
		}
		return tx.widen(ctx, q, &found.Facets)
	})
	return found, err
}

// siftChunk is how many records are read at once to apply a match to each, and
// mostSifted how many for a page where more than are counted may match.
const (
	siftChunk  = 200
	mostSifted = 400
)

func (e *entry) starts() int64 {
	starts, _ := period(&e.Content)
	return starts.UnixMicro()
}

// sift counts what walk gives and m holds, up to the cap, and keeps the page
// of it that is behind the cursor; found is what is known of the total. It tells the walk whether to go on.
func (s *Store) sift(ctx context.Context, q essaim.Query, m match, after cursor, found essaim.Results, walk func(*Tx, func(*entry) bool) error, behind func(*entry) bool) (essaim.Results, error) {
	last := cursor{}
	more, n := false, 0
	err := s.read(ctx, func(tx *Tx) error {
		return walk(tx, func(e *entry) bool {
			if (found.Capped || found.Least) && more {
				return false
			}
			if n++; n > mostSifted && (found.Capped || found.Least) {
				found.Least, more = true, true // the next page goes on here
				return false
			}
			if e.position <= m.since || e.position >= m.until || !m.holds(&e.Record) {
				if behind(e) && len(found.Records) < q.Limit {
					last.position, last.starts = e.position, e.starts()
				}
				return true
			}
			if found.Total < essaim.CountCap {
				found.Total++
			} else {
				found.Capped = true
			}
			switch {
			case !behind(e):
			case len(found.Records) < q.Limit:
				found.Records = append(found.Records, e.Record)
				last.position, last.starts = e.position, e.starts()
			default:
				more = true
			}
			return true
		})
	})
	if found.Least && after.set {
		found.Total = max(found.Total, after.total)
	}
	if more {
		last.total, last.least = found.Total, found.Least
		found.Next = last.String()
	}
	return found, err
}
