// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import "errors"

// Kinds of failure that callers tell apart with errors.Is. Adapters wrap them
// with the operation and the subject; one function in web maps them to a
// status and a sentence, one in federation to a status and a retry class.
var (
	ErrNotFound    = errors.New("not found")
	ErrInvalid     = errors.New("invalid")
	ErrForbidden   = errors.New("forbidden")
	ErrConflict    = errors.New("conflict")
	ErrGone        = errors.New("gone")
	ErrUnavailable = errors.New("temporarily unavailable") // the database or a peer is away: ask again later
)
