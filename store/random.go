// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"essaim"
)

// Random is a record that a query finds, drawn so that each is about as likely; of
// meetings to come, one of the hundred soonest. draw is random bytes, 16 at least.
// essaim.ErrNotFound when there is none.
func (s *Store) Random(ctx context.Context, q essaim.Query, draw []byte) (rec essaim.Record, err error) {
	if len(draw) < 16 {
		return rec, fmt.Errorf("random record: %d bytes: %w", len(draw), essaim.ErrInvalid)
	}
	q.After, q.Facets, q.Limit = "", false, maxLimit
	if !q.Upcoming.IsZero() {
		found, err := s.Search(ctx, q)
		if err != nil {
			return rec, fmt.Errorf("random record: %w", err)
		}
		return oneOf(found.Records, draw)
	}
	err = s.read(ctx, func(tx *Tx) error {
		m := newMatch(q, s.now())
		if m.kindAtMost(&q) {
			e, err := tx.byDigest(ctx, q.Kinds, draw)
			rec = e.Record
			return err
		}
		rec, err = tx.among(ctx, q.Kinds, m, draw)
		return err
	})
	if err != nil {
		return rec, fmt.Errorf("random record: %w", err)
	}
	return rec, nil
}

// kindAtMost tells whether a query chooses nothing but one kind, or nothing.
func (m match) kindAtMost(q *essaim.Query) bool {
	return m.everything() || len(q.Kinds) == 1 && len(m.filter) == 1 && len(m.words) == 0 && len(m.none) == 0 && m.area == nil && q.Since.IsZero() && q.Until.IsZero()
}

// oneOf takes the one of a list that random bytes fall on.
func oneOf[T any](list []T, draw []byte) (one T, err error) {
	if len(list) == 0 {
		return one, essaim.ErrNotFound
	}
	return list[binary.BigEndian.Uint64(draw)%uint64(len(list))], nil
}

// redraws is how many records are drawn from all in search of one that matches.
const redraws = 40

// among draws from what a match finds. As many as are counted are looked up, and one
// of them taken. Where there are more, they are a part of all that is worth drawing
// from: whichever matches first; if none does, one of those that were looked up.
func (tx *Tx) among(ctx context.Context, kinds []essaim.Kind, m match, draw []byte) (rec essaim.Record, err error) {
	known, err := tx.narrow(ctx, m)
	if err != nil {
		return rec, err
	}
	if known.since, err = tx.stretch(ctx, known, anywhere, m.until); err != nil {
		return rec, err
	}
	positions, err := tx.page(ctx, look{match: known, below: m.until, n: overCap})
	if err != nil {
		return rec, err
	}
	if len(positions) == overCap || known.since > m.since {
		next := sha256.Sum256(draw)
		for range redraws {
			e, err := tx.byDigest(ctx, kinds, next[:])
			if err != nil {
				return rec, err
			}
			if e.position > m.since && e.position < m.until && m.holds(&e.Record) {
				return e.Record, nil
			}
			next = sha256.Sum256(next[:])
		}
	}
	at, err := oneOf(positions, draw)
	if err != nil {
		return rec, err
	}
	records, err := tx.recordsAt(ctx, []int64{at})
	if err != nil {
		return rec, err
	}
	return oneOf(records, draw)
}

// byDigest draws from all records of one kind or, unless one is said, of any.
//
// Digests are as good as random, and an index has them in their order: the record
// is the first whose digest is not below the draw. Nothing is counted; of the
// kinds the counters tell how many each has.
func (tx *Tx) byDigest(ctx context.Context, kinds []essaim.Kind, draw []byte) (e entry, err error) {
	var kind essaim.Kind
	if len(kinds) == 1 {
		kind = kinds[0]
	} else if kind, err = tx.randomKind(ctx, draw[:8]); err != nil {
		return e, err
	}
	e, err = tx.entry(ctx, "record_from_digest", string(kind), hex.EncodeToString(draw[8:]))
	if errors.Is(err, essaim.ErrNotFound) {
		e, err = tx.entry(ctx, "record_from_digest", string(kind), "")
	}
	return e, err
}

// randomKind draws a kind, one of many records sooner than one of few.
func (tx *Tx) randomKind(ctx context.Context, draw []byte) (essaim.Kind, error) {
	var kinds []essaim.Count
	total := 0
	err := tx.each(ctx, "facets", func(scan func(...any) error) error {
		var facet string
		var c essaim.Count
		err := scan(&facet, &c.Value, &c.Label, &c.N)
		if facet == facetOf[filterKind] {
			kinds = append(kinds, c)
			total += c.N
		}
		return err
	})
	if err != nil {
		return "", err
	}
	if total == 0 {
		return "", essaim.ErrNotFound
	}
	n := 0
	for _, b := range draw {
		n = (n<<8 | int(b)) % total
	}
	i := slices.IndexFunc(kinds, func(c essaim.Count) bool {
		n -= c.N
		return n < 0
	})
	return essaim.Kind(kinds[i].Value), nil
}
