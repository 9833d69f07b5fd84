// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"essaim"
)

// Where a search is shown in a page of another site.
const (
	framePath = mapPath + "/cadre"
	embedPath = mapPath + "/integrer"
	paramView = "vue"   // of a frame: the map unless it is
	viewList  = "liste" // which needs no script
)

// FramePage is a search in another site's page: the map and the list of it, or the
// list alone, and where they come from.
type FramePage struct {
	Base
	Map    *MapView // none when only the list is shown
	Cards  []Card
	Total  int
	Capped bool
	Least  bool   // there may be more
	Full   string // address of the same on the whole site
	Bad    bool   // the address is not understood
}

// EmbedPage gives the code that shows a search in a page of another site.
type EmbedPage struct {
	Base
	Chips  []Chip
	Change string // address at which the search is chosen
	Codes  []EmbedCode
	Tiles  string // site that the readers of the frame ask for its ground
}

// EmbedCode is one way to show it.
type EmbedCode struct {
	Name, About, Code string
	Path              string // of the frame
}

// frameRoutes are the only pages that other sites may show within their own. They
// read no cookie, so that nobody can be made to press a button there.
func (s *Server) frameRoutes(r chi.Router) {
	r.Use(s.learnThemes, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h := w.Header()
			h.Del("X-Frame-Options")
			h.Set("Content-Security-Policy", strings.Replace(h.Get("Content-Security-Policy"), "frame-ancestors 'none'", "frame-ancestors *", 1))
			next.ServeHTTP(w, r)
		})
	})
	get(r.With(s.limit(600, time.Minute)), framePath, s.handle(s.showFrame))
}

// frameCards is how many records the list of a frame names.
const frameCards = 30

func (s *Server) showFrame(w http.ResponseWriter, r *http.Request) error {
	v, l := r.URL.Query(), s.locale(r)
	q, problems := s.parseQuery(s.fromToday(v))
	rest := without(v, paramView, "")
	p := &FramePage{Full: address(mapPath, rest), Bad: len(problems) > 0}
	p.Title, p.NoIndex = l.F("embed.frame_title", "Territory", s.cfg.Node.Territory.Name), true
	p.Canonical = s.abs(p.Full)
	if p.Bad {
		return s.render(w, r, http.StatusBadRequest, "frame", p)
	}
	q.Limit = frameCards
	res, err := s.store.Search(r.Context(), q)
	if errors.Is(err, essaim.ErrInvalid) {
		p.Bad = true
		return s.render(w, r, http.StatusBadRequest, "frame", p)
	}
	if err != nil {
		return fmt.Errorf("frame: %w", err)
	}
	p.Total, p.Capped, p.Least = res.Total, res.Capped, res.Least
	if p.Cards, err = s.cards(r.Context(), res.Records); err != nil {
		return err
	}
	unnamed(p.Cards, q.Origin)
	if v.Get(paramView) != viewList {
		if p.Map, err = s.mapView(r.Context(), l, q, rest, framePath); err != nil {
			return err
		}
		s.onGround(w, p.Map)
	}
	return s.render(w, r, http.StatusOK, "frame", p)
}

func (s *Server) showEmbed(w http.ResponseWriter, r *http.Request) error {
	v, l := s.fromToday(r.URL.Query()), s.locale(r)
	q, problems := s.parseQuery(v)
	if len(problems) > 0 {
		return fmt.Errorf("embed: %w", essaim.ErrInvalid)
	}
	rest := without(v, paramView, "")
	list := &ListPage{Action: embedPath}
	s.fillFacets(list, l, q, essaim.Facets{})
	s.fillChips(list, l, q, rest)
	p := &EmbedPage{Tiles: siteName(s.cfg.Ground.origin()), Chips: list.Chips, Change: address(mapPath, rest)}
	p.Title, p.Description, p.NoIndex, p.Section = l.T("embed.title"), l.T("embed.lede"), true, "carte"
	p.Crumbs = []Crumb{{l.T("nav.home"), "/"}, {l.T("map.title"), mapPath}, {p.Title, ""}}
	title := l.F("embed.frame_title", "Territory", s.cfg.Node.Territory.Name)
	for _, kind := range []struct {
		key, view string
		height    int
	}{{"map", "", 640}, {"list", viewList, 480}} {
		in := s.toCome(rest)
		in.Set("lang", l.lang)
		if kind.view != "" {
			in.Set(paramView, kind.view)
		}
		path := address(framePath, in)
		p.Codes = append(p.Codes, EmbedCode{Name: l.T("embed." + kind.key), About: l.T("embed." + kind.key + "_about"), Code: frameCode(s.abs(path), title, kind.height), Path: path})
	}
	return s.render(w, r, http.StatusOK, "embed", p)
}

// frameCode is the element that a page of another site takes up.
func frameCode(address, title string, height int) string {
	escape := strings.NewReplacer("&", "&amp;", `"`, "&quot;", "<", "&lt;", ">", "&gt;").Replace
	return fmt.Sprintf(`<iframe src="%s" title="%s" width="100%%" height="%d" loading="lazy" referrerpolicy="no-referrer"></iframe>`, escape(address), escape(title), height)
}

// embedOf is the address of the code for a search.
func embedOf(v url.Values) string { return address(embedPath, without(v, "", "")) }
