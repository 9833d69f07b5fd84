// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"essaim"
)

// Whatever marks are known, each position that is asked for is in one part, and that
// part's spans hold it; they hold none that is more than a second older, nor more than a
// second newer than all that is asked for.
func TestEachPositionIsInOnePart(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	several := 0
	for range 2000 {
		width := int64(1) << (4 + r.IntN(58))
		near := r.Int64N(1<<62) - 1<<61
		var positions []int64
		for range 200 {
			positions = append(positions, near+r.Int64N(width))
		}
		slices.Sort(positions)
		positions = slices.Compact(positions)
		known := reach{between: between{since: oldest}, first: positions[0], last: positions[len(positions)-1]}
		if r.IntN(2) == 0 {
			known.since = known.first - 1
		}
		if r.IntN(2) == 0 {
			known.below = newest
		}
		for rows := int64(500); rows < 1<<20; rows *= 2 {
			// Two samples of the same records need not agree.
			known.back = append(known.back, mark{rows, known.last - min(r.Int64N(width), rows*width>>18)})
		}
		spans, below, above := known.parts(look{n: 1 + r.IntN(2000), few: r.IntN(20) == 0})
		if len(spans) > 2 {
			several++
		}
		if !slices.IsSortedFunc(below, func(a, b int64) int { return cmp.Compare(b, a) }) {
			t.Fatalf("parts in no order: %v", below)
		}
		for _, p := range append(positions, known.first, known.last) {
			in := 0
			for i := range spans {
				if p > above[i] && p < below[i] {
					in++
					if !spanHolds(spans[i], p) {
						t.Fatalf("%d is in no span of %s", p, spans[i])
					}
				}
			}
			if in != 1 {
				t.Fatalf("%d is in %d parts", p, in)
			}
		}
		for i := range spans {
			older := above[i] != oldest // than the part there may be others
			for _, back := range []int64{1 << finestSpan, width} {
				if p := above[i] - back; older && back >= 1<<finestSpan && spanHolds(spans[i], p) {
					t.Fatalf("%d, %d before a part, is in %s", p, back, spans[i])
				}
				if p := known.last + back; known.below != newest && back >= 1<<finestSpan && spanHolds(spans[i], p) {
					t.Fatalf("%d, %d behind the last, is in %s", p, back, spans[i])
				}
			}
			if !older && known.below == newest && strings.Count(spans[i], ",") > int(known.last>>50-known.first>>50) {
				t.Fatalf("all that is not above %d is in %s", below[i]-1, spans[i])
			}
		}
	}
	if several < 500 {
		t.Errorf("%d reaches had more than two parts", several)
	}
}

// spanHolds does as the function search_spans and the operator && of PostgreSQL.
func spanHolds(spans string, p int64) bool {
	for _, s := range strings.Split(strings.Trim(spans, "{}"), ",") {
		n, err := strconv.ParseInt(s, 10, 64)
		if level := n & 7; err == nil && p>>(finestSpan+level*spanStep) == n>>3 {
			return true
		}
	}
	return false
}

// An area's cells hold all of it, at the poles and where the days meet as well, and
// leave out those around a circle that it does not reach.
func TestAnAreaIsInTheCellsThatCoverIt(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	held, covered, spared, nowhere := 0, 0, 0, 0
	for range 3000 {
		lat, lon := 180*r.Float64()-90, 360*r.Float64()-180
		q := essaim.Query{Near: &essaim.Circle{Lat: lat, Lon: lon, Radius: math.Pow(10, 4*r.Float64())}}
		if r.IntN(4) == 0 {
			q.Box = &essaim.Box{South: lat, North: min(90, lat+20*r.Float64()), West: lon, East: wrap(lon + 20*r.Float64())}
		}
		if q.Box != nil && r.IntN(2) == 0 {
			q.Near = nil
		}
		a := newArea(q)
		if a == nil {
			continue
		}
		if q.Near != nil && q.Box == nil && r.IntN(4) == 0 && a.West < a.East {
			// A corner of the circle's own box.
			a = newArea(essaim.Query{Near: q.Near, Box: &essaim.Box{South: a.South, North: a.South + (a.North-a.South)/50, West: a.West, East: a.West + (a.East-a.West)/50}})
		}
		cells := a.cover()
		if cells == nil {
			continue
		}
		if covered++; cells[0] == filterCell {
			nowhere++
			for range 100 {
				if pLat, pLon := 180*r.Float64()-90, 360*r.Float64()-180; a.holdsPoint(pLat, pLon) {
					t.Fatalf("%v, %v is near %+v, which no cell covers", pLat, pLon, q)
				}
			}
			continue
		}
		_, level, _ := strings.Cut(cells[0], filterCell)
		level, _, _ = strings.Cut(level, filterMark)
		fine, err := strconv.Atoi(level)
		if err != nil || len(cells) > maxCells {
			t.Fatalf("%d cells, %v: %v", len(cells), err, cells)
		}
		x0, y0 := cellXY(fine, a.South, a.West)
		x1, y1 := cellXY(fine, a.North, a.East)
		if q.Near != nil && x1 > x0 && len(cells) < (x1-x0+1)*(y1-y0+1) {
			spared++
		}
		for range 40 {
			pLat := max(-90, min(90, a.South+(a.North-a.South)*r.Float64()))
			pLon := wrap(a.West + math.Mod(a.East-a.West+360, 360)*r.Float64())
			if a.West == -180 && a.East == 180 {
				pLon = 360*r.Float64() - 180
			}
			if !a.holdsPoint(pLat, pLon) {
				continue
			}
			held++
			if !slices.Contains(cells, cellAt(fine, pLat, pLon)) {
				t.Fatalf("%v, %v is near %+v and in none of %v", pLat, pLon, q, cells)
			}
		}
	}
	if held < 20_000 || covered < 1000 || spared < 200 || nowhere < 10 {
		t.Errorf("%d points of %d areas, %d of them with fewer cells than their box, %d with none", held, covered, spared, nowhere)
	}
}
