// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"errors"
	"fmt"
	"time"

	"essaim"
	"essaim/federation/proof"
	"essaim/federation/vocab"
	"essaim/federation/wire"
)

// publication takes a Create or an Update: an actor that describes itself, an
// answer to a record, or a record of a node that we follow.
func (r *reader) publication() error {
	o := &r.a.Object
	if !o.Embedded() {
		return nothingToDo("object not given whole")
	}
	if wire.IsActor(o.Type) {
		return r.actorUpdate(o.Value)
	}
	if err := r.notAhead(o.Value); err != nil {
		return err
	}
	if reply, ok := o.Value.Get("inReplyTo").IRI(); ok && o.Value.Get("essaim:kind").Kind() == wire.KindNone {
		return r.comment(o, reply)
	}
	if o.Type == "Note" && o.Value.Get("essaim:kind").Kind() == wire.KindNone {
		if !isPublicNote(r.a) {
			return r.refuseLetter(o)
		}
		return nothingToDo("neither a record nor an answer to one")
	}
	return r.record(o)
}

func (r *reader) actorUpdate(v wire.Value) error {
	actor, err := readActor(v, r.Now())
	if err != nil {
		return err
	}
	// The rest of the row is not the actor's.
	actor.Document = append([]byte(nil), actor.Document...)
	return r.does(essaim.SaveActor{Actor: actor})
}

// notAhead holds a document that would freeze its object: one dated ahead of
// our clock wins over every honest version until then.
func (r *reader) notAhead(v wire.Value) error {
	for _, property := range [...]string{"updated", "published"} {
		if at, ok := v.Get(property).Time(); ok && at.After(r.Now().Add(maxAhead)) {
			until := at.Add(-maxAhead)
			if until.After(r.Now().Add(30 * 24 * time.Hour)) {
				return nothingToDo("dated months ahead")
			}
			return heldUntil{until}
		}
	}
	return nil
}

// record stores a version of a peer's record: its exact bytes and what they
// say. Whether its node is followed, no tombstone stands and the version is
// newer is for the store to see.
func (r *reader) record(o *wire.Object) error {
	if !r.a.IsPublic() {
		return nothingToDo("not public")
	}
	rec, err := vocab.Parse(o.Value.Raw())
	if err != nil {
		return err
	}
	if rec.ID != o.ID.String() {
		return fmt.Errorf("record %s reads as %s: %w", o.ID, cut(rec.ID, 200), essaim.ErrInvalid)
	}
	// The actor speaks for itself: whom the document names besides, on its own
	// host or another, is not its to say, nor to overwrite.
	rec.Origin, rec.Territory = o.ID.Host(), r.in.Actor
	if page, err := essaim.ParseIRI(rec.URL); err != nil || !page.SameOrigin(r.a.Actor) {
		rec.URL = rec.ID
	}
	if rec.Published.IsZero() {
		rec.Published = r.in.ReceivedAt
	}
	if rec.Updated.Before(rec.Published) {
		rec.Updated = rec.Published
	}
	if rec.ContentDigest, rec.CopyDigest, err = proof.Digests(o.Value.Raw()); err != nil {
		return fmt.Errorf("record %s: %w: %w", o.ID, essaim.ErrInvalid, err)
	}
	return r.does(essaim.Replicate{Record: rec, Document: o.Value.Raw(), Foreign: rec.Revision == 0})
}

// deletion applies a Delete: of its own actor, or of an object that the store
// finds to be that actor's.
func (r *reader) deletion() error {
	o := &r.a.Object
	if o.ID == r.a.Actor {
		return r.does(essaim.ForgetActor{Actor: r.in.Actor})
	}
	erase := essaim.Erase{ID: o.ID.String(), Actor: r.in.Actor, At: r.in.ReceivedAt}
	if o.Embedded() && o.Type == "Tombstone" {
		erase.Tombstone = o.Value.Raw()
		if at, ok := o.Value.Get("deleted").Time(); ok && at.Before(r.Now().Add(maxAhead)) {
			erase.At = at
		}
	}
	return r.does(erase)
}

// ignoreMissing turns essaim.ErrNotFound into no error.
func ignoreMissing(err error) error {
	if errors.Is(err, essaim.ErrNotFound) {
		return nil
	}
	return err
}
