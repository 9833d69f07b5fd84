// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"sync"
	"sync/atomic"
	"testing"
)

// A sync.WaitGroup panics here, now and then: a node that stops answers requests yet.
func TestTasksMayBeginWhileOthersAreWaitedFor(t *testing.T) {
	t.Parallel()
	var all tasks
	var ran atomic.Int64
	var begin sync.WaitGroup
	for range 8 {
		begin.Go(func() {
			for range 20_000 {
				all.Go(func() { ran.Add(1) })
				all.Wait()
			}
		})
	}
	begin.Wait()
	all.Wait()
	if got := ran.Load(); got != 160_000 {
		t.Errorf("%d ran before they were waited for, want 160000", got)
	}
}
