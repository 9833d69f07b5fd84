// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"essaim"
	"essaim/federation/fetch"
)

// row is a delivery in the queue of a test.
type row struct {
	essaim.Delivery
	state  essaim.DeliveryState
	nextAt time.Time
	lease  time.Time
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
	if r.state != essaim.DeliveryWaiting || r.nextAt.After(now) || r.lease.After(now) {
		return false
	}
	for _, e := range q.rows {
		if e.ID < r.ID && e.state == essaim.DeliveryWaiting && e.Inbox == r.Inbox && e.OrderKey == r.OrderKey {
			return false
		}
	}
	return true
}

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
		if len(out) < n && r.Host == host && q.due(r, now) {
			r.lease = now.Add(lease)
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
		r.state, r.nextAt, r.lease, r.reason = res.State, res.NextAt, time.Time{}, res.Reason
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
	q.hosts[h.Host] = h
	return nil
}

func (q *queue) WakeHost(_ context.Context, host string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	h := q.hosts[host]
	h.NextAt = time.Time{}
	q.hosts[host] = h
	for _, r := range q.rows {
		if r.Host == host && r.state == essaim.DeliveryWaiting {
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
	inbox, activity, signature string
	at                         time.Time
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
		time.Sleep(max(5*time.Millisecond, limit/20_000)) // of the bubble's clock
	}
	took := time.Since(began)
	cancel()
	if err := <-done; err != nil {
		t.Errorf("deliverer: %v", err)
	}
	return took
}

func TestAFanOutReachesEveryInboxOnce(t *testing.T) {
	t.Parallel()
	testKey()
	synctest.Test(t, func(t *testing.T) {
		q, w := newQueue(), newOutside()
		for i := range 1000 {
			q.add(fmt.Sprintf("https://h%d.example/inbox/%d", i%8, i), "object")
		}
		took := deliverAll(t, q, w, time.Minute, func() bool { return q.count(essaim.DeliveryDone) == 1000 })
		if got := q.count(essaim.DeliveryDone); got != 1000 || len(w.posts) != 1000 {
			t.Errorf("got %d delivered by %d requests, want 1000 by 1000", got, len(w.posts))
		}
		if took > time.Second {
			t.Errorf("took %s, want at most a second", took)
		}
		for host, n := range w.peak {
			if n > maxConnections {
				t.Errorf("%s: %d requests at a time, want at most %d", host, n, maxConnections)
			}
		}
		if w.maximum > 64 {
			t.Errorf("%d requests at a time, want at most 64", w.maximum)
		}
		if first := w.posts[0].at; w.posts[2*8].at.Equal(first) {
			t.Error("a host got more than two requests at first")
		}
	})
}

func TestSilentInboxesDisturbNobody(t *testing.T) {
	t.Parallel()
	testKey()
	for _, tt := range []struct {
		name  string
		inbox func(i int) string
	}{
		{"among those of eight hosts", func(i int) string { return fmt.Sprintf("https://h%d.example/inbox/%d", i%8, i) }},
		{"on a host of their own", func(i int) string {
			if silentOne(i) {
				return fmt.Sprintf("https://silent.example/inbox/%d", i)
			}
			return fmt.Sprintf("https://h%d.example/inbox/%d", i%8, i)
		}},
		{"each on its own host, first in line", func(i int) string {
			if silentOne(i) {
				return fmt.Sprintf("https://a%d.example/inbox/%d", i, i)
			}
			return fmt.Sprintf("https://h%d.example/inbox/%d", i%8, i)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				q, w := newQueue(), newOutside()
				silent := map[string]bool{}
				order := make([]int, 1000)
				for i := range order {
					order[i] = i
				}
				if strings.HasSuffix(tt.name, "first in line") {
					slices.SortFunc(order, func(a, b int) int { return rank(a) - rank(b) })
				}
				healthy := 0
				for _, i := range order {
					if !silentOne(i) {
						healthy++
					}
					silent[tt.inbox(i)] = silentOne(i)
					q.add(tt.inbox(i), "object")
				}
				w.hangs = func(inbox string) bool { return silent[inbox] }
				took := deliverAll(t, q, w, time.Minute, func() bool { return q.count(essaim.DeliveryDone) == healthy })
				if took > 1200*time.Millisecond {
					t.Errorf("healthy inboxes took %s, want at most 1.2 s", took)
				}
				for host, n := range w.peak {
					if n > maxConnections {
						t.Errorf("%s: %d requests at a time, want at most %d", host, n, maxConnections)
					}
				}
				if w.maximum > maxUnderWay {
					t.Errorf("%d requests at a time, want at most %d", w.maximum, maxUnderWay)
				}
			})
		})
	}
}

// silentOne picks a tenth of the inboxes, spread over all hosts.
func silentOne(i int) bool { return (i/8)%10 == 3 }

