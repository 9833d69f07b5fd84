// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"fmt"
	"time"

	"github.com/go-fed/activity/streams"
	gofed "github.com/go-fed/activity/streams/vocab"

	"essaim"
	"essaim/federation/proof"
	"essaim/federation/vocab"
	"essaim/federation/wire"
)

// reader says what activities come to, one at a time: go-fed's resolver
// dispatches those that it knows, a table by type the others. A lane has its
// own.
type reader struct {
	*Ingester
	resolver *streams.TypeResolver
	others   map[string]func(context.Context) error

	activities, objects proof.Reader

	// Of the activity being read.
	in      essaim.Inbound
	a       *wire.Activity
	object  *proof.Document // that of the activity, as it came
	effects []essaim.Effect
}

func newReader(g *Ingester) (*reader, error) {
	r := &reader{Ingester: g}
	var err error
	r.resolver, err = streams.NewTypeResolver(
		func(ctx context.Context, _ gofed.ActivityStreamsFollow) error { return r.follow(ctx) },
		func(context.Context, gofed.ActivityStreamsAccept) error { return r.answered(true) },
		func(context.Context, gofed.ActivityStreamsReject) error { return r.answered(false) },
		func(context.Context, gofed.ActivityStreamsUndo) error { return r.undo() },
		func(context.Context, gofed.ActivityStreamsCreate) error { return r.publication() },
		func(context.Context, gofed.ActivityStreamsUpdate) error { return r.publication() },
		func(context.Context, gofed.ActivityStreamsDelete) error { return r.deletion() },
		func(context.Context, gofed.ActivityStreamsLike) error { return r.reaction(essaim.ReactionLike) },
		func(context.Context, gofed.ActivityStreamsAnnounce) error {
			return r.reaction(essaim.ReactionAnnounce)
		},
		func(ctx context.Context, _ gofed.ActivityStreamsJoin) error { return r.join(ctx) },
		func(context.Context, gofed.ActivityStreamsLeave) error { return r.leave() },
		func(ctx context.Context, _ gofed.ActivityStreamsMove) error { return r.move(ctx) },
		func(ctx context.Context, _ gofed.ActivityStreamsFlag) error { return r.flag(ctx) },
		func(ctx context.Context, _ gofed.ActivityStreamsBlock) error { return r.blocked(ctx) },
		func(ctx context.Context, _ gofed.ActivityStreamsOffer) error { return r.offered(ctx) },
		func(context.Context, gofed.ActivityStreamsAdd) error { return r.put() },
		func(context.Context, gofed.ActivityStreamsRemove) error { return r.takeOut() },
	)
	r.others = map[string]func(context.Context) error{
		"QuoteRequest": r.quote, // FEP-044f
		// Misskey and Pleroma; a Like with a picture (FEP-c0e0).
		"EmojiReact": func(context.Context) error { return r.reaction(essaim.ReactionLike) },
	}
	return r, err
}

// begin makes the reader ready for an activity: nothing of the one before is left.
func (r *reader) begin(in essaim.Inbound) {
	r.in, r.a, r.object, r.effects = in, nil, nil, nil
}

// read gives the effects of the activity that was begun. An error that is nothingToDo or
// heldUntil, or wraps essaim.ErrInvalid or ErrForbidden, is final.
func (r *reader) read(ctx context.Context) ([]essaim.Effect, error) {
	in := &r.in
	a, err := wire.Decode(in.Raw, wire.Limits{})
	if err != nil {
		return nil, err
	}
	r.a, r.object = a, r.objects.OfValid(a.Object.Value.Raw())
	if r.PanicName != "" && a.Object.Value.Get("name").TextOr() == r.PanicName {
		panic("asked for by " + in.ActivityID)
	}
	if a.ID.String() != in.ActivityID || a.Actor.String() != in.Actor {
		return nil, fmt.Errorf("bytes of another activity: %w", essaim.ErrInvalid)
	}
	// The rules once more: rows outlive the version that wrote them.
	if err := a.CheckAuthority(a.Actor); err != nil {
		return nil, err
	}
	if err := r.Actors.behind(ctx, a.Actor.Host()); err != nil {
		return nil, err
	}
	if err := r.vouched(ctx); err != nil {
		return nil, err
	}
	if other, ok := r.others[a.Type]; ok {
		err = other(ctx)
	} else if speaks(a.Type) {
		err = r.dispatch(ctx)
	} else {
		err = typeUnknown
	}
	return r.effects, err
}

