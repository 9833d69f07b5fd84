// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"testing"
	"testing/synctest"
)

func TestOneComparisonOfANodeAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var all turns
		begin := func(host string) func() {
			end, err := all.begin(t.Context(), host)
			if err != nil {
				t.Error(err)
			}
			return end
		}
		end := begin("brest.example")
		begin("toulon.example")() // another node's is no hindrance
		ctx, leave := context.WithCancel(t.Context())
		left, second := make(chan error, 1), make(chan func(), 1)
		go func() { second <- begin("brest.example") }()
		go func() {
			_, err := all.begin(ctx, "brest.example")
			left <- err
		}()
		synctest.Wait()
		if len(second) > 0 {
			t.Fatal("two at a time")
		}
		leave()
		if err := <-left; err == nil {
			t.Error("who left had a turn")
		}
		end()
		(<-second)()
		if len(all.taken) > 0 {
			t.Errorf("still taken: %v", all.taken)
		}
	})
}
