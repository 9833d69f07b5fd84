// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"errors"
	"strings"
	"testing"

	"essaim"
	"essaim/store/storetest"
)

// A record withdrawn here is no difference from its origin: it is neither fetched
// again nor told as one, until the withdrawal is lifted.
func TestWhatIsWithdrawnHereIsNoDifferenceAndComesBackOnceItIsLifted(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		p := newPair(t, db)
		gone, kept := p.brest.publish(t, "Une fiche contestée"), p.brest.publish(t, "Une autre")
		p.follow(t)
		p.catchUp(t)
		d, err := p.toulon.WithdrawHere(t.Context(), gone.ID, 0, "demande fondée")
		if err != nil {
			t.Fatal(err)
		}
		quiet := func(when string) {
			t.Helper()
			p.brest.moved.Add(1 << 40)
			p.toulon.moved.Add(1 << 40)
			since := len(p.network.Log())
			if c := p.compare(t); c.Differences != 0 || c.Mended != 0 || len(c.Kept) != 0 {
				t.Errorf("%s: comparison %+v", when, c)
			}
			for _, r := range p.network.Log()[since:] {
				if strings.Contains(gone.ID, r.Path) && r.Path != "/" {
					t.Errorf("%s: %s is fetched again", when, r.Path)
				}
			}
			if _, err := p.toulon.Document(t.Context(), gone.ID); !errors.Is(err, essaim.ErrNotFound) {
				t.Errorf("%s: it is back: %v", when, err)
			}
			if _, err := p.toulon.Document(t.Context(), kept.ID); err != nil {
				t.Errorf("%s: the other one: %v", when, err)
			}
		}
		quiet("at once")
		// Its origin changes it: the page of its commons brings it, in vain.
		if _, err := p.brest.UpdateRecord(t.Context(), gone.ID, 0, storetest.Initiative("Une fiche contestée, revue"), essaim.StatePublished, storetest.Author); err != nil {
			t.Fatal(err)
		}
		quiet("after an edit there")
		// As if the change had been passed over: the walk meets another digest.
		if _, err := p.brest.UpdateRecord(t.Context(), gone.ID, 0, storetest.Initiative("Encore"), essaim.StatePublished, storetest.Author); err != nil {
			t.Fatal(err)
		}
		p.catchUp(t)
		p.damage(t, db, "UPDATE commons SET digest = $2 WHERE id = $1", gone.ID, strings.Repeat("0", 64))
		quiet("after an edit that was missed")
		if _, err := p.toulon.DecideItem(t.Context(), d.N, essaim.ItemRestore, 0, "à tort"); err != nil {
			t.Fatal(err)
		}
		if due, err := p.toulon.DueComparisons(t.Context(), 1); err != nil || len(due) != 1 {
			t.Errorf("no comparison is due: %v, %v", due, err)
		}
		if c := p.compare(t); c.Differences != 1 || c.Mended != 1 {
			t.Errorf("once lifted: comparison %+v", c)
		}
		if again, err := p.toulon.Record(t.Context(), gone.ID); err != nil || again.Title != "Encore" || again.State != essaim.StatePublished {
			t.Errorf("once lifted: %q, %s, %v", again.Title, again.State, err)
		}
		if different := p.differences(t); len(different) > 0 {
			t.Errorf("%v", different)
		}
	})
}