func rank(i int) int {
	if silentOne(i) {
		return 0
	}
	return 1
}

func TestVersionsOfAnObjectArriveInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, w := newQueue(), newOutside()
		w.took = 50 * time.Millisecond
		for range 20 {
			q.add("https://a.example/inbox", "object 1")
		}
		deliverAll(t, q, w, time.Minute, func() bool { return q.count(essaim.DeliveryDone) == 20 })
		if w.peak["a.example"] != 1 {
			t.Errorf("got %d versions of an object under way at once, want 1", w.peak["a.example"])
		}
		for i := 1; i < len(q.rows); i++ {
			if q.rows[i].doneAt.Before(q.rows[i-1].doneAt) {
				t.Errorf("version %d arrived before version %d", i+1, i)
			}
		}
	})
}

func TestAHostThatIsDownIsAskedLessAndLess(t *testing.T) {
	t.Parallel()
	testKey()
	synctest.Test(t, func(t *testing.T) {
		q, w := newQueue(), newOutside()
		down := true
		w.answer = func(inbox string, _ *http.Request) (fetch.Result, error) {
			if down && strings.Contains(inbox, "down") {
				return fetch.Result{}, fmt.Errorf("refused: %w", essaim.ErrUnavailable)
			}
			return fetch.Result{Status: 202}, nil
		}
		for i := range 50 {
			q.add(fmt.Sprintf("https://down.example/inbox/%d", i), "object")
		}
		q.add("https://up.example/inbox", "object")
		deliverAll(t, q, w, 24*time.Hour, func() bool { return false })
		if got := q.count(essaim.DeliveryDone); got != 1 {
			t.Errorf("got %d delivered, want the one to the host that is up", got)
		}
		// Three or four at first, then one after 1 m, 5 m, 30 m, 2 h, 6 h, 12 h.
		if got := len(w.posts) - 1; got < 8 || got > 11 {
			t.Errorf("got %d requests in a day to a host that is down, want 8 to 11", got)
		}
		if h := q.hosts["down.example"]; h.DownSince.IsZero() || h.LastReason == "" || h.Failures < 8 {
			t.Errorf("got host state %+v, want down with a reason", h)
		}
		down = false
		before := len(w.posts)
		if err := q.WakeHost(t.Context(), "down.example"); err != nil {
			t.Fatal(err)
		}
		took := deliverAll(t, q, w, time.Hour, func() bool { return q.count(essaim.DeliveryDone) == 51 })
		if got := len(w.posts) - before; got != 50 {
			t.Errorf("got %d requests for 50 deliveries, want 50", got)
		}
		if took < 4*time.Second || took > 20*time.Second {
			t.Errorf("50 deliveries to a host that came back took %s, want ten a second", took)
		}
		if h := q.hosts["down.example"]; h.Failures != 0 || !h.DownSince.IsZero() {
			t.Errorf("got host state %+v, want well", h)
		}
	})
}

func TestASecondFanOutIsNotHeldUpByTheFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, w := newQueue(), newOutside()
		hangs := func(i int) bool { return i%5 == 0 }
		w.hangs = func(inbox string) bool { return strings.HasSuffix(inbox, "/silent") }
		done := 0
		round := func(n int) {
			for i := range 100 {
				inbox := fmt.Sprintf("https://a.example/%d", i)
				if hangs(i) {
					inbox += "/silent"
				} else {
					done++
				}
				q.add(inbox, fmt.Sprint("object ", n))
			}
		}
		round(1)
		began := time.Now()
		var first time.Duration
		took := deliverAll(t, q, w, time.Minute, func() bool {
			if first == 0 && q.count(essaim.DeliveryDone) == done {
				first = time.Since(began)
			}
			// Later than the last answer, while tries of the first still hang.
			if done == 80 && time.Since(began) > 5*time.Second {
				round(2)
			}
			return done == 160 && q.count(essaim.DeliveryDone) == done
		})
		if first > 2*time.Second || took > 8*time.Second {
			t.Errorf("got the first after %s, the second %s after it began", first, took-5*time.Second)
		}
		if h := q.hosts["a.example"]; h.Failures > 0 {
			t.Errorf("a host that answers is taken for down: %+v", h)
		}
	})
}

func TestAHostThatFallsSilentIsLeftAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, w := newQueue(), newOutside()
		began := time.Now()
		w.hangs = func(string) bool { return time.Since(began) > 100*time.Millisecond }
		for i := range 1000 {
			q.add(fmt.Sprintf("https://a.example/inbox/%d", i), "object")
		}
		deliverAll(t, q, w, time.Minute, func() bool { return false })
		if wasted := len(w.posts) - q.count(essaim.DeliveryDone); wasted > 30 {
			t.Errorf("got %d requests to a host that fell silent, want at most 30 in a minute", wasted)
		}
		if h := q.hosts["a.example"]; h.Failures < breakAfter {
			t.Errorf("got %+v, want the breaker open", h)
		}
	})
}

