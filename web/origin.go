// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"context"
	"fmt"
	"time"

	"essaim"
)

// Origin is how the node that a record comes from fares, when it is not well.
type Origin struct {
	Life  essaim.PeerLife // empty for one that is well
	Since time.Time
	// Copy is when the version that is shown came; on the page of a record only.
	Copy time.Time
}

// Tone is how it looks: warn or bad.
func (o Origin) Tone() string {
	switch o.Life {
	case essaim.LifeGone, essaim.LifeContested:
		return "bad"
	}
	return "warn"
}

// Reachable tells whether its address is still its own, as far as is known.
func (o Origin) Reachable() bool {
	return o.Life != essaim.LifeGone && o.Life != essaim.LifeContested
}

// origins are those that are not well, by host.
func (s *Server) origins(ctx context.Context) (map[string]Origin, error) {
	unwell, err := s.store.Unwell(ctx)
	if err != nil {
		return nil, fmt.Errorf("origins: %w", err)
	}
	by := make(map[string]Origin, len(unwell))
	for i := range unwell {
		life, since := unwell[i].Life(s.now(), s.cfg.PeerSilence)
		if unwell[i].State != essaim.PeerFollowed {
			life = essaim.LifeFormer
		}
		if life != "" && life != essaim.LifeCurrent {
			by[unwell[i].Host] = Origin{Life: life, Since: since}
		}
	}
	return by, nil
}

// cards are records as lists of several territories show them, each with the name
// of its own and how that fares.
func (s *Server) cards(ctx context.Context, records []essaim.Record) ([]Card, error) {
	list := cards(records, s.now())
	remote := false
	for i := range list {
		list[i].Named, remote = true, remote || list[i].Remote()
	}
	if !remote {
		return list, nil
	}
	by, err := s.origins(ctx)
	for i := range list {
		list[i].From = by[list[i].Record.Origin]
	}
	return list, err
}

// originOf is how the origin of a record fares, and of when the copy is.
func (s *Server) originOf(ctx context.Context, rec *essaim.Record) (o Origin, err error) {
	if rec.Origin == "" {
		return o, nil
	}
	by, err := s.origins(ctx)
	if err != nil {
		return o, err
	}
	if o = by[rec.Origin]; o.Life != "" {
		o.Copy, err = s.store.CopyReceived(ctx, rec.ID)
	}
	return o, err
}
