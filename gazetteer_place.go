// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import "math"

// AreaLevel is what an official code of a place names.
type AreaLevel string

// The levels that have codes, the smallest first; each is also the name of the
// field of Place, and of its JSON, that holds the code.
const (
	AreaCommune     AreaLevel = "insee"
	AreaEPCI        AreaLevel = "epci"
	AreaDepartement AreaLevel = "departement"
	AreaRegion      AreaLevel = "region"
)

// Area is what an official code stands for.
type Area struct {
	Level AreaLevel
	Code  string // of today, where the code asked for is of a former commune
	Name  string
	// Lat and Lon are the middle in degrees: that of a commune, or where the people
	// of the communes of a larger area live on average.
	Lat, Lon float64
	Located  bool // false when the gazetteer places none of it
}

// Area finds what a code stands for.
func (g *Gazetteer) Area(level AreaLevel, code string) (Area, bool) {
	a, ok := Area{Level: level, Code: code}, false
	switch level {
	case AreaCommune:
		c, ok := g.Commune(code)
		a.Code, a.Name, a.Lat, a.Lon, a.Located = c.Code, c.Name, c.Lat, c.Lon, c.Located()
		return a, ok
	case AreaEPCI:
		var e EPCI
		e, ok = g.EPCI(code)
		a.Name = e.Name
	case AreaDepartement:
		var d Departement
		d, ok = g.Departement(code)
		a.Name = d.Name
	case AreaRegion:
		var r Region
		r, ok = g.Region(code)
		a.Name = r.Name
	}
	if !ok {
		return a, false
	}
	if at, ok := g.centres()[area{level, code}]; ok {
		// A millionth of a degree, as coordinates are written to others.
		a.Lat, a.Lon, a.Located = math.Round(at.lat/at.weight*1e6)/1e6, math.Round(at.lon/at.weight*1e6)/1e6, true
	}
	return a, true
}

// Place is the place that an area is, as nobody named or placed it otherwise.
func (a Area) Place() Place {
	var pl Place
	for _, code := range pl.codes() {
		if code.level == a.Level {
			*code.of = a.Code
		}
	}
	pl.take(a)
	return pl
}

// Locate completes a place by its codes: the name of the smallest of them where
// people gave none, its middle, approximately, where they gave no point, and
// today's code in place of a former commune's. It returns the levels whose code
// names nothing, which is for the caller to refuse or to keep.
//
// A PETR or a syndicat mixte has a SIREN as an EPCI has, and stands in no list of
// them: such a code may be when people say what it is of.
func (g *Gazetteer) Locate(pl *Place) (unknown []AreaLevel) {
	named := false
	for _, code := range pl.codes() {
		if *code.of == "" {
			continue
		}
		a, ok := g.Area(code.level, *code.of)
		if !ok {
			if code.level != AreaEPCI || pl.Label+pl.City == "" || !validSIREN(*code.of) {
				unknown = append(unknown, code.level)
			}
			continue
		}
		*code.of = a.Code
		if !named {
			named = true
			pl.take(a)
		}
	}
	return unknown
}

// take fills what a place lacks from an area. A commune is a city; the name of
// anything larger is only a label.
func (pl *Place) take(a Area) {
	switch {
	case a.Level == AreaCommune && pl.City == "":
		pl.City = a.Name
	case a.Level != AreaCommune && pl.City == "" && pl.Label == "":
		pl.Label = a.Name
	}
	if !pl.Located() && a.Located {
		pl.Lat, pl.Lon = Point(a.Lat, a.Lon)
		pl.Approximate = true
	}
}

// validSIREN checks the form and the last digit, which the others give (Luhn).
func validSIREN(s string) bool {
	if !epciCode.MatchString(s) {
		return false
	}
	sum := 0
	for i := range len(s) {
		d := int(s[i] - '0')
		if i%2 == 1 { // nine digits: every second from the right
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

type placeCode struct {
	level AreaLevel
	of    *string
}

// codes are the place's codes, the smallest area first.
func (pl *Place) codes() []placeCode {
	return []placeCode{{AreaCommune, &pl.INSEE}, {AreaEPCI, &pl.EPCI}, {AreaDepartement, &pl.Departement}, {AreaRegion, &pl.Region}}
}

// Code is the place's code of a level, empty when it has none.
func (pl Place) Code(level AreaLevel) string {
	for _, code := range pl.codes() {
		if code.level == level {
			return *code.of
		}
	}
	return ""
}

// Smallest is the level and code of the smallest area that the place names by
// its code; both empty when it names none.
func (pl Place) Smallest() (AreaLevel, string) {
	for _, code := range pl.codes() {
		if *code.of != "" {
			return code.level, *code.of
		}
	}
	return "", ""
}

type area struct {
	level AreaLevel
	code  string
}

// centre is a sum of coordinates, each as often as people live there.
type centre struct{ lat, lon, weight float64 }

// findCentres adds up the communes of each larger area.
func (g *Gazetteer) findCentres() map[area]centre {
	m := make(map[area]centre, len(g.epcis)+len(g.departements)+len(g.regions))
	for i := range g.rows {
		r := &g.rows[i]
		if r.lat == 0 && r.lon == 0 {
			continue
		}
		departement := r.departement.String()
		areas := []area{{AreaDepartement, departement}, {AreaRegion, g.departements[departement].Region}}
		if r.epci >= 0 {
			areas = append(areas, area{AreaEPCI, g.epcis[r.epci].code})
		}
		w := float64(r.population) + 1
		for _, a := range areas {
			c := m[a]
			m[a] = centre{c.lat + w*float64(r.lat)/1e6, c.lon + w*float64(r.lon)/1e6, c.weight + w}
		}
	}
	return m
}
