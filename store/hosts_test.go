// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"essaim"
	"essaim/store"
	"essaim/store/storetest"
)

func TestHostsAreDueByWhoWaitedLongest(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		for _, host := range []string{"b.example", "a.example", "c.example"} {
			n.follow(t, nodeActor, "https://"+host+"/actor", "https://"+host+"/inbox")
			n.publish(t, "Create", host, host)
			n.dispatch(t)
			n.clock.pass(time.Second)
		}
		down := essaim.HostState{Host: "c.example", NextAt: n.clock.now().Add(time.Minute), Failures: 3, DownSince: n.clock.now(), FailedAt: n.clock.now(), LastReason: "no answer", RFC9421: true}
		if err := n.SaveHost(t.Context(), down); err != nil {
			t.Fatal(err)
		}
		if got := dueHosts(t, n); !slices.Equal(got, []string{"b.example", "a.example"}) {
			t.Errorf("due %v, want b.example then a.example, not the one that is down", got)
		}
		n.take(t, "b.example", 10)
		if got := dueHosts(t, n); !slices.Equal(got, []string{"a.example"}) {
			t.Errorf("due %v, want a.example: all of b.example's are under lease", got)
		}
		n.clock.pass(time.Minute)
		due, err := n.DueHosts(t.Context(), 10)
		if err != nil || len(due) != 3 {
			t.Fatalf("due = %v, %v", due, err)
		}
		i := slices.IndexFunc(due, func(h essaim.HostState) bool { return h.Host == "c.example" })
		if due[i] != down {
			t.Errorf("state of the host = %+v, want %+v", due[i], down)
		}
	})
}

func dueHosts(t *testing.T, n *node) []string {
	t.Helper()
	due, err := n.DueHosts(t.Context(), 10)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, h := range due {
		names = append(names, h.Host)
	}
	return names
}

func TestAStartMakesWhatWaitsForAnyHostDue(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		for _, host := range []string{"a.example", "b.example"} {
			n.follow(t, nodeActor, "https://"+host+"/actor", "https://"+host+"/inbox")
		}
		n.publish(t, "Create", "1", "1")
		n.dispatch(t)
		for _, host := range []string{"a.example", "b.example"} {
			d := n.take(t, host, 10)[0]
			n.finish(t, essaim.DeliveryResult{ID: d.ID, Attempt: d.Attempt, State: essaim.DeliveryWaiting, NextAt: n.clock.now().Add(time.Hour)})
			if err := n.SaveHost(t.Context(), essaim.HostState{Host: host, NextAt: n.clock.now().Add(time.Hour), Failures: 3}); err != nil {
				t.Fatal(err)
			}
		}
		if got := dueHosts(t, n); len(got) != 0 {
			t.Fatalf("due before the start: %v", got)
		}
		if err := n.WakeHosts(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := dueHosts(t, n); !slices.Equal(got, []string{"a.example", "b.example"}) {
			t.Errorf("due %v, want both hosts", got)
		}
	})
}

func TestWhatSaysThatItIsGoneIsNotWoken(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		n.follow(t, nodeActor, "https://a.example/actor", "https://a.example/inbox")
		n.publish(t, "Create", "create", "o")
		n.dispatch(t)
		d := n.take(t, "a.example", 1)[0]
		if d.Status != 0 {
			t.Errorf("status %d before the first try", d.Status)
		}
		n.finish(t, essaim.DeliveryResult{ID: d.ID, Attempt: 1, State: essaim.DeliveryWaiting, Status: 410, NextAt: n.clock.now().Add(24 * time.Hour)})
		if err := n.WakeHost(t.Context(), "a.example"); err != nil {
			t.Fatal(err)
		}
		if got := n.take(t, "a.example", 10); len(got) != 0 {
			t.Errorf("claimed %v, want nothing before a day passed", sent(got))
		}
		if err := n.RetryDelivery(t.Context(), d.ID); err != nil {
			t.Fatal(err)
		}
		if got := n.take(t, "a.example", 10); len(got) != 1 || got[0].Status != 0 {
			t.Errorf("claimed %+v by hand, want it as if nothing had been said", got)
		}
		n.finish(t, essaim.DeliveryResult{ID: d.ID, Attempt: 2, State: essaim.DeliveryWaiting, Status: 410, NextAt: n.clock.now().Add(24 * time.Hour)})
		n.clock.pass(24 * time.Hour)
		if got := n.take(t, "a.example", 10); len(got) != 1 || got[0].Status != 410 {
			t.Errorf("claimed %+v a day later, want it with the status of the try before", got)
		}
	})
}

