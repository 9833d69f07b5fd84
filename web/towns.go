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
	Count string // how many of the whole result; empty when not counted
	Path  string // address of the map of what is there
	Cards []Card
	n     int
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
			towns = append(towns, s.town(l, code, f, v))
		}
		towns[i].Cards = append(towns[i].Cards, c)
	}
	slices.SortStableFunc(towns, func(a, b Town) int { return cmp.Compare(b.n, a.n) })
	return towns
}

func (s *Server) town(l *locale, code string, f essaim.Facets, v url.Values) Town {
	c, ok := s.cfg.Gazetteer.Commune(code)
	if !ok {
		return Town{n: -1}
	}
	there := without(v, paramBox, "")
	there.Set(paramCommune, c.Code)
	t := Town{Name: c.Name, Path: address(mapPath, there)}
	// Where communes are chosen, others are counted as if each were chosen instead.
	counted := len(v[paramCommune]) == 0 || slices.Contains(v[paramCommune], code)
	if i := slices.IndexFunc(f.Communes, func(n essaim.Count) bool { return n.Value == code }); i >= 0 && counted {
		t.n, t.Count = f.Communes[i].N, l.N("list.count", f.Communes[i].N)
		if f.Communes[i].Capped {
			t.Count = l.F("list.capped", "Count", l.Number(f.Communes[i].N))
		}
	}
	return t
}
