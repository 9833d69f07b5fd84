// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"essaim/e2e/rig"
)

// judge collects the assertions of one check. It goes on after one fails, so
// that a report says all that is wrong.
type judge struct {
	made   int
	failed []error
}

// that asserts; the text says what should be so, and its arguments what was
// found.
func (j *judge) that(holds bool, format string, args ...any) bool {
	j.made++
	if !holds {
		j.failed = append(j.failed, fmt.Errorf(format, args...))
	}
	return holds
}

// no asserts that there is no error.
func (j *judge) no(err error) bool {
	return j.that(err == nil, "%w", err)
}

// same asserts that got is want.
func same[V comparable](j *judge, what string, got, want V) bool {
	return j.that(got == want, "%s: %v, want %v", what, got, want)
}

// among asserts that got is one of some.
func among[V comparable](j *judge, what string, got V, some ...V) bool {
	return j.that(slices.Contains(some, got), "%s: %v, want one of %v", what, got, some)
}

// soon asserts what comes to be within the time.
func (j *judge) soon(within time.Duration, f func() error) bool {
	return j.no(rig.Eventually(within, f))
}

// verdict is what the check came to. One that asserted nearly nothing proves
// nothing.
func (j *judge) verdict() error {
	if j.made < 2 && len(j.failed) == 0 {
		return fmt.Errorf("%d assertions: the check did not look", j.made)
	}
	const shown = 6
	if len(j.failed) > shown {
		return fmt.Errorf("%w\nand %d more", errors.Join(j.failed[:shown]...), len(j.failed)-shown)
	}
	return errors.Join(j.failed...)
}
