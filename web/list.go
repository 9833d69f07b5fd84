// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"essaim"
)

// ListPage is a list of records of one kind, or the search over all.
type ListPage struct {
	Base
	Kind     essaim.Kind // empty for the search
	Action   string      // where the form of facets leads
	Cards    []Card
	Total    int
	Capped   bool
	Least    bool      // there may be more
	Back     time.Time // since when what changed was looked at, where the page ends there
	Groups   []FacetGroup
	Chips    []Chip // what is chosen, each with the address without it
	Reset    string // the address without any choice
	Next     string // address of the next page
	First    string // address of the first page, from the second on
	Booklet  string // the same selection to print; empty when there is nothing
	Lot      string // one of the same at random
	Near     string
	Radius   string
	Origin   string
	Upcoming string // of meetings: "" for those to come, "passees" for all
	Dates    []DateField
	Problems essaim.Problems
	Formats  []FormatLink // the same for programs
	Map      *MapView     // of the same search, on the page that shows it
	Towns    []Town       // the list under the map, by commune
	Uneven   bool         // the map counts other than the list: see map.uneven
	Box      string       // the part of the map that was chosen
	AsList   string       // address of the same search as a list, and on the map
	AsMap    string
	Embed    string // of the code that shows it on another site
	// FollowForm is of the feed of the theme or commune that was chosen.
	FollowForm
}

// paramWhen asks for past meetings too.
const paramWhen = "quand"

// listKind lists the records of one kind.
func (s *Server) listKind(k essaim.KindInfo) handlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		v := r.URL.Query()
		q, problems := s.listQuery(k.Kind, v)
		p := &ListPage{Kind: k.Kind, Action: "/" + k.Path}
		l := s.locale(r)
		p.Title, p.Description = l.T("kinds."+string(k.Kind)), l.F("list."+string(k.Kind)+".lede", "Territory", s.cfg.Node.Territory.Name)
		p.Section = k.Path
		if k.Kind == essaim.KindMeeting {
			p.Upcoming = v.Get(paramWhen)
		}
		return s.list(w, r, p, q, v, problems)
	}
}

// search looks through all kinds.
func (s *Server) search(w http.ResponseWriter, r *http.Request) error {
	v := s.fromToday(r.URL.Query())
	q, problems := s.listQuery("", v)
	p := &ListPage{Action: "/recherche"}
	l := s.locale(r)
	p.Title, p.Description = l.T("search.title"), l.T("search.lede")
	p.NoIndex = askedOf(r) != p.Action
	if q.Text != "" {
		p.Title = l.F("search.results_for", "Text", q.Text)
	}
	p.Section = "recherche"
	return s.list(w, r, p, q, v, problems)
}

// list runs a query and fills what lists share.
func (s *Server) list(w http.ResponseWriter, r *http.Request, p *ListPage, q essaim.Query, v url.Values, problems essaim.Problems) error {
	l := s.locale(r)
	p.Query, p.Near, p.Radius, p.Origin, p.Box = q.Text, s.nearTyped(v), v.Get(paramRadius), q.Origin, v.Get(paramBox)
	p.Crumbs = []Crumb{{l.T("nav.home"), "/"}, {p.Title, ""}}
	p.Problems = problems
	p.Dates = dateFields(p.Kind, l, v, problems)
	status := http.StatusOK
	if len(problems) > 0 {
		// What was typed stays in the form, with the reason beside it.
		s.fillFacets(p, l, q, essaim.Facets{})
		p.NoIndex = true
		return s.render(w, r, http.StatusBadRequest, "list", p)
	}
	kept := v
	if p.Map != nil {
		kept = s.toCome(v)
	}
	p.Formats = s.formatLinks(l, p.Title, p.Kind, p.asList(), kept)
	p.Alternates = p.Formats
	q.Facets = true
	if q.Limit == 0 {
		if q.Limit = 24; p.Map != nil {
			q.Limit = mapCards
		}
	}
	res, err := s.store.Search(r.Context(), q)
	if errors.Is(err, essaim.ErrInvalid) {
		p.Problems = essaim.Problems{paramText: "bad_query"}
		s.fillFacets(p, l, q, essaim.Facets{})
		return s.render(w, r, http.StatusBadRequest, "list", p)
	}
	if err != nil {
		return fmt.Errorf("list: %w", err)
	}
	p.Total, p.Capped, p.Least, p.Back = res.Total, res.Capped, res.Least, res.Back
	if p.Cards, err = s.cards(r.Context(), res.Records); err != nil {
		return err
	}
	near(p.Cards, q.Near)
	unnamed(p.Cards, q.Origin)
	p.bothWays(v, s.now().In(s.cfg.Zone).Format(time.DateOnly))
	if p.Map != nil {
		p.Towns = s.towns(l, p.Cards, res.Facets, v)
		p.Uneven = p.Box == "" && !p.Map.Partial && p.Map.Total != p.Total
	}
	if len(p.Cards) > 0 {
		chosen := chosenOf(p, v)
		p.Booklet = address(bookletPath, chosen)
		if q.After == "" || !res.Least { // one is drawn from what was looked at first
			p.Lot = address(lotPath, chosen)
		}
	}
	s.fillFacets(p, l, q, res.Facets)
	s.fillChips(p, l, q, v)
	p.NoIndex = p.NoIndex || p.mixed()
	if err := s.offerFeed(r, p, q); err != nil {
		return err
	}
	if p.Data == nil && !p.NoIndex {
		p.Data = s.structuredList(p, askedOf(r))
	}
	if res.Next != "" {
		next := without(v, "", "")
		next.Set(paramPage, res.Next)
		p.Next = address(p.Action, next)
	}
	if q.After != "" {
		p.First = address(p.Action, without(v, "", ""))
		p.NoIndex = true
	}
	return s.render(w, r, status, "list", p)
}

// mixed tells whether more was chosen than one value of the panel: lists of one theme
// or stage are few, what can be made of all is without end.
func (p *ListPage) mixed() bool {
	values := 0
	for _, g := range p.Groups {
		values += g.Chosen
	}
	return len(p.Chips) > min(values, 1)
}

// asList is the path of the same as a list.
func (p *ListPage) asList() string {
	if p.Map != nil {
		return "/recherche"
	}
	return p.Action
}

// bothWays names the addresses of the same search as a list and on the map. A map
// knows no hours: of meetings to come it shows those of today and later.
func (p *ListPage) bothWays(v url.Values, today string) {
	rest := without(v, "", "")
	p.AsList = address(p.asList(), rest)
	if p.Kind != "" {
		rest.Set(paramKind, string(p.Kind))
	}
	if p.Kind == essaim.KindMeeting {
		if !rest.Has(paramWhen) && !rest.Has(paramFrom) && !rest.Has(paramTo) {
			rest.Set(paramFrom, today)
		}
		rest.Del(paramWhen)
	}
	p.AsMap, p.Embed = address(mapPath, rest), embedOf(rest)
}
