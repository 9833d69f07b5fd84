// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strings"

	"essaim"
)

// Bounds of what a restore holds at a time.
const (
	restoreLine  = 64 << 20 // bytes of one row
	restoreSmall = 1 << 20  // bytes of an entry that is read whole
	restorePage  = 500      // records to index
)

// Restored is what a restore made.
type Restored struct {
	Manifest Manifest
	Node     essaim.Node // with its new incarnation
	Sealed   []byte      // the keys, as the backup was given them; nil when it has none
	Erased   int         // erasures since the backup, which were done again
}

// Restore fills an empty database with a backup, checks that what was written
// is what the backup holds, indexes and counts the records again, and gives the node a
// new incarnation: its ids stay, and its next changes count as newer than any
// that it made after the backup. What was erased since, as the file in the data
// directory tells, is erased again in the same transaction. Nothing is kept when anything fails. A database
// that is not empty is essaim.ErrConflict, a file that is not a whole backup
// essaim.ErrInvalid.
func (s *Store) Restore(ctx context.Context, r io.Reader) (Restored, error) {
	var out Restored
	told, err := readErasures(s.cfg.Dir)
	if err != nil {
		return out, fmt.Errorf("restore: %w", err)
	}
	err = s.write(ctx, patient, func(tx *Tx) error {
		var rows int
		if err := tx.row(ctx, "restore_empty").Scan(&rows); err != nil {
			return err
		}
		if rows > 0 {
			return fmt.Errorf("the database is not empty: %w", essaim.ErrConflict)
		}
		var err error
		var old *older
		if out, old, err = tx.load(ctx, r); err != nil {
			return err
		}
		if old != nil {
			err = old.comeForward(ctx, out.Manifest)
		} else {
			err = tx.verify(ctx, out.Manifest)
		}
		if err != nil {
			return err
		}
		if err := tx.settle(ctx, &out); err != nil {
			return err
		}
		out.Erased, err = tx.eraseAgain(ctx, told)
		return err
	})
	s.forgetNode()
	if err == nil {
		err = s.compareErasures(ctx) // the file may lack what the backup tells
	}
	if err != nil {
		return Restored{}, fmt.Errorf("restore: %w", err)
	}
	return out, nil
}

// load reads the archive into the tables and compares what it read with the
// archive's own manifest.
func (tx *Tx) load(ctx context.Context, r io.Reader) (out Restored, old *older, err error) {
	zip, err := gzip.NewReader(r)
	if err != nil {
		return out, nil, fmt.Errorf("not a backup (%w): %w", err, essaim.ErrInvalid)
	}
	in := tar.NewReader(zip)
	var head *Manifest
	read := map[string]*loading{}
	for {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return out, nil, fmt.Errorf("the backup ends too early: %w", essaim.ErrInvalid)
		}
		if err != nil {
			return out, nil, fmt.Errorf("damaged backup: %w: %w", essaim.ErrInvalid, err)
		}
		table, isPart := strings.CutPrefix(h.Name, "tables/")
		switch {
		case head == nil && h.Name == backupHead:
			head = &Manifest{}
			if err := readJSON(in, head); err != nil {
				return out, nil, err
			}
			if old, err = tx.readable(ctx, head); err != nil {
				return out, nil, err
			}
			for _, t := range head.Tables {
				read[t.Name] = &loading{sum: sha256.New(), table: t}
			}
		case head == nil:
			return out, nil, fmt.Errorf("not a backup: it begins with %q: %w", h.Name, essaim.ErrInvalid)
		case isPart:
			table, _, _ = strings.Cut(table, "/")
			if err := tx.loadPart(ctx, in, read[table], old); err != nil {
				return out, nil, fmt.Errorf("table %s: %w", table, err)
			}
		case h.Name == backupKeys:
			if out.Sealed, err = io.ReadAll(io.LimitReader(in, restoreSmall)); err != nil {
				return out, nil, fmt.Errorf("damaged backup: %w: %w", essaim.ErrInvalid, err)
			}
		case h.Name == backupManifest:
			if err := readJSON(in, &out.Manifest); err != nil {
				return out, nil, err
			}
			return out, old, compare(out.Manifest, head, read)
		}
	}
}

// loading is how far a table is read.
type loading struct {
	sum   hash.Hash
	table ManifestTable
	rows  int64
}

// readable tells whether this program reads the backup; one of an older schema has
// taken the database back to it.
func (tx *Tx) readable(ctx context.Context, m *Manifest) (*older, error) {
	var schema int
	if err := tx.row(ctx, "schema_version").Scan(&schema); err != nil {
		return nil, err
	}
	if m.Format == backupFormat && m.Schema < schema {
		return tx.goBack(ctx, m)
	}
	if m.Format != backupFormat || m.Schema != schema {
		return nil, fmt.Errorf("a backup of format %d, schema %d, and this program reads format %d, schema %d: %w",
			m.Format, m.Schema, backupFormat, schema, essaim.ErrInvalid)
	}
	for i, name := range backupTables {
		if i >= len(m.Tables) || m.Tables[i].Name != name || !slices.Equal(m.Tables[i].Columns, tx.s.columns(name)) {
			return nil, fmt.Errorf("the backup's table %s is not the program's: %w", name, essaim.ErrInvalid)
		}
	}
	return nil, nil
}

