// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"essaim"
	"essaim/federation/fetch"
)

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
		// All was sent, and the host is forgotten by the scheduler; not that it failed.
		for i := range 50 {
			q.add(fmt.Sprintf("https://down.example/inbox/%d", i), "another")
		}
		took = deliverAll(t, q, w, time.Hour, func() bool { return q.count(essaim.DeliveryDone) == 101 })
		if took < 4*time.Second || took > 20*time.Second {
			t.Errorf("50 deliveries to a host that failed minutes ago took %s, want ten a second", took)
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

func TestALaterFanOutIsNotHeldUpByInboxesThatHang(t *testing.T) {
	t.Parallel()
	testKey()
	for _, pause := range []time.Duration{3 * time.Second, 10 * time.Second, 16 * time.Second, 25 * time.Second, time.Minute, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute} {
		t.Run(pause.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				q, w := newQueue(), newOutside()
				const last = "https://h1.example/inbox/last"
				inbox := func(at int) string { return fmt.Sprintf("https://h%d.example/inbox/%d", at%8, at) }
				silent, healthy := map[string]bool{last: true}, 0
				for at := range 1000 {
					silent[inbox(at)] = silentOne(at)
				}
				round := func(object string) {
					for i := range 1000 {
						at := i * 37 % 1000
						if !silentOne(at) {
							healthy++
						}
						q.add(inbox(at), object)
					}
				}
				w.hangs = func(inbox string) bool { return silent[inbox] }
				began, rounds, follows := time.Now(), 1, 1
				round("follow")
				took := deliverAll(t, q, w, pause+30*time.Second, func() bool {
					if follows == 1 && time.Since(began) > 2*time.Second {
						follows = 2 // and nobody's answer follows
						q.add(last, "follow")
					}
					if rounds == 1 && time.Since(began) >= pause {
						rounds = 2
						round("publication")
					}
					return rounds == 2 && q.count(essaim.DeliveryDone) == healthy
				})
				if took -= pause; took > 1500*time.Millisecond {
					t.Errorf("healthy inboxes took %s, want at most 1.5 s; %d of %d have it", took, q.count(essaim.DeliveryDone), healthy)
				}
				for host, h := range q.hosts {
					if h.Failures >= breakAfter {
						t.Errorf("%s answers most and is taken for down: %+v", host, h)
					}
				}
			})
		})
	}
}

// What failed before has few places only while it hangs.
func TestWhatFailedBeforeIsSentAtThePaceOfItsHost(t *testing.T) {
	t.Parallel()
	testKey()
	for _, silent := range []int{0, 12} {
		t.Run(fmt.Sprint(silent, " silent"), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				q, w := newQueue(), newOutside()
				w.took = time.Second
				w.hangs = func(inbox string) bool { return strings.HasSuffix(inbox, "/silent") }
				for i := range 120 {
					inbox := fmt.Sprintf("https://back.example/inbox/%d", i)
					if silent > 0 && i%(120/silent) == 7 {
						inbox += "/silent"
					}
					q.add(inbox, "object")
					q.rows[i].Attempt = 1
				}
				took := deliverAll(t, q, w, 10*time.Minute, func() bool { return q.count(essaim.DeliveryDone) == 120-silent })
				if most := 20*time.Second + time.Duration(silent)*5*time.Second; took > most {
					t.Errorf("took %s, want at most %s; %d of 120 have it", took, most, q.count(essaim.DeliveryDone))
				}
			})
		})
	}
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

// Versions of an object are due one by one: the host is forgotten between two of
// them, and its pace is not.
func TestAHostThatFailedKeepsItsPaceBetweenTwoLooks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, w := newQueue(), newOutside()
		q.hosts["back.example"] = essaim.HostState{Host: "back.example", FailedAt: time.Now()}
		for range 30 {
			q.add("https://back.example/inbox", "object")
		}
		took := deliverAll(t, q, w, time.Minute, func() bool { return q.count(essaim.DeliveryDone) == 30 })
		if least := 29 * slowPace; took < least || took > 2*least {
			t.Errorf("30 requests took %s, want %s at least and not twice that", took, least)
		}
	})
}
