// SPDX-License-Identifier: AGPL-3.0-or-later

package transfer

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"maps"
	"slices"

	"essaim"
)

// Chunk is how many rows a sink is given at once.
const Chunk = 200

// Sink takes what an import makes. ImportRows commits its rows in the order
// given, a few a transaction, and answers one outcome a row.
type Sink interface {
	// BeginImport records the run and gives its id.
	BeginImport(ctx context.Context, i essaim.Import) (int64, error)
	// ImportRows creates, changes or leaves each row's record, found by its key.
	// What is published so is published in silence: never announced.
	ImportRows(ctx context.Context, id int64, rows []essaim.ImportRow) ([]essaim.ImportOutcome, error)
	// EndImport keeps the report.
	EndImport(ctx context.Context, id int64, report essaim.ImportReport) error
	// CompareRows says what ImportRows would do, and changes nothing.
	CompareRows(ctx context.Context, rows []essaim.ImportRow) ([]essaim.ImportOutcome, error)
}

// Refusal is a row that was not taken, and why.
type Refusal struct {
	Line   int
	Reason string
}

// maxRefusals bounds the list of a report, as the file may be wrong everywhere.
const maxRefusals = 100

// Result is what an import did, or with a dry run would do.
type Result struct {
	ID     int64 // 0 for a dry run
	Report essaim.ImportReport
	// Refusals are the first hundred.
	Refusals []Refusal
	// Missing counts, by field, what candidates lack to be published.
	Missing map[string]int
}

// Options of one import.
type Options struct {
	Import essaim.Import // file, kind, licence, attribution
	DryRun bool
	// Every is called after each chunk with the counts so far; may be nil.
	Every func(essaim.ImportReport)
}

// Import reads all rows of a file, converts them and gives them to the sink in
// chunks. An error of the file or of the sink stops it: what was committed
// stays, and importing the file again goes on from there.
func Import(ctx context.Context, o Options, f *File, c *Converter, sink Sink) (Result, error) {
	run := &run{ctx: ctx, o: o, sink: sink, seen: map[uint64]struct{}{}, seed: maphash.MakeSeed(), res: Result{Missing: map[string]int{}}}
	if !o.DryRun {
		id, err := sink.BeginImport(ctx, o.Import)
		if err != nil {
			return run.res, fmt.Errorf("import of %s: %w", o.Import.File, err)
		}
		run.res.ID = id
	}
	err := run.rows(f, c)
	if err == nil {
		err = run.flush()
	}
	if !o.DryRun {
		if endErr := sink.EndImport(ctx, run.res.ID, run.res.Report); endErr != nil && err == nil {
			err = endErr
		}
	}
	if err != nil {
		return run.res, fmt.Errorf("import of %s: %w", o.Import.File, err)
	}
	return run.res, nil
}

// run is the state of one import.
type run struct {
	ctx   context.Context
	o     Options
	sink  Sink
	res   Result
	chunk []essaim.ImportRow
	// seen holds 8 bytes for each key: without it two rows of one key would
	// change each other's record at every import.
	seen map[uint64]struct{}
	seed maphash.Seed
}

// maxSeen bounds the keys remembered; a file of more rows than that is on its own.
const maxSeen = 4 << 20

func (r *run) twice(h uint64) bool {
	if _, ok := r.seen[h]; ok {
		return true
	}
	if len(r.seen) < maxSeen {
		r.seen[h] = struct{}{}
	}
	return false
}

func (r *run) rows(f *File, c *Converter) error {
	for row, err := range f.Rows() {
		if err != nil {
			return err
		}
		if err := r.ctx.Err(); err != nil {
			return err
		}
		r.res.Report.Rows++
		made, err := c.Convert(row)
		if err != nil {
			r.refuse(row.Line, Reason(err))
			continue
		}
		if h := maphash.String(r.seed, made.Key); r.twice(h) {
			r.refuse(row.Line, "same key as a row before it: "+made.Key)
			continue
		}
		r.note(made)
		r.chunk = append(r.chunk, made)
		if len(r.chunk) == Chunk {
			if err := r.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *run) refuse(line int, reason string) {
	r.res.Report.Refused++
	if len(r.res.Refusals) < maxRefusals {
		r.res.Refusals = append(r.res.Refusals, Refusal{line, reason})
	}
}

// note counts what was cut out of a row, and what a candidate lacks.
func (r *run) note(row essaim.ImportRow) {
	r.res.Report.Contacts += row.Cut
	if row.State != essaim.StateCandidate {
		return
	}
	r.res.Report.Candidates++
	for field := range row.Content.Validate(true) {
		r.res.Missing[field]++
	}
}

func (r *run) flush() error {
	if len(r.chunk) == 0 {
		return nil
	}
	var outcomes []essaim.ImportOutcome
	var err error
	if r.o.DryRun {
		outcomes, err = r.sink.CompareRows(r.ctx, r.chunk)
	} else {
		outcomes, err = r.sink.ImportRows(r.ctx, r.res.ID, r.chunk)
	}
	if err != nil {
		return err
	}
	if len(outcomes) != len(r.chunk) {
		return errors.New("the store answered for other rows than those given")
	}
	for _, o := range outcomes {
		switch o {
		case essaim.ImportCreated:
			r.res.Report.Created++
		case essaim.ImportChanged:
			r.res.Report.Changed++
		default:
			r.res.Report.Unchanged++
		}
	}
	r.chunk = r.chunk[:0]
	if r.o.Every != nil {
		r.o.Every(r.res.Report)
	}
	return nil
}

// Line is the last line of an import's output.
func Line(r essaim.ImportReport) string {
	return fmt.Sprintf("rows %d created %d changed %d unchanged %d refused %d", r.Rows, r.Created, r.Changed, r.Unchanged, r.Refused)
}

// MissingFields lists what candidates lack, the most frequent first.
func (r Result) MissingFields() []string {
	fields := slices.Collect(maps.Keys(r.Missing))
	slices.SortFunc(fields, func(a, b string) int {
		if r.Missing[a] != r.Missing[b] {
			return r.Missing[b] - r.Missing[a]
		}
		if a < b {
			return -1
		}
		return 1
	})
	return fields
}
