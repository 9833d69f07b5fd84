// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"errors"
	"fmt"

	"essaim"
)

// sortOf says what stands in the commons under an id.
type sortOf string

const (
	sortRecord    sortOf = "record"
	sortActor     sortOf = "actor"
	sortTombstone sortOf = "tombstone"
	sortWithdrawn sortOf = "withdrawn" // here: of another node's
)

// listing is a line of the commons as it becomes with a change number.
type listing struct {
	id       string
	sort     sortOf
	digest   string // empty for what leaves the commons
	document []byte // of an actor, or of its tombstone
}

// listingOf is the line of a local record's version; nil for one that never was
// in the commons. A record whose licence is free no more leaves them.
func listingOf(e *entry, verb essaim.Verb) *listing {
	l := &listing{id: e.ID, sort: sortRecord, digest: e.CopyDigest}
	switch {
	case verb == essaim.VerbDelete:
		l.sort = sortTombstone
	case !essaim.Reusable(e.Licence) && verb == essaim.VerbCreate:
		return nil
	case !essaim.Reusable(e.Licence):
		l.digest = ""
	}
	return l
}

// enlist writes a line of this node's commons.
func (tx *Tx) enlist(ctx context.Context, l *listing, number int64) error {
	return tx.later(ctx, "commons_put", l.id, "", essaim.CommonsKey(l.id), string(l.sort), l.digest, number, l.document)
}

// enlistCopy writes a line of another node's commons, as far as it is held here.
func (tx *Tx) enlistCopy(ctx context.Context, origin string, l *listing) error {
	return tx.later(ctx, "commons_put", l.id, origin, essaim.CommonsKey(l.id), string(l.sort), l.digest, 0, l.document)
}

// CommonsAfter lists the documents of this node's commons whose latest change
// has a number above after, the oldest change first: at most n, and no more than
// size bytes after the first one. head is the number of the latest change of all,
// more tells whether others follow.
func (s *Store) CommonsAfter(ctx context.Context, after int64, n, size int) (list []essaim.CommonsDocument, head essaim.CommonsNumber, more bool, err error) {
	err = s.read(ctx, func(tx *Tx) error {
		list, more = nil, false
		node, err := tx.knownNode(ctx)
		if err != nil {
			return err
		}
		head.Incarnation = node.Incarnation
		if err := tx.row(ctx, "commons_last").Scan(&head.N); err != nil {
			return err
		}
		total := 0
		return tx.each(ctx, "commons_page", func(scan func(...any) error) error {
			var d essaim.CommonsDocument
			if err := scan(&d.Number, &d.ID, &d.Digest, &d.Bytes); err != nil || more {
				return err
			}
			if total += len(d.Bytes); len(list) == n || total > size && len(list) > 0 {
				more = true
				return nil
			}
			list = append(list, d)
			return nil
		}, after, n+1)
	})
	if err != nil {
		return nil, head, false, fmt.Errorf("commons after %d: %w", after, err)
	}
	return list, head, more, nil
}

// Heads lists the latest signed heads of a host, the newest first; the host is
// empty for this node.
func (s *Store) Heads(ctx context.Context, host string, n int) ([]essaim.CommonsHead, error) {
	heads, err := list(ctx, s.query(), scanHead, "head_latest", host, n)
	if err != nil {
		return nil, fmt.Errorf("heads of %q: %w", host, err)
	}
	return heads, nil
}

func scanHead(scan scanFunc) (h essaim.CommonsHead, err error) {
	var root string
	err = scan(&h.Number.Incarnation, &h.Number.N, moment{&h.At}, &h.Count, &root, &h.Document)
	if err == nil {
		h.Root, err = essaim.ParseDigest(root)
	}
	return h, err
}

// keptHeads is how many heads of a host are kept.
const keptHeads = 2

// SaveHead keeps a signed head; those before the last two go.
func (s *Store) SaveHead(ctx context.Context, host string, h essaim.CommonsHead) error {
	err := s.write(ctx, urgent, func(tx *Tx) error { return tx.saveHead(ctx, host, h) })
	if err != nil {
		return fmt.Errorf("head of %q: %w", host, err)
	}
	return nil
}

func (tx *Tx) saveHead(ctx context.Context, host string, h essaim.CommonsHead) error {
	if _, err := tx.exec(ctx, "head_add", host, h.Number.Incarnation, h.Number.N, micros(h.At), h.Count, h.Root.String(), h.Document); err != nil {
		return err
	}
	heads, err := list(ctx, tx, scanHead, "head_latest", host, keptHeads+8)
	if err != nil {
		return err
	}
	for _, old := range heads[min(len(heads), keptHeads):] {
		if err := tx.later(ctx, "head_drop", host, old.Number.Incarnation, old.Number.N, micros(old.At)); err != nil {
			return err
		}
	}
	return nil
}

// listedAs reads the copy digest under which an id stands in the commons.
func (tx *Tx) listedAs(ctx context.Context, id string) (digest string, ok bool, err error) {
	err = tx.row(ctx, "commons_digest", id).Scan(&digest)
	if errors.Is(err, essaim.ErrNotFound) {
		return "", false, nil
	}
	return digest, err == nil, err
}
