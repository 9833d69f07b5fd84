// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

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
	Groups   []FacetGroup
	Chips    []Chip // what is chosen, each with the address without it
	Reset    string // the address without any choice
	Next     string // address of the next page
	First    string // address of the first page, from the second on
	Near     string
	Radius   string
	Origin   string
	Upcoming string // of meetings: "" for those to come, "passees" for all
	Problems essaim.Problems
	Formats  []FormatLink // the same for programs
	Map      *MapView     // of the same search, on the page that shows it
	Towns    []Town       // the list under the map, by commune
	Box      string       // the part of the map that was chosen
	AsList   string       // address of the same search as a list, and on the map
	AsMap    string
	Embed    string // of the code that shows it on another site
	// FollowForm is of the feed of the theme or commune that was chosen.
	FollowForm
}

// FacetGroup is one question of the panel: its name and its values.
type FacetGroup struct {
	Name, Legend string
	Options      []FacetOption
}

// FacetOption is a value that may be ticked.
type FacetOption struct {
	Value, Label string
	Count        string // empty when not counted
	Checked      bool
	Narrower     bool // below the option before it that is not
}

// Chip is a choice that can be taken back.
type Chip struct{ Label, Path string }

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
	v := r.URL.Query()
	q, problems := s.listQuery("", v)
	p := &ListPage{Action: "/recherche"}
	l := s.locale(r)
	p.Title, p.Description = l.T("search.title"), l.T("search.lede")
	p.NoIndex = len(v) > 0
	if q.Text != "" {
		p.Title = l.F("search.results_for", "Text", q.Text)
	}
	p.Section = "recherche"
	return s.list(w, r, p, q, v, problems)
}

