// SPDX-License-Identifier: AGPL-3.0-or-later

package wire

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"essaim"
)

// Context is the ActivityStreams context, and Public its collection of everyone.
const (
	Context = "https://www.w3.org/ns/activitystreams"
	Public  = "https://www.w3.org/ns/activitystreams#Public"
)

// Activity is a document with the shape of an activity. Its fields are the only
// reading of who did what: nothing later reads actor, type or object again.
type Activity struct {
	*Document
	ID    essaim.IRI
	Type  string
	Actor essaim.IRI
	// Object is what it is about; for a list (Flag, Add…) its first element.
	Object Object
	// Objects are the ids of a list of objects, Object's first; nil otherwise.
	Objects []essaim.IRI
	// Target is the collection or actor of Add, Remove, Move; may be zero.
	Target essaim.IRI
	// Transient is set for one without an id: the same bytes may be said again and
	// mean it again (ActivityPub 3.1).
	Transient bool
}

// Object is the object of an activity, named or given whole.
type Object struct {
	// ID is zero for a nested activity that has none.
	ID essaim.IRI
	// Value is the object when it is given whole, absent when only named.
	Value Value
	// Type is the type of an object given whole.
	Type string
	// Actor and Object are those of a nested activity (the Follow in an Undo).
	Actor  essaim.IRI
	Object essaim.IRI
	// Authors are the ids under attributedTo, in whatever form they are written.
	Authors []essaim.IRI
	// Maker is the object's own actor: Mobilizon writes there the person who
	// publishes for the group that attributedTo names.
	Maker essaim.IRI
}

// Embedded tells whether the object is given whole.
func (o *Object) Embedded() bool { return o.Value.Kind() == KindObject }

// Decode passes raw through the gate and reads it as an activity. The
// "@context" must name ActivityStreams (as Mastodon and go-fed require); id,
// type and actor must be there in a form that can be read one way only.
func Decode(raw []byte, lim Limits) (*Activity, error) {
	d, err := Parse(raw, lim)
	if err != nil {
		return nil, err
	}
	if !d.IsActivityStreams() {
		return nil, fmt.Errorf("no ActivityStreams context: %w", ErrUnsupported)
	}
	a := &Activity{Document: d}
	kind, kindErr := typeOf(d.Get("type"))
	a.Transient = (kind == "Add" || kind == "Remove") && !d.Get("id").Present()
	if !a.Transient {
		if a.ID, err = requiredIRI(d.Get("id"), "id"); err != nil {
			return nil, err
		}
	}
	if a.Type = kind; kindErr != nil {
		return nil, kindErr
	}
	if a.Actor, err = onlyIRI(d.Get("actor"), "actor"); err != nil {
		return nil, err
	}
	if a.Transient {
		if a.ID, err = transientID(a.Actor, raw); err != nil {
			return nil, err
		}
	}
	if err := a.readObject(); err != nil {
		return nil, err
	}
	if t := d.Get("target"); t.Present() {
		a.Target, _ = t.IRI()
	}
	return a, nil
}

// Published passes through the gate what stands under an id in a collection of
// its origin, and reads it as the activity by which its author would send it: the
// Update of an object, the Delete of what left a Tombstone. The object has one
// author, or is an actor.
func Published(raw []byte, lim Limits) (*Activity, error) {
	d, err := Parse(raw, lim)
	if err != nil {
		return nil, err
	}
	return published(d)
}

// PublishedIn is Published for what stands in a document that passed the gate.
func PublishedIn(v Value, lim Limits) (*Activity, error) {
	d, err := v.document(lim)
	if err != nil {
		return nil, err
	}
	return published(d)
}

func published(d *Document) (*Activity, error) {
	if !d.IsActivityStreams() {
		return nil, fmt.Errorf("no ActivityStreams context: %w", ErrUnsupported)
	}
	a := &Activity{Document: d, Type: "Update"}
	if err := a.Object.read(d.Root(), a.Type); err != nil {
		return nil, err
	}
	o := &a.Object
	if o.Type == "Tombstone" {
		a.Type = "Delete"
	}
	switch {
	case IsActor(o.Type):
		a.Actor = o.ID
	case len(o.Authors) == 1:
		a.Actor = o.Authors[0]
	default:
		return nil, malformed("%d authors", len(o.Authors))
	}
	a.ID = o.ID
	return a, nil
}

// transientID stands in for the id of an activity without one (ActivityPub 3.1
// allows it): Mastodon's Add and Remove. The same bytes have the same id, on the
// origin of the actor that signs.
func transientID(actor essaim.IRI, raw []byte) (essaim.IRI, error) {
	page, _, _ := strings.Cut(actor.String(), "#")
	sum := sha256.Sum256(raw)
	return essaim.ParseIRI(page + "#transient-" + hex.EncodeToString(sum[:16]))
}

// IsActivityStreams tells whether the document's "@context" names
// ActivityStreams literally (interop rule 9 of most servers).
func (d *Document) IsActivityStreams() bool {
	for e := range d.Get("@context").Elements() {
		if s := e.TextOr(); s == Context || s == "http://www.w3.org/ns/activitystreams" {
			return true
		}
	}
	return false
}

