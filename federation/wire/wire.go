// SPDX-License-Identifier: AGPL-3.0-or-later

// Package wire is the gate: no document from outside reaches the rest of the
// node, nor go-fed, before it passed here. It reads JSON once, strictly, within
// limits, so that every later reader of the same bytes sees the same thing; it
// knows the shape of an activity; and it holds the rules of who may say what
// about whom (owner and origin).
//
// go-fed/activity v1.0.0 has none of this: it reads a repeated key's last
// value, lets "@context" rename the actor, compares an object's host with the
// activity's own id, and spends seconds on a list of unknown tags.
package wire

import (
	"errors"
	"fmt"

	"essaim"
)

// What is wrong with a document. Errors of this package wrap exactly one of
// these or essaim.ErrForbidden.
var (
	ErrMalformed   = fmt.Errorf("malformed document: %w", essaim.ErrInvalid) // 400
	ErrTooLarge    = errors.New("document too large")                        // 413
	ErrUnsupported = errors.New("unsupported document")                      // 400, but well-formed
)

// Limits bound what a document may cost. A zero field takes the default.
type Limits struct {
	Size  int // bytes; 256 KiB by default, never above MaxSize
	Depth int // nested arrays and objects; 32
	Array int // elements of one array; 256
	Keys  int // keys of one object; 256
	Nodes int // values in all; 16,384
	// Repeats lets a text or a date of what is described be written twice, as some
	// software and one example of FEP-8a8e do; the last counts. Only for a document
	// fetched from its own address and read here alone: never for one that is
	// signed, passed on or read by another library.
	Repeats bool
}

// Sizes of documents, in bytes: what is read unless more is allowed, and what
// is never exceeded.
const (
	DefaultSize = 256 << 10
	MaxSize     = 1 << 20
)

// Fetched are the limits for an object of other software, fetched by its id.
var Fetched = Limits{Repeats: true}

// Collection are the limits for a page of a collection, which may be large.
var Collection = Limits{Size: MaxSize, Array: 1024, Nodes: 1 << 16}

func (l Limits) orDefault() Limits {
	set := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	set(&l.Size, DefaultSize)
	set(&l.Depth, 32)
	set(&l.Array, 256)
	set(&l.Keys, 256)
	set(&l.Nodes, 1<<14)
	l.Size = min(l.Size, MaxSize)
	return l
}

func malformed(format string, args ...any) error {
	return fmt.Errorf(format+": %w", append(args, ErrMalformed)...)
}
