// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/mail"
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
	in.Text, in.Email = strings.TrimSpace(in.Text), strings.TrimSpace(in.Email)
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
			problems["email"] = "bad_text"
		}
	}
	if err := problems.Err(); err != nil {
		return err
	}
	object, err := s.reported(r, in.Object)
	if err != nil {
		return err
	}
	secret := make([]byte, 16)
	if _, err := io.ReadFull(s.cfg.Random, secret); err != nil {
		return fmt.Errorf("receipt: %w", err)
	}
	report := essaim.Report{ID: hex.EncodeToString(secret), Contact: in.Email, Objects: []string{object}, Text: in.Text}
	if err := s.store.Report(r.Context(), report); err != nil {
		return err
	}
	w.Header().Set("Location", s.abs("/api/v1/reports/"+report.ID))
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, http.StatusCreated, essaim.Receipt{ID: report.ID, State: essaim.ItemHeld, ReceivedAt: s.now()})
	return nil
}

// reported is the id of what somebody names by its id or by its page here.
func (s *Server) reported(r *http.Request, object string) (string, error) {
	path, ok := strings.CutPrefix(object, strings.TrimSuffix(s.cfg.Node.BaseURL, "/")+"/")
	if !ok {
		return object, nil
	}
	dir, slug, _ := strings.Cut(path, "/")
	for _, k := range essaim.Kinds() {
		if k.Path != dir {
			continue
		}
		rec, err := s.store.RecordBySlug(r.Context(), k.Kind, "", slug)
		switch {
		case errors.Is(err, essaim.ErrNotFound):
			return object, nil // nothing there, says the store
		case err != nil:
			return "", fmt.Errorf("report: %w", err)
		}
		return rec.ID, nil
	}
	return object, nil
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
