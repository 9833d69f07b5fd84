// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"fmt"

	"essaim"
)

// SearchEach runs several queries, for a page that shows the first results of each.
func (s *Store) SearchEach(ctx context.Context, queries ...essaim.Query) ([]essaim.Results, error) {
	found := make([]essaim.Results, len(queries))
	for i, q := range queries {
		var err error
		if found[i], err = s.Search(ctx, q); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// Communes lists up to n communes with how many published records each has, the
// one with most first.
func (s *Store) Communes(ctx context.Context, n int) ([]essaim.Count, error) {
	var list []essaim.Count
	err := s.query().each(ctx, "facet_top", func(scan func(...any) error) error {
		var c essaim.Count
		var all int
		err := scan(&c.Value, &c.Label, &all)
		c.N, c.Capped = capped(all)
		list = append(list, c)
		return err
	}, facetOf[filterCommune], n)
	if err != nil {
		return nil, fmt.Errorf("communes: %w", err)
	}
	return list, nil
}
