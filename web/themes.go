// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync/atomic"

	"essaim"
)

// concepts is the thesaurus as the last page read it. Its zero value holds the
// common themes.
type concepts struct{ held atomic.Pointer[heldConcepts] }

type heldConcepts struct {
	essaim.Thesaurus
	version string // what of it is the node's own
}

func (c *concepts) get() heldConcepts {
	if c == nil {
		return heldConcepts{}
	}
	if h := c.held.Load(); h != nil {
		return *h
	}
	return heldConcepts{}
}

// learnThemes reads the node's own concepts before a page that may name them. A
// page that the database does not answer says so itself. What was read before
// another request learnt something is older than that, and is forgotten.
func (s *Server) learnThemes(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		before := s.themes.held.Load()
		if t, err := s.store.Thesaurus(r.Context()); err == nil {
			b, _ := json.Marshal(t.Own) // texts alone
			if version := string(b); version != s.themes.get().version {
				s.themes.held.CompareAndSwap(before, &heldConcepts{t, version})
			}
		}
		next.ServeHTTP(w, r)
	})
}

// undefined notes the themes of this node that nothing defines, unless they are
// among those that stood before: the store refuses them too, but alone.
func (s *Server) undefined(ctx context.Context, p essaim.Problems, themes, stood []string) error {
	if len(themes) == 0 {
		return nil
	}
	t, err := s.store.Thesaurus(ctx)
	if err != nil {
		return fmt.Errorf("themes: %w", err)
	}
	t.Complete(p, themes, stood)
	return nil
}

// theme is a theme in words; of a concept that is not known here, its name.
func (l *locale) theme(id string) string {
	return l.own("theme."+id, l.themes.get().Label(l.lang, id))
}
