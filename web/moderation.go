// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-chi/chi/v5"

	"essaim"
)

// APIItems is a page of what moderators decide about.
type APIItems struct {
	Items []essaim.Item `json:"items"`
	// Next is what after= takes for the page that follows; 0 on the last.
	Next int64 `json:"next,omitempty"`
}

// APIJournal is a page of the moderation journal, newest first.
type APIJournal struct {
	Decisions []essaim.Decision `json:"decisions"`
	// Next is what before= takes for the page that follows; 0 on the last.
	Next int64 `json:"next,omitempty"`
}

// APIDecision is what a moderator's program asks for.
type APIDecision struct {
	Action essaim.ItemAction `json:"action"`
	Reason string            `json:"reason"`
	// As is the kind of record that an accepted candidate becomes, when it is not
	// the one proposed.
	As essaim.Kind `json:"as,omitempty"`
}

// apiItems answers GET /api/v1/moderation.
func (s *Server) apiItems(w http.ResponseWriter, r *http.Request) error {
	if err := s.may(r, essaim.ActionModerate); err != nil {
		return err
	}
	f, problems := itemFilter(r.URL.Query())
	if err := problems.Err(); err != nil {
		return err
	}
	items, err := s.store.Items(r.Context(), f)
	if err != nil {
		return fmt.Errorf("moderation: %w", err)
	}
	page := APIItems{Items: append([]essaim.Item{}, items...)}
	if len(items) == f.Limit {
		page.Next = items[len(items)-1].N
	}
	writeJSON(w, http.StatusOK, page)
	return nil
}

// itemFilter reads what a moderator wants listed: what is held unless she says.
func itemFilter(v url.Values) (essaim.ItemFilter, essaim.Problems) {
	problems := essaim.Problems{}
	f := essaim.ItemFilter{State: essaim.ItemHeld, Limit: 50}
	if state := v.Get("state"); state != "" {
		f.State = essaim.ItemState(state)
	}
	f.Kind = essaim.ItemKind(v.Get("kind"))
	if !slices.Contains(essaim.ItemStates(), f.State) {
		problems["state"] = "unknown"
	}
	if f.Kind != "" && !slices.Contains(essaim.ItemKinds(), f.Kind) {
		problems["kind"] = "unknown"
	}
	f.After = number(v, paramAfter, 0, problems)
	f.Limit = int(number(v, paramLimit, 50, problems))
	if f.Limit < 1 || f.Limit > 100 {
		problems[paramLimit] = "out_of_range"
	}
	return f, problems
}

// number reads a parameter that is a number, not below 0.
func number(v url.Values, name string, otherwise int64, problems essaim.Problems) int64 {
	text := v.Get(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		problems[name] = "out_of_range"
	}
	return n
}

// apiItem answers GET /api/v1/moderation/{n}.
func (s *Server) apiItem(w http.ResponseWriter, r *http.Request) error {
	if err := s.may(r, essaim.ActionModerate); err != nil {
		return err
	}
	n, err := itemNumber(r)
	if err != nil {
		return err
	}
	d, err := s.store.Item(r.Context(), n)
	if err != nil {
		return fmt.Errorf("moderation: %w", err)
	}
	writeJSON(w, http.StatusOK, d)
	return nil
}

func itemNumber(r *http.Request) (int64, error) {
	n, err := strconv.ParseInt(chi.URLParam(r, "n"), 10, 64)
	if err != nil {
		return 0, errPageNotFound
	}
	return n, nil
}

// apiDecide answers POST /api/v1/moderation/{n}.
func (s *Server) apiDecide(w http.ResponseWriter, r *http.Request) error {
	if err := s.may(r, essaim.ActionModerate); err != nil {
		return err
	}
	n, err := itemNumber(r)
	if err != nil {
		return err
	}
	var in APIDecision
	if err := readJSON(w, r, &in); err != nil {
		return err
	}
	problems := essaim.Problems{}
	in.Reason = reason(in.Reason, problems)
	switch in.Action {
	case essaim.ItemAccept, essaim.ItemHide, essaim.ItemRestore:
	default:
		problems["action"] = "unknown"
	}
	if _, known := in.As.Info(); in.As != "" && (!known || in.Action != essaim.ItemAccept) {
		problems["as"] = "unknown"
	}
	if err := problems.Err(); err != nil {
		return err
	}
	var d essaim.ItemDetail
	if in.As == "" {
		d, err = s.store.DecideItem(r.Context(), n, in.Action, userOf(r).ID, in.Reason)
	} else {
		d, err = s.store.AcceptCandidate(r.Context(), n, in.As, userOf(r).ID, in.Reason)
	}
	if err != nil {
		return fmt.Errorf("moderation: %w", err)
	}
	writeJSON(w, http.StatusOK, d)
	return nil
}

// APIWithdrawal is a record that a moderator's program withdraws here.
type APIWithdrawal struct {
	URL    string `json:"url"` // of its page here or at its origin, or its id
	Reason string `json:"reason"`
}

