// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"essaim"
)

// Random is the published record that a draw falls on, of one kind or, without
// one, of any: each is as likely. draw is random bytes, 16 at least.
// essaim.ErrNotFound when there is none.
//
// Digests are as good as random, and an index has them in their order: the record
// is the first whose digest is not below the draw. Nothing is counted; of the
// kinds the counters tell how many each has.
func (s *Store) Random(ctx context.Context, kind essaim.Kind, draw []byte) (rec essaim.Record, err error) {
	if len(draw) < 16 {
		return rec, fmt.Errorf("random record: %d bytes: %w", len(draw), essaim.ErrInvalid)
	}
	err = s.read(ctx, func(tx *Tx) error {
		k := kind
		if k == "" {
			if k, err = tx.randomKind(ctx, draw[:8]); err != nil {
				return err
			}
		}
		e, err := tx.entry(ctx, "record_from_digest", string(k), hex.EncodeToString(draw[8:]))
		if errors.Is(err, essaim.ErrNotFound) {
			e, err = tx.entry(ctx, "record_from_digest", string(k), "")
		}
		rec = e.Record
		return err
	})
	if err != nil {
		return rec, fmt.Errorf("random record: %w", err)
	}
	return rec, nil
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
