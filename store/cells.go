// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"

	"essaim"
)

// maxPlaces is up to how many places of a result the map counts one by one.
// Beyond, it counts those of what changed last and says so.
const maxPlaces = 20_000

// Levels of the grid of a map: the coarsest, and the finest, a few metres.
const (
	coarsest = 2
	finest   = essaim.MaxZoom + 2
)

// Cells counts what a query finds by cell of the map, within q.Box where it has
// one, else around all of it. A cell is some 64 pixels wide at a zoom, wider
// where more than most of them would fill the box, or essaim.MaxMapCells.
func (s *Store) Cells(ctx context.Context, q essaim.Query, zoom, most int) (essaim.MapCells, error) {
	level, most := max(coarsest, min(zoom+2, finest)), max(1, min(most, essaim.MaxMapCells))
	var g *grid
	box := q.Box
	if q.Box = nil; box != nil {
		g = new(gridOver(*box, level, most))
		q.Box = new(g.box())
	}
	m := newMatch(q, s.now())
	q.Box = nil
	kind, counts := countedKind(q, s.now())
	if m.everything() {
		m.filter = [][]string{{filterAny}}
	}
	var found essaim.MapCells
	err := s.read(ctx, func(tx *Tx) error {
		if counts {
			if done, err := tx.countedCells(ctx, kind, g, level, most, &found); done || err != nil {
				return err
			}
		}
		m, err := tx.narrow(ctx, m)
		if err != nil {
			return err
		}
		since := m.since
		if m.since, err = tx.stretch(ctx, m, anywhere, m.until); err != nil {
			return err
		}
		points, more, err := tx.points(ctx, m, s.maxPlaces())
		if err != nil {
			return err
		}
		found.Partial = more || m.since > since
		if g == nil {
			g = new(gridAround(points, level, most))
		}
		tallies := g.tally(points)
		g.fill(&found, tallies)
		return tx.nameSingle(ctx, found.Cells, tallies)
	})
	if err != nil {
		return essaim.MapCells{}, fmt.Errorf("cells of the map: %w", err)
	}
	return found, nil
}

func (s *Store) maxPlaces() int {
	if s.cfg.MapPlaces > 0 {
		return s.cfg.MapPlaces
	}
	return maxPlaces
}

// point is a place of a record that was found.
type point struct {
	position int64
	lat, lon float64
}

// points lists places of what matches, most of those of the latest change, and tells
// whether there are more. Where the match has an area, those within it only.
func (tx *Tx) points(ctx context.Context, m match, most int) (list []point, more bool, err error) {
	everywhere := area{Box: essaim.Box{South: -90, North: 90, West: -180, East: 180}, nearness: 2}
	a := m.area
	if a == nil {
		a = &everywhere
	}
	n := 0
	err = tx.find(ctx, "search_points", look{match: m, below: m.until, n: most + 1}, a.args()[:4], func(scan func(...any) error) error {
		var p point
		err := scan(&p.position, &p.lat, &p.lon)
		if n++; n > most {
			more = true
		} else if a.holdsPoint(p.lat, p.lon) {
			list = append(list, p)
		}
		return err
	})
	return list, more, err
}

// grid is a part of the map's grid: width columns from x0 eastwards, around the
// world where they pass its edge, and the rows from y0 to y1.
type grid struct{ level, x0, width, y0, y1 int }

// gridOver is the finest grid up to a level that covers a box with so many cells.
func gridOver(b essaim.Box, level, most int) grid {
	for ; ; level-- {
		x0, y0 := cellXY(level, b.South, b.West)
		x1, y1 := cellXY(level, b.North, b.East)
		n := 1 << level
		width := x1 - x0 + 1
		if b.West > b.East {
			width = min(width+n, n) // over the line where the days meet
		}
		if g := (grid{level, x0, width, y0, y1}); width*(y1-y0+1) <= most || level <= coarsest {
			return g
		}
	}
}

// gridAround is the one over the box of what was found.
func gridAround(points []point, level, most int) grid {
	b := essaim.Box{South: 90, North: -90, West: 180, East: -180}
	for _, p := range points {
		b.South, b.North = min(b.South, p.lat), max(b.North, p.lat)
		b.West, b.East = min(b.West, p.lon), max(b.East, p.lon)
	}
	if len(points) == 0 {
		b = essaim.Box{South: -90, North: 90, West: -180, East: 180}
	}
	return gridOver(b, level, most)
}