// apiWithdraw answers POST /api/v1/moderation/withdrawals.
func (s *Server) apiWithdraw(w http.ResponseWriter, r *http.Request) error {
	if err := s.may(r, essaim.ActionModerate); err != nil {
		return err
	}
	var in APIWithdrawal
	if err := readJSON(w, r, &in); err != nil {
		return err
	}
	problems := essaim.Problems{}
	if in.Reason = reason(in.Reason, problems); in.Reason == "" {
		problems.Add("reason", "required")
	}
	if in.URL == "" {
		problems.Add("url", "required")
	}
	if err := problems.Err(); err != nil {
		return err
	}
	d, err := s.store.WithdrawHere(r.Context(), in.URL, userOf(r).ID, in.Reason)
	if err != nil {
		return fmt.Errorf("moderation: %w", err)
	}
	writeJSON(w, http.StatusCreated, d)
	return nil
}

// apiJournal answers GET /api/v1/moderation/journal.
func (s *Server) apiJournal(w http.ResponseWriter, r *http.Request) error {
	if err := s.may(r, essaim.ActionModerate); err != nil {
		return err
	}
	problems := essaim.Problems{}
	v := r.URL.Query()
	before, limit := number(v, "before", 0, problems), int(number(v, paramLimit, 50, problems))
	if limit < 1 || limit > 100 {
		problems[paramLimit] = "out_of_range"
	}
	if err := problems.Err(); err != nil {
		return err
	}
	all, err := s.store.Decisions(r.Context(), before, limit)
	if err != nil {
		return fmt.Errorf("moderation: %w", err)
	}
	page := APIJournal{Decisions: append([]essaim.Decision{}, all...)}
	if len(all) == limit {
		page.Next = all[len(all)-1].N
	}
	writeJSON(w, http.StatusOK, page)
	return nil
}

// reason reads why something is decided.
func reason(text string, problems essaim.Problems) string {
	text = strings.TrimSpace(text)
	if utf8.RuneCountInString(text) > essaim.MaxReason {
		problems["reason"] = "too_long"
	}
	return text
}

// APIMeasures lists how hosts and accounts elsewhere are treated.
type APIMeasures struct {
	Measures []essaim.Measure `json:"measures"`
}

// APIMeasure is what an administrator's program asks for.
type APIMeasure struct {
	Subject string `json:"subject"` // a host, or an account's id
	Level   string `json:"level"`   // block, silence, allow or lift
	Reason  string `json:"reason"`
}

// apiMeasures answers GET /api/v1/moderation/measures.
func (s *Server) apiMeasures(w http.ResponseWriter, r *http.Request) error {
	if err := s.may(r, essaim.ActionModerate); err != nil {
		return err
	}
	all, err := s.store.Measures(r.Context())
	if err != nil {
		return fmt.Errorf("moderation: %w", err)
	}
	writeJSON(w, http.StatusOK, APIMeasures{append([]essaim.Measure{}, all...)})
	return nil
}

// apiMeasure answers POST /api/v1/moderation/measures.
func (s *Server) apiMeasure(w http.ResponseWriter, r *http.Request) error {
	if err := s.may(r, essaim.ActionAdminister); err != nil {
		return err
	}
	var in APIMeasure
	if err := readJSON(w, r, &in); err != nil {
		return err
	}
	problems := essaim.Problems{}
	scope, value, err := essaim.MeasureSubject(in.Subject)
	if err != nil {
		problems["subject"] = "unknown"
	}
	m := essaim.Measure{Scope: scope, Value: value, Level: essaim.MeasureLevel(in.Level), Reason: reason(in.Reason, problems)}
	change := s.store.AddMeasure
	switch m.Level {
	case essaim.LevelBlock, essaim.LevelSilence, essaim.LevelAllow:
	case "lift":
		change, m.Level = s.store.LiftMeasure, ""
	default:
		problems["level"] = "unknown"
	}
	if err := problems.Err(); err != nil {
		return err
	}
	if _, err := change(r.Context(), m, userOf(r).ID); err != nil {
		return fmt.Errorf("moderation: %w", err)
	}
	return s.apiMeasures(w, r)
}

// readJSON reads a small JSON object; a field that it does not have is a
// problem, for a misspelt one must not vanish.
func readJSON(w http.ResponseWriter, r *http.Request, into any) error {
	if typ, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || typ != "application/json" {
		return statusError{http.StatusUnsupportedMediaType, "bad_type"}
	}
	body := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxFormBytes))
	body.DisallowUnknownFields()
	if err := body.Decode(into); err != nil {
		return formError(fmt.Errorf("body: %w: %w", essaim.ErrInvalid, err))
	}
	if _, err := body.Token(); err != io.EOF {
		return fmt.Errorf("body: more than one value: %w", essaim.ErrInvalid)
	}
	return nil
}
