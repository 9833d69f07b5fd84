// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"fmt"
	"io"

	"essaim"
)

type exportCommand struct {
	Format string   `enum:"csv,geojson,jsonld,ics" required:"" help:"csv, geojson, ics (the meetings), or jsonld: the published documents, byte for byte."`
	Output string   `short:"o" placeholder:"PATH" help:"File to write, whole or not at all; standard output when not given."`
	Kind   []string `placeholder:"KIND" help:"Only records of these kinds."`
	All    bool     `help:"With the records of other territories that this node keeps."`
}

func (exportCommand) Help() string {
	return "Writes the published records whose licence lets others copy them. docs/fr/importer.md lists the columns.\n\n" +
		"Example:\n\n    essaim export --data /var/lib/essaim --format csv -o fiches.csv"
}

func (c exportCommand) Run(ctx context.Context, a *app) error {
	r := exportRequest{Format: c.Format, All: c.All}
	for _, k := range c.Kind {
		if _, ok := essaim.Kind(k).Info(); !ok {
			return usagef("--kind %s: no such kind", k)
		}
		r.Kinds = append(r.Kinds, essaim.Kind(k))
	}
	return a.administer(ctx, func(ctx context.Context, node admin) error {
		if c.Output == "" {
			return node.do(ctx, "export", r, a.out)
		}
		err := replaceFile(c.Output, func(w io.Writer) error { return node.do(ctx, "export", r, w) })
		if err != nil {
			return fmt.Errorf("export: %w", err)
		}
		fmt.Fprintln(a.out, "written to "+c.Output)
		return nil
	})
}

func exportRecords(ctx context.Context, n *Node, r exportRequest, w io.Writer) error {
	return writeExport(ctx, n.store, r, w)
}
