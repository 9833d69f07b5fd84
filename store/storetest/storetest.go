// SPDX-License-Identifier: AGPL-3.0-or-later

// Package storetest gives tests real databases, one of each sort, and holds
// what every database must pass.
//
//	func TestSlugsStayUnique(t *testing.T) {
//		t.Parallel()
//		storetest.Each(t, func(t *testing.T, db storetest.DB) {
//			s := db.Open(t)
//			…
//		})
//	}
//
// It needs PostgreSQL's programs or a server; without them tests fail, for a
// test that was skipped has shown nothing.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"essaim/store"
	"essaim/store/sqlite"
)

// DB is a fresh database with the schema and nothing in it.
type DB struct {
	// Name is "sqlite" or "postgres".
	Name string
	// Dir or URL is where it is, as in store.Config.
	Dir, URL string
}

// Each runs f as a subtest on each database, side by side, and the subtest's
// name says which.
func Each(t *testing.T, f func(t *testing.T, db DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		f(t, SQLite(t))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		f(t, Postgres(t))
	})
}

// SQLite is a fresh SQLite database.
func SQLite(t testing.TB) DB {
	t.Helper()
	return DB{Name: "sqlite", Dir: t.TempDir()}
}

// Postgres is a fresh PostgreSQL database, with the ICU locale fr-FR.
func Postgres(t testing.TB) DB {
	t.Helper()
	c, err := server()
	if err != nil {
		t.Fatal(err)
	}
	return DB{Name: "postgres", URL: c.fresh(t)}
}

// Config is where the database is, to be completed.
func (db DB) Config() store.Config { return store.Config{Dir: db.Dir, URL: db.URL} }

// Exec runs a statement below a store that is open on the database, as a disk, a
// hand or another program does.
func (db DB) Exec(ctx context.Context, s *store.Store, statement string, args ...any) (err error) {
	pool := s.DB()
	if db.Name == "sqlite" {
		lite, err := sqlite.Open(ctx, db.Dir, false)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, lite.Close()) }()
		pool = lite.Writer
	}
	if _, err := pool.ExecContext(ctx, statement, args...); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}

// Open opens the database, with what the functions add to its configuration,
// until the test ends.
func (db DB) Open(t testing.TB, with ...func(*store.Config)) *store.Store {
	t.Helper()
	cfg := db.Config()
	for _, f := range with {
		f(&cfg)
	}
	s, err := store.Open(context.Background(), cfg)
	if err != nil {
		t.Fatalf("open %s: %v", db.Name, err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close %s: %v", db.Name, err)
		}
	})
	return s
}
