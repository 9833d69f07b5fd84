// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"fmt"
	"strings"
	"testing"

	"essaim"
	"essaim/store/storetest"
)

func TestWhatABlockedAccountSentBeforeDoesNothingAfter(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		object := n.record(t, "jardin")
		n.apply(t, ana, comment("https://a.example/notes/old", object, n.clock.now()))
		answer := essaim.Outgoing{ActivityID: brest + "/activities/no", Actor: territory, Receiver: ana, Inbox: ana + "/inbox", OrderKey: object, Body: []byte("{}")}
		quote := n.quote("1", object, "https://a.example/notes/quote")
		n.measure(t, host("a.example", essaim.LevelBlock))
		for _, e := range []essaim.Effect{
			essaim.AddFollower{Local: territory, FollowID: "f", Follower: remote(ana, "Person", anaInbox, n.clock.now())},
			essaim.React{Kind: essaim.ReactionLike, ActivityID: "l", Actor: ana, Object: object},
			comment("https://a.example/notes/new", object, n.clock.now()),
			quote,
			essaim.Reply{Type: "Ignore", Object: object, Answer: answer},
			essaim.FileReport{Report: essaim.Report{ID: "r", Host: "a.example", Objects: []string{object}}},
			essaim.Moved{Actor: ana, Target: remote("https://b.example/users/ana", "Person", "https://b.example/inbox", n.clock.now())},
			essaim.SaveActor{Actor: remote(ana, "Person", anaInbox, n.clock.now())},
		} {
			if got := n.apply(t, ana, e); got.State != essaim.InboundIgnored || !strings.Contains(got.Reason, "blocked") {
				t.Errorf("%T: %s, %s", e, got.State, got.Reason)
			}
		}
		for _, table := range []string{"follower", "reaction", "quote", "delivery", "report", "moved", "actor"} {
			if got := one[int](t, n, "SELECT count(*) FROM "+table); got != 0 {
				t.Errorf("%d rows in %s", got, table)
			}
		}
		n.apply(t, ana, essaim.Erase{ID: "https://a.example/notes/old", Actor: ana})
		if got := one[int](t, n, "SELECT count(*) FROM comment"); got != 0 {
			t.Errorf("%d comments once their blocked author took them back", got)
		}
	})
}

func TestOneStrangerFillsNoModeratorsList(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		object := n.record(t, "jardin")
		say := func(actor string, i int) bool {
			c := comment(fmt.Sprintf("%s/notes/%d", actor, i), object, n.clock.now())
			c.Actor = actor
			got := n.apply(t, actor, c)
			if got.State == essaim.InboundIgnored && !strings.Contains(got.Reason, "too many") {
				t.Fatalf("%s: %s", c.ID, got.Reason)
			}
			return got.State == essaim.InboundApplied
		}
		for i := range 21 {
			if got := say(ana, i); got != (i < 20) {
				t.Errorf("comment %d is taken: %v", i, got)
			}
		}
		if !say("https://b.example/users/ana", 1) || !say(ana+"2", 1) {
			t.Error("another account is refused")
		}
		if got := one[int](t, n, "SELECT count(*) FROM inbox WHERE state = 'ignored' AND raw IS NOT NULL"); got != 0 {
			t.Errorf("the bytes of %d dropped comments are kept", got)
		}
		n.decide(t, n.item(t, ana+"/notes/3"), essaim.ItemAccept)
		if !say(ana, 22) || say(ana, 23) {
			t.Error("a decision makes place for one more, and one only")
		}
		// A host of many names.
		n.raw(t, `INSERT INTO item (kind, ref, state, actor, about, excerpt, received_at)
			WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 500)
			SELECT 'comment', 'x' || n, 'held', 'https://c.example/u/' || n, '', '', 1 FROM i`)
		if say("https://c.example/u/new", 1) || !say("https://c.example.org/u/new", 1) {
			t.Error("one host fills the list, or is taken for another")
		}

		report := func(host string, i int) bool {
			about := n.record(t, fmt.Sprintf("r%s%d", host[:1], i))
			got := n.apply(t, "https://"+host+"/actor", essaim.FileReport{Report: essaim.Report{ID: fmt.Sprintf("https://%s/flags/%d", host, i), Host: host, Objects: []string{about}}})
			return got.State == essaim.InboundApplied
		}
		for i := range 101 {
			if got := report("a.example", i); got != (i < 100) {
				t.Errorf("report %d is taken: %v", i, got)
			}
		}
		if !report("b.example", 1) {
			t.Error("another server's report is refused")
		}
	})
}
