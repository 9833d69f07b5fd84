// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"essaim"
	"essaim/federation/fetch"
)

func TestAHostThatAnswersTroubleIsLeftAlone(t *testing.T) {
	t.Parallel()
	testKey()
	for _, status := range []int{http.StatusServiceUnavailable, http.StatusTooManyRequests} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				q, w := newQueue(), newOutside()
				began := time.Now()
				w.answer = func(string, *http.Request) (fetch.Result, error) {
					if time.Since(began) < time.Second {
						return fetch.Result{Status: http.StatusAccepted}, nil
					}
					return fetch.Result{Status: status}, nil
				}
				for i := range 20 {
					q.add(fmt.Sprintf("https://a.example/inbox/%d", i), "object")
				}
				n := 0
				deliverAll(t, q, w, 10*time.Minute, func() bool {
					if n < 100 && time.Since(began) > time.Duration(n+1)*5*time.Second { // something new all the time
						n++
						q.add(fmt.Sprintf("https://a.example/inbox/%d", n%20), fmt.Sprint("object ", n))
					}
					return false
				})
				h := q.hosts["a.example"]
				if h.Failures < breakAfter || h.DownSince.IsZero() || h.LastSuccess.After(began.Add(1100*time.Millisecond)) {
					t.Errorf("got %+v, want down since, and its last success within the first second", h)
				}
				if tried := len(w.posts) - q.count(essaim.DeliveryDone); tried > 12 {
					t.Errorf("%d requests in ten minutes to a host that says %d", tried, status)
				}
			})
		})
	}
}

// errNobodyListens is what a dialer says of a host where nobody listens.
var errNobodyListens = fmt.Errorf("a.example: %w: %w", essaim.ErrUnavailable, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED})

func TestABacklogIsNotSpentOnAHostThatGoesAgain(t *testing.T) {
	t.Parallel()
	testKey()
	synctest.Test(t, func(t *testing.T) {
		q, w := newQueue(), newOutside()
		began := time.Now()
		var answers atomic.Int32
		back := func() bool { return time.Since(began) > 20*time.Minute }
		w.answer = func(string, *http.Request) (fetch.Result, error) {
			if n := answers.Add(1); n > 20 && !back() {
				return fetch.Result{}, errNobodyListens
			}
			return fetch.Result{Status: http.StatusAccepted}, nil
		}
		for i := range 400 {
			q.add(fmt.Sprintf("https://a.example/inbox/%d", i), "object")
			q.rows[i].Attempt = 4 // the next step of the backoff is hours
		}
		deliverAll(t, q, w, 2*time.Hour, func() bool { return q.count(essaim.DeliveryDone) == 400 })
		if got := q.count(essaim.DeliveryDone); got != 400 {
			t.Errorf("%d of 400 delivered, two hours after the host was back for good; %+v", got, q.hosts["a.example"])
		}
		if tried := len(w.posts) - 400; tried > 20 {
			t.Errorf("%d requests to a host that refuses", tried)
		}
	})
}

func TestWhatIsNotTriedIsNotCounted(t *testing.T) {
	t.Parallel()
	testKey()
	synctest.Test(t, func(t *testing.T) {
		q, w := newQueue(), newOutside()
		w.hangs = func(inbox string) bool { return strings.HasSuffix(inbox, "/silent") }
		began, n := time.Now(), 0
		for i := range 300 {
			q.add(fmt.Sprintf("https://a.example/first/%d", i), "object")
			if i%3 == 0 {
				q.add(fmt.Sprintf("https://a.example/inbox/%d/silent", i), "object")
			}
		}
		deliverAll(t, q, w, time.Hour, func() bool {
			if time.Since(began) > time.Duration(n)*5*time.Second { // its other inboxes answer
				n++
				q.add(fmt.Sprintf("https://a.example/inbox/%d", n), "object")
			}
			return false
		})
		tried := map[string]int{}
		for _, p := range w.posts {
			tried[p.inbox]++
		}
		for _, r := range q.rows {
			if r.Attempt != tried[r.Inbox] {
				t.Errorf("%s: attempt %d, tried %d times", r.Inbox, r.Attempt, tried[r.Inbox])
			}
		}
		if len(w.posts) < 1000 {
			t.Errorf("only %d requests", len(w.posts))
		}
	})
}

