// SPDX-License-Identifier: AGPL-3.0-or-later

// Command browser looks at every page of three real nodes as those do who read
// them: it follows every link, signed out and signed in, on both databases, and
// holds what is answered to what pages promise. It needs bin/essaim, Chromium and
// what tools/ensure.sh installs (make build ensure).
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"essaim/e2e/rig"
)

func main() {
	var seed uint64
	flag.Uint64Var(&seed, "seed", 0, "seed of every random choice; 0 takes one")
	dbs := flag.String("db", "sqlite,postgres", "databases, comma-separated")
	short := flag.Bool("short", false, "fewer addresses of each route")
	spoil := flag.Bool("spoil", false, "make faults and expect each judge to see them: the proof that it can")
	pictures := flag.String("pictures", "", "only take pictures of a page of each kind, into this directory")
	parts := flag.String("parts", strings.Join(allParts, ","), "what is looked at, comma-separated")
	flag.Parse()
	w := &world{short: *short || *pictures != "", parts: strings.Split(*parts, ",")}
	for _, p := range w.parts {
		if !slices.Contains(allParts, p) {
			fmt.Fprintln(os.Stderr, "browser: -parts takes some of", allParts)
			os.Exit(2)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 40*time.Minute)
	defer cancel()
	w.ctx, w.Suite = ctx, rig.NewSuite("browser", seed)
	w.Must("three nodes of the demonstration, with imported files", w.build)
	for _, db := range strings.Split(*dbs, ",") {
		switch db {
		case "sqlite":
		case "postgres":
			w.Must("postgres: the same three nodes", w.move)
		default:
			fmt.Fprintln(os.Stderr, "browser: -db is sqlite, postgres or both, comma-separated")
			os.Exit(2)
		}
		w.db = db
		w.Must(db+": they are served", w.serve)
		if *pictures != "" {
			w.pictures(*pictures)
			w.stop()
			break
		}
		if *spoil {
			w.spoils()
			w.spoilsStories()
			w.stop()
			continue
		}
		if w.takes("crawl") || w.takes("valid") || w.takes("views") {
			w.crawls()
		}
		w.valid()
		w.looks()
		w.stories()
		w.stop()
	}
	w.End()
}

// allParts are what may be looked at.
var allParts = []string{"crawl", "valid", "views", "stories"}
