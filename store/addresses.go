// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"fmt"

	"essaim"
)

// Addresses lists where the published records of an origin, a host or "" for the local
// ones, stand: up to n from a position on, the oldest change first.
func (s *Store) Addresses(ctx context.Context, origin string, from int64, n int) ([]essaim.Address, error) {
	var list []essaim.Address
	err := s.query().each(ctx, "address_page", func(scan func(...any) error) error {
		l := essaim.Address{Origin: origin}
		err := scan((*string)(&l.Kind), &l.Slug, stamp{&l.Updated}, &l.Position)
		list = append(list, l)
		return err
	}, origin, from, n)
	if err != nil {
		return nil, fmt.Errorf("addresses: %w", err)
	}
	return list, nil
}

// AddressParts cuts the published records of an origin into runs of a size.
func (s *Store) AddressParts(ctx context.Context, origin string, size int) ([]essaim.AddressPart, error) {
	var parts []essaim.AddressPart
	err := s.query().each(ctx, "address_parts", func(scan func(...any) error) error {
		var l essaim.Address
		var n int64
		if err := scan(&l.Position, stamp{&l.Updated}, &n); err != nil {
			return err
		}
		if (n-1)%int64(size) == 0 {
			parts = append(parts, essaim.AddressPart{From: l.Position})
		}
		parts[len(parts)-1].Updated = l.Updated
		return nil
	}, origin, size)
	if err != nil {
		return nil, fmt.Errorf("addresses: %w", err)
	}
	return parts, nil
}
