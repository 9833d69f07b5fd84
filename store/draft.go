// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"cmp"
	"context"
	"maps"
	"slices"
)

// draft is what a transaction gathers and writes at its end: a chunk of an
// import moves each counter once, and fills the full-text index in one go.
type draft struct {
	rows   []searchRow
	counts map[counter]counted
	cells  map[countedCell]int // how the counters of the map's cells move
	rids   []int64             // row numbers that are ours to give
	taken  map[int64]bool      // positions of records that may still wait in a batch
	names  map[nameKey]string  // that were given, with who bears them
	heard  map[string]bool     // hosts whose last word is noted
	soon   map[string]bool     // hosts whose commons are made due
}

// counter names a facet's value; counted is how it moves.
type counter struct{ facet, value string }

type counted struct {
	n     int
	label string
}

// drop forgets what was gathered, when what it belonged to failed.
func (d *draft) drop() { d.rows, d.counts, d.cells = nil, nil, nil }

// facetOf names the counter of a sort of filter term; map cells have their own, days none.
var facetOf = map[string]string{
	filterAny: "all", filterKind: "kind", filterTheme: "theme", filterStage: "stage", filterTerritory: "territory", filterOrigin: "origin",
	filterCommune: "commune", filterPurpose: "purpose", filterPublic: "public", filterLicence: "licence", filterHelp: "help",
}

// facetBrought is the counter of what another node brought, by its host and kind.
const facetBrought = "brought"

// count moves the counters of a record's filter terms.
func (d *draft) count(terms []string, labels map[string]string, n int) {
	if d.counts == nil {
		d.counts, d.cells = map[counter]counted{}, map[countedCell]int{}
	}
	kind, origin := "", ""
	for _, term := range terms {
		sort, value := filterValue(term)
		switch sort {
		case filterKind:
			kind = value
		case filterOrigin:
			origin = value
		}
		facet := facetOf[sort]
		if facet == "" {
			continue
		}
		c := d.counts[counter{facet, value}]
		c.n += n
		if label := labels[term]; label != "" {
			c.label = label
		}
		d.counts[counter{facet, value}] = c
	}
	if origin != "" && origin != here {
		k := counter{facetBrought, origin + " " + kind}
		c := d.counts[k]
		c.n += n
		d.counts[k] = c
	}
	for _, term := range terms {
		if at, ok := termCell(term); ok {
			d.cells[countedCell{"", at}] += n
			d.cells[countedCell{kind, at}] += n
		}
	}
}

// flush writes what was gathered. Counters always move in the same order: two
// transactions that wait for one another's would both lose.
func (tx *Tx) flush(ctx context.Context) error {
	rows, counts, cells := tx.rows, tx.counts, tx.cells
	tx.drop()
	if err := tx.s.db.index(ctx, tx.r, rows); err != nil {
		return tx.s.db.class(err)
	}
	for i := range rows {
		if err := tx.sample(ctx, &rows[i]); err != nil {
			return err
		}
	}
	keys := slices.SortedFunc(maps.Keys(counts), func(a, b counter) int {
		return cmp.Or(cmp.Compare(a.facet, b.facet), cmp.Compare(a.value, b.value))
	})
	for _, k := range keys {
		c := counts[k]
		if c.n == 0 && c.label == "" {
			continue
		}
		if err := tx.later(ctx, "facet_add", k.facet, k.value, c.label, c.n); err != nil {
			return err
		}
		if c.n < 0 {
			if err := tx.later(ctx, "facet_forget", k.facet, k.value); err != nil {
				return err
			}
		}
	}
	if err := tx.flushCells(ctx, cells); err != nil {
		return err
	}
	return tx.s.db.class(tx.r.flush(ctx))
}

// ridChunk is how many row numbers are taken after the first one.
const ridChunk = 50

// nextRID gives the row number of a new record.
func (tx *Tx) nextRID(ctx context.Context) (rid int64, err error) {
	if len(tx.rids) == 0 {
		n := ridChunk
		if tx.rids == nil {
			n = 1
		}
		err := tx.each(ctx, "next_rids", func(scan func(...any) error) error {
			var rid int64
			err := scan(&rid)
			tx.rids = append(tx.rids, rid)
			return err
		}, n)
		if err != nil {
			return 0, err
		}
	}
	rid = tx.rids[0]
	tx.rids = tx.rids[1:]
	return rid, nil
}
