// SPDX-License-Identifier: AGPL-3.0-or-later

package transfer

import (
	"context"
	"errors"
	"hash/maphash"
	"iter"
	"time"

	"essaim"
)

// Source is what files are written from.
type Source interface {
	Search(ctx context.Context, q essaim.Query) (essaim.Results, error)
	// Document is the stored bytes of a published record, local or replicated.
	Document(ctx context.Context, id string) ([]byte, error)
}

// Walked says how a query's records are read.
type Walked struct {
	Documents bool // each with its bytes
	Keep      func(essaim.Record) bool
	Most      int // how many at most; all when 0
	// Began is the time of the first page. What changed since, or a minute before
	// (elsewhere, for it takes that long to come), is looked for once more at the
	// end: a record that changes while the list is read moves to its beginning,
	// where the reading has been already.
	Began time.Time
}

// walkPage is how many records are held at once.
const walkPage = 100

// Walk gives what a query finds, each record once, page by page: no long reading
// holds the database, and of those given only a number of eight bytes is kept.
func Walk(ctx context.Context, s Source, q essaim.Query, how Walked) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		w := walk{source: s, how: how, given: map[uint64]struct{}{}, seed: maphash.MakeSeed(), yield: yield}
		q.Limit, q.Facets = walkPage, false
		if !w.pages(ctx, q) || how.Began.IsZero() {
			return
		}
		if again := how.Began.Add(-time.Minute); again.After(q.Since) {
			q.Since = again
		}
		q.After = ""
		w.pages(ctx, q)
	}
}

type walk struct {
	source Source
	how    Walked
	given  map[uint64]struct{}
	seed   maphash.Seed
	yield  func(Item, error) bool
}

// pages reads a query to its end; false when there is nothing more to do.
func (w *walk) pages(ctx context.Context, q essaim.Query) bool {
	for {
		page, err := w.source.Search(ctx, q)
		if err != nil {
			w.yield(Item{}, err)
			return false
		}
		for _, r := range page.Records {
			if !w.give(ctx, r) {
				return false
			}
		}
		if q.After = page.Next; q.After == "" {
			return true
		}
	}
}

func (w *walk) give(ctx context.Context, r essaim.Record) bool {
	if w.how.Keep != nil && !w.how.Keep(r) {
		return true
	}
	key := maphash.String(w.seed, r.ID)
	if _, again := w.given[key]; again {
		return true
	}
	item := Item{Record: r}
	if w.how.Documents {
		var err error
		item.Document, err = w.source.Document(ctx, r.ID)
		if errors.Is(err, essaim.ErrNotFound) {
			return true // withdrawn since the page was read
		}
		if err != nil {
			w.yield(item, err)
			return false
		}
	}
	w.given[key] = struct{}{}
	return w.yield(item, nil) && len(w.given) != w.how.Most
}
