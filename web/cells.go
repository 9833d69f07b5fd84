// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"time"

	"essaim"
)

// CellCollection is the cells of a map as GeoJSON (RFC 7946 3.3).
type CellCollection struct {
	Type     string        `json:"type"`
	Level    int           `json:"level"`
	Total    int           `json:"total"`
	Partial  bool          `json:"partial"`
	Features []CellFeature `json:"features"`
	// Names are communes of what is shown, for a map without pictures.
	Names []PlaceName `json:"names,omitempty"`
}

// CellFeature is one cell, at the middle of what it holds.
type CellFeature struct {
	Type     string     `json:"type"`
	BBox     [4]float64 `json:"bbox"` // of the cell
	Geometry struct {
		Type        string     `json:"type"`
		Coordinates [2]float64 `json:"coordinates"`
	} `json:"geometry"`
	Properties CellProperties `json:"properties"`
}

// CellProperties are what a cell holds: how many, and the record when it is one.
type CellProperties struct {
	Count     int    `json:"count"`
	Radius    int    `json:"radius"` // of its mark, in pixels
	ID        string `json:"id,omitempty"`
	Kind      string `json:"kind,omitempty"`
	Title     string `json:"title,omitempty"`
	Path      string `json:"path,omitempty"` // at this node
	Territory string `json:"territory,omitempty"`
	// State is how its origin fares when it is not well, as in the API.
	State string `json:"state,omitempty"`
}

const (
	// cellRoom is how many pixels of the map are between two marks.
	cellRoom = 44
	// mapLetters is the size of a name there, see carte.css.
	mapLetters = 13
)

// showCells answers the cells of a search for any box and zoom. Anyone's page may
// ask: there is no cookie in it.
func (s *Server) showCells(w http.ResponseWriter, r *http.Request) error {
	v := s.fromToday(r.URL.Query())
	q, problems := s.parseQuery(v)
	zoom := parseZoom(v, problems)
	if err := problems.Err(); err != nil {
		return err
	}
	found, err := s.store.Cells(r.Context(), q, zoom, essaim.MaxMapCells)
	if err != nil {
		return fmt.Errorf("cells: %w", err)
	}
	world := math.Exp2(float64(zoom)) * 256
	at := func(lat, lon float64) (x, y float64) {
		x, y = mercator(lat, lon)
		return x * world, y * world
	}
	found.Cells = apart(found.Cells, cellRoom, func(c essaim.MapCell) (x, y float64) { return at(c.Lat, c.Lon) })
	by, err := s.origins(r.Context())
	if err != nil {
		return err
	}
	out := cellCollection(found, by)
	if q.Box != nil {
		out.Names = s.townNames(*q.Box, at, found.Cells, mapLetters)
	}
	body, err := json.Marshal(out)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "public, max-age=60")
	answerFormat(w, r, "application/geo+json", body, time.Time{})
	return nil
}

func cellCollection(found essaim.MapCells, by map[string]Origin) CellCollection {
	out := CellCollection{Type: "FeatureCollection", Level: found.Level, Total: found.Total, Partial: found.Partial, Features: make([]CellFeature, len(found.Cells))}
	for i, c := range found.Cells {
		f := CellFeature{Type: "Feature", BBox: [4]float64{c.Box.West, c.Box.South, c.Box.East, c.Box.North}}
		f.Geometry.Type, f.Geometry.Coordinates = "Point", [2]float64{c.Lon, c.Lat}
		f.Properties.Count, f.Properties.Radius = c.N, int(markRadius(c.N))
		if r := c.Record; r != nil {
			f.Properties = CellProperties{1, int(markRadius(1)), r.ID, string(r.Kind), r.Title, recordPath(*r), r.TerritoryName, string(by[r.Origin].Life)}
		}
		out.Features[i] = f
	}
	return out
}
