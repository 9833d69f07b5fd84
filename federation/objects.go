// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"

	"github.com/go-chi/chi/v5"

	"essaim"
)

// showObject serves a record's document as its stored bytes: 303 to the page
// for a browser, 410 with the Tombstone once withdrawn (ActivityPub 6.4).
func (s *Server) showObject(w http.ResponseWriter, r *http.Request) {
	d, err := s.cache.get(r.Context(), s.base+"/objects/"+chi.URLParam(r, "id"), s.store.Object)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Vary", "Accept")
	if d.PageURL != "" && !d.Gone && prefersHTML(r.Header.Values("Accept")) {
		w.Header().Set("Cache-Control", "public, max-age=0, must-revalidate")
		http.Redirect(w, r, d.PageURL, http.StatusSeeOther)
		return
	}
	serve(w, r, served{body: d.Bytes, etag: d.ETag, gone: d.Gone})
}

// showActivity serves an activity of ours as its stored bytes; 410 once its
// object is erased.
func (s *Server) showActivity(w http.ResponseWriter, r *http.Request) {
	d, err := s.cache.get(r.Context(), s.base+"/activities/"+chi.URLParam(r, "id"), s.store.Activity)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Vary", "Accept")
	serve(w, r, served{body: d.Bytes, etag: d.ETag, gone: d.Gone})
}

// publicObject is the id of the published object that a request is about.
func (s *Server) publicObject(r *http.Request) (string, error) {
	id := s.base + "/objects/" + chi.URLParam(r, "id")
	d, err := s.cache.get(r.Context(), id, s.store.Object)
	if err == nil && d.Gone {
		err = essaim.ErrGone
	}
	return id, err
}

// showReactions serves how many thanked or boosted an object; who did is
// nobody's business.
func (s *Server) showReactions(kind essaim.ReactionKind) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		object, err := s.publicObject(r)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		n, err := s.store.Reactions(r.Context(), object, kind)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		s.serveCollection(w, r, collection{Type: "Collection", TotalItems: n})
	}
}

// showStamp serves the stamp by which a post elsewhere may quote an object
// (FEP-044f): as signed, while the object stands and the post was not deleted.
// It is read each time, for a revocation moves no change number.
func (s *Server) showStamp(w http.ResponseWriter, r *http.Request) {
	object, err := s.publicObject(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	b, err := s.store.Stamp(r.Context(), object+"/quotes/"+chi.URLParam(r, "stamp"))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Vary", "Accept")
	sum := sha256.Sum256(b)
	serve(w, r, served{body: b, etag: hex.EncodeToString(sum[:16])})
}

// showReplies serves the replies that a moderator let through. None is shown
// before moderation exists on this node.
func (s *Server) showReplies(w http.ResponseWriter, r *http.Request) { s.showNone(w, r) }

// showAdaptations serves the adaptations elsewhere that were acknowledged.
func (s *Server) showAdaptations(w http.ResponseWriter, r *http.Request) { s.showNone(w, r) }

func (s *Server) showNone(w http.ResponseWriter, r *http.Request) {
	if _, err := s.publicObject(r); err != nil {
		s.fail(w, r, err)
		return
	}
	s.serveCollection(w, r, collection{Type: "OrderedCollection", Items: []string{}})
}

// showContext serves the conversation around an object: the object, which
// begins it (FEP-7888).
func (s *Server) showContext(w http.ResponseWriter, r *http.Request) {
	object, err := s.publicObject(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.serveCollection(w, r, collection{Type: "OrderedCollection", AttributedTo: s.node.Territory.Actor, TotalItems: 1, Items: []string{object}})
}
