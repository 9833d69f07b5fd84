// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"essaim/e2e/rig"
)

// objectsOut is how many records the publications are versions of.
const objectsOut = 100

// settling is how long an answered delivery may wait to be noted as done: what
// was answered less than this before a kill counts as in flight.
const settling = 250 * time.Millisecond

// outbound publishes through two processes of one node while one of them is
// killed every so often (never, if every is 0), and follows what a peer gets.
func outbound(ctx context.Context, s *rig.Suite, bin, dir string, publications int, every time.Duration) {
	label := fmt.Sprintf("two processes, a kill every %s: ", every)
	if every == 0 {
		label = "two processes, no kill: "
	}
	name := fmt.Sprintf("outbound%d", every/time.Second)
	first := &rig.Node{Bin: bin, Dir: filepath.Join(dir, name)}
	var procs [2]*rig.Node
	rec := &recorder{first: map[string]time.Time{}, times: map[string]int{}, inFlight: map[string]int{}}
	s.Must(label+"a node of two processes and a follower", func() error {
		peer, err := rig.NewPeer(rec.inbox)
		if err != nil {
			return err
		}
		s.Cleanup(peer.Close)
		if err := startNode(ctx, s, first, "postgres", name); err != nil {
			return err
		}
		second := *first
		second.Dir += "-second"
		port, err := rig.FreePort()
		if err != nil {
			return err
		}
		second.Listen = fmt.Sprintf("127.0.0.1:%d", port)
		if err := copyKeys(first.Dir, second.Dir); err != nil {
			return err
		}
		procs = [2]*rig.Node{first, &second}
		s.Cleanup(second.Kill)
		if err := second.Start(ctx); err != nil {
			return err
		}
		follow := peer.Activity("Follow", "follow-node", peer.Actor("node"), first.URL+"/actor", nil)
		if _, err := peer.Post(ctx, first.URL+"/inbox", peer.Actor("node"), follow); err != nil {
			return err
		}
		return rig.Eventually(20*time.Second, rec.accepted)
	})

	stop, ended := make(chan struct{}), make(chan killed)
	go func() { ended <- killInTurn(ctx, procs, rec, every, stop) }()
	begin := time.Now()
	acked := publish(ctx, rand.New(rand.NewPCG(s.Seed(), 2)), procs, publications)
	lasted := time.Since(begin)
	close(stop)
	done := <-ended
	kills := done.times
	s.Figure("publications_acknowledged", len(acked), "")
	s.Figure("kills_of_one_process", kills, "")

	s.Check(label+"the kills happened, and each process started again", func() error {
		if done.err != nil || every == 0 {
			return done.err
		}
		if least := int((lasted-done.starting)/every) - 1; kills < max(1, least) {
			return fmt.Errorf("%d kills in %s, of which %s went by in starting", kills, lasted, done.starting)
		}
		return nil
	})
	s.Check(label+"every acknowledged version reached the peer", func() error {
		return rig.Eventually(4*time.Minute, func() error { return rec.has(acked) })
	})
	time.Sleep(2 * time.Second) // what would come twice comes now
	s.Check(label+"versions of an object came in order", rec.inOrder)
	repeats, allowed := rec.repeats()
	s.Figure("repeated_sends", repeats, "")
	s.Figure("in_flight_at_kills", allowed, "")
	s.Check(label+"no more was sent again than was in flight at the kills", func() error {
		if repeats > allowed {
			return fmt.Errorf("%d repeated, %d were in flight at %d kills", repeats, allowed, kills)
		}
		return nil
	})
	for _, p := range procs {
		p.Stop()
	}
}

// copyKeys gives the second process a data directory of its own with the same keys.
func copyKeys(from, to string) error {
	for _, sub := range []string{"keys", ""} {
		entries, err := os.ReadDir(filepath.Join(from, sub))
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Join(to, sub), 0o700); err != nil {
			return err
		}
		for _, e := range entries {
			if !e.Type().IsRegular() || strings.HasSuffix(e.Name(), ".lock") {
				continue
			}
			b, err := os.ReadFile(filepath.Join(from, sub, e.Name()))
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(to, sub, e.Name()), b, 0o600); err != nil {
				return err
			}
		}
	}
	return nil
}

// killed is what became of the processes that were killed.
type killed struct {
	times    int
	starting time.Duration // spent in starting them again
	err      error         // why one did not start
}

func killInTurn(ctx context.Context, procs [2]*rig.Node, rec *recorder, every time.Duration, stop chan struct{}) (k killed) {
	if every == 0 {
		<-stop
		return k
	}
	for {
		select {
		case <-stop:
			return k
		case <-time.After(every):
		}
		p := procs[k.times%2]
		ports, err := portsOf(p.Pid())
		if err != nil {
			k.err = err
			return k
		}
		rec.killing(ports)
		p.Kill()
		k.times++
		begin := time.Now()
		if err := p.Start(ctx); err != nil {
			k.err = fmt.Errorf("a process does not start again: %w", err)
			return k
		}
		k.starting += time.Since(begin)
	}
}

