// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"essaim"
)

// APIRecord is a record as the JSON API gives it. Contacts and consents stay
// with the node.
type APIRecord struct {
	ID   string `json:"id"` // ActivityPub id
	URL  string `json:"url"`
	Slug string `json:"slug"`
	// Origin is the host that publishes the record, this one's for its own.
	Origin string `json:"origin"`
	Local  bool   `json:"local"`
	// OriginState is how that host fares when it is not well: late, silent, gone or
	// contested, OriginSince since when; former when it is not followed any more, and
	// copies of it are not kept up to date.
	OriginState string    `json:"originState,omitempty"`
	OriginSince time.Time `json:"originSince,omitzero"`
	// Copies are the other nodes found to hold the record as it stands, with the date
	// of the check; of one record by itself only.
	Copies        []APICopy `json:"copies,omitempty"`
	Territory     string    `json:"territory"`
	TerritoryName string    `json:"territoryName"`
	State         string    `json:"state"`
	Revision      int       `json:"revision"`
	Published     time.Time `json:"published,omitzero"`
	Updated       time.Time `json:"updated,omitzero"`
	Description   string    `json:"description,omitempty"` // Markdown
	essaim.Content
	// Text is written as description.
	Text struct{} `json:"text,omitzero"`
}

// APICopy is a node that holds a conforming copy.
type APICopy struct {
	Host      string    `json:"host"`
	Name      string    `json:"name,omitempty"`
	CheckedAt time.Time `json:"checkedAt"`
}

// UnmarshalJSON reads the head and the content, which share one JSON object:
// without it the method of Content would read the whole for its own.
func (a *APIRecord) UnmarshalJSON(b []byte) error {
	type head APIRecord
	aux := struct {
		*head
		Body          json.RawMessage `json:"body"`
		UnmarshalJSON struct{}        `json:"-"`
	}{head: (*head)(a)}
	if err := json.Unmarshal(b, &aux); err != nil {
		return err
	}
	if err := json.Unmarshal(b, &a.Content); err != nil {
		return err
	}
	a.Content.Text = a.Description
	return nil
}

// APIList is a page of records.
type APIList struct {
	Items  []APIRecord `json:"items"`
	Total  int         `json:"total"`  // exact up to 1,000
	Capped bool        `json:"capped"` // there are more, or may be
	// Next is what after= takes for the page that follows; empty on the last. Only that
	// one is the last: where back is given, a page may hold few items, or none.
	Next string `json:"next,omitempty"`
	// Back is since when all that changed was looked at, where this page ends there: the
	// next one goes further back.
	Back time.Time `json:"back,omitzero"`
	// Facets are the values of what is found, by parameter, when facets=1 asks for
	// them.
	Facets map[string][]APICount `json:"facets,omitempty"`
}

// APICount is a value of a facet and how many records have it.
type APICount struct {
	Value  string `json:"value"`
	Label  string `json:"label,omitempty"`
	Count  int    `json:"count"`
	Capped bool   `json:"capped,omitempty"`
}

func (s *Server) apiRecord(rec essaim.Record) APIRecord {
	out := APIRecord{
		ID: rec.ID, URL: rec.URL, Slug: rec.Slug, Origin: rec.Origin, Local: rec.Origin == "",
		Territory: rec.Territory, TerritoryName: rec.TerritoryName, State: string(rec.State), Revision: rec.Revision,
		Published: rec.Published, Updated: rec.Updated, Description: rec.Text, Content: rec.Content,
	}
	if out.Local {
		out.Origin = s.host
	}
	out.Contacts = nil
	out.Credits = rec.PublicCredits()
	return out
}

// cors lets pages of other sites read. Nothing here reads cookies.
func cors(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Cross-Origin-Resource-Policy", "cross-origin")
		h.Set("Access-Control-Expose-Headers", "ETag, Link, Location")
		if r.Method == http.MethodOptions {
			h.Set("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS")
			h.Set("Access-Control-Max-Age", "86400")
			w.WriteHeader(http.StatusNoContent)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// bearer reads who writes from the Authorization header: a token, never a cookie.
func (s *Server) bearer(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if token = strings.TrimSpace(token); !strings.EqualFold(scheme, "Bearer") || token == "" {
			next.ServeHTTP(w, r)
			return
		}
		u, err := s.store.UserByToken(r.Context(), token)
		switch {
		case errors.Is(err, essaim.ErrNotFound), err == nil && u.Disabled:
			s.fail(w, r, errUnauthorized)
			return
		case err != nil:
			s.fail(w, r, fmt.Errorf("token: %w", err))
			return
		}
		infoOf(r).user = &u
		next.ServeHTTP(w, r)
	})
}

// apiList answers GET /api/v1/{kind}: a search, or one record by ?id=.
func (s *Server) apiList(k essaim.KindInfo) handlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		v := r.URL.Query()
		if id := v.Get("id"); id != "" {
			return s.apiByID(w, r, k, id)
		}
		v.Del(paramKind)
		q, problems := s.parseQuery(v)
		if err := problems.Err(); err != nil {
			return err
		}
		q.Kinds, q.OwnKind = []essaim.Kind{k.Kind}, true
		if q.From != "" {
			q.Upcoming = s.upcoming(v, &q)
		}
		res, err := s.store.Search(r.Context(), q)
		if err != nil {
			return fmt.Errorf("list: %w", err)
		}
		by, err := s.origins(r.Context())
		if err != nil {
			return err
		}
		list := APIList{Items: make([]APIRecord, len(res.Records)), Total: res.Total, Capped: res.Capped || res.Least, Back: res.Back}
		for i, rec := range res.Records {
			list.Items[i] = s.apiRecord(rec)
			if rec.Origin != "" {
				list.Items[i].fares(by[rec.Origin])
			}
		}
		if q.Facets {
			list.Facets = s.apiFacets(s.locale(r), res.Facets)
		}
		if res.Next != "" {
			next := without(v, "", "")
			next.Set(paramAfter, res.Next)
			list.Next = res.Next
			w.Header().Set("Link", "<"+s.abs(address("/api/v1/"+k.API, next))+`>; rel="next"`)
		}
		w.Header().Set("Cache-Control", "no-cache")
		writeJSON(w, http.StatusOK, list)
		return nil
	}
}

