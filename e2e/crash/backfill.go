// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"essaim/e2e/rig"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"
)

const (
	perPage = 100 // items of a page of the commons
	ahead   = 3   // pages under way: one is written, one checked, one fetched
	apart   = ahead + 1
)

// backfill has a node follow one that holds many records, and kills it at random
// pages of what it reads.
func backfill(ctx context.Context, s *rig.Suite, bin, dir string, opt options) {
	rng := rand.New(rand.NewPCG(s.Seed(), 3))
	origin, follower := &rig.Node{Bin: bin, Dir: filepath.Join(dir, "origin")}, &rig.Node{Bin: bin, Dir: filepath.Join(dir, "follower")}
	seen := &pages{asked: map[string]int{}, reached: make(chan struct{}, opt.readKills)}
	// A page is held back until its kill came: no other kill may be due meanwhile.
	first := 2 + rng.IntN(apart)
	for _, p := range rng.Perm(opt.records/perPage/apart - 1)[:opt.readKills] {
		seen.at = append(seen.at, first+apart*p)
	}
	slices.Sort(seen.at)
	for range seen.at {
		seen.answered = append(seen.answered, rng.IntN(2) == 0)
	}
	s.Must("a node with records, and one that follows it", func() error {
		return errors.Join(stocked(ctx, s, origin, seen, opt.records), startNode(ctx, s, follower, opt.db, "backfill"))
	})
	defer follower.Stop()
	host := rig.Host(origin.URL)
	started := time.Now()
	s.Must("the follow is sent", func() error {
		_, err := follower.Run(ctx, "peer", "follow", "--data", follower.Dir, host)
		return err
	})
	r := &reader{ctx: ctx, node: follower, host: host}
	for k := range opt.readKills {
		s.Must(fmt.Sprintf("kill %d, at page %d: what was read stays, and shows", k+1, seen.at[k]), func() error {
			select {
			case <-seen.reached:
			case <-time.After(4 * time.Minute):
				return fmt.Errorf("page not asked for: %s", follower.LastLog())
			}
			time.Sleep(time.Duration(rng.IntN(100_000)) * time.Microsecond)
			return r.killed(seen, perPage*(seen.at[k]-2))
		})
	}
	s.Check("everything was read, each item once", func() error {
		return rig.Eventually(4*time.Minute, func() error {
			p, err := r.show()
			if err == nil && (p.State != "read" || p.Items != p.Total || p.Items < opt.records || p.Refused > 0) {
				err = fmt.Errorf("%+v", p)
			}
			return err
		})
	})
	s.Figure("backfill_records", opt.records, "")
	s.Figure("backfill_kills", opt.readKills, "")
	s.Figure("backfill_seconds", time.Since(started).Seconds(), "s")
	s.Check("no page was asked for again but those on their way when it was killed", func() error { return seen.again(opt.readKills) })
	follower.Stop()
	origin.Stop()
	s.Check("it holds what its origin holds, and told nobody", func() error { return r.holds(origin) })
}

// stocked makes a node of so many records whose public address is a proxy that sees
// which pages are asked for.
func stocked(ctx context.Context, s *rig.Suite, n *rig.Node, seen *pages, records int) error {
	port, err := rig.FreePorts(2)
	if err != nil {
		return err
	}
	n.URL, n.Listen = fmt.Sprintf("http://127.0.0.1:%d", port), fmt.Sprintf("127.0.0.1:%d", port+1)
	if err := n.Init(ctx, "Toulouse", "--epci", "243100518"); err != nil {
		return err
	}
	var rows strings.Builder
	rows.WriteString("id,name,description,latitude,longitude,themes\n")
	for i := range records {
		fmt.Fprintf(&rows, "%d,Lieu %d,Un lieu de démonstration où l’on répare ce qui peut l’être.,%.4f,%.4f,reemploi\n", i, i, 43+float64(i%1000)/1000, 1+float64(i%997)/1000)
	}
	file := n.Dir + ".csv"
	if err := os.WriteFile(file, []byte(rows.String()), 0o600); err != nil {
		return err
	}
	if _, err := n.Run(ctx, "import", "--data", n.Dir, "--kind", "venue", "--licence", "CC-BY-4.0", "--attribution", "Une structure", file); err != nil {
		return err
	}
	s.Cleanup(n.Kill)
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: n.Listen})
			r.Out.Host = r.In.Host // it is signed
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }, // who asked was killed
	}
	server := &http.Server{Addr: rig.Host(n.URL), ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if after := r.URL.Query().Get("after"); r.URL.Path == "/commons" && after != "" {
			select {
			case <-seen.ask(after):
			case <-r.Context().Done():
			}
		}
		proxy.ServeHTTP(w, r)
	})}
	s.Cleanup(func() { _ = server.Close() }) // the suite ends
	go func() { _ = server.ListenAndServe() }()
	return n.Start(ctx)
}

