// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"

	"essaim"
	"essaim/federation/vocab"
	"essaim/federation/wire"
)

// othersAsked bounds how many nodes are asked for the copies of one.
const othersAsked = 8

// compareOthers compares what is held of a node that cannot be read, which why
// says, with what the other nodes hold of it, and takes of them what proves itself
// and says more; again is how many rows were mended from here. why is returned when
// no node could be asked.
func (r *Replicator) compareOthers(ctx context.Context, peer essaim.Peer, again int, why error) (done essaim.CommonsComparison, err error) {
	done.Differences, done.Mended = again, again
	known, err := r.Ingester.Actors.trust.of(ctx, peer.Host)
	if err != nil || peer.State != essaim.PeerFollowed || len(known.Keys) == 0 || ctx.Err() != nil {
		return done, why
	}
	peers, err := r.Store.Peers(ctx)
	if err != nil {
		return done, err
	}
	for _, other := range inTurn(peers, r.Now()) {
		if len(done.Others) == othersAsked || ctx.Err() != nil {
			break
		}
		if other.Host == peer.Host || other.State != essaim.PeerFollowed || !other.ContestedAt.IsZero() {
			continue
		}
		found, mended, err := r.compareOther(ctx, peer, other)
		done.Differences, done.Mended = done.Differences+found, done.Mended+mended // before an error, too
		if err != nil {
			r.Logger.LogAttrs(ctx, slog.LevelInfo, "copies not compared", slog.String("of", peer.Host), slog.String("at", other.Host), slog.String("reason", cut(err.Error(), 300)))
			continue
		}
		done.Others = append(done.Others, other.Host)
	}
	if len(done.Others) == 0 {
		return done, why
	}
	if done.Kept, err = r.stillKept(ctx, peer.Host); err != nil {
		return done, err
	}
	done.ComparedAt = r.Now()
	done.NextCompared = done.ComparedAt.Add(compareEvery + jitter(peer.Host, done.ComparedAt, compareJitter))
	return done, r.Store.SaveComparison(ctx, peer.Host, done)
}

// stillKept are the ids that the node itself last did not list, and that are held: who
// else holds them says nothing of that.
func (r *Replicator) stillKept(ctx context.Context, host string) ([]string, error) {
	p, err := r.Store.CommonsProgress(ctx, host)
	if ignoreMissing(err) != nil {
		return nil, err
	}
	held, err := r.Store.HeldCopies(ctx, p.Kept)
	return slices.DeleteFunc(p.Kept, func(id string) bool { return held[id].CopyDigest == "" || held[id].Gone }), err
}

// compareOther walks the digest tree of what another node holds of a peer, where
// it differs from what is held here, and asks for what differs. A panic over it
// leaves the nodes that are asked besides alone.
func (r *Replicator) compareOther(ctx context.Context, peer, other essaim.Peer) (found, mended int, err error) {
	defer caught(&err)
	at, err := essaim.ParseIRI(other.Actor)
	if err != nil {
		return 0, 0, fmt.Errorf("node %s: %w", other.Host, err)
	}
	p, err := r.Store.CommonsProgress(ctx, peer.Host)
	if ignoreMissing(err) != nil {
		return 0, 0, err
	}
	c, err := r.crawl(peer, p)
	if err != nil {
		return 0, 0, err
	}
	t := &thirdWalk{walk: walk{crawl: c, third: true, holds: walkHolds, differs: map[string]string{}, held: map[string]string{}}}
	t.full = func(context.Context) error { return errFar } // all is to be read anyway
	ask := func(ctx context.Context, prefix string) (*answered, error) {
		return askDigests(ctx, r.Client, vocab.CopyDigests(at.Origin(), peer.Host, prefix), "essaim:of", peer.Host)
	}
	if t.here, err = r.Store.CopyTree(ctx, peer.Host); err != nil {
		return 0, 0, err
	}
	t.most = 2*(t.here[""].Count+walkHolds) + essaim.CommonsLeaf // it holds what is held here, or differs
	root, err := ask(ctx, "")
	if err != nil {
		return 0, 0, err
	}
	t.asks = func(ctx context.Context, prefix string) (*answered, error) {
		if prefix == "" {
			return root, nil
		}
		return ask(ctx, prefix)
	}
	err = t.node(ctx, "", root.hash())
	if t.far = errors.Is(err, errFar); err != nil && !t.far {
		return 0, 0, err
	}
	withdrawn, err := r.Store.WithdrawnHere(ctx, peer.Host)
	if err != nil {
		return 0, 0, err
	}
	maps.DeleteFunc(t.differs, func(id, _ string) bool { return withdrawn[id] })
	if len(t.differs) == 0 {
		return 0, 0, nil
	}
	keys, err := r.keysShownBy(ctx, at.Origin(), peer)
	if err != nil {
		return 0, 0, err
	}
	heads, err := r.Store.Heads(ctx, peer.Host, servedHeads)
	if err != nil {
		return 0, 0, err
	}
	t.copies = CopiesOf{Client: r.Client, Holder: at.Origin(), Origin: c.origin, Keys: keys, Heads: heads, Standing: t.standing, Pages: r.Pages, Now: r.Now}
	err = t.fetch(ctx)
	return max(len(t.differs), t.mended), t.mended, err
}

