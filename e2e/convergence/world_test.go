// SPDX-License-Identifier: AGPL-3.0-or-later

package convergence

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"essaim"
	"essaim/store/storetest"
)

// hosts are the nodes of a world; onPostgres those of them that are on PostgreSQL.
var (
	hosts      = []string{"brest.example", "lorient.example", "rennes.example", "toulouse.example", "tourcoing.example"}
	onPostgres = map[string]bool{"lorient.example": true, "toulouse.example": true}
)

// world is what a seed makes.
type world struct {
	t       testing.TB
	ctx     context.Context
	seed    uint64
	random  *rand.Rand
	clock   *clock
	network *network
	nodes   []*node
	model   model
	round   int
	faults  []*fault
	made    int // records so far
	history []string

	side   map[string]bool // hosts on one side of a cut; nil without one
	healAt int             // round
	saved  *saved          // a backup
	doomed string          // host that is to die, after so many requests more
	left   int

	// What was read while there was something to mend, and in the last day.
	reading, resting reading
}

// reading is what the replicas' turns cost.
type reading struct {
	traffic
	repairs int // differences that they mended
}

func (r reading) plus(o reading) reading {
	return reading{traffic{r.requests + o.requests, r.bytes + o.bytes}, r.repairs + o.repairs}
}

func (n *node) territory() string { return n.base + "/actors/" + n.host[:len(n.host)-len(".example")] }

func newWorld(t testing.TB, seed uint64) *world {
	w := &world{
		t: t, ctx: context.WithoutCancel(t.Context()), seed: seed, random: rand.New(rand.NewPCG(seed, 4)),
		clock: &clock{t: storetest.Start}, network: newNetwork(seed), model: model{},
	}
	w.network.onLost, w.network.onReset, w.network.onRetry = w.wasLost, w.wasReset, w.wasRetried
	dir := scratch(t)
	for _, host := range hosts {
		n := &node{host: host, base: "https://" + host, clock: w.clock, network: w.network, ids: new(atomic.Int64)}
		if onPostgres[host] {
			n.db = storetest.Postgres(t)
		} else {
			n.db = storetest.DB{Name: "sqlite", Dir: dir + "/" + host}
		}
		w.nodes = append(w.nodes, n)
		t.Cleanup(func() {
			if n.up {
				w.must(n.stop())
			}
		})
		w.must(n.open(w.ctx))
	}
	return w
}

// scratch is a directory for SQLite, in memory where there is room: what a file
// survives is not shown here.
func scratch(t testing.TB) string {
	const memory, room = "/dev/shm", 1 << 30
	var fs syscall.Statfs_t
	if err := syscall.Statfs(memory, &fs); err != nil || fs.Bavail*uint64(fs.Bsize) < room {
		return t.TempDir()
	}
	dir, err := os.MkdirTemp(memory, "essaim-convergence-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func (w *world) must(err error) {
	if err != nil {
		w.t.Helper()
		w.t.Fatalf("seed %d, round %d: %v\n%s", w.seed, w.round, err, w.told())
	}
}

// tell writes a line of the history.
func (w *world) tell(format string, args ...any) {
	w.history = append(w.history, fmt.Sprintf("%2d ", w.round)+fmt.Sprintf(format, args...))
}

func (w *world) told() (all string) {
	for _, line := range w.history {
		all += line + "\n"
	}
	return all
}

func (w *world) node(host string) *node {
	for _, n := range w.nodes {
		if n.host == host {
			return n
		}
	}
	return nil
}

// mesh makes each node follow the others.
func (w *world) mesh() {
	for _, n := range w.nodes {
		for _, other := range w.nodes {
			if other == n {
				continue
			}
			_, err := n.server.FollowPeer(w.ctx, other.host)
			w.must(err)
		}
	}
	w.exchange()
	for _, n := range w.nodes {
		peers, err := n.Peers(w.ctx)
		w.must(err)
		for _, p := range peers {
			if p.State != essaim.PeerFollowed {
				w.t.Fatalf("seed %d: %s follows %s: %s", w.seed, n.host, p.Host, p.State)
			}
		}
		if len(peers) != len(w.nodes)-1 {
			w.t.Fatalf("seed %d: %s follows %d", w.seed, n.host, len(peers))
		}
	}
	w.read()
}

// exchange lets the nodes send what is due and apply what came, until nothing more
// is said.
func (w *world) exchange() {
	for range 2 {
		for _, n := range w.nodes {
			for tries := 0; n.up && tries < 40; tries++ {
				w.turn(n, n.server.TurnOutwards)
				if !n.up {
					break
				}
				due, err := n.DueHosts(w.ctx, 10)
				w.must(err)
				if len(due) == 0 {
					break
				}
				w.clock.move(250 * time.Millisecond) // the pace that a host that failed is given
			}
		}
		for _, n := range w.nodes {
			if n.up {
				w.turn(n, n.server.TurnInwards)
				w.observe(n, false)
			}
		}
	}
}

// read lets the nodes read each other's commons, as far as it is time to.
func (w *world) read() (cost reading) {
	before := w.network.carried()
	for _, n := range w.nodes {
		if n.up {
			w.turn(n, n.server.TurnReplicas)
			cost.repairs += w.observe(n, true)
		}
		if n.up {
			w.must(n.settle(w.ctx))
		}
	}
	cost.traffic = w.network.carried().minus(before)
	return cost
}

// pass lets time pass, and the nodes do what that makes due.
func (w *world) pass(d time.Duration) reading {
	w.clock.move(d)
	w.exchange()
	return w.read()
}

// turn gives a node its turn, in which it may die.
func (w *world) turn(n *node, turn func(context.Context) error) {
	var reached <-chan struct{}
	doomed := w.doomed == n.host
	if doomed {
		reached = w.network.doom(n.host, w.left).reached
	}
	done := make(chan error, 1)
	go func() { done <- turn(w.ctx) }()
	select {
	case err := <-done:
		if err != nil {
			w.must(fmt.Errorf("%s: %w", n.host, err))
		}
	case <-reached:
		w.die(n)
	}
	if doomed {
		w.left = w.network.spare()
	}
}
