// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"essaim"
)

// BeginImport records a run and gives its id.
func (s *Store) BeginImport(ctx context.Context, i essaim.Import) (id int64, err error) {
	err = s.write(ctx, patient, func(tx *Tx) error {
		report, err := json.Marshal(i.Report)
		if err != nil {
			return err
		}
		return tx.row(ctx, "import_insert", micros(s.now()), i.File, string(i.Kind), i.Licence, i.Attribution, string(report)).Scan(&id)
	})
	if err != nil {
		return 0, fmt.Errorf("import of %s: %w", i.File, err)
	}
	return id, nil
}

// EndImport keeps the report of a run, and compacts the index that it made grow.
func (s *Store) EndImport(ctx context.Context, id int64, r essaim.ImportReport) error {
	err := s.write(ctx, patient, func(tx *Tx) error {
		report, err := json.Marshal(r)
		if err != nil {
			return err
		}
		n, err := tx.exec(ctx, "import_report", id, string(report))
		if err == nil && n == 0 {
			err = essaim.ErrNotFound
		}
		return err
	})
	if err == nil {
		err = s.db.compact(ctx)
	}
	if err != nil {
		return fmt.Errorf("import %d: %w", id, err)
	}
	return nil
}

// Imports lists the runs, the latest first.
func (s *Store) Imports(ctx context.Context) ([]essaim.Import, error) {
	var list []essaim.Import
	err := s.query().each(ctx, "imports", func(scan func(...any) error) error {
		var i essaim.Import
		var report string
		if err := scan(&i.ID, stamp{&i.StartedAt}, &i.File, &i.Kind, &i.Licence, &i.Attribution, &report, stamp{&i.UndoneAt}); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(report), &i.Report); err != nil {
			return err
		}
		list = append(list, i)
		return nil
	})
	return list, err
}

// importGroup is how many rows are written in one transaction: SQLite has one
// writer, and whoever writes or sends us something waits for it meanwhile, some
// 30 ms on two slow cores.
const importGroup = 40

// ImportRows creates, changes or leaves each row's record, found by its key, a
// few rows a transaction. What is published so is published in silence: it has
// its number and its documents, and is never announced. After an error the rows
// of the transactions before it are kept, and the same rows again go on there.
func (s *Store) ImportRows(ctx context.Context, id int64, rows []essaim.ImportRow) ([]essaim.ImportOutcome, error) {
	for i := range rows {
		s.foresee(&rows[i].Content)
	}
	outcomes := make([]essaim.ImportOutcome, 0, len(rows))
	for group := range slices.Chunk(rows, importGroup) {
		some, err := s.importGroup(ctx, id, group)
		if err != nil {
			return nil, fmt.Errorf("import %d: %w", id, err)
		}
		outcomes = append(outcomes, some...)
	}
	return outcomes, nil
}

func (s *Store) importGroup(ctx context.Context, id int64, rows []essaim.ImportRow) (outcomes []essaim.ImportOutcome, err error) {
	err = s.write(ctx, patient, func(tx *Tx) error {
		outcomes = make([]essaim.ImportOutcome, len(rows))
		held, err := tx.bySource(ctx, rows)
		if err != nil {
			return err
		}
		if err := tx.r.ahead(ctx, namesAsked(rows, held)); err != nil {
			return err
		}
		plans := make([]importPlan, len(rows))
		for i := range rows {
			if plans[i], err = tx.planRow(ctx, id, held[rows[i].Key], &rows[i]); err != nil {
				return fmt.Errorf("row %s: %w", rows[i].Key, err)
			}
			outcomes[i] = plans[i].outcome
		}
		s.renderPlans(plans)
		if err := tx.r.ahead(ctx, placesAsked(plans)); err != nil {
			return err
		}
		by := essaim.ImportAuthor(id)
		var public []*publication
		for i, p := range plans {
			if err = p.err; err == nil && p.entry != nil {
				err = tx.keep(ctx, p.entry, by, p.publication)
			}
			if err != nil {
				return fmt.Errorf("row %s: %w", rows[i].Key, err)
			}
			public = append(public, p.publication)
		}
		return tx.number(ctx, public...)
	})
	return outcomes, err
}

