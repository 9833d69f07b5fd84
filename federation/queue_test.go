// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"essaim"
	"essaim/federation/fetch"
)

// row is a delivery in the queue of a test.
type row struct {
	essaim.Delivery
	state  essaim.DeliveryState
	nextAt time.Time
	reason string
	doneAt time.Time
}

// queue keeps deliveries in memory by the rules of DeliveryStore, so that the
// schedule can be tested under a clock of its own.
type queue struct {
	mu    sync.Mutex
	rows  []*row
	hosts map[string]essaim.HostState
	bell  chan struct{}
	lost  []string // inboxes
	// away makes every write fail.
	away error
}

func newQueue() *queue {
	return &queue{hosts: map[string]essaim.HostState{}, bell: make(chan struct{}, 1)}
}

func (q *queue) add(inbox, orderKey string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	u, err := url.Parse(inbox)
	if err != nil {
		panic(err)
	}
	n := int64(len(q.rows) + 1)
	q.rows = append(q.rows, &row{state: essaim.DeliveryWaiting, nextAt: time.Now(), Delivery: essaim.Delivery{
		ID: n, Host: u.Host, Inbox: inbox, OrderKey: orderKey, Actor: "https://brest.example/actors/brest",
		ActivityID: fmt.Sprintf("https://brest.example/activities/%d", n), Body: []byte("{}"), CreatedAt: time.Now(),
	}})
	q.ring()
}

func (q *queue) ring() {
	select {
	case q.bell <- struct{}{}:
	default:
	}
}

func (q *queue) due(r *row, now time.Time) bool {
	if r.state != essaim.DeliveryWaiting || r.nextAt.After(now) || r.LeaseUntil.After(now) {
		return false
	}
	for _, e := range q.rows {
		if e.ID < r.ID && e.state == essaim.DeliveryWaiting && e.Inbox == r.Inbox && e.OrderKey == r.OrderKey {
			return false
		}
	}
	return true
}

func (q *queue) Announce(context.Context) (int, error) { return 0, nil }

func (q *queue) Dispatch(context.Context, string, int) (int, error) { return 0, nil }

func (q *queue) DueHosts(context.Context, int) ([]essaim.HostState, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now, seen := time.Now(), map[string]bool{}
	var out []essaim.HostState
	for _, r := range q.rows {
		h := q.hosts[r.Host]
		if !seen[r.Host] && !h.NextAt.After(now) && q.due(r, now) {
			seen[r.Host] = true
			h.Host = r.Host
			out = append(out, h)
		}
	}
	return out, nil
}

func (q *queue) ClaimDeliveries(_ context.Context, host string, n int, lease time.Duration) ([]essaim.Delivery, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	var out []essaim.Delivery
	for _, r := range q.rows {
		if len(out) < n && r.Host == host && q.due(r, now) && !q.hosts[host].PausedUntil.After(now) {
			r.LeaseUntil = now.Add(lease)
			r.Attempt++
			out = append(out, r.Delivery)
		}
	}
	return out, nil
}

func (q *queue) FinishDeliveries(_ context.Context, results []essaim.DeliveryResult) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.away != nil {
		return q.away
	}
	for _, res := range results {
		r := q.rows[res.ID-1]
		if r.Attempt != res.Attempt || r.state != essaim.DeliveryWaiting {
			continue
		}
		if !res.Untried.IsZero() {
			if r.LeaseUntil.Equal(res.Untried) {
				r.Attempt--
				r.nextAt, r.LeaseUntil = res.NextAt, time.Time{}
			}
			continue
		}
		r.state, r.nextAt, r.LeaseUntil, r.reason, r.Status = res.State, res.NextAt, time.Time{}, res.Reason, res.Status
		if res.State != essaim.DeliveryWaiting {
			r.doneAt = time.Now()
		}
	}
	q.ring()
	return nil
}

func (q *queue) SaveHost(_ context.Context, h essaim.HostState) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	paused := q.hosts[h.Host].PausedUntil
	if paused.After(h.PausedUntil) {
		h.PausedUntil = paused
	}
	if paused.After(h.NextAt) {
		h.NextAt = paused
	}
	q.hosts[h.Host] = h
	return nil
}

