// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"essaim/e2e/rig"
)

const (
	evilHosts   = 500 // names that a hostile peer signs under
	processWait = 5 * time.Second
	pageWait    = 300 * time.Millisecond
	floodMemory = 512 << 20
)

// flooded sends signed activities of a hostile peer as fast as asked, under one
// name and under hundreds, beside an honest peer and readers (P9).
func (r *run) flooded() {
	label := r.db + ", under a flood: "
	var node *rig.Node
	var honest *asker
	r.Must(label+"a node and an honest peer", func() (err error) {
		if node, err = r.node("flood", false); err != nil {
			return err
		}
		honest, err = r.newAsker(node)
		return err
	})
	for _, names := range []int{1, evilHosts} {
		what := fmt.Sprintf("%s%d hostile name(s), ", label, names)
		f := &flood{run: r, node: node, honest: honest}
		r.Check(what+"a hostile peer is answered", func() error { return f.rage(names) })
		p99 := percentile(f.took, 0.99)
		pages := percentile(f.pages, 0.95)
		now, peak, err := node.RSS()
		prefix := fmt.Sprintf("%s_flood_%d_", r.db, names)
		r.Figure(prefix+"sent", f.sent.Load(), "")
		r.Figure(prefix+"rate", float64(f.sent.Load())/r.flood.Seconds(), "requests/s")
		r.Figure(prefix+"answers", f.statuses(), "")
		r.Figure(prefix+"honest_p99", ms(p99), "ms")
		r.Figure(prefix+"page_p95", ms(pages), "ms")
		r.Figure(prefix+"rss_peak", float64(peak)/1e6, "MB")
		r.Check(what+"no honest request is refused, each takes 5 s at most at the 99th percentile (P9)", func() error {
			if f.refused != nil {
				return f.refused
			}
			if len(f.took) == 0 || p99 > processWait {
				return fmt.Errorf("%d answered, 99th percentile %s", len(f.took), p99)
			}
			return nil
		})
		r.Check(what+"pages stay fast: 300 ms at the 95th percentile (P9)", func() error {
			if f.failed != nil {
				return f.failed
			}
			if len(f.pages) == 0 || pages > pageWait {
				return fmt.Errorf("%d pages, 95th percentile %s", len(f.pages), pages)
			}
			return nil
		})
		r.Check(what+"memory stays below 512 MB (P9)", func() error {
			if err == nil && (now == 0 || peak > floodMemory) {
				err = fmt.Errorf("%d MB at the highest", peak/1e6)
			}
			return err
		})
		r.Check(what+"nothing was answered 5xx but 503", func() error {
			for status, n := range f.answers {
				if status >= 500 && status != http.StatusServiceUnavailable {
					return fmt.Errorf("%d times %d", n, status)
				}
			}
			return nil
		})
	}
	honest.Close()
	node.Stop()
}

// flood is one flood and what others saw of it.
type flood struct {
	*run
	node   *rig.Node
	honest *asker
	sent   atomic.Int64

	mu      sync.Mutex
	answers map[int]int
	took    []time.Duration
	refused error
	pages   []time.Duration
	failed  error
}

// rage floods under a number of names. Signing costs the hostile peer as much
// as the node pays to check, so what it sends was signed beforehand, in part
// again and again.
func (f *flood) rage(names int) error {
	evil, err := rig.NewPeer(nil)
	if err != nil {
		return err
	}
	defer evil.Close()
	actors, stop, err := aliases(evil, names)
	if err != nil {
		return err
	}
	defer stop()
	shots, err := f.prepare(evil, actors)
	if err != nil {
		return err
	}
	f.answers = map[int]int{}
	done := make(chan struct{})
	var others, senders sync.WaitGroup
	others.Go(func() { f.honestly(done) })
	others.Go(func() { f.read(done) })
	client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64, MaxConnsPerHost: 64}}
	defer client.CloseIdleConnections()
	start := time.Now()
	var next atomic.Int64
	for range 32 {
		senders.Go(func() {
			for time.Since(start) < f.flood {
				i := int(next.Add(1)) - 1
				if ahead := time.Duration(i)*time.Second/time.Duration(f.rate) - time.Since(start); ahead > 0 {
					time.Sleep(ahead)
				}
				f.shoot(client, shots[i%len(shots)])
			}
		})
	}
	senders.Wait()
	close(done)
	others.Wait()
	took, err := f.honest.answers()
	f.took = append(f.took, took...)
	if f.sent.Load() == 0 {
		return errors.New("nothing was sent")
	}
	return err
}

