// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"errors"
	"fmt"
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

// exportOptions say what goes out and where to.
type exportOptions struct {
	Format string   `enum:"csv,geojson,jsonld" required:"" help:"csv, geojson or jsonld (the published documents, byte for byte)."`
	Output string   `short:"o" placeholder:"PATH" help:"File to write; standard output when not given."`
	Kind   []string `placeholder:"KIND" help:"Only records of these kinds."`
	All    bool     `help:"With the records of other territories that this node keeps."`
}

// export writes the records; to a file, whole or not at all.
func (o exportOptions) export(ctx context.Context, a *app, s exportSource) error {
	q := essaim.Query{Origin: "local"}
	if o.All {
		q.Origin = ""
	}
	for _, k := range o.Kind {
		if _, ok := essaim.Kind(k).Info(); !ok {
			return usagef("--kind %s: no such kind", k)
		}
		q.Kinds = append(q.Kinds, essaim.Kind(k))
	}
	write := func(w io.Writer) (int, error) {
		return transfer.Export(w, o.Format, exportItems(ctx, s, q, o.Format == "jsonld"))
	}
	if o.Output == "" {
		_, err := write(a.out)
		return err
	}
	n := 0
	err := replaceFile(o.Output, func(w io.Writer) (err error) {
		n, err = write(w)
		return err
	})
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	fmt.Fprintf(a.out, "%d records in %s\n", n, o.Output)
	return nil
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
