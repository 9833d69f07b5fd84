// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"strconv"
	"testing"
	"time"
)

// The document of the node's actor is asked for by every server that checks a
// signature: where the database must be asked whether it changed, that is done
// once a second.
func TestWhatEveryServerAsksForCostsAQueryASecond(t *testing.T) {
	t.Parallel()
	for _, free := range []bool{false, true} {
		number, asked := int64(1), 0
		c := newDocumentCache(func() (int64, bool) { return number, free }, func(context.Context) (int64, error) {
			asked++
			return number, nil
		})
		load := func(context.Context, string) (Stored, error) { return Stored{ETag: strconv.FormatInt(number, 10)}, nil }
		at := time.Unix(1000, 0)
		get := func(want string) {
			t.Helper()
			d, err := c.lately(t.Context(), "actor", load, at)
			if err != nil || d.ETag != want {
				t.Errorf("free %t: got version %s, want %s, %v", free, d.ETag, want, err)
			}
		}
		for range 100 {
			get("1")
		}
		number = 2
		if free {
			get("2") // at once, where it costs nothing
			continue
		}
		if asked != 1 {
			t.Errorf("asked the database %d times", asked)
		}
		get("1")
		at = at.Add(time.Second)
		get("2")
		at = at.Add(-time.Hour) // a clock that is set back
		number = 3
		get("3")
	}
}
