// SPDX-License-Identifier: AGPL-3.0-or-later

package wire

import (
	"fmt"

	"essaim"
)

// CheckAuthority holds the rules of who may say what, as far as the document
// itself tells: the owner of the key that signed is the actor; the activity and
// what it creates, changes or deletes have the actor's origin (FEP-fe34); every
// author named is of that origin, the actor among them; only its own actor takes back an activity, and
// only the one followed answers a Follow. Errors wrap essaim.ErrForbidden.
//
// The rules look at the actor, never at the activity's id, which its sender
// chooses. Whether a stored object belongs to the actor is for whoever applies
// the activity to check.
func (a *Activity) CheckAuthority(signer essaim.IRI) error {
	if signer.IsZero() || signer != a.Actor {
		return forbidden("signed by another than its actor")
	}
	if !a.ID.SameOrigin(a.Actor) {
		return forbidden("id of another origin than its actor")
	}
	o := &a.Object
	switch a.Type {
	case "Create", "Update", "Delete":
		if !o.ID.SameOrigin(a.Actor) {
			return forbidden("object of another origin than its actor")
		}
		return a.checkOwner()
	case "Undo":
		if !o.ID.IsZero() && !o.ID.SameOrigin(a.Actor) {
			return forbidden("undoes an activity of another origin")
		}
		if !o.Actor.IsZero() && o.Actor != a.Actor {
			return forbidden("undoes another actor's activity")
		}
		if o.ID.IsZero() && o.Actor.IsZero() {
			return malformed("Undo of an activity without id and actor")
		}
	case "Accept", "Reject":
		if o.Type == "Follow" && !o.Object.IsZero() && o.Object != a.Actor {
			return forbidden("answers a Follow of another actor")
		}
	case "Move":
		if o.ID != a.Actor {
			return forbidden("moves another actor")
		}
	}
	return nil
}

// checkOwner looks at an object given whole. An actor is its own owner, whatever
// it says of who stands behind it. Another object's authors, if it names any, are
// all of the actor's origin (FEP-fe34), and the actor is one of them (PeerTube
// adds the channel) or the one who published for them (Mobilizon). Whoever reads
// the object takes the actor for its author, never an element of the list.
func (a *Activity) checkOwner() error {
	o := &a.Object
	if !o.Embedded() {
		return nil
	}
	if a.Type != "Delete" && IsActor(o.Type) != (o.ID == a.Actor) {
		return forbidden("an actor is described by itself only, and as an actor")
	}
	if len(o.Authors) == 0 || o.ID == a.Actor {
		return nil
	}
	named := o.Maker == a.Actor
	for _, author := range o.Authors {
		if !author.SameOrigin(a.Actor) {
			return forbidden("object attributed to another origin than its actor")
		}
		named = named || author == a.Actor
	}
	if !named {
		return forbidden("object attributed to another than its actor")
	}
	return nil
}

func forbidden(reason string) error {
	return fmt.Errorf("%s: %w", reason, essaim.ErrForbidden)
}
