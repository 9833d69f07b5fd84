// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"fmt"
	"slices"
	"time"

	"essaim/e2e/rig"
)

// mapViews are parts of the map asked for: the first view of all, France, a
// region, a town; everything, one kind, a word.
var mapViews = [...]struct{ name, query string }{
	{"all", "zoom=3"},
	{"country", "zoom=6&bbox=-5,42,8,51"},
	{"region", "zoom=9&bbox=-5.2,47.4,-2,48.9"},
	{"town", "zoom=13&bbox=-4.6,48.35,-4.4,48.45"},
	{"kind", "zoom=6&kind=venue&bbox=-5,42,8,51"},
	{"word", "zoom=6&q=saint&bbox=-5,42,8,51"},
}

// cells measures the cells of the map, of which a page asks some at each move.
func (b *bench) cells(node *rig.Node) error {
	for _, view := range mapViews {
		var took []float64
		for round := range searchRounds {
			start := time.Now()
			if err := node.Get(b.ctx, "/carte/cellules.geojson?"+view.query); err != nil {
				return err
			}
			if round > 0 {
				took = append(took, time.Since(start).Seconds()*1000)
			}
		}
		slices.Sort(took)
		b.line("map_cells_"+view.name, took[(len(took)-1)*95/100], fmt.Sprintf("ms, p95 at %d records", b.records), "bare GET (ms)", 1000/b.ceilings.gets)
	}
	return nil
}
