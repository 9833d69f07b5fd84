// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-chi/chi/v5"

	"essaim"
)

const (
	shownSimilar = 6
	// similarFor is for how long what resembles a record is remembered, and
	// maxSimilar of how many records.
	similarFor = time.Minute
	maxSimilar = 2000
)

// similarKept remembers, for a minute, which records resemble one: a page that is
// read often need not look for them each time. The records themselves are read at
// each visit, and one that changed since has all looked for anew.
type similarKept struct {
	mu   sync.Mutex
	list map[string]keptSimilar
}

type keptSimilar struct {
	at    time.Time
	likes []essaim.Likeness // without the records' content
}

func (k *similarKept) get(key string, now time.Time) ([]essaim.Likeness, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	kept, ok := k.list[key]
	return kept.likes, ok && now.Sub(kept.at) < similarFor
}

func (k *similarKept) put(key string, now time.Time, likes []essaim.Likeness) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.list == nil || len(k.list) >= maxSimilar {
		k.list = map[string]keptSimilar{}
	}
	kept := keptSimilar{at: now, likes: make([]essaim.Likeness, len(likes))}
	for i, l := range likes {
		kept.likes[i] = essaim.Likeness{Record: essaim.Record{ID: l.Record.ID, CopyDigest: l.Record.CopyDigest}, Score: l.Score, Reasons: l.Reasons}
	}
	k.list[key] = kept
}

// similar lists what resembles a record elsewhere or, of one that is being
// written, here too: who writes should know what exists already.
func (s *Server) similar(ctx context.Context, rec *essaim.Record) ([]essaim.Likeness, error) {
	q := essaim.Likest{Here: rec.State != essaim.StatePublished, Limit: shownSimilar}
	if q.Here {
		return s.store.Similar(ctx, rec, q)
	}
	key, now := rec.ID+" "+rec.CopyDigest, s.now()
	if kept, ok := s.alike.get(key, now); ok {
		if likes, ok, err := s.asTheyStand(ctx, kept); ok || err != nil {
			return likes, err
		}
	}
	likes, err := s.store.Similar(ctx, rec, q)
	if err == nil {
		s.alike.put(key, now, likes)
	}
	return likes, err
}

// asTheyStand reads remembered records anew; false when one is not as it was.
func (s *Server) asTheyStand(ctx context.Context, kept []essaim.Likeness) ([]essaim.Likeness, bool, error) {
	likes := make([]essaim.Likeness, len(kept))
	for i, l := range kept {
		rec, err := s.store.Record(ctx, l.Record.ID)
		switch {
		case errors.Is(err, essaim.ErrNotFound):
			return nil, false, nil
		case err != nil:
			return nil, false, fmt.Errorf("similar record: %w", err)
		case rec.State != essaim.StatePublished || rec.CopyDigest != l.Record.CopyDigest:
			return nil, false, nil
		}
		l.Record = rec
		likes[i] = l
	}
	return likes, true, nil
}

// fillSimilar shows what resembles the record of a page, with the reasons.
func (s *Server) fillSimilar(r *http.Request, p *RecordPage) error {
	if p.Record.State == essaim.StateWithdrawn {
		return nil
	}
	likes, err := s.similar(r.Context(), &p.Record)
	if err != nil {
		return err
	}
	records := make([]essaim.Record, len(likes))
	for i, l := range likes {
		records[i] = l.Record
	}
	if p.Similar, err = s.cards(r.Context(), records); err != nil {
		return err
	}
	l := s.locale(r)
	for i, like := range likes {
		p.Similar[i].Why = l.reasons(like.Reasons)
	}
	p.SimilarMore = similarSearch(&p.Record)
	return nil
}

// similarSearch is the address of a search for what a record is about.
func similarSearch(rec *essaim.Record) string {
	v := url.Values{}
	for _, t := range rec.Themes {
		v.Add(paramTheme, t)
	}
	if len(v) == 0 {
		v.Set(paramKind, string(rec.Kind))
	}
	return address("/recherche", v)
}

