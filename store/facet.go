// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"essaim"
)

// totals counts what a match finds, exactly up to essaim.CountCap, and by
// facet when that is wanted. Beyond the cap a filtered facet counts the latest
// thousand, and says that there are more. The second result is what a cursor
// keeps.
func (tx *Tx) totals(ctx context.Context, m match, facets bool, after cursor) (found essaim.Results, total int, err error) {
	switch {
	case m.everything():
		total, err = tx.unfiltered(ctx, &found, facets)
	case facets:
		total, err = tx.filtered(ctx, m, &found)
	case after.set:
		total = after.total
	default:
		name, args := "search_count", []any{tx.s.db.expression(m, anywhere), m.since, overCap}
		if m.area != nil {
			name, args = "search_count_near", append(args, m.area.args()...)
		}
		err = tx.row(ctx, name, args...).Scan(&total)
	}
	found.Total, found.Capped = capped(total)
	return found, min(total, overCap), err
}

func capped(n int) (int, bool) { return min(n, essaim.CountCap), n > essaim.CountCap }

// unfiltered reads the maintained counters.
func (tx *Tx) unfiltered(ctx context.Context, found *essaim.Results, facets bool) (total int, err error) {
	err = tx.each(ctx, "facets", func(scan func(...any) error) error {
		var facet string
		var c essaim.Count
		var n int
		if err := scan(&facet, &c.Value, &c.Label, &n); err != nil {
			return err
		}
		if facet == facetOf[filterAny] {
			total = n
		}
		if list := facetList(&found.Facets, facet); facets && list != nil {
			c.N, c.Capped = capped(n)
			*list = append(*list, c)
		}
		return nil
	})
	sortFacets(&found.Facets)
	return total, err
}

// filtered counts the filter terms of what a match finds.
func (tx *Tx) filtered(ctx context.Context, m match, found *essaim.Results) (total int, err error) {
	name, args := "search_filters", []any{tx.s.db.expression(m, anywhere), m.since, overCap}
	if m.area != nil {
		name, args = "search_filters_near", append(args, m.area.args()...)
	}
	count := map[string]int{}
	err = tx.each(ctx, name, func(scan func(...any) error) error {
		var filter string
		if err := scan(&filter); err != nil {
			return err
		}
		if total++; total > essaim.CountCap {
			return nil
		}
		for term := range strings.FieldsSeq(filter) {
			if !strings.HasPrefix(term, filterCell) {
				count[term]++
			}
		}
		return nil
	}, args...)
	if err != nil {
		return total, err
	}
	labels, err := tx.territoryNames(ctx)
	if err != nil {
		return total, err
	}
	for term, n := range count {
		sort, value := filterValue(term)
		if list := facetList(&found.Facets, facetOf[sort]); list != nil {
			c := essaim.Count{Value: value, N: n, Capped: total > essaim.CountCap}
			if sort == filterTerritory {
				c.Label = labels[value]
			}
			*list = append(*list, c)
		}
	}
	sortFacets(&found.Facets)
	return total, nil
}

func (tx *Tx) territoryNames(ctx context.Context) (map[string]string, error) {
	names := map[string]string{}
	err := tx.each(ctx, "facet_labels", func(scan func(...any) error) error {
		var value, label string
		err := scan(&value, &label)
		names[value] = label
		return err
	}, facetOf[filterTerritory])
	return names, err
}

func facetList(f *essaim.Facets, facet string) *[]essaim.Count {
	switch facet {
	case "kind":
		return &f.Kinds
	case "theme":
		return &f.Themes
	case "territory":
		return &f.Territories
	case "stage":
		return &f.Stages
	}
	return nil
}

// sortFacets puts the most frequent first.
func sortFacets(f *essaim.Facets) {
	for _, list := range []*[]essaim.Count{&f.Kinds, &f.Themes, &f.Territories, &f.Stages} {
		slices.SortFunc(*list, func(a, b essaim.Count) int { return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Value, b.Value)) })
	}
}
