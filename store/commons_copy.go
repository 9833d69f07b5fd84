// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"essaim"
)

// CopyTree makes the digest tree of what is held of a host, as it was noted when
// it came; Copies has the bytes.
func (s *Store) CopyTree(ctx context.Context, host string) (map[string]essaim.CommonsNode, error) {
	nodes := map[string]essaim.CommonsNode{}
	if err := s.query().loadTree(ctx, host, nodes, ""); err != nil {
		return nil, fmt.Errorf("digest tree of %s: %w", host, err)
	}
	return nodes, nil
}

// CopyItems lists up to n items held of a host whose keys begin with prefix.
func (s *Store) CopyItems(ctx context.Context, host, prefix string, n int) ([]essaim.CommonsItem, error) {
	items, err := s.query().commonsRange(ctx, host, prefix, n)
	if err != nil {
		return nil, fmt.Errorf("items of %s at %q: %w", host, prefix, err)
	}
	return items, nil
}

// Copies lists up to n documents held of a host in the order of their keys, those
// after one.
func (s *Store) Copies(ctx context.Context, host, after string, n int) ([]essaim.CommonsCopy, error) {
	copies, err := list(ctx, s.query(), func(scan scanFunc) (c essaim.CommonsCopy, err error) {
		err = scan(&c.Key, &c.ID, &c.Digest, &c.Bytes)
		return c, err
	}, "commons_copies", host, after, n)
	if err != nil {
		return nil, fmt.Errorf("copies of %s: %w", host, err)
	}
	return copies, nil
}

// NoteCopies writes the copy digests that the bytes of copies were found to have;
// empty for one without bytes.
func (s *Store) NoteCopies(ctx context.Context, found []essaim.CommonsItem) error {
	err := s.write(ctx, patient, func(tx *Tx) error {
		for _, it := range found {
			if err := tx.later(ctx, "commons_note", it.ID, it.Digest); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("digests of copies: %w", err)
	}
	return nil
}

// DueComparisons lists up to n nodes that were read to the end and are to be
// compared now.
func (s *Store) DueComparisons(ctx context.Context, n int) ([]string, error) {
	hosts, err := list(ctx, s.query(), only[string], "compare_due", instant(s.now()), n)
	if err != nil {
		return nil, fmt.Errorf("comparisons that are due: %w", err)
	}
	return hosts, nil
}

// SaveComparison notes what a comparison came to.
func (s *Store) SaveComparison(ctx context.Context, host string, c essaim.CommonsComparison) error {
	err := s.write(ctx, patient, func(tx *Tx) error {
		_, err := tx.exec(ctx, "compare_save", host, instant(c.NextCompared), micros(c.ComparedAt), c.Differences, c.Mended, strings.Join(c.Kept, "\n"))
		return err
	})
	if err != nil {
		return fmt.Errorf("comparison with %s: %w", host, err)
	}
	return nil
}

// PutOffComparison plans the next one where one could not be made.
func (s *Store) PutOffComparison(ctx context.Context, host string, at time.Time) error {
	err := s.write(ctx, patient, func(tx *Tx) error {
		_, err := tx.exec(ctx, "compare_put_off", host, instant(at))
		return err
	})
	if err != nil {
		return fmt.Errorf("comparison with %s: %w", host, err)
	}
	return nil
}
