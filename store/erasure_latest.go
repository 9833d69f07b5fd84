// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"essaim"
)

// LastErasure is when something was last erased here that a dump of the commons
// may hold, one of this node's own records only with own; zero for never.
func (s *Store) LastErasure(ctx context.Context, own bool) (last time.Time, err error) {
	reaches := []essaim.ErasureReach{essaim.ReachOwn, essaim.ReachNetwork}
	if own {
		reaches = reaches[:1]
	}
	for _, reach := range reaches {
		var at time.Time
		err := s.query().row(ctx, "erasure_latest", int(reach)).Scan(moment{&at})
		if err != nil && !errors.Is(err, essaim.ErrNotFound) {
			return time.Time{}, fmt.Errorf("last erasure: %w", err)
		}
		last = later(last, at)
	}
	return last, nil
}
