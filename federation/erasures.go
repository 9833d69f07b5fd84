// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"essaim"
	"essaim/federation/fetch"
	"essaim/federation/wire"
)

// What a node deletes is erased everywhere, also where it is followed no more, or
// blocked: its Delete is not sent there, so its commons are read on once a day, for tombstones
// of what is held and nothing else. It costs one request when nothing changed.
const (
	erasuresEvery  = 24 * time.Hour
	erasuresJitter = 2 * time.Hour
)

// erasuresDue reads on where it is time to.
func (r *Replicator) erasuresDue(ctx context.Context) {
	for ctx.Err() == nil {
		hosts, err := r.Store.DueErasures(ctx, 1) // each claim is as long as one reading
		if err != nil && ctx.Err() == nil {
			r.Logger.Warn("deletions of nodes that were followed not read", "error", err)
		}
		if len(hosts) == 0 {
			return
		}
		for _, host := range hosts {
			p, err := r.ReadErasures(ctx, host)
			if ctx.Err() != nil {
				return
			}
			now := r.Now()
			p.Reason, p.NextAt = "", now.Add(erasuresEvery+jitter(host, now, erasuresJitter))
			switch {
			case err != nil:
				p.Reason = cut(err.Error(), 300)
				r.Logger.LogAttrs(ctx, slog.LevelInfo, "deletions not read", slog.String("host", host), slog.String("reason", p.Reason))
			case p.DoneAt.IsZero():
				p.NextAt = now.Add(readOn)
			}
			if err := r.Store.SaveCommonsProgress(ctx, p); err != nil {
				r.Logger.Warn("reading of deletions not noted", "host", host, "error", err)
				return
			}
		}
	}
}

// ReadErasures reads on in the commons of a node that is followed no more, and
// erases the copies of what it deleted. What it says counts by the keys that were
// pinned while it was followed, and those that continue them: whoever has its domain
// now changes nothing. A panic over what it sent is an error.
func (r *Replicator) ReadErasures(ctx context.Context, host string) (p essaim.CommonsProgress, err error) {
	defer caught(&err)
	if p, err = r.Store.CommonsProgress(ctx, host); err != nil {
		return p, err
	}
	known, err := r.Ingester.Actors.trust.of(ctx, host)
	if err != nil {
		return p, err
	}
	if known.Actor != "" || len(known.Keys) == 0 {
		return p, fmt.Errorf("%s is followed, or never proved anything: %w", host, essaim.ErrForbidden)
	}
	actor, err := r.formerActor(ctx, host)
	if err != nil {
		return p, err
	}
	c, err := r.crawl(essaim.Peer{Host: host, Actor: actor}, p)
	if err != nil {
		return p, err
	}
	c.former = true
	bounded, stop := context.WithTimeout(askedToForget(ctx, host), readTime)
	defer stop()
	err = c.run(bounded)
	if err != nil && c.taken > 0 && bounded.Err() != nil && ctx.Err() == nil {
		err = nil // the bound ended it, not the node
	}
	return c.progress, err
}

// formerActor is the actor of a node that was followed, as its last head names it.
func (r *Replicator) formerActor(ctx context.Context, host string) (string, error) {
	heads, err := r.Store.Heads(ctx, host, 1)
	if err != nil {
		return "", err
	}
	for _, h := range heads {
		doc, err := wire.Parse(h.Document, wire.Limits{})
		if err != nil {
			return "", err
		}
		if by, ok := doc.Get("attributedTo").IRI(); ok && by.Host() == host {
			return by.String(), nil
		}
	}
	return "https://" + host + "/actor", nil
}

// erasure says what an item comes to of a node that is followed no more: nothing,
// but for the tombstone of something that is held.
func (c *crawl) erasure(ctx context.Context, reader *reader, item wire.Value, at time.Time) (taken essaim.CommonsTaken, err error) {
	if item.Get("type").TextOr() != "Tombstone" {
		return taken, nil
	}
	kept, err := c.Ingester.Actors.trust.store.KeepsCopy(ctx, item.Get("id").TextOr())
	if err != nil {
		return taken, fmt.Errorf("%w: %w", essaim.ErrUnavailable, err)
	}
	if !kept {
		return taken, nil
	}
	all, err := c.readBy(fetch.Bounded(ctx, maxRequests), reader, item, at)
	for _, e := range all.Effects {
		if erase, ok := e.(essaim.Erase); ok && erase.CopyDigest != "" {
			taken.Actor, taken.Effects = all.Actor, append(taken.Effects, erase)
		}
	}
	return taken, err
}
