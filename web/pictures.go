// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"essaim/store/blob"
)

// Pictures reads files by name; *blob.Dir is the one.
type Pictures interface {
	Read(file string) ([]byte, error)
}

// PictureStore tells whether a file may be served.
type PictureStore interface {
	HasPicture(ctx context.Context, file string) (bool, error)
}

// showPicture serves our copy of a picture from elsewhere. We wrote it, so it is
// what its name says; the database decides whether it is still ours to show.
func (s *Server) showPicture(w http.ResponseWriter, r *http.Request) error {
	file := chi.URLParam(r, "file")
	typ := blob.MediaType(file)
	if typ == "" || s.cfg.Pictures == nil {
		return errPageNotFound
	}
	ok, err := s.store.HasPicture(r.Context(), file)
	if err != nil {
		return err
	}
	if !ok {
		return errPageNotFound
	}
	b, err := s.cfg.Pictures.Read(file)
	if err != nil {
		return fmt.Errorf("picture: %w", err)
	}
	h := w.Header()
	h.Set("Content-Type", typ)
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("ETag", `"`+file+`"`)
	// An hour, and not a year: a copy goes with its account.
	h.Set("Cache-Control", "public, max-age=3600")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b))
	return nil
}
