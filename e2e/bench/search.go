// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	_ "embed"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"essaim/e2e/rig"
	"essaim/store/french"
)

//go:embed queries.tsv
var queriesTSV string

// searchRounds is how often the whole list of queries is asked.
const searchRounds = 20

// search fills a node with records by an import, asks it the committed list of
// queries, then sends activities to it as in ingest: both with that much stored.
func (b *bench) search() error {
	node, err := b.node("search", true)
	if err != nil {
		return err
	}
	frequent, err := b.importPlaces(node, b.records, "import_for_search")
	if err != nil {
		return err
	}
	if err := asked(frequent); err != nil {
		return err
	}
	if err := node.Start(b.ctx); err != nil {
		return err
	}
	defer node.Kill()
	var all []float64
	slowest, slowestAt := 0.0, ""
	queries := list(queriesTSV)
	for round := range searchRounds {
		for _, q := range queries {
			start := time.Now()
			if err := node.API(b.ctx, http.MethodGet, "venues?"+strings.ReplaceAll(q, "territory=local", "origin=local"), nil, nil); err != nil {
				return err
			}
			ms := time.Since(start).Seconds() * 1000
			if round == 0 {
				continue // caches are cold once
			}
			all = append(all, ms)
			if ms > slowest {
				slowest, slowestAt = ms, q
			}
		}
	}
	slices.Sort(all)
	for _, p := range []int{50, 95, 99} {
		b.line(fmt.Sprintf("search_p%d", p), all[(len(all)-1)*p/100], fmt.Sprintf("ms over %d queries at %d records", len(queries), b.records), "bare GET (ms)", 1000/b.ceilings.gets)
	}
	b.line("search_max", slowest, "ms: "+slowestAt, "bare GET (ms)", 1000/b.ceilings.gets)
	if err := b.cells(node); err != nil {
		return err
	}
	if err := b.ingestInto(node, "ingest_at_"+fmt.Sprint(b.records)); err != nil {
		return err
	}
	now, peak, err := node.RSS()
	if err != nil {
		return err
	}
	if err := b.formats(node); err != nil {
		return err
	}
	b.line("rss_loaded", float64(now)/1e6, "MB", "this program (MB)", b.ceilings.resident)
	b.line("rss_peak", float64(peak)/1e6, "MB", "this program (MB)", b.ceilings.resident)
	return nil
}

// imports measures an import by the command, into an empty node.
func (b *bench) imports() error {
	node, err := b.node("import", false)
	if err != nil {
		return err
	}
	_, err = b.importPlaces(node, min(b.records, 20_000), "import")
	return err
}

// asked fails unless each of the terms is a query of the list by itself.
func asked(terms []string) error {
	for _, term := range terms {
		if !slices.ContainsFunc(list(queriesTSV), func(q string) bool {
			word, ok := strings.CutPrefix(q, "q=")
			return ok && slices.Equal(french.Terms(word), []string{term})
		}) {
			return fmt.Errorf("the list of queries lacks the frequent word %q", term)
		}
	}
	return nil
}

// importPlaces imports n venues, and returns the terms that most of them hold.
func (b *bench) importPlaces(node *rig.Node, n int, name string) (frequent []string, err error) {
	file := b.dir + "/" + name + ".csv"
	if frequent, err = placesCSV(file, n); err != nil {
		return nil, err
	}
	start := time.Now()
	out, err := node.Run(b.ctx, "import", "--data", node.Dir, "--kind", "venue", "--licence", "CC-BY-4.0", "--attribution", "GeoNames", file)
	if err != nil {
		return nil, err
	}
	took := time.Since(start)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if want := fmt.Sprintf("rows %d created %d changed 0 unchanged 0 refused 0", n, n); lines[len(lines)-1] != want {
		return nil, fmt.Errorf("import said %q, want %q", lines[len(lines)-1], want)
	}
	b.line(name, float64(n)/took.Seconds(), "rows/s", "two Ed25519 signatures", b.ceilings.seals/2)
	return frequent, nil
}

func list(tsv string) (rows []string) {
	for _, l := range strings.Split(tsv, "\n") {
		if l != "" && !strings.HasPrefix(l, "#") {
			rows = append(rows, l)
		}
	}
	return rows
}
