// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"

	"essaim"
)

// Object is a local record's document or its Tombstone; essaim.ErrNotFound
// for what was never published, essaim.ErrDamaged for what stands in the commons
// and is lost. Whether the bytes are those of the digest is for the caller to see.
func (s *Store) Object(ctx context.Context, id string) (essaim.Stored, error) {
	var d essaim.Stored
	err := s.query().row(ctx, "object_published", id).Scan(&d.Bytes, &d.Digest, &d.ETag, &d.PageURL, moment{&d.Updated})
	if errors.Is(err, essaim.ErrNotFound) {
		d.Gone = true
		err = s.query().row(ctx, "object_gone", id).Scan(&d.Bytes, &d.Digest, moment{&d.Updated})
		d.ETag = etag(d.Bytes)
	}
	if errors.Is(err, essaim.ErrNotFound) {
		if digest, _, unknown := s.query().listedAs(ctx, id); unknown != nil || digest != "" {
			err = cmp.Or(unknown, essaim.ErrDamaged)
		}
	}
	if err != nil {
		return essaim.Stored{}, fmt.Errorf("object %s: %w", id, err)
	}
	return d, nil
}

// Document is the stored bytes of a published record, local or replicated;
// essaim.ErrNotFound for what is not published.
func (s *Store) Document(ctx context.Context, id string) ([]byte, error) {
	var b []byte
	if err := s.query().row(ctx, "document_published", id).Scan(&b); err != nil {
		return nil, fmt.Errorf("document %s: %w", id, err)
	}
	return b, nil
}

// Activity is a local activity as it was signed; essaim.ErrGone once its
// object is erased.
func (s *Store) Activity(ctx context.Context, id string) (essaim.Stored, error) {
	var d essaim.Stored
	if err := s.query().row(ctx, "activity_by_id", id).Scan(&d.Bytes, moment{&d.Updated}); err != nil {
		return essaim.Stored{}, fmt.Errorf("activity %s: %w", id, err)
	}
	if d.Bytes == nil {
		return essaim.Stored{}, fmt.Errorf("activity %s: %w", id, essaim.ErrGone)
	}
	d.ETag = etag(d.Bytes)
	return d, nil
}

// Changes moves with every commit that changes what Object or Activity answers,
// before the commit is answered to anyone, and costs nothing to read. ok is
// false where other processes may commit too: then ask Number.
func (s *Store) Changes() (n int64, ok bool) { return s.db.changes() }

// Number is the last change number committed, by any process: it moves with
// every commit that changes what Object or Activity answers.
func (s *Store) Number(ctx context.Context) (int64, error) {
	var n int64
	if err := s.query().row(ctx, "last_number").Scan(&n); err != nil {
		return 0, fmt.Errorf("last number: %w", err)
	}
	return n, nil
}

// etag names bytes that carry no digest of their own.
func etag(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16])
}

// Outbox lists the activities of an actor's current publications, newest first,
// those with a change number below before (0 = from the newest); numbers[i] is
// that of activities[i].
func (s *Store) Outbox(ctx context.Context, actor string, before int64, n int) (activities [][]byte, numbers []int64, err error) {
	if before <= 0 {
		before = math.MaxInt64
	}
	return s.outbox(ctx, "outbox_page", actor, before, n)
}

// OutboxAfter is a page read from its other end: of the activities with a change
// number above after, the n oldest, newest first.
func (s *Store) OutboxAfter(ctx context.Context, actor string, after int64, n int) (activities [][]byte, numbers []int64, err error) {
	activities, numbers, err = s.outbox(ctx, "outbox_page_after", actor, after, n)
	slices.Reverse(activities)
	slices.Reverse(numbers)
	return activities, numbers, err
}

func (s *Store) outbox(ctx context.Context, name, actor string, from int64, n int) (activities [][]byte, numbers []int64, err error) {
	err = s.query().each(ctx, name, func(scan func(...any) error) error {
		var number int64
		var body []byte
		if err := scan(&number, &body); err != nil {
			return err
		}
		activities, numbers = append(activities, body), append(numbers, number)
		return nil
	}, actor, from, n)
	if err != nil {
		return nil, nil, fmt.Errorf("outbox of %s: %w", actor, err)
	}
	return activities, numbers, nil
}

// Counts counts the collections of a local actor.
func (s *Store) Counts(ctx context.Context, actor string) (essaim.Totals, error) {
	var c essaim.Totals
	count := func(into *int, name string, args ...any) error {
		if err := s.query().row(ctx, name, args...).Scan(into); err != nil {
			return fmt.Errorf("counts of %s: %w", actor, err)
		}
		return nil
	}
	var errs []error
	node, err := s.nodeActor(ctx)
	if err != nil {
		return c, fmt.Errorf("counts of %s: %w", actor, err)
	}
	if actor == node {
		errs = append(errs, count(&c.Published, "count_published"), count(&c.Following, "peer_count_followed"))
	} else {
		errs = append(errs, count(&c.Published, "count_published_by", actor))
	}
	errs = append(errs, count(&c.Followers, "count_followers", actor), count(&c.Users, "count_accounts"), count(&c.Comments, "count_comments"))
	return c, errors.Join(errs...)
}

// Reactions counts the likes or announces of a local record.
func (s *Store) Reactions(ctx context.Context, object string, kind essaim.ReactionKind) (int, error) {
	var n int
	if err := s.query().row(ctx, "reaction_count", object, string(kind)).Scan(&n); err != nil {
		return 0, fmt.Errorf("reactions to %s: %w", object, err)
	}
	return n, nil
}