// portsOf are the local ports of a process's TCP connections (proc(5)).
func portsOf(pid int) (map[string]bool, error) {
	dir := fmt.Sprintf("/proc/%d", pid)
	entries, err := os.ReadDir(dir + "/fd")
	if err != nil {
		return nil, err
	}
	sockets := map[string]bool{}
	for _, e := range entries {
		if to, err := os.Readlink(filepath.Join(dir, "fd", e.Name())); err == nil { // else closed meanwhile
			if inode, ok := strings.CutPrefix(to, "socket:["); ok {
				sockets[strings.TrimSuffix(inode, "]")] = true
			}
		}
	}
	ports := map[string]bool{}
	for _, table := range []string{"/net/tcp", "/net/tcp6"} {
		b, err := os.ReadFile(dir + table)
		if err != nil && !os.IsNotExist(err) { // a kernel may have no IPv6
			return nil, err
		}
		for line := range strings.Lines(string(b)) {
			f := strings.Fields(line)
			if len(f) < 10 || !sockets[f[9]] {
				continue
			}
			port, err := strconv.ParseUint(f[1][strings.LastIndex(f[1], ":")+1:], 16, 16)
			if err != nil {
				return nil, err
			}
			ports[strconv.FormatUint(port, 10)] = true
		}
	}
	if len(ports) == 0 {
		return nil, fmt.Errorf("process %d has no connection", pid)
	}
	return ports, nil
}

// publish makes records and changes them in turn, through whichever process
// answers, at a pace that lets kills fall between. It returns the titles of the
// versions that were acknowledged: a title names its version.
func publish(ctx context.Context, rng *rand.Rand, procs [2]*rig.Node, n int) []string {
	var acked []string
	slugs, versions := make([]string, objectsOut), make([]int, objectsOut)
	objects := min(objectsOut, max(1, n/5))
	for i := 0; len(acked) < n && ctx.Err() == nil; i++ {
		o := i % objects
		if i >= objects {
			o = rng.IntN(objects)
		}
		versions[o]++
		title := fmt.Sprintf("Fiche %03d v%04d", o, versions[o])
		body := map[string]any{
			"title": title, "tagline": "Une fiche qui change.", "description": "Texte.",
			"themes": []string{"reemploi"}, "places": []map[string]any{{"insee": "29019"}},
		}
		var made rig.Listed
		var err error
		p := procs[rng.IntN(2)]
		if slugs[o] == "" {
			err = p.API(ctx, http.MethodPost, "initiatives", body, &made)
		} else {
			err = p.API(ctx, http.MethodPut, "initiatives/"+slugs[o], body, &made)
		}
		if err == nil {
			slugs[o] = made.Slug
			acked = append(acked, title)
		}
		time.Sleep(30 * time.Millisecond)
	}
	return acked
}

// recorder is the peer's account of what was delivered to it.
type recorder struct {
	mu       sync.Mutex
	isFollow bool
	order    []delivery
	first    map[string]time.Time // activity id → first complete receipt
	times    map[string]int       // activity id → receipts
	inFlight map[string]int       // by the port that it came from
	answered []answer
	allowed  int
}

// answer is when a delivery was answered, and to which port.
type answer struct {
	port string
	at   time.Time
}

type delivery struct {
	object   string
	title    string
	revision int
}

func (r *recorder) inbox(w http.ResponseWriter, q *http.Request, body []byte) {
	port := q.RemoteAddr[strings.LastIndex(q.RemoteAddr, ":")+1:]
	r.mu.Lock()
	r.inFlight[port]++
	r.mu.Unlock()
	var a struct {
		ID     string `json:"id"`
		Type   string `json:"type"`
		Object struct {
			ID       string `json:"id"`
			Name     string `json:"name"`
			Revision int    `json:"essaim:revision"`
		} `json:"object"`
	}
	err := json.Unmarshal(body, &a)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.inFlight[port]--
	r.answered = append(r.answered, answer{port, time.Now()})
	switch {
	case err != nil:
		w.WriteHeader(http.StatusBadRequest)
		return
	case a.Type == "Accept":
		r.isFollow = true
	case a.Type == "Create" || a.Type == "Update":
		if r.times[a.ID]++; r.times[a.ID] == 1 {
			r.first[a.ID] = time.Now()
			r.order = append(r.order, delivery{a.Object.ID, a.Object.Name, a.Object.Revision})
		}
	}
	w.WriteHeader(http.StatusAccepted)
}

func (r *recorder) accepted() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.isFollow {
		return fmt.Errorf("the follow is not accepted yet")
	}
	return nil
}

// killing notes how many deliveries of the process with these ports are in
// flight: begun, or answered so recently that the answer may not be noted yet.
func (r *recorder) killing(ports map[string]bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for port, n := range r.inFlight {
		if ports[port] {
			r.allowed += n
		}
	}
	since := time.Now().Add(-settling)
	for _, a := range r.answered {
		if ports[a.port] && a.at.After(since) {
			r.allowed++
		}
	}
}

func (r *recorder) has(titles []string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	got := map[string]bool{}
	for _, d := range r.order {
		got[d.title] = true
	}
	var missing []string
	for _, t := range titles {
		if !got[t] {
			missing = append(missing, t)
		}
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		return fmt.Errorf("%d of %d versions are missing, such as %q", len(missing), len(titles), missing[0])
	}
	return nil
}

func (r *recorder) inOrder() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	last := map[string]int{}
	for _, d := range r.order {
		if d.revision <= last[d.object] {
			return fmt.Errorf("%s: version %d came after %d", d.object, d.revision, last[d.object])
		}
		last[d.object] = d.revision
	}
	if len(last) == 0 {
		return fmt.Errorf("nothing was delivered")
	}
	return nil
}

func (r *recorder) repeats() (repeated, allowed int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, n := range r.times {
		repeated += n - 1
	}
	return repeated, r.allowed
}
