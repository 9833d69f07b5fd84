// SPDX-License-Identifier: AGPL-3.0-or-later

// Package postgres opens a PostgreSQL database and holds what is particular to
// it: its migrations, the statements that differ, its errors.
package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"time"

	"essaim"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
)

//go:embed *.sql
var statements embed.FS

//go:embed migrations/*.sql
var migrations embed.FS

// Statements is the directory of the named statements written for PostgreSQL.
func Statements() fs.FS { return statements }

// Migrations is the directory of the numbered schema changes.
func Migrations() fs.FS {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the embedded directory has this name
	}
	return dir
}

// oldest is the first server version that is supported.
const oldest = 150000

// DB is one pool of connections, seen through database/sql and, for LISTEN and
// COPY, as it is.
type DB struct {
	Pool *pgxpool.Pool
	SQL  *sql.DB
}

// Open connects to a postgres:// URL. The pool holds max(8, pool_max_conns of
// the URL) connections.
func Open(ctx context.Context, url string) (*DB, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("database address: %w", err)
	}
	cfg.MaxConns = max(cfg.MaxConns, 8)
	cfg.MaxConnIdleTime = 5 * time.Minute
	// Without these a lost network or a forgotten session would hold a request
	// or a row for hours.
	set := func(name, value string) {
		if _, given := cfg.ConnConfig.RuntimeParams[name]; !given {
			cfg.ConnConfig.RuntimeParams[name] = value
		}
	}
	set("application_name", "essaim")
	set("timezone", "UTC")
	set("idle_in_transaction_session_timeout", "60000")
	set("jit", "off")
	// To start a worker takes longer than the longest search.
	set("max_parallel_workers_per_gather", "0")
	if cfg.ConnConfig.ConnectTimeout == 0 {
		cfg.ConnConfig.ConnectTimeout = 5 * time.Second
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("database: %w", Class(err))
	}
	var version int
	if err := pool.QueryRow(ctx, "SELECT current_setting('server_version_num')::int").Scan(&version); err != nil {
		pool.Close()
		return nil, fmt.Errorf("database: %w", Class(err))
	}
	if version < oldest {
		pool.Close()
		return nil, fmt.Errorf("PostgreSQL %d.%d is too old, 15 or later is needed", version/10000, version%10000)
	}
	return &DB{Pool: pool, SQL: stdlib.OpenDBFromPool(pool)}, nil
}

// Close ends the connections.
func (db *DB) Close() error {
	err := db.SQL.Close()
	db.Pool.Close()
	return err
}

// Class gives an error of the database its kind: essaim.ErrConflict for what a
// unique column refuses, essaim.ErrInvalid for what another constraint or type
// refuses, essaim.ErrUnavailable for what may pass (no connection, no room, a
// lock). Other errors come back as they are.
func Class(err error) error {
	if err == nil {
		return nil
	}
	var e *pgconn.PgError
	if errors.As(err, &e) && len(e.Code) == 5 {
		switch class := e.Code[:2]; {
		case e.Code == "23505":
			return fmt.Errorf("%w: %w", essaim.ErrConflict, err)
		case class == "23" || class == "22":
			return fmt.Errorf("%w: %w", essaim.ErrInvalid, err)
		case class == "08" || class == "40" || class == "53" || class == "55" || class == "57" || class == "58":
			return fmt.Errorf("%w: %w", essaim.ErrUnavailable, err)
		}
		return err
	}
	var connect *pgconn.ConnectError
	var network net.Error
	if errors.As(err, &connect) || errors.As(err, &network) || pgconn.SafeToRetry(err) {
		return fmt.Errorf("%w: %w", essaim.ErrUnavailable, err)
	}
	for _, closed := range lost {
		if errors.Is(err, closed) {
			return fmt.Errorf("%w: %w", essaim.ErrUnavailable, err)
		}
	}
	return err
}

// lost are what a connection gives that was closed under a statement, here or by
// a server that ended without a word.
var lost = []error{io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, driver.ErrBadConn, sql.ErrConnDone}

// Again tells whether a transaction failed only because of another one and
// does its work when it is run again: it lost to it, or both took the same
// free place in the order of records, or the same free name.
func Again(err error) bool {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code {
	case "40001", "40P01":
		return true
	case "23505":
		return e.ConstraintName == "record_position" || e.ConstraintName == "search_pkey" || e.ConstraintName == "name_pkey"
	}
	return false
}

// Describe lists the columns and indexes of the schema, one a line, in a form
// that both databases share; see the guard that compares them.
func Describe(ctx context.Context, db *sql.DB) ([]string, error) {
	rows, err := db.QueryContext(ctx, `
SELECT 'column ' || table_name || '.' || column_name || ' ' ||
       CASE data_type WHEN 'bigint' THEN 'integer' WHEN 'double precision' THEN 'float' WHEN 'bytea' THEN 'bytes' ELSE data_type END ||
       CASE is_nullable WHEN 'NO' THEN ' required' ELSE '' END AS line
FROM information_schema.columns WHERE table_schema = current_schema()
UNION ALL
SELECT 'index ' || t.relname || '.' || i.relname || ' (' ||
       (SELECT string_agg(a.attname, ', ' ORDER BY k.ord) FROM unnest(x.indkey::int[]) WITH ORDINALITY k(att, ord) JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.att) || ')' ||
       CASE WHEN x.indisunique THEN ' unique' ELSE '' END
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
WHERE t.relnamespace = current_schema()::regnamespace AND i.relam = (SELECT oid FROM pg_am WHERE amname = 'btree')
  AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = i.oid)
ORDER BY 1`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var lines []string
	for rows.Next() {
		var l string
		if err := rows.Scan(&l); err != nil {
			return nil, err
		}
		lines = append(lines, l)
	}
	return lines, rows.Err()
}
