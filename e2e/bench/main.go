// SPDX-License-Identifier: AGPL-3.0-or-later

// Command bench measures a node of the real binary from outside, on SQLite and
// on PostgreSQL, the load beside it on the same machine. It prints one JSON
// object a line; each line carries the same run's ceiling and the ratio to it,
// where one fits. It needs bin/essaim (make build).
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"essaim/e2e/rig"
)

// bench is one run on one database.
type bench struct {
	ctx      context.Context
	suite    *rig.Suite
	db       string
	bin, dir string
	ca       *rig.Authority
	ceilings ceilings
	records  int // for search and import
}

func main() {
	dbs := flag.String("db", "sqlite,postgres", "databases, in order")
	records := flag.Int("records", 100_000, "records for search and import")
	only := flag.String("only", "", "names of the benchmarks to run, comma separated; all when empty")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), 85*time.Minute)
	defer cancel()
	s := rig.NewSuite("bench", 1)
	bin, err := rig.Binary()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	for _, db := range strings.Split(*dbs, ",") {
		b := &bench{ctx: ctx, suite: s, db: db, bin: bin, records: *records}
		s.Must(db+": a place to work and its ceilings", func() (err error) {
			if b.dir, err = os.MkdirTemp("", "essaim-bench-"); err != nil {
				return err
			}
			s.Cleanup(func() { _ = os.RemoveAll(b.dir) }) // a leftover temporary directory harms nobody
			if b.ca, err = rig.NewAuthority(b.dir); err != nil {
				return err
			}
			b.ceilings, err = measureCeilings(b.dir, bin)
			return err
		})
		b.line("ceiling_sign", b.ceilings.signs, "RSA-2048 signatures/s of one core", "", 0)
		b.line("ceiling_verify", b.ceilings.verifies, "RSA-2048 verifications/s of one core", "", 0)
		b.line("ceiling_fsync", b.ceilings.fsyncs, "fsyncs/s of 4 kB", "", 0)
		b.line("ceiling_seal", b.ceilings.seals, "Ed25519 signatures/s of one core", "", 0)
		b.line("ceiling_get", b.ceilings.gets, "GET/s of a handler that does nothing", "", 0)
		b.line("ceiling_exec", b.ceilings.exec, "ms to run a program that does nothing", "", 0)
		for _, part := range []struct {
			name string
			run  func() error
		}{{"start", b.start}, {"ingest", b.ingest}, {"hostile", b.hostile}, {"keystorm", b.keystorm}, {"fanout", b.fanout}, {"get", b.get}, {"search", b.search}, {"import", b.imports}, {"replicate", b.replicate}} {
			if *only != "" && !strings.Contains(","+*only+",", ","+part.name+",") {
				continue
			}
			s.Check(db+": "+part.name, part.run)
		}
	}
	s.End()
}

// line prints a figure; with a ceiling, also the ratio of the figure to it. The
// name is that of the benchmark, then its case: "ingest_note_cpu".
func (b *bench) line(name string, value float64, unit, ceiling string, of float64) {
	name, what, _ := strings.Cut(name, "_")
	row := map[string]any{"bench": name, "db": b.db, "value": round(value), "unit": unit}
	if what != "" {
		row["case"] = what
	}
	if ceiling != "" && of > 0 {
		row["ceiling"], row["ceiling_value"], row["ratio"] = ceiling, round(of), round(value/of)
	}
	out, err := json.Marshal(row)
	if err != nil {
		panic(err) // numbers and strings always marshal
	}
	fmt.Println(string(out))
}

// round keeps four significant figures or so, for people.
func round(v float64) float64 {
	switch {
	case v >= 1000:
		return float64(int64(v + 0.5))
	case v >= 1:
		return float64(int64(v*100+0.5)) / 100
	}
	return float64(int64(v*100_000+0.5)) / 100_000
}

// node makes a node of this run's database; with TLS of its own or as behind a
// proxy that ends it.
func (b *bench) node(name string, tls bool) (*rig.Node, error) {
	port, err := rig.FreePort()
	if err != nil {
		return nil, err
	}
	metrics, err := rig.FreePort()
	if err != nil {
		return nil, err
	}
	n := &rig.Node{
		Bin: b.bin, Dir: b.dir + "/" + name, URL: fmt.Sprintf("http://127.0.0.1:%d", port),
		Env: []string{"SSL_CERT_FILE=" + b.ca.CAFile, fmt.Sprintf("ESSAIM_METRICS_LISTEN=127.0.0.1:%d", metrics), "ESSAIM_LOG_LEVEL=warn"},
	}
	if tls {
		n.URL = fmt.Sprintf("https://127.0.0.1:%d", port)
		n.Env = append(n.Env, "ESSAIM_TLS_CERT="+b.ca.CertFile, "ESSAIM_TLS_KEY="+b.ca.KeyFile)
		n.Pool = b.ca.Pool
	}
	n.Metrics = fmt.Sprintf("http://127.0.0.1:%d/metrics", metrics)
	if b.db == "postgres" {
		if n.Database, err = rig.Postgres(b.suite, name); err != nil {
			return nil, err
		}
	}
	b.suite.Cleanup(n.Kill)
	return n, n.Init(b.ctx, territory, "--epci", "242900314")
}

// started is a node that runs; who asks for it kills it.
func (b *bench) started(name string, tls bool) (*rig.Node, error) {
	n, err := b.node(name, tls)
	if err != nil {
		return nil, err
	}
	return n, n.Start(b.ctx)
}
