// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"essaim"
	"essaim/federation/fetch"
	"essaim/federation/proof"
	"essaim/federation/vocab"
)

// mendFound asks for what differs and for what is not listed, each once, but for what
// is withdrawn here, and forgets it: there may be more than memory is to hold.
func (w *walk) mendFound(ctx context.Context) error {
	if err := w.leaveWithdrawn(ctx); err != nil {
		return err
	}
	w.found += len(w.differs) + len(w.extra)
	ids := make([]string, 0, len(w.differs)+len(w.extra))
	for id := range w.differs {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	ids = append(ids, w.extra...)
	for len(ids) > 0 {
		some := ids[:min(len(ids), compareWrites)]
		ids = ids[len(some):]
		if err := w.mendSome(ctx, some); err != nil {
			return err
		}
	}
	slices.Sort(w.kept)
	w.kept = w.kept[:min(len(w.kept), maxKept)]
	clear(w.differs)
	clear(w.held)
	w.extra = nil
	return nil
}

// leaveWithdrawn takes what is withdrawn here out of the differences: it is not
// fetched again, and its line takes the digest that its origin lists.
func (w *walk) leaveWithdrawn(ctx context.Context) error {
	if len(w.differs)+len(w.extra) == 0 {
		return nil
	}
	withdrawn, err := w.Store.WithdrawnHere(ctx, w.peer.Host)
	if err != nil || len(withdrawn) == 0 {
		return err
	}
	var listed []essaim.CommonsItem
	for id := range withdrawn {
		if digest, ok := w.differs[id]; ok {
			listed = append(listed, essaim.CommonsItem{ID: id, Digest: digest})
			delete(w.differs, id)
		}
	}
	w.extra = slices.DeleteFunc(w.extra, func(id string) bool { return withdrawn[id] })
	if len(listed) == 0 {
		return nil
	}
	return w.Store.NoteCopies(ctx, listed)
}

func (w *walk) mendSome(ctx context.Context, ids []string) error {
	var mu sync.Mutex
	found := map[string]essaim.CommonsTaken{}
	var kept error // what is away, or contested: the node, or these items alone
	eachOf(ctx, w.Logger, compareAtOnce, ids, func(id string) {
		item, err := w.original(ctx, id)
		mu.Lock()
		defer mu.Unlock()
		switch {
		case err == nil:
			found[id] = item
		case errors.Is(err, essaim.ErrUnavailable) || errors.Is(err, essaim.ErrConflict):
			kept = err
		default:
			w.Logger.LogAttrs(ctx, slog.LevelInfo, "item not mended", slog.String("item", cut(id, 200)), slog.String("reason", cut(err.Error(), 300)))
		}
	})
	if ctx.Err() != nil {
		return errors.Join(kept, ctx.Err())
	}
	if len(found) == 0 && kept != nil {
		if errors.Is(kept, essaim.ErrConflict) {
			return kept
		}
		// An origin keeps back what is damaged there, and answers everything else.
		if _, err := w.ask(ctx, ""); err != nil && !errors.Is(err, errMoved) {
			return errors.Join(kept, err)
		}
	}
	items := make([]essaim.CommonsTaken, 0, len(ids))
	for _, id := range ids {
		items = append(items, found[id])
	}
	why, err := w.Store.TakeCopies(ctx, w.peer.Host, items)
	if err != nil {
		return err
	}
	for i, id := range ids {
		switch _, listed := w.differs[id]; {
		case len(found[id].Effects) > 0 && (why[i] == "" || why[i] == deletedBefore):
			w.mended++
		case !listed:
			w.kept = append(w.kept, id)
		}
	}
	return nil
}

// deletedBefore is why a deletion changes nothing but the bytes of its tombstone.
const deletedBefore = "deleted before"

// original fetches an item from its own address, signed, and says what it comes
// to: its version as it is there, or its deletion.
func (w *walk) original(ctx context.Context, id string) (item essaim.CommonsTaken, err error) {
	iri, err := essaim.ParseIRI(id)
	if err != nil || !iri.SameOrigin(w.origin) {
		return item, fmt.Errorf("item %s: of another origin: %w", cut(id, 200), essaim.ErrForbidden)
	}
	answer, err := w.Client.Changed(ctx, iri.String(), "")
	var gone *fetch.Gone
	switch {
	case errors.As(err, &gone):
		answer.Body = gone.Body
	case errors.Is(err, essaim.ErrGone) && w.Ingester.Actors.Departed(ctx, iri, err):
		return essaim.CommonsTaken{ID: id, Actor: w.peer.Actor, Effects: []essaim.Effect{essaim.Erase{ID: id, Actor: w.peer.Actor, At: w.Now()}}}, nil
	case err != nil:
		return item, err
	}
	item, err = w.item(ctx, answer.Body, w.Now())
	item.ID = id
	for i, e := range item.Effects {
		if r, ok := e.(essaim.Replicate); ok {
			lost, err := w.lost(ctx, id, &r.Record)
			if err != nil {
				return item, err
			}
			r.Repair, r.Held = r.Record.CopyDigest == w.differs[id] && !lost, w.held[id]
			item.Effects[i] = r
		}
	}
	if err == nil && (len(item.Effects) == 0 || objectID(item.Effects[0]) != id) {
		err = fmt.Errorf("item %s: another stands there: %w", id, essaim.ErrForbidden)
	}
	return item, err
}

// lost tells whether what is held here of an item, by its bytes, which a key of its node
// proves, is a later version than the one that the node shows: the node lost it to an
// older backup, and may get it back from here as long as it stays.
func (w *walk) lost(ctx context.Context, id string, shown *essaim.Record) (bool, error) {
	bytes, err := w.Store.Document(ctx, id)
	if errors.Is(err, essaim.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	known, err := w.Ingester.Actors.trust.of(ctx, w.peer.Host)
	if err != nil {
		return false, err
	}
	var keys []ed25519.PublicKey
	for _, k := range known.Keys {
		keys = append(keys, keysOf(k.Key)...)
	}
	held, err := vocab.Parse(bytes)
	if err != nil || held.ID != id {
		return false, nil //nolint:nilerr // what cannot be read is no version
	}
	if _, err := proof.VerifyOwned(bytes, keys...); err != nil {
		return false, nil //nolint:nilerr // it was damaged
	}
	return held.Version().Compare(shown.Version()) > 0, nil
}

// objectID is what an effect of an item is about.
func objectID(e essaim.Effect) string {
	switch e := e.(type) {
	case essaim.Replicate:
		return e.Record.ID
	case essaim.Erase:
		return e.ID
	case essaim.SaveActor:
		return e.Actor.ID
	}
	return ""
}
