// SPDX-License-Identifier: AGPL-3.0-or-later

// Command crash kills a node with SIGKILL at random moments while signed
// activities reach it, publications leave it, and it reads all that another holds,
// and judges by its own ledger what became of each. It needs bin/essaim (make build).
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	"essaim/e2e/rig"
)

type options struct {
	db        string
	kills     int
	n         int
	records   int
	readKills int
}

func main() {
	var opt options
	var seed uint64
	flag.StringVar(&opt.db, "db", "sqlite", "sqlite or postgres")
	flag.IntVar(&opt.kills, "kills", 20, "how often the node is killed while activities come in")
	flag.IntVar(&opt.n, "n", 10000, "how many activities come in")
	flag.IntVar(&opt.records, "records", 10000, "how many records a followed node holds")
	flag.IntVar(&opt.readKills, "readkills", 0, "how often the node is killed while it reads them; 0 for 10, on PostgreSQL, where the claim of a process that is gone has to lapse, for 4")
	flag.Uint64Var(&seed, "seed", 0, "seed of every random choice; 0 takes one")
	publications := flag.Int("publications", 500, "how many publications leave, on PostgreSQL with two processes")
	flag.Parse()
	if opt.readKills == 0 {
		opt.readKills = map[string]int{"sqlite": 10, "postgres": 4}[opt.db]
	}
	if opt.db != "sqlite" && opt.db != "postgres" || opt.n < 100 || opt.kills < 0 || opt.readKills < 0 || opt.records/perPage/apart <= opt.readKills {
		fmt.Fprintln(os.Stderr, "crash: -db is sqlite or postgres, -n at least 100, -kills at least 0, -records more than 400 for each of -readkills")
		os.Exit(2)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 40*time.Minute)
	defer cancel()
	s := rig.NewSuite("crash "+opt.db, seed)
	bin, err := rig.Binary()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	dir, err := os.MkdirTemp("", "essaim-crash-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	s.Cleanup(func() { _ = os.RemoveAll(dir) }) // a leftover temporary directory harms nobody
	inbound(ctx, s, bin, dir, opt)
	if opt.db == "postgres" {
		outbound(ctx, s, bin, dir, *publications, 2*time.Second)
		outbound(ctx, s, bin, dir, *publications/5, 0)
	}
	backfill(ctx, s, bin, dir, opt)
	s.End()
}
