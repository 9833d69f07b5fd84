// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"essaim"
)

// dispatchTogether is how many events are fanned out in one transaction.
const dispatchTogether = 16

// Dispatcher turns events into deliveries, one for each distinct inbox, and
// does nothing else: who sends them is the Deliverer. Several processes may run
// one each; the database lets one at a time through.
type Dispatcher struct {
	Store     DeliveryStore
	NodeActor string // its followers receive what every local actor publishes
	Logger    *slog.Logger
}

// Run fans out until ctx ends.
func (d *Dispatcher) Run(ctx context.Context) error {
	bell := d.Store.Notify()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		d.all(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-bell:
		case <-tick.C:
		}
	}
}

// all fans out whatever waits. An error is for the next round: the cursor has
// not moved.
func (d *Dispatcher) all(ctx context.Context) {
	for ctx.Err() == nil {
		announced, err := d.Store.Announce(ctx)
		if err != nil && ctx.Err() == nil && !errors.Is(err, essaim.ErrRecovering) {
			d.Logger.Warn("announces not made", "error", err)
		}
		n, err := d.Store.Dispatch(ctx, d.NodeActor, dispatchTogether)
		if err != nil {
			if ctx.Err() == nil {
				d.Logger.Warn("events not dispatched", "error", err)
			}
			return
		}
		if n == 0 && announced == 0 {
			return
		}
	}
}