// pages is what was asked for of the commons, and who holds it back once the next
// kill is due: the reading shall not end before.
type pages struct {
	mu       sync.Mutex
	at       []int  // how many pages bring the next kill
	answered []bool // whether the page that brings it is
	asked    map[string]int
	last     string
	reached  chan struct{}
	gate     chan struct{} // closed once the node is killed
}

// ask notes a page, and gives what its answer has to wait for.
func (p *pages) ask(after string) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	nothing := make(chan struct{})
	close(nothing)
	p.last = after
	p.asked[after]++
	if k := slices.Index(p.at, len(p.asked)); p.asked[after] == 1 && k >= 0 {
		p.gate = make(chan struct{})
		p.reached <- struct{}{}
		if p.answered[k] {
			return nothing
		}
	}
	if p.gate != nil {
		return p.gate
	}
	return nothing
}

// killed lets pages through again.
func (p *pages) killed() {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.gate)
	p.gate = nil
}

// again tells of pages that were asked for more often than kills explain: those that
// were under way at each. The last is looked at in each reading.
func (p *pages) again(kills int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	again := 0
	for after, n := range p.asked {
		if after != p.last {
			again += n - 1
		}
	}
	if again > ahead*kills || len(p.asked) <= kills {
		return fmt.Errorf("%d of %d pages again, with %d kills", again, len(p.asked), kills)
	}
	return nil
}

// reader is the node that reads.
type reader struct {
	ctx  context.Context
	node *rig.Node
	host string
	read int // items, when it was last looked at
}

// progress is what `peer show` says.
type progress struct {
	State                 string
	Items, Total, Refused int
}

func (r *reader) show() (progress, error) {
	out, err := r.node.Run(r.ctx, "peer", "show", "--data", r.node.Dir, "--json", r.host)
	if err != nil {
		return progress{}, err
	}
	var shown struct{ Commons progress }
	if err := json.Unmarshal([]byte(out), &shown); err != nil {
		return progress{}, fmt.Errorf("peer show: %w: %.200s", err, out)
	}
	return shown.Commons, nil
}

// killed kills the node, once it shows what it read, and starts it again: it goes on
// from there.
func (r *reader) killed(seen *pages, least int) error {
	var before progress
	err := rig.Eventually(20*time.Second, func() (err error) {
		if before, err = r.show(); err == nil && (before.State != "reading" || before.Items < max(least, r.read) || before.Items >= before.Total) {
			err = fmt.Errorf("%+v, want at least %d items, and not all", before, max(least, r.read))
		}
		return err
	})
	r.node.Kill()
	seen.killed()
	if err != nil {
		return err
	}
	if err := r.node.Start(r.ctx); err != nil {
		return err
	}
	after, err := r.show()
	if err == nil && (after.Items < before.Items || after.Total != before.Total) {
		err = fmt.Errorf("%+v, and before the kill %+v", after, before)
	}
	r.read = after.Items
	return err
}

// holds compares what the node holds with its origin's lines, byte for byte by their
// digests, and looks for anything that it would tell others.
func (r *reader) holds(origin *rig.Node) error {
	own, err := openDB(origin)
	if err != nil {
		return err
	}
	defer own.Close()
	db, err := openDB(r.node)
	if err != nil {
		return err
	}
	defer db.Close()
	want, err := lines(r.ctx, own, "")
	if err != nil {
		return err
	}
	got, err := lines(r.ctx, db, r.host)
	if err != nil {
		return err
	}
	if len(want) == 0 || !maps.Equal(got, want) {
		differ := 0
		for id, digest := range want {
			if got[id] != digest {
				differ++
			}
		}
		return fmt.Errorf("%d lines held, %d at the origin, %d of them otherwise", len(got), len(want), differ)
	}
	for _, table := range []string{"event", "announce"} {
		var n int
		if err := db.QueryRowContext(r.ctx, "SELECT count(*) FROM "+table).Scan(&n); err != nil || n != 0 {
			return fmt.Errorf("%s: %d rows (%w): something is told of copies", table, n, err)
		}
	}
	return nil
}

// lines are the digests of what is listed of an origin, by id, each with that of the
// record that stands there.
func lines(ctx context.Context, db *sql.DB, origin string) (map[string]string, error) {
	rows, err := db.QueryContext(ctx, "SELECT c.id, c.digest, coalesce(r.copy_digest, '') FROM commons c LEFT JOIN record r ON r.id = c.id WHERE c.origin = $1 AND c.digest <> ''", origin)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := map[string]string{}
	for rows.Next() {
		var id, digest, record string
		if err := rows.Scan(&id, &digest, &record); err != nil {
			return nil, err
		}
		all[id] = digest + " " + record
	}
	return all, rows.Err()
}

// openDB opens the database of a node that does not run.
func openDB(n *rig.Node) (*sql.DB, error) {
	if n.Database != "" {
		return sql.Open("pgx", n.Database)
	}
	return sql.Open("sqlite", "file:"+filepath.Join(n.Dir, "essaim.db")+"?_pragma=busy_timeout(20000)")
}
