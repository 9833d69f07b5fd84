// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"

	"essaim"
)

// FormPage is the form of a record, new or edited.
type FormPage struct {
	Base
	Kind     essaim.Kind
	Form     *recordForm
	Action   string
	Record   *essaim.Record // nil for a new one
	Revision int            // that was edited
	Draft    bool           // may still be kept as a draft
	Conflict bool           // somebody else saved in between
	Back     string
}

// formTemplate is the template of a kind's form; a test walks the table of kinds.
func formTemplate(k essaim.Kind) string { return "form_" + string(k) }

func (s *Server) newForm(r *http.Request, k essaim.Kind) *recordForm {
	return &recordForm{kind: k, values: url.Values{}, problems: essaim.Problems{}, l: s.locale(r), communes: s.communes}
}

// newRecord shows an empty form.
func (s *Server) newRecord(k essaim.KindInfo) handlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := s.may(r, essaim.ActionWrite); err != nil {
			return err
		}
		f := s.newForm(r, k.Kind)
		f.set("licence", essaim.DefaultLicence)
		if err := s.beginRemake(r, f); err != nil {
			return err
		}
		return s.renderForm(w, r, http.StatusOK, k, &FormPage{Form: f, Draft: true})
	}
}

// createRecord publishes or keeps what was typed.
func (s *Server) createRecord(k essaim.KindInfo) handlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := s.may(r, essaim.ActionWrite); err != nil {
			return err
		}
		f, err := s.readForm(w, r, k.Kind)
		if err != nil {
			return err
		}
		page := &FormPage{Form: f, Draft: true}
		c := f.read(s, essaim.Content{})
		if err := errors.Join(s.resolveRelations(r.Context(), &c), s.keepConsents(r, nil, &c), s.undefined(r.Context(), f.problems, c.Themes, nil)); err != nil {
			return err
		}
		if f.values.Get("ajouter") != "" {
			f.problems = essaim.Problems{}
			return s.renderForm(w, r, http.StatusOK, k, page)
		}
		state := formState(f)
		f.check(&c, state)
		if len(f.problems) > 0 {
			return s.renderForm(w, r, http.StatusUnprocessableEntity, k, page)
		}
		s.findMentions(r.Context(), &c, state)
		rec, err := s.store.CreateRecord(r.Context(), essaim.NewRecord{Content: c, State: state, Author: authorOf(r)})
		if f.refused(&c, err) {
			return s.renderForm(w, r, http.StatusUnprocessableEntity, k, page)
		}
		if err != nil {
			return fmt.Errorf("new %s: %w", k.Kind, err)
		}
		s.leadTo(w, r, recordPath(rec)+"?fait="+doneKey(rec.State))
		return nil
	}
}

// editRecord shows the form of a record.
func (s *Server) editRecord(k essaim.KindInfo) handlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		rec, err := s.ownRecord(r, k.Kind, essaim.ActionWrite)
		if err != nil {
			return err
		}
		f := s.newForm(r, k.Kind)
		f.write(rec.Content)
		return s.renderForm(w, r, http.StatusOK, k, &FormPage{Form: f, Record: &rec, Revision: rec.Revision, Draft: rec.State != essaim.StatePublished})
	}
}

// updateRecord saves what was typed, unless somebody else saved in between.
func (s *Server) updateRecord(k essaim.KindInfo) handlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		rec, err := s.ownRecord(r, k.Kind, essaim.ActionWrite)
		if err != nil {
			return err
		}
		f, err := s.readForm(w, r, k.Kind)
		if err != nil {
			return err
		}
		revision, err := strconv.Atoi(f.values.Get("revision"))
		if err != nil || revision < 1 {
			return fmt.Errorf("revision: %w", essaim.ErrInvalid)
		}
		page := &FormPage{Form: f, Record: &rec, Revision: revision, Draft: rec.State != essaim.StatePublished}
		c := f.read(s, rec.Content)
		if err := errors.Join(s.resolveRelations(r.Context(), &c), s.keepConsents(r, rec.Credits, &c), s.undefined(r.Context(), f.problems, c.Themes, rec.Themes)); err != nil {
			return err
		}
		if f.values.Get("ajouter") != "" {
			f.problems = essaim.Problems{}
			return s.renderForm(w, r, http.StatusOK, k, page)
		}
		state := formState(f)
		if rec.State == essaim.StatePublished {
			state = essaim.StatePublished
		}
		f.check(&c, state)
		if len(f.problems) > 0 {
			return s.renderForm(w, r, http.StatusUnprocessableEntity, k, page)
		}
		s.findMentions(r.Context(), &c, state)
		after, err := s.store.UpdateRecord(r.Context(), rec.ID, revision, c, state, authorOf(r))
		if errors.Is(err, essaim.ErrConflict) {
			// What was typed stays; saving again is then a decision.
			page.Conflict, page.Revision = true, rec.Revision
			return s.renderForm(w, r, http.StatusConflict, k, page)
		}
		if f.refused(&c, err) {
			return s.renderForm(w, r, http.StatusUnprocessableEntity, k, page)
		}
		if err != nil {
			return fmt.Errorf("edit %s: %w", rec.Slug, err)
		}
		done := doneKey(after.State)
		if rec.State == essaim.StatePublished {
			done = "modifie"
		}
		s.leadTo(w, r, recordPath(after)+"?fait="+done)
		return nil
	}
}

// WithdrawPage asks whether a record shall be withdrawn.
type WithdrawPage struct {
	Base
	Record essaim.Record
	Action string
}

