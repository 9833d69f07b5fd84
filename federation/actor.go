// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"essaim"
	"essaim/federation/vocab"
)

// LocalActorStore knows the actors of this node besides its own, and what they
// announce.
type LocalActorStore interface {
	// LocalActor finds by username; essaim.ErrNotFound for a name that nobody
	// bears. One that is deleted has Gone set.
	LocalActor(ctx context.Context, username string) (essaim.LocalActor, error)
	// RecordActor is the username of a record's actor.
	RecordActor(ctx context.Context, record string) (string, error)
	// Feed is the actor of a theme or a commune; essaim.ErrNotFound before the
	// first publication about it.
	Feed(ctx context.Context, kind essaim.ActorKind, subject string) (essaim.LocalActor, error)
	// RecordBySlug finds a record by its kind and slug; origin is empty for those
	// of this node.
	RecordBySlug(ctx context.Context, kind essaim.Kind, origin, slug string) (essaim.Record, error)
	// Listed lists what an actor announces, as Outbox does; ListedAfter as
	// OutboxAfter.
	Listed(ctx context.Context, a essaim.LocalActor, before int64, n int) ([]essaim.ListEntry, error)
	ListedAfter(ctx context.Context, a essaim.LocalActor, after int64, n int) ([]essaim.ListEntry, error)
	CountListed(ctx context.Context, a essaim.LocalActor) (int, error)
}

// localActor finds the actor that an id names: the node's own, or one of the
// store. Errors wrap essaim.ErrNotFound, or essaim.ErrGone for one that is
// deleted; the actor is told with the latter.
func (s *Server) localActor(ctx context.Context, id string) (essaim.LocalActor, error) {
	if id == s.nodeActor() {
		return s.renderer.NodeLocalActor(), nil
	}
	name, ok := strings.CutPrefix(id, s.base+"/actors/")
	if !ok || name == "" || strings.ContainsAny(name, "/?#") {
		return essaim.LocalActor{}, essaim.ErrNotFound
	}
	a, err := s.store.LocalActor(ctx, name)
	if err == nil && a.Gone {
		err = essaim.ErrGone
	}
	return a, err
}

// isLocal tells whether an id is that of an actor of this node.
func (s *Server) isLocal(ctx context.Context, id string) (bool, error) {
	_, err := s.localActor(ctx, id)
	if errors.Is(err, essaim.ErrNotFound) || errors.Is(err, essaim.ErrGone) {
		return false, nil
	}
	return err == nil, err
}

// actorID is the id of the actor that a request's path names.
func (s *Server) actorID(r *http.Request) string {
	if name := chi.URLParam(r, "name"); name != "" {
		return s.base + "/actors/" + name
	}
	return s.nodeActor()
}

// forActor serves something of the actor that a request's path names.
func (s *Server) forActor(serve func(http.ResponseWriter, *http.Request, essaim.LocalActor) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		a, err := s.localActor(r.Context(), s.actorID(r))
		if err == nil {
			err = serve(w, r, a)
		}
		if err != nil {
			s.fail(w, r, err)
		}
	}
}

// showActor serves an actor's document: 200 to ActivityPub, without signature
// (FEP-2677), and the page to a browser; 410 once it is deleted.
func (s *Server) showActor(w http.ResponseWriter, r *http.Request) {
	id := s.actorID(r)
	var d Stored
	var err error
	if id == s.nodeActor() || id == s.node.Territory.Actor {
		d, err = s.cache.lately(r.Context(), id, s.actorDocument, s.now())
	} else {
		d, err = s.cache.get(r.Context(), id, s.actorDocument)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Vary", "Accept")
	if d.PageURL != "" && !d.Gone && prefersHTML(r.Header.Values("Accept")) {
		http.Redirect(w, r, d.PageURL, http.StatusSeeOther)
		return
	}
	serve(w, r, served{body: d.Bytes, etag: d.ETag, gone: d.Gone})
	if id == s.nodeActor() {
		s.hear(r)
	}
}

// actorDocument makes the document that stands at an actor's id.
func (s *Server) actorDocument(ctx context.Context, id string) (Stored, error) {
	a, err := s.localActor(ctx, id)
	if errors.Is(err, essaim.ErrGone) {
		return s.farewell(a.ID, vocab.FormerType(a.Kind), a.UpdatedAt)
	}
	if err != nil {
		return Stored{}, err
	}
	b, err := s.renderer.Actor(a, a.Kind == essaim.ActorNode && s.policy != PeerPolicyOpen)
	if err != nil {
		return Stored{}, err
	}
	return made(b, s.renderer.Page(a)), nil
}

func (s *Server) farewell(id, former string, at time.Time) (Stored, error) {
	b, err := s.renderer.Farewell(id, former, at)
	d := made(b, "")
	d.Gone = true
	return d, err
}

// made is a document that is made when it is asked for.
func made(b []byte, page string) Stored {
	sum := sha256.Sum256(b)
	return Stored{Bytes: b, ETag: hex.EncodeToString(sum[:16]), PageURL: page}
}

// presentation makes the Note that the actor of a record pins; gone with it.
func (s *Server) presentation(ctx context.Context, id string) (Stored, error) {
	record, ok := vocab.PresentedRecord(id)
	if !ok {
		return Stored{}, essaim.ErrNotFound
	}
	name, err := s.store.RecordActor(ctx, record)
	if err != nil {
		return Stored{}, err
	}
	a, err := s.localActor(ctx, s.base+"/actors/"+name)
	if errors.Is(err, essaim.ErrGone) {
		return s.farewell(id, "Note", a.UpdatedAt)
	}
	if err != nil {
		return Stored{}, err
	}
	b, err := s.renderer.Presentation(a)
	return made(b, a.Record.URL), err
}
