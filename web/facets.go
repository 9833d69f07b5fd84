// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"net/url"
	"slices"
	"time"

	"essaim"
)

// FacetGroup is one question of the panel: its name and its values.
type FacetGroup struct {
	Name, Legend string
	Options      []FacetOption
	Chosen       int  // how many are
	Open         bool // unfolded at first
}

// FacetOption is a value that may be ticked.
type FacetOption struct {
	Value, Label string
	Count        string // empty when not counted
	Checked      bool
	Narrower     bool // below the option before it that is not
}

// Chip is a choice that can be taken back.
type Chip struct {
	Label, Path string
	Text        bool // it is what was typed, which its field shows too
}

// DateField is a bound in time. One that is given as an instant has no field, and
// is kept.
type DateField struct {
	Name, Label, Value string
	Hidden             bool
}

// dateFields are the days of meetings, or those of the last change; others stay
// as they were given.
func dateFields(k essaim.Kind, l *locale, v url.Values, problems essaim.Problems) (fields []DateField) {
	for _, name := range []string{paramFrom, paramTo, paramSince, paramUntil} {
		f := DateField{Name: name, Label: l.T("facet." + name), Value: v.Get(name)}
		_, notInstant := time.Parse(time.RFC3339, f.Value)
		ofMeetings := name == paramFrom || name == paramTo
		f.Hidden = (ofMeetings != (k == essaim.KindMeeting) || notInstant == nil) && problems[name] == ""
		if !f.Hidden || f.Value != "" {
			fields = append(fields, f)
		}
	}
	return fields
}

// dayTyped is a day or an instant in words.
func (l *locale) dayTyped(typed string) string {
	if t, err := time.Parse(time.RFC3339, typed); err == nil {
		return l.Date(t)
	}
	return l.Partial(typed)
}

// fillFacets makes the panel. A value that was chosen stays visible when
// nothing has it any more.
func (s *Server) fillFacets(p *ListPage, l *locale, q essaim.Query, f essaim.Facets) {
	group := func(name string) *FacetGroup {
		p.Groups = append(p.Groups, FacetGroup{Name: name, Legend: l.T("facet." + name)})
		return &p.Groups[len(p.Groups)-1]
	}
	if p.Kind == "" {
		chosen := make([]string, len(q.Kinds))
		for i, k := range q.Kinds {
			chosen[i] = string(k)
		}
		g := group(paramKind)
		for _, k := range essaim.Kinds() {
			g.add(l, string(k.Kind), l.T("kinds."+string(k.Kind)), f.Kinds, chosen)
		}
	}
	s.addThemes(group(paramTheme), l, f.Themes, q.Themes)
	group(paramCommune).addAll(l, f.Communes, q.Communes, s.communeName)
	if p.Kind == "" || p.Kind == essaim.KindInitiative {
		group(paramStage).addTerms(l, essaim.ListStage, f.Stages, q.Stages)
		group(paramPurpose).addTerms(l, essaim.ListPurpose, f.Purposes, q.Purposes)
		group(paramPublic).addAll(l, f.Publics, q.Publics, func(c essaim.Count) string {
			if c.Label != "" {
				return c.Label
			}
			return c.Value
		})
	}
	var help []string
	if q.NeedsHelp {
		help = []string{essaim.FacetHelp}
	}
	group(paramHelp).add(l, essaim.FacetHelp, l.T("facet.needs_help"), f.NeedsHelp, help)
	group(paramTerritory).addAll(l, f.Territories, q.Territories, s.territoryName)
	g := group(paramLicence)
	for _, licence := range essaim.Licences() {
		g.add(l, licence.ID, licence.Name, f.Licences, q.Licences)
	}
	for i := range p.Groups {
		g := &p.Groups[i]
		for _, o := range g.Options {
			if o.Checked {
				g.Chosen++
			}
		}
		g.Open = i == 0 || g.Chosen > 0
	}
}

