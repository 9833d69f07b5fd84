// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"cmp"
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
	Peers []PeerView
	Map   *NetworkMap // nil when nobody says where it is
	// Suggested are nodes that peers follow and this one does not know.
	Suggested []SuggestedPeer
	Formats   []FormatLink
	Admin     bool
	Records   int // brought by all
	Own       int
	Capped    bool
}

// PeerView is a peer with its state as readers understand it.
type PeerView struct {
	essaim.Peer
	// Status is a key of network.status and Tone how it looks: good, warn, bad.
	Status, Tone string
	Heard        time.Time // its last answer, of one that is silent or gone
	Records      string
	Waiting      string
	List         string   // address of its records here
	Brings       []string // "3 recettes"
	Latest       *essaim.Record
	// Known are the names of the territories of this page that it follows.
	Known []string
}

// SuggestedPeer is a node that some peers follow, by its host.
type SuggestedPeer struct {
	Host string
	By   []string // names of territories
}

func (s *Server) showNetwork(w http.ResponseWriter, r *http.Request) error {
	peers, err := s.store.Peers(r.Context())
	if err != nil {
		return fmt.Errorf("network: %w", err)
	}
	own, err := s.store.Search(r.Context(), essaim.Query{Origin: essaim.OriginLocal, Limit: 1})
	if err != nil {
		return fmt.Errorf("network: %w", err)
	}
	brought, err := s.store.Brought(r.Context())
	if err != nil {
		return fmt.Errorf("network: %w", err)
	}
	l := s.locale(r)
	p := &NetworkPage{Own: own.Total, Capped: own.Capped}
	sortPeers(peers)
	admin := essaim.May(userOf(r), essaim.ActionAdminister)
	names := map[string]string{} // by Application actor
	for _, peer := range peers {
		names[peer.Actor] = ""
		if peer.State != essaim.PeerBlocked {
			names[peer.Actor] = peerName(peer)
		}
	}
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
		b := brought[peer.Host]
		for _, c := range b.Kinds {
			words := l.T("kinds." + c.Value)
			if c.N == 1 {
				words = l.T("kind." + c.Value)
			}
			v.Brings = append(v.Brings, l.Number(c.N)+" "+strings.ToLower(words))
		}
		if b.Latest.ID != "" {
			v.Latest = &b.Latest
		}
		for _, actor := range peer.About.Follows {
			if name := names[actor]; name != "" {
				v.Known = append(v.Known, name)
			}
		}
		v.List = territoryPath(peer.Host)
		if !admin {
			v.LastReason = ""
		}
		p.Records += peer.Records
		p.Peers = append(p.Peers, v)
	}
	p.Admin, p.Suggested = admin, s.suggested(p.Peers, names)
	p.Map = s.networkMap(p.Peers, own.Total)
	p.Title, p.Section = l.T("network.title"), "territoires"
	p.Description = l.T("network.lede")
	p.Followed = s.followNode(r)
	p.Object = p.Followed.Actor
	p.Formats = s.rollLinks(l, "/territoires")
	p.Alternates = p.Formats
	p.Crumbs = []Crumb{{l.T("nav.home"), "/"}, {p.Title, ""}}
	return s.render(w, r, http.StatusOK, "network", p)
}

// mostSuggested bounds how many nodes are proposed.
const mostSuggested = 12

// suggested lists the nodes that peers, which are followed, say that they follow and
// that are not known here, those that most follow first. A person decides whether to
// follow one: nothing is asked of it for this.
func (s *Server) suggested(peers []PeerView, names map[string]string) []SuggestedPeer {
	by := map[string][]string{}
	for _, p := range peers {
		if p.State != essaim.PeerFollowed || !p.ContestedAt.IsZero() {
			continue
		}
		for _, actor := range p.About.Follows {
			iri, err := essaim.ParseIRI(actor)
			if _, known := names[actor]; known || err != nil || iri.Host() == s.host {
				continue
			}
			if host := iri.Host(); !slices.Contains(by[host], p.TerritoryName) {
				by[host] = append(by[host], p.TerritoryName)
			}
		}
	}
	for _, p := range peers { // an actor may change, a host that is known stays so
		delete(by, p.Host)
	}
	out := make([]SuggestedPeer, 0, len(by))
	for host, from := range by {
		out = append(out, SuggestedPeer{host, from})
	}
	slices.SortFunc(out, func(a, b SuggestedPeer) int {
		return cmp.Or(len(b.By)-len(a.By), strings.Compare(a.Host, b.Host))
	})
	return out[:min(len(out), mostSuggested)]
}

// sortPeers puts nodes in the order of their names.
func sortPeers(peers []essaim.Peer) {
	slices.SortFunc(peers, func(a, b essaim.Peer) int {
		return strings.Compare(essaim.Slug(peerName(a)), essaim.Slug(peerName(b)))
	})
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
