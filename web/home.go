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
	Tiles   []Tile
	Shelves []Shelf
	Themes  []Tag
	Peers   []Tag // territories that the node follows
	FollowForm
}

// Tile is a kind with how many records of it there are.
type Tile struct {
	Kind  essaim.Kind
	Path  string
	Count string
}

// Bounds of what the home page names.
const (
	homeThemes = 14
	homePeers  = 24
)

// showHome shows what is new, what needs help, what came from elsewhere and when
// people meet: all of it asked at once.
func (s *Server) showHome(w http.ResponseWriter, r *http.Request) error {
	ctx, l, t := r.Context(), s.locale(r), s.cfg.Node.Territory
	latest := Shelf{Title: l.T("home.latest"), Empty: l.T("home.empty.text"), Action: "/territoires", Do: l.T("network.title")}
	if essaim.May(userOf(r), essaim.ActionWrite) {
		latest.Action, latest.Do = "/ecrire/initiatives", l.T("form.initiative.new")
	}
	p := &HomePage{}
	shelves, found, err := s.fillShelves(ctx, []shelfQuery{
		{essaim.Query{Origin: essaim.OriginLocal}, latest, url.Values{paramOrigin: {essaim.OriginLocal}}},
		{essaim.Query{NeedsHelp: true}, Shelf{Title: l.T("home.help"), Lede: l.T("home.help_lede")}, url.Values{paramHelp: {essaim.FacetHelp}}},
		{essaim.Query{Kinds: []essaim.Kind{essaim.KindMeeting}, Upcoming: s.now(), Limit: 4}, Shelf{Title: l.T("home.meetings"), More: "/rencontres"}, nil},
		{essaim.Query{Origin: essaim.OriginElsewhere}, Shelf{
			Title: l.T("home.elsewhere"), Lede: l.T("home.elsewhere_lede"), Spread: true,
		}, url.Values{paramOrigin: {essaim.OriginElsewhere}}},
		{essaim.Query{Facets: true, Limit: 1}, Shelf{}, nil},
	})
	if err != nil {
		return fmt.Errorf("home: %w", err)
	}
	p.Shelves = shelves
	all := found[len(found)-1].Facets
	counts := countsOf(l, all.Kinds)
	for _, k := range essaim.Kinds() {
		tile := Tile{Kind: k.Kind, Path: "/" + k.Path, Count: "0"}
		if n := counts[string(k.Kind)]; n != "" {
			tile.Count = n
		}
		p.Tiles = append(p.Tiles, tile)
	}
	for _, c := range all.Themes {
		if theme, ok := essaim.CommonTheme(c.Value); ok && theme.Broader == "" && len(p.Themes) < homeThemes {
			p.Themes = append(p.Themes, Tag{l.label(theme), themePath(c.Value), l.Counted(c.N, c.Capped)})
		}
	}
	peers, err := s.store.Peers(ctx)
	if err != nil {
		return fmt.Errorf("home: %w", err)
	}
	for _, peer := range peers {
		if peer.State == essaim.PeerFollowed && len(p.Peers) < homePeers {
			p.Peers = append(p.Peers, Tag{peerName(peer), territoryPath(peer.Host), l.Number(peer.Records)})
		}
	}
	p.Title, p.Section = t.Name, "accueil"
	p.Description = l.F("home.description", "Territory", t.Name)
	if text := markup.Plain(markup.Markdown(t.Summary)); text != "" {
		p.Description = text
	}
	p.Object, p.Followed = t.Actor, s.followTerritory(r)
	p.Data = s.structuredTerritory(p.Description)
	for _, f := range s.formatLinks(l, t.Name, "", "/recherche", url.Values{paramOrigin: {essaim.OriginLocal}}) {
		if f.Feed {
			p.Alternates = append(p.Alternates, f)
		}
	}
	return s.render(w, r, http.StatusOK, "home", p)
}