// Its host was down, and came back with a proxy that is not set up: what waited so
// long has one more try, whoever speaks there meanwhile.
func TestWhatIsRefusedAfterDaysIsNotWoken(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		host := func(status int) string { return fmt.Sprintf("h%d.example", status) }
		spared := map[int]bool{301: true, 308: true, 401: true, 403: true, 404: true, 405: true, 0: false, 200: false, 408: false, 429: false, 503: false}
		for status := range spared {
			n.follow(t, nodeActor, "https://"+host(status)+"/actor", "https://"+host(status)+"/inbox")
		}
		n.publish(t, "Create", "old", "old")
		n.dispatch(t)
		n.clock.pass(essaim.MisplacedAfter + time.Minute)
		n.publish(t, "Create", "new", "new")
		n.dispatch(t)
		for status, old := range spared {
			for _, d := range n.take(t, host(status), 10) {
				n.finish(t, essaim.DeliveryResult{ID: d.ID, Attempt: 1, State: essaim.DeliveryWaiting, Status: status, NextAt: n.clock.now().Add(12 * time.Hour)})
			}
			if err := n.WakeHost(t.Context(), host(status)); err != nil {
				t.Fatal(err)
			}
			want := []string{"old", "new"}
			if old {
				want = want[1:]
			}
			if got := sent(n.take(t, host(status), 10)); !slices.Equal(got, want) {
				t.Errorf("claimed %v, refused with %d and woken, want %v", got, status, want)
			}
		}
		n.clock.pass(12 * time.Hour)
		for status := range spared {
			if got := n.take(t, host(status), 10); len(got) != 2 {
				t.Errorf("claimed %v, refused with %d half a day ago, want both", sent(got), status)
			}
		}
	})
}

func TestADeliveryTriedAgainByHandDoesNotWaitForItsHost(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		for _, host := range []string{"a.example", "b.example"} {
			n.follow(t, nodeActor, "https://"+host+"/actor", "https://"+host+"/inbox")
			n.publish(t, "Create", host, host)
			n.dispatch(t)
			if err := n.SaveHost(t.Context(), essaim.HostState{Host: host, NextAt: n.clock.now().Add(time.Hour), Failures: 3}); err != nil {
				t.Fatal(err)
			}
		}
		rows, err := n.QueuedDeliveries(t.Context(), store.QueueFilter{State: "waiting", Host: "a.example", Limit: 10})
		if err != nil || len(rows) == 0 {
			t.Fatalf("waiting for a.example: %v, %v", rows, err)
		}
		if got := dueHosts(t, n); len(got) != 0 {
			t.Fatalf("due %v, and both are down for an hour", got)
		}
		if err := n.RetryDelivery(t.Context(), rows[0].ID); err != nil {
			t.Fatal(err)
		}
		if got := dueHosts(t, n); !slices.Equal(got, []string{"a.example"}) {
			t.Errorf("due %v, want a.example alone", got)
		}
	})
}

func TestAnInboxThatIsGoneLosesItsFollowersAndWhatWaits(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		n.follow(t, nodeActor, "https://a.example/actor", "https://a.example/inbox")
		n.follow(t, nodeActor, "https://b.example/actor", "https://b.example/inbox")
		n.publish(t, "Create", "1", "1")
		n.dispatch(t)
		if err := n.LoseInbox(t.Context(), "https://a.example/inbox"); err != nil {
			t.Fatal(err)
		}
		if got, err := n.Followers(t.Context(), nodeActor, "", 10); err != nil || !slices.Equal(got, []string{"https://b.example/actor"}) {
			t.Errorf("followers %v, %v, want the other one", got, err)
		}
		if got := dueHosts(t, n); !slices.Equal(got, []string{"b.example"}) {
			t.Errorf("due %v, want b.example alone", got)
		}
	})
}