// keysShownBy are the keys of a peer, with those that followed since: its territory's
// actor, as the other node holds it, has the statements by which each key introduces
// the next. Whoever shows them need not be believed, and the keys that are pinned do
// where it shows none.
func (r *Replicator) keysShownBy(ctx context.Context, holder string, peer essaim.Peer) ([]essaim.PeerKey, error) {
	trust := r.Ingester.Actors.trust
	known, err := trust.of(ctx, peer.Host)
	territory, none := essaim.ParseIRI(peer.Territory)
	if err != nil || none != nil {
		return known.Keys, err
	}
	answer, err := r.Client.Changed(ctx, vocab.CopiesOf(holder, peer.Host, essaim.CommonsKey(peer.Territory), ""), "")
	switch {
	case err != nil && away(ctx, err):
		return nil, err
	case err != nil:
		return known.Keys, nil // it does not hold that actor
	}
	doc, err := wire.Parse(answer.Body, wire.Collection)
	if err != nil {
		return known.Keys, nil
	}
	for v := range doc.Get("orderedItems").Elements() {
		next := continued(known.Current(), territory, v.Raw())
		if n := len(next); v.Get("id").TextOr() != peer.Territory || n == 0 || !proves(v.Raw(), next[n-1].Key) {
			continue
		}
		// On a conflict another process was first, with what it was shown.
		if err := trust.changed(peer.Host, trust.store.PinPeerKeys(ctx, peer.Host, known.Current(), next...)); err != nil && !errors.Is(err, essaim.ErrConflict) {
			return nil, err
		}
		known, err = trust.of(ctx, peer.Host)
		return known.Keys, err
	}
	return known.Keys, nil
}

// thirdWalk is a comparison with what a third node holds.
type thirdWalk struct {
	walk
	far    bool // more differs than is held in memory
	copies CopiesOf
	stands map[string]essaim.HeldCopy // under the ids of the page being taken
	cursor string                     // behind that page, when others follow
}

func (t *thirdWalk) standing(ctx context.Context, ids []string) (held map[string]essaim.HeldCopy, err error) {
	t.stands, err = t.Store.HeldCopies(ctx, ids)
	return t.stands, err
}

// fetch asks for what differs, each by itself, or for everything when that costs
// less.
func (t *thirdWalk) fetch(ctx context.Context) error {
	if t.far || len(t.differs)*readAnew > max(t.here[""].Count, commonsPage) {
		return t.fetchAll(ctx)
	}
	for _, id := range slices.Sorted(maps.Keys(t.differs)) {
		one := t.copies
		one.Under = essaim.CommonsKey(id)
		if err := ReadCopies(ctx, one, t.take); err != nil {
			return err
		}
	}
	return nil
}

// fetchAll reads from the first difference on, as long as it brings something: one
// that reads from the beginning each time would never get behind its bounds. A reading
// that brings nothing goes on at the next difference: what is never taken may come
// before what is.
func (t *thirdWalk) fetchAll(ctx context.Context) error {
	keys := make([]string, 0, len(t.differs))
	for id := range t.differs {
		keys = append(keys, essaim.CommonsKey(id))
	}
	slices.Sort(keys)
	all := t.copies
	all.After = keyBefore(keys[0])
	for {
		before := t.mended
		if err := ReadCopies(ctx, all, t.take); err != nil {
			return err
		}
		if all.After = t.cursor; all.After == "" {
			return nil
		}
		if t.mended > before {
			continue
		}
		keys = slices.DeleteFunc(keys, func(key string) bool { return key <= t.cursor })
		if len(keys) == 0 {
			return nil
		}
		all.After = keyBefore(keys[0])
	}
}

// take applies a page, by the rules of what the origin would have sent.
func (t *thirdWalk) take(ctx context.Context, page essaim.CopiesPage) error {
	for _, refused := range page.Refused {
		t.Logger.LogAttrs(ctx, slog.LevelInfo, "copy not taken", slog.String("of", t.peer.Host), slog.String("at", t.copies.Holder),
			slog.String("item", refused.ID), slog.String("reason", refused.Reason))
	}
	if t.cursor = ""; page.More {
		t.cursor = page.Cursor
	}
	if err := t.keepHeads(ctx, page.Heads); err != nil || len(page.Copies) == 0 {
		return err
	}
	reader, err := newReader(t.Ingester)
	if err != nil {
		return err
	}
	items := make([]essaim.CommonsTaken, 0, len(page.Copies))
	for i := range page.Copies {
		c := &page.Copies[i]
		item := essaim.CommonsTaken{ID: c.ID, Actor: c.Actor}
		effects, err := reader.proven(c, t.peer.Host, t.Now())
		if err != nil {
			item.Refused = cut(err.Error(), 300)
		}
		for _, e := range effects {
			if rep, ok := e.(essaim.Replicate); ok {
				// The same version, where what is held was damaged; never one before it.
				here := t.stands[c.ID]
				rep.Repair, rep.Held = here.CopyDigest == "" && c.Version.Compare(here.Version) >= 0, t.held[c.ID]
				e = rep
			}
			item.Effects = append(item.Effects, e)
		}
		items = append(items, item)
	}
	why, err := t.Store.TakeCopies(ctx, t.peer.Host, items)
	if err != nil {
		return err
	}
	for i := range items {
		if len(items[i].Effects) > 0 && (why[i] == "" || why[i] == deletedBefore) {
			t.mended++
		}
		t.forgetActors(items[i].Effects)
	}
	return nil
}

// keepHeads keeps those that are newer than what is held: nobody shows an older
// one for the node later.
func (t *thirdWalk) keepHeads(ctx context.Context, heads []essaim.CommonsHead) error {
	held, err := t.Store.Heads(ctx, t.peer.Host, 1)
	if err != nil {
		return err
	}
	for _, h := range slices.Backward(heads) {
		if len(held) > 0 && !older(held[0], h) {
			continue
		}
		if err := t.Store.SaveHead(ctx, t.peer.Host, h); err != nil {
			return err
		}
	}
	return nil
}
