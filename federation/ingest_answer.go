// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"essaim"
	"essaim/federation/vocab"
	"essaim/federation/wire"
)

// quote answers a request to quote a record: anyone may, so the stamp is given
// at once (FEP-044f). Its address follows from record and post, so that a
// request made again gets the same.
func (r *reader) quote(ctx context.Context) error {
	rec, err := r.asked(ctx)
	if err != nil {
		return err
	}
	post, err := r.quoting(rec.ID)
	if err != nil {
		return err
	}
	to, err := r.Actors.Actor(ctx, r.a.Actor)
	if err != nil {
		return err
	}
	q := essaim.Quote{ID: stampID(rec.ID, post.String()), Object: rec.ID, Post: post.String(), Actor: to.ID}
	if q.Stamp, err = r.Renderer.Stamp(q.ID, rec.Territory, q.Post, q.Object, r.Now()); err != nil {
		return err
	}
	id := r.ActivityID()
	body, err := r.Renderer.AcceptQuote(id, rec.Territory, vocab.QuoteRequest{ID: r.in.ActivityID, Actor: to.ID, Object: q.Object, Post: q.Post}, q.ID)
	if err != nil {
		return err
	}
	return r.does(essaim.AllowQuote{Quote: q, Accept: essaim.Outgoing{
		ActivityID: id, Actor: rec.Territory, Receiver: to.ID, Inbox: to.Inbox, OrderKey: q.ID, Body: body,
	}})
}

// quoting reads the post that quotes. It is the requester's, given whole or by
// its id; one given whole must say that it is, and that this is what it quotes.
func (r *reader) quoting(object string) (essaim.IRI, error) {
	v := r.a.Get("instrument")
	post, ok := v.IRI()
	if !ok || !post.SameOrigin(r.a.Actor) {
		return post, nothingToDo("names no post of its actor that quotes")
	}
	if v.Kind() != wire.KindObject {
		return post, nil
	}
	authors, err := wire.Authors(v)
	if err != nil {
		return post, err
	}
	for _, author := range authors {
		if author != r.a.Actor {
			return post, fmt.Errorf("post of another than its actor: %w", essaim.ErrForbidden)
		}
	}
	// FEP-044f names the first; the others are what software wrote before it,
	// and what Mastodon reads.
	for _, property := range [...]string{"quote", "quoteUrl", "quoteUri", "_misskey_quote"} {
		if quoted, ok := v.Get(property).IRI(); ok {
			if quoted.String() == object {
				return post, nil
			}
			break
		}
	}
	return post, nothingToDo("the post does not quote it")
}

// stampID is the address of the stamp for a record and a post.
func stampID(object, post string) string {
	sum := sha256.Sum256([]byte(post))
	return object + "/quotes/" + hex.EncodeToString(sum[:16])
}

// join answers that nobody joins over ActivityPub: our meetings say how in
// externalParticipationUrl. Who asked is not kept (FEP-8a8e, "not handling
// RSVP": always an Ignore that names the Join).
func (r *reader) join(ctx context.Context) error {
	rec, err := r.asked(ctx)
	if err != nil {
		return err
	}
	if rec.Kind != essaim.KindMeeting {
		return nothingToDo("joins what is no meeting")
	}
	to, err := r.Actors.Actor(ctx, r.a.Actor)
	if err != nil {
		return err
	}
	id := r.ActivityID()
	body, err := r.Renderer.Ignore(id, rec.Territory, to.ID, r.in.ActivityID)
	if err != nil {
		return err
	}
	return r.does(essaim.Reply{Type: "Ignore", Object: rec.ID, Answer: essaim.Outgoing{
		ActivityID: id, Actor: rec.Territory, Receiver: to.ID, Inbox: to.Inbox, OrderKey: rec.ID + " " + to.ID, Body: body,
	}})
}

// leave has nothing to take back: a Join leaves nothing here.
func (r *reader) leave() error { return nothingToDo("nobody joins over ActivityPub") }

// asked is the record of ours that the activity is about. Whether it is still
// published when the answer is queued is for the store to see.
func (r *reader) asked(ctx context.Context) (essaim.Record, error) {
	return r.published(ctx, r.a.Object.ID)
}

// published is a published record of ours.
func (r *reader) published(ctx context.Context, id essaim.IRI) (essaim.Record, error) {
	const none = nothingToDo("about nothing of this node")
	if id.IsZero() || !r.isOurs(id) {
		return essaim.Record{}, none
	}
	rec, err := r.Store.Record(ctx, id.String())
	switch {
	case errors.Is(err, essaim.ErrNotFound), err == nil && (rec.Origin != "" || rec.State != essaim.StatePublished):
		return essaim.Record{}, none
	}
	return rec, err
}
