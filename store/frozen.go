// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"essaim/store/sqlite"
)

// frozen reads the database as it is at one moment, for as long as f takes,
// without holding anyone back. PostgreSQL does that by itself. On SQLite a long
// read would keep the log of changes from being written back, so f reads a copy
// made beside the database, gone when f returns.
func (s *Store) frozen(ctx context.Context, f func(tx *Tx) error) (err error) {
	if s.cfg.URL != "" {
		return s.read(ctx, f)
	}
	dir, err := os.MkdirTemp(s.cfg.Dir, "copy-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := sqlite.CopyInto(ctx, s.cfg.Dir, filepath.Join(dir, sqlite.File)); err != nil {
		return s.db.class(err)
	}
	db, err := sqlite.OpenCopy(ctx, dir)
	if err != nil {
		return err
	}
	pool := &preparedPool{db: db, set: s.set}
	defer func() { err = errors.Join(err, pool.close(), db.Close()) }()
	return f(&Tx{s: s, r: pool})
}
