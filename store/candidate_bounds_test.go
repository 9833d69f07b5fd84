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

func TestAnAccountBringsNoMoreThanIsRead(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		n.follows(t, relay, "")
		n.raw(t, `INSERT INTO wanted (object, host, brought_by, announce, attempt, next_at, lease_until)
			WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 199)
			SELECT 'https://h.example/' || n, 'h', $1, '', 0, 0, 0 FROM i`, relay)
		for i := range 2 {
			n.apply(t, relay, essaim.Want{Object: fmt.Sprintf("https://h%d.example/1", i), By: relay})
		}
		if got := one[int](t, n, "SELECT count(*) FROM wanted"); got != 200 {
			t.Errorf("%d to be fetched, want 200", got)
		}
		// One of a host at a time, put off when it does not answer.
		n.raw(t, "UPDATE wanted SET host = 'slow.example'")
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
		if err := n.UnfollowAccount(t.Context(), relay, essaim.Outgoing{ActivityID: brest + "/activities/u", Actor: nodeActor, Inbox: relay, OrderKey: relay, Body: []byte("{}")}); err != nil {
			t.Fatal(err)
		}
		if got := one[int](t, n, "SELECT count(*) FROM wanted"); got != 0 {
			t.Errorf("%d to be fetched for an account that is followed no more", got)
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
		n.apply(t, blog, essaim.Want{Object: article, By: blog}) // a new version, told of meanwhile
		if _, err = n.FinishWanted(t.Context(), n.wanted(t), &served, false); err != nil || n.candidates(t)[0].Title != "Une friche" {
			t.Errorf("a new version: %+v, %v", n.candidates(t), err)
		}
		n.apply(t, blog, gone)
		if _, err = n.FinishWanted(t.Context(), n.wanted(t), nil, true); err != nil || len(n.candidates(t)) != 0 {
			t.Errorf("once gone: %+v, %v", n.candidates(t), err)
		}
	})
}
