// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"errors"
	"slices"
	"testing"

	"essaim"
	"essaim/store/storetest"
)

func (n *node) quote(id, object, post string) essaim.AllowQuote {
	return essaim.AllowQuote{
		Quote:  essaim.Quote{ID: object + "/quotes/" + id, Object: object, Post: post, Actor: ana, Stamp: []byte(id + n.clock.now().String())},
		Accept: essaim.Outgoing{ActivityID: brest + "/activities/accept" + id + n.clock.now().String(), Actor: territory, Inbox: ana + "/inbox", OrderKey: id, Body: []byte("{}")},
	}
}

func TestAStampComesWithItsAnswerAndStaysAsItWasSigned(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		q := n.quote("1", n.record(t, "jardin"), "https://a.example/notes/1")
		n.apply(t, ana, q)
		claimed := n.take(t, "a.example", 10)
		if len(claimed) != 1 || claimed[0].Inbox != ana+"/inbox" {
			t.Errorf("answers %v", claimed)
		}
		n.finish(t, done(claimed[0]))
		n.clock.pass(1)
		n.apply(t, ana, n.quote("1", q.Quote.Object, q.Quote.Post))
		if got := n.take(t, "a.example", 10); len(got) != 1 {
			t.Errorf("a repeated request has %d answers", len(got))
		}
		if got, err := n.Stamp(t.Context(), q.Quote.ID); err != nil || !slices.Equal(got, q.Quote.Stamp) {
			t.Errorf("stamp %s, %v; want %s", got, err, q.Quote.Stamp)
		}
		if got := n.apply(t, ana, n.quote("2", brest+"/objects/none", "https://a.example/notes/1")); got.State != essaim.InboundIgnored {
			t.Errorf("a quote of nothing is %s", got.State)
		}
		if got := one[int](t, n, "SELECT count(*) FROM quote"); got != 1 {
			t.Errorf("%d stamps", got)
		}
	})
}

func TestAStampGoesWithItsPostItsRecordAndItsAuthor(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		made, err := n.CreateRecord(t.Context(), essaim.NewRecord{Content: storetest.Initiative("Jardin"), State: essaim.StatePublished, Author: storetest.Author})
		if err != nil {
			t.Fatal(err)
		}
		const post = "https://a.example/notes/1"
		stands := func(want bool, when string) {
			t.Helper()
			_, err := n.Stamp(t.Context(), made.ID+"/quotes/1")
			if want != (err == nil) || err != nil && !errors.Is(err, essaim.ErrNotFound) {
				t.Errorf("%s: stamp %v, want it %v", when, err, want)
			}
		}
		n.apply(t, ana, n.quote("1", made.ID, post))
		n.apply(t, ana+"2", essaim.Erase{ID: post, Actor: "https://a.example/users/other", At: n.clock.now()})
		stands(true, "a neighbour deletes the post")
		n.raw(t, "DELETE FROM tombstone")
		n.apply(t, ana, essaim.ForgetActor{Actor: ana})
		stands(false, "its author is deleted")
		n.clock.pass(1)
		n.apply(t, ana, n.quote("1", made.ID, post), essaim.React{Kind: essaim.ReactionLike, ActivityID: "l", Actor: ana, Object: made.ID, At: n.clock.now()})
		stands(true, "asked for again")
		if err := n.WithdrawRecord(t.Context(), made.ID, storetest.Author); err != nil {
			t.Fatal(err)
		}
		stands(false, "the record is withdrawn")
		if got := one[int](t, n, "SELECT count(*) FROM reaction"); got != 0 {
			t.Errorf("%d thanks for a record that is gone", got)
		}
		other := n.record(t, "autre")
		made.ID = other
		n.clock.pass(1)
		n.apply(t, ana, n.quote("1", other, post))
		stands(true, "of another record")
		n.apply(t, ana, essaim.Erase{ID: post, Actor: ana, At: n.clock.now()})
		stands(false, "its post is deleted")
		n.clock.pass(1)
		if got := n.apply(t, ana, n.quote("1", other, post)); got.State != essaim.InboundIgnored {
			t.Errorf("a deleted post may quote: %s", got.State)
		}
	})
}

func TestAReplyNeedsAPublishedRecord(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		object := n.record(t, "rencontre")
		answer := essaim.Outgoing{ActivityID: brest + "/activities/ignore", Actor: territory, Inbox: ana + "/inbox", OrderKey: "o", Body: []byte("{}")}
		if got := n.apply(t, ana, essaim.Reply{Type: "Ignore", Object: brest + "/objects/none", Answer: answer}); got.State != essaim.InboundIgnored {
			t.Errorf("about nothing: %s", got.State)
		}
		n.apply(t, ana, essaim.Reply{Type: "Ignore", Object: object, Answer: answer})
		if got := n.take(t, "a.example", 10); len(got) != 1 {
			t.Errorf("answers %v", got)
		}
	})
}