// namesAsked are the questions whether the names are free that new rows want.
func namesAsked(rows []essaim.ImportRow, held map[string]*entry) (list []question) {
	for i := range rows {
		if held[rows[i].Key] == nil {
			list = append(list, nameAsked(localName(&rows[i].Content)))
		}
	}
	return list
}

// placesAsked are the questions which places in the order of records are free.
func placesAsked(plans []importPlan) (list []question) {
	for _, p := range plans {
		if p.entry != nil {
			list = append(list, positionsAsked(p.entry.ID, p.entry.Updated, 0))
		}
	}
	return list
}

// importPlan is what a row comes to, before it is written.
type importPlan struct {
	outcome     essaim.ImportOutcome
	entry       *entry // nil when nothing changes
	verb        essaim.Verb
	publication *publication
	err         error
}

// renderPlans renders all entries, and cuts what is published into words, on all
// processors: it costs more than the database does.
func (s *Store) renderPlans(plans []importPlan) {
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(plans)) {
		workers.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(plans)); i = next.Add(1) - 1 {
				if p := &plans[i]; p.entry != nil {
					p.publication, p.err = s.renderGuarded(p.entry, p.verb)
				}
			}
		})
	}
	workers.Wait()
}

// renderGuarded keeps a panic over one row from ending the process.
func (s *Store) renderGuarded(e *entry, verb essaim.Verb) (p *publication, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	if p, err = s.render(e, verb, true); err == nil && p != nil && !hasLocal(&e.Record) {
		d := s.newSearchDoc(&e.Record, essaim.Thesaurus{})
		e.search = &d
	}
	return p, err
}

// bySource finds the records that bear the keys of rows, and those that came back
// from others, which bear names (RowName) until an import finds them.
func (tx *Tx) bySource(ctx context.Context, rows []essaim.ImportRow) (map[string]*entry, error) {
	keys := make([]string, len(rows))
	for i := range rows {
		keys[i] = rows[i].Key
	}
	held, err := tx.withKeys(ctx, keys)
	if err != nil || len(held) == len(rows) {
		return held, err
	}
	keys = keys[:0]
	for i := range rows {
		if held[rows[i].Key] == nil {
			keys = append(keys, rows[i].Content.RowName())
		}
	}
	back, err := tx.withKeys(ctx, keys)
	for i := range rows {
		if name := rows[i].Content.RowName(); held[rows[i].Key] == nil && back[name] != nil {
			held[rows[i].Key] = back[name]
			delete(back, name)
		}
	}
	return held, err
}

// withKeys are the records that bear one of some keys, by it.
func (tx *Tx) withKeys(ctx context.Context, keys []string) (map[string]*entry, error) {
	list, err := json.Marshal(keys)
	if err != nil {
		return nil, err
	}
	held := map[string]*entry{}
	err = tx.each(ctx, "records_by_sources", func(scan func(...any) error) error {
		e, err := scanEntry(scan)
		held[e.key] = &e
		return err
	}, string(list))
	return held, err
}

// planRow gives a row its record; e is the one that bears its key, if any.
func (tx *Tx) planRow(ctx context.Context, id int64, e *entry, row *essaim.ImportRow) (importPlan, error) {
	if e == nil {
		e, err := tx.planNew(ctx, essaim.NewRecord{Content: row.Content, State: row.State, Import: id}, row.Key, row.Digest)
		return importPlan{outcome: essaim.ImportCreated, entry: e, verb: essaim.VerbCreate}, err
	}
	outcome, err := tx.compare(ctx, e, row)
	if err == nil && e.key != row.Key && sameSource(e.Content, row.Content) {
		err = tx.later(ctx, "import_found", e.rid, row.Key, row.Digest)
	}
	if err != nil || outcome == essaim.ImportUnchanged {
		return importPlan{outcome: outcome}, err
	}
	e.digest = row.Digest
	verb, err := tx.planNext(ctx, e, row.Content, row.State)
	return importPlan{outcome: outcome, entry: e, verb: verb}, err
}