// box is what the grid covers, in degrees.
func (g grid) box() essaim.Box {
	n := 1 << g.level
	if g.width >= n {
		b := g.cell(0, g.y0)
		return essaim.Box{South: b.South, North: g.cell(0, g.y1).North, West: -180, East: 180}
	}
	a, b := g.cell(g.x0, g.y0), g.cell((g.x0+g.width-1)%n, g.y1)
	return essaim.Box{South: a.South, West: a.West, North: b.North, East: b.East}
}

func (g grid) cell(x, y int) essaim.Box {
	n := float64(int(1) << g.level)
	return essaim.Box{
		West: float64(x)/n*360 - 180, East: float64(x+1)/n*360 - 180,
		South: float64(y)/n*180 - 90, North: float64(y+1)/n*180 - 90,
	}
}

// holds tells whether a cell is one of the grid: a place on the far edge of a box
// is in the cell beyond.
func (g grid) holds(at cell) bool {
	n := 1 << g.level
	return at.y >= g.y0 && at.y <= g.y1 && (at.x-g.x0+n)%n < g.width
}

// cell is a column and a row of a level's grid.
type cell struct{ x, y int }

// tally is what a cell holds: how many, the sum of their coordinates, and the
// position of the last one counted.
type tally struct {
	n        int
	lat, lon float64
	position int64
}

// tally counts points by cell, each record once in a cell.
func (g grid) tally(points []point) map[cell]tally {
	// The same places, whatever the order in which a database gives those of one record.
	slices.SortFunc(points, func(a, b point) int {
		return cmp.Or(cmp.Compare(b.position, a.position), cmp.Compare(a.lat, b.lat), cmp.Compare(a.lon, b.lon))
	})
	tallies := map[cell]tally{}
	for _, p := range points {
		x, y := cellXY(g.level, p.lat, p.lon)
		at := cell{x, y}
		t := tallies[at]
		if !g.holds(at) || t.n > 0 && t.position == p.position {
			continue
		}
		tallies[at] = tally{t.n + 1, t.lat + p.lat, t.lon + p.lon, p.position}
	}
	return tallies
}

// fill writes the cells in their order.
func (g grid) fill(found *essaim.MapCells, tallies map[cell]tally) {
	found.Level = g.level
	for _, at := range sortedCells(tallies) {
		t := tallies[at]
		found.Total += t.n
		n := float64(t.n)
		found.Cells = append(found.Cells, essaim.MapCell{Box: g.cell(at.x, at.y), N: t.n, Lat: rounded(t.lat / n), Lon: rounded(t.lon / n)})
	}
}

func sortedCells[T any](of map[cell]T) []cell {
	list := slices.Collect(maps.Keys(of))
	slices.SortFunc(list, func(a, b cell) int { return cmp.Or(cmp.Compare(a.y, b.y), cmp.Compare(a.x, b.x)) })
	return list
}

// rounded keeps a metre of a degree.
func rounded(degrees float64) float64 { return math.Round(degrees*1e5) / 1e5 }

// nameSingle reads the records that are alone in their cell.
func (tx *Tx) nameSingle(ctx context.Context, cells []essaim.MapCell, tallies map[cell]tally) error {
	at := map[int64][]int{}
	var positions []int64
	for i, in := range sortedCells(tallies) {
		if t := tallies[in]; t.n == 1 {
			at[t.position] = append(at[t.position], i)
			positions = append(positions, t.position)
		}
	}
	if len(positions) == 0 {
		return nil
	}
	wanted, err := json.Marshal(positions)
	if err != nil {
		return err
	}
	return tx.each(ctx, "record_heads_at", func(scan func(...any) error) error {
		var position int64
		var r essaim.Record
		err := scan(&position, &r.ID, (*string)(&r.Kind), &r.Slug, &r.Origin, &r.Title, &r.TerritoryName)
		for _, i := range at[position] {
			cells[i].Record = &r
		}
		return err
	}, string(wanted))
}
