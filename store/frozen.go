// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"essaim/store/sqlite"
)

// copyLife is how long a copy may be in use.
const copyLife = 24 * time.Hour

// frozen reads the database as it is at one moment, for as long as f takes,
// without holding anyone back. PostgreSQL does that by itself. On SQLite a long
// read would keep the log of changes from being written back, so f reads a copy.
func (s *Store) frozen(ctx context.Context, f func(tx *Tx) error) error {
	if s.cfg.URL != "" {
		return s.read(ctx, f)
	}
	return s.copied(ctx, f)
}

// copied runs f on a copy of the SQLite database, made beside it and gone when f
// returns.
func (s *Store) copied(ctx context.Context, f func(tx *Tx) error) (err error) {
	dir, err := os.MkdirTemp(s.cfg.Dir, "copy-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := sqlite.CopyInto(ctx, s.cfg.Dir, filepath.Join(dir, sqlite.File)); err != nil {
		return err
	}
	db, err := sqlite.OpenCopy(ctx, dir)
	if err != nil {
		return err
	}
	pool := &preparedPool{db: db, set: s.set}
	defer func() { err = errors.Join(err, pool.close(), db.Close()) }()
	return f(&Tx{s: s, r: pool})
}

// removeCopies removes what a process left that was killed as it read a copy.
func (s *Store) removeCopies() error {
	left, err := filepath.Glob(filepath.Join(s.cfg.Dir, "copy-*"))
	if err != nil {
		return err
	}
	for _, dir := range left {
		info, err := os.Stat(dir)
		if err != nil || s.now().Sub(info.ModTime()) < copyLife {
			continue // a guest may be reading it
		}
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	return nil
}
