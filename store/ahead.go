// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/stdlib"
)

// answers is what a statement gives, a row at a time, as *sql.Rows does.
type answers interface {
	Next() bool
	Scan(dest ...any) error
	Err() error
	Close() error
}

var _ answers = (*sql.Rows)(nil)

// question is a named statement that gives rows, with its arguments.
type question struct {
	name string
	args []any
}

func (q question) key() string { return fmt.Sprintf("%s %#v", q.name, q.args) }

// gathered is the answer to a question that was asked ahead, in memory.
type gathered struct {
	types  *pgtype.Map
	fields []pgconn.FieldDescription
	rows   [][][]byte
	left   int // how often it was asked
	at     int
}

func (g *gathered) Next() bool {
	g.at++
	return g.at <= len(g.rows)
}

func (g *gathered) Scan(dest ...any) error {
	return pgx.ScanRow(g.types, g.fields, g.rows[g.at-1], dest...)
}

func (g *gathered) Err() error   { return nil }
func (g *gathered) Close() error { return nil }

// ahead asks all questions in one round trip, each once however often it stands
// in the list.
func (r *pgRunner) ahead(ctx context.Context, list []question) error {
	if r.conn == nil || len(list) == 0 {
		return nil
	}
	if r.asked == nil {
		r.asked = map[string]*gathered{}
	}
	batch, asked := &pgx.Batch{}, []question(nil)
	for _, q := range list {
		key := q.key()
		if g := r.asked[key]; g != nil {
			g.left++
			continue
		}
		text, ok := r.set.Text(q.name)
		if !ok {
			return fmt.Errorf("%s: no such statement", q.name)
		}
		r.asked[key] = &gathered{left: 1}
		batch.Queue(text, q.args...)
		asked = append(asked, q)
	}
	return r.conn.Raw(func(driver any) error {
		conn := driver.(*stdlib.Conn).Conn()
		sent := conn.SendBatch(ctx, batch)
		for _, q := range asked {
			if err := r.asked[q.key()].gather(sent, conn.TypeMap()); err != nil {
				return errors.Join(fmt.Errorf("%s: %w", q.name, err), sent.Close())
			}
		}
		return sent.Close()
	})
}

// gather reads the next answer of a batch.
func (g *gathered) gather(sent pgx.BatchResults, types *pgtype.Map) error {
	rows, err := sent.Query()
	if err != nil {
		return err
	}
	defer rows.Close()
	g.types = types
	g.fields = slices.Clone(rows.FieldDescriptions())
	for rows.Next() {
		row := slices.Clone(rows.RawValues())
		for i := range row {
			row[i] = slices.Clone(row[i]) // a NULL stays nil
		}
		g.rows = append(g.rows, row)
	}
	return rows.Err()
}

// answered gives an answer that was asked for ahead, nil when there is none.
func (r *pgRunner) answered(name string, args []any) answers {
	if len(r.asked) == 0 {
		return nil
	}
	key := question{name, args}.key()
	g := r.asked[key]
	if g == nil {
		return nil
	}
	if g.left--; g.left == 0 {
		delete(r.asked, key)
	}
	return &gathered{types: g.types, fields: g.fields, rows: g.rows}
}

func (r *pgRunner) asks(q question) bool { return r.asked[q.key()] != nil }

func (r *pgRunner) forget() { clear(r.asked) }
