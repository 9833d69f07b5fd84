// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"essaim"
)

const (
	keepEvery    = 10 * time.Minute
	keepTogether = 50 // actors of one round
	keepAtOnce   = 4
)

// keepActors refreshes, now and then, the copies of actors that have something
// here: where they moved their inbox, what they are called, whether they are
// still there.
func (s *Server) keepActors(ctx context.Context) {
	tick := time.NewTicker(keepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.refreshActors(ctx)
		}
	}
}

// refreshActors does one round.
func (s *Server) refreshActors(ctx context.Context) {
	stale, err := s.store.StaleActors(ctx, essaim.ActorAge, keepTogether)
	if err != nil {
		s.log.Warn("stale actors not read", "error", err)
		return
	}
	var tasks sync.WaitGroup
	defer tasks.Wait()
	places := make(chan struct{}, keepAtOnce)
	for _, id := range stale {
		select {
		case places <- struct{}{}:
		case <-ctx.Done():
			return
		}
		tasks.Go(func() {
			defer func() {
				<-places
				if p := recover(); p != nil {
					s.log.Error("refreshing an actor panicked", "actor", id, "panic", p)
				}
			}()
			s.refreshActor(ctx, id)
		})
	}
}

// refreshActor fetches one anew. Only a 410 says that it is gone: a 404 is as
// often a server that is being mended.
func (s *Server) refreshActor(ctx context.Context, id string) {
	iri, err := essaim.ParseIRI(id)
	if err == nil {
		_, err = s.remote.Fetch(ctx, iri)
	}
	switch {
	case err == nil:
		s.remote.Forget(id) // keys that it no longer lists
	case errors.Is(err, essaim.ErrGone):
		if err := s.store.LoseActor(ctx, id); err != nil {
			s.log.Warn("actor not forgotten", "actor", id, "error", err)
		}
		s.remote.Forget(id)
	default:
		s.log.LogAttrs(ctx, slog.LevelInfo, "actor not refreshed", slog.String("actor", id), slog.String("reason", err.Error()))
	}
}
