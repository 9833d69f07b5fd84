// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"essaim"
)

// totals counts what a match finds, exactly up to essaim.CountCap, and by
// facet when that is wanted. Beyond the cap a filtered facet counts the latest
// thousand, and says that there are more; of a stretch of all records it says that there
// may be.
func (tx *Tx) totals(ctx context.Context, m match, q essaim.Query, after cursor) (found essaim.Results, c counting, err error) {
	switch {
	case m.everything():
		c.total, err = tx.unfiltered(ctx, &found, q.Facets)
	case after.set && !q.Facets:
		c.total, c.least = after.total, after.least
	case q.Newest && !q.Facets:
		return found, counting{total: overCap}, nil // nobody asks
	default:
		if c, err = tx.counted(ctx, m, q.Facets, &found); err != nil {
			return found, c, err
		}
	}
	if after.set && after.least { // of the first stretch, as the first page said
		c.total, c.least = min(after.total, essaim.CountCap), true
	}
	found.Total, found.Capped = capped(c.total)
	found.Least = c.least
	return found, c, err
}

// counting is what is known of how many a match finds.
type counting struct {
	total int     // up to overCap
	least bool    // there may be more: only a stretch was looked at
	one   bool    // they were counted one by one
	all   []int64 // the positions of the latest of them
	since int64   // above which
}

// whole tells whether all that there is was counted.
func (c counting) whole() bool { return !c.least && c.total <= essaim.CountCap }

// counted looks at what a match finds, one by one.
func (tx *Tx) counted(ctx context.Context, m match, facets bool, found *essaim.Results) (c counting, err error) {
	if c.since, err = tx.stretch(ctx, m, anywhere, m.until); err != nil {
		return c, err
	}
	short := c.since > m.since
	c.one, m.since = true, c.since
	if facets {
		c.all, err = tx.filtered(ctx, m, short, found)
	} else {
		c.all, err = tx.page(ctx, look{match: m, below: m.until, n: overCap})
	}
	c.total = len(c.all)
	c.least = short && c.total <= essaim.CountCap
	return c, err
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
	if err != nil || !facets {
		return total, err
	}
	for sort, most := range manyValued {
		list := facetList(&found.Facets, facetOf[sort])
		err := tx.each(ctx, "facet_top", func(scan func(...any) error) error {
			var c essaim.Count
			var n int
			err := scan(&c.Value, &c.Label, &n)
			c.N, c.Capped = capped(n)
			*list = append(*list, c)
			return err
		}, facetOf[sort], most)
		if err != nil {
			return total, err
		}
	}
	days, err := json.Marshal(helpFrom(tx.s.now()))
	if err != nil {
		return total, err
	}
	var n int
	if err := tx.row(ctx, "facet_sum", facetOf[filterHelp], string(days)).Scan(&n); err != nil {
		return total, err
	}
	if n > 0 {
		c := essaim.Count{Value: essaim.FacetHelp}
		c.N, c.Capped = capped(n)
		found.Facets.NeedsHelp = []essaim.Count{c}
	}
	sortFacets(&found.Facets)
	return total, nil
}

// manyValued are the facets of which only the most frequent values are listed, and how
// many: a node that is followed may name as many as it likes in what it publishes.
var manyValued = map[string]int{filterCommune: 30, filterPublic: 30, filterTheme: 500, filterTerritory: 500, filterStage: 100, filterPurpose: 100}

