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

		// Comments and what was never published are in no dump.
		const reply = "https://a.example/notes/1"
		n.apply(t, ana, comment(reply, rec.ID, n.clock.now()))
		n.apply(t, ana, essaim.EraseComment{ID: reply, Actor: ana})
		draft, err := n.CreateRecord(t.Context(), essaim.NewRecord{Content: storetest.Initiative("Brouillon"), State: essaim.StateDraft, Author: storetest.Author})
		if err == nil {
			err = n.WithdrawRecord(t.Context(), draft.ID, storetest.Author)
		}
		if err != nil {
			t.Fatal(err)
		}
		if got := one[int](t, n, "SELECT count(*) FROM erasure"); got != 2 || !last(false).IsZero() {
			t.Fatalf("%d erasures, the last of what a dump may hold at %v", got, last(false))
		}

		// An account elsewhere, of a record of its own territory perhaps.
		n.apply(t, ana, comment("https://a.example/notes/2", rec.ID, n.clock.now()))
		n.apply(t, ana, essaim.ForgetActor{Actor: ana})
		if last(false).IsZero() || !last(true).IsZero() {
			t.Errorf("after an account elsewhere: all %v, own %v", last(false), last(true))
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
