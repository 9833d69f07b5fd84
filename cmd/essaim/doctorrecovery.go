// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"fmt"
	"strings"
)

// checkRecovery says how far the node is with getting back what it lost, and who
// was not asked yet.
func checkRecovery(ctx context.Context, n *Node) (finding, error) {
	r, err := n.store.Recovery(ctx)
	if err != nil || r.BeganAt.IsZero() {
		return finding{What: "nothing was ever lost."}, err
	}
	var left []string
	for _, s := range r.Sources {
		if s.DoneAt.IsZero() {
			left = append(left, s.Host)
		}
	}
	came := fmt.Sprintf("%d records and actors came back, %d were erased again", r.Recovered, r.Withdrawn)
	switch {
	case r.UnderWay():
		return finding{
			State: "warn", What: "since " + stamp(r.BeganAt) + " the node gets back what it lost and publishes nothing: " + came + ".",
			Mend: "it ends by itself; waited for: " + strings.Join(left, ", "),
		}, nil
	case len(left) > 0:
		return finding{
			State: "warn", What: "since " + stamp(r.BeganAt) + " " + came + "; not answered yet: " + strings.Join(left, ", ") + ".",
			Mend: "they are asked hourly for two weeks",
		}, nil
	}
	return finding{What: "on " + stamp(r.BeganAt) + " " + came + "."}, nil
}
