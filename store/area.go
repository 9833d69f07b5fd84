// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"math"

	"essaim"
)

// area is a box, and within it a circle when nearness is below one.
type area struct {
	essaim.Box
	lat, lon float64
	nearness float64 // sin² of half the angle between the centre and the rim
}

func newArea(q essaim.Query) *area {
	switch {
	case q.Near != nil:
		half := q.Near.Radius / (2 * essaim.EarthRadius)
		if half >= math.Pi/2 {
			return nil
		}
		a := &area{lat: q.Near.Lat, lon: q.Near.Lon, nearness: math.Pow(math.Sin(half), 2)}
		dLat := half * 2 * 180 / math.Pi
		a.Box = essaim.Box{South: q.Near.Lat - dLat, North: q.Near.Lat + dLat, West: -180, East: 180}
		// The widest parallel of a circle is not the centre's own.
		if s := math.Sin(2*half) / math.Cos(q.Near.Lat*math.Pi/180); a.South > -90 && a.North < 90 && s < 1 {
			dLon := math.Asin(s) * 180 / math.Pi
			a.West, a.East = wrap(q.Near.Lon-dLon), wrap(q.Near.Lon+dLon)
		}
		if q.Box != nil {
			a.Box = within(a.Box, *q.Box)
		}
		return a
	case q.Box != nil:
		return &area{Box: *q.Box, nearness: 2}
	}
	return nil
}

// within keeps of a circle's box what another box leaves. Two that meet twice around
// the world keep the circle's own sides.
func within(a, b essaim.Box) essaim.Box {
	a.South, a.North = max(a.South, b.South), min(a.North, b.North)
	var both [][2]float64
	for _, x := range sides(a) {
		for _, y := range sides(b) {
			if west, east := max(x[0], y[0]), min(x[1], y[1]); west <= east {
				both = append(both, [2]float64{west, east})
			}
		}
	}
	switch n := len(both); {
	case n == 0:
		a.South, a.North = 90, -90
	case n == 1 || both[0][1] == 180 && both[n-1][0] == -180:
		a.West, a.East = both[0][0], both[n-1][1]
	}
	return a
}

// sides are the longitudes of a box, from west to east: two runs of them across the
// line where the days meet.
func sides(b essaim.Box) [][2]float64 {
	if b.West <= b.East {
		return [][2]float64{{b.West, b.East}}
	}
	return [][2]float64{{b.West, 180}, {-180, b.East}}
}

func wrap(lon float64) float64 {
	switch {
	case lon < -180:
		return lon + 360
	case lon > 180:
		return lon - 360
	}
	return lon
}

// args are the parameters of the statements about an area, after the first n.
func (a *area) args() []any {
	return []any{a.South, a.North, a.West, a.East, a.lat, a.lon, a.nearness}
}

// holds is the area's rule in Go, as the statements have it in SQL.
func (a *area) holds(p essaim.Place) bool {
	return p.Located() && a.holdsPoint(*p.Lat, *p.Lon)
}

func (a *area) holdsPoint(lat, lon float64) bool {
	if lat < a.South || lat > a.North {
		return false
	}
	if a.West <= a.East && (lon < a.West || lon > a.East) || a.West > a.East && lon < a.West && lon > a.East {
		return false
	}
	const rad = math.Pi / 180
	d := math.Pow(math.Sin((lat-a.lat)*rad/2), 2) + math.Cos(a.lat*rad)*math.Cos(lat*rad)*math.Pow(math.Sin((lon-a.lon)*rad/2), 2)
	return d <= a.nearness
}

// maxCells is how many cells of a level an area is covered with: of what its cells hold
// and it does not, each record costs a look at its places.
const maxCells = 64

// cover lists the cells that an area reaches into, of the finest level at which few do;
// nil where it is so large that cells do not help.
func (a *area) cover() []string {
	nowhere := []string{filterCell} // of no record
	if a.South > a.North {
		return nowhere
	}
	for i := len(cellLevels) - 1; i >= 0; i-- {
		level := cellLevels[i]
		x0, y0 := cellXY(level, a.South, a.West)
		x1, y1 := cellXY(level, a.North, a.East)
		width, n := x1-x0, 1<<level
		if a.West > a.East {
			width += n // over the line where the days meet
		}
		if (width+1)*(y1-y0+1) > 2*maxCells {
			continue // too many even without the corners around a circle
		}
		var cells []string
		for dx := 0; dx <= width; dx++ {
			for y := y0; y <= y1; y++ {
				if x := (x0 + dx) % n; a.reaches((grid{level: level}).cell(x, y)) {
					cells = append(cells, cellTerm(level, x, y))
				}
			}
		}
		if len(cells) == 0 {
			return nowhere // a box in a corner of its circle's own
		}
		if len(cells) <= maxCells {
			return cells
		}
	}
	return nil
}

// reaches tells whether some point of a box may be within the area's circle: the one
// nearest to its centre.
func (a *area) reaches(b essaim.Box) bool {
	if a.nearness >= 0.5 {
		return true // no circle, or one of a quarter of the earth, which goes over a pole
	}
	const rad = math.Pi / 180
	lat, dLon := a.lat*rad, 0.
	if a.lon < b.West || a.lon > b.East {
		dLon = min(math.Abs(wrap(a.lon-b.West)), math.Abs(wrap(a.lon-b.East))) * rad
	}
	// On a meridian, the nearest is where a great circle from the centre meets it squarely.
	nearest := max(b.South*rad, min(b.North*rad, math.Atan2(math.Sin(lat), math.Cos(lat)*math.Cos(dLon))))
	d := math.Pow(math.Sin((nearest-lat)/2), 2) + math.Cos(lat)*math.Cos(nearest)*math.Pow(math.Sin(dLon/2), 2)
	return d <= a.nearness+1e-12
}
