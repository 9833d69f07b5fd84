// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"essaim"
)

// CopiesPage tells which territories hold a record as it stands, and for one that
// was withdrawn, to those who moderate, who confirmed it.
type CopiesPage struct {
	Base
	Record   essaim.Record
	Deleted  bool
	From     Origin
	Received time.Time // of the copy that this site shows of another's record
	Holders  []HolderLine
}

// HolderLine is what another site was found to hold.
type HolderLine struct {
	essaim.CopyHolder
	Label, Tone string
}

func (s *Server) showCopies(k essaim.KindInfo) handlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error { return s.copies(w, r, k.Kind, "") }
}

func (s *Server) showCopiesElsewhere(w http.ResponseWriter, r *http.Request) error {
	return s.copies(w, r, "", chi.URLParam(r, "host"))
}

func (s *Server) copies(w http.ResponseWriter, r *http.Request, k essaim.Kind, host string) error {
	rec, err := s.visibleRecord(r, k, host, chi.URLParam(r, "slug"))
	deleted := rec.State == essaim.StateWithdrawn && essaim.May(userOf(r), essaim.ActionModerate)
	switch {
	case err != nil && !deleted:
		return err
	case !deleted && rec.State != essaim.StatePublished:
		return errPageNotFound
	}
	p := &CopiesPage{Record: rec, Deleted: deleted}
	ctx := r.Context()
	if p.From, err = s.originOf(ctx, &rec); err != nil {
		return err
	}
	if p.Received = p.From.Copy; rec.Origin != "" && !deleted && p.Received.IsZero() {
		if p.Received, err = s.store.CopyReceived(ctx, rec.ID); err != nil {
			return err
		}
	}
	l := s.locale(r)
	if p.Holders, err = s.holders(ctx, l, rec.ID, deleted); err != nil {
		return err
	}
	info, _ := rec.Kind.Info()
	if !deleted {
		p.Title = l.F("copies.title", "Title", rec.Title)
		p.crumbsOf(l, info, rec, l.T("copies.short"))
	} else { // no text of it is left, nor a page
		p.Title = l.T("copies.deleted_title")
		p.Crumbs = []Crumb{{l.T("nav.home"), "/"}, {l.T("kinds." + string(rec.Kind)), "/" + info.Path}, {l.T("copies.short"), ""}}
	}
	p.NoIndex, p.Section = true, info.Path
	return s.render(w, r, http.StatusOK, "copies", p)
}

// holders are those who were asked about an id.
func (s *Server) holders(ctx context.Context, l *locale, id string, deleted bool) ([]HolderLine, error) {
	all, err := s.store.CopyHolders(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("copies: %w", err)
	}
	lines := make([]HolderLine, len(all))
	for i, h := range all {
		h.Name = cmp.Or(h.Name, h.Host)
		word := "copies.state."
		if deleted {
			word = "copies.deleted."
		}
		lines[i] = HolderLine{CopyHolder: h, Label: l.T(word + string(h.State))}
		switch {
		case h.State == essaim.HoldsSame, deleted && h.State == essaim.HoldsNothing:
			lines[i].Tone = "good"
		case h.State == essaim.HoldsOther:
			lines[i].Tone = "warn"
		}
	}
	return lines, nil
}

// conforming lists the sites that hold a record, which everyone may read, as it
// stands, and gives the date of the oldest of the checks.
func (s *Server) conforming(ctx context.Context, rec *essaim.Record) (copies []APICopy, checked time.Time, err error) {
	if rec.State != essaim.StatePublished {
		return nil, checked, nil
	}
	all, err := s.store.CopyHolders(ctx, rec.ID)
	if err != nil {
		return nil, checked, fmt.Errorf("copies: %w", err)
	}
	for _, h := range all {
		if h.State != essaim.HoldsSame {
			continue
		}
		if checked.IsZero() || h.At.Before(checked) {
			checked = h.At
		}
		copies = append(copies, APICopy{Host: h.Host, Name: h.Name, CheckedAt: h.At})
	}
	return copies, checked, nil
}
