// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import "regexp"

var openingHours = regexp.MustCompile(`^(Mo|Tu|We|Th|Fr|Sa|Su)([,-](Mo|Tu|We|Th|Fr|Sa|Su))*( ([01]\d|2[0-4]):[0-5]\d-([01]\d|2[0-4]):[0-5]\d)?$`)

// validOpeningHours follows schema.org/openingHours: days in two letters, then
// a range of hours.
func validOpeningHours(s string) bool { return openingHours.MatchString(s) }
