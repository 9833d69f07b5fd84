// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"errors"
	"log/slog"

	"essaim"
	"essaim/federation/wire"
)

// move notes where an account went (FEP-7628, push mode): the old one signs and
// the new one, asked afresh, names it among alsoKnownAs. Who has nothing here
// makes us ask nobody. A node that we replicate goes nowhere by itself: an
// administrator decides (replication.md).
func (r *reader) move(ctx context.Context) error {
	old, target := r.a.Actor, r.a.Target
	switch {
	case target.IsZero() || target == old:
		return nothingToDo("moves nowhere")
	case r.isOurs(target):
		return nothingToDo("accounts do not move to this node")
	}
	peer, err := r.Store.Peer(ctx, old.Host())
	switch {
	case err == nil && (peer.Actor == r.in.Actor || peer.Territory == r.in.Actor):
		r.Logger.LogAttrs(ctx, slog.LevelWarn, "a peer says that it moved", slog.String("host", peer.Host), slog.String("target", target.String()))
		return nothingToDo("a node moves by the hand of an administrator")
	case ignoreMissing(err) != nil:
		return err
	}
	follows, err := r.Store.FollowsHere(ctx, r.in.Actor)
	if err != nil {
		return err
	}
	if !follows {
		return nothingToDo("has nothing here")
	}
	to, err := r.Actors.Fetch(ctx, target)
	switch {
	case errors.Is(err, essaim.ErrNotFound), errors.Is(err, essaim.ErrGone), errors.Is(err, essaim.ErrForbidden):
		return nothingToDo("moves to an account that cannot be read")
	case err != nil:
		return err
	}
	doc, err := wire.Parse(to.Document, wire.Limits{})
	if err != nil {
		return err
	}
	if to.ID == r.in.Actor || !names(doc.Get("alsoKnownAs"), old) {
		return nothingToDo("the new account does not say that it was the old one")
	}
	if doc.Get("movedTo").Present() && doc.Get("movedTo").Kind() != wire.KindNull {
		return nothingToDo("moves to an account that moved itself")
	}
	return r.does(essaim.Moved{Actor: r.in.Actor, Target: to})
}

// names tells whether a property lists an address.
func names(v wire.Value, id essaim.IRI) bool {
	for e := range v.Elements() {
		if iri, ok := e.IRI(); ok && iri == id {
			return true
		}
	}
	return false
}

// pin takes an Add or a Remove: of its own collection of pinned posts, which is
// not kept here.
func (r *reader) pin() error { return nothingToDo("pins are not kept here") }
