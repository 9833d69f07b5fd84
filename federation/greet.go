// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"essaim"
)

const (
	// greetTogether bounds the greetings under way, sent or heard.
	greetTogether = 8
	greetTime     = 20 * time.Second
	// greetEvery is how often a greeting of one host is listened to.
	greetEvery = 2 * time.Second
)

// greet tells the peers that this node is up: one signed GET of each one's
// actor, which refreshes our copy of it and makes what waits there for us due
// (architecture.md, "a signed request from a host").
func (s *Server) greet(ctx context.Context) {
	peers, err := s.store.Peers(ctx)
	if err != nil {
		s.log.Warn("peers not greeted", "error", err)
		return
	}
	eachOf(ctx, s.log, greetTogether, peers, func(p essaim.Peer) {
		id, err := essaim.ParseIRI(p.Actor)
		if err != nil || p.State != essaim.PeerFollowed && p.State != essaim.PeerRequested {
			return
		}
		ctx, stop := context.WithTimeout(ctx, greetTime)
		defer stop()
		if _, err := s.remote.Fetch(ctx, id); err != nil {
			s.log.LogAttrs(ctx, slog.LevelInfo, "peer does not answer", slog.String("host", p.Host), slog.String("reason", err.Error()))
		}
	})
}

// hear wakes what waits for a host that signed a GET of our actor. It checks
// the signature beside the answer, which needs none; when too many are being
// checked, this one is passed over.
func (s *Server) hear(r *http.Request) {
	if r.Header.Get("Signature") == "" && r.Header.Get("Signature-Input") == "" {
		return
	}
	select {
	case s.hearing <- struct{}{}:
	default:
		return
	}
	ctx, stop := context.WithTimeout(asStranger(context.WithoutCancel(r.Context()), s.inbox.caller(r)), greetTime)
	r = r.Clone(ctx)
	s.tasks.Go(func() {
		defer func() {
			stop()
			<-s.hearing
			if p := recover(); p != nil {
				s.log.Error("greeting panicked", "panic", p)
			}
		}()
		key, err := s.inbox.verify(r, nil)
		if err != nil || !s.ingest.mayWake(key.Owner.Host(), greetEvery) {
			return
		}
		s.ingest.wake(ctx, key.Owner.Host())
	})
}
