// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"cmp"
	"net/url"
	"slices"

	"essaim"
)

// Town is a part of the list under a map: what of it is in one commune.
type Town struct {
	Name  string // empty for what names no commune
	Count string // how many are listed, of how many there are when more are known
	Path  string // address of the map of what is there
	Cards []Card
	All   string // address of the list of what is there, when more is than is listed
	See   string // and its words
	there essaim.Count
}

// mapCards is how many records the list under a map names: they are lines.
const mapCards = 60

// towns puts the list of a map in order by commune, those with the most first.
func (s *Server) towns(l *locale, list []Card, f essaim.Facets, v url.Values) []Town {
	var towns []Town
	at := map[string]int{}
	for _, c := range list {
		code := ""
		if len(c.Places) > 0 {
			code = c.Places[0].INSEE
		}
		i, known := at[code]
		if !known {
			i = len(towns)
			at[code] = i
			towns = append(towns, s.town(code, f, v))
		}
		towns[i].Cards = append(towns[i].Cards, c)
	}
	for i := range towns {
		towns[i].count(l, v)
	}
	slices.SortStableFunc(towns, func(a, b Town) int { return cmp.Compare(b.there.N, a.there.N) })
	return towns
}

// count says how many are listed and, when the result has more there, leads to all.
func (t *Town) count(l *locale, v url.Values) {
	t.Count = l.N("list.count", len(t.Cards))
	if t.Name == "" || t.there.N <= len(t.Cards) && !t.there.Capped {
		return
	}
	t.Count = l.F("map.of", "Listed", t.Count, "Total", l.Counted(t.there.N, t.there.Capped))
	all := without(v, paramCommune, "")
	all.Set(paramCommune, t.there.Value)
	t.All, t.See = address("/recherche", all), l.N("home.all", t.there.N)
	if t.there.Capped {
		t.See = l.F("list.capped", "Count", l.Number(t.there.N))
	}
}

func (s *Server) town(code string, f essaim.Facets, v url.Values) Town {
	c, ok := s.cfg.Gazetteer.Commune(code)
	if !ok {
		return Town{there: essaim.Count{N: -1}} // last
	}
	there := without(v, paramBox, "")
	there.Set(paramCommune, c.Code)
	t := Town{Name: c.Name, Path: address(mapPath, there)}
	// Where communes are chosen, others are counted as if each were chosen instead.
	counted := len(v[paramCommune]) == 0 || slices.Contains(v[paramCommune], code)
	if i := slices.IndexFunc(f.Communes, func(n essaim.Count) bool { return n.Value == code }); i >= 0 && counted {
		t.there = f.Communes[i]
	}
	return t
}
