// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"testing"
	"time"

	"essaim"
	"essaim/store/storetest"
)

// Whoever asks need not wait until the node makes them by itself.
func TestDumpsAreMadeAtOnceForWhoAsks(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	n := openedAt(t, &now)
	rec, err := n.store.CreateRecord(t.Context(), essaim.NewRecord{Content: storetest.Initiative("Un jardin"), State: essaim.StatePublished, Author: storetest.Author})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := makeDumps(t.Context(), n, none{}); err != nil || len(got.Dumps) != 6 || got.Dumps[0].Records != 1 || got.Wait != 0 {
		t.Fatalf("%+v, %v", got, err)
	}
	now = now.Add(time.Hour)
	if err := n.store.WithdrawRecord(t.Context(), rec.ID, storetest.Author); err != nil {
		t.Fatal(err)
	}
	if got, err := makeDumps(t.Context(), n, none{}); err != nil || len(got.Dumps) != 0 || got.Wait != time.Minute {
		t.Errorf("just after an erasure: %+v, %v", got, err)
	}
	now = now.Add(time.Minute)
	if got, err := makeDumps(t.Context(), n, none{}); err != nil || len(got.Dumps) != 6 || got.Dumps[0].Records != 0 {
		t.Errorf("a minute after: %+v, %v", got, err)
	}
}