func (s *Server) confirmWithdraw(k essaim.KindInfo) handlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		rec, err := s.ownRecord(r, k.Kind, essaim.ActionWithdraw)
		if err != nil {
			return err
		}
		l := s.locale(r)
		p := &WithdrawPage{Record: rec, Action: recordPath(rec) + "/retirer"}
		title := "withdraw.title"
		if rec.State != essaim.StatePublished {
			title = "withdraw.title_draft"
		}
		p.Title, p.NoIndex, p.Section = l.F(title, "Title", rec.Title), true, k.Path
		p.crumbsOf(l, k, rec, l.T("withdraw.short"))
		return s.render(w, r, http.StatusOK, "withdraw", p)
	}
}

func (s *Server) withdrawRecord(k essaim.KindInfo) handlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		rec, err := s.ownRecord(r, k.Kind, essaim.ActionWithdraw)
		if err != nil {
			return err
		}
		if err := s.store.WithdrawRecord(r.Context(), rec.ID, authorOf(r)); err != nil {
			return fmt.Errorf("withdraw %s: %w", rec.Slug, err)
		}
		if rec.State != essaim.StatePublished {
			s.leadTo(w, r, "/compte?fait=efface")
			return nil
		}
		s.leadTo(w, r, "/"+k.Path+"?fait=retire")
		return nil
	}
}

// ownRecord finds a local record that the account may act on.
func (s *Server) ownRecord(r *http.Request, k essaim.Kind, a essaim.Action) (essaim.Record, error) {
	if err := s.may(r, a); err != nil {
		return essaim.Record{}, err
	}
	return s.visibleRecord(r, k, "", chi.URLParam(r, "slug"))
}

// crumbsOf is the way to a page about a record, which that page ends.
func (b *Base) crumbsOf(l *locale, k essaim.KindInfo, rec essaim.Record, last string) {
	b.Crumbs = []Crumb{{l.T("nav.home"), "/"}, {l.T("kinds." + string(k.Kind)), "/" + k.Path}, {rec.Title, recordPath(rec)}, {last, ""}}
	b.TitleLang = cmp.Or(rec.Language, "fr")
}

func (s *Server) readForm(w http.ResponseWriter, r *http.Request, k essaim.Kind) (*recordForm, error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxFormBytes)
	if err := r.ParseForm(); err != nil {
		return nil, formError(err)
	}
	f := s.newForm(r, k)
	f.values = r.PostForm
	return f, nil
}

// check adds what is wrong with the content to what is wrong with the form.
func (f *recordForm) check(c *essaim.Content, state essaim.State) {
	f.take(c, c.Validate(state == essaim.StatePublished))
}

// refused takes the problems that the store found with the content.
func (f *recordForm) refused(c *essaim.Content, err error) bool {
	var invalid *essaim.ValidationError
	if !errors.As(err, &invalid) {
		return false
	}
	f.problems = essaim.Problems{}
	f.take(c, invalid.Problems)
	return true
}

// take adds problems with a content where the form asks for what they are about:
// it has credits in two groups of rows, and relations by their type.
func (f *recordForm) take(c *essaim.Content, found essaim.Problems) {
	at, rows := make([]string, len(c.Credits)), map[string][]int{}
	for _, group := range []string{creditGroup(false), creditGroup(true)} {
		rows[group] = f.creditRows(group)
	}
	for i, cr := range c.Credits {
		if group := creditGroup(cr.Person); len(rows[group]) > 0 {
			at[i] = group + "." + strconv.Itoa(rows[group][0])
			rows[group] = rows[group][1:]
		}
	}
	for field, reason := range found {
		if rest, ok := strings.CutPrefix(field, "credits."); ok {
			n, part, _ := strings.Cut(rest, ".")
			if i, err := strconv.Atoi(n); err == nil && i < len(at) && at[i] != "" {
				field = at[i] + "." + part
			}
		} else if types := f.RelationTypes(); field == "relations" && len(types) > 0 {
			field = "relations-" + string(types[0])
		} else {
			field = f.atRow(field)
		}
		f.problems.Add(field, reason)
	}
}

func formState(f *recordForm) essaim.State {
	if f.values.Get("state") == string(essaim.StatePublished) {
		return essaim.StatePublished
	}
	return essaim.StateDraft
}

// doneKey is the message after a record was saved.
func doneKey(state essaim.State) string {
	if state == essaim.StatePublished {
		return "publie"
	}
	return "brouillon"
}

func authorOf(r *http.Request) essaim.Author {
	u := userOf(r)
	if u == nil {
		return essaim.Author{}
	}
	return essaim.Author{User: u.ID, Name: u.Name}
}

func (s *Server) renderForm(w http.ResponseWriter, r *http.Request, status int, k essaim.KindInfo, p *FormPage) error {
	l := s.locale(r)
	p.Kind, p.NoIndex, p.Section = k.Kind, true, k.Path
	p.Action, p.Back = "/ecrire/"+k.Path, "/compte"
	p.Title = l.T("form." + string(k.Kind) + ".new")
	p.Crumbs = []Crumb{{l.T("nav.home"), "/"}, {l.T("kinds." + string(k.Kind)), "/" + k.Path}, {p.Title, ""}}
	if p.Record != nil {
		p.Back = recordPath(*p.Record)
		p.Action = p.Back + "/modifier"
		p.Title = l.F("form.edit", "Title", p.Record.Title)
		p.crumbsOf(l, k, *p.Record, l.T("form.edit_short"))
	}
	return s.render(w, r, status, formTemplate(k.Kind), p)
}
