// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"essaim"
	"essaim/federation/vocab"
)

// prefersHTML tells whether a request to an ActivityPub id is a browser's: it
// names HTML, and names no ActivityStreams type that it likes as much. A
// request without preference gets the document, because the address is an id.
func prefersHTML(accept []string) bool {
	var page, document float64
	for _, line := range accept {
		for _, item := range strings.Split(line, ",") {
			kind, params, _ := strings.Cut(item, ";")
			q := quality(params)
			switch strings.ToLower(strings.TrimSpace(kind)) {
			case "text/html", "application/xhtml+xml":
				page = max(page, q)
			case "application/activity+json", "application/ld+json", "application/json":
				document = max(document, q)
			}
		}
	}
	return page > document
}

// quality is the weight of an item of Accept (RFC 9110 12.4.2); 1 when it is
// not said or not readable.
func quality(params string) float64 {
	for _, p := range strings.Split(params, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		if strings.EqualFold(name, "q") {
			if q, err := strconv.ParseFloat(value, 64); err == nil && q >= 0 && q <= 1 {
				return q
			}
		}
	}
	return 1
}

// served is a body with what its headers say.
type served struct {
	body []byte
	etag string // without quotes
	kind string // vocab.ContentType when empty
	gone bool
}

// serve writes a document, or 304 when the client has it. Caches keep it but
// ask again each time: after a commit nobody sees the version before. What is for
// one reader has its own Cache-Control already.
func serve(w http.ResponseWriter, r *http.Request, d served) {
	h := w.Header()
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "public, max-age=0, must-revalidate")
	}
	if d.etag != "" {
		tag := `"` + d.etag + `"`
		h.Set("ETag", tag)
		if !d.gone && matches(r.Header.Get("If-None-Match"), tag) {
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	if d.kind == "" {
		d.kind = vocab.ContentType
	}
	h.Set("Content-Type", d.kind)
	h.Set("Content-Length", strconv.Itoa(len(d.body)))
	if d.gone {
		w.WriteHeader(http.StatusGone)
	}
	if r.Method != http.MethodHead {
		_, _ = w.Write(d.body)
	}
}

// matches compares weakly, as RFC 9110 13.1.2 asks of If-None-Match.
func matches(header, tag string) bool {
	for _, candidate := range strings.Split(header, ",") {
		candidate = strings.TrimPrefix(strings.TrimSpace(candidate), "W/")
		if candidate == tag || candidate == "*" {
			return true
		}
	}
	return false
}

// refuse answers with a status and its name. Errors are never described to
// strangers.
func (s *Server) refuse(w http.ResponseWriter, _ *http.Request, status int) {
	http.Error(w, http.StatusText(status), status)
}

// fail maps an error of the store to a status, and logs what is our own fault.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, essaim.ErrNotFound):
		if under, err := s.store.Recovering(r.Context()); err != nil || under {
			// It may be among what comes back; Mastodon deletes what answers 404.
			w.Header().Set("Retry-After", "30")
			s.refuse(w, r, http.StatusServiceUnavailable)
			return
		}
		s.refuse(w, r, http.StatusNotFound)
	case errors.Is(err, essaim.ErrGone):
		s.refuse(w, r, http.StatusGone)
	case errors.Is(r.Context().Err(), context.Canceled):
		// The client left.
		s.refuse(w, r, http.StatusServiceUnavailable)
	default:
		// 503 and never 404: Mastodon deletes what answers 404.
		s.log.LogAttrs(r.Context(), levelOf(err), "request failed", requestAttrs(r, err)...)
		w.Header().Set("Retry-After", "30")
		s.refuse(w, r, http.StatusServiceUnavailable)
	}
}