// sameSource tells whether two contents say the same, whenever it was fetched. One
// that was published says what goes without saying too.
func sameSource(a, b essaim.Content) bool {
	for _, c := range []*essaim.Content{&a, &b} {
		c.Contacts, c.Sources = nil, slices.Clone(c.Sources)
		for i := range c.Sources {
			c.Sources[i].Fetched = ""
		}
		c.Language, c.Places = cmp.Or(c.Language, "fr"), slices.Clone(c.Places)
		for i := range c.Places {
			c.Places[i].Country = cmp.Or(c.Places[i].Country, "FR")
		}
	}
	one, err := json.Marshal(a)
	other, err2 := json.Marshal(b)
	return err == nil && err2 == nil && string(one) == string(other)
}

// compare says what a row does to the record that bears its key: nothing when
// the source did not change it, when people here did, or when it came back from
// others and nobody knows any more who wrote what it says.
func (tx *Tx) compare(ctx context.Context, e *entry, row *essaim.ImportRow) (essaim.ImportOutcome, error) {
	if e.key != row.Key || e.digest == row.Digest || e.State == essaim.StateWithdrawn {
		return essaim.ImportUnchanged, nil
	}
	edited, err := tx.edited(ctx, e.rid)
	if err != nil || edited {
		return essaim.ImportUnchanged, err
	}
	return essaim.ImportChanged, nil
}

// edited tells whether people wrote a revision of a record.
func (tx *Tx) edited(ctx context.Context, rid int64) (bool, error) {
	var n int
	err := tx.row(ctx, "revisions_by_people", rid).Scan(&n)
	return n > 0, err
}

// CompareRows says what ImportRows would do, and changes nothing.
func (s *Store) CompareRows(ctx context.Context, rows []essaim.ImportRow) ([]essaim.ImportOutcome, error) {
	outcomes := make([]essaim.ImportOutcome, len(rows))
	err := s.read(ctx, func(tx *Tx) error {
		held, err := tx.bySource(ctx, rows)
		for i := range rows {
			e := held[rows[i].Key]
			if err != nil {
				return err
			}
			if outcomes[i] = essaim.ImportCreated; e != nil {
				outcomes[i], err = tx.compare(ctx, e, &rows[i])
			}
		}
		return err
	})
	return outcomes, err
}

// undoChunk is how many records of an import are withdrawn in a transaction.
const undoChunk = importGroup

// UndoImport takes back what a run created, in chunks; begun again after an
// interruption it goes on. Records that people edited since stay, and so does
// what the run only changed. It returns how many went and how many stayed.
func (s *Store) UndoImport(ctx context.Context, id int64) (gone, kept int, err error) {
	last := int64(0)
	for more := true; more && err == nil; {
		var g, k int
		at := last
		err = s.write(ctx, patient, func(tx *Tx) error {
			g, k, at, more, err = tx.undo(ctx, id, last)
			return err
		})
		if err == nil {
			gone, kept, last = gone+g, kept+k, at
		}
	}
	if err == nil {
		err = s.write(ctx, patient, func(tx *Tx) error {
			n, err := tx.exec(ctx, "import_undone", id, micros(s.now()))
			if err == nil && n == 0 {
				err = essaim.ErrNotFound
			}
			return err
		})
	}
	if err != nil {
		return gone, kept, fmt.Errorf("undo of import %d: %w", id, err)
	}
	return gone, kept, nil
}

func (tx *Tx) undo(ctx context.Context, id, after int64) (gone, kept int, last int64, more bool, err error) {
	var entries []entry
	last = after
	err = tx.each(ctx, "records_of_import", func(scan func(...any) error) error {
		e, err := scanEntry(scan)
		entries = append(entries, e)
		return err
	}, id, after, undoChunk)
	if err != nil {
		return 0, 0, last, false, err
	}
	var public []*publication
	for i := range entries {
		e := &entries[i]
		last = e.rid
		if e.State == essaim.StateWithdrawn {
			continue
		}
		edited, err := tx.edited(ctx, e.rid)
		if err != nil {
			return 0, 0, last, false, err
		}
		if edited {
			kept++
			continue
		}
		// What was never announced is not announced as gone.
		p, err := tx.withdraw(ctx, e, true)
		if err != nil {
			return 0, 0, last, false, err
		}
		public = append(public, p...)
		gone++
	}
	return gone, kept, last, len(entries) == undoChunk, tx.number(ctx, public...)
}
