// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"essaim"
)

// Names of the parameters of a search: the same for pages, API and every
// format. A facet may be repeated.
const (
	paramText      = "q"
	paramKind      = "kind"
	paramTheme     = "theme"
	paramTerritory = "territory"
	paramStage     = "stage"
	paramOrigin    = "origin"
	paramNear      = "near"
	paramRadius    = "radius"
	paramSince     = "since"
	paramUntil     = "until"
	paramFrom      = "from"
	paramTo        = "to"
	paramCommune   = "commune"
	paramPurpose   = "purpose"
	paramPublic    = "public"
	paramLicence   = "licence"
	paramHelp      = "help"
	paramFacets    = "facets"
	paramPage      = "page"
	paramAfter     = "after" // the same, as programs say it
	paramLimit     = "limit"
)

const (
	maxQueryText  = 500 // characters
	maxFacets     = 20  // values of one facet
	defaultRadius = 20  // kilometres
	maxRadius     = 2000
)

// parseQuery reads a search from an address. What is not understood is a
// problem of its parameter, never guessed.
func (s *Server) parseQuery(v url.Values) (essaim.Query, essaim.Problems) {
	q, p := essaim.Query{}, essaim.Problems{}
	q.Text = strings.TrimSpace(v.Get(paramText))
	if utf8.RuneCountInString(q.Text) > maxQueryText {
		p.Add(paramText, "too_long")
	}
	if !utf8.ValidString(q.Text) || strings.ContainsRune(q.Text, 0) {
		p.Add(paramText, "bad_text")
	}
	for name, values := range v {
		if len(values) > maxFacets {
			p.Add(name, "too_many")
		}
		for _, value := range values {
			if len(value) > 2000 || strings.ContainsRune(value, 0) || !utf8.ValidString(value) {
				p.Add(name, "bad_text")
			}
		}
	}
	s.parseFacets(v, &q, p)
	q.Origin = v.Get(paramOrigin)
	if q.After = v.Get(paramPage); q.After == "" {
		q.After = v.Get(paramAfter)
	}
	q.Near, q.Box = s.parseNear(v, p), parseBox(v, p)
	s.parseDates(v, &q, p)
	q.Facets = v.Get(paramFacets) == "1"
	if n := v.Get(paramLimit); n != "" {
		limit, err := strconv.Atoi(n)
		if err != nil || limit < 1 || limit > 100 {
			p.Add(paramLimit, "out_of_range")
		} else {
			q.Limit = limit
		}
	}
	return q, p
}

// given are the values of a parameter, once each, without the empty ones that
// a form sends.
func given(v url.Values, name string) []string {
	var out []string
	for _, s := range v[name] {
		if s = strings.TrimSpace(s); s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// parseNear reads where to look: "48.39,-4.48", or the name or code of a commune.
func (s *Server) parseNear(v url.Values, p essaim.Problems) *essaim.Circle {
	where := strings.TrimSpace(v.Get(paramNear))
	if where == "" {
		return nil
	}
	c := &essaim.Circle{Radius: defaultRadius}
	if r := strings.TrimSpace(v.Get(paramRadius)); r != "" {
		radius, err := strconv.ParseFloat(strings.Replace(r, ",", ".", 1), 64)
		if err != nil || !(radius > 0 && radius <= maxRadius) {
			p.Add(paramRadius, "out_of_range")
			return nil
		}
		c.Radius = radius
	}
	if lat, lon, ok := parsePoint(where); ok {
		c.Lat, c.Lon = lat, lon
		return c
	}
	if commune, ok := s.findCommune(where); ok && commune.Located() {
		c.Lat, c.Lon = commune.Lat, commune.Lon
		return c
	}
	p.Add(paramNear, "unknown_place")
	return nil
}

// nearTyped is where to look as people write it: links say a commune by its code.
func (s *Server) nearTyped(v url.Values) string {
	if c, ok := s.cfg.Gazetteer.Commune(strings.TrimSpace(v.Get(paramNear))); ok {
		return c.Name + " (" + c.Code + ")"
	}
	return v.Get(paramNear)
}

// nearName is the commune around which a search looks, among those of its name, or the
// point.
func (s *Server) nearName(v url.Values) string {
	where := v.Get(paramNear)
	if _, _, point := parsePoint(where); !point {
		if c, ok := s.findCommune(where); ok {
			return s.communeName(essaim.Count{Value: c.Code})
		}
	}
	return where
}

// findCommune finds a commune by its code, its name, or both: "29019", "Brest",
// "Brest (29019)". Of several that share a name it takes the one of the
// territory, else the most peopled.
func (s *Server) findCommune(words string) (essaim.Commune, bool) {
	words = strings.TrimSpace(words)
	g := s.cfg.Gazetteer
	if open := strings.LastIndexByte(words, '('); open >= 0 && strings.HasSuffix(words, ")") {
		if c, ok := g.Commune(strings.TrimSpace(words[open+1 : len(words)-1])); ok {
			return c, true
		}
	}
	if c, ok := g.Commune(words); ok {
		return c, true
	}
	found := g.Named(words)
	if len(found) == 0 {
		if found = g.WithPostcode(words); len(found) == 0 {
			return essaim.Commune{}, false
		}
	}
	for _, c := range found {
		if slices.Contains(s.communes, c.Code) {
			return c, true
		}
	}
	return found[0], true
}

// parsePoint reads "latitude,longitude" in degrees.
func parsePoint(s string) (lat, lon float64, ok bool) {
	a, b, found := strings.Cut(s, ",")
	if !found {
		return 0, 0, false
	}
	lat, err1 := strconv.ParseFloat(strings.TrimSpace(a), 64)
	lon, err2 := strconv.ParseFloat(strings.TrimSpace(b), 64)
	if err1 != nil || err2 != nil || !(lat >= -90 && lat <= 90) || !(lon >= -180 && lon <= 180) {
		return 0, 0, false
	}
	return lat, lon, true
}

// without is an address's query less one value of a parameter, and from the
// first page.
func without(v url.Values, name, value string) url.Values {
	out := url.Values{}
	for k, values := range v {
		if k == paramPage || k == paramAfter || k == "lang" || k == "fait" {
			continue
		}
		for _, x := range values {
			if x != "" && (k != name || value != "" && strings.TrimSpace(x) != value) {
				out.Add(k, x)
			}
		}
	}
	return out
}

// address joins a path and its query.
func address(path string, v url.Values) string {
	if len(v) == 0 {
		return path
	}
	return path + "?" + v.Encode()
}
