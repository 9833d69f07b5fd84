// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"essaim"
)

// eachOf does f for each item, so many at once, and waits for all; it begins
// none after ctx ended. A panic over one leaves the others alone.
func eachOf[T any](ctx context.Context, log *slog.Logger, atOnce int, items []T, f func(T)) {
	var tasks sync.WaitGroup
	defer tasks.Wait()
	places := make(chan struct{}, atOnce)
	for _, item := range items {
		select {
		case places <- struct{}{}:
		case <-ctx.Done():
			return
		}
		tasks.Go(func() {
			defer func() {
				<-places
				if p := recover(); p != nil {
					log.Error("a task panicked", "item", item, "panic", p)
				}
			}()
			f(item)
		})
	}
}

// caught makes of a panic an error that what was read is invalid: deferred where a
// document of another server is read in a goroutine that would take the node with
// it.
func caught(err *error) {
	if v := recover(); v != nil {
		*err = fmt.Errorf("panic: %v: %w", v, essaim.ErrInvalid)
	}
}

// inTurn is a list that begins with another each time: there may be no time for the
// last ones.
func inTurn[T any](list []T, now time.Time) []T {
	if len(list) == 0 {
		return nil
	}
	first := int(now.Unix() % int64(len(list)))
	return slices.Concat(list[first:], list[:first])
}
