// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"

	"github.com/go-chi/chi/v5"
)

// localActor is an actor of this node with its document, which does not change
// while the node runs.
type localActor struct {
	id       string
	username string
	page     string // for browsers
	document []byte
	etag     string
	// follows lists what it follows: the peers, for the node's own actor.
	follows bool
	// publishes is set for an actor whose outbox has something.
	publishes bool
}

func (s *Server) loadActors() error {
	application, err := s.renderer.Application(s.policy != PeerPolicyOpen)
	if err != nil {
		return err
	}
	territory, err := s.renderer.Territory()
	if err != nil {
		return err
	}
	s.actors = map[string]*localActor{}
	for _, a := range []*localActor{
		{id: s.nodeActor(), username: s.renderer.NodeUsername(), page: s.base + "/territoires", document: application, follows: true},
		{id: s.node.Territory.Actor, username: s.node.Territory.Username, page: s.base + "/", document: territory, publishes: true},
	} {
		sum := sha256.Sum256(a.document)
		a.etag = hex.EncodeToString(sum[:16])
		s.actors[a.id] = a
	}
	return nil
}

// actorOf finds the actor that a request's path names.
func (s *Server) actorOf(r *http.Request) (*localActor, bool) {
	id := s.nodeActor()
	if name := chi.URLParam(r, "name"); name != "" {
		id = s.base + "/actors/" + name
	}
	a, ok := s.actors[id]
	return a, ok
}

// showActor serves an actor's document: 200 to ActivityPub, without signature
// (FEP-2677), and the page to a browser.
func (s *Server) showActor(w http.ResponseWriter, r *http.Request) {
	a, ok := s.actorOf(r)
	if !ok {
		s.refuse(w, r, http.StatusNotFound)
		return
	}
	w.Header().Set("Vary", "Accept")
	if prefersHTML(r.Header.Values("Accept")) {
		http.Redirect(w, r, a.page, http.StatusSeeOther)
		return
	}
	serve(w, r, served{body: a.document, etag: a.etag})
	if a.id == s.nodeActor() {
		s.hear(r)
	}
}
