// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"essaim"
	"essaim/store/query"
	"essaim/store/sqlite"
)

// Bounds of a group of jobs that share one commit. A commit waits for the
// disk; under load that wait is shared, alone a job waits for nobody.
const (
	groupJobs = 64
	groupTime = 5 * time.Millisecond
	// passedOver is after how many groups that left a patient job waiting one is
	// taken before the urgent ones.
	passedOver = 4
)

// lite is the SQLite side of the store: readers side by side, and one goroutine
// that owns the writing connection and takes jobs from two queues.
type lite struct {
	db      *sqlite.DB
	reads   *preparedPool
	conn    *sql.Conn
	prep    *preparedConn
	urgent  chan *job
	patient chan *job
	quit    chan struct{}
	once    sync.Once
	done    chan struct{}
	skipped int // groups in a row that left a patient job waiting
	owner   bool
	indexed atomic.Int64 // records since the index was compacted
	changed atomic.Int64 // see changes
}

type job struct {
	ctx    context.Context
	f      func(runner) error
	err    error
	answer chan error
}

func newLite(ctx context.Context, db *sqlite.DB, set *query.Set, owner bool) (*lite, error) {
	conn, err := db.Writer.Conn(ctx)
	if err != nil {
		return nil, err
	}
	l := &lite{
		db: db, conn: conn, reads: &preparedPool{db: db.Reader, set: set}, prep: &preparedConn{conn: conn, set: set, stmts: map[string]*sql.Stmt{}},
		urgent: make(chan *job, groupJobs), patient: make(chan *job, groupJobs), quit: make(chan struct{}), done: make(chan struct{}), owner: owner,
	}
	go l.run()
	return l, nil
}

func (l *lite) pool() runner { return l.reads }

func (l *lite) snapshot(ctx context.Context, f func(runner) error) error {
	r := &preparedTx{pool: l.reads}
	err := l.within(ctx, r, f)
	r.keep(ctx)
	return err
}

func (l *lite) within(ctx context.Context, r *preparedTx, f func(runner) error) error {
	tx, err := l.db.Reader.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer tx.Rollback()
	r.tx = tx
	return f(r)
}

func (l *lite) write(ctx context.Context, p priority, f func(runner) error) error {
	j := &job{ctx: ctx, f: f, answer: make(chan error, 1)}
	queue := l.urgent
	if p == patient {
		queue = l.patient
	}
	select {
	case queue <- j:
	case <-ctx.Done():
		return ctx.Err()
	case <-l.quit:
		return errClosed
	}
	select {
	case err := <-j.answer:
		return err
	case <-l.done:
		// The writer may have answered as it ended.
		select {
		case err := <-j.answer:
			return err
		default:
			return errClosed
		}
	}
}

var errClosed = fmt.Errorf("store is closed: %w", essaim.ErrUnavailable)

// run takes jobs until Close. What was waiting then is refused.
func (l *lite) run() {
	defer close(l.done)
	for {
		select {
		case <-l.quit:
			return
		default:
		}
		var first *job
		if l.skipped >= passedOver {
			first = take(l.patient)
		}
		if first == nil {
			select {
			case first = <-l.urgent:
			default:
				select {
				case first = <-l.urgent:
				case first = <-l.patient:
				case <-l.quit:
					return
				}
			}
		}
		l.group(first)
	}
}

func take(queue chan *job) *job {
	select {
	case j := <-queue:
		return j
	default:
		return nil
	}
}

// group runs jobs in one transaction and answers each after the commit.
func (l *lite) group(first *job) {
	ctx := context.Background() // a commit is not given up half-way
	if _, err := l.conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		first.answer <- err
		return
	}
	start := time.Now()
	var jobs []*job
	l.skipped++
	for j := first; j != nil; j = l.next(len(jobs), start) {
		jobs = append(jobs, j)
		run := l.one
		if len(jobs) == 1 {
			run = l.first
		}
		if j.err = run(ctx, j); errors.Is(j.err, errLost) {
			break
		}
	}
	if len(l.patient) == 0 {
		l.skipped = 0
	}
	err := l.commit(ctx, jobs)
	if l.prep.numbered {
		// Before the next group: what is made of this one finds the count moved.
		l.prep.numbered = false
		l.changed.Add(1)
	}
	for _, j := range jobs {
		if j.err == nil {
			j.err = err
		}
		j.answer <- j.err
	}
}

// next picks the job that may still join the group: urgent ones first, a
// patient one when none is waiting.
func (l *lite) next(n int, start time.Time) *job {
	if n >= groupJobs || time.Since(start) >= groupTime {
		return nil
	}
	if j := take(l.urgent); j != nil {
		return j
	}
	j := take(l.patient)
	if j != nil {
		l.skipped = 0
	}
	return j
}

// errLost says that the database itself ended the group's transaction: nothing
// of it will be committed.
var errLost = fmt.Errorf("transaction lost: %w", essaim.ErrUnavailable)

