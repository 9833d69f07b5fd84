// SPDX-License-Identifier: AGPL-3.0-or-later

// Package store keeps everything that a node knows, in SQLite or PostgreSQL.
//
// Each exported method is one use case and one transaction. SQL stands in
// named statements: query holds what both databases read, sqlite and postgres
// what differs. The rules are the root package's; the store decides only what
// depends on the state of the database: is the name free, is the version
// newer, does a tombstone stand.
//
// store.go opens, tx.go runs statements, write.go commits (SQLite's one writer
// and its PostgreSQL twin), notify.go wakes who waits for work; then a file a
// concept.
package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"sync"
	"time"

	"essaim"
	"essaim/store/postgres"
	"essaim/store/query"
	"essaim/store/sqlite"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/oklog/ulid/v2"
)

// Config says which database to open and what the store needs of others.
type Config struct {
	// URL is a postgres:// address; empty for SQLite in Dir.
	URL string
	// Dir is the data directory of a SQLite database.
	Dir string
	// Guest opens beside a process that owns the database: no lock is taken, no
	// lease freed, and a schema of another version is refused, not migrated.
	Guest bool
	// Render makes the bytes of a publication. Without it nothing can be
	// published.
	Render essaim.RenderFunc
	// Tell makes the bytes of announces and farewells. Without it none is made.
	Tell essaim.TellFunc
	// Actor makes the documents of actors that stand in the commons. Without it
	// none does.
	Actor essaim.ActorFunc
	// ReadActor reads what was chosen of an actor from its document, which differs
	// from that of one of which nothing is. Without it no choice comes back.
	ReadActor essaim.ReadActorFunc
	// Now is the clock; time.Now when nil.
	Now func() time.Time
	// NewID makes the last part of ids: a ULID in lower case when nil.
	NewID func() string
	// KeepRaw is for how long the bytes of received activities are kept, KeepUnknown
	// those of a type that is not known here; 90 and 30 days when 0.
	KeepRaw, KeepUnknown time.Duration
	// MapPlaces is up to how many places of a result a map counts one by one; 20,000
	// when 0.
	MapPlaces int
	// SearchSample is one record in how many says how frequent words are; 1,009 when it is
	// zero.
	SearchSample int
	// Logger gets what a background task meets; discarded when nil.
	Logger *slog.Logger
}

// Store is an open database. Its methods may be called from any goroutine.
type Store struct {
	cfg Config
	set *query.Set
	db  database
	bell
	due     dueAnswer
	closing func() error
	alone   bool // when it was opened; see locks.go

	group string // id of the territory's community, when it announces; see group.go
	tree  digestTree
	held  heldTrees
	// cutters are *french.Cutter, each one's at a time.
	cutters sync.Pool
	feeds   struct { // that exist, see localactor.go
		sync.Mutex
		known map[feed]string
	}
	node struct { // cached, see node.go and recovery.go
		sync.Mutex
		known      *essaim.Node
		recoveries int64 // when known was read
		asked      time.Time
		recovering bool // then
	}
}

// database is what differs between the two: how it reads, how it writes.
type database interface {
	// pool reads outside a transaction.
	pool() runner
	// snapshot reads in one transaction.
	snapshot(ctx context.Context, f func(runner) error) error
	// write runs f in a transaction and returns after its commit.
	write(ctx context.Context, p priority, f func(runner) error) error
	class(error) error
	// changes counts the commits that took a change number, where all of them
	// are this process's.
	changes() (n int64, ok bool)
	// index makes records be found, unindex makes one no longer be;
	// expression is a match in the index's own language.
	index(ctx context.Context, r runner, rows []searchRow) error
	unindex(ctx context.Context, r runner, rid int64) error
	expression(m match, t tier) string
	// ordered tells that the index gives what it finds in the order of positions; if
	// not, searches look part by part.
	ordered() bool
	// compact makes an index that grew by much as fast to read as it can be.
	compact(ctx context.Context) error
	// scrub writes over what erased rows left in the files.
	scrub(ctx context.Context) error
	// raw is a pool for migrations, backups and tests.
	raw() *sql.DB
	close() error
}

