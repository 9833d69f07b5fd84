// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"essaim"
)

// Names of the parameters of a map, beside those of a search: what it shows, as
// west,south,east,north in degrees (RFC 7946 5), which a search takes too, and
// how close.
const (
	paramBox  = "bbox"
	paramZoom = "zoom"
)

// MapView is the map of a list as the server draws it: it needs no script, and
// prints.
type MapView struct {
	Width, Height          int
	Marks                  []MapMark
	Names                  []PlaceName
	Total                  int
	Partial                bool   // more was found than the map counts
	Cells                  string // address of the cells for the same search
	Box                    string // what it shows at least, as bbox= says it
	Tiles, Archive, Credit string // what it lies on; see Ground
	Areas                  string // static file of the node's own outlines
	Blank                  bool   // records open beside the page that shows the map
	Frame                  string // the same in the plane of the outlines
}

// MapMark is a circle of the map: one record, or how many a cell holds.
type MapMark struct {
	X, Y, R int
	Kind    essaim.Kind // of the one record
	Text    string      // the count, none for one record
	Label   string      // for who does not see it
	Path    string
}

// Of the drawing, in its own units.
const (
	mapWidth, mapHeight = 600, 460
	mapCells            = 100 // so that the page stays light
	minSpan             = 0.02
	markRoom            = 36 // between the middles of two marks
	drawnLetters        = 20 // size of a name on a phone, see carte.css
)

// showMap shows a search on a map, with the list of the same beside it.
func (s *Server) showMap(w http.ResponseWriter, r *http.Request) error {
	v := s.fromToday(r.URL.Query())
	q, problems := s.parseQuery(v)
	p := &ListPage{Action: mapPath}
	l := s.locale(r)
	p.Title, p.Description = l.T("map.title"), l.F("map.lede", "Territory", s.cfg.Node.Territory.Name)
	p.NoIndex, p.Section = len(v) > 0, "carte"
	if q.Text != "" {
		p.Title = l.F("search.results_for", "Text", q.Text)
	}
	if len(problems) == 0 {
		var err error
		if p.Map, err = s.mapView(r.Context(), l, q, v, mapPath); err != nil {
			return err
		}
		s.onGround(w, p.Map)
	}
	return s.list(w, r, p, q, v, problems)
}

// fromToday says « to come » as a map does, which knows no hours: from this day on. An
// address that is kept in another site's page stays right so.
func (s *Server) fromToday(v url.Values) url.Values {
	out := maps.Clone(v)
	if out.Get(paramWhen) == whenUpcoming {
		out.Del(paramWhen)
		out.Set(paramFrom, s.now().In(s.cfg.Zone).Format(time.DateOnly))
	}
	return out
}

// toCome is the other way round, for an address that is read on other days.
func (s *Server) toCome(v url.Values) url.Values {
	out := maps.Clone(v)
	if out.Get(paramFrom) == s.now().In(s.cfg.Zone).Format(time.DateOnly) && out.Get(paramTo) == "" {
		out.Del(paramFrom)
		out.Set(paramWhen, whenUpcoming)
	}
	return out
}

const (
	mapPath   = "/carte"
	cellsPath = mapPath + "/cellules.geojson"
)

// mapView draws the map of a search, on the page at a path.
func (s *Server) mapView(ctx context.Context, l *locale, q essaim.Query, v url.Values, path string) (*MapView, error) {
	found, err := s.store.Cells(ctx, q, essaim.MaxZoom, mapCells)
	if err != nil {
		return nil, fmt.Errorf("map: %w", err)
	}
	box, ok := found.Extent()
	if q.Box != nil {
		box, ok = *q.Box, true
	}
	if !ok {
		box = s.home()
	}
	frame := frameOf(box)
	m := &MapView{Width: mapWidth, Height: mapHeight, Total: found.Total, Partial: found.Partial, Box: boxText(box), Frame: frame.outlines(), Blank: path == framePath}
	rest := without(v, paramBox, "")
	m.Cells = address(cellsPath, rest)
	at := func(lat, lon float64) (x, y float64) {
		right, down := frame.at(lat, lon)
		return float64(right), float64(down)
	}
	cells := apart(found.Cells, markRoom, func(c essaim.MapCell) (x, y float64) { return at(c.Lat, c.Lon) })
	m.Names = s.townNames(frame.box(), at, cells, drawnLetters)
	for _, c := range cells {
		m.Marks = append(m.Marks, mark(l, frame, c, rest, path))
	}
	return m, nil
}

// apart joins cells whose marks would cover one another: what lies on both sides
// of a line of the grid may be one town. at places a cell on the map, room is how
// far apart two marks stay.
func apart(cells []essaim.MapCell, room float64, at func(essaim.MapCell) (x, y float64)) []essaim.MapCell {
	order := slices.Clone(cells)
	slices.SortStableFunc(order, func(a, b essaim.MapCell) int { return cmp.Compare(b.N, a.N) })
	var out []essaim.MapCell
	var middles [][2]float64
	for _, c := range order {
		x, y := at(c)
		i := slices.IndexFunc(middles, func(m [2]float64) bool { return math.Hypot(m[0]-x, m[1]-y) < room })
		if i < 0 {
			out, middles = append(out, c), append(middles, [2]float64{x, y})
			continue
		}
		out[i] = joined(out[i], c)
		middles[i][0], middles[i][1] = at(out[i])
	}
	return out
}

