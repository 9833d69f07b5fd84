// SPDX-License-Identifier: AGPL-3.0-or-later

package convergence

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"essaim/e2e/rig"
	"essaim/store"
	"essaim/store/storetest"
)

// process is a node of the real binary behind a proxy.
type process struct {
	*rig.Node
	db   storetest.DB
	host string
}

// swarm is five of them, and what they acknowledged.
type swarm struct {
	t      testing.TB
	ctx    context.Context
	random *rand.Rand
	dice   *network // for its draws alone
	nodes  []*process
	lossy  sync.Map // hosts whose deliveries the proxy loses

	mu    sync.Mutex
	facts map[string]*acknowledged // by id
	lost  int
	doubt int // creations that were never answered
}

// acknowledged is a record as the API answered for it; may are its titles that
// were asked for and not answered for, by a process that died meanwhile.
type acknowledged struct {
	slug, title string
	deleted     bool
	may         []string
	mayDelete   bool
}

// TestProcessesConverge kills real processes with SIGKILL while they write to and
// read from each other; once all run again, comparing leaves the same on all.
func TestProcessesConverge(t *testing.T) {
	if testing.Short() {
		t.Log("left out with -short: it runs five processes for half a minute")
		return
	}
	p := newPlan(t)
	seed := p.first
	s := &swarm{
		t: t, ctx: t.Context(), random: rand.New(rand.NewPCG(seed, 9)), dice: newNetwork(seed), facts: map[string]*acknowledged{},
	}
	s.begin()
	const kills = 6
	for round := range kills {
		s.storm(round)
	}
	s.calm()
	s.judge()
	if s.lost == 0 {
		t.Error("nothing was lost")
	}
	t.Logf("seed %d: %d kills, %d deliveries lost, %d records, %d creations in doubt", seed, kills, s.lost, len(s.facts), s.doubt)
}

func (s *swarm) must(err error) {
	if err != nil {
		s.t.Helper()
		s.t.Fatal(err)
	}
}

// begin starts the nodes, and each follows the others.
func (s *swarm) begin() {
	bin := s.binary()
	dir := scratch(s.t)
	for i, host := range hosts {
		name, _, _ := strings.Cut(host, ".")
		port, err := rig.FreePort()
		s.must(err)
		n := &process{Node: &rig.Node{Bin: bin, Dir: filepath.Join(dir, name), Listen: fmt.Sprintf("127.0.0.1:%d", port)}}
		n.db = storetest.DB{Name: "sqlite", Dir: n.Dir}
		if onPostgres[host] {
			n.db = storetest.Postgres(s.t)
			n.Database = n.db.URL
		}
		n.URL = s.proxy(n.Listen)
		n.host = rig.Host(n.URL)
		s.nodes = append(s.nodes, n)
		s.t.Cleanup(n.Stop)
		s.must(n.Init(s.ctx, strings.ToUpper(name[:1])+name[1:]+fmt.Sprint(" ", i), "--epci", "242900314"))
		s.must(n.Start(s.ctx))
	}
	for _, n := range s.nodes {
		for _, other := range s.nodes {
			if other != n {
				_, err := n.Run(s.ctx, "peer", "follow", "--data", n.Dir, other.host)
				s.must(err)
			}
		}
	}
	for _, n := range s.nodes {
		s.must(rig.Eventually(60*time.Second, func() error {
			out, err := n.Run(s.ctx, "peer", "list", "--data", n.Dir, "--json")
			if got := strings.Count(out, `"followed"`); err == nil && got != len(s.nodes)-1 {
				err = fmt.Errorf("%s follows %d nodes: %s", n.host, got, out)
			}
			return err
		}))
		s.lossy.Store(n.host, true)
	}
}

func (s *swarm) binary() string {
	if bin := os.Getenv("ESSAIM_BIN"); bin != "" {
		return bin
	}
	bin := filepath.Join(s.t.TempDir(), "essaim")
	out, err := exec.CommandContext(s.ctx, "go", "build", "-o", bin, "essaim/cmd/essaim").CombinedOutput()
	if err != nil {
		s.t.Fatalf("go build: %v: %s", err, out)
	}
	return bin
}

