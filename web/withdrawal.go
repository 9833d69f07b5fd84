// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/go-chi/chi/v5"

	"essaim"
)

// WithdrawalPage asks a moderator why a record of another territory is withdrawn
// here, or why it is shown again.
type WithdrawalPage struct {
	Base
	Record essaim.Record // of one that is withdrawn, what is left of it
	Lift   bool
	Reason Field
}

// askWithdrawHere and withdrawHere are for a record of another territory: it is this
// node alone that shows it no more.
func (s *Server) askWithdrawHere(w http.ResponseWriter, r *http.Request) error {
	rec, err := s.withdrawable(r)
	if err != nil {
		return err
	}
	return s.renderWithdrawal(w, r, &WithdrawalPage{Record: rec}, nil)
}

func (s *Server) withdrawHere(w http.ResponseWriter, r *http.Request) error {
	rec, err := s.withdrawable(r)
	if err != nil {
		return err
	}
	why, problems, err := readReason(r)
	if err != nil {
		return err
	}
	if why == "" {
		problems.Add("reason", "required")
	}
	if len(problems) > 0 {
		return s.renderWithdrawal(w, r, &WithdrawalPage{Record: rec}, problems)
	}
	_, err = s.store.WithdrawHere(r.Context(), rec.ID, userOf(r).ID, why)
	if err != nil && !errors.Is(err, essaim.ErrConflict) { // somebody else did
		return fmt.Errorf("withdraw %s here: %w", rec.ID, err)
	}
	s.leadTo(w, r, recordPath(rec)+"?fait=retire-ici")
	return nil
}

// withdrawable is the record of another territory that a moderator may withdraw here.
func (s *Server) withdrawable(r *http.Request) (essaim.Record, error) {
	if err := s.may(r, essaim.ActionModerate); err != nil {
		return essaim.Record{}, err
	}
	return s.visibleRecord(r, "", chi.URLParam(r, "host"), chi.URLParam(r, "slug"))
}

// askLift and lift undo it: the record is fetched again.
func (s *Server) askLift(w http.ResponseWriter, r *http.Request) error {
	rec, _, err := s.liftable(r)
	if err != nil {
		return err
	}
	return s.renderWithdrawal(w, r, &WithdrawalPage{Record: rec, Lift: true}, nil)
}

func (s *Server) lift(w http.ResponseWriter, r *http.Request) error {
	rec, here, err := s.liftable(r)
	if err != nil {
		return err
	}
	why, problems, err := readReason(r)
	if err != nil {
		return err
	}
	if len(problems) > 0 {
		return s.renderWithdrawal(w, r, &WithdrawalPage{Record: rec, Lift: true}, problems)
	}
	if _, err := s.store.DecideItem(r.Context(), here.Item, essaim.ItemRestore, userOf(r).ID, why); err != nil {
		return fmt.Errorf("lift the withdrawal of %s: %w", rec.ID, err)
	}
	info, _ := rec.Kind.Info()
	s.leadTo(w, r, "/"+info.Path+"?fait=retabli")
	return nil
}

// liftable is a record that is withdrawn here, and its withdrawal.
func (s *Server) liftable(r *http.Request) (essaim.Record, *essaim.Withdrawal, error) {
	if err := s.may(r, essaim.ActionModerate); err != nil {
		return essaim.Record{}, nil, err
	}
	rec, err := s.store.RecordBySlug(r.Context(), "", chi.URLParam(r, "host"), chi.URLParam(r, "slug"))
	if err != nil {
		return rec, nil, fmt.Errorf("withdrawal: %w", err)
	}
	here, err := s.withdrawnHere(r.Context(), rec)
	if err == nil && here == nil {
		err = errPageNotFound
	}
	return rec, here, err
}

// readReason reads why a moderator decides, from a form.
func readReason(r *http.Request) (string, essaim.Problems, error) {
	if err := r.ParseForm(); err != nil {
		return "", nil, formError(err)
	}
	problems := essaim.Problems{}
	return reason(r.PostForm.Get("motif"), problems), problems, nil
}

// renderWithdrawal shows the form, with what was typed and what is wrong with it.
func (s *Server) renderWithdrawal(w http.ResponseWriter, r *http.Request, p *WithdrawalPage, problems essaim.Problems) error {
	l := s.locale(r)
	info, _ := p.Record.Kind.Info()
	p.NoIndex, p.Section = true, info.Path
	p.Reason = Field{Name: "motif", ID: fieldID("motif"), Label: l.T("local.reason"), Hint: l.T("local.reason_hint"), Value: r.PostForm.Get("motif")}
	if p.Lift {
		// Of what is withdrawn neither title nor text is left.
		p.Title, p.Reason.Label = l.T("local.lift"), l.T("local.reason_optional")
		p.Reason.Hint = l.T("local.lift_hint")
		p.Crumbs = []Crumb{{l.T("nav.home"), "/"}, {l.T("kinds." + string(p.Record.Kind)), "/" + info.Path}, {l.T("local.lift"), ""}}
	} else {
		p.Title = l.F("local.title", "Title", p.Record.Title)
		p.crumbsOf(l, info, p.Record, l.T("withdraw.short"))
	}
	status := http.StatusOK
	if why := problems["reason"]; why != "" {
		p.Reason.Error, status = l.T("problem."+why), http.StatusUnprocessableEntity
	}
	return s.render(w, r, status, "withdrawal", p)
}