type shot struct {
	header http.Header
	body   []byte
}

// prepare signs what will be sent: activities that are valid, some for actors
// that do not exist, some whose signature is broken.
func (f *flood) prepare(evil *rig.Peer, actors []string) ([]shot, error) {
	shots := make([]shot, 4000)
	var wg sync.WaitGroup
	errs := make([]error, 2)
	for w := range errs {
		wg.Go(func() {
			for i := w; i < len(shots); i += len(errs) {
				actor := actors[i%len(actors)]
				if i%7 == 0 {
					actor += fmt.Sprintf("-absent-%d", i)
				}
				body := evil.Activity("Like", fmt.Sprintf("flood-%d-%d", len(actors), i), actor, f.honest.target, nil)
				body = bytes.Replace(body, []byte(evil.URL+"/activities"), []byte(actor+"/activities"), 1)
				req, err := http.NewRequestWithContext(f.ctx, http.MethodPost, f.node.URL+"/inbox", nil)
				if err == nil {
					err = evil.Sign(req, actor, body)
				}
				if err != nil {
					errs[w] = err
					return
				}
				if i%5 == 0 {
					req.Header.Set("Digest", "SHA-256=AAAA")
				}
				shots[i] = shot{req.Header, body}
			}
		})
	}
	wg.Wait()
	return shots, errors.Join(errs...)
}

func (f *flood) shoot(client *http.Client, s shot) {
	req, err := http.NewRequestWithContext(f.ctx, http.MethodPost, f.node.URL+"/inbox", bytes.NewReader(s.body))
	if err != nil {
		return
	}
	req.Header = s.header.Clone()
	f.sent.Add(1)
	status := 0
	if resp, err := client.Do(req); err == nil {
		_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16)) // so that the connection serves again
		resp.Body.Close()
		status = resp.StatusCode
	}
	f.mu.Lock()
	f.answers[status]++
	f.mu.Unlock()
}

// statuses is how often each answer was given; 0 is no answer.
func (f *flood) statuses() map[string]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	m := map[string]int{}
	for status, n := range f.answers {
		m[fmt.Sprint(status)] = n
	}
	return m
}

// honestly follows ten times a second.
func (f *flood) honestly(done <-chan struct{}) {
	for {
		select {
		case <-done:
			return
		case <-time.After(100 * time.Millisecond):
		}
		if err := f.honest.ask(); err != nil {
			f.refused = err
		}
	}
}

// read asks for pages ten times a second, of those that one reader may have as often.
func (f *flood) read(done <-chan struct{}) {
	for i := 0; ; i++ {
		select {
		case <-done:
			return
		case <-time.After(100 * time.Millisecond):
		}
		start := time.Now()
		status, _, err := rig.Get(f.ctx, f.node.URL+[]string{"/", "/initiatives", "/recherche?q=jardin"}[i%3], "text/html")
		if err == nil && status != http.StatusOK {
			err = fmt.Errorf("page: %d", status)
		}
		if err != nil {
			f.failed = err
			continue
		}
		f.pages = append(f.pages, time.Since(start))
	}
}

// aliases makes the peer answer under more names: one actor at each. An actor
// whose name ends in a number that was not given exists nowhere.
func aliases(p *rig.Peer, names int) (actors []string, stop func(), err error) {
	var servers []*http.Server
	stop = func() {
		for _, s := range servers {
			_ = s.Close()
		}
	}
	for i := range names {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.%d.%d:0", 4+i/250, 1+i%250))
		if err != nil {
			stop()
			return nil, nil, err
		}
		base := "http://" + l.Addr().String()
		s := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/actors/1" {
				http.NotFound(w, r)
				return
			}
			p.WriteActor(w, base+r.URL.Path)
		})}
		servers = append(servers, s)
		go func() { _ = s.Serve(l) }() // ends with stop
		actors = append(actors, base+"/actors/1")
	}
	return actors, stop, nil
}
