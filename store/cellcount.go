// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"math"
	"strconv"
	"strings"

	"essaim"
)

// countedLevel is the level of the grid whose cells are counted as records are
// written, about 7 by 5 km in France: so the map of all records costs the same
// however many there are.
const countedLevel = 12

// countedCell reads the filter term of a cell that is counted.
func countedCell(term string) (c cell, ok bool) {
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

// flushCells moves the counters of cells, always in the same order. A cell that
// holds nothing more goes: it would tell where an erased record was.
func (tx *Tx) flushCells(ctx context.Context, cells map[cell]int) error {
	for _, at := range sortedCells(cells) {
		n := cells[at]
		if n == 0 {
			continue
		}
		if err := tx.later(ctx, "cell_add", at.x, at.y, n); err != nil {
			return err
		}
		if n > 0 {
			continue
		}
		if err := tx.later(ctx, "cell_tidy", at.x, at.y); err != nil {
			return err
		}
	}
	return nil
}

// countedCells answers what asks for nothing but a part of the map, from the
// counters; false when there are few enough to count one by one, or when closer
// cells are asked than are counted. A record with several places counts once in
// each counted cell.
func (tx *Tx) countedCells(ctx context.Context, g *grid, level, most int, found *essaim.MapCells) (bool, error) {
	n := 1 << countedLevel
	x0, x1, y0, y1 := 0, n-1, 0, n-1
	if g != nil {
		if g.level > countedLevel {
			return false, nil
		}
		by := countedLevel - g.level
		x0, y0, y1 = g.x0<<by, g.y0<<by, (g.y1+1)<<by-1
		x1 = (x0 + g.width<<by - 1) % n
	}
	var total, west, east, south, north int
	err := tx.row(ctx, "cells_extent", x0, x1, y0, y1).Scan(&total, &west, &east, &south, &north)
	if err != nil || total <= tx.s.maxPlaces() {
		return false, err
	}
	if g == nil {
		by := max(0, countedLevel-level)
		for (east>>by-west>>by+1)*(north>>by-south>>by+1) > most {
			by++
		}
		g = &grid{countedLevel - by, west >> by, east>>by - west>>by + 1, south >> by, north >> by}
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
	}, x0, x1, y0, y1, countedLevel-g.level)
	if err == nil {
		err = tx.findSingle(ctx, tallies, single)
	}
	g.fill(found, tallies)
	if err == nil {
		err = tx.nameSingle(ctx, found.Cells, tallies)
	}
	return true, err
}

// middle is the sum of the middles of n cells whose columns, or rows, have a sum,
// where the world is so many degrees.
func middle(sum, n int, degrees float64) float64 {
	return (float64(sum)+float64(n)/2)/(1<<countedLevel)*degrees - float64(n)*degrees/2
}

// findSingle finds the records that are alone in a cell, by its term in the index.
func (tx *Tx) findSingle(ctx context.Context, tallies map[cell]tally, single map[cell]cell) error {
	if len(single) == 0 {
		return nil
	}
	terms := make([]string, 0, len(single))
	for _, c := range sortedCells(single) {
		terms = append(terms, cellTerm(countedLevel, c.x, c.y))
	}
	points, _, err := tx.points(ctx, match{filter: [][]string{terms}, since: math.MinInt64, until: newest}, maxPlaces)
	for _, p := range points {
		x, y := cellXY(countedLevel, p.lat, p.lon)
		if at, ok := single[cell{x, y}]; ok {
			tallies[at] = tally{1, p.lat, p.lon, p.position}
		}
	}
	return err
}
