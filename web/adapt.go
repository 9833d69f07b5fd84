// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/go-chi/chi/v5"

	"essaim"
)

// Adapting is what those who may write can do with a record elsewhere or here:
// adapt it, or read why not.
type Adapting struct {
	Action  string // address that makes the draft; empty when it may not be adapted
	Refused string // why, from the licence's terms
	Licence string // of the draft
	Remake  string // address of the form of a remake of it
}

// offerToAdapt fills what the page of a record offers to those who may write.
func (s *Server) offerToAdapt(r *http.Request, p *RecordPage) {
	rec := p.Record
	if rec.State != essaim.StatePublished || !rec.Kind.MayBeAdapted() || !essaim.May(userOf(r), essaim.ActionWrite) {
		return
	}
	rule := essaim.AdaptationRule(rec.Licence)
	p.Adapt = &Adapting{Remake: remakeForm(rec)}
	if len(rule.To) == 0 {
		p.Adapt.Refused = s.locale(r).own("adaptation."+rec.Licence, rule.Reason(s.locale(r).lang))
		return
	}
	p.Adapt.Action, p.Adapt.Licence = recordPath(rec)+"/adapter", rule.To[0]
}

// adaptRecord makes a draft that adapts a record of here, adaptElsewhere one of
// another territory; the form comes next.
func (s *Server) adaptRecord(k essaim.KindInfo) handlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		return s.adapt(w, r, k.Kind, "")
	}
}

func (s *Server) adaptElsewhere(w http.ResponseWriter, r *http.Request) error {
	return s.adapt(w, r, "", chi.URLParam(r, "host"))
}

func (s *Server) adapt(w http.ResponseWriter, r *http.Request, k essaim.Kind, host string) error {
	if err := s.may(r, essaim.ActionWrite); err != nil {
		return err
	}
	rec, err := s.visibleRecord(r, k, host, chi.URLParam(r, "slug"))
	if err != nil {
		return err
	}
	made, err := s.store.Adapt(r.Context(), rec.ID, authorOf(r))
	if errors.Is(err, essaim.ErrForbidden) {
		// Its page says why.
		s.leadTo(w, r, recordPath(rec))
		return nil
	}
	if err != nil {
		return fmt.Errorf("adapt %s: %w", rec.Slug, err)
	}
	s.leadTo(w, r, recordPath(made)+"/modifier?fait=adapte")
	return nil
}
