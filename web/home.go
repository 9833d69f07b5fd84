// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"fmt"
	"net/http"
	"net/url"

	"essaim"
	"essaim/web/markup"
)

// HomePage is the home of the territory.
type HomePage struct {
	Base
	Latest   []Card
	Meetings []Card
	// Elsewhere is what other territories of the network published last.
	Elsewhere []Card
	Tiles     []Tile
	Themes    []FacetOption
	Total     int
	Capped    bool
	Peers     int // territories that the node follows
	FollowForm
}

// Tile is a kind with how many records of it the territory has.
type Tile struct {
	Kind  essaim.Kind
	Path  string
	Count string
}

func (s *Server) showHome(w http.ResponseWriter, r *http.Request) error {
	ctx, l := r.Context(), s.locale(r)
	p := &HomePage{}
	local, err := s.store.Search(ctx, essaim.Query{Origin: "local", Facets: true, Limit: 6})
	if err != nil {
		return fmt.Errorf("home: %w", err)
	}
	p.Latest, p.Total, p.Capped = cards(local.Records), local.Total, local.Capped // none comes from elsewhere
	for _, k := range essaim.Kinds() {
		t := Tile{Kind: k.Kind, Path: "/" + k.Path, Count: "0"}
		for _, c := range local.Facets.Kinds {
			if c.Value == string(k.Kind) {
				t.Count = l.Counted(c.N, c.Capped)
			}
		}
		p.Tiles = append(p.Tiles, t)
	}
	all, err := s.store.Search(ctx, essaim.Query{Facets: true, Limit: 1})
	if err != nil {
		return fmt.Errorf("home: %w", err)
	}
	for _, c := range all.Facets.Themes {
		if t, ok := essaim.CommonTheme(c.Value); ok && t.Broader == "" && len(p.Themes) < 14 {
			p.Themes = append(p.Themes, FacetOption{Value: c.Value, Label: t.Label(l.lang), Count: l.Counted(c.N, c.Capped)})
		}
	}
	meetings, err := s.store.Search(ctx, essaim.Query{Kinds: []essaim.Kind{essaim.KindMeeting}, Upcoming: s.now(), Limit: 4})
	if err != nil {
		return fmt.Errorf("home: %w", err)
	}
	if p.Meetings, err = s.cards(ctx, meetings.Records); err != nil {
		return err
	}
	if err := s.fillElsewhere(r, p); err != nil {
		return err
	}
	p.Title, p.Section = s.cfg.Node.Territory.Name, "accueil"
	p.Description = l.F("home.description", "Territory", s.cfg.Node.Territory.Name)
	if text := markup.Plain(markup.Markdown(s.cfg.Node.Territory.Summary)); text != "" {
		p.Description = text
	}
	t := s.cfg.Node.Territory
	p.Object, p.Followed = t.Actor, s.followable(t.Name, t.Username, t.Actor)
	p.Data = s.structuredTerritory(p.Description)
	for _, f := range s.formatLinks(l, t.Name, "", "/recherche", url.Values{paramOrigin: {"local"}}) {
		if f.Feed {
			p.Alternates = append(p.Alternates, f)
		}
	}
	return s.render(w, r, http.StatusOK, "home", p)
}

// fillElsewhere takes the latest of each peer in turn, so that one that
// published much does not hide the others.
func (s *Server) fillElsewhere(r *http.Request, p *HomePage) error {
	peers, err := s.store.Peers(r.Context())
	if err != nil {
		return fmt.Errorf("home: %w", err)
	}
	const shown, asked = 6, 12
	var lists [][]Card
	for _, peer := range peers {
		if peer.State == essaim.PeerFollowed {
			p.Peers++
		}
		if peer.Records == 0 || peer.State == essaim.PeerBlocked || len(lists) == asked {
			continue
		}
		res, err := s.store.Search(r.Context(), essaim.Query{Origin: peer.Host, Limit: shown})
		if err != nil {
			return fmt.Errorf("home: %w", err)
		}
		list, err := s.cards(r.Context(), res.Records)
		if err != nil {
			return err
		}
		lists = append(lists, list)
	}
	for i := 0; i < shown; i++ {
		for _, list := range lists {
			if i < len(list) && len(p.Elsewhere) < shown {
				p.Elsewhere = append(p.Elsewhere, list[i])
			}
		}
	}
	return nil
}
