// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"essaim"
	"essaim/federation/fetch"
)

type importCommand struct {
	File importFileCommand `cmd:"" default:"withargs" help:"Import a file (essaim import FILE)."`
	Undo importUndo        `cmd:"" help:"Take back what an import created."`
	List importList        `cmd:"" help:"The imports made."`
}

func (importCommand) Help() string {
	return "essaim import file --help lists the options.\n\n" +
		"Examples:\n\n" +
		"    essaim import --data /var/lib/essaim --licence etalab-2.0 --attribution ANCT --dry-run lieux.csv\n" +
		"    essaim import undo --data /var/lib/essaim 3"
}

type importFileCommand struct {
	importOptions `embed:""`
	Path          string `arg:"" name:"file" placeholder:"FILE|URL" help:"File or web address to read."`
}

func (importFileCommand) Help() string {
	return "Reads CSV or GeoJSON. Columns and kind are guessed and said; nothing imported is announced; the same file again changes nothing. " +
		"The word \"file\" may be left out. See docs/fr/importer.md.\n\n" +
		"Example:\n\n    essaim import file --data /var/lib/essaim --licence etalab-2.0 --attribution ANCT --map title=lib_fs --dry-run lieux.csv"
}

func (c importFileCommand) Run(ctx context.Context, a *app) error {
	cfg, err := a.configuration(settings{})
	if err != nil {
		return err
	}
	g, err := gazetteer(cfg.Dir)
	if err != nil {
		return err
	}
	name, r, err := c.open(ctx, cfg)
	if err != nil {
		return err
	}
	defer r.Close()
	return a.administer(ctx, func(ctx context.Context, node admin) error {
		themes, err := ask[essaim.Thesaurus](ctx, node, "theme.list", none{})
		if err != nil {
			return err
		}
		return c.importFile(ctx, a, g, themes, name, r, adminSink{node})
	})
}

// maxDownload bounds a file read from a web address.
const maxDownload = 64 << 20

// open gives the file and the name that the report and the provenance keep.
func (c *importFileCommand) open(ctx context.Context, cfg config) (string, io.ReadCloser, error) {
	if !strings.HasPrefix(c.Path, "http://") && !strings.HasPrefix(c.Path, "https://") {
		f, err := os.Open(c.Path)
		return filepath.Base(c.Path), f, err
	}
	client, err := fetch.New(fetch.Config{UserAgent: "Essaim/" + version, AllowPrivate: cfg.AllowPrivate, MaxBody: maxDownload})
	if err != nil {
		return "", nil, err
	}
	defer client.Close()
	// On the disk and not in memory, where nobody finds it: it ends with this process.
	f, err := os.CreateTemp("", "essaim-import-")
	if err != nil {
		return "", nil, err
	}
	err = os.Remove(f.Name())
	if err == nil {
		err = client.Save(ctx, c.Path, "text/csv, application/geo+json, application/json;q=0.9, */*;q=0.5", f)
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return "", nil, fmt.Errorf("%s: %w", c.Path, err)
	}
	if c.Source == "" {
		c.Source = c.Path
	}
	return c.Path, f, nil
}

// importChunk is the argument of the operations on rows.
type importChunk struct {
	ID     int64                `json:"id"`
	Rows   []essaim.ImportRow   `json:"rows,omitempty"`
	Report *essaim.ImportReport `json:"report,omitempty"`
}

// adminSink is the sink of a node that this process or another has open.
type adminSink struct{ to admin }

func (s adminSink) BeginImport(ctx context.Context, i essaim.Import) (int64, error) {
	return ask[int64](ctx, s.to, "import.begin", i)
}

func (s adminSink) ImportRows(ctx context.Context, id int64, rows []essaim.ImportRow) ([]essaim.ImportOutcome, error) {
	return ask[[]essaim.ImportOutcome](ctx, s.to, "import.rows", importChunk{ID: id, Rows: rows})
}

func (s adminSink) CompareRows(ctx context.Context, rows []essaim.ImportRow) ([]essaim.ImportOutcome, error) {
	return ask[[]essaim.ImportOutcome](ctx, s.to, "import.compare", importChunk{Rows: rows})
}

func (s adminSink) EndImport(ctx context.Context, id int64, report essaim.ImportReport) error {
	// The report of an import that was interrupted is kept too.
	_, err := ask[none](context.WithoutCancel(ctx), s.to, "import.end", importChunk{ID: id, Report: &report})
	return err
}

func beginImport(ctx context.Context, n *Node, i essaim.Import) (int64, error) {
	return n.store.BeginImport(ctx, i)
}

func importRows(ctx context.Context, n *Node, c importChunk) ([]essaim.ImportOutcome, error) {
	return n.store.ImportRows(ctx, c.ID, c.Rows)
}

func compareRows(ctx context.Context, n *Node, c importChunk) ([]essaim.ImportOutcome, error) {
	return n.store.CompareRows(ctx, c.Rows)
}

func endImport(ctx context.Context, n *Node, c importChunk) (none, error) {
	if c.Report == nil {
		return none{}, fmt.Errorf("import %d without report: %w", c.ID, essaim.ErrInvalid)
	}
	return none{}, n.store.EndImport(ctx, c.ID, *c.Report)
}

type importUndo struct {
	ID int64 `arg:"" help:"Number of the import (essaim import list)."`
}

func (importUndo) Help() string {
	return "Records that people edited since stay.\n\nExample:\n\n    essaim import undo --data /var/lib/essaim 3"
}

// undone is what became of the records of an import.
type undone struct {
	Gone int `json:"gone"`
	Kept int `json:"kept"`
}

func (c importUndo) Run(ctx context.Context, a *app) error {
	return a.administer(ctx, func(ctx context.Context, node admin) error {
		u, err := ask[undone](ctx, node, "import.undo", c.ID)
		if err != nil {
			return err
		}
		fmt.Fprintf(a.out, "%d records withdrawn, %d kept because people edited them\n", u.Gone, u.Kept)
		return nil
	})
}

func undoImport(ctx context.Context, n *Node, id int64) (undone, error) {
	gone, kept, err := n.store.UndoImport(ctx, id)
	return undone{gone, kept}, unknown(err, "essaim import list gives the numbers")
}

type importList struct{ listing }

func (importList) Help() string {
	return "Example:\n\n    essaim import list --data /var/lib/essaim"
}

func (c importList) Run(ctx context.Context, a *app) error {
	return a.administer(ctx, func(ctx context.Context, node admin) error {
		rows, err := ask[[]essaim.Import](ctx, node, "import.list", none{})
		if err != nil {
			return err
		}
		return c.print(a, rows, []string{"IMPORT", "AT", "FILE", "ATTRIBUTION", "LICENCE", "ROWS", "CREATED", "REFUSED", "UNDONE"},
			lines(rows, func(i essaim.Import) []string {
				return []string{
					strconv.FormatInt(i.ID, 10), stamp(i.StartedAt), i.File, i.Attribution, i.Licence,
					strconv.Itoa(i.Report.Rows), strconv.Itoa(i.Report.Created), strconv.Itoa(i.Report.Refused), stamp(i.UndoneAt),
				}
			}))
	})
}

func listImports(ctx context.Context, n *Node, _ none) ([]essaim.Import, error) {
	list, err := n.store.Imports(ctx)
	if list == nil {
		list = []essaim.Import{} // listed as [], not null
	}
	return list, err
}