// reasons says why two records are alike, the most telling first: "même besoin :
// voisins, isolement", "mêmes thèmes : mobilité, énergie", "à 900 km".
func (l *locale) reasons(list []essaim.Reason) []string {
	var out []string
	for _, r := range list {
		var values []string
		for _, v := range r.Values {
			switch r.Sort {
			case essaim.ReasonTheme, essaim.ReasonNear:
				v = l.theme(v)
			case essaim.ReasonPurpose:
				v = l.term(essaim.ListPurpose, v)
			}
			values = append(values, v)
		}
		switch r.Sort {
		case essaim.ReasonKind, essaim.ReasonActivity: // the card shows them
		case essaim.ReasonDistance:
			if r.Kilometres < 1 {
				out = append(out, l.T("reason.close"))
			} else {
				out = append(out, l.F("reason.distance", "Distance", l.Kilometres(float64(r.Kilometres))))
			}
		case essaim.ReasonOrigin, essaim.ReasonNeed, essaim.ReasonNear: // of one thing, in however many words
			out = append(out, l.F("reason."+string(r.Sort), "Values", strings.Join(values, ", ")))
		default:
			out = append(out, l.N("reason."+string(r.Sort), len(values), "Values", strings.Join(values, ", ")))
		}
	}
	return out
}

// APISimilar is a record that resembles another, and why.
type APISimilar struct {
	Score int `json:"score"` // the points of the reasons
	// Reasons are what the two have in common, with how far apart they are.
	Reasons []essaim.Reason `json:"reasons"`
	Record  APIRecord       `json:"record"`
}

// APISimilarList is those that resemble a record, the likest first.
type APISimilarList struct {
	Items []APISimilar `json:"items"`
}

// paramHere asks for records of the same territory too.
const paramHere = "here"

// apiSimilar answers GET /api/v1/{kind}/{slug}/similar, of a local record.
func (s *Server) apiSimilar(k essaim.KindInfo) handlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		rec, err := s.visibleRecord(r, k.Kind, "", chi.URLParam(r, "slug"))
		if err != nil {
			return err
		}
		return s.answerSimilar(w, r, &rec)
	}
}

// apiSimilarTo answers GET /api/v1/similar?id=, of any record that is held.
func (s *Server) apiSimilarTo(w http.ResponseWriter, r *http.Request) error {
	rec, err := s.store.Record(r.Context(), r.URL.Query().Get("id"))
	switch {
	case err != nil:
		return fmt.Errorf("record: %w", err)
	case rec.State == essaim.StateWithdrawn:
		return s.gone(r, rec)
	case rec.State != essaim.StatePublished && (rec.Origin != "" || !essaim.May(userOf(r), essaim.ActionWrite)):
		return errPageNotFound
	}
	return s.answerSimilar(w, r, &rec)
}

func (s *Server) answerSimilar(w http.ResponseWriter, r *http.Request, rec *essaim.Record) error {
	q, p := essaim.Likest{Limit: shownSimilar}, essaim.Problems{}
	v := r.URL.Query()
	var err error
	if here := v.Get(paramHere); here != "" {
		if q.Here, err = strconv.ParseBool(here); err != nil {
			p.Add(paramHere, "bad_type")
		}
	}
	if n := v.Get(paramLimit); n != "" {
		if q.Limit, err = strconv.Atoi(n); err != nil || q.Limit < 1 || q.Limit > 20 {
			p.Add(paramLimit, "out_of_range")
		}
	}
	if err := p.Err(); err != nil {
		return err
	}
	likes, err := s.store.Similar(r.Context(), rec, q)
	if err != nil {
		return err
	}
	by, err := s.origins(r.Context())
	if err != nil {
		return err
	}
	list := APISimilarList{Items: make([]APISimilar, len(likes))}
	for i, like := range likes {
		one := APISimilar{Score: like.Score, Reasons: like.Reasons, Record: s.apiRecord(like.Record)}
		if like.Record.Origin != "" {
			one.Record.fares(by[like.Record.Origin])
		}
		list.Items[i] = one
	}
	w.Header().Set("Cache-Control", "no-cache")
	writeJSON(w, http.StatusOK, list)
	return nil
}