// vouched holds what a node that is replicated sends to the key that is pinned:
// the activity, and the record or tombstone in it, which is kept as it came.
func (r *reader) vouched(ctx context.Context) error {
	if err := r.Actors.VouchActivity(ctx, r.a.Actor, r.a.Object.ID, r.activities.OfValid(r.a.Raw()), r.in.ReceivedAt); err != nil {
		return err
	}
	o := &r.a.Object
	if o.Embedded() && !speaks(o.Type) && (o.Type == "Tombstone" || o.Value.Get("essaim:kind").Kind() != wire.KindNone) {
		return r.Actors.Vouch(ctx, r.a.Actor, o.ID, r.object, r.in.ReceivedAt)
	}
	return nil
}

// dispatch goes through go-fed's vocabulary with the neutral envelope.
func (r *reader) dispatch(ctx context.Context) error {
	value, err := streams.ToType(ctx, r.a.Envelope())
	if err != nil {
		// Also what IsUnmatchedErr does not count: a shape it cannot read.
		return fmt.Errorf("%s: %w: %w", r.a.Type, wire.ErrUnsupported, err)
	}
	err = r.resolver.Resolve(ctx, value)
	if streams.IsUnmatchedErr(err) {
		return typeUnhandled
	}
	return err
}

// carried is the id of the object that the activity being read holds whole, or
// that the activity in it does; empty without one.
func (r *reader) carried() string {
	if r.a == nil {
		return ""
	}
	o := &r.a.Object
	if !o.Embedded() {
		return ""
	}
	if speaks(o.Type) {
		if id, ok := o.Value.Get("object").Get("id").Text(); ok {
			return id
		}
	}
	return o.ID.String()
}

func (r *reader) does(e ...essaim.Effect) error {
	r.effects = append(r.effects, e...)
	return nil
}

// isOurs tells whether an address is on this node.
func (r *reader) isOurs(iri essaim.IRI) bool { return iri.SameOrigin(r.origin) }

// subject is the id of what an activity is about: of the Note that the actor of a
// record pins, that record's.
func (r *reader) subject(iri essaim.IRI) string {
	if record, ok := vocab.PresentedRecord(iri.String()); ok && r.isOurs(iri) {
		return record
	}
	return iri.String()
}

// follow answers with an Accept, in the same transaction; a follow that waits
// for an administrator has none yet. A repeated Follow is accepted again.
func (r *reader) follow(ctx context.Context) error {
	local, actor := r.a.Object.ID.String(), r.a.Actor.String()
	if here, err := r.Local(ctx, local); err != nil {
		return err
	} else if !here {
		return nothingToDo("follows no actor of this node")
	}
	follower, err := r.Actors.Actor(ctx, r.a.Actor)
	if err != nil {
		return err
	}
	pending, err := r.waits(ctx, local)
	if err != nil {
		return err
	}
	effect := essaim.AddFollower{Local: local, Follower: follower, FollowID: r.in.ActivityID, Pending: pending}
	effect.Announced = local == r.Renderer.NodeActor() && readsAnnounces(follower)
	if !pending {
		follow, err := namedFollow(r.in.ActivityID, actor, local)
		if err != nil {
			return err
		}
		id := r.ActivityID()
		body, err := r.Renderer.Accept(id, local, actor, follow)
		if err != nil {
			return err
		}
		effect.Accept = essaim.Outgoing{ActivityID: id, Actor: local, Receiver: actor, Inbox: follower.Inbox, OrderKey: local + " " + actor, Body: body}
	}
	return r.does(effect)
}

// readsAnnounces tells of a follower of the node's own actor that reads announces
// and not the activities of other actors: the relays of Mobilizon and PeerTube,
// which are known by the names that the two give them, and accounts, whose
// servers show only what the followed actor itself sends (interop.md 1.4, 2.3).
// Any other instance actor gets what is published, as ActivityPub has it.
func readsAnnounces(a essaim.RemoteActor) bool {
	return a.Type != "Application" || a.Username == "relay" || a.Username == "peertube"
}

// waits tells whether a follow of the node's own actor is an administrator's to
// accept; those of other actors never are.
func (r *reader) waits(ctx context.Context, local string) (bool, error) {
	if local != r.Renderer.NodeActor() {
		return false, nil
	}
	switch r.PeerPolicy {
	case PeerPolicyApprove:
		return true, nil
	case PeerPolicyAllowlist:
		peer, err := r.Store.Peer(ctx, r.a.Actor.Host())
		if err != nil {
			return true, ignoreMissing(err)
		}
		return peer.State != essaim.PeerFollowed && peer.State != essaim.PeerRequested, nil
	}
	return false, nil
}

