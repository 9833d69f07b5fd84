// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"testing"
	"time"

	"essaim"
	"essaim/store/storetest"
)

func TestTheLastErasureIsOfWhatADumpMayHold(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := followed(t, db)
		last := func(own bool) time.Time {
			t.Helper()
			at, err := n.LastErasure(t.Context(), own)
			if err != nil {
				t.Fatal(err)
			}
			return at
		}
		rec := storetest.Publish(t, n.Store, storetest.Initiative("Retirée"))
		theirs := version("ailleurs", 10, 1)
		n.apply(t, toulouseTerritory, theirs)
		if !last(true).IsZero() || !last(false).IsZero() {
			t.Fatalf("something was erased: %v, %v", last(true), last(false))
		}

		// What others delete is no matter of the files of this node's own records.
		n.clock.pass(time.Hour)
		n.apply(t, toulouseTerritory, essaim.Erase{ID: theirs.Record.ID, Actor: toulouseTerritory})
		foreign := last(false)
		if foreign.IsZero() || !last(true).IsZero() {
			t.Errorf("after a deletion elsewhere: all %v, own %v", foreign, last(true))
		}

		n.clock.pass(time.Hour)
		if err := n.WithdrawRecord(t.Context(), rec.ID, storetest.Author); err != nil {
			t.Fatal(err)
		}
		if own := last(true); !own.After(foreign) || !own.Equal(last(false)) {
			t.Errorf("after a withdrawal here: own %v, all %v, before %v", own, last(false), foreign)
		}
	})
}
