// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"testing"
	"time"

	"essaim/store/storetest"
)

// Who held what was lost is away when the node asks for it, and compares once both are
// there again: what it holds is later than what it is shown, and stays until the node
// has it back.
func TestWhatARestoredNodeLostStaysWhereItIsHeld(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		p, other := newPair(t, db), anew(t, db)
		ctx := t.Context()
		backup, d := p.liveADay(t)
		p.network.SetDown("toulon.example", true)
		p.restored(t, backup, other)
		for range 2 {
			if err := p.brest.server.Rescuer().Step(ctx); err != nil {
				t.Fatal(err)
			}
			p.pass(16 * time.Minute)
		}
		if under, err := p.brest.Recovering(ctx); err != nil || under {
			t.Fatalf("it waits for who does not answer: %t, %v", under, err)
		}
		p.network.SetDown("toulon.example", false)
		p.catchUp(t)
		if c := p.compare(t); c.Differences == 0 {
			t.Fatal("nothing differs")
		}
		for _, id := range d.edited {
			if r, err := p.toulon.Record(ctx, id); err != nil || r.Revision != 3 {
				t.Errorf("an older version than that of %s took its place: %d (%v)", id, r.Revision, err)
			}
		}
		p.pass(2 * time.Hour)
		if err := p.brest.server.Rescuer().Step(ctx); err != nil {
			t.Fatal(err)
		}
		p.catchUp(t)
		p.whole(t, d)
	})
}
