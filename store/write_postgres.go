// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"time"

	"essaim/store/postgres"
	"essaim/store/query"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// pg is the PostgreSQL side of the store: transactions run side by side, and
// one that loses to another is run again.
type pg struct {
	db      *postgres.DB
	set     *query.Set
	indexed atomic.Int64 // rows, by this process, since the planner's statistics were made
}

// attempts is how often a transaction that loses to another one is run.
const attempts = 8

type pgRunner struct {
	q interface {
		ExecContext(context.Context, string, ...any) (sql.Result, error)
		QueryContext(context.Context, string, ...any) (*sql.Rows, error)
	}
	set *query.Set
	// conn is the connection of a writing transaction; batch is what waits to
	// be sent over it together, instead of a round trip each.
	conn  *sql.Conn
	batch *pgx.Batch
	names []string
	// asked are answers that wait for their questions, see ahead.go.
	asked map[string]*gathered
}

func (r *pgRunner) exec(ctx context.Context, name string, args ...any) (sql.Result, error) {
	text, ok := r.set.Text(name)
	if !ok {
		return nil, fmt.Errorf("no such statement")
	}
	if err := r.flush(ctx); err != nil {
		return nil, err
	}
	return r.q.ExecContext(ctx, text, args...)
}

// query does not send what waits: who adds to the batch knows what is read.
func (r *pgRunner) query(ctx context.Context, name string, args ...any) (answers, error) {
	if known := r.answered(name, args); known != nil {
		return known, nil
	}
	text, ok := r.set.Text(name)
	if !ok {
		return nil, fmt.Errorf("no such statement")
	}
	if strings.HasPrefix(name, "search_") {
		// The best plan depends on how frequent the words are: it is made anew
		// for each search, never kept.
		args = append([]any{pgx.QueryExecModeCacheDescribe}, args...)
	}
	return r.q.QueryContext(ctx, text, args...) //nolint:rowserrcheck // Who reads the answers checks them.
}

func (r *pgRunner) later(_ context.Context, name string, args ...any) error {
	text, ok := r.set.Text(name)
	switch {
	case !ok:
		return fmt.Errorf("no such statement")
	case r.conn == nil:
		return fmt.Errorf("written while reading")
	case r.batch == nil:
		r.batch = &pgx.Batch{}
	}
	r.batch.Queue(text, args...)
	r.names = append(r.names, name)
	return nil
}

func (r *pgRunner) flush(ctx context.Context) error {
	if r.batch == nil {
		return nil
	}
	batch, names := r.batch, r.names
	r.batch, r.names = nil, nil
	return r.conn.Raw(func(driver any) error {
		sent := driver.(*stdlib.Conn).Conn().SendBatch(ctx, batch)
		for _, name := range names {
			if _, err := sent.Exec(); err != nil {
				sent.Close()
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		return sent.Close()
	})
}

func (p *pg) pool() runner { return &pgRunner{q: p.db.SQL, set: p.set} }

func (p *pg) snapshot(ctx context.Context, f func(runner) error) error {
	tx, err := p.db.SQL.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return err
	}
	defer tx.Rollback()
	return f(&pgRunner{q: tx, set: p.set})
}

func (p *pg) write(ctx context.Context, _ priority, f func(runner) error) error {
	for try := 1; ; try++ {
		err := p.transact(ctx, f)
		if err == nil || try == attempts || !postgres.Again(err) {
			return err
		}
		// A little patience, not the same for both, lets one of two pass.
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(time.Duration(rand.Int64N(int64(try) * int64(10*time.Millisecond)))):
		}
	}
}

func (p *pg) transact(ctx context.Context, f func(runner) error) error {
	conn, err := p.db.SQL.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := f(&pgRunner{q: tx, set: p.set, conn: conn}); err != nil {
		return err
	}
	return tx.Commit()
}

func (p *pg) class(err error) error { return postgres.Class(err) }

func (p *pg) index(ctx context.Context, r runner, rows []searchRow) error {
	p.indexed.Add(int64(len(rows)))
	for _, row := range rows {
		if err := r.later(ctx, "search_insert", row.position, row.rid, row.doc.filters(), tsvector(&row.doc)); err != nil {
			return err
		}
	}
	return nil
}

func (p *pg) unindex(ctx context.Context, r runner, rid int64) error {
	return r.later(ctx, "search_delete", rid)
}

// statistics names the statement that has the planner look at the tables; the same
// that an erasure ends with.
const statistics = "scrub_statistics"

// compact empties the list of what waits to be indexed, which every search reads, and
// after an import has the planner look at what came: it would otherwise search as in
// an empty table until PostgreSQL looks by itself, a minute later.
func (p *pg) compact(ctx context.Context) error {
	err := p.write(ctx, patient, func(r runner) error {
		_, err := r.exec(ctx, "search_compact")
		return err
	})
	if err != nil || p.indexed.Load() < compactAfter {
		return err
	}
	p.indexed.Store(0)
	// On its own, so that each table is let go once it was looked at.
	_, err = (&pgRunner{q: p.db.SQL, set: p.set}).exec(ctx, statistics)
	return err
}

func (p *pg) expression(m match, t tier) string { return m.tsquery(t) }
func (p *pg) ordered() bool                     { return false }

func (p *pg) changes() (int64, bool) { return 0, false }
func (p *pg) raw() *sql.DB           { return p.db.SQL }
func (p *pg) close() error           { return p.db.Close() }
