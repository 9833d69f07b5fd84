// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"essaim"
	"essaim/store/sqlite"
)

// What is erased is gone from every table at the commit. Its bytes may stay in the
// database's files until they are written over: within a day, at night when the
// node runs then.
const (
	scrubNight  = 5              // hours from midnight UTC
	scrubEvery  = 20 * time.Hour // at most, and at the latest
	scrubPages  = 500            // looked at together
	scrubWrites = 50             // pages of one transaction
	scrubTries  = 25             // at cutting the log while others read it, scrubTry apart
	scrubTry    = time.Second
	scrubWaits  = 300 // for transactions of before, scrubWait each time
	scrubWait   = 100 * time.Millisecond
	scrubLease  = 2 * time.Hour // after which one that has not ended counts as ended
)

// noteErased says that bytes of what was erased may still be in the files.
func (tx *Tx) noteErased(ctx context.Context) error {
	if tx.erased {
		return nil
	}
	tx.erased = true
	return tx.later(ctx, "erased_note", micros(tx.s.now()))
}

// eraseRaw erases the bytes of the activities that carried an object.
func (tx *Tx) eraseRaw(ctx context.Context, object string) error {
	if err := tx.later(ctx, "inbox_erase_object", object, micros(tx.s.now())); err != nil {
		return err
	}
	return tx.noteErased(ctx)
}

// eraseOlder erases the bytes of the activities, but one, that carried the versions
// of an object before.
func (tx *Tx) eraseOlder(ctx context.Context, object string, but int64) error {
	if err := tx.later(ctx, "inbox_erase_older", object, but); err != nil {
		return err
	}
	return tx.noteErased(ctx)
}

// eraseReceived erases the bytes of an activity.
func (tx *Tx) eraseReceived(ctx context.Context, id int64) error {
	if err := tx.later(ctx, "inbox_erase", id); err != nil {
		return err
	}
	return tx.noteErased(ctx)
}

// Scrub writes over what erased rows left in the database's files, and cuts
// SQLite's log. PostgreSQL writes its tables anew for that: each is closed to
// everyone for as long as it takes. essaim.ErrUnavailable when others kept it
// from the end; it can be begun again. essaim.ErrConflict while another is under
// way.
func (s *Store) Scrub(ctx context.Context) error {
	if err := s.scrub(ctx); err != nil {
		return fmt.Errorf("scrub: %w", err)
	}
	return nil
}

func (s *Store) scrub(ctx context.Context) error {
	begun := s.now()
	mark := func(ctx context.Context, name string, args ...any) error {
		return s.write(ctx, patient, func(tx *Tx) error {
			if n, err := tx.exec(ctx, name, args...); err != nil || n == 1 {
				return err
			}
			return fmt.Errorf("another is under way: %w", essaim.ErrConflict)
		})
	}
	if err := mark(ctx, "erased_begin", micros(begun), micros(begun.Add(-scrubLease))); err != nil {
		return err
	}
	if err := s.db.class(s.db.scrub(ctx)); err != nil {
		return errors.Join(err, mark(context.WithoutCancel(ctx), "erased_left", micros(begun)))
	}
	return mark(ctx, "erased_done", micros(s.now()), micros(begun))
}

// scrubDue scrubs when something was erased since the last time, once a day.
func (s *Store) scrubDue(ctx context.Context, now time.Time) error {
	var erased, done time.Time
	if err := s.query().row(ctx, "erased_since").Scan(stamp{&erased}, stamp{&done}); err != nil {
		return err
	}
	night := now.UTC().Hour() < scrubNight || now.Sub(erased) >= scrubEvery
	if erased.IsZero() || !night || now.Sub(done) < scrubEvery {
		return nil
	}
	if err := s.Scrub(ctx); !errors.Is(err, essaim.ErrConflict) {
		return err
	}
	return nil // another process does it
}

func (l *lite) scrub(ctx context.Context) error {
	if err := l.mergeTerms(ctx); err != nil {
		return err
	}
	var pages int64
	if err := scanOne(ctx, l.reads, &pages, "scrub_pages"); err != nil {
		return err
	}
	if pages >= sqlite.MaxPages {
		return fmt.Errorf("a database of %d pages: %w", pages, essaim.ErrInvalid)
	}
	for from := int64(1); from <= pages; from += scrubPages {
		stale, err := l.stale(ctx, from, min(from+scrubPages, pages+1))
		if err != nil {
			return err
		}
		for len(stale) > 0 {
			some := stale[:min(len(stale), scrubWrites)]
			stale = stale[len(some):]
			if err := l.write(ctx, patient, func(r runner) error { return writeOver(ctx, r, some) }); err != nil {
				return err
			}
		}
	}
	return l.cutLog(ctx)
}

