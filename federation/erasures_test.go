// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"essaim"
)

// former is a store of nodes that are followed no more, each due once.
type former struct {
	ReplicaStore // what is not asked for here
	due          []string
	claimed      int
	most         int
}

func (f *former) DueErasures(_ context.Context, n int) (some []string, err error) {
	n = min(n, len(f.due))
	some, f.due = f.due[:n], f.due[n:]
	f.claimed += n
	return some, nil
}

func (f *former) CommonsProgress(context.Context, string) (p essaim.CommonsProgress, err error) {
	f.most = max(f.most, f.claimed)
	return p, essaim.ErrUnavailable
}

func (f *former) SaveCommonsProgress(context.Context, essaim.CommonsProgress) error {
	f.claimed--
	return nil
}

// A claim lasts as long as one reading may.
func TestOneNodeIsClaimedForItsDeletionsAtATime(t *testing.T) {
	t.Parallel()
	f := &former{due: []string{"brest.example", "lyon.example", "toulon.example"}}
	(&Replicator{Store: f, Now: time.Now, Logger: slog.New(slog.DiscardHandler)}).erasuresDue(t.Context())
	if f.most != 1 || len(f.due) > 0 {
		t.Errorf("%d claimed at a time, %v left", f.most, f.due)
	}
}
