// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"essaim"
)

// areaText is how the form writes where a place is: the name of its smallest area
// with its code, the town of one without.
func (l *locale) areaText(p essaim.Place) string {
	level, code := p.Smallest()
	if code == "" {
		return p.City
	}
	a, ok := l.gazetteer.Area(level, code)
	switch {
	case !ok:
		return code
	case level == essaim.AreaRegion: // "53" alone is a département
		return a.Name + " (région " + a.Code + ")"
	}
	return a.Name + " (" + a.Code + ")"
}

// findArea reads what areaText writes, a code alone, or the name of a commune.
func (s *Server) findArea(words string) (essaim.Area, bool) {
	code := words
	if open := strings.LastIndexByte(words, '('); open >= 0 && strings.HasSuffix(words, ")") {
		code = words[open+1 : len(words)-1]
	}
	code = strings.ToUpper(strings.TrimSpace(code))
	g := s.cfg.Gazetteer
	if region, ok := strings.CutPrefix(essaim.Slug(code), "region-"); ok {
		return g.Area(essaim.AreaRegion, region)
	}
	for _, level := range []essaim.AreaLevel{essaim.AreaCommune, essaim.AreaEPCI, essaim.AreaDepartement} {
		if a, ok := g.Area(level, code); ok {
			return a, true
		}
	}
	c, ok := s.findCommune(words)
	if !ok {
		return essaim.Area{}, false
	}
	return g.Area(essaim.AreaCommune, c.Code)
}

// placeOf is a place as typed: with its code, name and middle when it is known.
func (s *Server) placeOf(words string) essaim.Place {
	a, ok := s.findArea(words)
	if !ok {
		return essaim.Place{City: words}
	}
	return a.Place()
}

// locate completes places by their codes. One that names nothing is a problem,
// unless the record had it before: gazetteers are of a year.
func (s *Server) locate(places, before []essaim.Place) essaim.Problems {
	p := essaim.Problems{}
	for i := range places {
		for _, level := range s.cfg.Gazetteer.Locate(&places[i]) {
			code := places[i].Code(level)
			if !slices.ContainsFunc(before, func(b essaim.Place) bool { return b.Code(level) == code }) {
				p.Add("places."+strconv.Itoa(i)+"."+string(level), "bad_code")
			}
		}
	}
	return p
}

func (f *recordForm) writePlace(at string, p essaim.Place) {
	f.set(at+"commune", f.l.areaText(p))
	// The name that a code gives is shown with the code, and given again.
	bare := p
	bare.Label = ""
	f.l.gazetteer.Locate(&bare)
	if p.Label != bare.Label {
		f.set(at+"label", p.Label)
	}
	f.set(at+"street", p.Street)
	if p.Located() && !p.Approximate {
		f.set(at+"point", strconv.FormatFloat(*p.Lat, 'f', -1, 64)+", "+strconv.FormatFloat(*p.Lon, 'f', -1, 64))
	}
}

// codeLike is what people type for a code and never for a name, alone or behind one.
var codeLike = regexp.MustCompile(`(^|\()\d[\dA-Za-z]?\d*\)?$`)

func (f *recordForm) readPlaces(s *Server, before []essaim.Place) []essaim.Place {
	var out []essaim.Place
	for i := range f.count("places") {
		at := "places." + strconv.Itoa(i) + "."
		var p essaim.Place
		if i < len(before) {
			p = before[i]
		}
		old := recordForm{kind: f.kind, values: map[string][]string{}, l: f.l}
		old.writePlace(at, p)
		commune, label, street, point := f.line(at+"commune"), f.line(at+"label"), f.line(at+"street"), f.line(at+"point")
		if commune == "" && label == "" && street == "" && point == "" {
			continue
		}
		if old.line(at+"commune") != commune {
			p = s.placeOf(commune)
			switch _, code := p.Smallest(); {
			case commune == "" || code != "":
			case codeLike.MatchString(commune):
				f.problems.Add("places."+strconv.Itoa(i), "bad_code")
			case label == "" && point == "" && formState(f) == essaim.StatePublished:
				// A slip in a name would leave the record on no map; a name of its
				// own is how a place abroad is written.
				f.problems.Add("places."+strconv.Itoa(i), "unknown_commune")
			}
		}
		p.Label, p.Street = label, street
		switch {
		case point == "" && p.Located() && !p.Approximate:
			p.Lat, p.Lon = nil, nil
		case point != "" && point != old.line(at+"point"):
			lat, lon, ok := parsePoint(point)
			if !ok {
				f.problems.Add(at+"point", "bad_point")
				break
			}
			p.Lat, p.Lon = essaim.Point(lat, lon)
			p.Approximate = false
		}
		s.cfg.Gazetteer.Locate(&p) // a code that it does not know is the record's own of before
		out = append(out, p)
	}
	return out
}
