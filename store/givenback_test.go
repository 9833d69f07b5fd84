// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"testing"
	"time"

	"essaim"
	"essaim/store/storetest"
)

// What is given back untried is due again as if it had not been claimed; a word
// about an earlier claim changes nothing in a later one, though the attempt is
// the same.
func TestWhatIsGivenBackUntriedIsNotCounted(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		n.follow(t, territory, "https://a.example/u1", "https://a.example/inbox")
		n.publish(t, "Create", "1", "o1")
		n.dispatch(t)
		first := n.take(t, "a.example", 10)
		back := essaim.DeliveryResult{ID: first[0].ID, Attempt: 1, State: essaim.DeliveryWaiting, NextAt: n.clock.now(), Untried: first[0].LeaseUntil}
		n.finish(t, back)
		n.clock.pass(time.Second)
		second := n.take(t, "a.example", 10)
		if len(second) != 1 || second[0].Attempt != 1 || !second[0].LeaseUntil.After(first[0].LeaseUntil) {
			t.Fatalf("claimed %v again, want the first attempt under a later lease", second)
		}
		n.finish(t, back)
		if again := n.take(t, "a.example", 10); len(again) != 0 {
			t.Errorf("claimed twice: %v", again)
		}
	})
}
