// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"

	"essaim"
	"essaim/federation/wire"
)

// offered answers a territory that says that it adapted a record of ours
// (Activity Vocabulary, "Relationship"). Whether its node is followed is for the
// store to see.
func (r *reader) offered(ctx context.Context) error {
	v := r.a.Object.Value
	kind, _ := v.Get("relationship").IRI()
	if v.Kind() != wire.KindObject || r.a.Object.Type != "Relationship" || kind.String() != essaim.RelationDerived {
		return nothingToDo("offers no adaptation")
	}
	child, _ := v.Get("subject").IRI()
	parent, _ := v.Get("object").IRI()
	if child.IsZero() || !child.SameOrigin(r.a.Actor) {
		return nothingToDo("offers what is another's")
	}
	rec, err := r.published(ctx, parent)
	if err != nil {
		return err
	}
	if !rec.Kind.MayBeAdapted() {
		return nothingToDo("adapts what is not adapted")
	}
	to, err := r.Actors.Actor(ctx, r.a.Actor)
	if err != nil {
		return err
	}
	id := r.ActivityID()
	body, err := r.Renderer.AcceptOffer(id, rec.Territory, to.ID, r.in.ActivityID)
	if err != nil {
		return err
	}
	return r.does(essaim.Acknowledge{Parent: rec.ID, Child: child.String(), Actor: to.ID, Offer: r.in.ActivityID, Accept: essaim.Outgoing{
		ActivityID: id, Actor: rec.Territory, Receiver: to.ID, Inbox: to.Inbox, OrderKey: rec.ID + " " + child.String(), Body: body,
	}})
}
