// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"net/http"

	"essaim/federation/sig"
)

// admits answers 403 to a reader that says who it is and is blocked. What is
// public stays so for whoever says nothing; the signature is not checked, as
// nobody gains by signing in the name of one who is kept out.
func (s *Server) admits(w http.ResponseWriter, r *http.Request) bool {
	key, ok := sig.ClaimedKey(r.Header)
	if !ok {
		return true
	}
	st, err := s.store.Standing(r.Context(), key.WithoutFragment().String())
	switch {
	case err != nil:
		s.fail(w, r, err)
		return false
	case st.Blocked:
		s.refuse(w, r, http.StatusForbidden)
		return false
	}
	return true
}
