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