// mergeTerms makes one segment of the full-text index. What is erased leaves a
// segment, but not the words that say where its pages begin: these go with it. One
// that is alone is not made again, so that another is put beside it, of a row that
// goes at once.
func (l *lite) mergeTerms(ctx context.Context) error {
	var left int64
	if err := scanOne(ctx, l.reads, &left, "scrub_term_left"); err != nil {
		return err
	}
	steps := []string{"scrub_term_add", "scrub_term_drop"}
	for _, name := range steps[min(left, 1):] {
		if err := l.write(ctx, patient, func(r runner) error { return r.later(ctx, name) }); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return l.merge(ctx)
}

// stale lists the pages from one up to another that hold what belongs to nothing.
func (l *lite) stale(ctx context.Context, from, to int64) (stale []int64, err error) {
	for n := from; n < to; n++ {
		var page []byte
		if err := scanOne(ctx, l.reads, &page, "scrub_page", n); err != nil {
			return nil, err
		}
		if sqlite.Blank(page, n) {
			stale = append(stale, n)
		}
	}
	return stale, ctx.Err()
}

// writeOver clears what belongs to nothing in pages, as they are by now.
func writeOver(ctx context.Context, r runner, pages []int64) error {
	for _, n := range pages {
		var page []byte
		if err := scanOne(ctx, r, &page, "scrub_page", n); err != nil {
			return err
		}
		if !sqlite.Blank(page, n) {
			continue
		}
		if _, err := r.exec(ctx, "scrub_blank", n, page); err != nil {
			return err
		}
	}
	return nil
}

// cutLog moves the log into the file and cuts it to nothing, once nobody reads it.
// SQLite's own patience would have those who write wait with it.
func (l *lite) cutLog(ctx context.Context) (err error) {
	conn, err := l.db.Reader.Conn(ctx)
	if err != nil {
		return err
	}
	r := &preparedConn{conn: conn, set: l.reads.set, stmts: map[string]*sql.Stmt{}}
	defer func() {
		_, patient := r.exec(ctx, "scrub_log_patience")
		err = errors.Join(err, patient, r.close(), conn.Close())
	}()
	if _, err := r.exec(ctx, "scrub_log_haste"); err != nil {
		return err
	}
	for try := 1; ; try++ {
		var busy, written, moved int64
		rows, err := r.query(ctx, "scrub_log")
		if err != nil {
			return err
		}
		if rows.Next() {
			err = rows.Scan(&busy, &written, &moved)
		}
		if err = errors.Join(err, rows.Err(), rows.Close()); err != nil || busy == 0 {
			return err
		}
		if try == scrubTries {
			return fmt.Errorf("the log is being read: %w", essaim.ErrUnavailable)
		}
		if wait(ctx, scrubTry); ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// scanOne scans the only column of the only row that a statement gives.
func scanOne(ctx context.Context, r runner, dest any, name string, args ...any) error {
	rows, err := r.query(ctx, name, args...)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	defer rows.Close()
	if !rows.Next() {
		return fmt.Errorf("%s: %w", name, errors.Join(sql.ErrNoRows, rows.Err()))
	}
	return errors.Join(rows.Scan(dest), rows.Err())
}

func (p *pg) scrub(ctx context.Context) (err error) {
	conn, err := p.db.SQL.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	r := &pgRunner{q: conn, set: p.set}
	run := func(ctx context.Context, name string) error {
		if _, err := r.exec(ctx, name); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	}
	defer func() { err = errors.Join(err, run(context.WithoutCancel(ctx), "scrub_impatience")) }()
	if err := run(ctx, "scrub_patience"); err != nil {
		return err
	}
	// Before the statistics too: they may be made of rows that are being erased.
	if err := outlast(ctx, r); err != nil {
		return err
	}
	for _, name := range []string{"scrub_statistics", "scrub_emptied"} {
		if err := run(ctx, name); err != nil {
			return err
		}
	}
	if err := outlast(ctx, r); err != nil {
		return err
	}
	return run(ctx, "scrub_tables")
}

// outlast waits until every transaction that is open has ended: a table that is
// written anew keeps the erased rows that one of them may still read.
func outlast(ctx context.Context, r runner) error {
	var mark string
	if err := scanOne(ctx, r, &mark, "scrub_mark"); err != nil {
		return err
	}
	for try := 1; ; try++ {
		var older int64
		if err := scanOne(ctx, r, &older, "scrub_older", mark); err != nil || older == 0 {
			return err
		}
		if wait(ctx, scrubWait); try == scrubWaits || ctx.Err() != nil {
			return fmt.Errorf("%d transactions of before are open: %w", older, essaim.ErrUnavailable)
		}
	}
}
