// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"

	"essaim"
)

const reportPath = "/signaler"

// ReportPage lets anybody say, without an account, that something shown here is
// wrong or must not be here (Digital Services Act, article 16).
type ReportPage struct {
	Base
	Target, Text, Email Field
	// About is the record that the page speaks of; nil when it is not known.
	About    *essaim.Record
	Problems []Problem
}

// ReceiptPage tells who reported what became of it.
type ReceiptPage struct {
	Base
	Receipt essaim.Receipt
}

func (s *Server) newReport(w http.ResponseWriter, r *http.Request) error {
	return s.renderReport(w, r, APIReport{Object: r.URL.Query().Get("objet")}, nil)
}

func (s *Server) createReport(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return formError(err)
	}
	in := APIReport{r.PostForm.Get("objet"), r.PostForm.Get("texte"), r.PostForm.Get("courriel")}
	problems := in.validate()
	if len(problems) == 0 {
		id, err := s.fileReport(r, in)
		if err == nil {
			s.leadTo(w, r, reportPath+"/"+id)
			return nil
		}
		if !errors.Is(err, essaim.ErrNotFound) {
			return err
		}
		problems.Add("object", "not_shown")
	}
	return s.renderReport(w, r, in, problems)
}

func (s *Server) renderReport(w http.ResponseWriter, r *http.Request, in APIReport, problems essaim.Problems) error {
	l := s.locale(r)
	p := &ReportPage{}
	p.Title, p.NoIndex, p.Canonical = l.T("report.title"), true, s.abs(reportPath)
	p.Crumbs = []Crumb{{l.T("nav.home"), "/"}, {p.Title, ""}}
	// A path of this site is what its own links say.
	if strings.HasPrefix(in.Object, "/") {
		in.Object = s.abs(in.Object)
	}
	id, err := s.reported(r, in.Object)
	if err != nil {
		return err
	}
	rec, err := s.store.Record(r.Context(), id)
	switch {
	case err == nil && rec.State == essaim.StatePublished:
		p.About = &rec
	case err != nil && !errors.Is(err, essaim.ErrNotFound) && !errors.Is(err, essaim.ErrGone):
		return fmt.Errorf("report: %w", err)
	}
	field := func(name, part, value string) Field {
		f := Field{Name: name, ID: fieldID(name), Label: l.T("report." + part), Hint: l.T("report." + part + "_hint"), Value: value}
		if reason := problems[part]; reason != "" {
			f.Error = l.T("problem." + reason)
			p.Problems = append(p.Problems, Problem{f.ID, f.Label, f.Error})
		}
		return f
	}
	p.Target, p.Text, p.Email = field("objet", "object", in.Object), field("texte", "text", in.Text), field("courriel", "email", in.Email)
	p.Email.Mode = "email"
	status := http.StatusOK
	if len(problems) > 0 {
		status = http.StatusUnprocessableEntity
	}
	return s.render(w, r, status, "report", p)
}

func (s *Server) showReceipt(w http.ResponseWriter, r *http.Request) error {
	receipt, err := s.store.Receipt(r.Context(), chi.URLParam(r, "id"))
	if err != nil {
		return err
	}
	l := s.locale(r)
	p := &ReceiptPage{Receipt: receipt}
	p.Title, p.NoIndex, p.NoStore, p.Canonical = l.T("report.receipt"), true, true, s.abs(reportPath)
	p.Crumbs = []Crumb{{l.T("nav.home"), "/"}, {l.T("report.title"), reportPath}, {p.Title, ""}}
	w.Header().Set("Referrer-Policy", "no-referrer")
	return s.render(w, r, http.StatusOK, "receipt", p)
}
