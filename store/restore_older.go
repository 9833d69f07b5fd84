// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"essaim"
)

// A backup of an older schema is restored as it is: the empty database goes back to
// that schema, takes the rows, and comes forward by the migrations that a database of
// that age goes through, all in the transaction of the restore.

// direct runs statements that no file names.
type direct interface {
	ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error)
}

// direct is the connection of a writing transaction.
func (tx *Tx) direct() (direct, error) {
	switch r := tx.r.(type) {
	case *preparedConn:
		return r.conn, nil
	case *pgRunner:
		return r.q, nil
	}
	return nil, fmt.Errorf("no connection of a transaction")
}

// older is the restore of a backup of an older schema.
type older struct {
	tx     *Tx
	on     direct
	all    []migration
	schema int
	mix    map[string]*mixed
}

// mixed is the sum of a table's lines in any order: that of the backup is the order
// of a key, which a later schema may know no more.
type mixed struct {
	rows int64
	sum  [sha256.Size]byte
}

func (m *mixed) add(line []byte) {
	m.rows++
	for i, b := range sha256.Sum256(line) {
		m.sum[i] ^= b
	}
}

var (
	// What a migration makes, also where a later one drops it.
	madeTable = regexp.MustCompile(`(?m)^CREATE (?:VIRTUAL )?TABLE (\w+)`)
	// What stands unquoted in a statement.
	plainName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
)

// tables are those that migrations make, in the order of their last making.
func tables(list []migration) (names []string) {
	for _, m := range list {
		for _, found := range madeTable.FindAllStringSubmatch(m.text, -1) {
			names = slices.DeleteFunc(names, func(name string) bool { return name == found[1] })
			names = append(names, found[1])
		}
	}
	return names
}

// goBack makes the empty database one of the backup's schema.
func (tx *Tx) goBack(ctx context.Context, m *Manifest) (*older, error) {
	o := &older{tx: tx, schema: m.Schema, mix: map[string]*mixed{}}
	var err error
	if o.all, err = readMigrations(tx.s.migrations()); err != nil {
		return nil, err
	}
	if m.Schema < 1 || m.Schema > len(o.all) {
		return nil, fmt.Errorf("a backup of schema %d: %w", m.Schema, essaim.ErrInvalid)
	}
	known := tables(o.all[:m.Schema])
	for _, t := range m.Tables {
		if !slices.Contains(known, t.Name) || slices.ContainsFunc(t.Columns, func(c string) bool { return !plainName.MatchString(c) }) {
			return nil, fmt.Errorf("the backup's table %q is none of schema %d: %w", t.Name, m.Schema, essaim.ErrInvalid)
		}
		o.mix[t.Name] = &mixed{}
	}
	if o.on, err = tx.direct(); err != nil {
		return nil, err
	}
	if err := tx.flush(ctx); err != nil {
		return nil, err
	}
	for _, name := range slices.Backward(tables(o.all)) {
		if err := o.exec(ctx, "DROP TABLE "+name); err != nil {
			return nil, err
		}
	}
	if err := o.exec(ctx, "DELETE FROM migration"); err != nil {
		return nil, err
	}
	if err := o.migrate(ctx, o.all[:m.Schema]); err != nil {
		return nil, err
	}
	for _, t := range m.Tables { // what a migration writes is in the backup too
		if err := o.exec(ctx, "DELETE FROM "+t.Name); err != nil {
			return nil, err
		}
	}
	return o, nil
}

func (o *older) exec(ctx context.Context, text string, args ...any) error {
	// An interrupt would roll back what others wait for.
	if _, err := o.on.ExecContext(context.WithoutCancel(ctx), text, args...); err != nil {
		line, _, _ := strings.Cut(text, "\n")
		return fmt.Errorf("%s: %w", line, o.tx.s.db.class(err))
	}
	return nil
}

func (o *older) migrate(ctx context.Context, list []migration) error {
	for _, m := range list {
		if err := o.exec(ctx, m.text); err != nil {
			return fmt.Errorf("migration %d: %w", m.n, err)
		}
		if err := o.exec(ctx, "INSERT INTO migration (n, applied_at) VALUES ($1, $2)", m.n, o.tx.s.now().UnixMicro()); err != nil {
			return err
		}
	}
	return nil
}

// write writes a row of the backup.
func (o *older) write(ctx context.Context, t ManifestTable, line []byte, values []any) error {
	o.mix[t.Name].add(line)
	places := make([]string, len(t.Columns))
	for i := range places {
		places[i] = "$" + strconv.Itoa(i+1)
	}
	return o.exec(ctx, "INSERT INTO "+t.Name+" ("+strings.Join(t.Columns, ", ")+") VALUES ("+strings.Join(places, ", ")+")", values...)
}

// comeForward reads back what was written, and migrates it. Counters that migrations
// filled are emptied: what is indexed afterwards is counted then.
func (o *older) comeForward(ctx context.Context, m Manifest) error {
	for _, t := range m.Tables {
		got, err := o.read(ctx, t)
		if err != nil {
			return fmt.Errorf("verify table %s: %w", t.Name, err)
		}
		if want := o.mix[t.Name]; *got != *want {
			return fmt.Errorf("table %s was not written as it was read (%d rows, want %d)", t.Name, got.rows, want.rows)
		}
	}
	if err := o.migrate(ctx, o.all[o.schema:]); err != nil {
		return err
	}
	for _, name := range []string{"facet", "map_cell"} {
		if err := o.exec(ctx, "DELETE FROM "+name); err != nil {
			return err
		}
	}
	return nil
}

func (o *older) read(ctx context.Context, t ManifestTable) (*mixed, error) {
	rows, err := o.on.QueryContext(context.WithoutCancel(ctx), "SELECT "+strings.Join(t.Columns, ", ")+" FROM "+t.Name)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	values, into := make([]any, len(t.Columns)), make([]any, len(t.Columns))
	for i := range values {
		into[i] = &values[i]
	}
	got := &mixed{}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		line, err := encodeRow(values)
		if err != nil {
			return nil, err
		}
		got.add(bytes.TrimSuffix(line, []byte("\n")))
	}
	return got, rows.Err()
}
