// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
)

// SQLite's index gives what it finds in the order of positions, and is read no further
// than is needed. PostgreSQL's has no order: of a word of some records in a hundred all
// are read and sorted for the latest twenty. There a search looks through the latest
// records first and goes back part by part, each as large as all before, until it has
// enough: what it costs follows from what is wanted, not from how much is held. A part is
// a range of positions, which the index knows by the spans that cover it; see
// docs/adr/0021-parts-of-all-records.md.

// look is what a statement of search is to find.
type look struct {
	match
	tier  tier
	below int64 // positions below this one, and above the match's own
	n     int   // the latest so many
	few   bool  // it is known that there are few
}

// find runs a statement of search and calls add for each row; the parameters of the
// statement's area, if it has one, come last.
func (tx *Tx) find(ctx context.Context, name string, l look, area []any, add func(scan func(...any) error) error) error {
	expression := tx.s.db.expression(l.match, l.tier)
	if tx.s.db.ordered() {
		return tx.each(ctx, name, add, append([]any{expression, l.below, l.since, l.n}, area...)...)
	}
	return tx.partwise(ctx, name, expression, l, area, add)
}

// partwise runs a statement of PostgreSQL, for an expression or several.
func (tx *Tx) partwise(ctx context.Context, name string, expression any, l look, area []any, add func(scan func(...any) error) error) error {
	r, err := tx.reach(ctx, l.below, l.since)
	if err != nil || r.first > r.last {
		return err
	}
	spans, below, above := r.parts(l)
	return tx.each(ctx, name, add, append([]any{expression, spans, below, l.n, above}, area...)...)
}

// pages lists the latest n positions of what each of several matches finds, of any time
// and anywhere; of those that need a stretch, in the longest one. PostgreSQL is asked
// once, or twice where some do: it plans a question in the time in which it answers three.
func (tx *Tx) pages(ctx context.Context, list []match, n int) (found [][]int64, err error) {
	since, err := tx.stretches(ctx, list, anywhere, newest, phraseStretchOf)
	if err != nil {
		return nil, err
	}
	longest := int64(newest)
	for i, m := range list {
		if since[i] > m.since {
			longest = min(longest, since[i])
		}
	}
	found = make([][]int64, len(list))
	if tx.s.db.ordered() {
		for i, m := range list {
			if since[i] > m.since {
				m.since = longest
			}
			if found[i], err = tx.page(ctx, look{match: m, below: newest, n: n}); err != nil {
				return nil, err
			}
		}
		return found, nil
	}
	for _, whole := range []bool{true, false} {
		var of []int // the list
		var expressions []string
		back := longest
		if whole {
			back = oldest
		}
		for i, m := range list {
			if whole == (since[i] == m.since) {
				of = append(of, i)
				expressions = append(expressions, tx.s.db.expression(m, anywhere))
			}
		}
		if len(of) == 0 {
			continue
		}
		err := tx.partwise(ctx, "search_pages", expressions, look{match: match{since: back}, below: newest, n: n}, nil, func(scan func(...any) error) error {
			var at int
			var position int64
			if err := scan(&at, &position); err != nil {
				return err
			}
			found[of[at-1]] = append(found[of[at-1]], position)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// between are the positions between which a search looks.
type between struct{ below, since int64 }

// reach is what is known of the records between two positions.
type reach struct {
	between
	last, first int64  // the greatest of their positions, and the least
	back        []mark // from the latest on, and perhaps beyond the first
}

// mark is a position, and how many records, more or less, stand between it and the last.
type mark struct{ rows, position int64 }

// reach asks where parts may begin; once, while nothing is written.
func (tx *Tx) reach(ctx context.Context, below, since int64) (reach, error) {
	key := between{below, since}
	if r, ok := tx.reaches[key]; ok {
		return r, nil
	}
	r := reach{between: key, last: oldest, first: newest}
	err := tx.each(ctx, "parts_marks", func(scan func(...any) error) error {
		var rows int64
		var at sql.NullInt64
		if err := scan(&rows, &at); err != nil || !at.Valid {
			return err
		}
		switch rows {
		case -1: // stands for the last
			r.last = at.Int64
		case 0: // for the first
			r.first = at.Int64
		default:
			r.back = append(r.back, mark{rows, at.Int64})
		}
		return nil
	}, below, since)
	if err == nil && tx.reaches != nil {
		tx.reaches[key] = r
	}
	return r, err
}

// parts are the spans of each part, as an array of PostgreSQL, and the positions between
// which it is. The first one has twice as many records as are wanted, 500 at least and
// 2,000 at most.
func (r reach) parts(l look) (spans []string, below, above []int64) {
	// A part's spans may hold what is newer: that was found already, and is little or the
	// search would have ended there.
	last, highest := r.last, r.last
	if r.below == newest {
		highest = newest
	}
	add := func(first, behind int64) {
		spans = append(spans, spansOf(first, last, behind+1, highest))
		below = append(below, last+1)
		above = append(above, behind)
		last = first - 1
	}
	for _, m := range r.back {
		if !l.few && m.rows >= min(2*int64(l.n), maxFirst) && m.position <= last && m.position > r.first {
			add(m.position, m.position-1)
		}
	}
	add(r.first, r.since)
	return spans, below, above
}

// maxFirst is how many records the first part has at the most.
const maxFirst = 2000

// Levels of spans, in bits of a position, as the function search_spans of PostgreSQL has
// them: from about a second on, each 32 times as long as the one before.
const (
	finestSpan = 20
	spanStep   = 5
	spanLevels = 7
)

// spansOf are the fewest that cover all between two positions, as an array of PostgreSQL,
// and nothing below the lowest or above the highest but what the finest hold beyond
// these: before weeks in which nothing happened there may be an import of all that there
// is.
func spansOf(first, last, lowest, highest int64) string {
	var list []string
	var cover func(level, at int64)
	cover = func(level, at int64) {
		shift := finestSpan + level*spanStep
		begins, ends := at<<shift, at<<shift|(1<<shift-1)
		switch {
		case ends < first || begins > last:
		case level == 0 || begins >= lowest && ends <= highest:
			list = append(list, strconv.FormatInt(at*8+level, 10))
		default:
			for i := range int64(1 << spanStep) {
				cover(level-1, at<<spanStep|i)
			}
		}
	}
	const coarsest = spanLevels - 1
	for at := first >> (finestSpan + coarsest*spanStep); at <= last>>(finestSpan+coarsest*spanStep); at++ {
		cover(coarsest, at)
	}
	return "{" + strings.Join(list, ",") + "}"
}