// Who buys a lapsed domain answers 410, and lists nobody.
func TestAContestedHostTakesNoFollowAway(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		const peer = "https://toulouse.example/actor"
		n := followed(t, db)
		n.follow(t, nodeActor, peer, "https://toulouse.example/inbox")
		if err := n.PinPeerKeys(t.Context(), toulouse, "", essaim.PeerKey{Key: "zA", How: essaim.KeyFirst}); err != nil {
			t.Fatal(err)
		}
		f, err := n.OurFollow(t.Context(), peer)
		if err != nil {
			t.Fatal(err)
		}
		f.FollowID = brest + "/activities/again"
		try := func() (followers int, state essaim.PeerState) {
			if err := n.LoseInbox(t.Context(), "https://toulouse.example/inbox"); err != nil {
				t.Fatal(err)
			}
			if err := n.FollowLost(t.Context(), f, essaim.Outgoing{ActivityID: f.FollowID, Actor: nodeActor, Inbox: f.Inbox, OrderKey: "k", Body: []byte("{}")}); err != nil {
				t.Fatal(err)
			}
			now, err := n.OurFollow(t.Context(), peer)
			if err != nil {
				t.Fatal(err)
			}
			return one[int](t, n, "SELECT count(*) FROM follower"), now.State
		}
		if err := n.ContestPeer(t.Context(), toulouse, "zX"); err != nil {
			t.Fatal(err)
		}
		if followers, state := try(); followers != 1 || state != essaim.PeerFollowed {
			t.Errorf("contested: %d followers, our follow %s", followers, state)
		}
		if err := n.SettlePeer(t.Context(), toulouse); err != nil {
			t.Fatal(err)
		}
		if followers, state := try(); followers != 0 || state != essaim.PeerRequested {
			t.Errorf("settled: %d followers, our follow %s", followers, state)
		}
	})
}

func TestAWakeUpKeepsThePauseThatAHostAskedFor(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		n.follow(t, nodeActor, "https://a.example/actor", "https://a.example/inbox")
		n.publish(t, "Create", "object", "one")
		n.dispatch(t)
		pause := n.clock.now().Add(time.Minute)
		if err := n.SaveHost(t.Context(), essaim.HostState{Host: "a.example", NextAt: pause, PausedUntil: pause, Failures: 1}); err != nil {
			t.Fatal(err)
		}
		if err := n.WakeHosts(t.Context()); err != nil {
			t.Fatal(err)
		}
		n.clock.pass(59 * time.Second)
		if got := dueHosts(t, n); len(got) != 0 {
			t.Errorf("due %v within the pause, want none", got)
		}
		n.clock.pass(time.Second)
		if got := dueHosts(t, n); len(got) != 1 {
			t.Errorf("due %v after the pause, want the host", got)
		}
	})
}

// Another process had a request under way when the host asked for the pause.
func TestAPauseOutlastsWhatAnotherProcessSaysOfAHost(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		n.follow(t, nodeActor, "https://a.example/actor", "https://a.example/inbox")
		n.publish(t, "Create", "object", "one")
		n.dispatch(t)
		now := n.clock.now()
		save := func(failures int, next, paused time.Time) {
			t.Helper()
			if err := n.SaveHost(t.Context(), essaim.HostState{Host: "a.example", Failures: failures, NextAt: next, PausedUntil: paused, LastSuccess: now}); err != nil {
				t.Fatal(err)
			}
		}
		check := func(after time.Duration, want int) {
			t.Helper()
			n.clock.pass(now.Add(after).Sub(n.clock.now()))
			if got := dueHosts(t, n); len(got) != want {
				t.Errorf("after %s: due %v, want %d", after, got, want)
			}
			got := n.take(t, "a.example", 10)
			if len(got) != want {
				t.Errorf("after %s: claimed %v, want %d", after, sent(got), want)
			}
			for _, d := range got {
				n.finish(t, essaim.DeliveryResult{ID: d.ID, Attempt: d.Attempt, State: essaim.DeliveryWaiting, NextAt: n.clock.now()})
			}
		}
		check(0, 1)
		hour := now.Add(time.Hour)
		save(1, hour, hour)
		save(0, time.Time{}, time.Time{})
		check(time.Minute, 0)
		save(1, now.Add(2*time.Minute), now.Add(2*time.Minute)) // it asks for less
		check(59*time.Minute, 0)
		check(time.Hour, 1)
		save(0, time.Time{}, time.Time{}) // the pause is over, and ends nothing else
		check(61*time.Minute, 1)

		day := now.Add(24 * time.Hour)
		save(1, day, day)
		rows, err := n.QueuedDeliveries(t.Context(), store.QueueFilter{State: "waiting", Limit: 10})
		if err != nil || len(rows) != 1 {
			t.Fatalf("waiting: %v, %v", rows, err)
		}
		if err := n.RetryDelivery(t.Context(), rows[0].ID); err != nil {
			t.Fatal(err)
		}
		check(2*time.Hour, 1) // an administrator knows better
		save(0, time.Time{}, time.Time{})
		check(3*time.Hour, 1)
	})
}