// To walks the addressees: to, cc, bto, bcc and audience. What is not an
// address is passed over.
func (a *Activity) To(yield func(essaim.IRI) bool) {
	for _, field := range [...]string{"to", "cc", "bto", "bcc", "audience"} {
		for e := range a.Get(field).Elements() {
			if iri, ok := e.IRI(); ok && !yield(iri) {
				return
			}
		}
	}
}

// IsPublic tells whether the activity, or its object given whole, is addressed
// to everyone (ActivityPub 5.6, all three spellings).
func (a *Activity) IsPublic() bool {
	return IsPublic(a.Root()) || IsPublic(a.Object.Value)
}

// IsPublic tells whether a document is addressed to everyone.
func IsPublic(v Value) bool {
	return ToEveryone(v) || addressed(v.Get("cc"))
}

// ToEveryone tells whether a document is addressed to everyone first of all. With
// everyone only in copy ("unlisted", "quiet public") its author wants it in no
// list.
func ToEveryone(v Value) bool { return addressed(v.Get("to")) }

func addressed(v Value) bool {
	for e := range v.Elements() {
		if s := e.TextOr(); s == Public || s == "as:Public" || s == "Public" {
			return true
		}
	}
	return false
}

func (a *Activity) readObject() error {
	v := a.Get("object")
	if v.Kind() == KindArray {
		if v.Len() > 1 && single(a.Type) {
			return malformed("%s of %d objects", a.Type, v.Len())
		}
		if v.Len() > 1 {
			return a.readList(v)
		}
		for e := range v.Elements() {
			v = e
		}
	}
	switch v.Kind() {
	case KindString:
		iri, err := requiredIRI(v, "object")
		a.Object.ID = iri
		return err
	case KindObject:
		return a.Object.read(v, a.Type)
	case KindNone, KindNull, KindArray:
		if single(a.Type) {
			return malformed("%s without an object", a.Type)
		}
		return nil
	}
	return malformed("object is neither an address nor an object")
}

func (a *Activity) readList(v Value) error {
	for e := range v.Elements() {
		iri, ok := e.IRI()
		if !ok {
			return malformed("object in a list without an address")
		}
		a.Objects = append(a.Objects, iri)
	}
	a.Object.ID = a.Objects[0]
	return nil
}

func (o *Object) read(v Value, activity string) error {
	o.Value = v
	var err error
	if id := v.Get("id"); id.Present() || !nests(activity) {
		if o.ID, err = requiredIRI(id, "object's id"); err != nil {
			return err
		}
	}
	if t := v.Get("type"); t.Present() {
		if o.Type, err = typeOf(t); err != nil {
			return err
		}
	}
	if nests(activity) {
		if o.Actor, err = optionalIRI(v.Get("actor"), "object's actor"); err != nil {
			return err
		}
		if o.Object, err = optionalIRI(v.Get("object"), "object's object"); err != nil {
			return err
		}
	}
	if o.Authors, err = Authors(v); err != nil || nests(activity) {
		return err
	}
	o.Maker, err = optionalIRI(v.Get("actor"), "object's actor")
	return err
}

// Authors reads every id under attributedTo: a string, an object, or a list of
// both. A form that cannot be read is malformed, not ignored: a reader that
// ignored it would see other authors than one that does not.
func Authors(v Value) ([]essaim.IRI, error) {
	var authors []essaim.IRI
	for e := range v.Get("attributedTo").Elements() {
		iri, ok := e.IRI()
		if !ok {
			return nil, malformed("attributedTo without an address")
		}
		if !slices.Contains(authors, iri) {
			authors = append(authors, iri)
		}
	}
	return authors, nil
}

func requiredIRI(v Value, what string) (essaim.IRI, error) {
	s, ok := v.Text()
	if !ok {
		return essaim.IRI{}, malformed("%s is not a string", what)
	}
	iri, err := essaim.ParseIRI(s)
	if err != nil {
		return essaim.IRI{}, malformed("%s is not an http address", what)
	}
	return iri, nil
}

// onlyIRI reads an address, an object with an id, or a list whose every element
// names the same.
func onlyIRI(v Value, what string) (essaim.IRI, error) {
	var only essaim.IRI
	for e := range v.Elements() {
		iri, ok := e.IRI()
		if !ok || (!only.IsZero() && iri != only) {
			return essaim.IRI{}, malformed("%s is not one address", what)
		}
		only = iri
	}
	if only.IsZero() {
		return only, malformed("no %s", what)
	}
	return only, nil
}

func optionalIRI(v Value, what string) (essaim.IRI, error) {
	if !v.Present() {
		return essaim.IRI{}, nil
	}
	return onlyIRI(v, what)
}

// typeOf reads a type: a string, or a list of which one element is a type that
// ActivityStreams knows. A list that names two activities is malformed, since
// readers would take different ones.
func typeOf(v Value) (string, error) {
	if s, ok := v.Text(); ok && s != "" && len(s) <= 128 {
		return s, nil
	}
	first, known := "", ""
	if v.Kind() == KindArray {
		for e := range v.Elements() {
			s, ok := e.Text()
			if !ok || s == "" || len(s) > 128 {
				return "", malformed("type is not a string")
			}
			if first == "" {
				first = s
			}
			if IsKnown(s) && s != known {
				if known != "" {
					return "", malformed("two types")
				}
				known = s
			}
		}
	}
	switch {
	case known != "":
		return known, nil
	case first != "":
		return first, nil
	}
	return "", malformed("no type")
}
