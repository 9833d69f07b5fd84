// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"errors"
	"io"
	"iter"
	"os"
	"path/filepath"

	"essaim"
	"essaim/web/transfer"
)

// exportSource is what an export reads.
type exportSource interface {
	Search(ctx context.Context, q essaim.Query) (essaim.Results, error)
	// Document is the stored bytes of a published record, local or replicated.
	Document(ctx context.Context, id string) ([]byte, error)
}

// exportItems walks the published records, page by page: no long reading holds
// the database. With documents each comes with its bytes.
func exportItems(ctx context.Context, s exportSource, q essaim.Query, documents bool) iter.Seq2[transfer.Item, error] {
	return func(yield func(transfer.Item, error) bool) {
		q.Limit = 100
		for {
			page, err := s.Search(ctx, q)
			if err != nil {
				yield(transfer.Item{}, err)
				return
			}
			for _, r := range page.Records {
				item := transfer.Item{Record: r}
				if documents {
					item.Document, err = s.Document(ctx, r.ID)
					if errors.Is(err, essaim.ErrNotFound) {
						continue // withdrawn since the page was read
					}
				}
				if !yield(item, err) || err != nil {
					return
				}
			}
			if q.After = page.Next; q.After == "" {
				return
			}
		}
	}
}

// exportRequest says what goes out.
type exportRequest struct {
	Format string        `json:"format"`
	Kinds  []essaim.Kind `json:"kinds,omitempty"`
	All    bool          `json:"all,omitempty"` // with the records of other territories
}

// writeExport writes the records that may leave as copies.
func writeExport(ctx context.Context, s exportSource, r exportRequest, w io.Writer) error {
	q := essaim.Query{Kinds: r.Kinds, Origin: "local"}
	if r.All {
		q.Origin = ""
	}
	_, err := transfer.Export(w, r.Format, exportItems(ctx, s, q, r.Format == "jsonld"))
	return err
}

// replaceFile writes a file beside the one that stands and puts it in its
// place once it is whole.
func replaceFile(path string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // gone already when all went well
	err = write(f)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