func (s *Server) apiByID(w http.ResponseWriter, r *http.Request, k essaim.KindInfo, id string) error {
	rec, err := s.store.Record(r.Context(), id)
	if err != nil {
		return fmt.Errorf("record: %w", err)
	}
	if rec.Kind != k.Kind {
		return errPageNotFound
	}
	return s.apiAnswer(w, r, rec)
}

// apiShow answers GET /api/v1/{kind}/{slug}.
func (s *Server) apiShow(k essaim.KindInfo) handlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		rec, err := s.visibleRecord(r, k.Kind, "", chi.URLParam(r, "slug"))
		if err != nil {
			return err
		}
		return s.apiAnswer(w, r, rec)
	}
}

func (s *Server) apiAnswer(w http.ResponseWriter, r *http.Request, rec essaim.Record) error {
	switch rec.State {
	case essaim.StatePublished:
	case essaim.StateWithdrawn:
		return s.gone(r, rec)
	default:
		if rec.Origin != "" || !essaim.May(userOf(r), essaim.ActionWrite) {
			return errPageNotFound
		}
	}
	from, err := s.originOf(r.Context(), &rec)
	if err != nil {
		return err
	}
	out := s.apiRecord(rec)
	out.fares(from)
	if out.Copies, _, err = s.conforming(r.Context(), &rec); err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-cache")
	writeJSON(w, http.StatusOK, out)
	return nil
}

// fares says how the origin does.
func (a *APIRecord) fares(from Origin) {
	a.OriginState, a.OriginSince = string(from.Life), from.Since
}

// apiCreate answers POST /api/v1/{kind}.
func (s *Server) apiCreate(k essaim.KindInfo) handlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := s.may(r, essaim.ActionWrite); err != nil {
			return err
		}
		in, err := s.readInput(w, r, essaim.Content{Kind: k.Kind, Licence: essaim.DefaultLicence})
		if err != nil {
			return err
		}
		if in.state == "" {
			in.state = essaim.StatePublished
		}
		if err := s.resolveRelations(r.Context(), &in.content); err != nil {
			return err
		}
		if err := in.check(); err != nil {
			return err
		}
		s.findMentions(r.Context(), &in.content, in.state)
		rec, err := s.store.CreateRecord(r.Context(), essaim.NewRecord{Content: in.content, State: in.state, Author: authorOf(r)})
		if err != nil {
			return fmt.Errorf("new %s: %w", k.Kind, err)
		}
		w.Header().Set("Location", s.abs("/api/v1/"+k.API+"/"+rec.Slug))
		writeJSON(w, http.StatusCreated, s.apiRecord(rec))
		return nil
	}
}

// apiUpdate answers PUT: the fields that are given replace those of the record,
// the others stay; null empties one.
func (s *Server) apiUpdate(k essaim.KindInfo) handlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		rec, err := s.apiTarget(r, k, essaim.ActionWrite)
		if err != nil {
			return err
		}
		in, err := s.readInput(w, r, rec.Content)
		if err != nil {
			return err
		}
		if in.state == "" || rec.State == essaim.StatePublished {
			in.state = rec.State
		}
		if in.state == essaim.StateCandidate {
			in.state = essaim.StateDraft
		}
		if err := s.resolveRelations(r.Context(), &in.content); err != nil {
			return err
		}
		if err := in.check(); err != nil {
			return err
		}
		s.findMentions(r.Context(), &in.content, in.state)
		after, err := s.store.UpdateRecord(r.Context(), rec.ID, in.revision, in.content, in.state, authorOf(r))
		if err != nil {
			return fmt.Errorf("edit %s: %w", rec.Slug, err)
		}
		writeJSON(w, http.StatusOK, s.apiRecord(after))
		return nil
	}
}

// apiDelete answers DELETE: the record is withdrawn for good.
func (s *Server) apiDelete(k essaim.KindInfo) handlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		rec, err := s.apiTarget(r, k, essaim.ActionWithdraw)
		if err != nil {
			return err
		}
		if err := s.store.WithdrawRecord(r.Context(), rec.ID, authorOf(r)); err != nil {
			return fmt.Errorf("withdraw %s: %w", rec.Slug, err)
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
}

// apiTarget finds the record that is written to, by slug or ?id=. Another
// territory's records are its own.
func (s *Server) apiTarget(r *http.Request, k essaim.KindInfo, a essaim.Action) (essaim.Record, error) {
	if err := s.may(r, a); err != nil {
		return essaim.Record{}, err
	}
	slug := chi.URLParam(r, "slug")
	if slug != "" {
		return s.visibleRecord(r, k.Kind, "", slug)
	}
	rec, err := s.store.Record(r.Context(), r.URL.Query().Get("id"))
	switch {
	case err != nil:
		return rec, fmt.Errorf("record: %w", err)
	case rec.Kind != k.Kind:
		return rec, errPageNotFound
	case rec.Origin != "":
		return rec, fmt.Errorf("a record of %s: %w", rec.Origin, essaim.ErrForbidden)
	case rec.State == essaim.StateWithdrawn:
		return rec, goneError{territory: rec.TerritoryName, at: rec.Updated}
	}
	return rec, nil
}
