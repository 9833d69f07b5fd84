// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"essaim"
	"essaim/federation/fetch"
	"essaim/federation/wire"
)

// FollowPeer follows a node by its host, "brest.example": one Follow from our
// /actor to its Application actor (replication.md). The peer is followed once
// its Accept came; a repeated call asks again. host may be typed as an address.
// Errors wrap essaim.ErrInvalid (no host, or this one), ErrForbidden (blocked),
// ErrNotFound (no node there), ErrUnavailable (no answer) or ErrConflict (it
// shows another key than when it was followed before).
func (s *Server) FollowPeer(ctx context.Context, host string) (essaim.Peer, error) {
	host, err := s.peerHost(host)
	if err != nil {
		return essaim.Peer{}, err
	}
	id, err := s.client.NodeActor(ctx, host)
	if err != nil {
		return essaim.Peer{}, fmt.Errorf("follow %s: %w", host, err)
	}
	iri, err := essaim.ParseIRI(id)
	if err != nil {
		return essaim.Peer{}, fmt.Errorf("follow %s: %w", host, err)
	}
	actor, err := s.remote.Fetch(ctx, iri)
	if err != nil {
		return essaim.Peer{}, fmt.Errorf("follow %s: %w", host, err)
	}
	p := essaim.Peer{
		Host: iri.Host(), State: essaim.PeerRequested, Actor: actor.ID, Inbox: actor.Inbox, URL: actor.URL,
		Username: actor.Username, TerritoryName: actor.Name, FollowID: s.activityID(), Key: provenBy(actor),
	}
	if t, ok := s.territoryOf(ctx, host, iri); ok {
		p.Territory, p.TerritoryName, p.Username, p.URL = t.ID, t.Name, t.Username, t.URL
	}
	body, err := s.renderer.Follow(p.FollowID, s.nodeActor(), p.Actor)
	if err != nil {
		return essaim.Peer{}, fmt.Errorf("follow %s: %w", host, err)
	}
	return p, s.remote.trust.changed(p.Host, s.store.FollowPeer(ctx, p, essaim.Outgoing{
		ActivityID: p.FollowID, Actor: s.nodeActor(), Receiver: p.Actor, Inbox: p.Inbox, OrderKey: s.nodeActor() + " " + p.Actor, Body: body,
	}))
}

// territoryOf is the territory that a node says it is of, in its NodeInfo. Other
// software says none.
func (s *Server) territoryOf(ctx context.Context, host string, node essaim.IRI) (essaim.RemoteActor, bool) {
	raw, err := s.client.NodeInfo(ctx, host)
	if err != nil {
		return essaim.RemoteActor{}, false
	}
	info, err := wire.Parse(raw, wire.Limits{Array: 2048})
	if err != nil {
		return essaim.RemoteActor{}, false
	}
	id, ok := info.Get("metadata").Get("territory").IRI()
	if !ok || !id.SameOrigin(node) {
		return essaim.RemoteActor{}, false
	}
	t, err := s.remote.Fetch(ctx, id)
	return t, err == nil
}

// UnfollowPeer takes our Follow back. What is held of the peer stays.
func (s *Server) UnfollowPeer(ctx context.Context, host string) error {
	host, err := s.peerHost(host)
	if err != nil {
		return err
	}
	p, err := s.store.Peer(ctx, host)
	if err != nil {
		return fmt.Errorf("unfollow %s: %w", host, err)
	}
	var undo essaim.Outgoing
	if p.FollowID != "" {
		follow, err := s.renderer.Follow(p.FollowID, s.nodeActor(), p.Actor)
		if err != nil {
			return fmt.Errorf("unfollow %s: %w", host, err)
		}
		id := s.activityID()
		body, err := s.renderer.Undo(id, s.nodeActor(), p.Actor, follow)
		if err != nil {
			return fmt.Errorf("unfollow %s: %w", host, err)
		}
		undo = essaim.Outgoing{ActivityID: id, Actor: s.nodeActor(), Receiver: p.Actor, Inbox: p.Inbox, OrderKey: s.nodeActor() + " " + p.Actor, Body: body}
	}
	return s.store.UnfollowPeer(ctx, host, undo)
}

// peerHost reads what a person typed as a host: lower case, with a port if there
// is one.
func (s *Server) peerHost(typed string) (string, error) {
	host := strings.ToLower(strings.TrimSpace(typed))
	if strings.Contains(host, "://") {
		u, err := url.Parse(host)
		if err != nil {
			return "", fmt.Errorf("host %q: %w", typed, essaim.ErrInvalid)
		}
		host = u.Host
	}
	host, _, _ = strings.Cut(host, "/")
	if i := strings.LastIndexByte(host, '@'); i >= 0 {
		host = host[i+1:]
	}
	iri, err := essaim.ParseIRI("https://" + host + "/")
	if err != nil || host == "" {
		return "", errors.Join(fmt.Errorf("host %q: %w", typed, essaim.ErrInvalid), err)
	}
	if u, err := url.Parse(iri.String()); err == nil {
		host = u.Host
	}
	if s.isHost(host) {
		return "", fmt.Errorf("host %q is this node: %w", typed, essaim.ErrInvalid)
	}
	return host, nil
}

var _ Fetcher = (*fetch.Client)(nil)
