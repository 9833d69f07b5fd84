// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"math"
	"slices"
	"unicode/utf8"

	"essaim"
)

// Names of communes tell where one is on a map without pictures: the most peopled
// of what is shown, so few that they can be read.
const (
	maxNames = 24
	// mostPeopled is how many of them are tried: a village says less than nothing.
	mostPeopled = 60
	// How much room a name has around it, in pixels.
	nameAside, nameAbove = 16, 14
)

// PlaceName is the name of a commune on a map.
type PlaceName struct {
	Name string     `json:"name"`
	At   [2]float64 `json:"at"`   // as GeoJSON has positions
	Down int        `json:"down"` // pixels from there to the middle of the name
	X, Y int        `json:"-"`    // of its middle, on the drawing of the server
}

// onMap is what stands on a map: its middle, and how far it reaches aside and up.
type onMap struct{ x, y, aside, above float64 }

func (a onMap) meets(b onMap) bool {
	return math.Abs(a.x-b.x) < a.aside+b.aside && math.Abs(a.y-b.y) < a.above+b.above
}

// markRadius is that of the mark of some places, in pixels.
func markRadius(n int) float64 {
	if n == 1 {
		return 12
	}
	return math.Min(24, 14+math.Log2(float64(n)))
}

// townNames names the communes of a box, where at places them, in letters of a size.
// A name stands on its place or, of the largest commune that a mark covers, beside the
// mark; one that has no room is left out.
func (s *Server) townNames(b essaim.Box, at func(lat, lon float64) (x, y float64), marks []essaim.MapCell, size float64) []PlaceName {
	if s.cfg.Ground.Tiles != "" || s.cfg.Ground.Archive != "" {
		return nil // pictures say it better
	}
	m := nameMap{named: make([]bool, len(marks))}
	_, m.top = at(b.North, b.West)
	_, m.bottom = at(b.South, b.West)
	for _, c := range marks {
		x, y := at(c.Lat, c.Lon)
		m.marks = append(m.marks, onMap{x, y, markRadius(c.N), markRadius(c.N)})
	}
	var names []PlaceName
	seen := 0
	for c := range s.cfg.Gazetteer.PlacedIn(b) {
		if seen++; len(names) == maxNames || seen > mostPeopled {
			break
		}
		x, y := at(c.Lat, c.Lon)
		text := onMap{x, y, .29 * size * float64(utf8.RuneCountInString(c.Name)), .6 * size}
		if down, ok := m.put(text); ok {
			names = append(names, PlaceName{Name: c.Name, X: int(x), Y: int(y + down), At: [2]float64{c.Lon, c.Lat}, Down: int(down)})
		}
	}
	return names
}

// nameMap is what stands on a map already.
type nameMap struct {
	marks, names []onMap
	named        []bool // marks with the name of what they cover
	top, bottom  float64
}

// put finds room for a text, and says how far down from its place.
func (m *nameMap) put(text onMap) (down float64, ok bool) {
	ways := []float64{0}
	for i, mark := range m.marks {
		if math.Hypot(mark.x-text.x, mark.y-text.y) > mark.above {
			continue
		}
		if m.named[i] {
			return 0, false
		}
		m.named[i] = true
		ways = []float64{mark.y + mark.above + text.above + 1 - text.y, mark.y - mark.above - text.above - 1 - text.y}
	}
	for _, down := range ways {
		moved := text
		moved.y += down
		if moved.y-moved.above < m.top || moved.y+moved.above > m.bottom {
			continue // half of it would be cut
		}
		if slices.ContainsFunc(append(slices.Clone(m.marks), m.names...), moved.meets) {
			continue
		}
		moved.aside += nameAside
		moved.above += nameAbove
		m.names = append(m.names, moved)
		return down, true
	}
	return 0, false
}
