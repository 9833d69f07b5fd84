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

// placeOf is a place as typed: what areaText writes, a code alone, or the name of a
// commune, with its département, postcode or code behind it or without; with its
// code, name and middle when it is known. wrong says that there is a code, of nothing
// or of something that is called otherwise.
func (s *Server) placeOf(words string) (p essaim.Place, wrong bool) {
	name, code := "", words
	if open := strings.LastIndexByte(words, '('); open >= 0 && strings.HasSuffix(words, ")") {
		name, code = strings.TrimSpace(words[:open]), words[open+1:len(words)-1]
	}
	level, code := areaCode(code)
	g := s.cfg.Gazetteer
	if a, ok := g.Area(level, code); ok && s.goesBy(a, code, name) {
		return a.Place(), false
	}
	switch {
	case level == essaim.AreaEPCI: // of a PETR, or of nothing: Locate tells
		return essaim.Place{EPCI: code}, false
	case level != "" && name != "":
		for _, c := range g.Named(name) {
			served := func(by essaim.Commune) bool { return by.Code == c.Code }
			if c.Departement == code || slices.ContainsFunc(g.WithPostcode(code), served) {
				return s.communePlace(c), false
			}
		}
		return essaim.Place{City: words}, true
	}
	if c, ok := s.findCommune(words); ok {
		return s.communePlace(c), false
	}
	return essaim.Place{City: words}, level != "" || name == "" && codeLike.MatchString(words)
}

func (s *Server) communePlace(c essaim.Commune) essaim.Place {
	a, _ := s.cfg.Gazetteer.Area(essaim.AreaCommune, c.Code)
	return a.Place()
}

// goesBy tells whether the area of a code may be called so. Nobody knows the names
// of former communes, and those of EPCI are written in as many ways; their codes are
// no other's.
func (s *Server) goesBy(a essaim.Area, code, name string) bool {
	if name == "" || a.Level == essaim.AreaEPCI || a.Code != code || essaim.Slug(name) == essaim.Slug(a.Name) {
		return true
	}
	return a.Level == essaim.AreaCommune && slices.ContainsFunc(s.cfg.Gazetteer.Named(name), func(c essaim.Commune) bool { return c.Code == a.Code })
}

var (
	departementCode = regexp.MustCompile(`^(\d\d\d?|2[AB])$`)
	communeCode     = regexp.MustCompile(`^(\d\d|2[AB])\d{3}$`)
	epciCode        = regexp.MustCompile(`^\d{9}$`)

	// codeLike is what people type for a code and never for a name.
	codeLike = regexp.MustCompile(`^\d[\dA-Za-z]?\d*$`)
)

// areaCode is the level whose codes look so, and the code as they are written;
// the level is empty of what looks like none ("3e", "1000").
func areaCode(typed string) (essaim.AreaLevel, string) {
	code := strings.ToUpper(strings.TrimSpace(typed))
	if region, ok := strings.CutPrefix(essaim.Slug(code), "region-"); ok {
		return essaim.AreaRegion, region
	}
	switch {
	case communeCode.MatchString(code):
		return essaim.AreaCommune, code
	case epciCode.MatchString(code):
		return essaim.AreaEPCI, code
	case departementCode.MatchString(code):
		return essaim.AreaDepartement, code
	}
	return "", code
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
			var wrong bool
			p, wrong = s.placeOf(commune)
			switch _, code := p.Smallest(); {
			case commune == "" || code != "":
			case wrong:
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
		one := []essaim.Place{p}
		if len(s.locate(one, before)) > 0 {
			f.problems.Add("places."+strconv.Itoa(i), "bad_code")
		}
		out = append(out, one...)
	}
	return out
}
