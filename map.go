// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

// MapCells is a result as a map shows it: the world is cut into rectangles of
// degrees, 2^Level by 2^Level, and each that holds something of it is one cell.
type MapCells struct {
	Level int
	Cells []MapCell // from south to north, then from west to east
	// Total is the sum of the cells. A record with places in several cells counts
	// in each.
	Total int
	// Partial says that there is more than was counted: the cells are those of
	// what changed last. A smaller box shows more.
	Partial bool
}

// MapCell is a rectangle of the map and what it holds.
type MapCell struct {
	Box      Box
	N        int
	Lat, Lon float64 // the middle of what it holds
	// Record is the one that it holds when N is 1, with its address, title and
	// territory only.
	Record *Record
}

// MaxMapCells bounds how many cells a map shows.
const MaxMapCells = 400

// MaxZoom is the closest zoom of a map, as web maps count: at 0 the world is 256
// pixels wide, and each further one doubles it.
const MaxZoom = 19

// Extent is the box around what the cells hold; not ok when there are none. It
// never crosses the line where the days meet.
func (m MapCells) Extent() (b Box, ok bool) {
	for i, c := range m.Cells {
		if i == 0 {
			b = Box{South: c.Lat, North: c.Lat, West: c.Lon, East: c.Lon}
			continue
		}
		b.South, b.North = min(b.South, c.Lat), max(b.North, c.Lat)
		b.West, b.East = min(b.West, c.Lon), max(b.East, c.Lon)
	}
	return b, len(m.Cells) > 0
}

// Holds tells whether a point lies in the box.
func (b Box) Holds(lat, lon float64) bool {
	if lat < b.South || lat > b.North {
		return false
	}
	if b.West > b.East {
		return lon >= b.West || lon <= b.East
	}
	return lon >= b.West && lon <= b.East
}

// Valid tells whether the box is one of the world: a box whose west is greater
// than its east crosses the line where the days meet.
func (b Box) Valid() bool {
	return b.South >= -90 && b.North <= 90 && b.South <= b.North && b.West >= -180 && b.West <= 180 && b.East >= -180 && b.East <= 180
}
