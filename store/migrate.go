// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"essaim/store/sqlite"
)

// lockMigrations keeps processes that start together on PostgreSQL from
// migrating at once. The number is any that nothing else uses.
const lockMigrations = "SELECT pg_advisory_xact_lock(712140471)"

// Both databases read this; "n" is the number that a migration's file begins
// with.
const migrationTable = `CREATE TABLE IF NOT EXISTS migration (n BIGINT PRIMARY KEY, applied_at BIGINT NOT NULL)`

type migration struct {
	n    int
	text string
}

// migrate brings the schema to the last migration of dir, forward only, each
// in a transaction of its own. It refuses a schema that is newer than the
// program, and as a guest one that is older.
func (s *Store) migrate(ctx context.Context, db *sql.DB, dir fs.FS, lock string) error {
	list, err := readMigrations(dir)
	if err != nil {
		return err
	}
	last := list[len(list)-1].n
	for _, m := range append([]migration{{}}, list...) {
		at, err := s.step(ctx, db, m, lock)
		if err != nil {
			return fmt.Errorf("migration %d: %w", m.n, err)
		}
		if at > last {
			return fmt.Errorf("the database has schema %d and this program knows schema %d: use the program that made it, or a newer one", at, last)
		}
		if s.cfg.Guest {
			if at < last {
				return fmt.Errorf("the database has schema %d and this program needs schema %d: start the server once with this program", at, last)
			}
			return nil
		}
	}
	return nil
}

// step applies one migration if the schema is older and returns how far the
// schema is. Migration 0 is the table that remembers them.
func (s *Store) step(ctx context.Context, db *sql.DB, m migration, lock string) (at int, err error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return 0, err
	}
	defer tx.Rollback()
	if lock != "" {
		if _, err := tx.ExecContext(ctx, lock); err != nil {
			return 0, err
		}
	}
	if m.n == 0 && !s.cfg.Guest {
		if _, err := tx.ExecContext(ctx, migrationTable); err != nil {
			return 0, err
		}
	}
	if err := tx.QueryRowContext(ctx, "SELECT coalesce(max(n), 0) FROM migration").Scan(&at); err != nil {
		return 0, err
	}
	if m.n > at {
		if _, err := tx.ExecContext(ctx, m.text); err != nil {
			return 0, err
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO migration (n, applied_at) VALUES ($1, $2)", m.n, s.now().UnixMicro()); err != nil {
			return 0, err
		}
		at = m.n
	}
	return at, tx.Commit()
}

// readMigrations reads files named NNNN_what.sql in the order of their numbers,
// which start at 1 and leave no gap.
func readMigrations(dir fs.FS) ([]migration, error) {
	names, err := fs.Glob(dir, "*.sql")
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	var list []migration
	for i, name := range names {
		number, _, _ := strings.Cut(name, "_")
		n, err := strconv.Atoi(number)
		if err != nil || n != i+1 {
			return nil, fmt.Errorf("migration %s: want number %d", name, i+1)
		}
		text, err := fs.ReadFile(dir, name)
		if err != nil {
			return nil, err
		}
		list = append(list, migration{n, string(text)})
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("no migrations")
	}
	return list, nil
}

// LatestSchema is the number of the last migration that this program brings;
// it is the same for both databases.
func LatestSchema() (int, error) { return latest(sqlite.Migrations()) }

func latest(dir fs.FS) (int, error) {
	list, err := readMigrations(dir)
	if err != nil {
		return 0, err
	}
	return list[len(list)-1].n, nil
}
