// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"essaim"
)

// countedLevel is the level of the grid whose cells are counted as records are
// written, about 7 by 5 km in France.
const countedLevel = 12

// countedLevels are those at which the counts are kept, each the sum of the finer
// one: a map reads the coarsest that has its cells, at most 64 of it for each, so
// that it costs the same however many records there are.
var countedLevels = [...]int{4, 6, 8, 10, countedLevel}

// countedCell is a cell of countedLevel and the kind that is counted in it, all
// when empty.
type countedCell struct {
	kind string
	cell
}

// countedKind tells whether a query asks for all records, or for all of a kind, so
// that the counters of cells know its answer.
func countedKind(q essaim.Query, now time.Time) (kind string, ok bool) {
	if len(q.Kinds) == 1 {
		kind = string(q.Kinds[0])
		q.Kinds = nil
	}
	return kind, newMatch(q, now).everything()
}

// termCell reads the filter term of a cell that is counted.
func termCell(term string) (c cell, ok bool) {
	rest, ok := strings.CutPrefix(term, filterCell+strconv.Itoa(countedLevel)+filterMark)
	if !ok {
		return c, false
	}
	x, y, _ := strings.Cut(rest, filterMark)
	var err error
	if c.x, err = strconv.Atoi(x); err == nil {
		c.y, err = strconv.Atoi(y)
	}
	return c, err == nil
}

// levelCell is a counter: a cell of one of the countedLevels.
type levelCell struct {
	kind  string
	level int
	cell
}

// moved is how a counter moves: the number, and the sums of the columns and of the
// rows, at countedLevel.
type moved struct{ n, x, y int }

// flushCells moves the counters of cells, always in the same order. A cell that
// holds nothing more goes: it would tell where an erased record was.
func (tx *Tx) flushCells(ctx context.Context, cells map[countedCell]int) error {
	all := map[levelCell]moved{}
	for at, n := range cells {
		if n == 0 {
			continue
		}
		for _, level := range countedLevels {
			by := countedLevel - level
			key := levelCell{at.kind, level, cell{at.x >> by, at.y >> by}}
			m := all[key]
			all[key] = moved{m.n + n, m.x + n*at.x, m.y + n*at.y}
		}
	}
	keys := slices.SortedFunc(maps.Keys(all), func(a, b levelCell) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.level, b.level), cmp.Compare(a.x, b.x), cmp.Compare(a.y, b.y))
	})
	for _, k := range keys {
		m := all[k]
		if m == (moved{}) {
			continue
		}
		if err := tx.later(ctx, "cell_add", k.kind, k.level, k.x, k.y, m.n, m.x, m.y); err != nil {
			return err
		}
		if m.n > 0 {
			continue
		}
		if err := tx.later(ctx, "cell_tidy", k.kind, k.level, k.x, k.y); err != nil {
			return err
		}
	}
	return nil
}

// countedFor is the coarsest counted level from which cells of a level can be made,
// with middles that are worth showing: two levels finer, where there is one.
func countedFor(level int) int {
	for _, l := range countedLevels {
		if l >= level+2 {
			return l
		}
	}
	return countedLevel
}

// countedCells answers what asks for nothing but a part of the map and a kind, from
// the counters; false when there are few enough to count one by one, or when closer
// cells are asked than are counted. A record with several places counts once in
// each cell of countedLevel.
func (tx *Tx) countedCells(ctx context.Context, kind string, g *grid, level, most int, found *essaim.MapCells) (bool, error) {
	if g != nil && g.level > countedLevel {
		return false, nil
	}
	at := countedLevels[1] // by which to see how far all of it reaches
	if g != nil {
		at = countedFor(g.level)
	}
	x0, x1, y0, y1 := g.within(at)
	var total, west, east, south, north int
	err := tx.row(ctx, "cells_extent", kind, at, x0, x1, y0, y1).Scan(&total, &west, &east, &south, &north)
	if err != nil || total <= tx.s.maxPlaces() {
		return false, err
	}
	if g == nil {
		level = min(level, countedLevel)
		by := max(0, at-level)
		for (east>>by-west>>by+1)*(north>>by-south>>by+1)<<(2*max(0, level-at)) > most && level > coarsest {
			level--
			by = max(0, at-level)
		}
		up := max(0, level-at)
		g = &grid{level, west >> by << up, (east>>by - west>>by + 1) << up, south >> by << up, (north>>by+1)<<up - 1}
		at = countedFor(g.level)
		x0, x1, y0, y1 = g.within(at)
	}
	tallies, single := map[cell]tally{}, map[cell]cell{}
	err = tx.each(ctx, "cells_counted", func(scan func(...any) error) error {
		var at cell
		var n, xs, ys int
		err := scan(&at.x, &at.y, &n, &xs, &ys)
		tallies[at] = tally{n: n, lat: middle(ys, n, 180), lon: middle(xs, n, 360)}
		if n == 1 {
			single[cell{xs, ys}] = at
		}
		return err
	}, kind, at, x0, x1, y0, y1, at-g.level)
	if err == nil {
		err = tx.findSingle(ctx, kind, tallies, single)
	}
	g.fill(found, tallies)
	if err == nil {
		err = tx.nameSingle(ctx, found.Cells, tallies)
	}
	return true, err
}

// within is the grid's columns and rows at a level as fine or finer; the whole
// world's for none. A first column after the last one goes around the world.
func (g *grid) within(level int) (x0, x1, y0, y1 int) {
	n := 1 << level
	if g == nil {
		return 0, n - 1, 0, n - 1
	}
	by := level - g.level
	x0 = g.x0 << by
	return x0, (x0 + g.width<<by - 1) % n, g.y0 << by, (g.y1+1)<<by - 1
}

// middle is the sum of the middles of n cells whose columns, or rows, have a sum,
// where the world is so many degrees.
func middle(sum, n int, degrees float64) float64 {
	return (float64(sum)+float64(n)/2)/(1<<countedLevel)*degrees - float64(n)*degrees/2
}

// findSingle finds the records of a kind that are alone in a cell, by its term in
// the index.
func (tx *Tx) findSingle(ctx context.Context, kind string, tallies map[cell]tally, single map[cell]cell) error {
	if len(single) == 0 {
		return nil
	}
	terms := make([]string, 0, len(single))
	for _, c := range sortedCells(single) {
		terms = append(terms, cellTerm(countedLevel, c.x, c.y))
	}
	m := match{filter: [][]string{terms}, since: math.MinInt64, until: newest}
	if kind != "" {
		m.any(filterKind, []string{kind})
	}
	points, _, err := tx.points(ctx, m, maxPlaces)
	for _, p := range points {
		x, y := cellXY(countedLevel, p.lat, p.lon)
		if at, ok := single[cell{x, y}]; ok {
			tallies[at] = tally{1, p.lat, p.lon, p.position}
		}
	}
	return err
}
