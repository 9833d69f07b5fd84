// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"

	"essaim"
)

// Mount adds every address of ActivityPub and of discovery to a router. The
// ids never redirect an ActivityPub client and never end in a slash.
func (s *Server) Mount(r chi.Router) {
	get := func(path string, h http.HandlerFunc) {
		r.Get(path, h)
		r.Head(path, h)
	}
	get("/.well-known/webfinger", s.webFinger)
	get("/.well-known/nodeinfo", s.nodeInfoLinks)
	get("/.well-known/host-meta", s.hostMeta)
	get("/nodeinfo/2.1", s.nodeInfo)
	get("/nodeinfo/2.0", s.nodeInfo)

	// Below, those who are kept out are not answered.
	get = func(path string, h http.HandlerFunc) {
		guarded := func(w http.ResponseWriter, r *http.Request) {
			if s.admits(w, r) {
				h(w, r)
			}
		}
		r.Get(path, guarded)
		r.Head(path, guarded)
	}
	for _, actor := range []string{"/actor", "/actors/{name}"} {
		get(actor, s.showActor)
		get(actor+"/outbox", s.forActor(s.showOutbox))
		get(actor+"/followers", s.forActor(s.showFollowers))
		get(actor+"/followers/sync", s.forActor(s.showFollowersOfHost))
		get(actor+"/following", s.forActor(s.showFollowing))
		get(actor+"/featured", s.forActor(s.showFeatured))
	}
	r.Method(http.MethodPost, "/inbox", s.inbox)
	r.Post("/actor/inbox", s.postInbox)
	r.Post("/actors/{name}/inbox", s.postInbox)
	get("/objects/{id}", s.showObject)
	get("/objects/{id}/likes", s.showReactions(essaim.ReactionLike))
	get("/objects/{id}/shares", s.showReactions(essaim.ReactionAnnounce))
	get("/objects/{id}/replies", s.showMembers(essaim.CollectionReplies))
	get("/objects/{id}/context", s.showMembers(essaim.CollectionThread))
	get("/objects/{id}/adaptations", s.showMembers(essaim.CollectionAdaptations))
	get("/objects/{id}/quotes/{stamp}", s.showStamp)
	get("/activities/{id}", s.showActivity)
	get("/commons", s.whole(s.showCommons))
	r.Post("/commons", s.hearHead)
	get("/commons/copies", s.showCopies)
	get("/commons/copies/digest", s.showCopyDigests)
	get("/commons/copies/digest/{prefix}", s.showCopyDigests)
	get("/commons/digest", s.whole(s.showDigests))
	get("/commons/digest/{prefix}", s.whole(s.showDigests))
}

// MethodNotAllowed answers a method that an address of Mount does not take
// (RFC 9110 15.5.6).
func (s *Server) MethodNotAllowed(routes chi.Routes) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var list []string
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost} {
			if routes.Match(chi.NewRouteContext(), method, r.URL.Path) {
				list = append(list, method)
			}
		}
		w.Header().Set("Allow", strings.Join(list, ", "))
		s.refuse(w, r, http.StatusMethodNotAllowed)
	}
}

func levelOf(err error) slog.Level {
	if errors.Is(err, essaim.ErrUnavailable) {
		return slog.LevelWarn
	}
	return slog.LevelError
}

func requestAttrs(r *http.Request, err error) []slog.Attr {
	return []slog.Attr{slog.String("path", r.URL.Path), slog.String("error", err.Error())}
}
