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
	if err := b.importPlaces(node, b.records, "import_for_search"); err != nil {
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
		b.line(fmt.Sprintf("search_p%d", p), all[(len(all)-1)*p/100], fmt.Sprintf("ms over %d queries at %d records", len(queries), b.records), "", 0)
	}
	b.line("search_max", slowest, "ms: "+slowestAt, "", 0)
	for _, word := range frequent {
		if !strings.Contains(queriesTSV, "q="+word+"\n") {
			return fmt.Errorf("the list of queries lacks the frequent word %q", word)
		}
	}
	if err := b.ingestInto(node, "ingest_at_"+fmt.Sprint(b.records)); err != nil {
		return err
	}
	now, peak, err := node.RSS()
	if err != nil {
		return err
	}
	b.line("rss_loaded", float64(now)/1e6, "MB", "", 0)
	b.line("rss_peak", float64(peak)/1e6, "MB", "", 0)
	return nil
}

// imports measures an import by the command, into an empty node.
func (b *bench) imports() error {
	node, err := b.node("import", false)
	if err != nil {
		return err
	}
	return b.importPlaces(node, min(b.records, 20_000), "import")
}

func (b *bench) importPlaces(node *rig.Node, n int, name string) error {
	file := b.dir + "/" + name + ".csv"
	if err := placesCSV(file, n); err != nil {
		return err
	}
	start := time.Now()
	out, err := node.Run(b.ctx, "import", "--data", node.Dir, "--kind", "venue", "--licence", "CC-BY-4.0", "--attribution", "GeoNames", file)
	if err != nil {
		return err
	}
	took := time.Since(start)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if want := fmt.Sprintf("rows %d created %d changed 0 unchanged 0 refused 0", n, n); lines[len(lines)-1] != want {
		return fmt.Errorf("import said %q, want %q", lines[len(lines)-1], want)
	}
	b.line(name, float64(n)/took.Seconds(), "rows/s", "", 0)
	return nil
}

func list(tsv string) (rows []string) {
	for _, l := range strings.Split(tsv, "\n") {
		if l != "" && !strings.HasPrefix(l, "#") {
			rows = append(rows, l)
		}
	}
	return rows
}
