// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"essaim"
	"essaim/store/blob"
)

const (
	keepEvery    = 10 * time.Minute
	keepTogether = 50 // actors of one round
	keepAtOnce   = 4

	avatarsEvery    = 20 * time.Second
	avatarsTogether = 20
)

// keepActors refreshes, now and then, the copies of actors that have something
// here: where they moved their inbox, what they are called, whether they are
// still there. Their avatars are copied apart from that: the host of a picture may
// be as slow as it likes.
func (s *Server) keepActors(ctx context.Context) {
	var pictures sync.WaitGroup
	pictures.Go(func() { every(ctx, avatarsEvery, s.copyAvatars) })
	every(ctx, keepEvery, func(ctx context.Context) {
		s.refreshActors(ctx)
		s.recheckPeers(ctx)
		if err := s.renewHead(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("head of this node not signed", "error", err)
		}
	})
	pictures.Wait()
}

// every does something now and then until ctx ends, one round at a time.
func every(ctx context.Context, pause time.Duration, round func(context.Context)) {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			round(ctx)
		}
	}
}

// copyAvatars does one round: our own copies of the avatars that a page shows. One
// is decoded at a time.
func (s *Server) copyAvatars(ctx context.Context) {
	if s.pictures == nil {
		return
	}
	due, err := s.store.DueAvatars(ctx, avatarsTogether)
	if err != nil {
		s.log.Warn("avatars not read", "error", err)
		return
	}
	for _, a := range due {
		if ctx.Err() != nil {
			return
		}
		file, err := s.copyAvatar(ctx, a)
		if errors.Is(err, essaim.ErrUnavailable) {
			continue // claimed: tried again later
		}
		if err != nil {
			s.log.LogAttrs(ctx, slog.LevelInfo, "avatar not kept", slog.String("actor", a.Actor), slog.String("reason", err.Error()))
		}
		if err := s.store.SaveAvatar(ctx, a, file); err != nil {
			s.log.Warn("avatar not noted", "actor", a.Actor, "error", err)
		}
	}
}

// copyAvatar gives the file; none, and why, when there is none to be had.
func (s *Server) copyAvatar(ctx context.Context, a essaim.Avatar) (file string, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("avatar of %s: panic: %v: %w", a.Actor, p, essaim.ErrInvalid)
		}
	}()
	raw, err := s.client.Picture(ctx, a.Source, blob.MaxPicture)
	if err != nil {
		return "", err
	}
	p, err := blob.Portrait(raw)
	if err != nil {
		return "", err
	}
	if file, err = s.pictures.Put(p); err != nil {
		return "", fmt.Errorf("%w: %w", essaim.ErrUnavailable, err)
	}
	return file, nil
}

// recheckPeers asks those who are contested which key they show now: a node that
// is back with its own needs nobody's click.
func (s *Server) recheckPeers(ctx context.Context) {
	peers, err := s.store.Peers(ctx)
	if err != nil {
		s.log.Warn("peers not read", "error", err)
		return
	}
	eachOf(ctx, s.log, keepAtOnce, peers, func(p essaim.Peer) {
		if p.ContestedAt.IsZero() {
			return
		}
		if err := s.remote.recheck(ctx, essaim.PeerTrust{Actor: p.Actor}); err != nil {
			s.log.LogAttrs(ctx, slog.LevelInfo, "peer still contested", slog.String("host", p.Host), slog.String("reason", err.Error()))
		}
	})
}

// refreshActors does one round.
func (s *Server) refreshActors(ctx context.Context) {
	stale, err := s.store.StaleActors(ctx, essaim.ActorAge, keepTogether)
	if err != nil {
		s.log.Warn("stale actors not read", "error", err)
		return
	}
	eachOf(ctx, s.log, keepAtOnce, stale, func(id string) { s.refreshActor(ctx, id) })
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
	case errors.Is(err, essaim.ErrGone) && s.remote.Departed(ctx, iri, err):
		if err := s.store.LoseActor(ctx, id); err != nil {
			s.log.Warn("actor not forgotten", "actor", id, "error", err)
		}
		s.remote.Forget(id)
	default:
		s.log.LogAttrs(ctx, slog.LevelInfo, "actor not refreshed", slog.String("actor", id), slog.String("reason", err.Error()))
	}
}
