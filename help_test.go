// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import (
	"testing"
	"time"
)

func TestACallForHelpStandsThroughTheLastDayItNames(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 31, 22, 0, 0, 0, time.UTC)
	for until, want := range map[string]bool{"": false, "2026": false, "2026-05": false, "2026-05-31": false, "2026-05-30": true, "2026-04": true, "2025": true, "un jour": false} {
		h := HelpNotice{Until: until}
		if got := h.Ended(now); got != want {
			t.Errorf("until %q: ended %t", until, got)
		}
		c := Content{HelpWanted: []HelpNotice{{Until: "2020"}, h}}
		if got := c.WantsHelp(now); got == want {
			t.Errorf("until %q: wants help %t", until, got)
		}
	}
}
