// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"math"

	"essaim"
)

// Names of communes tell where one is on a map without pictures: the most peopled
// of what is shown, so few that they can be read.
const (
	maxNames = 24
	// How far apart two names stay, in pixels.
	nameWidth, nameHeight = 110, 34
)

// PlaceName is the name of a commune on a map.
type PlaceName struct {
	Name string     `json:"name"`
	At   [2]float64 `json:"at"` // as GeoJSON has positions
	X, Y int        `json:"-"`  // on the drawing of the server
}

// townNames names the communes of a box, where at places them.
func (s *Server) townNames(b essaim.Box, at func(lat, lon float64) (x, y float64)) []PlaceName {
	if s.cfg.Ground.Tiles != "" || s.cfg.Ground.Archive != "" {
		return nil // pictures say it better
	}
	var names []PlaceName
	var taken [][2]float64
	for c := range s.cfg.Gazetteer.PlacedIn(b) {
		x, y := at(c.Lat, c.Lon)
		free := true
		for _, t := range taken {
			free = free && (math.Abs(t[0]-x) > nameWidth || math.Abs(t[1]-y) > nameHeight)
		}
		if !free {
			continue
		}
		taken = append(taken, [2]float64{x, y})
		names = append(names, PlaceName{Name: c.Name, X: int(x), Y: int(y), At: [2]float64{c.Lon, c.Lat}})
		if len(names) == maxNames {
			break
		}
	}
	return names
}
