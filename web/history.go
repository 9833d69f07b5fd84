// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"fmt"
	"net/http"

	"github.com/go-chi/chi/v5"

	"essaim"
)

// HistoryPage lists the revisions of a local record.
type HistoryPage struct {
	Base
	Record    essaim.Record
	Revisions []Revision
	Brought   string // where an import found it, as the record says; empty for one that says nothing
}

// Revision is a version with what it changed in the one before that is shown: the
// names of fields, not what was taken out of them.
type Revision struct {
	essaim.Revision
	Changed []string
}

func (s *Server) showHistory(k essaim.KindInfo) handlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		rec, err := s.visibleRecord(r, k.Kind, "", chi.URLParam(r, "slug"))
		if err != nil {
			return err
		}
		revisions, err := s.store.Revisions(r.Context(), rec.ID)
		if err != nil {
			return fmt.Errorf("revisions: %w", err)
		}
		p, l := &HistoryPage{Record: rec}, s.locale(r)
		// What was written before publication is not public.
		for _, rev := range revisions {
			if rev.State == essaim.StatePublished || essaim.May(userOf(r), essaim.ActionWrite) {
				p.Revisions = append(p.Revisions, Revision{Revision: rev})
			}
		}
		for i := range len(p.Revisions) - 1 { // newest first
			for _, f := range essaim.ChangedFields(&p.Revisions[i+1].Content, &p.Revisions[i].Content) {
				if key := "field." + fieldKey(f); l.Has(key) {
					p.Revisions[i].Changed = append(p.Revisions[i].Changed, l.T(key))
				}
			}
		}
		if len(rec.Sources) > 0 && rec.Sources[0].Fetched != "" { // as imports write it
			p.Brought = rec.Sources[0].Name
		}
		p.Title, p.NoIndex, p.Section = l.F("history.title", "Title", rec.Title), true, k.Path
		p.crumbsOf(l, k, rec, l.T("history.short"))
		return s.render(w, r, http.StatusOK, "history", p)
	}
}
