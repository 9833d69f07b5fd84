// SPDX-License-Identifier: AGPL-3.0-or-later

package vocab

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/url"
	"time"

	"github.com/go-fed/activity/streams"
	"github.com/go-fed/activity/streams/vocab"

	"essaim"
	"essaim/federation/proof"
)

// envelope is an activity on the wire, in the order it is written. to and cc
// are arrays even of one item, which go-fed's own serialization flattens.
type envelope struct {
	Context   json.RawMessage `json:"@context"`
	ID        iri             `json:"id"`
	Type      text            `json:"type"`
	Actor     iri             `json:"actor"`
	Published moment          `json:"published,omitzero"`
	To        iris            `json:"to,omitempty"`
	CC        iris            `json:"cc,omitempty"`
	Audience  iri             `json:"audience,omitempty"`
	Object    json.RawMessage `json:"object,omitempty"`
	Result    iri             `json:"result,omitempty"`
	Content   text            `json:"content,omitempty"`
	Withdrawn text            `json:"essaim:withdrawn,omitempty"`
}

// activity is what the activity types of go-fed have in common that we set.
type activity interface {
	vocab.Type
	SetJSONLDId(vocab.JSONLDIdProperty)
	SetActivityStreamsActor(vocab.ActivityStreamsActorProperty)
	SetActivityStreamsObject(vocab.ActivityStreamsObjectProperty)
	SetActivityStreamsPublished(vocab.ActivityStreamsPublishedProperty)
	SetActivityStreamsTo(vocab.ActivityStreamsToProperty)
	SetActivityStreamsCc(vocab.ActivityStreamsCcProperty)
}

func newActivity(verb string) (activity, bool) {
	switch verb {
	case "Create":
		return streams.NewActivityStreamsCreate(), true
	case "Update":
		return streams.NewActivityStreamsUpdate(), true
	case "Delete":
		return streams.NewActivityStreamsDelete(), true
	case "Follow":
		return streams.NewActivityStreamsFollow(), true
	case "Accept":
		return streams.NewActivityStreamsAccept(), true
	case "Reject":
		return streams.NewActivityStreamsReject(), true
	case "Undo":
		return streams.NewActivityStreamsUndo(), true
	case "Announce":
		return streams.NewActivityStreamsAnnounce(), true
	case "Offer":
		return streams.NewActivityStreamsOffer(), true
	case "Ignore":
		return streams.NewActivityStreamsIgnore(), true
	case "Flag":
		return streams.NewActivityStreamsFlag(), true
	}
	return nil, false
}

// Activity describes an activity to build.
type Activity struct {
	ID    string
	Type  string // Create, Update, Delete, Follow, Accept, Reject, Undo, Announce, Ignore, Offer, Flag
	Actor string // a local actor: it signs
	// Object is the object's id, or its document as bytes, which are embedded
	// as they are.
	Object    string
	Document  []byte
	To, CC    []string
	Published time.Time // zero to leave it out
	Audience  string    // the community it is for, if any
	// Result is the stamp that an answer to a QuoteRequest grants.
	Result string
	// Content and Withdrawn are, of a Flag, why, and the content digest of the version
	// that its node withdrew.
	Content, Withdrawn string
	// context is written instead of that of activities.
	context json.RawMessage
}

// Build makes the bytes of an activity, with the proof of its actor. The
// envelope is go-fed's; the embedded document never passes through it.
func (r *Renderer) Build(a Activity) ([]byte, error) {
	if a.Document != nil {
		a.Object = ID(a.Document)
	}
	env, err := r.envelope(a)
	if err != nil {
		return nil, err
	}
	if a.Document != nil {
		// Written between the bytes: encoding would touch what is signed.
		env = append(env[:len(env)-1], `,"object":`...)
		env = append(append(env, a.Document...), '}')
	}
	out, err := r.sign(env, a.Actor, cmp.Or(a.Published, r.clock()))
	if err != nil {
		return nil, fmt.Errorf("activity %s: %w", a.ID, err)
	}
	return out.Bytes, nil
}

// buildAround is Build of an activity that carries a document that was just
// signed, whose id is the activity's Object.
func (r *Renderer) buildAround(a Activity, doc proof.Signed) ([]byte, error) {
	a.Document = doc.Bytes
	env, err := r.envelope(a)
	if err != nil {
		return nil, err
	}
	out, err := proof.SignAround(env, doc, r.key, r.ProofKeyID(a.Actor), cmp.Or(a.Published, r.clock()))
	if err != nil {
		return nil, fmt.Errorf("activity %s: %w", a.ID, err)
	}
	return out, nil
}

// envelope writes an activity without proof, and without the document that it
// carries, if any.
func (r *Renderer) envelope(a Activity) ([]byte, error) {
	act, ok := newActivity(a.Type)
	if !ok {
		return nil, fmt.Errorf("activity of type %q: %w", a.Type, essaim.ErrInvalid)
	}
	if err := fill(act, a); err != nil {
		return nil, err
	}
	m, err := streams.Serialize(act)
	if err != nil {
		return nil, fmt.Errorf("activity %s: %w", a.ID, err)
	}
	env, err := envelopeOf(m)
	if err != nil {
		return nil, fmt.Errorf("activity %s: %w", a.ID, err)
	}
	env.Result, env.Audience, env.Content, env.Withdrawn = iri(a.Result), iri(a.Audience), text(a.Content), text(a.Withdrawn)
	if a.context != nil {
		env.Context = a.context
	}
	if a.Document != nil {
		env.Object = nil
	}
	b, err := encode(env)
	if err != nil {
		return nil, fmt.Errorf("activity %s: %w", a.ID, err)
	}
	return b, nil
}