// addThemes lists the thesaurus in its order, then the local concepts of other
// nodes.
func (s *Server) addThemes(g *FacetGroup, l *locale, counts []essaim.Count, chosen []string) {
	thesaurus := s.themes.get()
	for _, t := range thesaurus.Themes() {
		g.add(l, t.ID, l.label(t), counts, chosen)
	}
	for _, c := range counts {
		if _, known := thesaurus.Theme(c.Value); !known {
			g.add(l, c.Value, l.theme(c.Value), counts, chosen)
		}
	}
	g.mark(thesaurus.Thesaurus)
}

// addTerms lists a closed list in its order.
func (g *FacetGroup) addTerms(l *locale, list essaim.List, counts []essaim.Count, chosen []string) {
	for _, t := range list.Terms() {
		g.add(l, t.ID, l.label(t), counts, chosen)
	}
}

// addAll lists values as they are counted, then those chosen that nothing has.
func (g *FacetGroup) addAll(l *locale, counts []essaim.Count, chosen []string, label func(essaim.Count) string) {
	for _, c := range counts {
		g.add(l, c.Value, label(c), counts, chosen)
	}
	for _, value := range chosen {
		if !slices.ContainsFunc(counts, func(c essaim.Count) bool { return c.Value == value }) {
			g.add(l, value, label(essaim.Count{Value: value}), nil, chosen)
		}
	}
}

// communeName tells apart the many communes of one name.
func (s *Server) communeName(c essaim.Count) string {
	if commune, ok := s.cfg.Gazetteer.Commune(c.Value); ok {
		return commune.Name + " (" + commune.Departement + ")"
	}
	return c.Value
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
		p.Chips = append(p.Chips, Chip{label, address(p.Action, without(v, name, value)), name == paramText})
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
		label := l.F("chip.near", "Place", s.nearName(v), "Distance", l.Kilometres(q.Near.Radius))
		p.Chips = append(p.Chips, Chip{label, address(p.Action, rest), false})
	}
	for _, d := range dateFields(p.Kind, l, v, p.Problems) {
		if d.Value != "" {
			add(d.Name, "", l.F("chip."+d.Name, "Date", l.dayTyped(d.Value)))
		}
	}
	switch q.Origin {
	case "":
	case essaim.OriginLocal:
		add(paramOrigin, q.Origin, l.F("chip.local", "Territory", s.cfg.Node.Territory.Name))
	case essaim.OriginElsewhere:
		add(paramOrigin, q.Origin, l.T("chip.elsewhere"))
	default:
		p.Origin = q.Origin // of a list without a panel too
		add(paramOrigin, q.Origin, l.F("chip.origin", "Territory", p.OriginName()))
	}
	if q.Box != nil {
		add(paramBox, "", l.T("chip.box"))
	}
	if len(p.Chips) > 0 {
		p.Reset = p.Action
	}
}

// Narrowed is how many choices were made besides the words.
func (p *ListPage) Narrowed() (n int) {
	for _, c := range p.Chips {
		if !c.Text {
			n++
		}
	}
	return n
}

// OriginName is the territory of the node that was asked for, its host while
// nothing of it is shown.
func (p *ListPage) OriginName() string {
	for _, c := range p.Cards {
		if c.Origin == p.Origin && c.Remote() {
			return c.TerritoryName
		}
	}
	return p.Origin
}

// apiFacets are facets as the API gives them: what the panel shows that is counted.
func (s *Server) apiFacets(l *locale, f essaim.Facets) map[string][]APICount {
	var p ListPage
	s.fillFacets(&p, l, essaim.Query{}, f)
	counts := map[string][]essaim.Count{
		paramKind: f.Kinds, paramTheme: f.Themes, paramTerritory: f.Territories, paramStage: f.Stages, paramCommune: f.Communes,
		paramPurpose: f.Purposes, paramPublic: f.Publics, paramLicence: f.Licences, paramHelp: f.NeedsHelp,
	}
	out := make(map[string][]APICount, len(counts))
	for _, g := range p.Groups {
		out[g.Name] = []APICount{}
		for _, o := range g.Options {
			for _, c := range counts[g.Name] {
				if c.Value == o.Value {
					out[g.Name] = append(out[g.Name], APICount{Value: c.Value, Label: o.Label, Count: c.N, Capped: c.Capped})
				}
			}
		}
	}
	return out
}
