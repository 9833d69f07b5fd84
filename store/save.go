// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
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
	starts, ends := period(&e.Content)
	var importID any
	if e.importID != 0 {
		importID = e.importID
	}
	if e.rid == 0 {
		err = tx.row(ctx, "record_insert", e.ID, string(e.Kind), e.Slug, e.Origin, e.Territory, e.TerritoryName, e.URL, string(e.State),
			e.Incarnation, e.Revision, e.Number, e.Title, stageOf(&e.Content), micros(starts), micros(ends), flag(essaim.Reusable(e.Licence)),
			string(content), e.document, e.ContentDigest, e.CopyDigest, e.activityID, micros(e.Published), micros(e.Updated), micros(e.received),
			importID, orNull(e.key), orNull(e.digest), e.position).Scan(&e.rid)
		if err != nil {
			return err
		}
		return tx.saveBeside(ctx, e, false)
	}
	_, err = tx.exec(ctx, "record_update", e.rid, e.TerritoryName, e.URL, string(e.State), e.Incarnation, e.Revision,
		e.Title, stageOf(&e.Content), micros(starts), micros(ends), flag(essaim.Reusable(e.Licence)), string(content), e.document,
		e.ContentDigest, e.CopyDigest, e.activityID, micros(e.Published), micros(e.Updated), micros(e.received), orNull(e.digest), e.position, importID)
	if err != nil {
		return err
	}
	return tx.saveBeside(ctx, e, true)
}

// positionOf keeps the position of a record whose time did not change.
func (tx *Tx) positionOf(ctx context.Context, e *entry) (int64, error) {
	if e.position/inMilli == e.Updated.UnixMilli() {
		return e.position, nil
	}
	return tx.position(ctx, e.ID, e.Updated)
}

// period is when a record starts and ends, for those that are dated.
func period(c *essaim.Content) (starts, ends time.Time) {
	if m, ok := c.Body.(*essaim.Meeting); ok && !m.Start.IsZero() {
		if m.End.IsZero() {
			return m.Start, m.Start
		}
		return m.Start, m.End
	}
	return starts, ends
}

func (tx *Tx) saveBeside(ctx context.Context, e *entry, clear bool) error {
	if clear {
		if err := tx.clearBeside(ctx, e.rid); err != nil {
			return err
		}
	}
	if e.State == essaim.StateWithdrawn {
		return tx.recount(ctx, e, nil)
	}
	for _, p := range e.Places {
		var lat, lon any
		if p.Located() {
			lat, lon = *p.Lat, *p.Lon
		}
		if _, err := tx.exec(ctx, "place_insert", e.rid, lat, lon, p.INSEE, p.EPCI, p.Departement, p.Region); err != nil {
			return err
		}
	}
	for _, t := range allThemes(e.Themes) {
		if _, err := tx.exec(ctx, "theme_insert", e.rid, t.id, flag(t.direct)); err != nil {
			return err
		}
	}
	for _, r := range e.Relations {
		if _, err := tx.exec(ctx, "relation_insert", e.rid, string(r.Type), r.Target, r.Name); err != nil {
			return err
		}
	}
	if e.State != essaim.StatePublished {
		return tx.recount(ctx, e, nil)
	}
	d := newSearchDoc(&e.Record)
	return tx.recount(ctx, e, &d)
}

func (tx *Tx) clearBeside(ctx context.Context, rid int64) error {
	for _, name := range []string{"places_delete", "themes_delete", "relations_delete"} {
		if _, err := tx.exec(ctx, name, rid); err != nil {
			return err
		}
	}
	return nil
}

// recount replaces what search knows of a record, nothing when d is nil, and
// moves the counters of the unfiltered list by the difference.
func (tx *Tx) recount(ctx context.Context, e *entry, d *searchDoc) error {
	var was []string
	err := tx.each(ctx, "search_filter", func(scan func(...any) error) error {
		var filter string
		err := scan(&filter)
		was = strings.Fields(filter)
		return err
	}, e.rid)
	if err != nil {
		return err
	}
	if was != nil {
		if _, err := tx.exec(ctx, "search_delete", e.rid); err != nil {
			return err
		}
	}
	delta := map[string]int{}
	for _, f := range was {
		delta[f]--
	}
	if d != nil {
		for _, f := range d.filter {
			delta[f]++
		}
		args := append([]any{e.position, e.rid, strings.Join(d.filter, " ")}, tx.s.db.terms(d)...)
		if _, err := tx.exec(ctx, "search_insert", args...); err != nil {
			return err
		}
	}
	return tx.count(ctx, e, delta)
}

// facetOf names the counter of a sort of filter term; map cells have none.
var facetOf = map[string]string{filterAny: "all", filterKind: "kind", filterTheme: "theme", filterStage: "stage", filterTerritory: "territory", filterOrigin: "origin"}

// count moves the counters, always in the same order: two transactions that
// wait for one another's counters would both lose.
func (tx *Tx) count(ctx context.Context, e *entry, delta map[string]int) error {
	type move struct {
		facet, value, label string
		n                   int
	}
	var moves []move
	for term, n := range delta {
		sort, value := filterValue(term)
		facet := facetOf[sort]
		if n == 0 || facet == "" {
			continue
		}
		m := move{facet: facet, value: value, n: n}
		if facet == "territory" {
			m.label = e.TerritoryName
		}
		moves = append(moves, m)
	}
	slices.SortFunc(moves, func(a, b move) int { return cmp.Or(cmp.Compare(a.facet, b.facet), cmp.Compare(a.value, b.value)) })
	for _, m := range moves {
		if _, err := tx.exec(ctx, "facet_add", m.facet, m.value, m.label, m.n); err != nil {
			return err
		}
	}
	return nil
}
