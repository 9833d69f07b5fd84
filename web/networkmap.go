// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"essaim"
)

// NetworkMap is the territories and who follows whom, drawn on the server: no tile
// of others, no script. The table of the page says the same.
type NetworkMap struct {
	Width, Height int
	Land          string // path of the dots where communes are
	Links         []MapLink
	Places        []MapPlace
	Off           []string // names of territories beyond its edges
	Nowhere       []string // and of those that do not say where they are
	Corner        string   // path around those of them that are drawn, at the lower left
}

// MapPlace is a territory on the map.
type MapPlace struct {
	Name   string
	Tone   string // as that of its state
	Here   bool   // the one whose page this is
	X, Y   int
	R      int
	LabelX int
	LabelY int
	Left   bool // the label stands on the left
}

// MapLink is a follow, both ways or one.
type MapLink struct {
	Path string
	Both bool
	Here bool // one end is this territory
}

// The map is of metropolitan France and its neighbours, from 41.2 to 51.4° N and from
// 5.6° W to 9.9° E, in a projection that keeps shapes at its middle.
const (
	mapNorth, mapWest = 51.4, -5.6
	mapScale          = 57.0   // units a degree of latitude
	mapShrink         = 0.6884 // of a degree of longitude, at 46.5° N
	mapGrain          = 9      // between two dots of the land
	networkWidth      = 608
	networkHeight     = 581
	mostLinks         = 300
	mostAway          = 5 // territories drawn in the corner
)

func mapPoint(lat, lon float64) (x, y int, on bool) {
	x = int(math.Round((lon - mapWest) * mapShrink * mapScale))
	y = int(math.Round((mapNorth - lat) * mapScale))
	return x, y, x >= 0 && x < networkWidth && y >= 0 && y < networkHeight
}

// landOf draws a dot wherever communes are: lines of dots, one for each row without
// a gap. A line that ended at its last dot would not draw it, and none of one alone, an
// island: it goes on a little.
func landOf(g *essaim.Gazetteer) string {
	var cells [networkHeight/mapGrain + 1][networkWidth/mapGrain + 1]bool
	for c := range g.All() {
		if x, y, on := mapPoint(c.Lat, c.Lon); on && c.Located() {
			cells[y/mapGrain][x/mapGrain] = true
		}
	}
	var b strings.Builder
	for row := range cells {
		for from := 0; from < len(cells[row]); from++ {
			to := from
			for to < len(cells[row]) && cells[row][to] {
				to++
			}
			if to > from {
				fmt.Fprintf(&b, "M%d %dh%d.1", from*mapGrain+mapGrain/2, row*mapGrain+mapGrain/2, (to-from-1)*mapGrain)
				from = to
			}
		}
	}
	return b.String()
}

// networkMap draws the peers that say where they are, and their follows.
func (s *Server) networkMap(peers []PeerView, own int) *NetworkMap {
	m := &NetworkMap{Width: networkWidth, Height: networkHeight, Land: s.land()}
	t := s.cfg.Node.Territory
	lat, lon := t.Lat, t.Lon
	if lat == 0 && lon == 0 {
		lat, lon, _ = s.cfg.Gazetteer.Centre(t)
	}
	at := map[string]int{} // places by Application actor
	put := func(actor string, p MapPlace, lat, lon float64, records int) {
		var on bool
		if p.X, p.Y, on = mapPoint(lat, lon); !on {
			m.Off = append(m.Off, p.Name)
			if len(m.Off) > mostAway {
				return
			}
			p.X, p.Y = mapGrain*2, networkHeight-mapGrain*2-(len(m.Off)-1)*2*labelHeight
		}
		p.R = 6 + min(8, int(math.Sqrt(float64(records))/4))
		at[actor] = len(m.Places)
		m.Places = append(m.Places, p)
	}
	if lat != 0 || lon != 0 {
		put(s.abs("/actor"), MapPlace{Name: t.Name, Here: true}, lat, lon, own)
	} else {
		m.Nowhere = append(m.Nowhere, t.Name)
	}
	located := 0
	for _, p := range peers {
		switch {
		case p.State == essaim.PeerBlocked:
		case p.About.Located():
			put(p.Actor, MapPlace{Name: p.TerritoryName, Tone: p.Tone}, p.About.Lat, p.About.Lon, p.Peer.Records)
			located++
		default:
			m.Nowhere = append(m.Nowhere, p.TerritoryName)
		}
	}
	if located == 0 {
		return nil
	}
	if away := min(len(m.Off), mostAway); away > 0 {
		m.Corner = fmt.Sprintf("M0 %dH%dV%d", networkHeight-away*2*labelHeight, mapGrain*18, networkHeight)
	}
	m.link(peers, at, s.abs("/actor"))
	m.label()
	return m
}

