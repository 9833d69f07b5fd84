// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/mail"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-chi/chi/v5"

	"essaim"
)

// APIReport is what anybody may report (Digital Services Act, article 16).
type APIReport struct {
	Object string `json:"object"` // id or page of a record, or id of a comment
	Text   string `json:"text"`   // why it must not be here, at most 5,000 characters
	Email  string `json:"email"`  // to be told of the decision; optional
}

// apiReport answers POST /api/v1/reports. The answer's id is a receipt: who
// holds it may ask what became of the report.
func (s *Server) apiReport(w http.ResponseWriter, r *http.Request) error {
	var in APIReport
	if err := readJSON(w, r, &in); err != nil {
		return err
	}
	if err := in.validate().Err(); err != nil {
		return err
	}
	id, err := s.fileReport(r, in)
	if err != nil {
		return err
	}
	w.Header().Set("Location", s.abs("/api/v1/reports/"+id))
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, http.StatusCreated, essaim.Receipt{ID: id, State: essaim.ItemHeld, ReceivedAt: s.now()})
	return nil
}

// validate trims a report and says what is wrong with it.
func (in *APIReport) validate() essaim.Problems {
	in.Object, in.Text, in.Email = strings.TrimSpace(in.Object), strings.TrimSpace(in.Text), strings.TrimSpace(in.Email)
	problems := essaim.Problems{}
	switch n := utf8.RuneCountInString(in.Text); {
	case n == 0:
		problems["text"] = "required"
	case n > essaim.MaxReport:
		problems["text"] = "too_long"
	}
	if in.Object == "" {
		problems["object"] = "required"
	}
	if in.Email != "" {
		if a, err := mail.ParseAddress(in.Email); err != nil || a.Address != in.Email || len(in.Email) > 254 {
			problems["email"] = "bad_email"
		}
	}
	return problems
}

// fileReport keeps a report under a secret of its own, its receipt.
func (s *Server) fileReport(r *http.Request, in APIReport) (id string, err error) {
	object, err := s.reported(r, in.Object)
	if err != nil {
		return "", err
	}
	secret := make([]byte, 16)
	if _, err := io.ReadFull(s.cfg.Random, secret); err != nil {
		return "", fmt.Errorf("receipt: %w", err)
	}
	report := essaim.Report{ID: hex.EncodeToString(secret), Contact: in.Email, Objects: []string{object}, Text: in.Text}
	return report.ID, s.store.Report(r.Context(), report)
}

// reported is the id of what somebody names by its id or by its page here.
func (s *Server) reported(r *http.Request, object string) (string, error) {
	path, ok := strings.CutPrefix(object, strings.TrimSuffix(s.cfg.Node.BaseURL, "/")+"/")
	if !ok {
		return object, nil
	}
	path, _, _ = strings.Cut(path, "?")
	path, _, _ = strings.Cut(path, "#")
	dir, slug, _ := strings.Cut(path, "/")
	host, kind := "", essaim.Kind("")
	if dir == "ailleurs" {
		host, slug, _ = strings.Cut(slug, "/")
	} else if i := slices.IndexFunc(essaim.Kinds(), func(k essaim.KindInfo) bool { return k.Path == dir }); i >= 0 {
		kind = essaim.Kinds()[i].Kind
	} else {
		return object, nil
	}
	rec, err := s.store.RecordBySlug(r.Context(), kind, host, slug)
	switch {
	case errors.Is(err, essaim.ErrNotFound):
		return object, nil // nothing there, says the store
	case err != nil:
		return "", fmt.Errorf("report: %w", err)
	}
	return rec.ID, nil
}

// apiReceipt answers GET /api/v1/reports/{id}.
func (s *Server) apiReceipt(w http.ResponseWriter, r *http.Request) error {
	receipt, err := s.store.Receipt(r.Context(), chi.URLParam(r, "id"))
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, receipt)
	return nil
}
