// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"

	"essaim"
	"essaim/federation/proof"
)

// PageStore finds the document behind a page's address.
type PageStore interface {
	// RecordBySlug finds by kind and slug; origin is a host, empty for local
	// records. kind may be empty when origin is set.
	RecordBySlug(ctx context.Context, kind essaim.Kind, origin, slug string) (essaim.Record, error)
	// Document is the exact bytes of a published record, ours or a copy.
	Document(ctx context.Context, id string) ([]byte, error)
}

// Pages answers an ActivityPub client that asks for a record by the address of
// its page, as people paste it into a search (ActivityPub 3.2): the document
// of a local record, the exact bytes of a copy. All else goes to next.
func (s *Server) Pages(store PageStore, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		kind, origin, slug, ok := pageOf(r.URL.Path)
		if !ok || r.Method != http.MethodGet && r.Method != http.MethodHead {
			next.ServeHTTP(w, r)
			return
		}
		// Whatever the answer is, another Accept could have had another.
		w.Header().Add("Vary", "Accept")
		if !asksDocument(r.Header.Values("Accept")) {
			next.ServeHTTP(w, r)
			return
		}
		if !s.admits(w, r) {
			return
		}
		rec, err := store.RecordBySlug(r.Context(), kind, origin, slug)
		if errors.Is(err, essaim.ErrNotFound) {
			next.ServeHTTP(w, r)
			return
		}
		switch {
		case err != nil:
			s.fail(w, r, err)
		case rec.Origin == "":
			s.servePublished(w, r, rec.ID)
		case rec.State != essaim.StatePublished:
			s.fail(w, r, essaim.ErrGone)
		default:
			s.serveCopy(w, r, store, rec)
		}
	})
}

func (s *Server) servePublished(w http.ResponseWriter, r *http.Request, id string) {
	d, err := s.object(r.Context(), id)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	serve(w, r, served{body: d.Bytes, etag: d.ETag, gone: d.Gone})
}

// serveCopy names the origin, whose bytes these are. What is damaged, or under a
// licence that lets nobody pass it on, is to be had of the origin alone.
func (s *Server) serveCopy(w http.ResponseWriter, r *http.Request, store PageStore, rec essaim.Record) {
	b, err := store.Document(r.Context(), rec.ID)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Link", "<"+rec.ID+`>; rel="canonical"`) // RFC 6596
	if !essaim.Reusable(rec.Licence) || rec.CopyDigest == "" || whole(new(proof.Reader), Stored{Bytes: b, Digest: rec.CopyDigest}) != nil {
		http.Redirect(w, r, rec.ID, http.StatusSeeOther)
		return
	}
	sum := sha256.Sum256(b)
	serve(w, r, served{body: b, etag: hex.EncodeToString(sum[:16])})
}

// pageOf reads the address of a record's page: /initiatives/{slug} or
// /ailleurs/{host}/{slug}.
func pageOf(path string) (kind essaim.Kind, origin, slug string, ok bool) {
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	if len(parts) == 3 && parts[0] == "ailleurs" {
		return "", parts[1], parts[2], parts[1] != "" && parts[2] != ""
	}
	if len(parts) != 2 || parts[1] == "" {
		return "", "", "", false
	}
	for _, k := range essaim.Kinds() {
		if k.Path == parts[0] {
			return k.Kind, "", parts[1], true
		}
	}
	return "", "", "", false
}

// asksDocument tells whether a request to a page asks for ActivityStreams: it
// names one of its types, and likes HTML no better.
func asksDocument(accept []string) bool {
	named := false
	for _, line := range accept {
		line = strings.ToLower(line)
		named = named || strings.Contains(line, "application/activity+json") || strings.Contains(line, "application/ld+json")
	}
	return named && !prefersHTML(accept)
}