func (tx *Tx) loadPart(ctx context.Context, in io.Reader, l *loading, old *older) error {
	if l == nil {
		return fmt.Errorf("unknown: %w", essaim.ErrInvalid)
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 64<<10), restoreLine)
	for lines.Scan() {
		l.sum.Write(lines.Bytes())
		l.sum.Write([]byte("\n"))
		l.rows++
		values, err := decodeRow(lines.Bytes(), len(l.table.Columns))
		if err != nil {
			return fmt.Errorf("row %d: %w: %w", l.rows, essaim.ErrInvalid, err)
		}
		if old != nil {
			err = old.write(ctx, l.table, lines.Bytes(), values)
		} else {
			_, err = tx.exec(ctx, "restore_"+l.table.Name, values...)
		}
		if err != nil {
			return fmt.Errorf("row %d: %w", l.rows, err)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("damaged backup: %w: %w", essaim.ErrInvalid, err)
	}
	return nil
}

// compare checks the counts and digests of what was read.
func compare(m Manifest, head *Manifest, read map[string]*loading) error {
	if m.Format != head.Format || m.Schema != head.Schema || len(m.Tables) != len(head.Tables) {
		return fmt.Errorf("the backup's manifest is of another backup: %w", essaim.ErrInvalid)
	}
	told := map[string]bool{}
	for _, t := range m.Tables {
		l := read[t.Name]
		if l == nil || told[t.Name] || l.rows != t.Rows || digest(l.sum) != t.Digest || !slices.Equal(l.table.Columns, t.Columns) {
			return fmt.Errorf("table %s is not what the backup's manifest says: %w", t.Name, essaim.ErrInvalid)
		}
		told[t.Name] = true
	}
	return nil
}

// verify reads back what was written.
func (tx *Tx) verify(ctx context.Context, m Manifest) error {
	for _, want := range m.Tables {
		got := ManifestTable{Name: want.Name, Columns: want.Columns}
		if err := tx.dump(ctx, &got, func([]byte) error { return nil }); err != nil {
			return fmt.Errorf("verify table %s: %w", want.Name, err)
		}
		if got.Rows != want.Rows || got.Digest != want.Digest {
			return fmt.Errorf("table %s was not written as it was read (%d rows, want %d)", want.Name, got.Rows, want.Rows)
		}
	}
	return nil
}

// settle makes what a backup does not hold: the index and counters of records,
// the next numbers, the incarnation.
func (tx *Tx) settle(ctx context.Context, out *Restored) error {
	if _, err := list(ctx, tx, only[any], "restore_sequences"); err != nil {
		return err
	}
	if err := tx.searchAgain(ctx); err != nil {
		return err
	}
	// What was due has been announced since, or comes too late: nothing is ever
	// announced again. A weekly batch to come still does.
	if _, err := tx.exec(ctx, "restore_announces_due", micros(tx.s.now())); err != nil {
		return err
	}
	if _, err := tx.exec(ctx, "recovery_release"); err != nil { // of the node that the backup is of
		return err
	}
	hosts, err := list(ctx, tx, only[string], "recovery_hosts")
	if err != nil {
		return err
	}
	if err := tx.beginRecovery(ctx, essaim.RecoveryRestore, essaim.CommonsHead{}, hosts); err != nil {
		return err
	}
	if len(hosts) == 0 { // nobody to ask
		if _, err := tx.endRecovery(ctx); err != nil {
			return err
		}
	}
	out.Node, _, err = tx.node(ctx)
	return err
}

// searchAgain indexes and counts the published records of a database in which
// none is, and puts them on the pages of the people whom they credit.
func (tx *Tx) searchAgain(ctx context.Context) error {
	type found struct {
		rid int64
		id  string
	}
	last := int64(0)
	for {
		page, err := list(ctx, tx, func(scan scanFunc) (f found, err error) {
			err = scan(&f.rid, &f.id)
			return f, err
		}, "restore_searched", last, restorePage)
		if err == nil && len(page) == 0 {
			_, err = tx.exec(ctx, "reindex_save", searchVersion, newest, flag(true))
		}
		if err != nil || len(page) == 0 {
			return err
		}
		for _, f := range page {
			e, err := tx.entry(ctx, "record_by_id", f.id)
			if err != nil {
				return err
			}
			if err := tx.creditPeople(ctx, &e); err != nil {
				return err
			}
			if err := tx.endAgain(ctx, &e); err != nil {
				return err
			}
			d, err := tx.searchDoc(ctx, &e.Record)
			if err != nil {
				return err
			}
			if err := tx.recount(ctx, &e, &d, true); err != nil {
				return fmt.Errorf("index of %s: %w", f.id, err)
			}
			last = f.rid
		}
		if err := tx.flush(ctx); err != nil {
			return err
		}
	}
}

func readJSON(r io.Reader, v any) error {
	b, err := io.ReadAll(io.LimitReader(r, restoreSmall))
	if err == nil {
		err = json.NewDecoder(bytes.NewReader(b)).Decode(v)
	}
	if err != nil {
		return fmt.Errorf("damaged backup: %w: %w", essaim.ErrInvalid, err)
	}
	return nil
}
