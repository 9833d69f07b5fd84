// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"fmt"
	"math"

	"essaim"
	"essaim/federation/wire"
)

// maxFollows bounds how many follows of a node are noted.
const maxFollows = 500

// AboutStore keeps what nodes say of themselves.
type AboutStore interface {
	SavePeerAbout(ctx context.Context, host string, a essaim.PeerAbout) error
}

// readAbout reads where a node's territory is and whom the node follows, from the
// documents of its actors, which its key proves: the page of the network shows it,
// and what others follow is proposed there. Nothing is followed for it.
func (r *Replicator) readAbout(ctx context.Context, peer essaim.Peer) error {
	var about essaim.PeerAbout
	if peer.Territory != "" {
		territory, _, err := r.ownActor(ctx, peer.Territory, peer)
		if err != nil {
			return err
		}
		place := territory.Get("location")
		lat, ok1 := place.Get("latitude").Float()
		lon, ok2 := place.Get("longitude").Float()
		if ok1 && ok2 && math.Abs(lat) <= 90 && math.Abs(lon) <= 180 {
			about.Lat, about.Lon = lat, lon
		}
	}
	actor, id, err := r.ownActor(ctx, peer.Actor, peer)
	if err != nil {
		return err
	}
	if list, ok := actor.Get("following").IRI(); ok {
		following, _, err := r.ownDocument(ctx, list.String(), id.String())
		if err != nil {
			return err
		}
		for _, key := range []string{"orderedItems", "items"} {
			for e := range following.Get(key).Elements() {
				if f, ok := e.IRI(); ok && len(about.Follows) < maxFollows && !f.SameOrigin(id) {
					about.Follows = append(about.Follows, f.String())
				}
			}
		}
	}
	return r.Store.SavePeerAbout(ctx, peer.Host, about)
}

// ownActor fetches an actor of a node. Whoever took its address over shows none.
func (r *Replicator) ownActor(ctx context.Context, address string, peer essaim.Peer) (doc *wire.Document, id essaim.IRI, err error) {
	doc, id, err = r.ownDocument(ctx, address, peer.Actor)
	if err == nil && !proves(doc.Raw(), peer.Key) {
		err = fmt.Errorf("%s is not proven by the key of %s: %w", address, peer.Host, essaim.ErrForbidden)
	}
	return doc, id, err
}

// ownDocument fetches a document of the origin of another address.
func (r *Replicator) ownDocument(ctx context.Context, address, of string) (doc *wire.Document, id essaim.IRI, err error) {
	if id, err = essaim.ParseIRI(address); err != nil {
		return doc, id, err
	}
	owner, err := essaim.ParseIRI(of)
	if err != nil {
		return doc, id, err
	}
	if !id.SameOrigin(owner) {
		return doc, id, fmt.Errorf("%s is not of the origin of %s: %w", address, of, essaim.ErrForbidden)
	}
	answer, err := r.Client.Changed(ctx, id.String(), "")
	if err != nil {
		return doc, id, err
	}
	doc, err = wire.Parse(answer.Body, wire.Collection)
	return doc, id, err
}
