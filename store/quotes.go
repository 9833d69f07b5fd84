// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"fmt"
	"time"

	"essaim"
)

// Stamp is the document of a quote's stamp, as signed; essaim.ErrNotFound when
// there is none, or none any more.
func (s *Store) Stamp(ctx context.Context, id string) ([]byte, error) {
	var b []byte
	if err := s.query().row(ctx, "quote_stamp", id).Scan(&b); err != nil {
		return nil, fmt.Errorf("stamp %s: %w", id, err)
	}
	return b, nil
}

// allowQuote writes the stamp and queues the answer that names it, or neither.
func (tx *Tx) allowQuote(ctx context.Context, e essaim.AllowQuote, now time.Time) (outcome, error) {
	q := e.Quote
	gone, err := tx.found(ctx, "tombstone_stands", q.Post)
	if err != nil {
		return did, err
	}
	if gone {
		return nothing("the post that quotes was deleted"), nil
	}
	here, err := tx.found(ctx, "published_here", q.Object)
	if err != nil {
		return did, err
	}
	if !here {
		return nothing("not a published record of ours"), nil
	}
	if _, err := tx.exec(ctx, "quote_add", q.ID, q.Object, q.Post, q.Actor, q.Stamp, instant(now)); err != nil {
		return did, err
	}
	return did, tx.enqueue(ctx, "Accept", e.Accept, now)
}

// reply queues an answer to an activity about a published record.
func (tx *Tx) reply(ctx context.Context, e essaim.Reply, now time.Time) (outcome, error) {
	here, err := tx.found(ctx, "published_here", e.Object)
	if err != nil {
		return did, err
	}
	if !here {
		return nothing("not a published record of ours"), nil
	}
	return did, tx.enqueue(ctx, e.Type, e.Answer, now)
}
