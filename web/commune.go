// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/go-chi/chi/v5"

	"essaim"
)

const (
	// indexedCommunes is how many communes their index lists.
	indexedCommunes = 2000
	// aroundCommune is how far its page looks around it, in kilometres.
	aroundCommune = 20
)

func communePath(code string) string { return "/communes/" + code }

// showCommunes lists the communes of which there are records, those of the
// territory first, then by département.
func (s *Server) showCommunes(w http.ResponseWriter, r *http.Request) error {
	counts, err := s.store.Communes(r.Context(), indexedCommunes)
	if err != nil {
		return err
	}
	l := s.locale(r)
	p := &IndexPage{Empty: l.T("communes.empty"), Find: true}
	branches := map[string]*Branch{}
	for _, c := range counts {
		commune, ok := s.cfg.Gazetteer.Commune(c.Value)
		if !ok {
			continue
		}
		key := "" // sorts first
		label := l.F("subject.here", "Territory", s.cfg.Node.Territory.Name)
		if !s.cfg.Gazetteer.Covers(s.cfg.Node.Territory, c.Value) {
			key, label = commune.Departement, l.F("place.departement", "Code", commune.Departement)
			if d, ok := s.cfg.Gazetteer.Departement(commune.Departement); ok {
				label = d.Name
			}
		}
		b := branches[key]
		if b == nil {
			b = &Branch{Tag: Tag{Label: label}}
			branches[key] = b
		}
		b.Below = append(b.Below, Tag{commune.Name, communePath(c.Value), l.Counted(c.N, c.Capped)})
	}
	keys := make([]string, 0, len(branches))
	for k := range branches {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		slices.SortFunc(branches[k].Below, func(a, b Tag) int {
			return cmp.Or(cmp.Compare(essaim.Slug(a.Label), essaim.Slug(b.Label)), cmp.Compare(a.Path, b.Path))
		})
		p.Branches = append(p.Branches, *branches[k])
	}
	p.Title, p.Description, p.Section = l.T("communes.title"), l.T("communes.lede"), "communes"
	p.Crumbs = []Crumb{{l.T("nav.home"), "/"}, {p.Title, ""}}
	return s.render(w, r, http.StatusOK, "index", p)
}

// showCommune shows what there is in a commune, meetings to come, and what is
// around it.
func (s *Server) showCommune(w http.ResponseWriter, r *http.Request) error {
	commune, ok := s.cfg.Gazetteer.Commune(chi.URLParam(r, "insee"))
	if !ok {
		return errPageNotFound
	}
	l, in := s.locale(r), []string{commune.Code}
	v := url.Values{paramCommune: in}
	near := url.Values{paramNear: in, paramRadius: {fmt.Sprint(aroundCommune)}}
	asked := []shelfQuery{
		{essaim.Query{Communes: in, Facets: true}, Shelf{
			Title: l.T("commune.there"), Empty: l.F("commune.none", "Commune", commune.Name), Action: "/communes", Do: l.T("communes.title"),
		}, v},
		{essaim.Query{Communes: in, Kinds: []essaim.Kind{essaim.KindMeeting}, Upcoming: s.now(), Limit: 4}, Shelf{
			Title: l.T("home.meetings"), More: address("/rencontres", v),
		}, v},
	}
	if commune.Located() {
		around := essaim.Query{Near: &essaim.Circle{Lat: commune.Lat, Lon: commune.Lon, Radius: aroundCommune}, Beyond: in}
		km := l.Kilometres(aroundCommune)
		asked = append(asked, shelfQuery{around, Shelf{Title: l.F("commune.around", "Distance", km), See: l.F("commune.around_all", "Distance", km)}, near})
	}
	p := &SubjectPage{Sort: "commune"}
	shelves, found, err := s.fillShelves(r.Context(), asked)
	if err != nil {
		return fmt.Errorf("commune %s: %w", commune.Code, err)
	}
	p.Shelves = shelves
	p.addTags(l.T("home.themes"), s.themeTags(l, found[0].Facets.Themes, v))
	p.Title, p.Section = commune.Name, "communes"
	p.Description = l.F("commune.lede", "Commune", commune.Name)
	p.NoIndex = found[0].Total == 0 // one of thousands of empty pages
	if err := s.offerFeedOf(r, p, essaim.ActorCommune, commune.Code); err != nil {
		return err
	}
	return s.subject(w, r, p, v, Crumb{l.T("communes.title"), "/communes"})
}

// themeTags leads from a search to the same with each of its most frequent themes.
func (s *Server) themeTags(l *locale, facet []essaim.Count, v url.Values) (tags []Tag) {
	for _, c := range facet[:min(subjectThemes, len(facet))] {
		tags = append(tags, Tag{l.theme(c.Value), address("/recherche", with(v, paramTheme, c.Value)), l.Counted(c.N, c.Capped)})
	}
	return tags
}

// subjectThemes is how many themes the page of a place or a territory names.
const subjectThemes = 8
