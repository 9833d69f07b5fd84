// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"essaim"
)

// errPageNotFound is an address that this site does not have.
var errPageNotFound = fmt.Errorf("page: %w", essaim.ErrNotFound)

// errUnauthorized asks who is there: a page leads to sign-in, the API says 401.
var errUnauthorized = errors.New("not signed in")

// goneError is a record that was withdrawn, with what may still be said of it.
type goneError struct {
	territory string
	at        time.Time
	here      string // the territory of this node, when it is the one that withdrew it
	copies    string // where those who moderate see who confirmed it
	lift      string // where they take the withdrawal by this node back
}

func (goneError) Error() string { return "withdrawn" }
func (goneError) Unwrap() error { return essaim.ErrGone }

// statusError is a refusal that has no sentinel in the root package.
type statusError struct {
	status int
	key    string // of its sentence
}

func (e statusError) Error() string { return http.StatusText(e.status) }

// classify is the one place that maps a failure to a status and to the key of
// the sentences that explain it: what happened, what was kept, what to do.
func classify(err error) (status int, key string) {
	var tooBig *http.MaxBytesError
	var known statusError
	switch {
	case errors.As(err, &known):
		return known.status, known.key
	case errors.As(err, &tooBig):
		return http.StatusRequestEntityTooLarge, "too_large"
	case errors.Is(err, errUnauthorized):
		return http.StatusUnauthorized, "unauthorized"
	case errors.Is(err, essaim.ErrNotFound):
		return http.StatusNotFound, "not_found"
	case errors.Is(err, essaim.ErrGone):
		return http.StatusGone, "gone"
	case errors.Is(err, essaim.ErrForbidden):
		return http.StatusForbidden, "forbidden"
	case errors.Is(err, essaim.ErrConflict):
		return http.StatusConflict, "conflict"
	case errors.Is(err, essaim.ErrInvalid):
		return http.StatusBadRequest, "invalid"
	case errors.Is(err, essaim.ErrRecovering):
		return http.StatusServiceUnavailable, "recovering"
	case errors.Is(err, essaim.ErrUnavailable), errors.Is(err, context.DeadlineExceeded):
		return http.StatusServiceUnavailable, "unavailable"
	}
	return http.StatusInternalServerError, "internal"
}

// ErrorPage says what happened and what to do next.
type ErrorPage struct {
	Base
	Status    int
	Heading   string
	Text      string
	RequestID string // of an unknown failure, to be quoted
	Copies    string // where those who moderate see who confirmed a deletion
	Lift      string // where they take a local withdrawal back
	// SignIn offers to sign in, NewTab in another tab: this one holds what was typed.
	SignIn, NewTab bool
}

// fail answers a request that failed, in the reader's language, as a page or as
// JSON. Only what nobody expected is logged: the rest is the reader's business.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
		return // The reader left.
	}
	if errors.Is(err, essaim.ErrNotFound) && !errors.Is(err, errPageNotFound) && s.recovering(r) {
		err = essaim.ErrRecovering // it may be among what comes back
	}
	status, key := classify(err)
	if status == http.StatusInternalServerError {
		s.log.LogAttrs(r.Context(), slog.LevelError, "request failed",
			slog.String("request_id", requestID(r)), slog.String("route", routeOf(r)), slog.String("error", err.Error()))
	}
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "30")
	}
	if strings.HasPrefix(r.URL.Path, "/api/") {
		s.failJSON(w, r, status, key, err)
		return
	}
	if _, ok := formatOf(r.URL.Path); ok {
		s.failText(w, r, status, key, err)
		return
	}
	// What is adapted is asked for by a button, with nothing typed.
	record, adapts := strings.CutSuffix(r.URL.RequestURI(), "/adapter")
	if status == http.StatusUnauthorized && (adapts || r.Method == http.MethodGet || r.Method == http.MethodHead) {
		s.leadTo(w, r, "/connexion?suite="+urlEscape(record))
		return
	}
	if status == http.StatusUnauthorized {
		// A redirect would lose what was typed: a browser that loads this answer again
		// sends it again.
		status, key = http.StatusForbidden, "signed_out"
	}
	lang, _ := s.negotiate(r)
	l := s.locales[lang]
	p := &ErrorPage{Status: status, Heading: l.T("error." + key + ".title"), Text: l.T("error." + key + ".text")}
	p.Title, p.NoIndex = p.Heading, true
	p.SignIn, p.NewTab = key == "signed_out" || key == "bad_link", key == "signed_out"
	var gone goneError
	if errors.As(err, &gone) {
		p.Heading = l.F("error.withdrawn.title", "Territory", gone.territory, "Date", l.Date(gone.at))
		p.Text = l.T("error.withdrawn.text")
		if gone.here != "" {
			p.Heading = l.F("error.withdrawn_here.title", "Here", gone.here, "Date", l.Date(gone.at))
			p.Text = l.F("error.withdrawn_here.text", "Here", gone.here, "Territory", gone.territory)
		}
		p.Copies, p.Lift = gone.copies, gone.lift
		p.Title = p.Heading
	}
	if status == http.StatusInternalServerError {
		p.RequestID = requestID(r)
	}
	if renderErr := s.render(w, r, status, "error", p); renderErr != nil {
		s.log.LogAttrs(r.Context(), slog.LevelError, "error page failed", slog.String("error", renderErr.Error()))
		http.Error(w, http.StatusText(status), status)
	}
}

// recovering tells whether the node gets back what it lost.
func (s *Server) recovering(r *http.Request) bool {
	under, err := s.cfg.Store.Recovering(r.Context())
	return err == nil && under
}

// failJSON answers a program: the problems of each field, or one reason.
func (s *Server) failJSON(w http.ResponseWriter, r *http.Request, status int, key string, err error) {
	var invalid *essaim.ValidationError
	body := map[string]any{"error": key}
	if errors.As(err, &invalid) {
		status = http.StatusUnprocessableEntity
		body = map[string]any{"errors": invalid.Problems}
	}
	var gone goneError
	if errors.As(err, &gone) {
		body["withdrawn"] = "origin"
		if gone.here != "" {
			body["withdrawn"] = "here"
		}
	}
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="essaim"`)
	}
	if status == http.StatusInternalServerError {
		body["request_id"] = requestID(r)
	}
	writeJSON(w, status, body)
}

// writeJSON answers with a JSON value that always encodes.
func writeJSON(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		http.Error(w, `{"error":"internal"}`, http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n'))
}