func TestASlowHostIsNotTakenForASilentOne(t *testing.T) {
	t.Parallel()
	for _, took := range []time.Duration{500 * time.Millisecond, 4 * time.Second, 12 * time.Second} {
		t.Run(took.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				q, w := newQueue(), newOutside()
				w.took = took
				for i := range 60 {
					q.add(fmt.Sprintf("https://far.example/inbox/%d", i), "object")
				}
				deliverAll(t, q, w, 20*time.Minute, func() bool { return q.count(essaim.DeliveryDone) == 60 })
				if got := q.count(essaim.DeliveryDone); got != 60 || len(w.posts) != 60 {
					t.Errorf("got %d delivered by %d requests, want 60 by 60", got, len(w.posts))
				}
				if w.peak["far.example"] > maxConnections {
					t.Errorf("got %d requests at a time, want at most %d", w.peak["far.example"], maxConnections)
				}
			})
		})
	}
}

func TestRetryAfterIsObeyed(t *testing.T) {
	t.Parallel()
	testKey()
	synctest.Test(t, func(t *testing.T) {
		q, w := newQueue(), newOutside()
		var n int
		w.answer = func(string, *http.Request) (fetch.Result, error) {
			if n++; n == 1 {
				return fetch.Result{Status: http.StatusTooManyRequests, RetryAfter: 2 * time.Second}, nil
			}
			return fetch.Result{Status: 202}, nil
		}
		q.add("https://a.example/inbox", "object")
		deliverAll(t, q, w, time.Minute, func() bool { return q.count(essaim.DeliveryDone) == 1 })
		if got := w.times("https://a.example/inbox"); len(got) != 2 || got[1] < 2*time.Second || got[1] > 4*time.Second {
			t.Errorf("got requests at %v, want a second one 2 to 4 s after the first", got)
		}
	})
}

func TestAnInboxThatIsGoneIsAskedTwice(t *testing.T) {
	t.Parallel()
	testKey()
	synctest.Test(t, func(t *testing.T) {
		q, w := newQueue(), newOutside()
		w.answer = func(string, *http.Request) (fetch.Result, error) {
			return fetch.Result{Status: http.StatusGone}, nil
		}
		q.add("https://a.example/inbox", "object")
		deliverAll(t, q, w, 30*time.Hour, func() bool { return q.count(essaim.DeliveryFailed) == 1 })
		if got := w.times("https://a.example/inbox"); len(got) != 2 || got[1] < 24*time.Hour {
			t.Errorf("got requests at %v, want a second one a day after the first", got)
		}
		if want := []string{"https://a.example/inbox"}; !slices.Equal(q.lost, want) {
			t.Errorf("got %v lost, want %v", q.lost, want)
		}
	})
}

func TestTheOtherSignatureIsTriedOnceAndRemembered(t *testing.T) {
	t.Parallel()
	testKey()
	synctest.Test(t, func(t *testing.T) {
		q, w := newQueue(), newOutside()
		w.answer = func(_ string, r *http.Request) (fetch.Result, error) {
			if r.Header.Get("Signature-Input") == "" {
				return fetch.Result{Status: http.StatusUnauthorized}, nil
			}
			return fetch.Result{Status: 202}, nil
		}
		q.add("https://a.example/inbox", "1")
		deliverAll(t, q, w, time.Minute, func() bool { return q.count(essaim.DeliveryDone) == 1 })
		q.add("https://a.example/inbox", "2")
		deliverAll(t, q, w, time.Minute, func() bool { return q.count(essaim.DeliveryDone) == 2 })
		var styles []bool
		for _, p := range w.posts {
			styles = append(styles, p.signature != "")
		}
		if want := []bool{false, true, true}; !slices.Equal(styles, want) {
			t.Errorf("got RFC 9421 %v, want %v", styles, want)
		}
	})
}

func TestAStoppedDelivererGivesBackWhatItClaimed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, w := newQueue(), newOutside()
		w.took = 3 * time.Second
		for i := range 20 {
			q.add(fmt.Sprintf("https://a.example/inbox/%d", i), "object")
		}
		deliverAll(t, q, w, 500*time.Millisecond, func() bool { return false })
		if got := q.count(essaim.DeliveryDone); got != 2 {
			t.Errorf("got %d delivered, want the two that were under way", got)
		}
		for _, r := range q.rows {
			if r.lease.After(time.Now()) {
				t.Errorf("delivery %d is still leased", r.ID)
			}
		}
	})
}

