// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/go-chi/chi/v5"

	"essaim"
)

func territoryPath(host string) string { return "/territoires/" + url.PathEscape(host) }

// showTerritory shows what a node of the network brings and how it fares. Its
// records stay, and so does their page, when it is gone.
func (s *Server) showTerritory(w http.ResponseWriter, r *http.Request) error {
	host, err := url.PathUnescape(chi.URLParam(r, "host"))
	if err != nil || len(host) > 300 || host == essaim.OriginLocal || host == essaim.OriginElsewhere {
		return errPageNotFound
	}
	l, ctx := s.locale(r), r.Context()
	if host == s.host {
		s.leadTo(w, r, "/")
		return nil
	}
	v, q := url.Values{paramOrigin: {host}}, essaim.Query{Origin: host}
	newest := q
	newest.Facets = true
	p := &SubjectPage{Sort: "territory"}
	shelves, found, err := s.fillShelves(ctx, []shelfQuery{
		{newest, Shelf{Title: l.T("territory.newest"), Empty: l.T("territory.none"), Action: "/territoires", Do: l.T("network.title")}, v},
		{essaim.Query{Origin: host, Kinds: []essaim.Kind{essaim.KindMeeting}, Upcoming: s.now(), Limit: 4}, Shelf{
			Title: l.T("home.meetings"), More: address("/rencontres", v),
		}, v},
	})
	if err != nil {
		return fmt.Errorf("territory %s: %w", host, err)
	}
	p.Shelves = shelves
	brought := found[0]
	peer, err := s.store.Peer(ctx, host)
	switch {
	case errors.Is(err, essaim.ErrNotFound):
		if brought.Total == 0 {
			return errPageNotFound
		}
		p.Title = brought.Records[0].TerritoryName
	case err != nil:
		return fmt.Errorf("territory %s: %w", host, err)
	case peer.State == essaim.PeerBlocked && !essaim.May(userOf(r), essaim.ActionAdminister):
		return errPageNotFound
	default:
		view := PeerView{Peer: peer, Records: l.Number(peer.Records)}
		view.Status, view.Tone = s.peerStatus(&peer)
		if view.Status == string(essaim.LifeSilent) || view.Status == string(essaim.LifeGone) {
			view.Heard = peer.Heard()
		}
		p.Peer, p.Title = &view, peerName(peer)
		if view.URL != "" && peer.GoneAt.IsZero() && peer.ContestedAt.IsZero() {
			p.Link = view.URL
		}
	}
	p.Title = orHost(p.Title, host)
	p.Description = l.F("territory.lede", "Territory", p.Title)
	var kinds []Tag
	counts := countsOf(l, brought.Facets.Kinds)
	for _, k := range essaim.Kinds() {
		if n := counts[string(k.Kind)]; n != "" {
			kinds = append(kinds, Tag{l.T("kinds." + string(k.Kind)), address("/"+k.Path, v), n})
		}
	}
	p.addTags(l.T("territory.kinds"), kinds)
	p.addTags(l.T("territory.themes"), s.themeTags(l, brought.Facets.Themes, v))
	p.Section = "territoires"
	return s.subject(w, r, p, v, Crumb{l.T("network.title"), "/territoires"})
}

func orHost(name, host string) string {
	if name == "" {
		return host
	}
	return name
}
