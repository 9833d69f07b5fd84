// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"strings"
)

// checkOpenings names what is open for tests and for developers, and closed on a
// node that the public knows (adr 0017).
func checkOpenings(_ context.Context, n *Node) (finding, error) {
	var open, mend []string
	if private := prefixes(n.cfg.AllowPrivate); private != "" {
		open = append(open, "allow_private lets requests reach "+private+", also over plain HTTP.")
		mend = append(mend, "empty allow_private (ESSAIM_ALLOW_PRIVATE)")
	}
	if n.cfg.Dev {
		open = append(open, "--dev prints letters to the log and shows the map of routes.")
		mend = append(mend, "serve without --dev")
	}
	if len(open) == 0 {
		return finding{What: "Public addresses alone are reached, and nothing is open for developers."}, nil
	}
	return finding{State: "warn", What: strings.Join(open, " "), Mend: strings.Join(mend, ", ") + "."}, nil
}
