// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"essaim"
)

// parseFacets reads what is chosen of each facet, and writes it back as the
// panel has it: a commune may be called by its name, a public as people write it.
func (s *Server) parseFacets(v url.Values, q *essaim.Query, p essaim.Problems) {
	for _, k := range given(v, paramKind) {
		if _, ok := essaim.Kind(k).Info(); !ok {
			p.Add(paramKind, "unknown")
			continue
		}
		q.Kinds = append(q.Kinds, essaim.Kind(k))
	}
	q.Themes, q.Territories = given(v, paramTheme), given(v, paramTerritory)
	read := func(name string, known func(string) (string, bool)) (values []string) {
		for _, typed := range given(v, name) {
			value, ok := known(typed)
			if !ok {
				p.Add(name, "unknown")
			} else if !slices.Contains(values, value) {
				values = append(values, value)
			}
		}
		if len(values) > 0 && len(p) == 0 {
			v[name] = values
		}
		return values
	}
	in := func(l essaim.List) func(string) (string, bool) {
		return func(id string) (string, bool) { return id, l.Has(id) }
	}
	q.Stages, q.Purposes = read(paramStage, in(essaim.ListStage)), read(paramPurpose, in(essaim.ListPurpose))
	q.Licences = read(paramLicence, func(id string) (string, bool) {
		l, ok := essaim.LicenceByID(id)
		return l.ID, ok
	})
	q.Publics = read(paramPublic, func(word string) (string, bool) {
		word = essaim.Slug(word)
		return word, word != ""
	})
	q.Communes = read(paramCommune, func(words string) (string, bool) {
		c, ok := s.findCommune(words)
		return c.Code, ok
	})
	q.NeedsHelp = len(read(paramHelp, func(one string) (string, bool) { return one, one == essaim.FacetHelp })) > 0
}

// parseDates reads the bounds in time: of the last change, and of the days of
// meetings.
func (s *Server) parseDates(v url.Values, q *essaim.Query, p essaim.Problems) {
	instant := func(name string, days int) time.Time {
		typed := strings.TrimSpace(v.Get(name))
		if typed == "" {
			return time.Time{}
		}
		if t, err := time.Parse(time.RFC3339, typed); err == nil {
			return t
		}
		t, err := time.ParseInLocation(time.DateOnly, typed, s.cfg.Zone)
		if err != nil {
			p.Add(name, "bad_date")
			return t
		}
		return t.AddDate(0, 0, days)
	}
	q.Since, q.Until = instant(paramSince, 0), instant(paramUntil, 1) // the day itself is meant too
	day := func(name string) string {
		typed := strings.TrimSpace(v.Get(name))
		if _, err := time.Parse(time.DateOnly, typed); typed != "" && err != nil {
			p.Add(name, "bad_date")
			return ""
		}
		return typed
	}
	q.From, q.To = day(paramFrom), day(paramTo)
	if q.To != "" && q.To < q.From {
		p.Add(paramTo, "before_start")
	}
}

// upcoming is from when on meetings are listed, soonest first: now, or the first
// day asked for. It is zero for days that are all past, and for all of them.
func (s *Server) upcoming(v url.Values, q *essaim.Query) time.Time {
	now := s.now().In(s.cfg.Zone) // facets are counted as of its day
	if q.From != "" {
		t, _ := time.ParseInLocation(time.DateOnly, q.From, s.cfg.Zone)
		return t
	}
	if v.Get(paramWhen) != "" || q.To != "" && q.To < now.Format(time.DateOnly) {
		return time.Time{}
	}
	return now
}