func fill(act activity, a Activity) error {
	id := streams.NewJSONLDIdProperty()
	actor := streams.NewActivityStreamsActorProperty()
	target := streams.NewActivityStreamsObjectProperty()
	to, cc := streams.NewActivityStreamsToProperty(), streams.NewActivityStreamsCcProperty()
	for _, set := range []struct {
		addresses []string
		with      func(*url.URL)
	}{
		{[]string{a.ID}, id.Set},
		{[]string{a.Actor}, actor.AppendIRI},
		{[]string{a.Object}, target.AppendIRI},
		{a.To, to.AppendIRI},
		{a.CC, cc.AppendIRI},
	} {
		for _, s := range set.addresses {
			u, err := url.Parse(s)
			if err != nil || u.Host == "" {
				return fmt.Errorf("activity %s: address %q: %w", a.ID, s, essaim.ErrInvalid)
			}
			set.with(u)
		}
	}
	act.SetJSONLDId(id)
	act.SetActivityStreamsActor(actor)
	act.SetActivityStreamsObject(target)
	if len(a.To) > 0 {
		act.SetActivityStreamsTo(to)
	}
	if len(a.CC) > 0 {
		act.SetActivityStreamsCc(cc)
	}
	if !a.Published.IsZero() {
		published := streams.NewActivityStreamsPublishedProperty()
		published.Set(a.Published.UTC().Truncate(time.Second))
		act.SetActivityStreamsPublished(published)
	}
	return nil
}

// envelopeOf takes what go-fed serialized into our order, with our constant
// context: its own is in random order and names contexts that do not exist.
func envelopeOf(m map[string]any) (envelope, error) {
	b, err := encode(m)
	if err != nil {
		return envelope{}, err
	}
	var env envelope
	read(members(b), &env)
	env.Context = activityContext
	return env, nil
}

// Follow asks to follow a remote actor.
func (r *Renderer) Follow(id, actor, object string) ([]byte, error) {
	return r.Build(Activity{ID: id, Type: "Follow", Actor: actor, Object: object, To: []string{object}})
}

// Accept answers a Follow, embedded as it came; follower is who asked.
func (r *Renderer) Accept(id, actor, follower string, follow []byte) ([]byte, error) {
	return r.Build(Activity{ID: id, Type: "Accept", Actor: actor, Document: follow, To: []string{follower}})
}

// Reject refuses a Follow.
func (r *Renderer) Reject(id, actor, follower string, follow []byte) ([]byte, error) {
	return r.Build(Activity{ID: id, Type: "Reject", Actor: actor, Document: follow, To: []string{follower}})
}

// Undo takes back an activity of ours, embedded: Mastodon cannot undo by id.
func (r *Renderer) Undo(id, actor, to string, undone []byte) ([]byte, error) {
	return r.Build(Activity{ID: id, Type: "Undo", Actor: actor, Document: undone, To: []string{to}})
}

// tombstone is what remains of a withdrawn record: id, kind, version, date.
type tombstone struct {
	Context      json.RawMessage `json:"@context"`
	ID           iri             `json:"id"`
	Type         text            `json:"type"`
	FormerType   text            `json:"formerType,omitempty"`
	AttributedTo iri             `json:"attributedTo"`
	Deleted      moment          `json:"deleted"`
	Updated      moment          `json:"updated"`
	To           iris            `json:"to,omitempty"`
	Kind         text            `json:"essaim:kind,omitempty"`
	Incarnation  number          `json:"essaim:incarnation,omitempty"`
	Revision     number          `json:"essaim:revision,omitempty"`
}

func (r *Renderer) tombstone(rec *essaim.Record, at time.Time) (proof.Signed, error) {
	info, ok := rec.Kind.Info()
	if !ok {
		return proof.Signed{}, fmt.Errorf("kind %q: %w", rec.Kind, essaim.ErrInvalid)
	}
	doc, err := encode(tombstone{
		Context: tombstoneTerms, ID: iri(rec.ID), Type: "Tombstone", FormerType: text(info.Type), AttributedTo: iri(rec.Territory),
		Deleted: utc(at), Updated: utc(at), To: iris{Public},
		Kind: text(rec.Kind), Incarnation: number(rec.Incarnation), Revision: number(rec.Revision),
	})
	if err != nil {
		return proof.Signed{}, err
	}
	return r.sign(doc, rec.Territory, at)
}

// ID is the id of an activity or an object.
func ID(doc []byte) string {
	var d struct {
		ID iri `json:"id"`
	}
	read(members(doc), &d)
	return string(d.ID)
}

// Published is when an activity says that it was; zero when it does not.
func Published(activity []byte) time.Time {
	var a struct {
		Published moment `json:"published"`
	}
	read(members(activity), &a)
	return a.Published.Time
}

// ObjectID is the id of an activity's object; empty when it has none.
func ObjectID(activity []byte) string {
	var a struct {
		Object iri `json:"object"`
	}
	read(members(activity), &a)
	return string(a.Object)
}