// A place that nobody waits for is nobody's to take.
func TestARetryIsNotCutForWhatWaitsForThePace(t *testing.T) {
	t.Parallel()
	testKey()
	synctest.Test(t, func(t *testing.T) {
		q, w := newQueue(), newOutside()
		now := time.Now()
		q.hosts["a.example"] = essaim.HostState{Host: "a.example", FailedAt: now.Add(-time.Minute), LastSuccess: now.Add(-time.Second)}
		w.answer = func(inbox string, r *http.Request) (fetch.Result, error) {
			if strings.HasSuffix(inbox, "/slow") {
				select {
				case <-time.After(2 * time.Second):
				case <-r.Context().Done():
					return fetch.Result{}, context.Cause(r.Context())
				}
			}
			return fetch.Result{Status: http.StatusAccepted}, nil
		}
		for i := range 2 { // all the places that retries may have
			q.add(fmt.Sprintf("https://a.example/inbox/%d/slow", i), "object")
			q.rows[i].Attempt = 1
		}
		for i := range 59 {
			q.add(fmt.Sprintf("https://a.example/inbox/%d", i), "object")
		}
		deliverAll(t, q, w, time.Minute, func() bool { return q.count(essaim.DeliveryDone) == 61 })
		if len(w.posts) != 61 || q.count(essaim.DeliveryDone) != 61 {
			t.Errorf("%d of 61 delivered by %d requests", q.count(essaim.DeliveryDone), len(w.posts))
		}
	})
}

// blamesNobody checks that all was delivered, at an attempt, and nothing said of the host.
func (q *queue) blamesNobody(t *testing.T, attempt int) {
	t.Helper()
	if h := q.hosts["a.example"]; h.Failures > 0 || !h.FailedAt.IsZero() || h.LastReason != "" {
		t.Errorf("got %+v, want nothing said of the host", h)
	}
	for _, r := range q.rows {
		if r.state != essaim.DeliveryDone || r.Attempt != attempt {
			t.Fatalf("got %s at attempt %d because %q, want it delivered at attempt %d", r.state, r.Attempt, r.reason, attempt)
		}
	}
}

// Whether a host is blocked is asked of our own database before each request.
func TestAHostIsNotBlamedForOurDatabaseThatHangs(t *testing.T) {
	t.Parallel()
	testKey()
	synctest.Test(t, func(t *testing.T) {
		q, w := newQueue(), newOutside()
		began := time.Now()
		w.answer = func(_ string, r *http.Request) (fetch.Result, error) {
			// It tells nothing for ten seconds, once ten were sent.
			if passed := time.Since(began); passed > 30*time.Millisecond && passed < 10*time.Second {
				<-r.Context().Done()
				return fetch.Result{}, fmt.Errorf("a.example: %w: %w", errUnsure, r.Context().Err())
			}
			return fetch.Result{Status: http.StatusAccepted}, nil
		}
		for i := range 40 {
			q.add(fmt.Sprintf("https://a.example/inbox/%d", i), "object")
		}
		deliverAll(t, q, w, time.Minute, func() bool { return q.count(essaim.DeliveryDone) == 40 })
		q.blamesNobody(t, 1)
	})
}

func TestAHostIsNotBlamedForOurDatabase(t *testing.T) {
	t.Parallel()
	testKey()
	synctest.Test(t, func(t *testing.T) {
		q, w := newQueue(), newOutside()
		store := newShelf()
		s, began := &Server{store: store}, time.Now()
		store.err = errors.New("database is closed")
		w.answer = func(inbox string, r *http.Request) (fetch.Result, error) {
			if err := s.refused(r.Context(), inbox); err != nil && time.Since(began) < 3*time.Second {
				return fetch.Result{}, fmt.Errorf("a.example: %w", err)
			}
			return fetch.Result{Status: http.StatusAccepted}, nil
		}
		for i := range 20 {
			q.add(fmt.Sprintf("https://a.example/inbox/%d", i), "object")
			q.rows[i].Attempt = 4 // the next step of the backoff is hours
		}
		deliverAll(t, q, w, time.Minute, func() bool { return q.count(essaim.DeliveryDone) == 20 })
		q.blamesNobody(t, 5)
	})
}