// proxy listens for a node, and answers 202 to deliveries that never reach it.
func (s *swarm) proxy(to string) (address string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	s.must(err)
	host := l.Addr().String()
	forward := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: to})
	forward.ErrorLog, forward.ErrorHandler = nil, func(w http.ResponseWriter, _ *http.Request, _ error) {
		// As a host without a process: the connection ends.
		if c, _, err := w.(http.Hijacker).Hijack(); err == nil {
			_ = c.Close()
		}
	}
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, lossy := s.lossy.Load(host)
		if r.Method == http.MethodPost && lossy {
			body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
			var a activity
			if err == nil && json.Unmarshal(body, &a) == nil && s.loses(host, a) {
				w.WriteHeader(http.StatusAccepted)
				return
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
		}
		forward.ServeHTTP(w, r)
	})}
	go func() { _ = server.Serve(l) }() // it ends with Close
	s.t.Cleanup(func() { _ = server.Close() })
	return "http://" + host
}

func (s *swarm) loses(host string, a activity) bool {
	id, revision := a.about()
	if s.dice.dice("lost", host, a.Type, id, revision) >= 30 {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lost++
	return true
}

// storm has all nodes write while one of them is killed and started again.
func (s *swarm) storm(round int) {
	victim := s.nodes[s.random.IntN(len(s.nodes))]
	after := time.Duration(30+s.random.IntN(400)) * time.Millisecond
	var writers sync.WaitGroup
	for i, n := range s.nodes {
		random := rand.New(rand.NewPCG(uint64(round), s.random.Uint64()))
		writers.Go(func() {
			for k := range 6 {
				s.write(n, random, fmt.Sprintf("Fiche %d.%d.%d", round, i, k))
			}
		})
	}
	<-time.After(after) // the moment of a death is drawn from the seed
	victim.Kill()
	writers.Wait()
	if round%2 == 1 {
		s.damage(victim)
	}
	s.must(victim.Start(s.ctx))
}

// write has a node make, change or delete a record, and notes what it answered.
func (s *swarm) write(n *process, random *rand.Rand, title string) {
	own := s.own(n)
	content := map[string]any{
		"title": title, "tagline": "En une phrase.", "description": "Deux phrases. Pas plus.", "language": "fr", "holder": "Une régie",
		"themes": []string{"alimentation"}, "places": []map[string]any{{"insee": "29019", "city": "Brest", "country": "FR"}}, // as a copy reads it
	}
	if len(own) == 0 || random.IntN(100) < 50 {
		var made rig.Listed
		err := n.API(s.ctx, http.MethodPost, "initiatives", content, &made)
		s.mu.Lock()
		defer s.mu.Unlock()
		if err != nil {
			s.doubt++
			return
		}
		s.facts[made.ID] = &acknowledged{slug: made.Slug, title: title}
		return
	}
	id := own[random.IntN(len(own))]
	s.mu.Lock()
	f := s.facts[id]
	s.mu.Unlock()
	if random.IntN(100) < 70 {
		err := n.API(s.ctx, http.MethodPut, "initiatives/"+f.slug, content, nil)
		s.mu.Lock()
		defer s.mu.Unlock()
		if err != nil {
			f.may = append(f.may, title)
			return
		}
		f.title, f.may = title, nil
		return
	}
	err := n.API(s.ctx, http.MethodDelete, "initiatives/"+f.slug, nil, nil)
	s.mu.Lock()
	defer s.mu.Unlock()
	f.deleted, f.mayDelete = err == nil, err != nil
}

// own lists the records of a node whose state is known.
func (s *swarm) own(n *process) (ids []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, f := range s.facts {
		if strings.HasPrefix(id, n.URL+"/") && !f.deleted && !f.mayDelete {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// damage deletes and spoils some of what a node that does not run holds of others.
func (s *swarm) damage(n *process) {
	st, err := store.Open(s.ctx, n.db.Config())
	s.must(err)
	at := &node{Store: st, db: n.db}
	for _, other := range s.nodes {
		if other == n {
			continue
		}
		copies, err := st.Copies(s.ctx, other.host, "", 4)
		s.must(err)
		for i, c := range copies {
			if c.Row == nil {
				continue
			}
			s.must(at.damage(s.ctx, [][]statement{
				{run("DELETE FROM commons WHERE id = $1", c.ID)},
				{run("UPDATE record SET document = $2 WHERE id = $1", c.ID, []byte("x"))},
				{run("DELETE FROM search WHERE rid = (SELECT rid FROM record WHERE id = $1)", c.ID), run("DELETE FROM record WHERE id = $1", c.ID)},
				{run("UPDATE record SET revision = revision + 5 WHERE id = $1", c.ID)},
			}[i]...))
		}
	}
	s.must(st.Close())
}

// calm ends the losses and compares twice.
func (s *swarm) calm() {
	s.lossy.Clear()
	for range 2 {
		for _, n := range s.nodes {
			for _, other := range s.nodes {
				if other == n {
					continue
				}
				s.must(rig.Eventually(30*time.Second, func() error {
					_, err := n.Run(s.ctx, "peer", "sync", "--data", n.Dir, other.host)
					return err
				}))
			}
		}
	}
	for _, n := range s.nodes {
		n.Stop()
	}
}

// judge compares what all databases hold with each other and with what was
// acknowledged.
func (s *swarm) judge() {
	opened := make([]*node, len(s.nodes))
	for i, n := range s.nodes {
		st, err := store.Open(s.ctx, n.db.Config())
		s.must(err)
		opened[i] = &node{Store: st, host: n.host, db: n.db}
	}
	unknown := 0
	var wrong []string
	for i, of := range s.nodes {
		own, err := opened[i].dump(s.ctx, of.host)
		s.must(err)
		for id, l := range own {
			f := s.facts[id]
			switch {
			case strings.HasPrefix(l.Says, "actor"):
			case f == nil:
				unknown++
			case !f.allows(l):
				wrong = append(wrong, fmt.Sprintf("%s says %s, and acknowledged %+v", id, l.Says, *f))
			}
		}
		for id := range s.facts {
			if _, ok := own[id]; !ok && strings.HasPrefix(id, of.URL+"/") {
				wrong = append(wrong, id+" is lost")
			}
		}
		var first dump
		for _, at := range opened {
			if at == opened[i] {
				continue
			}
			d, err := at.dump(s.ctx, of.host)
			s.must(err)
			if first == nil {
				// What people entered is richer than its document (what is understood of a
				// place): the rows of copies are compared with each other.
				first = d
				for id, l := range own {
					l.Row = d[id].Row
					own[id] = l
				}
			}
			for _, id := range differences(own, d) {
				wrong = append(wrong, fmt.Sprintf("%s and %s differ in %s: %s", of.host, at.host, id, own[id].against(d[id])))
			}
		}
	}
	if len(wrong) > 0 {
		s.t.Errorf("%d are wrong:\n%s", len(wrong), strings.Join(wrong[:min(len(wrong), 8)], "\n"))
	}
	if unknown > s.doubt {
		s.t.Errorf("%d records that nobody was told of, and %d requests without an answer", unknown, s.doubt)
	}
	var err error
	for _, n := range opened {
		err = errors.Join(err, n.Close())
	}
	s.must(err)
}

// allows tells whether a record may be what it is after what was answered.
func (f *acknowledged) allows(l line) bool {
	if l.Says == "deleted" {
		return f.deleted || f.mayDelete
	}
	const rest = `, from "", "Deux phrases. Pas plus.", [https://w3id.org/essaim/themes#alimentation], {Brest 29019 48.39 -4.486}, ` +
		`under https://creativecommons.org/licenses/by-sa/4.0/, need ""`
	return !f.deleted && strings.HasSuffix(l.Says, rest) && slices.ContainsFunc(append(f.may, f.title), func(title string) bool {
		return strings.HasPrefix(l.Says, fmt.Sprintf(`initiative %q, "En une phrase.", revision `, title))
	})
}
