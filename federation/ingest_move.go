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
	ours, err := r.Store.OurFollow(ctx, r.in.Actor)
	if ignoreMissing(err) != nil {
		return err
	}
	if !follows && ours.FollowID == "" {
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
	moved := essaim.Moved{Actor: r.in.Actor, Target: to}
	if ours.FollowID != "" {
		if moved.Follow, moved.Undo, err = r.followTo(ours, to); err != nil {
			return err
		}
	}
	return r.does(moved)
}

// followTo makes the Follow of the account to which one that we follow moved, and
// the Undo of the old one.
func (r *reader) followTo(ours essaim.OurFollow, to essaim.RemoteActor) (follow, undo essaim.Outgoing, err error) {
	node := r.Renderer.NodeActor()
	follow = essaim.Outgoing{ActivityID: r.ActivityID(), Actor: node, Receiver: to.ID, Inbox: to.Inbox, OrderKey: node + " " + to.ID}
	if follow.Body, err = r.Renderer.Follow(follow.ActivityID, node, to.ID); err != nil {
		return follow, undo, err
	}
	was, err := r.Renderer.Follow(ours.FollowID, node, ours.Actor)
	if err != nil {
		return follow, undo, err
	}
	undo = essaim.Outgoing{ActivityID: r.ActivityID(), Actor: node, Receiver: ours.Actor, Inbox: ours.Inbox, OrderKey: node + " " + ours.Actor}
	undo.Body, err = r.Renderer.Undo(undo.ActivityID, node, ours.Actor, was)
	return follow, undo, err
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
