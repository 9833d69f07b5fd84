// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/store/storetest"
)

// replicas lets the second node do what is due.
func (p *pair) replicas(t testing.TB) {
	t.Helper()
	if err := p.toulon.server.TurnReplicas(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// What is pushed is known by the head that lists it within two minutes: a disk that
// is put back after that is found, at the latest two minutes after it pushes anything.
func TestADiskThatWasPutBackIsFoundByThosePushedTo(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		p, other := newPair(t, db), anew(t, db)
		ctx := t.Context()
		p.brest.publish(t, "Une")
		p.follow(t)
		p.replicas(t)
		backup := p.brest.backup(t)
		p.pass(time.Minute)
		since := len(p.network.Log())
		for i := range 5 {
			p.push(t, p.brest.publish(t, fmt.Sprint("Poussée ", i)).ID)
			p.replicas(t)
		}
		if paths, _ := p.asked(since); len(paths) > 0 {
			t.Errorf("at once: %v", paths)
		}
		for range 3 {
			p.pass(2 * time.Minute)
			p.replicas(t)
		}
		if paths, _ := p.asked(since); len(paths) != 3 {
			t.Errorf("for five pushes %v; want a page, the head, and that nothing follows", paths)
		}
		is, err := p.brest.CommonsState(ctx)
		if err != nil {
			t.Fatal(err)
		}
		heads, err := p.toulon.Heads(ctx, brestHost, 1)
		if err != nil || len(heads) != 1 || heads[0].Number != is.Number {
			t.Errorf("heads %+v (%v), want %s", heads, err, is.Number)
		}

		p.rolledBack(t, backup, other)
		p.push(t, p.brest.publish(t, "Écrite dans l’oubli").ID)
		p.pass(2 * time.Minute)
		p.replicas(t)
		if under, err := p.brest.Recovering(ctx); err != nil || !under {
			t.Errorf("nobody told it that it forgot (%v)", err)
		}
	})
}

// A disk that is put back by one change, after which one is made: the number is the
// same, and the head is later.
func TestAnotherHistoryOfTheSameNumberIsFoundToo(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		p, other := newPair(t, db), anew(t, db)
		ctx := t.Context()
		p.brest.publish(t, "Une")
		p.follow(t)
		p.replicas(t)
		backup := p.brest.backup(t)
		lost := p.brest.publish(t, "Perdue")
		p.push(t, lost.ID)
		p.pass(2 * time.Minute)
		p.replicas(t)
		p.rolledBack(t, backup, other)
		p.pass(time.Minute)
		p.push(t, p.brest.publish(t, "Écrite dans l’oubli").ID)
		is, err := p.brest.CommonsState(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if held, err := p.toulon.Heads(ctx, brestHost, 1); err != nil || held[0].Number != is.Number || held[0].Root == is.Root {
			t.Fatalf("head %+v (%v), want another of number %s", held, err, is.Number)
		}
		p.pass(2 * time.Minute)
		p.replicas(t)
		if under, err := p.brest.Recovering(ctx); err != nil || !under {
			t.Fatalf("nobody told it that it forgot (%v)", err)
		}
		if peer, err := p.toulon.CommonsProgress(ctx, brestHost); err != nil || !strings.Contains(peer.Reason, "does not follow") {
			t.Errorf("the reading says %q (%v)", peer.Reason, err)
		}
	})
}

func TestANodeSignsItsHeadDailyThoughNobodyAsks(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newCommonsNode(t, db, "brest", nil)
		n.publish(t, "Une")
		var signed []essaim.CommonsHead
		for _, later := range []time.Duration{0, 23 * time.Hour, 2 * time.Hour} {
			n.moved.Add(int64(later))
			if err := n.server.TurnReplicas(t.Context()); err != nil {
				t.Fatal(err)
			}
			heads, err := n.Heads(t.Context(), "", 1)
			if err != nil || len(heads) != 1 {
				t.Fatalf("%d heads, %v", len(heads), err)
			}
			signed = append(signed, heads[0])
		}
		if !signed[1].At.Equal(signed[0].At) || !signed[2].At.Equal(n.now().Truncate(time.Second)) {
			t.Errorf("signed at %v, %v, %v", signed[0].At, signed[1].At, signed[2].At)
		}
	})
}
