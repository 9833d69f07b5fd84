// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"essaim"
	"essaim/federation/fetch"
	"essaim/federation/vocab"
	"essaim/federation/wire"
)

// read takes what one node holds of this one, up to a bound: the rest has its turn
// after the other nodes. An actor whose record comes later is taken in a second
// reading, and so is a record whose row was lost, once it was tried to mend it.
func (r *Rescuer) read(ctx context.Context, from essaim.RecoverySource) error {
	asked, stop := context.WithTimeout(ctx, readTime)
	defer stop()
	began, more := from.Cursor, false
	var broken error
	var told essaim.CommonsHead
	err := r.copies(asked, from.Host, from.Cursor, func(_ context.Context, page essaim.CopiesPage) error {
		if more = page.More; len(page.Heads) > 0 && (told.Document == nil || older(told, page.Heads[0])) {
			told = page.Heads[0]
			broken = r.Store.NoteLostHead(ctx, told)
		}
		if broken == nil {
			broken = r.takeBack(ctx, &from, page)
		}
		return broken
	})
	if broken != nil || ctx.Err() != nil {
		return errors.Join(broken, ctx.Err())
	}
	now := r.Now()
	switch {
	case err == nil && more, err != nil && asked.Err() != nil && from.Cursor != began:
		from.NextAt = now.Add(readOn)
	case err == nil && from.Reading == essaim.ReadingAgain:
		from.Cursor, from.Reading, from.Reason, from.NextAt = "", essaim.ReadingLast, "", now
	case err == nil, errors.Is(err, essaim.ErrNotFound):
		from.DoneAt, from.Reason = now, ""
	default:
		wait := rescueLater
		if rec, err := r.Store.Recovering(ctx); err == nil && rec {
			wait = rescueRetry
		}
		from.NextAt = now.Add(wait)
		from.Reason = cut(err.Error(), 300)
		r.Logger.LogAttrs(ctx, slog.LevelInfo, "copies of this node not read", slog.String("host", from.Host), slog.String("reason", from.Reason))
	}
	return r.Store.SaveRecoverySource(ctx, from)
}

// takeBack writes a page, and moves from behind it.
func (r *Rescuer) takeBack(ctx context.Context, from *essaim.RecoverySource, page essaim.CopiesPage) error {
	from.Seen += len(page.Copies) + page.Held
	items := r.recovered(ctx, page.Copies)
	for {
		some := items[:min(len(items), rescueWrites)]
		if items = items[len(some):]; len(items) == 0 {
			from.Cursor = page.Cursor
		}
		from.NextAt = r.Now().Add(rescueLease)
		why, err := r.Store.TakeRecovered(ctx, some, *from)
		if err != nil {
			return err
		}
		for i, reason := range why {
			damaged := reason == essaim.RecordDamaged
			if (damaged || reason == essaim.RecordNotHere) && from.Reading == essaim.ReadingFirst {
				from.Reading = essaim.ReadingAgain
			}
			if damaged && r.Now().Before(from.NextAt.Add(-rescueLease/2)) {
				r.mend(ctx, some[i].ID)
			}
			r.Logger.LogAttrs(ctx, slog.LevelDebug, "copy changes nothing", slog.String("item", some[i].ID), slog.String("reason", reason))
		}
		if len(items) == 0 {
			return nil
		}
	}
}

// copies reads what a node holds of this one. A panic over it is an error.
func (r *Rescuer) copies(ctx context.Context, host, after string, take func(context.Context, essaim.CopiesPage) error) (err error) {
	defer caught(&err)
	var standing func(ctx context.Context, ids []string) (map[string]essaim.HeldCopy, error)
	if r.Store != nil {
		standing = r.same
	}
	actor, err := r.Client.NodeActor(ctx, host)
	if errors.Is(err, essaim.ErrNotFound) && !errors.Is(err, fetch.ErrNoNode) {
		// Its proxy alone may answer: what the node holds is not told by that.
		return fmt.Errorf("%s shows no node: %w", host, essaim.ErrUnavailable)
	}
	if err != nil {
		return err
	}
	holder, err := essaim.ParseIRI(actor)
	if err != nil {
		return err
	}
	return ReadCopies(ctx, CopiesOf{
		Client: r.Client, Holder: holder.Origin(), Origin: r.Node, Keys: r.Keys, After: after,
		Standing: standing, Pages: r.Pages, Now: r.Now,
	}, take)
}

// same leaves out what stands here byte for byte; which of two versions counts is
// for the store to see.
func (r *Rescuer) same(ctx context.Context, ids []string) (map[string]essaim.HeldCopy, error) {
	held, err := r.Store.HeldCopies(ctx, ids)
	for id, h := range held {
		held[id] = essaim.HeldCopy{CopyDigest: h.CopyDigest}
	}
	return held, err
}

// recovered reads what copies say.
func (r *Rescuer) recovered(ctx context.Context, copies []essaim.VerifiedCopy) []essaim.Recovered {
	items := make([]essaim.Recovered, 0, len(copies))
	for i := range copies {
		it, err := readRecovered(copies[i])
		if err != nil {
			r.Logger.LogAttrs(ctx, slog.LevelInfo, "copy of this node not taken", slog.String("item", cut(copies[i].ID, 200)), slog.String("reason", cut(err.Error(), 300)))
			continue
		}
		items = append(items, it)
	}
	return items
}

// readRecovered reads a copy of a document of this node. A panic over one leaves
// the others alone.
func readRecovered(c essaim.VerifiedCopy) (it essaim.Recovered, err error) {
	defer caught(&err)
	it.VerifiedCopy = c
	switch c.Sort {
	case essaim.CopyRecord:
		rec, err := vocab.Parse(c.Document)
		if err != nil {
			return it, err
		}
		if rec.ID != c.ID {
			return it, fmt.Errorf("reads as %s: %w", cut(rec.ID, 200), essaim.ErrInvalid)
		}
		it.Record = &rec
	case essaim.CopyActor:
		doc, err := wire.Parse(c.Document, wire.Limits{})
		if err != nil {
			return it, err
		}
		it.Type = doc.Get("type").TextOr()
		it.Created, _ = doc.Get("published").Time()
	}
	return it, nil
}
