// SPDX-License-Identifier: AGPL-3.0-or-later

// Command flap runs a node among hosts that come and go, hang, refuse and
// answer nonsense, among poison and under a flood, and measures what it
// promises then: nothing is lost and all stays in order (P4), nobody is
// stampeded (P5), one bad message holds up no other and none costs much (P8), a
// hostile peer costs the honest nothing (P9); and a node starts again with a large
// queue. It needs bin/essaim (make build).
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"essaim/e2e/rig"
)

// options are what a run may be asked for.
type options struct {
	hosts   int           // that flap, besides a fifth as many that stay well
	fickle  time.Duration // how long they do
	rate    int           // hostile requests asked for in a second
	flood   time.Duration
	poisons int
	queue   int // deliveries that wait when the node starts again
}

func main() {
	var o options
	dbs := flag.String("db", "sqlite,postgres", "databases, in order")
	seed := flag.Uint64("seed", 0, "what random choices follow from; drawn when 0")
	flag.IntVar(&o.hosts, "hosts", 50, "hosts that come and go")
	flag.DurationVar(&o.fickle, "for", 50*time.Second, "how long they do")
	flag.IntVar(&o.rate, "rate", 2000, "hostile requests a second")
	flag.DurationVar(&o.flood, "flood", 40*time.Second, "how long the flood lasts")
	flag.IntVar(&o.poisons, "poisons", 100, "poison activities, one in ten of what comes")
	flag.IntVar(&o.queue, "queue", 100_000, "deliveries that wait when a node starts again")
	parts := flag.String("parts", "hosts,poison,queue,flood", "what to run, in order")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), 40*time.Minute)
	defer cancel()
	s := rig.NewSuite("flap", *seed)
	bin, err := rig.Binary()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	dir, err := os.MkdirTemp("", "essaim-flap-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	s.Cleanup(func() { _ = os.RemoveAll(dir) }) // a leftover temporary directory harms nobody
	for _, db := range strings.Split(*dbs, ",") {
		r := &run{ctx: ctx, Suite: s, options: o, db: db, bin: bin, dir: filepath.Join(dir, db)}
		for _, part := range strings.Split(*parts, ",") {
			switch part {
			case "hosts":
				r.fickleHosts()
			case "poison":
				r.poison()
			case "queue":
				r.restart()
			case "flood":
				r.flooded()
			}
		}
	}
	s.End()
}

// run is one run on one database.
type run struct {
	*rig.Suite
	options

	ctx context.Context
	db  string
	bin string
	dir string
}

// node starts a node of its own for a part of the run.
func (r *run) node(name string, dev bool) (*rig.Node, error) {
	port, err := rig.FreePorts(2)
	if err != nil {
		return nil, err
	}
	n := &rig.Node{
		Bin: r.bin, Dir: filepath.Join(r.dir, name), URL: fmt.Sprintf("http://127.0.0.1:%d", port),
		Env: []string{fmt.Sprintf("ESSAIM_METRICS_LISTEN=127.0.0.1:%d", port+1), "ESSAIM_LOG_LEVEL=warn"}, Dev: dev,
	}
	n.Metrics = fmt.Sprintf("http://127.0.0.1:%d/metrics", port+1)
	if err := os.MkdirAll(r.dir, 0o700); err != nil {
		return nil, err
	}
	if r.db == "postgres" {
		if n.Database, err = rig.Postgres(r.Suite, "flap_"+name); err != nil {
			return nil, err
		}
	}
	if err := n.Init(r.ctx, "Brest", "--epci", "242900314"); err != nil {
		return nil, err
	}
	r.Cleanup(n.Kill)
	return n, n.Start(r.ctx)
}

// publish makes a record, or changes the one of a slug.
func publish(ctx context.Context, n *rig.Node, slug, title string) (rig.Listed, error) {
	body := map[string]any{
		"title": title, "tagline": "Une fiche qui change.", "description": "Texte.",
		"themes": []string{"reemploi"}, "places": []map[string]any{{"insee": "29019"}},
	}
	var made rig.Listed
	method, path := "POST", "initiatives"
	if slug != "" {
		method, path = "PUT", "initiatives/"+slug
	}
	err := n.API(ctx, method, path, body, &made)
	return made, err
}

// percentile is the value that p of the durations do not exceed; 0 of none.
func percentile(d []time.Duration, p float64) time.Duration {
	if len(d) == 0 {
		return 0
	}
	d = slices.Clone(d)
	slices.Sort(d)
	return d[min(int(p*float64(len(d))), len(d)-1)]
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
