// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	_ "embed"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"essaim"
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
	queries := list(queriesTSV)
	for i, q := range queries {
		queries[i] = strings.ReplaceAll(q, "territory=local", "origin=local")
	}
	for _, k := range []struct {
		name, path string
		queries    []string
		rounds     int
	}{
		{"search", "/api/v1/venues", queries, searchRounds},
		{"search_facets", "/recherche", queries, searchRounds},
		{"search_hostile", "/recherche", hostileQueries(), searchRounds},
		{"suggest", "/recherche/suggestions", beginnings(), 11}, // a reader has 120 a minute
	} {
		if err := b.asks(node, k.name, k.path, k.queries, k.rounds); err != nil {
			return err
		}
	}
	if err := b.pages(node); err != nil {
		return err
	}
	if err := b.cells(node); err != nil {
		return err
	}
	if err := b.similar(node); err != nil {
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

// asks measures the answers to queries: none may fail, though one may be refused.
func (b *bench) asks(node *rig.Node, name, path string, queries []string, rounds int) error {
	addresses := make([]string, len(queries))
	for i, q := range queries {
		addresses[i] = path + "?" + q
	}
	return b.visits(node, name, "queries", addresses, rounds)
}

// visits measures the answers at addresses, but for the first round.
func (b *bench) visits(node *rig.Node, name, what string, addresses []string, rounds int) error {
	client := b.client()
	defer client.CloseIdleConnections()
	var all []float64
	slowest, slowestAt := 0.0, ""
	for round := range rounds {
		for _, address := range addresses {
			req, err := http.NewRequestWithContext(b.ctx, http.MethodGet, node.URL+address, nil)
			if err != nil {
				return err
			}
			start := time.Now()
			resp, err := client.Do(req)
			if err != nil {
				return err
			}
			_, err = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			if err != nil {
				return err
			}
			if resp.StatusCode >= http.StatusInternalServerError {
				return fmt.Errorf("%.100s: %s", address, resp.Status)
			}
			ms := time.Since(start).Seconds() * 1000
			if round == 0 {
				continue // caches are cold once
			}
			all = append(all, ms)
			if ms > slowest {
				slowest, slowestAt = ms, address
			}
		}
	}
	slices.Sort(all)
	for _, p := range []int{50, 95, 99} {
		b.line(fmt.Sprintf("%s_p%d", name, p), all[(len(all)-1)*p/100], fmt.Sprintf("ms over %d %s at %d records", len(addresses), what, b.records), "bare GET (ms)", 1000/b.ceilings.gets)
	}
	b.line(name+"_max", slowest, fmt.Sprintf("ms: %.100s", slowestAt), "bare GET (ms)", 1000/b.ceilings.gets)
	return nil
}

// pages measures the pages that people open first, and those of records: there are
// more of them than the node keeps made.
func (b *bench) pages(node *rig.Node) error {
	var records []string
	for after := ""; len(records) < recordsOpened; {
		var page struct {
			Items []rig.Listed
			Next  string
		}
		if err := node.API(b.ctx, http.MethodGet, "venues?limit=100&after="+url.QueryEscape(after), nil, &page); err != nil {
			return err
		}
		for _, item := range page.Items {
			records = append(records, "/lieux/"+item.Slug)
		}
		if after = page.Next; after == "" {
			break
		}
	}
	if err := b.visits(node, "page_home", "visits", []string{"/", "/?lang=en"}, 100); err != nil {
		return err
	}
	if err := b.visits(node, "page_lists", "pages", []string{"/lieux", "/carte", "/themes", "/themes/alimentation", "/communes", "/communes/29019", "/territoires", "/rencontres"}, 26); err != nil {
		return err
	}
	return b.visits(node, "page_record", "records", records, 3)
}

// recordsOpened is how many records are opened.
const recordsOpened = 1000

// hostileQueries are operators, wildcards, nulls, ten thousand characters, and
// every facet at once.
func hostileQueries() (queries []string) {
	for _, text := range []string{
		"*", "a*", `"`, "NEAR(a b, 3)", "{head} : x", ":*&|!<->()", "a\x00b", "-a -b -c -d", strings.Repeat("a", 10_000), strings.Repeat("lieu ", 99),
		strings.Repeat("lieu OU ", 60), strings.Repeat(`"lieu de" `, 40), "lieu -" + strings.Repeat("brest -", 20) + "a", "a OU e OU de OU lieu OU brest OU quartier",
	} {
		queries = append(queries, url.Values{"q": {text}}.Encode())
	}
	all := url.Values{"q": {"lieu OU partage -jardin"}, "near": {"48.39,-4.48"}, "radius": {"2000"}, "since": {"1990-01-01"}, "until": {"2090-01-01"}, "origin": {"local"}, "help": {"1"}, "from": {"1970-01-01"}, "to": {"2099-12-31"}}
	for _, k := range essaim.Kinds() {
		all.Add("kind", string(k.Kind))
	}
	for _, t := range essaim.Themes()[:20] {
		all.Add("theme", t.ID)
	}
	for _, t := range essaim.ListPurpose.Terms() {
		all.Add("purpose", t.ID)
	}
	for _, l := range essaim.Licences() {
		all.Add("licence", l.ID)
	}
	queries = append(queries, all.Encode())
	for _, drop := range [][]string{{"help", "from", "to", "purpose"}, {"q", "help", "from", "to", "purpose"}, {"near", "help", "from", "to", "purpose", "theme"}} {
		for _, name := range drop {
			all.Del(name)
		}
		queries = append(queries, all.Encode())
	}
	return append(queries, "near=48.39,-4.48&radius=2000", "until=2090-01-01", "since=1970-01-01")
}

// beginnings are what people typed of a word when they are shown suggestions.
func beginnings() (queries []string) {
	for _, typed := range []string{"lie", "par", "qua", "jardin pa", "saint", "bre", "com", "ate", "les", "ville"} {
		queries = append(queries, url.Values{"q": {typed}}.Encode())
	}
	return queries
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
