// SPDX-License-Identifier: AGPL-3.0-or-later

// Package sqlite opens the embedded database and holds what is particular to
// it: its migrations, the statements that differ, its errors.
package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"essaim"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

//go:embed *.sql
var statements embed.FS

//go:embed migrations/*.sql
var migrations embed.FS

// Statements is the directory of the named statements written for SQLite.
func Statements() fs.FS { return statements }

// Migrations is the directory of the numbered schema changes.
func Migrations() fs.FS {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the embedded directory has this name
	}
	return dir
}

// File is the name of the database in a data directory.
const File = "essaim.db"

// readers is how many connections read at a time.
const readers = 4

// DB is an open database file: one connection that writes, a few that read.
type DB struct {
	Writer *sql.DB
	Reader *sql.DB
	lock   *os.File
}

// Open opens the database in dir, which it makes when it does not exist. An
// owner holds the directory's lock until Close, and a second one is refused;
// a guest (a command beside a running server) works without it.
func Open(ctx context.Context, dir string, owner bool) (*DB, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	db := &DB{}
	if owner {
		f, err := lock(dir)
		if err != nil {
			return nil, err
		}
		db.lock = f
	}
	path := filepath.Join(dir, File)
	if err := private(path); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	var err error
	if db.Writer, err = sql.Open("sqlite", dsn(path, false)); err == nil {
		db.Writer.SetMaxOpenConns(1)
		db.Writer.SetMaxIdleConns(1)
		// The writer comes first: it sets the journal mode that readers find.
		err = db.Writer.PingContext(ctx)
	}
	if err == nil {
		if db.Reader, err = sql.Open("sqlite", dsn(path, true)); err == nil {
			db.Reader.SetMaxOpenConns(readers)
			db.Reader.SetMaxIdleConns(readers)
			err = db.Reader.PingContext(ctx)
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("database %s: %w", path, Class(err)), db.Close())
	}
	return db, nil
}

// private makes the file, readable by its owner only, before SQLite would make
// it readable by all.
func private(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	return f.Close()
}

// dsn names the file and how each connection is set up.
//
// WAL with synchronous FULL survives a power cut at any commit. secure_delete
// writes zeroes over what is erased. A write transaction takes its lock at
// once (BEGIN IMMEDIATE) and so never fails half-way for another's sake.
func dsn(path string, readOnly bool) string {
	pragmas := []string{
		"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "secure_delete(1)",
		"temp_store(2)", "journal_size_limit(67108864)", "trusted_schema(0)",
	}
	if readOnly {
		// The kernel keeps the pages that all read; each connection's own would be
		// copies of the same.
		pragmas = append(pragmas, "query_only(1)", "mmap_size(0)", "cache_size(-4000)")
	} else {
		pragmas = append(pragmas, "cache_size(-16000)")
	}
	q := url.Values{"_pragma": pragmas}
	if !readOnly {
		q.Set("_txlock", "immediate")
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
}

// Close ends the connections and gives the directory back.
func (db *DB) Close() error {
	var errs []error
	if db.Reader != nil {
		errs = append(errs, db.Reader.Close())
	}
	if db.Writer != nil {
		errs = append(errs, db.Writer.Close())
	}
	if db.lock != nil {
		errs = append(errs, db.lock.Close())
	}
	return errors.Join(errs...)
}

// Class gives an error of the database its kind: essaim.ErrConflict for what
// a unique column refuses, essaim.ErrInvalid for what another constraint
// refuses, essaim.ErrUnavailable for what may pass (a lock, a full or failing
// disk). Other errors come back as they are.
func Class(err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return err
	}
	switch code := e.Code(); {
	case code == lib.SQLITE_CONSTRAINT_UNIQUE || code == lib.SQLITE_CONSTRAINT_PRIMARYKEY || code == lib.SQLITE_CONSTRAINT_ROWID:
		return fmt.Errorf("%w: %w", essaim.ErrConflict, err)
	case code&0xff == lib.SQLITE_CONSTRAINT || code&0xff == lib.SQLITE_TOOBIG:
		return fmt.Errorf("%w: %w", essaim.ErrInvalid, err)
	}
	switch e.Code() & 0xff {
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED, lib.SQLITE_FULL, lib.SQLITE_IOERR, lib.SQLITE_CANTOPEN,
		lib.SQLITE_READONLY, lib.SQLITE_NOMEM, lib.SQLITE_INTERRUPT, lib.SQLITE_PROTOCOL:
		return fmt.Errorf("%w: %w", essaim.ErrUnavailable, err)
	}
	return err
}

// Describe lists the columns and indexes of the schema, one a line, in a form
// that both databases share; see the guard that compares them.
func Describe(ctx context.Context, db *sql.DB) ([]string, error) {
	rows, err := db.QueryContext(ctx, `
SELECT 'column ' || m.name || '.' || c.name || ' ' ||
       CASE c.type WHEN 'REAL' THEN 'float' WHEN 'BLOB' THEN 'bytes' WHEN 'INTEGER' THEN 'integer' WHEN 'BIGINT' THEN 'integer' ELSE lower(c.type) END ||
       CASE WHEN c."notnull" = 1 OR c.pk > 0 THEN ' required' ELSE '' END
FROM sqlite_master m, pragma_table_info(m.name) c
WHERE m.type = 'table' AND m.sql NOT LIKE 'CREATE VIRTUAL%' AND m.name NOT LIKE 'sqlite_%'
UNION ALL
SELECT 'index ' || m.name || '.' || i.name || ' (' || (SELECT group_concat(name, ', ') FROM (SELECT name FROM pragma_index_info(i.name) ORDER BY seqno)) || ')' ||
       CASE i."unique" WHEN 1 THEN ' unique' ELSE '' END
FROM sqlite_master m, pragma_index_list(m.name) i
WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND i.origin = 'c'
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
		if !strings.Contains(l, "search_term_") { // the tables behind the full-text index
			lines = append(lines, l)
		}
	}
	return lines, rows.Err()
}
