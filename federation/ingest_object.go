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
// answer to a record, a record of a node that we follow, or what an account that
// we follow publishes elsewhere.
func (r *reader) publication() error {
	o := &r.a.Object
	if !o.Embedded() {
		return r.does(essaim.Want{Object: o.ID.String(), By: r.in.Actor})
	}
	if wire.IsActor(o.Type) {
		return r.actorUpdate(o.Value)
	}
	if err := r.notAhead(o.Value); err != nil {
		return err
	}
	if o.Value.Get("essaim:kind").Kind() != wire.KindNone {
		return r.record(o)
	}
	if !isPublicNote(r.a) {
		return r.refuseLetter(o) // of whatever type: a ChatMessage is one too
	}
	if reply, ok := o.Value.Get("inReplyTo").IRI(); ok {
		return r.comment(o, reply)
	}
	return r.proposal(o)
}

// proposal takes what other software publishes. Its author is the actor that
// signed, whatever the object names besides; whether the actor is followed is for
// the store to see.
func (r *reader) proposal(o *wire.Object) error {
	if !wire.ToEveryone(r.a.Root()) && !wire.ToEveryone(o.Value) {
		return nothingToDo("not public")
	}
	p, err := proposalOf(o.Value, o.ID, r.in.Actor)
	if err != nil {
		return err
	}
	return r.does(essaim.Propose{Proposal: p, By: r.in.Actor})
}

// proposalOf reads an object as a candidate by author, under the id by which its
// origin was checked.
func proposalOf(v wire.Value, id essaim.IRI, author string) (essaim.Proposal, error) {
	f := vocab.ReadForeign(v)
	if !vocab.Proposable(f.Type) {
		return essaim.Proposal{}, nothingToDo("neither a record, nor an answer to one, nor what becomes a candidate")
	}
	f.ID = id.String()
	p, ok := f.Proposal(author)
	if !ok {
		return essaim.Proposal{}, nothingToDo("nothing in it to be shown")
	}
	return p, nil
}

// announced takes the Announce of something elsewhere, by a relay or a group: the
// object, or in FEP-1b12 that of the activity announced, is fetched from its
// origin, which also says whether a Delete is true. A group announces its votes
// too: they are about nothing that is kept. One step only: what is announced there
// is not followed further.
func (r *reader) announced() error {
	o := &r.a.Object
	id := o.ID
	switch {
	case o.Type == "Create", o.Type == "Update", o.Type == "Delete":
		nested, ok := o.Value.Get("object").IRI()
		if !ok {
			return nothingToDo("announces an activity without object")
		}
		id = nested
	case speaks(o.Type), o.Type == "EmojiReact":
		return nothingToDo("announces an activity that publishes nothing")
	}
	switch {
	case r.isOurs(id):
		return nothingToDo("announces an activity of this node")
	case !r.a.IsPublic():
		return nothingToDo("not public")
	}
	return r.does(essaim.Want{Object: id.String(), By: r.in.Actor, Announce: r.in.ActivityID, Deleted: o.Type == "Delete"})
}

// put takes an Add: what an account puts in a collection of its own, such as the
// posts that it pins (ActivityPub 7.8), is read as if it named a publication of its
// own. The object is fetched, for what an Add embeds need not be public.
func (r *reader) put() error {
	place, err := r.place()
	if err != nil {
		return err
	}
	return r.does(essaim.Want{Object: r.a.Object.ID.String(), By: r.in.Actor, Announce: place})
}

// takeOut takes a Remove: what came here because it was put in a collection goes
// again, unless people made it theirs. What its author published besides stays.
func (r *reader) takeOut() error {
	place, err := r.place()
	if err != nil {
		return err
	}
	return r.does(essaim.Unreact{ActivityID: place, Actor: r.in.Actor})
}

// place names where an actor put, or from where it takes, a publication of its
// own: two words, so that it is the id of no activity. Mastodon's Add has none, and
// its Remove names none.
func (r *reader) place() (string, error) {
	o := &r.a.Object
	switch {
	case !o.ID.SameOrigin(r.a.Actor) || !r.a.Target.SameOrigin(r.a.Actor):
		return "", nothingToDo("about nothing of its own in a collection of its own")
	case o.Type == "Hashtag", wire.IsActor(o.Type), o.ID == r.a.Actor:
		return "", nothingToDo("about no publication in its collection")
	}
	return r.a.Target.String() + " " + o.ID.String(), nil
}

func (r *reader) actorUpdate(v wire.Value) error {
	actor, err := readActor(v, r.Now())
	if err != nil {
		return err
	}
	// The rest of the row is not the actor's.
	actor.Document = append([]byte(nil), actor.Document...)
	save := essaim.SaveActor{Actor: actor}
	if v.Get("proof").Kind() != wire.KindNone {
		if save.CopyDigest, err = proof.Of(actor.Document).Digest(); err != nil {
			return fmt.Errorf("actor %s: %w: %w", actor.ID, essaim.ErrInvalid, err)
		}
	}
	return r.does(save)
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
	rec, err := vocab.ParseDocument(r.object)
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
	if rec.ContentDigest, rec.CopyDigest, err = r.object.Digests(); err != nil {
		return fmt.Errorf("record %s: %w: %w", o.ID, essaim.ErrInvalid, err)
	}
	return r.does(essaim.Replicate{Record: rec, Document: r.object.Bytes(), Foreign: rec.Revision == 0})
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
		erase.OfActor = wire.IsActor(o.Value.Get("formerType").TextOr())
		if o.Value.Get("proof").Kind() != wire.KindNone {
			var err error
			if erase.CopyDigest, err = r.object.Digest(); err != nil {
				return fmt.Errorf("tombstone of %s: %w: %w", o.ID, essaim.ErrInvalid, err)
			}
		}
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
