// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"essaim/store/postgres"
	"essaim/store/query"

	"github.com/jackc/pgx/v5"
)

// pg is the PostgreSQL side of the store: transactions run side by side, and
// one that loses to another is run again.
type pg struct {
	db  *postgres.DB
	set *query.Set
}

// attempts is how often a transaction that loses to another one is run.
const attempts = 6

type pgRunner struct {
	q interface {
		ExecContext(context.Context, string, ...any) (sql.Result, error)
		QueryContext(context.Context, string, ...any) (*sql.Rows, error)
	}
	set *query.Set
}

func (r pgRunner) exec(ctx context.Context, name string, args ...any) (sql.Result, error) {
	text, ok := r.set.Text(name)
	if !ok {
		return nil, fmt.Errorf("no such statement")
	}
	return r.q.ExecContext(ctx, text, args...)
}

func (r pgRunner) query(ctx context.Context, name string, args ...any) (*sql.Rows, error) {
	text, ok := r.set.Text(name)
	if !ok {
		return nil, fmt.Errorf("no such statement")
	}
	if strings.HasPrefix(name, "search_") {
		// The best plan depends on how frequent the words are: it is made anew
		// for each search, never kept.
		args = append([]any{pgx.QueryExecModeCacheDescribe}, args...)
	}
	return r.q.QueryContext(ctx, text, args...)
}

func (p *pg) pool() runner { return pgRunner{p.db.SQL, p.set} }

func (p *pg) snapshot(ctx context.Context, f func(runner) error) error {
	return p.transact(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}, f)
}

func (p *pg) write(ctx context.Context, _ priority, f func(runner) error) error {
	for try := 1; ; try++ {
		err := p.transact(ctx, nil, f)
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

func (p *pg) transact(ctx context.Context, opts *sql.TxOptions, f func(runner) error) error {
	tx, err := p.db.SQL.BeginTx(ctx, opts)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := f(pgRunner{tx, p.set}); err != nil {
		return err
	}
	return tx.Commit()
}

func (p *pg) class(err error) error             { return postgres.Class(err) }
func (p *pg) terms(d *searchDoc) []any          { return []any{tsvector(d)} }
func (p *pg) expression(m match, t tier) string { return m.tsquery(t) }
func (p *pg) raw() *sql.DB                      { return p.db.SQL }
func (p *pg) close() error                      { return p.db.Close() }