// answered takes the answer to our own Follow, or Offer; the store knows whether there is
// one, and whom it asked.
func (r *reader) answered(accepted bool) error {
	o := &r.a.Object
	if r.isOurs(o.ID) && o.Type == "Offer" {
		return r.does(essaim.OfferAnswer{Offer: o.ID.String(), Actor: r.in.Actor, Accepted: accepted})
	}
	if !r.isOurs(o.ID) || o.Embedded() && o.Type != "Follow" {
		return nothingToDo("answers no Follow of this node")
	}
	return r.does(essaim.PeerAnswer{FollowID: o.ID.String(), Actor: r.in.Actor, Accepted: accepted})
}

// undo takes back a follow or a reaction, found by actor and object or by id,
// never by asking for it: Mastodon's cannot be fetched.
func (r *reader) undo() error {
	o := &r.a.Object
	id, actor := o.ID.String(), r.in.Actor
	switch o.Type {
	case "Follow":
		if !r.isOurs(o.Object) {
			return nothingToDo("undoes a follow of no actor of this node")
		}
		return r.does(essaim.RemoveFollower{Local: o.Object.String(), Follower: actor, FollowID: id})
	case "Like", "EmojiReact":
		return r.does(essaim.Unreact{Kind: essaim.ReactionLike, ActivityID: id, Actor: actor, Object: r.subject(o.Object)})
	case "Announce":
		return r.does(essaim.Unreact{Kind: essaim.ReactionAnnounce, ActivityID: id, Actor: actor, Object: r.subject(o.Object)})
	case "":
		if id == "" {
			return nothingToDo("undoes nothing that has a name")
		}
		return r.does(essaim.RemoveFollower{Follower: actor, FollowID: id}, essaim.Unreact{ActivityID: id, Actor: actor})
	}
	return nothingToDo("undoes nothing that is kept here")
}

func (r *reader) reaction(kind essaim.ReactionKind) error {
	if !r.isOurs(r.a.Object.ID) {
		if kind == essaim.ReactionAnnounce {
			return r.announced()
		}
		return nothingToDo("about nothing of this node")
	}
	return r.does(essaim.React{Kind: kind, ActivityID: r.in.ActivityID, Actor: r.in.Actor, Object: r.subject(r.a.Object.ID), At: r.in.ReceivedAt})
}

// standing gives the effects of what stands in the commons of a host: those that
// it would have if its author had sent it, by the same rules.
func (r *reader) standing(ctx context.Context, item wire.Value, host string, at time.Time) ([]essaim.Effect, error) {
	a, err := wire.PublishedIn(item, wire.Limits{})
	if err != nil {
		return nil, err
	}
	return r.stands(a, host, at, func(a *wire.Activity) error { return r.Actors.Vouch(ctx, a.Actor, a.Object.ID, r.object, at) })
}

// proven is standing for a copy whose proof was checked where it was read.
func (r *reader) proven(c *essaim.VerifiedCopy, host string, at time.Time) ([]essaim.Effect, error) {
	a, err := wire.Published(c.Document, wire.Limits{})
	if err != nil {
		return nil, err
	}
	return r.stands(a, host, at, func(*wire.Activity) error { return nil })
}

func (r *reader) stands(a *wire.Activity, host string, at time.Time, vouch func(*wire.Activity) error) (_ []essaim.Effect, err error) {
	if a.Actor.Host() != host {
		return nil, fmt.Errorf("of %s in the commons of %s: %w", a.Actor.Host(), host, essaim.ErrForbidden)
	}
	r.in = essaim.Inbound{ActivityID: a.ID.String(), Type: a.Type, Actor: a.Actor.String(), Raw: a.Raw(), ReceivedAt: at}
	r.a, r.object, r.effects = a, r.objects.OfValid(a.Object.Value.Raw()), nil
	if err := a.CheckAuthority(a.Actor); err != nil {
		return nil, err
	}
	if err := vouch(a); err != nil {
		return nil, err
	}
	switch {
	case a.Type == "Delete":
		err = r.deletion()
	case wire.IsActor(a.Object.Type), a.Object.Value.Get("essaim:kind").Kind() != wire.KindNone:
		err = r.publication()
	default:
		err = nothingToDo("neither a record, nor an actor, nor a tombstone")
	}
	return r.effects, err
}
