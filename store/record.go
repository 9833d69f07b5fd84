// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"essaim"
)

// entry is a record with what the database keeps beside it.
type entry struct {
	essaim.Record
	rid        int64
	position   int64
	document   []byte // as it is served; read only where it is needed
	content    string // JSON of Content as last saved
	activityID string
	received   time.Time
	importID   int64
	key        string        // of an imported row at its source
	digest     string        // of the row as last imported
	was        map[feed]bool // that carried the version before, when it was public
	search     *searchDoc    // of this version, when it was made beforehand
}

// allRelations are a content's, with what it adapts.
func (e *entry) allRelations() []essaim.Relation {
	if d := e.DerivedFrom; d != nil {
		return append(slices.Clone(e.Relations), essaim.Relation{Type: essaim.RelationAdapts, Target: d.ID, Name: d.Name})
	}
	return e.Relations
}

// Record is a record by its id, whatever its state.
func (s *Store) Record(ctx context.Context, id string) (essaim.Record, error) {
	e, err := s.query().entry(ctx, "record_by_id", id)
	if err != nil {
		return essaim.Record{}, fmt.Errorf("record %s: %w", id, err)
	}
	return e.Record, nil
}

// RecordBySlug finds by kind and slug; origin is a host, empty for local
// records. kind may be empty when origin is set.
func (s *Store) RecordBySlug(ctx context.Context, kind essaim.Kind, origin, slug string) (essaim.Record, error) {
	var e entry
	var err error
	if kind == "" {
		e, err = s.query().entry(ctx, "record_by_origin_slug", origin, slug)
	} else {
		e, err = s.query().entry(ctx, "record_by_slug", string(kind), origin, slug)
	}
	if err != nil {
		return essaim.Record{}, fmt.Errorf("%s %s: %w", kind, slug, err)
	}
	return e.Record, nil
}

// Revisions lists a local record's, newest first. Those of a replicated or
// withdrawn record are not kept.
func (s *Store) Revisions(ctx context.Context, id string) ([]essaim.Revision, error) {
	var list []essaim.Revision
	err := s.query().each(ctx, "revisions", func(scan func(...any) error) error {
		var r essaim.Revision
		var content string
		if err := scan(&r.Number, stamp{&r.At}, &r.Author.User, &r.Author.Name, &r.State, &content); err != nil {
			return err
		}
		list = append(list, r)
		return json.Unmarshal([]byte(content), &list[len(list)-1].Content)
	}, id)
	if err != nil {
		return nil, fmt.Errorf("revisions of %s: %w", id, err)
	}
	return list, nil
}

// RelatedTo lists published records that point to one, and the relation.
func (s *Store) RelatedTo(ctx context.Context, id string) ([]essaim.Related, error) {
	var list []essaim.Related
	err := s.query().each(ctx, "related_to", func(scan func(...any) error) error {
		var relation, claim string
		e, err := scanEntry(func(dest ...any) error { return scan(append(dest, &relation, &claim)...) })
		list = append(list, essaim.Related{Type: essaim.RelationType(relation), Record: e.Record, Claim: essaim.ClaimState(claim)})
		return err
	}, id)
	if err != nil {
		return nil, fmt.Errorf("relations to %s: %w", id, err)
	}
	return list, nil
}

// Thanks counts likes and announces of a record.
func (s *Store) Thanks(ctx context.Context, id string) (likes, announces int, err error) {
	err = s.query().each(ctx, "thanks", func(scan func(...any) error) error {
		var kind essaim.ReactionKind
		var n int
		if err := scan(&kind, &n); err != nil {
			return err
		}
		switch kind {
		case essaim.ReactionLike:
			likes = n
		case essaim.ReactionAnnounce:
			announces = n
		}
		return nil
	}, id)
	if err != nil {
		err = fmt.Errorf("thanks for %s: %w", id, err)
	}
	return likes, announces, err
}

// entry reads the row of a statement that gives the columns of scanEntry.
func (tx *Tx) entry(ctx context.Context, name string, args ...any) (entry, error) {
	r := tx.row(ctx, name, args...)
	return scanEntry(r.Scan)
}

// scanEntry reads the columns, always in the order of record_by_id.
func scanEntry(scan func(...any) error) (e entry, err error) {
	var content string
	var importID *int64
	var key, digest *string
	err = scan(&e.rid, &e.ID, &e.Slug, &e.Origin, &e.Territory, &e.TerritoryName, &e.URL, &e.State, &e.Incarnation, &e.Revision,
		&e.Number, stamp{&e.Published}, stamp{&e.Updated}, &e.ContentDigest, &e.CopyDigest, &content,
		&e.position, &e.activityID, stamp{&e.received}, &importID, &key, &digest)
	if err != nil {
		return e, err
	}
	if importID != nil {
		e.importID = *importID
	}
	if key != nil {
		e.key = *key
	}
	if digest != nil {
		e.digest = *digest
	}
	if err := json.Unmarshal([]byte(content), &e.Content); err != nil {
		return e, fmt.Errorf("content of %s: %w: %w", e.ID, essaim.ErrDamaged, err)
	}
	return e, nil
}

// locked reads a record and keeps others from changing it until the end of the
// transaction; ok is false when there is none.
func (tx *Tx) locked(ctx context.Context, id string) (e entry, ok bool, err error) {
	e, err = tx.entry(ctx, "record_locked", id)
	if errors.Is(err, essaim.ErrNotFound) {
		return e, false, nil
	}
	return e, err == nil, err
}
