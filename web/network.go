// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"essaim"
)

// NetworkPage shows the territories of the network: what each brings, and
// whether it answers.
type NetworkPage struct {
	Base
	// FollowForm is of the node's own actor, whose page this is.
	FollowForm
	Peers   []PeerView
	Records int // brought by all
	Own     int
	Capped  bool
}

// PeerView is a peer with its state as readers understand it.
type PeerView struct {
	essaim.Peer
	// Status is a key of network.status and Tone how it looks: good, warn, bad.
	Status, Tone string
	Heard        time.Time // its last answer, of one that is silent or gone
	Records      string
	Waiting      string
	List         string // address of its records here
}

func (s *Server) showNetwork(w http.ResponseWriter, r *http.Request) error {
	peers, err := s.store.Peers(r.Context())
	if err != nil {
		return fmt.Errorf("network: %w", err)
	}
	own, err := s.store.Search(r.Context(), essaim.Query{Origin: "local", Limit: 1})
	if err != nil {
		return fmt.Errorf("network: %w", err)
	}
	l := s.locale(r)
	p := &NetworkPage{Own: own.Total, Capped: own.Capped}
	slices.SortFunc(peers, func(a, b essaim.Peer) int {
		return strings.Compare(essaim.Slug(peerName(a)), essaim.Slug(peerName(b)))
	})
	admin := essaim.May(userOf(r), essaim.ActionAdminister)
	for _, peer := range peers {
		if peer.State == essaim.PeerBlocked && !admin {
			continue
		}
		v := PeerView{Peer: peer, Records: l.Number(peer.Records), Waiting: l.Number(peer.Waiting)}
		v.TerritoryName = peerName(peer)
		v.Status, v.Tone = s.peerStatus(&peer)
		if v.Status == string(essaim.LifeSilent) || v.Status == string(essaim.LifeGone) {
			v.Heard = peer.Heard()
		}
		v.List = territoryPath(peer.Host)
		if !admin {
			v.LastReason = ""
		}
		p.Records += peer.Records
		p.Peers = append(p.Peers, v)
	}
	p.Title, p.Section = l.T("network.title"), "territoires"
	p.Description = l.T("network.lede")
	p.Followed = s.followNode()
	p.Object = p.Followed.Actor
	p.Crumbs = []Crumb{{l.T("nav.home"), "/"}, {p.Title, ""}}
	return s.render(w, r, http.StatusOK, "network", p)
}

func peerName(p essaim.Peer) string {
	if p.TerritoryName != "" {
		return p.TerritoryName
	}
	return p.Host
}

// peerStatus reads the state of a peer: our follow first, then how it fares. Whose
// key is contested is told so, whether it is followed or not.
func (s *Server) peerStatus(p *essaim.Peer) (status, tone string) {
	if p.State != essaim.PeerBlocked && p.State != essaim.PeerFollowed && !p.ContestedAt.IsZero() {
		return string(essaim.LifeContested), "bad"
	}
	switch p.State {
	case essaim.PeerBlocked:
		return "blocked", "bad"
	case essaim.PeerRefused:
		return "refused", "bad"
	case essaim.PeerRequested:
		return "requested", "warn"
	case essaim.PeerKnown:
		return "known", ""
	}
	life, _ := p.Life(s.now(), s.cfg.PeerSilence)
	if life == essaim.LifeCurrent {
		return string(life), "good"
	}
	return string(life), Origin{Life: life}.Tone()
}
