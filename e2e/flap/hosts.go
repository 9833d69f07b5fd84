// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"essaim/e2e/rig"
)

// mood is how a host answers for now.
type mood int

const (
	well   mood = iota
	down        // nobody listens
	hangs       // takes the request and never answers
	resets      // breaks the connection off
	busy        // 429 with Retry-After
	broken      // 500
	page        // 200 with a page for people, as a captive portal does
	moods
)

func (m mood) String() string {
	return [...]string{"well", "down", "hangs", "resets", "busy", "broken", "page"}[m]
}

// retryAfter is what a busy host asks for.
const retryAfter = 3 * time.Second

// inboxesOf is how many followers a host has, each with an inbox of its own.
const inboxesOf = 2

// host is a server with followers of the node's territory.
type host struct {
	address string
	url     string
	peer    *rig.Peer // lends its key
	all     *account

	mu      sync.Mutex
	mood    mood
	server  *http.Server
	release chan struct{} // closed when those that hang may go
	under   int           // requests that it is answering while it is well
	conns   int
	got     []receipt
	times   map[string]int // activity and inbox → receipts that were answered 2xx
	asked   []time.Time    // when a request came
	pauses  []time.Time    // when a Retry-After was first given
	failed  time.Time      // first failure that it answered
	back    time.Time      // since when it is well
	maxOpen int
	over    time.Time     // since when more connections stand than are promised
	tooMany time.Duration // longest time that they did
	maxBack int           // requests at a time within the first half second after a return
}

// receipt is a version that a host took with a 2xx.
type receipt struct {
	inbox, object, title string
	revision             int
}

// account counts over all hosts.
type account struct {
	open, maxOpen   atomic.Int64 // connections, those kept for later too
	under, maxUnder atomic.Int64 // deliveries that wait for their answer
	accepts         atomic.Int64
}

// accepted waits for as many Accepts of follows.
func (a *account) accepted(within time.Duration, want int64) error {
	return rig.Eventually(within, func() error {
		if n := a.accepts.Load(); n < want {
			return fmt.Errorf("%d Accepts of %d", n, want)
		}
		return nil
	})
}

func newHost(address string, peer *rig.Peer, all *account) (*host, error) {
	l, err := net.Listen("tcp", address+":0")
	if err != nil {
		return nil, err
	}
	h := &host{address: l.Addr().String(), url: "http://" + l.Addr().String(), peer: peer, all: all, times: map[string]int{}, release: make(chan struct{})}
	h.serve(l)
	return h, nil
}

func (h *host) serve(l net.Listener) {
	h.server = &http.Server{
		Handler: http.HandlerFunc(h.answer), ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0),
		ConnState: h.count,
	}
	go func(s *http.Server) { _ = s.Serve(l) }(h.server) // ends with Close
}

// count follows how many connections stand.
func (h *host) count(_ net.Conn, state http.ConnState) {
	d := 0
	switch state {
	case http.StateNew:
		d = 1
	case http.StateClosed, http.StateHijacked:
		d = -1
	default:
		return
	}
	h.mu.Lock()
	h.conns += d
	h.maxOpen = max(h.maxOpen, h.conns)
	if !h.over.IsZero() {
		h.tooMany = max(h.tooMany, time.Since(h.over))
	}
	if h.conns <= maxAtOnce {
		h.over = time.Time{}
	} else if h.over.IsZero() {
		h.over = time.Now()
	}
	h.mu.Unlock()
	highest(&h.all.maxOpen, h.all.open.Add(int64(d)))
}

// highest keeps the greatest of what it is given.
func highest(most *atomic.Int64, n int64) {
	for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
	}
}