// link draws who follows whom, each pair once.
func (m *NetworkMap) link(peers []PeerView, at map[string]int, here string) {
	follows := map[[2]int]bool{}
	note := func(from, to string) {
		a, ok1 := at[from]
		b, ok2 := at[to]
		if ok1 && ok2 && a != b {
			follows[[2]int{a, b}] = true
		}
	}
	for _, p := range peers {
		if p.State == essaim.PeerFollowed {
			note(here, p.Actor)
		}
		if p.FollowsUs {
			note(p.Actor, here)
		}
		for _, other := range p.About.Follows {
			if other != here { // what it is to us is known better
				note(p.Actor, other)
			}
		}
	}
	home, onMap := at[here]
	for a := range m.Places {
		for b := range m.Places {
			to, back := follows[[2]int{a, b}], follows[[2]int{b, a}]
			if !to || back && b < a || len(m.Links) == mostLinks {
				continue
			}
			m.Links = append(m.Links, MapLink{Path: arc(m.Places[a], m.Places[b]), Both: back, Here: onMap && (a == home || b == home)})
		}
	}
}

// arc is a curve between the rims of two places.
func arc(a, b MapPlace) string {
	dx, dy := float64(b.X-a.X), float64(b.Y-a.Y)
	d := math.Hypot(dx, dy)
	if d < float64(a.R+b.R+4) {
		return fmt.Sprintf("M%d %dL%d %d", a.X, a.Y, b.X, b.Y)
	}
	ux, uy := dx/d, dy/d
	point := func(p MapPlace, sign float64) (x, y float64) {
		r := float64(p.R + 3)
		return float64(p.X) + sign*ux*r, float64(p.Y) + sign*uy*r
	}
	x1, y1 := point(a, 1)
	x2, y2 := point(b, -1)
	return fmt.Sprintf("M%.0f %.0fQ%.0f %.0f %.0f %.0f", x1, y1, (x1+x2)/2-uy*d*.12, (y1+y2)/2+ux*d*.12, x2, y2)
}

// labelHeight is that of a line of text.
const labelHeight = 20

// label writes names beside their places, towards the middle of the map, and moves
// down those that would cover another.
func (m *NetworkMap) label() {
	order := make([]int, len(m.Places))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return m.Places[a].Y - m.Places[b].Y })
	type span struct{ left, right, y int }
	var taken []span
	for _, i := range order {
		p := &m.Places[i]
		p.Left = p.X > m.Width*6/10
		p.LabelX, p.LabelY = p.X+p.R+5, p.Y+6
		wide := 11 * len([]rune(p.Name))
		at := span{p.LabelX, p.LabelX + wide, 0}
		if p.Left {
			p.LabelX = p.X - p.R - 5
			at.left, at.right = p.LabelX-wide, p.LabelX
		}
		for range len(taken) + 1 {
			free := true
			for _, o := range taken {
				if at.left < o.right && o.left < at.right && p.LabelY < o.y+labelHeight && o.y < p.LabelY+labelHeight {
					p.LabelY, free = o.y+labelHeight, false
				}
			}
			if free {
				break
			}
		}
		at.y = p.LabelY
		taken = append(taken, at)
	}
}
