// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/store/storetest"
)

func TestTheAccountsOfAHostBringNoMoreThanIsRead(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		n.follows(t, relay, "")
		n.follows(t, relay+"2", "")
		n.follows(t, blog, "")
		n.raw(t, `INSERT INTO wanted (object, host, brought_by, announce, attempt, next_at, lease_until)
			WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 99)
			SELECT 'https://h.example/' || n, 'h', $1, '', 0, 0, 0 FROM i`, relay)
		for i, by := range []string{relay + "2", relay, relay + "2"} {
			got := n.apply(t, by, essaim.Want{Object: fmt.Sprintf("https://h%d.example/1", i), By: by})
			if kept := got.State == essaim.InboundApplied; kept != (i == 0) {
				t.Errorf("object %d, of %s: %s, %s", i, by, got.State, got.Reason)
			}
		}
		if got := n.apply(t, blog, essaim.Want{Object: article, By: blog}); got.State != essaim.InboundApplied {
			t.Errorf("another host's: %s", got.Reason)
		}
		// One of a host at a time, put off when it does not answer.
		n.raw(t, "UPDATE wanted SET host = 'slow.example', next_at = 0")
		w := n.wanted(t)
		if w.Object == "" || n.wanted(t).Object != "" {
			t.Error("two objects of one host are fetched at a time")
		}
		if err := n.PutOffWanted(t.Context(), w, n.clock.now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		if next := n.wanted(t); next.Object == "" || next.Object == w.Object {
			t.Errorf("then %+v", next)
		}
		n.raw(t, "DELETE FROM followed WHERE actor = $1", relay+"2") // as when its host is left
		n.raw(t, "UPDATE wanted SET host = 'other.example' WHERE brought_by = $1", relay+"2")
		n.clock.pass(2 * time.Minute)
		for n.wanted(t).Object != "" {
		}
		if got := one[int](t, n, "SELECT count(*) FROM wanted WHERE brought_by = $1", relay+"2"); got != 0 {
			t.Errorf("%d are fetched for an account of a host that was left", got)
		}
		unfollow := essaim.Outgoing{ActivityID: brest + "/activities/u", Actor: nodeActor, Inbox: relay, OrderKey: relay, Body: []byte("{}")}
		if err := n.UnfollowAccount(t.Context(), relay, unfollow); err != nil {
			t.Fatal(err)
		}
		if got := one[int](t, n, "SELECT count(*) FROM wanted WHERE brought_by = $1", relay); got != 0 {
			t.Errorf("%d to be fetched for an account that is followed no more", got)
		}
	})
}

func TestWhoeverNamesItAHostIsAskedNowAndThen(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		n.follows(t, relay, "")
		n.follows(t, blog, "")
		object := func(i int) string { return fmt.Sprintf("https://victim.example/%d", i) }
		for i := range 200 {
			n.apply(t, relay, essaim.Want{Object: object(i), By: relay})
		}
		n.clock.pass(30 * time.Second)
		// Who names one only does not wait behind who names hundreds.
		n.apply(t, blog, essaim.Want{Object: "https://victim.example/honest", By: blog})
		end := n.clock.now().Add(5 * time.Minute)
		at := map[string]time.Time{}
		var last time.Time
		for start := n.clock.now(); n.clock.now().Before(end); n.clock.pass(500 * time.Millisecond) {
			w := n.wanted(t)
			if w.Object == "" {
				continue
			}
			now := n.clock.now()
			if at[w.Object] = now; now.Sub(last) < time.Second {
				t.Fatalf("%s is fetched %s after another of its host", w.Object, now.Sub(last))
			}
			if last, w.Rest = now, time.Second; now.Equal(start) {
				if err := n.PutOffWanted(t.Context(), w, now.Add(time.Hour)); err != nil {
					t.Fatal(err)
				}
				continue
			}
			if _, err := n.FinishWanted(t.Context(), w, nil, false); err != nil {
				t.Fatal(err)
			}
		}
		// Sixty, then one each twenty seconds.
		if len(at) < 70 || len(at) > 60+17+1 {
			t.Errorf("%d fetched", len(at))
		}
		if honest, want := at["https://victim.example/honest"], end.Add(-4*time.Minute); honest.IsZero() || honest.After(want) {
			t.Errorf("the honest one is fetched at %s, want before %s", honest, want)
		}
		n.clock.pass(24 * time.Hour)
		if err := n.Tidy(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := one[int](t, n, "SELECT count(*) FROM gathered"); got != 0 {
			t.Errorf("%d hosts are remembered a day later", got)
		}
	})
}

func TestWhatIsSaidToBeDeletedIsAskedForAndNotRefreshed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		n.follows(t, blog, "")
		gone := essaim.Want{Object: article, By: blog, Announce: "https://blog.example/announce/2", Deleted: true}
		if got := n.apply(t, blog, gone); got.State != essaim.InboundIgnored || n.wanted(t).Object != "" {
			t.Errorf("what is not here is asked for: %s", got.Reason)
		}
		n.apply(t, blog, essaim.Propose{Proposal: proposal(article, "Un jardin", n.clock.now()), By: blog})
		served := essaim.Propose{Proposal: proposal(article, "Une friche", n.clock.now().Add(time.Hour)), By: blog}
		n.apply(t, blog, gone)
		w := n.wanted(t)
		why, err := n.FinishWanted(t.Context(), w, &served, false)
		if list := n.candidates(t); err != nil || !strings.Contains(why, "still serves") || len(list) != 1 || list[0].Title != "Un jardin" {
			t.Errorf("still served: %+v, %q, %v", list, why, err)
		}
		n.apply(t, blog, gone)
		n.clock.pass(10 * time.Second)
		n.apply(t, blog, essaim.Want{Object: article, By: blog}) // a new version, told of meanwhile
		if _, err = n.FinishWanted(t.Context(), n.wanted(t), &served, false); err != nil || n.candidates(t)[0].Title != "Une friche" {
			t.Errorf("a new version: %+v, %v", n.candidates(t), err)
		}
		n.apply(t, blog, gone)
		n.clock.pass(10 * time.Second)
		if _, err = n.FinishWanted(t.Context(), n.wanted(t), nil, true); err != nil || len(n.candidates(t)) != 0 {
			t.Errorf("once gone: %+v, %v", n.candidates(t), err)
		}
	})
}