// first runs the job that begins a group. Nothing is to be kept when it fails,
// so that it needs no savepoint, which would copy each page that it changes.
func (l *lite) first(ctx context.Context, j *job) error {
	if err := j.ctx.Err(); err != nil {
		return err
	}
	err := guarded(j.f, l.prep)
	if err == nil {
		return nil
	}
	// A failing disk or an interrupt makes SQLite roll back by itself.
	_, _ = l.prep.do(ctx, "ROLLBACK")
	if _, lost := l.conn.ExecContext(ctx, "BEGIN IMMEDIATE"); lost != nil {
		return errors.Join(errLost, err)
	}
	return err
}

// one runs a job in a savepoint of its own: one that fails leaves no trace.
func (l *lite) one(ctx context.Context, j *job) error {
	if err := j.ctx.Err(); err != nil {
		return err // whoever asked has gone
	}
	if _, err := l.prep.do(ctx, "SAVEPOINT job"); err != nil {
		return errors.Join(errLost, err)
	}
	err := guarded(j.f, l.prep)
	if err != nil {
		// A failing disk or an interrupt makes SQLite roll everything back, and
		// the savepoint with it.
		if _, lost := l.prep.do(ctx, "ROLLBACK TO job"); lost != nil {
			return errors.Join(errLost, err)
		}
	}
	if _, lost := l.prep.do(ctx, "RELEASE job"); lost != nil {
		return errors.Join(errLost, err, lost)
	}
	return err
}

// guarded turns a panic of a job into its error: the writer serves everyone.
func guarded(f func(runner) error, r runner) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in a transaction: %v\n%s", p, debug.Stack())
		}
	}()
	return f(r)
}

// commit ends the group's transaction. When it fails nothing was kept, and no
// job may be answered as if it had been.
func (l *lite) commit(ctx context.Context, jobs []*job) error {
	for _, j := range jobs {
		if errors.Is(j.err, errLost) {
			_, _ = l.conn.ExecContext(ctx, "ROLLBACK")
			return errLost
		}
	}
	if _, err := l.prep.do(ctx, "COMMIT"); err != nil {
		_, _ = l.conn.ExecContext(ctx, "ROLLBACK")
		return err
	}
	return nil
}

// changes is exact for the owner: the directory's lock keeps others out, and a
// guest takes no number.
func (l *lite) changes() (int64, bool) { return l.changed.Load(), l.owner }

func (l *lite) class(err error) error { return sqlite.Class(err) }

func (l *lite) index(ctx context.Context, r runner, rows []searchRow) error {
	l.indexed.Add(int64(len(rows)))
	// FTS5 writes out what it gathered as soon as a row comes behind a later one.
	slices.SortFunc(rows, func(a, b searchRow) int { return cmp.Compare(a.position, b.position) })
	for _, row := range rows {
		if err := r.later(ctx, "search_insert", row.position, row.rid, row.doc.filters(), row.doc.heads(), strings.Join(row.doc.body, " ")); err != nil {
			return err
		}
	}
	for _, row := range rows {
		if err := r.later(ctx, "search_index", row.position, row.doc.heads(), strings.Join(row.doc.body, " "), row.doc.filters()); err != nil {
			return err
		}
	}
	return nil
}

func (l *lite) unindex(ctx context.Context, r runner, rid int64) error {
	if _, err := r.exec(ctx, "search_unindex", rid); err != nil {
		return err
	}
	_, err := r.exec(ctx, "search_delete", rid)
	return err
}

// How much makes a compaction worth its writing, and how many pages of the index
// are merged before others may write again.
const (
	compactAfter = 1000
	compactPages = 200
)

// compact merges the parts that writing left of the index, each of which every
// search reads: twelve after an import of 100,000 rows, and twice the time of one.
func (l *lite) compact(ctx context.Context) error {
	if l.indexed.Load() < compactAfter {
		return nil
	}
	return l.merge(ctx)
}

// merge makes one part of those of the index.
func (l *lite) merge(ctx context.Context) error {
	l.indexed.Store(0)
	for pages, moved := -compactPages, true; moved; pages = compactPages {
		err := l.write(ctx, patient, func(r runner) error {
			var before, after int64
			if err := scanOne(ctx, r, &before, "changes_total"); err != nil {
				return err
			}
			if _, err := r.exec(ctx, "search_compact", pages); err != nil {
				return err
			}
			err := scanOne(ctx, r, &after, "changes_total")
			// "If the difference is less than 2, the merge was a no-op" (FTS5 6.7).
			moved = after-before >= 2
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (l *lite) expression(m match, t tier) string { return m.fts5(t) }
func (l *lite) ordered() bool                     { return true }
func (l *lite) raw() *sql.DB                      { return l.db.Reader }

func (l *lite) close() error {
	l.once.Do(func() { close(l.quit) })
	<-l.done
	return errors.Join(l.prep.close(), l.reads.close(), l.conn.Close(), l.db.Close())
}
