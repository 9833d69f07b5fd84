// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import (
	"fmt"
	"regexp"
	"strings"
)

// Handle is the name of an account of the Fediverse: @User@Host. User is empty
// for a server as a whole.
type Handle struct {
	User string
	Host string // lower case, with its port when there is one
}

// maxHandle is the longest text taken for a handle, in bytes.
const maxHandle = 320

// handleUser is what servers let people call themselves (interop.md 0.5), in
// either case: WebFinger decides.
var handleUser = regexp.MustCompile(`^[A-Za-z0-9_]+([.-]+[A-Za-z0-9_]+)*$`)

// ParseHandle reads what people type for their account: @ana@m.example, without
// the first @, with acct:, the address of a profile (https://m.example/@ana),
// or the name of a server alone. Errors wrap ErrInvalid.
func ParseHandle(s string) (Handle, error) {
	bad := fmt.Errorf("handle %q: %w", s, ErrInvalid)
	s = strings.TrimSpace(s)
	if s == "" || len(s) > maxHandle {
		return Handle{}, bad
	}
	if strings.Contains(s, "://") {
		return profileHandle(s)
	}
	user, host, ok := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(s, "acct:"), "@"), "@")
	if !ok {
		user, host = "", user
	}
	at, err := ParseIRI("https://" + strings.TrimSuffix(host, "/"))
	if err != nil || at.Origin() != at.String() || ok && user == "" {
		return Handle{}, bad
	}
	return newHandle(user, at.Host())
}

// profileHandle reads the address of a profile in the forms that are common.
func profileHandle(s string) (Handle, error) {
	at, err := ParseIRI(s)
	if err != nil {
		return Handle{}, err
	}
	path := strings.Trim(strings.TrimPrefix(at.WithoutFragment().String(), at.Origin()), "/")
	user, _, _ := strings.Cut(path, "?")
	for _, before := range []string{"@", "users/", "u/", "profile/"} {
		user = strings.TrimPrefix(user, before)
	}
	return newHandle(user, at.Host())
}

// newHandle takes no bare word for a server: people forget their own.
func newHandle(user, host string) (Handle, error) {
	h := Handle{user, host}
	if user != "" && !handleUser.MatchString(user) || !strings.ContainsAny(host, ".:") || len(h.String()) > maxHandle {
		return Handle{}, fmt.Errorf("handle %q: %w", h, ErrInvalid)
	}
	return h, nil
}

// String is the handle as people write it.
func (h Handle) String() string {
	if h.User == "" {
		return h.Host
	}
	return "@" + h.User + "@" + h.Host
}
