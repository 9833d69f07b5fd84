// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"essaim"
)

// save writes an entry's row, new or changed, with everything beside it that
// is made from it: places, themes, relations, search, counters.
//
// The columns repeat what of the content is filtered and sorted.
func (tx *Tx) save(ctx context.Context, e *entry) (err error) {
	if e.position, err = tx.positionOf(ctx, e); err != nil {
		return err
	}
	content, err := json.Marshal(&e.Content)
	if err != nil {
		return err
	}
	e.content = string(content)
	starts, ends := period(&e.Content)
	var importID any
	if e.importID != 0 {
		importID = e.importID
	}
	if e.rid == 0 {
		if e.rid, err = tx.nextRID(ctx); err != nil {
			return err
		}
		err = tx.later(ctx, "record_insert", e.rid, e.ID, string(e.Kind), e.Slug, e.Origin, e.Territory, e.TerritoryName, e.URL, string(e.State),
			e.Incarnation, e.Revision, e.Number, e.Title, stageOf(&e.Content), micros(starts), micros(ends), flag(essaim.Reusable(e.Licence)),
			e.content, e.document, e.ContentDigest, e.CopyDigest, e.activityID, micros(e.Published), micros(e.Updated), micros(e.received),
			importID, orNull(e.key), orNull(e.digest), e.position)
		if err != nil {
			return err
		}
		return tx.saveBeside(ctx, e, true)
	}
	err = tx.later(ctx, "record_update", e.rid, e.TerritoryName, e.URL, string(e.State), e.Incarnation, e.Revision,
		e.Title, stageOf(&e.Content), micros(starts), micros(ends), flag(essaim.Reusable(e.Licence)), e.content, e.document,
		e.ContentDigest, e.CopyDigest, e.activityID, micros(e.Published), micros(e.Updated), micros(e.received), orNull(e.digest), e.position, importID)
	if err != nil {
		return err
	}
	return tx.saveBeside(ctx, e, false)
}

// positionOf keeps the position of a record whose time did not change.
func (tx *Tx) positionOf(ctx context.Context, e *entry) (int64, error) {
	if isPlace(e.position, e.ID, e.Updated) {
		return e.position, nil
	}
	return tx.position(ctx, e.ID, e.Updated)
}

// period is when a record starts and ends, for those that are dated.
func period(c *essaim.Content) (starts, ends time.Time) {
	if m, ok := c.Body.(*essaim.Meeting); ok && !m.Start.IsZero() {
		return m.Start, m.Over()
	}
	return starts, ends
}

func (tx *Tx) saveBeside(ctx context.Context, e *entry, fresh bool) error {
	if !fresh {
		if err := tx.clearBeside(ctx, e.rid); err != nil {
			return err
		}
	}
	if e.State == essaim.StateWithdrawn {
		return tx.recount(ctx, e, nil, fresh)
	}
	for _, p := range e.Places {
		var lat, lon any
		if p.Located() {
			lat, lon = *p.Lat, *p.Lon
		}
		if err := tx.later(ctx, "place_insert", e.rid, e.position, lat, lon, p.INSEE, p.EPCI, p.Departement, p.Region); err != nil {
			return err
		}
	}
	for _, t := range allThemes(e.Themes) {
		if err := tx.later(ctx, "theme_insert", e.rid, t.id, flag(t.direct)); err != nil {
			return err
		}
	}
	for _, r := range e.allRelations() {
		if err := tx.later(ctx, "relation_insert", e.rid, string(r.Type), r.Target, r.Name); err != nil {
			return err
		}
	}
	if e.State != essaim.StatePublished {
		return tx.recount(ctx, e, nil, fresh)
	}
	if err := tx.creditPeople(ctx, e); err != nil {
		return err
	}
	if e.search == nil {
		d, err := tx.searchDoc(ctx, &e.Record)
		if err != nil {
			return err
		}
		e.search = &d
	}
	return tx.recount(ctx, e, e.search, fresh)
}

func (tx *Tx) clearBeside(ctx context.Context, rid int64) error {
	for _, name := range []string{"places_delete", "themes_delete", "relations_delete", "credits_delete"} {
		if err := tx.later(ctx, name, rid); err != nil {
			return err
		}
	}
	return nil
}

// recount replaces what search knows of a record, nothing when d is nil, and
// moves the counters of the unfiltered list by the difference.
func (tx *Tx) recount(ctx context.Context, e *entry, d *searchDoc, fresh bool) error {
	if !fresh {
		was, err := tx.unindex(ctx, e.rid)
		if err != nil {
			return err
		}
		tx.count(strings.Fields(was), nil, -1)
	}
	if d == nil {
		return nil
	}
	tx.count(d.filter, d.labels, 1)
	tx.rows = append(tx.rows, searchRow{e.position, e.rid, *d})
	return nil
}

// unindex makes a record no longer be found and returns its filter terms.
func (tx *Tx) unindex(ctx context.Context, rid int64) (was string, err error) {
	if err := tx.flush(ctx); err != nil {
		return "", err
	}
	err = tx.row(ctx, "search_filter", rid).Scan(&was)
	if errors.Is(err, essaim.ErrNotFound) {
		return "", nil
	}
	if err == nil {
		err = tx.s.db.unindex(ctx, tx.r, rid)
	}
	return was, err
}
