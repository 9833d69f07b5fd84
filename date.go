// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import "time"

// A partial date is a year, a year and month, or a day: "2003", "2006-03",
// "2006-03-26". What a source does not say is not filled in.
var partialDateLayouts = [...]string{"2006", "2006-01", "2006-01-02"}

func validPartialDate(s string) bool {
	for _, l := range partialDateLayouts {
		if len(l) == len(s) {
			_, err := time.Parse(l, s)
			return err == nil
		}
	}
	return false
}
