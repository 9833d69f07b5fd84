// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"strings"
	"sync"
	"time"

	"essaim"
)

// How long a writer waits for those whom she names, and how long an answer is
// kept.
const (
	mentionTime    = 5 * time.Second
	mentionKnown   = time.Hour
	mentionUnknown = 5 * time.Minute
	maxHandles     = 1000 // held in memory
)

// handles remembers which actor a handle names.
type handles struct {
	mu    sync.Mutex
	known map[essaim.Handle]knownHandle
}

type knownHandle struct {
	actor string // empty for a handle that names nobody
	until time.Time
}

// Mentions finds the actors of handles by WebFinger, all at once and within a
// few seconds; what is not found in time is left out, and stays text. The
// actors are held afterwards, so that they can be written to.
func (s *Server) Mentions(ctx context.Context, list []essaim.Handle) []essaim.Mention {
	ctx, cancel := context.WithTimeout(ctx, mentionTime)
	defer cancel()
	actors := make([]string, len(list))
	var tasks sync.WaitGroup
	for i, h := range list {
		tasks.Go(func() { actors[i] = s.mentioned(ctx, h) })
	}
	tasks.Wait()
	var found []essaim.Mention
	for i, h := range list {
		if actors[i] != "" {
			found = append(found, essaim.Mention{Handle: h.String(), Actor: actors[i]})
		}
	}
	return found
}

// mentioned is the actor of a handle; empty when there is none to be found.
func (s *Server) mentioned(ctx context.Context, h essaim.Handle) string {
	h.User = strings.ToLower(h.User)
	now := s.now()
	s.handles.mu.Lock()
	known, ok := s.handles.known[h]
	s.handles.mu.Unlock()
	if ok && now.Before(known.until) {
		return known.actor
	}
	actor, err := s.findHandle(ctx, h)
	keep := mentionKnown
	if err != nil {
		actor, keep = "", mentionUnknown
		if ctx.Err() != nil {
			return ""
		}
	}
	s.handles.mu.Lock()
	defer s.handles.mu.Unlock()
	if s.handles.known == nil || len(s.handles.known) >= maxHandles {
		s.handles.known = map[essaim.Handle]knownHandle{}
	}
	s.handles.known[h] = knownHandle{actor: actor, until: now.Add(keep)}
	return actor
}

func (s *Server) findHandle(ctx context.Context, h essaim.Handle) (string, error) {
	resource := "acct:" + h.User + "@" + h.Host
	if s.isHost(h.Host) {
		d, err := s.describe(ctx, resource)
		if err != nil {
			return "", err
		}
		return d.self(), nil
	}
	jrd, err := s.client.WebFinger(ctx, h.Host, resource)
	if err != nil {
		return "", err
	}
	href, ok := jrd.Self()
	if !ok {
		return "", essaim.ErrNotFound
	}
	id, err := essaim.ParseIRI(href)
	if err != nil {
		return "", err
	}
	// A server names its own accounts, or those of the name below it; not
	// somebody else's.
	if id.Host() != h.Host && !strings.HasSuffix(id.Host(), "."+h.Host) {
		return "", essaim.ErrInvalid
	}
	if st, err := s.store.Standing(ctx, id.String()); err != nil || st.Blocked {
		return "", essaim.ErrForbidden
	}
	actor, err := s.remote.Actor(ctx, id)
	if err != nil {
		return "", err
	}
	if actor.Gone || !strings.EqualFold(actor.Username, h.User) {
		return "", essaim.ErrNotFound
	}
	return actor.ID, nil
}

// self is the actor that a descriptor of ours is about.
func (d descriptor) self() string {
	for _, l := range d.Links {
		if l.Rel == relSelf {
			return l.Href
		}
	}
	return ""
}