// turn changes the host's mood.
func (h *host) turn(m mood) error {
	h.mu.Lock()
	was := h.mood
	h.mood = m
	close(h.release)
	h.release = make(chan struct{})
	if m == well && was != well {
		h.back = time.Now()
	}
	server := h.server
	h.mu.Unlock()
	if m == down && was != down {
		return server.Close()
	}
	if was != down || m == down {
		return nil
	}
	// The port was ours a moment ago: connections of before may hold it a while.
	return rig.Eventually(5*time.Second, func() error {
		l, err := net.Listen("tcp", h.address)
		if err == nil {
			h.serve(l)
		}
		return err
	})
}

func (h *host) answer(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		h.peer.WriteActor(w, h.url+r.URL.Path)
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return // the sender went away: nothing was received
	}
	h.mu.Lock()
	now := time.Now()
	h.asked = append(h.asked, now)
	m, release := h.mood, h.release
	if m == well {
		h.under++ // those that hung until now came before
		if now.Sub(h.back) < 500*time.Millisecond {
			h.maxBack = max(h.maxBack, h.under)
		}
	}
	if (m == busy || m == broken) && h.failed.IsZero() { // others fail when the node sees it
		h.failed = now
	}
	if m == busy && (len(h.pauses) == 0 || now.Sub(h.pauses[len(h.pauses)-1]) > retryAfter) {
		h.pauses = append(h.pauses, now)
	}
	h.mu.Unlock()
	highest(&h.all.maxUnder, h.all.under.Add(1))
	defer func() {
		h.all.under.Add(-1)
		if m == well {
			h.mu.Lock()
			h.under--
			h.mu.Unlock()
		}
	}()
	switch m {
	case hangs:
		select {
		case <-release:
		case <-r.Context().Done():
		}
		panic(http.ErrAbortHandler)
	case resets:
		if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
			if tcp, ok := conn.(*net.TCPConn); ok {
				_ = tcp.SetLinger(0) // so that the close is a reset
			}
			_ = conn.Close()
		}
	case busy:
		w.Header().Set("Retry-After", fmt.Sprint(int(retryAfter.Seconds())))
		w.WriteHeader(http.StatusTooManyRequests)
	case broken:
		w.WriteHeader(http.StatusInternalServerError)
	case page:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, "<!doctype html><html><title>Bienvenue</title><p>Connectez-vous au réseau.</p></html>") // nobody reads it
	default:
		h.take(r.URL.Path, body)
		w.WriteHeader(http.StatusAccepted)
	}
}

// take notes what was received and is about to be answered 202.
func (h *host) take(inbox string, body []byte) {
	var a struct {
		ID     string `json:"id"`
		Type   string `json:"type"`
		Object struct {
			ID       string `json:"id"`
			Name     string `json:"name"`
			Revision int    `json:"essaim:revision"`
		} `json:"object"`
	}
	if json.Unmarshal(body, &a) != nil {
		return
	}
	if a.Type == "Accept" {
		h.all.accepts.Add(1)
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	key := inbox + " " + a.ID
	if h.times[key]++; h.times[key] == 1 {
		h.got = append(h.got, receipt{inbox, a.Object.ID, a.Object.Name, a.Object.Revision})
	}
}

// received is how many deliveries came, each once.
func (h *host) received() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.got)
}

// actor is the id of follower i of the host.
func (h *host) actor(i int) string { return fmt.Sprintf("%s/actors/%d", h.url, i) }

// flap changes the host's mood at random until stop, and leaves it well.
func (h *host) flap(rng *rand.Rand, stop <-chan struct{}) (changes int, err error) {
	for {
		pause := time.NewTimer(time.Duration(1000+rng.IntN(6000)) * time.Millisecond)
		select {
		case <-stop:
			pause.Stop()
			return changes, h.turn(well)
		case <-pause.C:
		}
		next := well
		if rng.IntN(3) > 0 {
			next = mood(1 + rng.IntN(int(moods)-1))
		}
		if err := h.turn(next); err != nil {
			return changes, fmt.Errorf("%s, %s: %w", h.address, next, err)
		}
		changes++
	}
}