// filtered counts the filter terms of the latest that a match finds, and lists them.
// short says that there may be more than is looked at.
func (tx *Tx) filtered(ctx context.Context, m match, short bool, found *essaim.Results) (all []int64, err error) {
	name, area := "search_filters", []any(nil)
	if m.area != nil {
		name, area = "search_filters_near", m.area.args()
	}
	count := map[string]int{}
	help := map[string]bool{}
	for _, day := range helpFrom(tx.s.now()) {
		help[filterTerm(filterHelp, day)] = true
	}
	err = tx.find(ctx, name, look{match: m, below: m.until, n: overCap}, area, func(scan func(...any) error) error {
		var position int64
		var filter string
		if err := scan(&position, &filter); err != nil {
			return err
		}
		if all = append(all, position); len(all) > essaim.CountCap {
			return nil
		}
		for term := range strings.FieldsSeq(filter) {
			switch {
			case strings.HasPrefix(term, filterCell), strings.HasPrefix(term, filterDay):
			case !strings.HasPrefix(term, filterHelp):
				count[term]++
			case help[term]: // of its year, its month and its day, one at most
				count[filterTerm(filterHelp, essaim.FacetHelp)]++
			}
		}
		return nil
	})
	if err != nil {
		return all, err
	}
	for term, n := range count {
		sort, value := filterValue(term)
		if list := facetList(&found.Facets, facetOf[sort]); list != nil {
			*list = append(*list, essaim.Count{Value: value, N: n, Capped: short || len(all) > essaim.CountCap})
		}
	}
	sortFacets(&found.Facets)
	for sort, most := range manyValued {
		if list := facetList(&found.Facets, facetOf[sort]); len(*list) > most {
			*list = (*list)[:most]
		}
	}
	for _, sort := range []string{filterTerritory, filterPublic} {
		if err := tx.label(ctx, facetOf[sort], *facetList(&found.Facets, facetOf[sort])); err != nil {
			return all, err
		}
	}
	return all, nil
}

// mostWidened bounds the questions that are counted anew for one page, and mostChosen
// the values of a query that has any counted anew: whoever asks by all of them at once
// makes the database look once for each question, through the lists of every value.
const (
	mostWidened = 4
	mostChosen  = 12
)

// widen counts, of each question of which a query chose values, what it would find
// without them.
func (tx *Tx) widen(ctx context.Context, q essaim.Query, found *essaim.Facets) error {
	chosen := 0
	for _, values := range [][]string{texts(q.Kinds), q.Themes, q.Territories, q.Stages, q.Communes, q.Purposes, q.Publics, q.Licences} {
		chosen += len(values)
	}
	if chosen > mostChosen {
		return nil
	}
	widened := 0
	for _, sort := range []string{filterKind, filterTheme, filterTerritory, filterStage, filterCommune, filterPurpose, filterPublic, filterLicence} {
		rest, chosen := unchosen(q, sort)
		if !chosen {
			continue
		}
		if widened++; widened > mostWidened {
			return nil
		}
		m, err := tx.narrow(ctx, newMatch(rest, tx.s.now()))
		if err != nil {
			return err
		}
		all, _, err := tx.totals(ctx, m, rest, cursor{})
		if err != nil {
			return err
		}
		*facetList(found, facetOf[sort]) = *facetList(&all.Facets, facetOf[sort])
	}
	return nil
}

// unchosen is a query without the values that it chose of a question; false when it
// chose none.
func unchosen(q essaim.Query, sort string) (essaim.Query, bool) {
	var values *[]string
	switch sort {
	case filterKind:
		chosen := len(q.Kinds) > 0 && !q.OwnKind
		q.Kinds = nil
		return q, chosen
	case filterTheme:
		values = &q.Themes
	case filterTerritory:
		values = &q.Territories
	case filterStage:
		values = &q.Stages
	case filterCommune:
		values = &q.Communes
	case filterPurpose:
		values = &q.Purposes
	case filterPublic:
		values = &q.Publics
	case filterLicence:
		values = &q.Licences
	}
	chosen := len(*values) > 0
	*values = nil
	return q, chosen
}

// label gives values of a facet the labels that are kept.
func (tx *Tx) label(ctx context.Context, facet string, list []essaim.Count) error {
	values := make([]string, len(list))
	for i := range list {
		values[i] = list[i].Value
	}
	wanted, err := json.Marshal(values)
	if err != nil || len(list) == 0 {
		return err
	}
	labels := map[string]string{}
	err = tx.each(ctx, "facet_labels", func(scan func(...any) error) error {
		var value, label string
		err := scan(&value, &label)
		labels[value] = label
		return err
	}, facet, string(wanted))
	for i := range list {
		list[i].Label = labels[list[i].Value]
	}
	return err
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
	case "commune":
		return &f.Communes
	case "purpose":
		return &f.Purposes
	case "public":
		return &f.Publics
	case "licence":
		return &f.Licences
	case "help":
		return &f.NeedsHelp
	}
	return nil
}

// sortFacets puts the most frequent first.
func sortFacets(f *essaim.Facets) {
	for _, facet := range facetOf {
		if list := facetList(f, facet); list != nil {
			slices.SortFunc(*list, func(a, b essaim.Count) int { return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Value, b.Value)) })
		}
	}
}
