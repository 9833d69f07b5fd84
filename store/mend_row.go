// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"essaim"
)

// repeats tells whether the columns of a record, and what stands beside it, say
// what save made them say of its content.
func (tx *Tx) repeats(ctx context.Context, e *entry) (bool, error) {
	var is, made struct {
		kind, title, stage string
		starts, ends       int64
		reusable           bool
	}
	err := tx.row(ctx, "record_columns", e.rid).Scan(&is.kind, &is.title, &is.stage, &is.starts, &is.ends, bit{&is.reusable})
	if err != nil {
		return false, err
	}
	starts, ends := period(&e.Content)
	made.kind, made.title, made.stage = string(e.Kind), e.Title, stageOf(&e.Content)
	made.starts, made.ends, made.reusable = instant(starts), instant(ends), essaim.Reusable(e.Licence)
	if b, ok := e.Body.(*essaim.Meeting); ok && (is.ends == instant(b.Start) || is.ends == instant(b.End)) {
		is.ends = made.ends // written by an older program: indexing anew writes it again
	}
	if is != made || !isPlace(e.position, e.ID, e.Updated) {
		return false, nil
	}
	type beside struct {
		sort, a, b, c string
		lat, lon      float64
	}
	stands := map[beside]bool{}
	err = tx.each(ctx, "record_beside", func(scan func(...any) error) error {
		var b beside
		err := scan(&b.sort, &b.a, &b.b, &b.c, &b.lat, &b.lon)
		stands[b] = true
		return err
	}, e.rid)
	if err != nil {
		return false, err
	}
	wants := map[beside]bool{}
	for _, p := range e.Places {
		b := beside{"place", p.INSEE, p.EPCI, p.Departement + " " + p.Region, 1000, 1000}
		if p.Located() {
			b.lat, b.lon = *p.Lat, *p.Lon
		}
		wants[b] = true
	}
	for _, t := range allThemes(e.Themes) {
		wants[beside{sort: "theme", a: t.id, b: fmt.Sprint(flag(t.direct))}] = true
	}
	for _, r := range e.allRelations() {
		wants[beside{sort: "relation", a: string(r.Type), b: r.Target}] = true
	}
	return maps.Equal(stands, wants), nil
}

// MendRow writes the row of a published record of this node, and what is made from
// it, again as its document says, which is whole and proven. What no document says
// (who is to be reached, how somebody agreed to be named) is kept. It takes no number
// and is announced to nobody: what was published stays. essaim.ErrConflict means that
// the record is another by now, or that its history says what its row does.
func (s *Store) MendRow(ctx context.Context, it essaim.Recovered) error {
	s.foresee(&it.Record.Content)
	err := s.write(ctx, patient, func(tx *Tx) error { return tx.mendRow(ctx, it) })
	if err != nil {
		return fmt.Errorf("mend the row of %s: %w", it.ID, err)
	}
	return nil
}

func (tx *Tx) mendRow(ctx context.Context, it essaim.Recovered) error {
	e, ok, err := tx.locked(ctx, it.ID)
	if errors.Is(err, essaim.ErrDamaged) { // its content is not even JSON
		content, failed := json.Marshal(&it.Record.Content)
		if failed != nil {
			return failed
		}
		if _, err := tx.exec(ctx, "record_content", it.ID, string(content)); err != nil {
			return err
		}
		e, ok, err = tx.locked(ctx, it.ID)
	}
	if err != nil {
		return err
	}
	noted, listed, err := tx.listedAs(ctx, it.ID)
	if err != nil {
		return err
	}
	if !listed || noted == "" { // under a licence that keeps it out of the commons
		noted = e.CopyDigest
	}
	r := it.Record
	if !ok || e.Origin != "" || e.State != essaim.StatePublished || noted != it.CopyDigest || e.Territory != r.Territory || e.Kind != r.Kind {
		return fmt.Errorf("something else stands there: %w", essaim.ErrConflict)
	}
	if e.Content, err = tx.written(ctx, &e, it); err != nil {
		return err
	}
	e.TerritoryName, e.URL, e.Incarnation, e.Revision = r.TerritoryName, r.URL, r.Incarnation, r.Revision
	for at, says := range map[*time.Time]time.Time{&e.Published: r.Published, &e.Updated: r.Updated} {
		if !at.Truncate(time.Second).Equal(says) { // a document tells whole seconds
			*at = says
		}
	}
	e.document, e.ContentDigest, e.CopyDigest = it.Document, it.ContentDigest, it.CopyDigest
	return tx.save(ctx, &e)
}

// written is the content of which a document was made: as the history has it or,
// where that makes another, what the document says with what it leaves out.
func (tx *Tx) written(ctx context.Context, e *entry, it essaim.Recovered) (essaim.Content, error) {
	all, err := tx.versions(ctx, e.rid)
	if err != nil {
		return essaim.Content{}, err
	}
	was := e.Content
	if i := slices.IndexFunc(all, func(v version) bool { return v.revision == int64(it.Record.Revision) }); i >= 0 {
		again := *it.Record
		again.Content = all[i].content
		out, err := tx.s.cfg.Render(essaim.RenderRequest{Verb: essaim.VerbUpdate, ActivityID: e.activityID, Record: again, At: again.Updated})
		if err != nil || out.ContentDigest == it.ContentDigest {
			return again.Content, err
		}
		// A version of the program that writes documents otherwise may have come since.
		changed, err := differs(was, again.Content)
		if err != nil {
			return was, err
		}
		if !changed {
			repeats, err := tx.repeats(ctx, e)
			if repeats {
				err = fmt.Errorf("its history says what its row does: %w", essaim.ErrConflict)
			}
			return was, err
		}
		was = again.Content
	}
	c := it.Record.Content
	c.Contacts = was.Contacts
	for i := range c.Credits {
		cr := &c.Credits[i]
		same := func(o essaim.Credit) bool { return o.Person && o.Shown() && o.Name == cr.Name && o.Role == cr.Role }
		if at := slices.IndexFunc(was.Credits, same); cr.Person && at >= 0 {
			cr.Consent = was.Credits[at].Consent
		}
	}
	for _, cr := range was.Credits {
		if !cr.Shown() {
			c.Credits = append(c.Credits, cr)
		}
	}
	return c, nil
}