// list runs a query and fills what lists share.
func (s *Server) list(w http.ResponseWriter, r *http.Request, p *ListPage, q essaim.Query, v url.Values, problems essaim.Problems) error {
	l := s.locale(r)
	p.Query, p.Near, p.Radius, p.Origin, p.Box = q.Text, v.Get(paramNear), v.Get(paramRadius), q.Origin, v.Get(paramBox)
	p.Crumbs = []Crumb{{l.T("nav.home"), "/"}, {p.Title, ""}}
	p.Problems = problems
	status := http.StatusOK
	if len(problems) > 0 {
		// What was typed stays in the form, with the reason beside it.
		s.fillFacets(p, l, q, essaim.Facets{})
		p.NoIndex = true
		return s.render(w, r, http.StatusBadRequest, "list", p)
	}
	p.Formats = s.formatLinks(l, p.Title, p.Kind, p.asList(), v)
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
	p.Total, p.Capped = res.Total, res.Capped
	if p.Cards, err = s.cards(r.Context(), res.Records); err != nil {
		return err
	}
	near(p.Cards, q.Near)
	p.bothWays(v)
	if p.Map != nil {
		p.Towns = s.towns(l, p.Cards, res.Facets, v)
	}
	s.fillFacets(p, l, q, res.Facets)
	s.fillChips(p, l, q, v)
	if err := s.offerFeed(r, p, q); err != nil {
		return err
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

// asList is the path of the same as a list.
func (p *ListPage) asList() string {
	if p.Map != nil {
		return "/recherche"
	}
	return p.Action
}

// bothWays names the addresses of the same search as a list and on the map.
func (p *ListPage) bothWays(v url.Values) {
	rest := without(v, "", "")
	p.AsList = address(p.asList(), rest)
	if p.Kind != "" {
		rest.Set(paramKind, string(p.Kind))
	}
	p.AsMap, p.Embed = address(mapPath, rest), embedOf(rest)
}

// fillFacets makes the panel. A value that was chosen stays visible when
// nothing has it any more.
func (s *Server) fillFacets(p *ListPage, l *locale, q essaim.Query, f essaim.Facets) {
	if p.Kind == "" {
		chosen := make([]string, len(q.Kinds))
		for i, k := range q.Kinds {
			chosen[i] = string(k)
		}
		g := FacetGroup{Name: paramKind, Legend: l.T("facet.kind")}
		for _, k := range essaim.Kinds() {
			g.add(l, string(k.Kind), l.T("kinds."+string(k.Kind)), f.Kinds, chosen)
		}
		p.Groups = append(p.Groups, g)
	}
	g := FacetGroup{Name: paramTheme, Legend: l.T("facet.theme")}
	thesaurus := s.themes.get()
	for _, t := range thesaurus.Themes() {
		g.add(l, t.ID, t.Label(l.lang), f.Themes, q.Themes)
	}
	for _, c := range f.Themes { // local concepts of other nodes
		if _, known := thesaurus.Theme(c.Value); !known {
			g.add(l, c.Value, l.theme(c.Value), f.Themes, q.Themes)
		}
	}
	g.mark(thesaurus.Thesaurus)
	p.Groups = append(p.Groups, g)
	if p.Kind == "" || p.Kind == essaim.KindInitiative {
		g := FacetGroup{Name: paramStage, Legend: l.T("facet.stage")}
		for _, t := range essaim.ListStage.Terms() {
			g.add(l, t.ID, t.Label(l.lang), f.Stages, q.Stages)
		}
		p.Groups = append(p.Groups, g)
	}
	g = FacetGroup{Name: paramTerritory, Legend: l.T("facet.territory")}
	for _, c := range f.Territories {
		g.add(l, c.Value, s.territoryName(c), f.Territories, q.Territories)
	}
	for _, t := range q.Territories {
		if !slices.ContainsFunc(f.Territories, func(c essaim.Count) bool { return c.Value == t }) {
			g.add(l, t, s.territoryName(essaim.Count{Value: t}), nil, q.Territories)
		}
	}
	p.Groups = append(p.Groups, g)
}

func (s *Server) territoryName(c essaim.Count) string {
	switch {
	case c.Label != "":
		return c.Label
	case c.Value == s.cfg.Node.Territory.Actor:
		return s.cfg.Node.Territory.Name
	}
	return siteName(c.Value)
}

// add puts a value in the panel when it is counted or chosen.
func (g *FacetGroup) add(l *locale, value, label string, counts []essaim.Count, chosen []string) {
	o := FacetOption{Value: value, Label: label, Checked: slices.Contains(chosen, value)}
	i := slices.IndexFunc(counts, func(c essaim.Count) bool { return c.Value == value })
	if i >= 0 {
		o.Count = l.Counted(counts[i].N, counts[i].Capped)
	}
	if i >= 0 || o.Checked {
		g.Options = append(g.Options, o)
	}
}

// mark sets the narrower themes below their broader one where it is shown too.
func (g *FacetGroup) mark(all essaim.Thesaurus) {
	shown := map[string]bool{}
	for i, o := range g.Options {
		shown[o.Value] = true
		if t, ok := all.Theme(o.Value); ok && t.Broader != "" && shown[t.Broader] {
			g.Options[i].Narrower = true
		}
	}
}

// fillChips names what was chosen, each with the address that takes it back.
func (s *Server) fillChips(p *ListPage, l *locale, q essaim.Query, v url.Values) {
	add := func(name, value, label string) {
		p.Chips = append(p.Chips, Chip{label, address(p.Action, without(v, name, value))})
	}
	if q.Text != "" {
		add(paramText, q.Text, l.F("chip.text", "Text", q.Text))
	}
	for _, g := range p.Groups {
		for _, o := range g.Options {
			if o.Checked {
				add(g.Name, o.Value, o.Label)
			}
		}
	}
	if q.Near != nil {
		rest := without(v, paramNear, "")
		rest.Del(paramRadius)
		label := l.F("chip.near", "Place", p.Near, "Radius", l.Number(int(q.Near.Radius)))
		p.Chips = append(p.Chips, Chip{label, address(p.Action, rest)})
	}
	switch q.Origin {
	case "":
	case "local":
		add(paramOrigin, q.Origin, l.F("chip.local", "Territory", s.cfg.Node.Territory.Name))
	default:
		add(paramOrigin, q.Origin, l.F("chip.origin", "Host", q.Origin))
	}
	if q.Box != nil {
		add(paramBox, "", l.T("chip.box"))
	}
	if len(p.Chips) > 0 {
		p.Reset = p.Action
	}
}
