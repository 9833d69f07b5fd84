// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"

	"essaim"
)

// The plane in which outlines of the node's own are written: that of web maps,
// four times as fine as static/outlines.svg, a step of some thirty metres.
const outlineWorld = 1 << 20

// maxOutlines bounds what maps load, in bytes: more is made coarser.
const maxOutlines = 400_000

// Outlines makes GeoJSON polygons and lines (RFC 7946) into the drawing that maps
// lie on: every border, without names.
func Outlines(files ...io.Reader) ([]byte, error) {
	var lines [][]spot
	for _, f := range files {
		more, err := readLines(f)
		if err != nil {
			return nil, err
		}
		lines = append(lines, more...)
	}
	if len(lines) == 0 {
		return nil, nil
	}
	var path []byte
	for step := 1.5; ; step *= 2 {
		path = path[:0]
		for _, line := range lines {
			path = appendPath(path, simplified(line, step))
		}
		if len(path) <= maxOutlines || step > outlineWorld {
			break
		}
	}
	return fmt.Appendf(nil, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\">\n<path id=\"areas\" d=\"%s\" vector-effect=\"non-scaling-stroke\"/>\n</svg>\n", outlineWorld, outlineWorld, path), nil
}

// spot is a point of the plane.
type spot struct{ x, y float64 }

// readLines reads the rings and lines of a collection of features.
func readLines(r io.Reader) ([][]spot, error) {
	var in struct {
		Features []struct {
			Geometry struct {
				Type        string          `json:"type"`
				Coordinates json.RawMessage `json:"coordinates"`
			} `json:"geometry"`
		} `json:"features"`
	}
	if err := json.NewDecoder(r).Decode(&in); err != nil {
		return nil, fmt.Errorf("outlines: %w: %w", essaim.ErrInvalid, err)
	}
	var lines [][]spot
	for i, f := range in.Features {
		var line [][]float64
		var rings [][][]float64
		var polygons [][][][]float64
		var err error
		switch f.Geometry.Type {
		case "LineString":
			err = json.Unmarshal(f.Geometry.Coordinates, &line)
			rings = append(rings, line)
		case "Polygon", "MultiLineString":
			err = json.Unmarshal(f.Geometry.Coordinates, &rings)
		case "MultiPolygon":
			err = json.Unmarshal(f.Geometry.Coordinates, &polygons)
		}
		if err != nil {
			return nil, fmt.Errorf("outlines: feature %d: %w: %w", i+1, essaim.ErrInvalid, err)
		}
		for _, ring := range append(rings, flat(polygons)...) {
			lines = append(lines, placed(ring))
		}
	}
	return lines, nil
}

func flat(polygons [][][][]float64) (rings [][][]float64) {
	for _, p := range polygons {
		rings = append(rings, p...)
	}
	return rings
}

// placed puts a line of positions on the plane; what is no position is left out.
func placed(line [][]float64) []spot {
	out := make([]spot, 0, len(line))
	for _, at := range line {
		if len(at) < 2 || !(math.Abs(at[0]) <= 180 && math.Abs(at[1]) <= 90) {
			continue
		}
		x, y := mercator(at[1], at[0])
		out = append(out, spot{x * outlineWorld, y * outlineWorld})
	}
	return out
}

// simplified leaves out points that are nearer than a step to the line without
// them (Douglas and Peucker 1973).
func simplified(line []spot, step float64) []spot {
	if len(line) < 3 {
		return line
	}
	keep := make([]bool, len(line))
	keep[0], keep[len(line)-1] = true, true
	for parts := [][2]int{{0, len(line) - 1}}; len(parts) > 0; {
		a, b := parts[len(parts)-1][0], parts[len(parts)-1][1]
		parts = parts[:len(parts)-1]
		worst, at := step, -1
		for i := a + 1; i < b; i++ {
			if d := off(line[i], line[a], line[b]); d > worst {
				worst, at = d, i
			}
		}
		if at > 0 {
			keep[at] = true
			parts = append(parts, [2]int{a, at}, [2]int{at, b})
		}
	}
	var out []spot
	for i, p := range line {
		if keep[i] {
			out = append(out, p)
		}
	}
	return out
}

// off is how far a point is from a segment.
func off(p, a, b spot) float64 {
	dx, dy := b.x-a.x, b.y-a.y
	if length := dx*dx + dy*dy; length > 0 {
		t := max(0, min(1, ((p.x-a.x)*dx+(p.y-a.y)*dy)/length))
		a = spot{a.x + t*dx, a.y + t*dy}
	}
	return math.Hypot(p.x-a.x, p.y-a.y)
}

// appendPath writes a line as SVG does (SVG 2, 9.3), in whole steps.
func appendPath(path []byte, line []spot) []byte {
	if len(line) < 2 {
		return path
	}
	round := func(p spot) (x, y int) { return int(math.Round(p.x)), int(math.Round(p.y)) }
	x, y := round(line[0])
	start := len(path)
	path = fmt.Appendf(path, "M%d %dl", x, y)
	began := len(path)
	for _, p := range line[1:] {
		nx, ny := round(p)
		if nx == x && ny == y {
			continue
		}
		if len(path) > began && nx >= x {
			path = append(path, ' ')
		}
		path = strconv.AppendInt(path, int64(nx-x), 10)
		if ny >= y {
			path = append(path, ' ')
		}
		path = strconv.AppendInt(path, int64(ny-y), 10)
		x, y = nx, ny
	}
	if len(path) == began {
		return path[:start]
	}
	return path
}

// areasName is the static file that they are served as.
const areasName = "areas.svg"

// addOutlines puts the outlines of the node's own beside the files of the program,
// named by their content as those are.
func (s *Server) addOutlines() {
	if body := s.cfg.Ground.Outlines; len(body) > 0 {
		s.assets[areasName] = assetOf(body, mediaTypes[".svg"])
	}
}
