// SPDX-License-Identifier: AGPL-3.0-or-later

package convergence

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	"essaim/federation/fedtest"
)

// network carries requests between the nodes of a world, and is the proxy that
// loses, cuts and resets.
type network struct {
	mu    sync.Mutex
	seed  uint64
	hosts map[string]http.Handler
	cut   map[[2]string]bool
	seen  map[string]int // requests of a name so far
	// What it does to requests, while faulty: of a hundred deliveries so many are
	// answered 202 and thrown away, of a hundred requests so many are reset.
	faulty      bool
	lost, reset int
	// What it did.
	onLost  func(from, to string, a activity)
	onReset func(from, to, name, path string) // of what is no delivery
	onRetry func(name string)                 // a delivery that was reset is answered

	resets map[string]bool // names that were reset and not answered since
	dying  *death
	count  traffic
}

// traffic is what was carried.
type traffic struct{ requests, bytes int }

func (t traffic) minus(o traffic) traffic { return traffic{t.requests - o.requests, t.bytes - o.bytes} }

// death is planned for a node: at its so-manieth request from now.
type death struct {
	host    string
	left    int
	reached chan struct{}
	release chan struct{} // closed once its store is
}

var (
	errAway  = errors.New("no route to host")
	errReset = errors.New("connection reset by peer")
)

func newNetwork(seed uint64) *network {
	return &network{seed: seed, hosts: map[string]http.Handler{}, cut: map[[2]string]bool{}, seen: map[string]int{}, resets: map[string]bool{}}
}

// serve puts a handler behind a host; none for one that is down.
func (n *network) serve(host string, h http.Handler) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hosts[host] = h
}

// part cuts the way from one host to another, or opens it.
func (n *network) part(from, to string, cut bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cut[[2]string{from, to}] = cut
}

// doom has a host die at its so-manieth request from now.
func (n *network) doom(host string, left int) *death {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.dying = &death{host: host, left: left, reached: make(chan struct{}), release: make(chan struct{})}
	return n.dying
}

// spare ends that and gives how many requests were left.
func (n *network) spare() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	left := n.dying.left
	n.dying = nil
	return left
}

func (n *network) carried() traffic {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.count
}

// link is the network as one host reaches it, from a start to its end.
type link struct {
	*network
	from string
	dead atomic.Bool
}

func (n *network) of(host string) *link { return &link{network: n, from: host} }

// activity is what the proxy reads of a delivery.
type activity struct {
	Type, Actor string
	Object      json.RawMessage
}

// about is the id of an activity's object and the revision of what it carries.
func (a activity) about() (id string, revision int) {
	if json.Unmarshal(a.Object, &id) == nil {
		return id, 0
	}
	var o struct {
		ID       string
		Revision int `json:"essaim:revision"`
	}
	_ = json.Unmarshal(a.Object, &o) // what is no object has no id
	return o.ID, o.Revision
}

// dice draws from 0 to 99 by the seed and what it is about, whatever else was
// drawn before.
func (n *network) dice(about ...any) int {
	h := fnv.New64a()
	fmt.Fprint(h, append([]any{n.seed, "|"}, about...)...)
	x := h.Sum64()
	x ^= x >> 33 // FNV's low bits are of the last bytes alone
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	return int(x % 100)
}

// RoundTrip implements http.RoundTripper.
func (l *link) RoundTrip(r *http.Request) (*http.Response, error) {
	to := strings.ToLower(r.URL.Host)
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		_ = r.Body.Close()
	}
	name, lost, fate := l.fate(r, to, body)
	if fate == resetBefore || fate == resetAfter {
		path := r.URL.RequestURI()
		if r.Method == http.MethodPost {
			path = ""
		}
		l.onReset(l.from, to, name, path)
	}
	switch {
	case fate == away || l.dies():
		return nil, fmt.Errorf("dial %s: %w", to, errAway)
	case fate == resetBefore:
		return nil, fmt.Errorf("%s: %w", to, errReset)
	case lost != nil:
		l.onLost(l.from, to, *lost)
		return answer(r, http.StatusAccepted, nil), nil
	}
	l.mu.Lock()
	h := l.hosts[to]
	l.mu.Unlock()
	w := fedtest.Answer(h, r, to, body)
	out, header := w.Body.Bytes(), w.Header()
	l.mu.Lock()
	l.count.requests++
	l.count.bytes += len(body) + len(out) + size(r.Header) + size(header) + len(r.URL.RequestURI())
	l.mu.Unlock()
	if fate == resetAfter {
		return nil, fmt.Errorf("%s: %w", to, errReset)
	}
	l.answered(name)
	a := answer(r, w.Code, out)
	a.Header = header
	return a, nil
}

// answered notes that a request that was reset before is answered.
func (n *network) answered(name string) {
	n.mu.Lock()
	was := n.resets[name]
	delete(n.resets, name)
	n.mu.Unlock()
	if was {
		n.onRetry(name)
	}
}

type fate int

const (
	carried     fate = iota
	away             // nobody there, or no way to it
	resetBefore      // the request never arrived
	resetAfter       // it arrived, its answer never did
)

// fate says what becomes of a request, the activity if it is a delivery that is to
// be thrown away, and the name by which the same request is known again.
func (l *link) fate(r *http.Request, to string, body []byte) (name string, lost *activity, f fate) {
	l.mu.Lock()
	defer l.mu.Unlock()
	name = fmt.Sprint(l.from, " ", r.Method, " ", to, r.URL.RequestURI())
	var a activity
	id, revision := "", 0
	if r.Method == http.MethodPost && json.Unmarshal(body, &a) == nil {
		id, revision = a.about()
		name = fmt.Sprint(name, " ", a.Type, " ", id, " ", revision)
	}
	if l.hosts[to] == nil || l.cut[[2]string{l.from, to}] {
		return name, nil, away
	}
	if !l.faulty {
		return name, nil, carried
	}
	l.seen[name]++
	resettable := r.Method == http.MethodPost || strings.HasPrefix(r.URL.Path, "/commons")
	if d := l.dice("reset", name, l.seen[name]); resettable && d < l.reset {
		l.resets[name] = r.Method == http.MethodPost
		return name, nil, resetBefore + fate(d%2)
	}
	if r.Method == http.MethodPost && l.dice("lost", name) < l.lost {
		return name, &a, carried
	}
	return name, nil, carried
}

func answer(r *http.Request, status int, body []byte) *http.Response {
	return &http.Response{
		Status: http.StatusText(status), StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}
}

func size(h http.Header) (n int) {
	for name, values := range h {
		for _, v := range values {
			n += len(name) + len(v) + 4
		}
	}
	return n
}

// dies holds a request of the node whose death is due until that is over, and
// tells whether the node is dead: then it has no way to anybody.
func (l *link) dies() bool {
	l.mu.Lock()
	d := l.dying
	if d == nil || d.host != l.from || l.dead.Load() {
		l.mu.Unlock()
		return l.dead.Load()
	}
	if d.left--; d.left == 0 {
		close(d.reached)
	}
	over := d.left <= 0
	l.mu.Unlock()
	if over {
		<-d.release
	}
	return over
}
