// SPDX-License-Identifier: AGPL-3.0-or-later

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
)

// CopyInto writes the database of a data directory, as it is at one moment, to
// a new file, while others go on writing.
func CopyInto(ctx context.Context, dir, file string) (err error) {
	db, err := sql.Open("sqlite", dsn(filepath.Join(dir, File), false))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := private(file); err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, "VACUUM INTO $1", file); err != nil {
		return fmt.Errorf("copy of the database: %w", Class(err))
	}
	return nil
}

// OpenCopy opens a copy made by CopyInto, which nobody else has open.
func OpenCopy(ctx context.Context, dir string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", dsn(filepath.Join(dir, File), false))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("copy of the database: %w", Class(err)), db.Close())
	}
	return db, nil
}
