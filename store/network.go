// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"essaim"
)

// SavePeerAbout notes what a node says of itself.
func (s *Store) SavePeerAbout(ctx context.Context, host string, a essaim.PeerAbout) error {
	follows, err := json.Marshal(a.Follows)
	if err != nil {
		return fmt.Errorf("about %s: %w", host, err)
	}
	var lat, lon *float64
	if a.Located() {
		lat, lon = &a.Lat, &a.Lon
	}
	err = s.ofPeer(ctx, host, func(tx *Tx) error {
		_, err := tx.exec(ctx, "peer_about_save", host, lat, lon, string(follows), micros(s.now()))
		return err
	})
	if err != nil {
		return fmt.Errorf("about %s: %w", host, err)
	}
	return nil
}

// abouts lists what all nodes say of themselves, by host.
func (s *Store) abouts(ctx context.Context) (map[string]essaim.PeerAbout, error) {
	out := map[string]essaim.PeerAbout{}
	err := s.query().each(ctx, "peer_about_list", func(scan func(...any) error) error {
		var host, follows string
		var lat, lon *float64
		if err := scan(&host, &lat, &lon, &follows); err != nil {
			return err
		}
		a := essaim.PeerAbout{}
		if lat != nil && lon != nil {
			a.Lat, a.Lon = *lat, *lon
		}
		err := json.Unmarshal([]byte(follows), &a.Follows)
		out[host] = a
		return err
	})
	return out, err
}

// Brought tells what each node brought here, by host, in two questions however many
// they are, from counters and an index: what it costs follows the nodes, not the records.
func (s *Store) Brought(ctx context.Context) (map[string]essaim.Brought, error) {
	out := map[string]essaim.Brought{}
	tx := s.query()
	err := tx.each(ctx, "brought_counts", func(scan func(...any) error) error {
		var value string
		var c essaim.Count
		err := scan(&value, &c.N)
		var host string
		host, c.Value, _ = strings.Cut(value, " ")
		b := out[host]
		b.Kinds = append(b.Kinds, c)
		out[host] = b
		return err
	}, facetBrought)
	if err != nil {
		return nil, fmt.Errorf("what nodes brought: %w", err)
	}
	positions, err := list(ctx, tx, only[int64], "brought_latest")
	var latest []essaim.Record
	if err == nil {
		latest, err = tx.recordsAt(ctx, positions)
	}
	if err != nil {
		return nil, fmt.Errorf("what nodes brought: %w", err)
	}
	for _, r := range latest {
		b := out[r.Origin]
		b.Latest = r
		out[r.Origin] = b
	}
	for _, b := range out {
		slices.SortFunc(b.Kinds, func(a, b essaim.Count) int { return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Value, b.Value)) })
	}
	return out, nil
}