func joined(a, b essaim.MapCell) essaim.MapCell {
	na, nb := float64(a.N), float64(b.N)
	return essaim.MapCell{
		N: a.N + b.N, Lat: (a.Lat*na + b.Lat*nb) / (na + nb), Lon: (a.Lon*na + b.Lon*nb) / (na + nb),
		Box: essaim.Box{
			South: min(a.Box.South, b.Box.South), North: max(a.Box.North, b.Box.North),
			West: min(a.Box.West, b.Box.West), East: max(a.Box.East, b.Box.East),
		},
	}
}

// mark draws a cell.
func mark(l *locale, f frame, c essaim.MapCell, rest url.Values, path string) MapMark {
	x, y := f.at(c.Lat, c.Lon)
	m := MapMark{X: x, Y: y, R: int(markRadius(c.N))}
	if c.Record != nil {
		m.Kind, m.Label, m.Path = c.Record.Kind, c.Record.Title, recordPath(*c.Record)
		return m
	}
	m.Text, m.Label = l.Number(c.N), l.N("map.places", c.N)
	in := without(rest, "", "")
	in.Set(paramBox, boxText(c.Box))
	m.Path = address(path, in)
	return m
}

// home is what a map shows when there is nothing to show: the territory.
func (s *Server) home() essaim.Box {
	lat, lon, ok := s.cfg.Gazetteer.Centre(s.cfg.Node.Territory)
	if !ok {
		return essaim.Box{South: 41, North: 51.5, West: -5.5, East: 9.8} // metropolitan France
	}
	return essaim.Box{South: lat - 0.3, North: lat + 0.3, West: lon - 0.4, East: lon + 0.4}
}

// frame is what a drawing shows, in the plane of web maps (Mercator), where the
// world is 1 wide.
type frame struct{ x, y, width, height float64 }

// frameOf is around a box, with some room, in the shape of the drawing. A box
// over the line where the days meet is drawn in one piece.
func frameOf(b essaim.Box) frame {
	if b.West > b.East {
		b.East += 360
	}
	dLat, dLon := math.Max(minSpan-(b.North-b.South), 0)/2, math.Max(minSpan-(b.East-b.West), 0)/2
	x0, y0 := mercator(b.North+dLat, b.West-dLon)
	x1, y1 := mercator(b.South-dLat, b.East+dLon)
	width, height := (x1-x0)*1.12, (y1-y0)*1.12
	width = math.Max(width, height*mapWidth/mapHeight)
	height = width * mapHeight / mapWidth
	return frame{(x0 + x1 - width) / 2, (y0 + y1 - height) / 2, width, height}
}

// at places a point on the drawing.
func (f frame) at(lat, lon float64) (x, y int) {
	mx, my := mercator(lat, lon)
	if mx < f.x && mx+1 <= f.x+f.width {
		mx++ // beyond the line where the days meet
	}
	return int(math.Round((mx - f.x) / f.width * mapWidth)), int(math.Round((my - f.y) / f.height * mapHeight))
}

// box is what the frame shows, in degrees.
func (f frame) box() essaim.Box {
	lat := func(y float64) float64 {
		return math.Max(-90, math.Min(90, math.Atan(math.Sinh(math.Pi*(1-2*y)))*180/math.Pi))
	}
	b := essaim.Box{North: lat(f.y), South: lat(f.y + f.height), West: -180, East: 180}
	if f.width < 1 {
		b.West, b.East = turned(f.x*360-180), turned((f.x+f.width)*360-180)
	}
	return b
}

// outlines is the frame in the plane of static/outlines.svg.
func (f frame) outlines() string {
	const world = 262144
	return fmt.Sprintf("%.3f %.3f %.3f %.3f", f.x*world, f.y*world, f.width*world, f.height*world)
}

// turned brings a longitude back to where the world counts it.
func turned(lon float64) float64 {
	switch {
	case lon < -180:
		return lon + 360
	case lon > 180:
		return lon - 360
	}
	return lon
}

// mercator places a point in the plane of web maps, which ends near the poles.
func mercator(lat, lon float64) (x, y float64) {
	const end = 85.0511
	phi := math.Max(-end, math.Min(end, lat)) * math.Pi / 180
	return (lon + 180) / 360, (1 - math.Asinh(math.Tan(phi))/math.Pi) / 2
}

// parseBox reads west,south,east,north in degrees. A west greater than the east
// crosses the line where the days meet.
func parseBox(v url.Values, p essaim.Problems) *essaim.Box {
	text := strings.TrimSpace(v.Get(paramBox))
	if text == "" {
		return nil
	}
	parts := strings.Split(text, ",")
	var at [4]float64
	for i := range at {
		var err error
		if len(parts) == len(at) {
			at[i], err = strconv.ParseFloat(strings.TrimSpace(parts[i]), 64)
		}
		if len(parts) != len(at) || err != nil {
			p.Add(paramBox, "out_of_range")
			return nil
		}
	}
	b := &essaim.Box{West: at[0], South: at[1], East: at[2], North: at[3]}
	if !b.Valid() {
		p.Add(paramBox, "out_of_range")
		return nil
	}
	return b
}

// boxText writes a box as parseBox reads it, to some ten metres.
func boxText(b essaim.Box) string {
	parts := make([]string, 4)
	for i, f := range []float64{b.West, b.South, b.East, b.North} {
		parts[i] = strconv.FormatFloat(math.Round(f*1e4)/1e4, 'f', -1, 64)
	}
	return strings.Join(parts, ",")
}

// parseZoom reads how close a map is; none is far.
func parseZoom(v url.Values, p essaim.Problems) int {
	text := v.Get(paramZoom)
	if text == "" {
		return essaim.MaxZoom
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > essaim.MaxZoom {
		p.Add(paramZoom, "out_of_range")
	}
	return n
}
