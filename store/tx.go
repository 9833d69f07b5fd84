// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"essaim"
)

// runner runs named statements: on a pool, in a transaction, on the writer.
type runner interface {
	exec(ctx context.Context, name string, args ...any) (sql.Result, error)
	query(ctx context.Context, name string, args ...any) (answers, error)
	// later runs a statement whose result nobody needs, at once or with others
	// before the end of the transaction, in their order. What is read meanwhile
	// may not show it; flush runs what waits.
	later(ctx context.Context, name string, args ...any) error
	flush(ctx context.Context) error
	// ahead asks questions together where each costs a round trip; query then has
	// the answers, once each. asks tells whether one waits so. forget drops those that
	// nobody came for: after a write that may change them they are to be asked anew.
	ahead(ctx context.Context, list []question) error
	asks(q question) bool
	forget()
}

// Tx is a transaction that a use case writes in.
type Tx struct {
	s      *Store
	r      runner
	awake  bool
	moved  bool
	erased bool            // noted, see scrub.go
	feeds  map[feed]string // found or made; kept after the commit
	// recovers is set where what this node lost comes back, which alone is
	// published meanwhile.
	recovers bool
	// erasures are what it erases, for the file; again is set where what was erased
	// before is erased once more, which is noted already.
	erasures []essaim.Erasure
	again    bool
	// recoveries is how many there were when this transaction asked who the node is.
	recoveries *int64
	due        []*publication    // numbered at the end
	reaches    map[between]reach // that searches asked for, where nothing is written
	draft
}

// priority is the queue in which a write waits on SQLite.
type priority int

const (
	// urgent is for people and the inbox.
	urgent priority = iota
	// patient is for imports, backfills and the queue's own work.
	patient
)

// write runs f in one transaction and returns after its commit. f may run more
// than once and must not keep anything of a run that failed. It must not wait
// for anything but the database.
func (s *Store) write(ctx context.Context, p priority, f func(tx *Tx) error) error {
	awake, moved, feeds, erased := false, false, map[feed]string(nil), []essaim.Erasure(nil)
	err := s.db.write(ctx, p, func(r runner) error {
		tx := &Tx{s: s, r: r}
		err := f(tx)
		if err == nil {
			err = tx.number(ctx, tx.due...)
		}
		if err == nil {
			err = tx.flush(ctx)
		}
		awake, moved, feeds, erased = tx.awake, tx.moved, tx.feeds, tx.erasures
		return err
	})
	if err != nil {
		return s.db.class(err)
	}
	s.keepErasures(context.WithoutCancel(ctx), erased)
	s.rememberFeeds(feeds)
	if moved {
		s.moves.Add(1)
	}
	if awake {
		s.wake()
	}
	return nil
}

// read runs f on one state of the database, for what takes several statements.
func (s *Store) read(ctx context.Context, f func(tx *Tx) error) error {
	return s.db.class(s.db.snapshot(ctx, func(r runner) error { return f(&Tx{s: s, r: r, reaches: map[between]reach{}}) }))
}

// query returns a transaction-less Tx, for reads of one statement.
func (s *Store) query() *Tx { return &Tx{s: s, r: s.db.pool()} }

// wake tells who waits for work, after the commit, that there is some.
func (tx *Tx) wake() { tx.awake = true }

// noting marks a transaction that may change which hosts are due: statements
// about deliveries and hosts are named after them.
func (tx *Tx) noting(name string) {
	for _, prefix := range [...]string{"deliver", "dispatch_fan", "host_", "queue_delivery", "restore_"} {
		tx.moved = tx.moved || strings.HasPrefix(name, prefix)
	}
}

// exec runs a statement and returns how many rows it changed.
func (tx *Tx) exec(ctx context.Context, name string, args ...any) (int64, error) {
	tx.noting(name)
	res, err := tx.r.exec(ctx, name, args...)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, tx.s.db.class(err))
	}
	return res.RowsAffected()
}

// later runs a statement whose result nobody needs; see runner.
func (tx *Tx) later(ctx context.Context, name string, args ...any) error {
	tx.noting(name)
	if err := tx.r.later(ctx, name, args...); err != nil {
		return fmt.Errorf("%s: %w", name, tx.s.db.class(err))
	}
	return nil
}

// row runs a statement that gives at most one row. Scanning none is
// essaim.ErrNotFound.
func (tx *Tx) row(ctx context.Context, name string, args ...any) row {
	return tx.s.row(ctx, tx.r, name, args...)
}

// each runs a statement and calls f for each row that it gives. f scans the
// row and must not run other statements of this transaction.
func (tx *Tx) each(ctx context.Context, name string, f func(scan func(...any) error) error, args ...any) error {
	tx.noting(name)
	rows, err := tx.r.query(ctx, name, args...)
	if err != nil {
		return fmt.Errorf("%s: %w", name, tx.s.db.class(err))
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows.Scan); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("%s: %w", name, tx.s.db.class(err))
	}
	return nil
}

// row is the answer to a statement that gives at most one.
type row struct {
	s    *Store
	name string
	rows answers
	err  error
}

func (s *Store) row(ctx context.Context, r runner, name string, args ...any) row {
	rows, err := r.query(ctx, name, args...)
	return row{s, name, rows, err}
}

// Scan reads the row's columns.
func (r row) Scan(dest ...any) error {
	err := r.err
	if err == nil {
		defer r.rows.Close()
		if r.rows.Next() {
			err = r.rows.Scan(dest...)
		} else if err = r.rows.Err(); err == nil {
			return essaim.ErrNotFound
		}
		err = errors.Join(err, r.rows.Close())
	}
	if err != nil {
		return fmt.Errorf("%s: %w", r.name, r.s.db.class(err))
	}
	return nil
}

// micros is how a time is kept: Unix microseconds, NULL for the zero time.
func micros(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

// stamp scans a time kept by micros.
type stamp struct{ t *time.Time }

// Scan implements sql.Scanner.
func (s stamp) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*s.t = time.Time{}
	case int64:
		*s.t = time.UnixMicro(v).UTC()
	default:
		return fmt.Errorf("time kept as %T", src)
	}
	return nil
}

// flag is how a bool is kept: 0 or 1.
func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// bit scans a bool kept by flag.
type bit struct{ b *bool }

// Scan implements sql.Scanner.
func (b bit) Scan(src any) error {
	v, ok := src.(int64)
	if !ok {
		return fmt.Errorf("flag kept as %T", src)
	}
	*b.b = v != 0
	return nil
}

// orNull keeps an empty text as NULL.
func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}
