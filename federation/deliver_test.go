// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"essaim"
	"essaim/federation/fetch"
)

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

// What was under way when a host asked to be left alone is answered after it, well or
// with a longer pause.
func TestAPauseOutlastsWhatWasUnderWay(t *testing.T) {
	t.Parallel()
	testKey()
	for _, late := range []fetch.Result{{Status: http.StatusAccepted}, {Status: http.StatusTooManyRequests, RetryAfter: 2 * time.Minute}} {
		t.Run(fmt.Sprint(late.Status), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				q, w := newQueue(), newOutside()
				var n atomic.Int32
				w.answer = func(string, *http.Request) (fetch.Result, error) {
					switch n.Add(1) {
					case 1:
						return fetch.Result{Status: http.StatusTooManyRequests, RetryAfter: time.Minute}, nil
					case 2:
						<-time.After(50 * time.Millisecond)
						return late, nil
					}
					return fetch.Result{Status: http.StatusAccepted}, nil
				}
				for i := range 10 {
					q.add(fmt.Sprintf("https://a.example/inbox/%d", i), "object")
				}
				deliverAll(t, q, w, 10*time.Minute, func() bool { return q.count(essaim.DeliveryDone) == 10 })
				pause := max(time.Minute, late.RetryAfter)
				for _, p := range w.posts[2:] {
					if at := p.at.Sub(w.posts[0].at); at < pause {
						t.Fatalf("a request after %s, and the host asked for %s", at, pause)
					}
				}
				if got := q.count(essaim.DeliveryDone); got != 10 {
					t.Errorf("got %d of 10 delivered", got)
				}
			})
		})
	}
}

// It asks for less than the caution that its failures earned: what it sends cuts that
// short, and not the pause.
func TestAShortPauseOutlastsAWakeUp(t *testing.T) {
	t.Parallel()
	testKey()
	synctest.Test(t, func(t *testing.T) {
		q, w := newQueue(), newOutside()
		began := time.Now()
		q.hosts["a.example"] = essaim.HostState{Host: "a.example", LastSuccess: began.Add(-time.Hour)} // four at a time
		var n atomic.Int32
		w.answer = func(string, *http.Request) (fetch.Result, error) {
			switch i := n.Add(1); {
			case i <= breakAfter:
				return fetch.Result{Status: http.StatusServiceUnavailable}, nil
			case i == coldConnections:
				<-time.After(50 * time.Millisecond)
				return fetch.Result{Status: http.StatusTooManyRequests, RetryAfter: 30 * time.Second}, nil
			}
			return fetch.Result{Status: http.StatusAccepted}, nil
		}
		for i := range 10 {
			q.add(fmt.Sprintf("https://a.example/inbox/%d", i), "object")
		}
		woken := false
		deliverAll(t, q, w, 10*time.Minute, func() bool {
			if !woken && time.Since(began) > time.Second {
				woken = true
				if err := q.WakeHost(t.Context(), "a.example"); err != nil {
					t.Error(err)
				}
			}
			return q.count(essaim.DeliveryDone) == 10
		})
		if len(w.posts) < 14 || q.count(essaim.DeliveryDone) != 10 {
			t.Fatalf("%d of 10 delivered by %d requests", q.count(essaim.DeliveryDone), len(w.posts))
		}
		if at := w.posts[coldConnections].at.Sub(began); at < 30*time.Second || at > 35*time.Second {
			t.Errorf("the next request after %s, and the host asked for 30 s", at)
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

// A host comes back after days with a proxy that says the same to all for an hour.
func TestAnInboxThatSaysOnceThatItIsGoneLosesNothing(t *testing.T) {
	t.Parallel()
	testKey()
	day := 24 * time.Hour
	for _, tt := range []struct {
		status, attempt int
		age             time.Duration
		requests        int
	}{
		{http.StatusGone, 6, 2 * day, 1},
		{http.StatusFound, 0, 4 * day, 1},        // behind another that was tried for both
		{http.StatusUnauthorized, 1, 4 * day, 2}, // with each signature
		{http.StatusForbidden, 2, 13 * day, 1},
		{http.StatusNotFound, 6, 4 * day, 1},
		{http.StatusMethodNotAllowed, 0, 4 * day, 1},
	} {
		t.Run(fmt.Sprint(tt.status), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				q, w := newQueue(), newOutside()
				w.answer = func(string, *http.Request) (fetch.Result, error) {
					return fetch.Result{Status: tt.status}, nil
				}
				q.add("https://a.example/inbox", "object")
				q.rows[0].CreatedAt, q.rows[0].Attempt, q.rows[0].Status = time.Now().Add(-tt.age), tt.attempt, http.StatusServiceUnavailable
				began := time.Now()
				deliverAll(t, q, w, time.Hour, func() bool {
					if err := q.WakeHost(t.Context(), "a.example"); err != nil { // its accounts speak
						t.Error(err)
					}
					return time.Since(began) > 59*time.Minute
				})
				if len(w.posts) != tt.requests || len(q.lost) > 0 {
					t.Errorf("got %d requests in an hour, %v lost, want %d and none", len(w.posts), q.lost, tt.requests)
				}
				w.answer = nil
				deliverAll(t, q, w, 25*time.Hour, func() bool { return q.count(essaim.DeliveryDone) == 1 })
				if q.count(essaim.DeliveryDone) != 1 {
					t.Errorf("got %s because %q, want it delivered within a day", q.rows[0].state, q.rows[0].reason)
				}
			})
		})
	}
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
			if r.LeaseUntil.After(time.Now()) {
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

// Each outage ends before a delivery is given up (14 days): what was published
// meanwhile arrives, in order, without anybody's help.
func TestAnOutageLosesNothing(t *testing.T) {
	t.Parallel()
	testKey()
	day := 24 * time.Hour
	for _, outage := range []time.Duration{time.Hour, 3 * day, 13 * day} {
		t.Run(outage.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				q, w := newQueue(), newOutside()
				start := time.Now()
				w.answer = func(string, *http.Request) (fetch.Result, error) {
					if time.Since(start) < outage {
						return fetch.Result{}, fmt.Errorf("refused: %w", essaim.ErrUnavailable)
					}
					return fetch.Result{Status: 202}, nil
				}
				const versions = 20
				for range versions {
					q.add("https://down.example/inbox", "object")
					deliverAll(t, q, w, outage/versions, func() bool { return false })
				}
				tries := len(w.posts)
				took := deliverAll(t, q, w, 16*time.Hour, func() bool { return q.count(essaim.DeliveryDone) == versions })
				if got := q.count(essaim.DeliveryDone); got != versions {
					t.Fatalf("got %d of %d versions %s after the outage", got, versions, took)
				}
				for i := 1; i < len(q.rows); i++ {
					if q.rows[i].doneAt.Before(q.rows[i-1].doneAt) {
						t.Errorf("version %d arrived before version %d", i+1, i)
					}
				}
				// Each start of the node asks once; besides, less and less.
				if most := versions*4 + 2*int(outage/(9*time.Hour)) + 10; tries > most {
					t.Errorf("got %d requests while it was down, want %d at most", tries, most)
				}
			})
		})
	}
}
