// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"errors"
	"fmt"
	"io"
	"net/http"

	"essaim"
)

// showRandom leads to a published record drawn at random, of here or elsewhere, of
// one kind when the address says which. Where there is none it leads to the list,
// which says what to do.
func (s *Server) showRandom(w http.ResponseWriter, r *http.Request) error {
	kind := essaim.Kind(r.URL.Query().Get(paramKind))
	to := "/recherche"
	if kind != "" {
		info, ok := kind.Info()
		if !ok {
			return errPageNotFound
		}
		to = "/" + info.Path
	}
	draw := make([]byte, 24)
	if _, err := io.ReadFull(s.cfg.Random, draw); err != nil {
		return fmt.Errorf("random record: %w", err)
	}
	rec, err := s.store.Random(r.Context(), kind, draw)
	switch {
	case err == nil:
		to = recordPath(rec)
	case !errors.Is(err, essaim.ErrNotFound):
		return err
	}
	if lang, explicit := s.negotiate(r); explicit {
		to = withLang(to, lang)
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Robots-Tag", "noindex")
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// Lot is the query of the address of a random record of the list's kind.
func (p *ListPage) Lot() string {
	if p.Kind == "" {
		return ""
	}
	return "?" + paramKind + "=" + string(p.Kind)
}
