// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"essaim"
)

const lotPath = "/au-hasard"

// showRandom leads to a record drawn at random from what a list holds, from all
// records where the address chooses nothing. Where there is none, or the address is
// not understood, it leads to the list, which says what to do.
func (s *Server) showRandom(w http.ResponseWriter, r *http.Request) error {
	to, q, problems := s.lotOf(selection(r.URL.Query()))
	draw := make([]byte, 24)
	if _, err := io.ReadFull(s.cfg.Random, draw); err != nil {
		return fmt.Errorf("random record: %w", err)
	}
	if len(problems) == 0 {
		rec, err := s.store.Random(r.Context(), q, draw)
		switch {
		case err == nil:
			to = recordPath(rec)
		case !errors.Is(err, essaim.ErrNotFound):
			return err
		}
	}
	if lang, explicit := s.negotiate(r); explicit {
		to = withLang(to, lang)
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Robots-Tag", "noindex")
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// lotOf reads from which list is drawn: its address and its query.
func (s *Server) lotOf(v url.Values) (list string, q essaim.Query, problems essaim.Problems) {
	if kinds := given(v, paramKind); len(kinds) == 1 {
		if k, ok := essaim.Kind(kinds[0]).Info(); ok {
			v.Del(paramKind)
			switch {
			case v.Get(paramWhen) == whenUpcoming:
				v.Del(paramWhen) // as that list says it
			case k.Kind == essaim.KindMeeting:
				v.Set(paramWhen, whenAll)
			}
			q, problems = s.listQuery(k.Kind, v)
			return address("/"+k.Path, v), q, problems
		}
	}
	q, problems = s.parseQuery(v)
	return address("/recherche", v), q, problems
}
