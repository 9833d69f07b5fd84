// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"fmt"
	"log/slog"

	"essaim"
	"essaim/federation/wire"
)

// Bounds of reading which adaptations a node acknowledges.
const (
	lineageParents = 200 // records of a node
	lineagePages   = 25  // of one record's list
)

// LineageStore knows which records of other nodes are adapted.
type LineageStore interface {
	// AdaptedOf lists up to n records of a host that records held here adapt, those
	// first of which something is not known, and of more than n others each time.
	AdaptedOf(ctx context.Context, host string, n int) ([]essaim.Adapted, error)
	// NoteAcknowledged takes what a record's origin lists as its adaptations; nothing
	// else of it counts as acknowledged from then on.
	NoteAcknowledged(ctx context.Context, parent string, children []string) error
}

// readLineage reads which adaptations of its records a node acknowledges: between
// two others, nobody tells this one. One list that cannot be read waits until
// tomorrow, and so do those behind one that is not answered.
func (r *Replicator) readLineage(ctx context.Context, host string) error {
	parents, err := r.Store.AdaptedOf(ctx, host, lineageParents)
	if err != nil {
		return err
	}
	for _, p := range parents {
		children, err := r.acknowledged(ctx, p)
		if err == nil {
			err = r.Store.NoteAcknowledged(ctx, p.ID, children)
		}
		if away(ctx, err) {
			return err
		}
		if err != nil {
			r.Logger.LogAttrs(ctx, slog.LevelInfo, "adaptations not read", slog.String("record", p.ID), slog.String("reason", cut(err.Error(), 300)))
		}
	}
	return nil
}

// acknowledged reads the list that a record names, to its end (docs/PROFILE.md).
func (r *Replicator) acknowledged(ctx context.Context, p essaim.Adapted) (ids []string, err error) {
	doc, err := wire.Parse(p.Document, wire.Limits{})
	if err != nil {
		return nil, err
	}
	id, err := essaim.ParseIRI(p.ID)
	if err != nil {
		return nil, err
	}
	at, ok := doc.Get("essaim:adaptations").IRI()
	if !ok {
		return nil, nil // it lists none
	}
	for n := range lineagePages {
		if !at.SameOrigin(id) {
			return nil, fmt.Errorf("%s is not of its origin: %w", at, essaim.ErrForbidden)
		}
		answer, err := r.Client.Changed(ctx, at.String(), "")
		if err != nil {
			return nil, err
		}
		page, err := wire.Parse(answer.Body, wire.Collection)
		if err != nil {
			return nil, err
		}
		for e := range page.Get("orderedItems").Elements() {
			if child, ok := e.IRI(); ok {
				ids = append(ids, child.String())
			}
		}
		next, more := page.Get("next").IRI()
		if !more && n == 0 {
			next, more = page.Get("first").IRI() // a page may name the first, too
		}
		if !more {
			return ids, nil
		}
		at = next
	}
	return nil, fmt.Errorf("%s: more than %d pages: %w", p.ID, lineagePages, essaim.ErrInvalid)
}
