// SPDX-License-Identifier: AGPL-3.0-or-later

package transfer

import (
	"encoding/json"
	"fmt"
	"math"
)

type geometry struct {
	Type        string          `json:"type"`
	Coordinates json.RawMessage `json:"coordinates"`
	Geometries  []geometry      `json:"geometries"`
}

type position []float64 // longitude, latitude (RFC 7946 3.1.1)

// centroid gives one point for a geometry: the point itself, the mean of points
// and lines, the centre of the largest outer ring of polygons. ok is false
// without geometry. Coordinates that are no degrees are refused.
func centroid(raw json.RawMessage) (lat, lon float64, ok bool, err error) {
	if len(raw) == 0 || string(raw) == "null" {
		return 0, 0, false, nil
	}
	var g geometry
	if err := json.Unmarshal(raw, &g); err != nil {
		return 0, 0, false, fmt.Errorf("geometry: %w", ErrFormat)
	}
	p, err := g.centre()
	if err != nil || p == nil {
		return 0, 0, false, err
	}
	if err := checkDegrees(p[1], p[0]); err != nil {
		return 0, 0, false, err
	}
	return p[1], p[0], true, nil
}

// checkDegrees refuses what is not finite or no latitude and longitude.
func checkDegrees(lat, lon float64) error {
	if math.IsNaN(lat) || math.IsNaN(lon) || math.Abs(lat) > 90 || math.Abs(lon) > 180 {
		return fmt.Errorf("coordinates %v, %v are not latitude and longitude in degrees: %w", lat, lon, ErrFormat)
	}
	return nil
}

func (g geometry) centre() (position, error) {
	bad := fmt.Errorf("coordinates of a %q: %w", g.Type, ErrFormat)
	switch g.Type {
	case "Point":
		var p position
		if json.Unmarshal(g.Coordinates, &p) != nil || len(p) == 1 {
			return nil, bad
		}
		if len(p) == 0 { // RFC 7946 3.1: an empty array is a null geometry
			return nil, nil
		}
		return p, nil
	case "MultiPoint", "LineString":
		var ps []position
		if json.Unmarshal(g.Coordinates, &ps) != nil {
			return nil, bad
		}
		return mean(ps, bad)
	case "MultiLineString":
		var ls [][]position
		if json.Unmarshal(g.Coordinates, &ls) != nil {
			return nil, bad
		}
		var ps []position
		for _, l := range ls {
			ps = append(ps, l...)
		}
		return mean(ps, bad)
	case "Polygon":
		var rings [][]position
		if json.Unmarshal(g.Coordinates, &rings) != nil {
			return nil, bad
		}
		return largest([][][]position{rings}, bad)
	case "MultiPolygon":
		var polygons [][][]position
		if json.Unmarshal(g.Coordinates, &polygons) != nil {
			return nil, bad
		}
		return largest(polygons, bad)
	case "GeometryCollection":
		if len(g.Geometries) == 0 {
			return nil, nil
		}
		return g.Geometries[0].centre()
	}
	return nil, fmt.Errorf("geometry of type %q: %w", g.Type, ErrFormat)
}

func mean(ps []position, bad error) (position, error) {
	if len(ps) == 0 {
		return nil, nil
	}
	var lon, lat float64
	for _, p := range ps {
		if len(p) < 2 {
			return nil, bad
		}
		lon += p[0] / float64(len(ps))
		lat += p[1] / float64(len(ps))
	}
	return position{lon, lat}, nil
}

// largest gives the centre of the polygon whose outer ring covers most.
func largest(polygons [][][]position, bad error) (position, error) {
	var best position
	size := -1.0
	for _, rings := range polygons {
		if len(rings) == 0 {
			continue
		}
		p, area, err := ringCentre(rings[0], bad)
		if err != nil {
			return nil, err
		}
		if p != nil && area > size {
			best, size = p, area
		}
	}
	return best, nil
}

// ringCentre gives the centroid of a ring by the shoelace formula, around its
// first position so that small rings far from 0, 0 lose no precision.
func ringCentre(ring []position, bad error) (position, float64, error) {
	m, err := mean(ring, bad)
	if err != nil || m == nil {
		return nil, 0, err
	}
	o := ring[0]
	var area, x, y float64
	for i := range ring {
		p, q := ring[i], ring[(i+1)%len(ring)]
		px, py, qx, qy := p[0]-o[0], p[1]-o[1], q[0]-o[0], q[1]-o[1]
		cross := px*qy - qx*py
		area += cross / 2
		x += (px + qx) * cross / 6
		y += (py + qy) * cross / 6
	}
	if math.Abs(area) < 1e-12 {
		return m, 0, nil
	}
	return position{o[0] + x/area, o[1] + y/area}, math.Abs(area), nil
}
