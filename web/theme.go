// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/go-chi/chi/v5"

	"essaim"
)

// IndexPage lists all subjects of a sort, with how many records each has.
type IndexPage struct {
	Base
	Branches []Branch
	Empty    string // what to do when there is none
	Find     bool   // a commune may be asked for by its name
}

// Branch is a subject with those below it. One without an address is a heading.
type Branch struct {
	Tag
	Below []Tag
}

func themePath(id string) string { return "/themes/" + url.PathEscape(id) }

// showThemes is the tree of themes.
func (s *Server) showThemes(w http.ResponseWriter, r *http.Request) error {
	res, err := s.store.Search(r.Context(), essaim.Query{Facets: true, Limit: 1})
	if err != nil {
		return fmt.Errorf("themes: %w", err)
	}
	l := s.locale(r)
	thesaurus := s.themes.get()
	p := &IndexPage{}
	counts := countsOf(l, res.Facets.Themes)
	at := map[string]int{}
	none := Branch{Tag: Tag{Label: l.T("themes.empty")}} // last, so that nobody goes there in vain
	for _, t := range thesaurus.Themes() {
		tag := Tag{l.label(t), themePath(t.ID), counts[t.ID]}
		i, ok := at[t.Broader]
		switch {
		case tag.Count == "":
			none.Below = append(none.Below, tag)
		case ok:
			p.Branches[i].Below = append(p.Branches[i].Below, tag)
		default:
			at[t.ID] = len(p.Branches)
			p.Branches = append(p.Branches, Branch{Tag: tag})
		}
	}
	others := Branch{Tag: Tag{Label: l.T("themes.others")}}
	for _, c := range res.Facets.Themes { // local concepts of other nodes
		if _, known := thesaurus.Theme(c.Value); !known {
			others.Below = append(others.Below, Tag{l.theme(c.Value), themePath(c.Value), counts[c.Value]})
		}
	}
	for _, b := range []Branch{others, none} {
		if len(b.Below) > 0 {
			p.Branches = append(p.Branches, b)
		}
	}
	p.Title, p.Description, p.Section = l.T("themes.title"), l.T("themes.lede"), "themes"
	p.Crumbs = []Crumb{{l.T("nav.home"), "/"}, {p.Title, ""}}
	return s.render(w, r, http.StatusOK, "index", p)
}

// countsOf are a facet's counts in words, by value.
func countsOf(l *locale, facet []essaim.Count) map[string]string {
	counts := make(map[string]string, len(facet))
	for _, c := range facet {
		counts[c.Value] = l.Counted(c.N, c.Capped)
	}
	return counts
}

// showTheme shows what is done about a theme, here and elsewhere.
func (s *Server) showTheme(w http.ResponseWriter, r *http.Request) error {
	id, err := url.PathUnescape(chi.URLParam(r, "id"))
	if err != nil || len(id) > 300 {
		return errPageNotFound
	}
	l, ctx := s.locale(r), r.Context()
	thesaurus := s.themes.get()
	theme, known := thesaurus.Theme(id)
	v, q := url.Values{paramTheme: {id}}, essaim.Query{Themes: []string{id}}
	name := l.theme(id)
	p := &SubjectPage{Sort: "theme"}
	up := Crumb{l.T("themes.title"), "/themes"}
	if theme.Broader != "" {
		up = Crumb{l.theme(theme.Broader), themePath(theme.Broader)}
	}
	shelves, found, err := s.fillShelves(ctx, []shelfQuery{
		{withOrigin(q, essaim.OriginLocal), Shelf{
			Title: l.F("subject.here", "Territory", s.cfg.Node.Territory.Name), Empty: l.F("theme.none_here", "Territory", s.cfg.Node.Territory.Name),
			Action: up.Path, Do: up.Name,
		}, with(v, paramOrigin, essaim.OriginLocal)},
		{withOrigin(q, essaim.OriginElsewhere), Shelf{
			Title: l.T("subject.elsewhere"), Empty: l.T("theme.none_elsewhere"), Action: "/territoires", Do: l.T("network.title"),
		}, with(v, paramOrigin, essaim.OriginElsewhere)},
		{essaim.Query{Themes: q.Themes, Kinds: []essaim.Kind{essaim.KindMeeting}, Upcoming: s.now(), Limit: 4}, Shelf{
			Title: l.T("home.meetings"), More: address("/rencontres", v),
		}, v},
		{essaim.Query{Facets: true, Limit: 1}, Shelf{}, v},
	})
	if err != nil {
		return fmt.Errorf("theme %s: %w", id, err)
	}
	p.Shelves = shelves
	all := found[len(found)-1].Facets.Themes
	if !known && !slices.ContainsFunc(all, func(c essaim.Count) bool { return c.Value == id }) {
		return errPageNotFound
	}
	p.Also = theme.Synonyms
	counts := countsOf(l, all)
	var narrower []Tag
	for _, t := range thesaurus.Themes() {
		if t.Broader == id {
			narrower = append(narrower, Tag{l.label(t), themePath(t.ID), counts[t.ID]})
		}
	}
	p.addTags(l.T("theme.narrower"), narrower)
	if theme.Broader != "" {
		p.addTags(l.T("theme.broader"), []Tag{{up.Name, up.Path, counts[theme.Broader]}})
	}
	p.Title, p.Section = name, "themes"
	p.Description = l.F("theme.lede", "Theme", name)
	if err := s.offerFeedOf(r, p, essaim.ActorTheme, id); err != nil {
		return err
	}
	return s.subject(w, r, p, v, up)
}

func withOrigin(q essaim.Query, origin string) essaim.Query {
	q.Origin = origin
	return q
}
