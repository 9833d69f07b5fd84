// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"

	"essaim/store/query"
)

// SQLite compiles a statement each time it is given as text. These keep the
// compiled form: preparedConn for the writer's connection, preparedPool for
// the readers. (pgx keeps its own.)

type preparedConn struct {
	conn  *sql.Conn
	set   *query.Set
	stmts map[string]*sql.Stmt
	// numbered tells that a change number was taken since the last commit.
	numbered bool
}

func (p *preparedConn) stmt(ctx context.Context, key, text string) (*sql.Stmt, error) {
	if st, ok := p.stmts[key]; ok {
		return st, nil
	}
	st, err := p.conn.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	p.stmts[key] = st
	return st, nil
}

func (p *preparedConn) named(ctx context.Context, name string) (*sql.Stmt, error) {
	if st, ok := p.stmts[name]; ok {
		return st, nil
	}
	text, ok := p.set.Text(name)
	if !ok {
		return nil, fmt.Errorf("no such statement")
	}
	return p.stmt(ctx, name, text)
}

// do runs a statement that has no name, such as COMMIT.
func (p *preparedConn) do(ctx context.Context, text string) (sql.Result, error) {
	st, err := p.stmt(ctx, text, text)
	if err != nil {
		return nil, err
	}
	return st.ExecContext(ctx)
}

// A statement that is interrupted makes SQLite roll the whole group back, so
// whoever gives up waiting must not reach it.

func (p *preparedConn) exec(ctx context.Context, name string, args ...any) (sql.Result, error) {
	ctx = context.WithoutCancel(ctx)
	st, err := p.named(ctx, name)
	if err != nil {
		return nil, err
	}
	return st.ExecContext(ctx, args...)
}

func (p *preparedConn) query(ctx context.Context, name string, args ...any) (answers, error) {
	ctx = context.WithoutCancel(ctx)
	p.numbered = p.numbered || name == takeNumbers
	st, err := p.named(ctx, name)
	if err != nil {
		return nil, err
	}
	return st.QueryContext(ctx, args...) //nolint:rowserrcheck // Who reads the answers checks them.
}

func (p *preparedConn) later(ctx context.Context, name string, args ...any) error {
	_, err := p.exec(ctx, name, args...)
	return err
}

func (p *preparedConn) flush(context.Context) error { return nil }

// Nothing is asked ahead where an answer needs no way.
func (p *preparedConn) ahead(context.Context, []question) error { return nil }
func (p *preparedConn) asks(question) bool                      { return false }
func (p *preparedConn) forget()                                 {}

func (p *preparedConn) close() error {
	var errs []error
	for _, st := range p.stmts {
		errs = append(errs, st.Close())
	}
	return errors.Join(errs...)
}

// readOnly is for runners that nothing is written with.
type readOnly struct{}

func (readOnly) later(_ context.Context, name string, _ ...any) error {
	return fmt.Errorf("%s: written while reading", name)
}

func (readOnly) flush(context.Context) error { return nil }

func (readOnly) ahead(context.Context, []question) error { return nil }
func (readOnly) asks(question) bool                      { return false }
func (readOnly) forget()                                 {}

type preparedPool struct {
	readOnly
	db    *sql.DB
	set   *query.Set
	mu    sync.RWMutex
	stmts map[string]*sql.Stmt
}

// stmt is a statement in its compiled form. It is compiled on a connection that has
// to be waited for, so never by who holds one, nor while others are kept from the
// statements that they need to give theirs back: four readers at once would wait for
// a fifth connection as long as they may.
func (p *preparedPool) stmt(ctx context.Context, name string) (*sql.Stmt, error) {
	if st := p.compiled(name); st != nil {
		return st, nil
	}
	text, ok := p.set.Text(name)
	if !ok {
		return nil, fmt.Errorf("no such statement")
	}
	st, err := p.db.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if other, ok := p.stmts[name]; ok {
		return other, st.Close()
	}
	if p.stmts == nil {
		p.stmts = map[string]*sql.Stmt{}
	}
	p.stmts[name] = st
	return st, nil
}

// compiled is a statement that was run before; nil for any other.
func (p *preparedPool) compiled(name string) *sql.Stmt {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.stmts[name]
}

func (p *preparedPool) exec(ctx context.Context, name string, args ...any) (sql.Result, error) {
	st, err := p.stmt(ctx, name)
	if err != nil {
		return nil, err
	}
	return st.ExecContext(ctx, args...)
}

func (p *preparedPool) query(ctx context.Context, name string, args ...any) (answers, error) {
	if brief(name) && ctx.Err() == nil {
		ctx = context.WithoutCancel(ctx)
	}
	st, err := p.stmt(ctx, name)
	if err != nil {
		return nil, err
	}
	return st.QueryContext(ctx, args...) //nolint:rowserrcheck // Who reads the answers checks them.
}

// brief tells of a look-up by key that every request of the inbox makes: it is
// over before anyone would give it up, and to listen for that costs two
// goroutines each time.
func brief(name string) bool {
	switch name {
	case "standing", "inbox_known", "inbox_due":
		return true
	}
	return false
}

func (p *preparedPool) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	for _, st := range p.stmts {
		errs = append(errs, st.Close())
	}
	p.stmts = nil
	return errors.Join(errs...)
}

// preparedTx runs the pool's statements in a transaction. What it is the first to
// run it compiles for itself; once it gave its connection back, keep has the pool
// know it.
type preparedTx struct {
	readOnly
	tx    *sql.Tx
	pool  *preparedPool
	first []string
}

func (p *preparedTx) exec(ctx context.Context, name string, args ...any) (sql.Result, error) {
	if st := p.pool.compiled(name); st != nil {
		return p.tx.StmtContext(ctx, st).ExecContext(ctx, args...)
	}
	text, err := p.text(name)
	if err != nil {
		return nil, err
	}
	return p.tx.ExecContext(ctx, text, args...)
}

func (p *preparedTx) query(ctx context.Context, name string, args ...any) (answers, error) {
	if st := p.pool.compiled(name); st != nil {
		return p.tx.StmtContext(ctx, st).QueryContext(ctx, args...) //nolint:rowserrcheck // The same.
	}
	text, err := p.text(name)
	if err != nil {
		return nil, err
	}
	return p.tx.QueryContext(ctx, text, args...) //nolint:rowserrcheck // The same.
}

func (p *preparedTx) text(name string) (string, error) {
	text, ok := p.pool.set.Text(name)
	if !ok {
		return "", fmt.Errorf("no such statement")
	}
	p.first = append(p.first, name)
	return text, nil
}

// keep compiles for all what this transaction was the first to run; what cannot be
// now is left to the next.
func (p *preparedTx) keep(ctx context.Context) {
	for _, name := range p.first {
		if _, err := p.pool.stmt(ctx, name); err != nil {
			return
		}
	}
}