// Open opens the database, brings its schema up to date and starts what the
// store runs in the background. Close it.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.NewID == nil {
		cfg.NewID = func() string {
			return strings.ToLower(ulid.MustNew(ulid.Timestamp(cfg.Now()), rand.Reader).String())
		}
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Store{cfg: cfg}
	if cfg.URL != "" {
		return s.openPostgres(ctx)
	}
	return s.openSQLite(ctx)
}

func (s *Store) openSQLite(ctx context.Context) (_ *Store, err error) {
	if s.cfg.Dir == "" {
		return nil, errors.New("store: neither a database address nor a data directory")
	}
	if s.set, err = query.Load(query.Shared(), sqlite.Statements()); err != nil {
		return nil, err
	}
	db, err := sqlite.Open(ctx, s.cfg.Dir, !s.cfg.Guest)
	if err != nil {
		return nil, err
	}
	if err := s.migrate(ctx, db.Writer, sqlite.Migrations(), ""); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if s.db, err = newLite(ctx, db, s.set, !s.cfg.Guest); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if !s.cfg.Guest {
		if err := errors.Join(s.freeLeases(ctx), s.removeCopies()); err != nil {
			return nil, errors.Join(err, s.db.close())
		}
	}
	return s.start(ctx, nil, nil)
}

func (s *Store) openPostgres(ctx context.Context) (_ *Store, err error) {
	if s.set, err = query.Load(query.Shared(), postgres.Statements()); err != nil {
		return nil, err
	}
	db, err := postgres.Open(ctx, s.cfg.URL)
	if err != nil {
		return nil, err
	}
	if err := s.migrate(ctx, db.SQL, postgres.Migrations(), lockMigrations); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	s.db = &pg{db: db, set: s.set}
	if !s.cfg.Guest {
		if err := s.freeLeases(ctx); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	heard, err := hear(ctx, db.Pool)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("database: %w", postgres.Class(err)), db.Close())
	}
	return s.start(ctx, db.Pool, heard)
}

// start starts what runs in the background; pool and heard are as ring has them.
func (s *Store) start(ctx context.Context, pool *pgxpool.Pool, heard *pgxpool.Conn) (*Store, error) {
	s.ring(pool, heard)
	s.closing = sync.OnceValue(func() error {
		s.hush()
		return s.db.close()
	})
	if s.cfg.Guest {
		return s, nil
	}
	if err := s.compareErasures(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close waits for what runs and ends the connections. The second call and
// those after it return what the first did.
func (s *Store) Close() error { return s.closing() }

// Ready tells whether the database answers and its schema is the program's.
func (s *Store) Ready(ctx context.Context) error {
	v, err := s.Schema(ctx)
	if err != nil {
		return err
	}
	if want, err := latest(s.migrations()); err != nil || v != want {
		return fmt.Errorf("schema %d, want %d: %w", v, want, essaim.ErrUnavailable)
	}
	return nil
}

// Schema is the number of the last migration that the database went through.
func (s *Store) Schema(ctx context.Context) (int, error) {
	var v int
	err := s.row(ctx, s.db.pool(), "schema_version").Scan(&v)
	return v, err
}

func (s *Store) migrations() fs.FS {
	if s.cfg.URL != "" {
		return postgres.Migrations()
	}
	return sqlite.Migrations()
}

// DB is the pool below the store, for tests and for tools that inspect it.
func (s *Store) DB() *sql.DB { return s.db.raw() }

// Statements is the set of named statements that the store runs.
func (s *Store) Statements() *query.Set { return s.set }

// now is the time of the clock in UTC, to the microsecond, as the database
// keeps it.
func (s *Store) now() time.Time { return s.cfg.Now().UTC().Truncate(time.Microsecond) }