func TestResultsAreWrittenWhenTheDatabaseComesBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, w := newQueue(), newOutside()
		q.away = errors.New("away")
		q.add("https://a.example/inbox", "object")
		began := time.Now()
		deliverAll(t, q, w, time.Minute, func() bool {
			if time.Since(began) > 2*time.Second {
				q.mu.Lock()
				q.away = nil
				q.mu.Unlock()
			}
			return q.count(essaim.DeliveryDone) == 1
		})
		if len(w.posts) != 1 {
			t.Errorf("got %d requests, want 1: the answer was known", len(w.posts))
		}
	})
}

// panics fails in the middle of a try.
type panics struct{ *outside }

func (p panics) Post(context.Context, string, []byte, func(*http.Request, []byte) error) (fetch.Result, error) {
	panic("a bug")
}

func TestAPanicInOneTryStopsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue()
		q.add("https://a.example/inbox", "object")
		d, err := NewDeliverer(DelivererConfig{Store: q, Client: panics{}, Key: testKey()})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := d.Run(ctx); err != nil {
			t.Fatal(err)
		}
		if r := q.rows[0]; r.state != essaim.DeliveryWaiting || r.reason != "internal error" || !r.nextAt.After(time.Now()) {
			t.Errorf("got %s at %s because %q, want waiting for another try", r.state, r.nextAt, r.reason)
		}
	})
}

func TestWhatAnAnswerComesTo(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	day := 24 * time.Hour
	unavailable := fmt.Errorf("x: %w", essaim.ErrUnavailable)
	for _, tt := range []struct {
		status int
		err    error
		age    time.Duration
		want   essaim.DeliveryState
		down   bool
		wait   time.Duration // a minute when 0
	}{
		{status: 200, want: essaim.DeliveryDone},
		{status: 202, want: essaim.DeliveryDone},
		{status: 204, want: essaim.DeliveryDone},
		{status: 301, want: essaim.DeliveryWaiting},
		{status: 302, age: 4 * day, want: essaim.DeliveryFailed},
		{status: 400, want: essaim.DeliveryFailed},
		{status: 401, want: essaim.DeliveryWaiting},
		{status: 401, age: 4 * day, want: essaim.DeliveryFailed},
		{status: 403, want: essaim.DeliveryWaiting},
		{status: 404, want: essaim.DeliveryWaiting},
		{status: 404, age: 4 * day, want: essaim.DeliveryFailed},
		{status: 408, want: essaim.DeliveryWaiting},
		{status: 410, want: essaim.DeliveryWaiting, wait: day},
		{status: 410, age: 25 * time.Hour, want: essaim.DeliveryFailed},
		{status: 413, want: essaim.DeliveryFailed},
		{status: 422, want: essaim.DeliveryFailed},
		{status: 429, want: essaim.DeliveryWaiting, down: true},
		{status: 500, want: essaim.DeliveryWaiting, down: true},
		{status: 501, want: essaim.DeliveryFailed},
		{status: 503, want: essaim.DeliveryWaiting, down: true},
		{status: 503, age: 13 * day, want: essaim.DeliveryWaiting, down: true},
		{status: 503, age: 15 * day, want: essaim.DeliveryFailed, down: true},
		{err: unavailable, want: essaim.DeliveryWaiting, down: true},
		{err: unavailable, age: 15 * day, want: essaim.DeliveryFailed, down: true},
		{err: fetch.ErrAddress, want: essaim.DeliveryFailed},
	} {
		t.Run(fmt.Sprintf("%d %v after %s", tt.status, tt.err, tt.age), func(t *testing.T) {
			t.Parallel()
			v := judge(tt.status, tt.err)
			got := settle(v, essaim.Delivery{ID: 1, Attempt: 1, CreatedAt: now.Add(-tt.age)}, tt.status, "reason", now, 0, 0.5)
			if got.State != tt.want || v.down != tt.down {
				t.Errorf("got %s, down %v, want %s, %v", got.State, v.down, tt.want, tt.down)
			}
			if got.State == essaim.DeliveryWaiting && got.NextAt.Sub(now) != cmp.Or(tt.wait, time.Minute) {
				t.Errorf("got another try in %s, want in %s", got.NextAt.Sub(now), cmp.Or(tt.wait, time.Minute))
			}
		})
	}
}

func TestBackoffStaysWithinAQuarter(t *testing.T) {
	t.Parallel()
	for failures, want := range map[int]time.Duration{0: time.Minute, 1: time.Minute, 2: 5 * time.Minute, 6: 12 * time.Hour, 40: 12 * time.Hour} {
		low, high := backoff(failures, 0), backoff(failures, 0.999999)
		if low < want*3/4 || high > want*5/4 || backoff(failures, 0.5) != want {
			t.Errorf("after %d failures: got %s to %s, want %s ± 25 %%", failures, low, high, want)
		}
	}
}