func (q *queue) WakeHost(_ context.Context, host string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	h := q.hosts[host]
	h.NextAt = h.PausedUntil
	q.hosts[host] = h
	for _, r := range q.rows {
		outcome := judge(fetch.Result{Status: r.Status}, nil).outcome
		late := outcome == gone || outcome == misplaced && time.Since(r.CreatedAt) > essaim.MisplacedAfter
		if r.Host == host && r.state == essaim.DeliveryWaiting && !late {
			r.nextAt = time.Now()
		}
	}
	q.ring()
	return nil
}

func (q *queue) WakeHosts(context.Context) error { return nil }

func (q *queue) LoseInbox(_ context.Context, inbox string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.lost = append(q.lost, inbox)
	return nil
}

func (q *queue) Notify() <-chan struct{} { return q.bell }

// count is how many rows are in a state.
func (q *queue) count(state essaim.DeliveryState) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := 0
	for _, r := range q.rows {
		if r.state == state {
			n++
		}
	}
	return n
}

// post is one request that arrived at the network of a test.
type post struct {
	inbox, signature string
	at               time.Time
}

// outside answers posts and keeps count of what is under way.
type outside struct {
	answer func(inbox string, r *http.Request) (fetch.Result, error)
	took   time.Duration
	hangs  func(inbox string) bool

	mu      sync.Mutex
	posts   []post
	busy    map[string]int // by host
	peak    map[string]int
	total   int
	maximum int
}

func newOutside() *outside {
	return &outside{busy: map[string]int{}, peak: map[string]int{}, took: 10 * time.Millisecond}
}

func (w *outside) Post(ctx context.Context, inbox string, body []byte, sign func(*http.Request, []byte) error) (fetch.Result, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, inbox, nil)
	if err != nil {
		return fetch.Result{}, err
	}
	if w.answer != nil { // signing costs a millisecond: only where it is looked at
		if err := sign(r, body); err != nil {
			return fetch.Result{}, err
		}
	}
	w.mu.Lock()
	host := r.URL.Host
	w.posts = append(w.posts, post{inbox: inbox, signature: r.Header.Get("Signature-Input"), at: time.Now()})
	w.busy[host]++
	w.total++
	w.peak[host], w.maximum = max(w.peak[host], w.busy[host]), max(w.maximum, w.total)
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		w.busy[host]--
		w.total--
		w.mu.Unlock()
	}()
	took := time.NewTimer(w.took)
	defer took.Stop()
	var answers <-chan time.Time
	if w.hangs == nil || !w.hangs(inbox) {
		answers = took.C
	}
	select {
	case <-ctx.Done():
		return fetch.Result{}, fmt.Errorf("%s: %w: %w", host, essaim.ErrUnavailable, ctx.Err())
	case <-answers:
	}
	if w.answer != nil {
		return w.answer(inbox, r)
	}
	return fetch.Result{Status: http.StatusAccepted}, nil
}

func (w *outside) times(inbox string) []time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []time.Duration
	for _, p := range w.posts {
		if p.inbox == inbox {
			out = append(out, p.at.Sub(w.posts[0].at))
		}
	}
	return out
}

var testKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// deliverAll runs a deliverer in the bubble until what returns true, at most
// for limit, stops it, and returns how long that took without the stop.
func deliverAll(t *testing.T, q *queue, w *outside, limit time.Duration, until func() bool) time.Duration {
	t.Helper()
	d, err := NewDeliverer(DelivererConfig{Store: q, Client: w, Key: testKey(), Random: func() float64 { return 0.5 }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	began := time.Now()
	for !until() && time.Since(began) < limit {
		<-time.After(max(5*time.Millisecond, limit/20_000)) // of the bubble's clock
	}
	took := time.Since(began)
	cancel()
	if err := <-done; err != nil {
		t.Errorf("deliverer: %v", err)
	}
	return took
}

// panics fails in the middle of a try.
type panics struct{}

func (p panics) Post(context.Context, string, []byte, func(*http.Request, []byte) error) (fetch.Result, error) {
	panic("a bug")
}
