// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"time"
)

// scanFunc reads the columns of a row.
type scanFunc = func(...any) error

// list reads all rows of a statement.
func list[T any](ctx context.Context, tx *Tx, read func(scanFunc) (T, error), name string, args ...any) (all []T, err error) {
	err = tx.each(ctx, name, func(scan func(...any) error) error {
		one, err := read(scan)
		all = append(all, one)
		return err
	}, args...)
	if err != nil {
		return nil, err
	}
	return all, nil
}

// only reads a row of one column.
func only[T any](scan scanFunc) (v T, err error) {
	err = scan(&v)
	return v, err
}

// instant is micros for a column that is never NULL: 0 for the zero time.
func instant(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// moment scans a time kept by instant or by micros.
type moment struct{ t *time.Time }

// Scan implements sql.Scanner.
func (m moment) Scan(src any) error {
	if src == int64(0) {
		src = nil
	}
	return stamp(m).Scan(src)
}
