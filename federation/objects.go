// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"

	"essaim"
	"essaim/federation/vocab"
)

// showObject serves a record's document as its stored bytes: 303 to the page
// for a browser, 410 with the Tombstone once withdrawn (ActivityPub 6.4).
func (s *Server) showObject(w http.ResponseWriter, r *http.Request) {
	get, id := s.object, s.base+"/objects/"+chi.URLParam(r, "id")
	if _, ok := vocab.PresentedRecord(id); ok {
		get = func(ctx context.Context, id string) (Stored, error) { return s.cache.get(ctx, id, s.presentation) }
	}
	d, err := get(r.Context(), id)
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

// object is what stands at a record's id. One that is damaged is given to be
// mended, and not shown.
func (s *Server) object(ctx context.Context, id string) (Stored, error) {
	d, err := s.cache.get(ctx, id, s.store.Object)
	if errors.Is(err, essaim.ErrDamaged) {
		s.rescuer.Tell(id)
	}
	return d, err
}

// showActivity serves an activity of ours as its stored bytes; 410 with a
// Tombstone once its object is erased.
func (s *Server) showActivity(w http.ResponseWriter, r *http.Request) {
	id := s.base + "/activities/" + chi.URLParam(r, "id")
	d, err := s.cache.get(r.Context(), id, s.activity)
	if errors.Is(err, essaim.ErrGone) {
		d, err = erased(id), nil
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Vary", "Accept")
	serve(w, r, served{body: d.Bytes, etag: d.ETag, gone: d.Gone})
}

// erased is what stands for an activity of which nothing is kept
// (ActivityPub 6.4): what it was is not told, and its object's own Tombstone is
// the one that is signed.
func erased(id string) Stored {
	d := made([]byte(`{"@context":["`+activityStreams+`"],"id":`+quote(id)+`,"type":"Tombstone"}`), "")
	d.Gone = true
	return d
}

// activity is one that was sent or, for an announce that was not, the one that
// stands in its actor's outbox.
func (s *Server) activity(ctx context.Context, id string) (Stored, error) {
	d, err := s.store.Activity(ctx, id)
	name, object, ok := cutLast(strings.TrimPrefix(id, s.base+"/activities/"), "-")
	if !ok || !errors.Is(err, essaim.ErrNotFound) {
		return d, err
	}
	actor := s.base + "/actors/" + name
	if name == "actor" {
		actor = s.nodeActor()
	}
	a, err := s.localActor(ctx, actor)
	if err != nil {
		return Stored{}, err
	}
	if a.Kind == essaim.ActorGroup {
		return s.groupAnnounce(ctx, a, object)
	}
	if !announces(a.Kind) {
		return Stored{}, essaim.ErrNotFound
	}
	rec, err := s.store.Record(ctx, s.base+"/objects/"+object)
	switch {
	case err != nil:
		return Stored{}, err
	case rec.Origin == "" && rec.State == essaim.StateWithdrawn:
		return Stored{}, essaim.ErrGone
	case rec.Origin != "" || rec.State != essaim.StatePublished || !a.Carries(&rec.Content):
		return Stored{}, essaim.ErrNotFound
	}
	b, err := s.announce(a.ID, rec.ID, rec.Published)
	return made(b, ""), err
}

// cutLast cuts around the last separator.
func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// publicObject is the id of the published object that a request is about.
func (s *Server) publicObject(r *http.Request) (string, error) {
	id := s.base + "/objects/" + chi.URLParam(r, "id")
	d, err := s.object(r.Context(), id)
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
