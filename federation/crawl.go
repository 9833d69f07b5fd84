// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"essaim"
	"essaim/federation/fetch"
	"essaim/federation/vocab"
	"essaim/federation/wire"
)

// crawl is one reading.
type crawl struct {
	*Replicator
	peer     essaim.Peer
	origin   essaim.IRI // the node's actor
	base     string
	progress essaim.CommonsProgress
	last     essaim.CommonsNumber // of the signed head
	taken    int                  // pages
	former   bool                 // it is followed no more: only what it deleted is taken
}

func (r *Replicator) crawl(peer essaim.Peer, p essaim.CommonsProgress) (*crawl, error) {
	origin, err := essaim.ParseIRI(peer.Actor)
	if err != nil {
		return nil, fmt.Errorf("node %s: %w", peer.Host, err)
	}
	return &crawl{Replicator: r, peer: peer, origin: origin, base: origin.Origin(), progress: p}, nil
}

// back takes a node that was said to be gone for itself again once it shows a head
// that its key signed since: whoever kept its documents cannot.
func (c *crawl) back(ctx context.Context, gone time.Time) error {
	h, err := c.head(ctx)
	if err != nil {
		return err
	}
	if !h.At.After(gone) {
		return fmt.Errorf("%s was said to be gone, and signed nothing since: %w", c.peer.Host, essaim.ErrUnavailable)
	}
	return c.Ingester.Actors.trust.changed(c.peer.Host, c.Store.PeerGone(ctx, c.peer.Host, time.Time{}))
}

// run reads pages and takes them. While one is written the proofs of the next are
// checked, and the one behind it is fetched.
func (c *crawl) run(ctx context.Context) error {
	reads, stop := context.WithCancel(ctx)
	fetched, pages := make(chan crawled), make(chan crawled)
	var reading sync.WaitGroup
	reading.Go(func() {
		defer close(fetched)
		c.ahead(reads, c.progress, fetched)
	})
	reading.Go(func() {
		defer close(pages)
		for page := range fetched {
			c.check(reads, &page)
			if !page.sent(reads, pages) {
				return
			}
		}
	})
	defer reading.Wait()
	defer stop()
	for page := range pages {
		if page.err != nil {
			return page.err
		}
		if page.items != nil {
			if err := c.take(ctx, page); err != nil {
				return err
			}
		}
		if len(page.items) == 0 {
			c.end()
			return nil
		}
	}
	return ctx.Err() // without a page, when it ended meanwhile
}

// crawled is a page that was read, and what the progress is once it is written.
type crawled struct {
	changed  bool
	list     []wire.Value
	items    []essaim.CommonsTaken // what each comes to, nil until it was checked
	progress essaim.CommonsProgress
	err      error
}

// sent passes a page on, unless the reading ends first.
func (p crawled) sent(ctx context.Context, pages chan<- crawled) bool {
	select {
	case pages <- p:
		return true
	case <-ctx.Done():
		return false
	}
}

// ahead fetches pages, each behind the one before, and gives them in their order
// until the last, an error, or a bound.
func (c *crawl) ahead(ctx context.Context, p essaim.CommonsProgress, pages chan<- crawled) {
	for n, size := 0, 0; n < readPages && size < readBytes; n++ {
		page, read := c.next(ctx, &p, n == 0)
		size += read
		if !page.sent(ctx, pages) || page.err != nil || len(page.list) == 0 {
			return
		}
	}
}

// check says what the items of a page come to. A panic over them is an error of
// this node's reading.
func (c *crawl) check(ctx context.Context, page *crawled) {
	if page.err != nil || !page.changed {
		return
	}
	defer caught(&page.err)
	page.items, page.err = c.items(ctx, page.list, page.progress.CheckedAt)
}

// next fetches and reads the page behind p, and moves p behind it. A panic over it
// is an error of this node's reading.
func (c *crawl) next(ctx context.Context, p *essaim.CommonsProgress, first bool) (page crawled, size int) {
	defer caught(&page.err)
	answer, err := c.Client.Changed(ctx, vocab.CommonsAfter(c.base, p.Cursor), p.Tag)
	if err != nil || answer.Unchanged {
		return crawled{err: err}, 0
	}
	if first {
		// Nothing is taken from a node that forgot what it signed.
		h, err := c.head(ctx)
		if err != nil {
			return crawled{err: err}, 0
		}
		if p.StartedAt.IsZero() {
			p.Total = h.Count // the first time: how much there is to come
		}
	}
	if p.StartedAt.IsZero() || !p.DoneAt.IsZero() {
		*p = essaim.CommonsProgress{Host: p.Host, Cursor: p.Cursor, Tag: p.Tag, Total: p.Total, StartedAt: c.Now()}
	}
	page.changed = true
	page.list, page.err = c.page(ctx, answer, p)
	page.progress = *p
	return page, len(answer.Body)
}

// end notes that everything was taken.
func (c *crawl) end() {
	p := &c.progress
	p.CheckedAt = c.Now()
	if p.DoneAt.IsZero() {
		p.DoneAt = p.CheckedAt
	}
}

// head fetches the signed head and keeps it; one older than a head that is held
// is refused, for its node forgot what it said (replication.md, rollback guard).
func (c *crawl) head(ctx context.Context) (essaim.CommonsHead, error) {
	answer, err := c.Client.Changed(ctx, vocab.Commons(c.base), "")
	if err != nil {
		return essaim.CommonsHead{}, err
	}
	doc, err := wire.Parse(answer.Body, wire.Limits{})
	if err != nil {
		return essaim.CommonsHead{}, err
	}
	h, err := readHead(doc.Root(), c.origin, c.Now())
	if err != nil {
		return h, err
	}
	if err := c.Ingester.Actors.Proven(ctx, c.origin, answer.Body, c.Now()); err != nil {
		return h, fmt.Errorf("head of %s: %w", c.peer.Host, err)
	}
	held, err := c.Store.Heads(ctx, c.peer.Host, 1)
	if err != nil {
		return h, err
	}
	if len(held) > 0 && forgot(h, held[0]) {
		if h.Number != held[0].Number || h.Root != held[0].Root {
			c.answer(ctx, held[0])
		}
		return h, fmt.Errorf("%s shows head %s of %s, which does not follow %s of %s that is held: %w", c.peer.Host,
			h.Number, h.At.Format(time.RFC3339), held[0].Number, held[0].At.Format(time.RFC3339), essaim.ErrConflict)
	}
	c.last = h.Number
	if err := c.Ingester.Actors.caughtUp(ctx, c.peer.Host, c.Store); err != nil {
		return h, err
	}
	return h, c.Store.SaveHead(ctx, c.peer.Host, h)
}

// answer shows a node that forgot what it signed the head that is held of it, by
// which it gets back what it lost (docs/PROFILE.md). Nothing of it counts until it
// shows one that is not older.
func (c *crawl) answer(ctx context.Context, held essaim.CommonsHead) {
	err := c.Ingester.Actors.trust.changed(c.peer.Host, c.Store.PeerBehind(ctx, c.peer.Host, true))
	if err == nil && c.Poster != nil {
		_, err = c.Poster.Post(askedToForget(ctx, ""), vocab.Commons(c.base)+"?by="+url.QueryEscape(c.Ingester.origin.Host()), held.Document, unsigned)
	}
	if err != nil && ctx.Err() == nil {
		c.Logger.LogAttrs(ctx, slog.LevelInfo, "node not told of the head that it forgot", slog.String("host", c.peer.Host), slog.String("reason", err.Error()))
	}
}

// unsigned is for what proves itself.
func unsigned(*http.Request, []byte) error { return nil }

// forgot tells whether a node that shows a head forgot another, which is held: it goes
// back behind it, or says something else of the same number, as one does that was put
// back by a change and made another since.
func forgot(h, held essaim.CommonsHead) bool {
	return older(h, held) || h.Number == held.Number && h.Root != held.Root
}

// older tells whether a head goes back behind another.
func older(h, held essaim.CommonsHead) bool {
	c := h.Number.Compare(held.Number)
	return c < 0 || c == 0 && h.At.Before(held.At)
}

// readPage reads a page of what changed after a number: up to where it goes, and
// its items. One that has some goes further.
func readPage(body []byte, after essaim.CommonsNumber) (cursor essaim.CommonsNumber, items []wire.Value, err error) {
	doc, err := wire.Parse(body, wire.Collection)
	if err != nil {
		return cursor, nil, err
	}
	if cursor, err = essaim.ParseCommonsNumber(doc.Get("essaim:cursor").TextOr()); err != nil {
		return cursor, nil, err
	}
	items = slices.Collect(doc.Get("orderedItems").Elements()) // a lone one may stand without its list
	if cursor.Compare(after) < 0 || len(items) > 0 && cursor == after || len(items) > 2*commonsPage {
		return cursor, nil, fmt.Errorf("%d items from %s to %s: %w", len(items), after, cursor, essaim.ErrInvalid)
	}
	return cursor, items, nil
}

// page reads what a page lists and moves p behind it.
func (c *crawl) page(ctx context.Context, answer fetch.Answer, p *essaim.CommonsProgress) ([]wire.Value, error) {
	cursor, list, err := readPage(answer.Body, p.Cursor)
	if err != nil {
		return nil, fmt.Errorf("page of %s: %w", c.peer.Host, err)
	}
	at := c.Now()
	if cursor.Compare(c.last) > 0 {
		// It may have changed since its head was read. No page is signed: what a
		// cursor skips would never be asked for.
		if _, err := c.head(ctx); err != nil {
			return nil, err
		}
		if cursor.Compare(c.last) > 0 {
			return nil, fmt.Errorf("page of %s: cursor %s is above its signed head %s: %w", c.peer.Host, cursor, c.last, essaim.ErrForbidden)
		}
	}
	p.Tag = answer.Tag
	if cursor != p.Cursor {
		p.Tag = "" // that of this page; the next has its own
	}
	p.Cursor, p.CheckedAt, p.Reason, p.NextAt = cursor, at, "", at
	p.Items, p.Pages, p.Bytes = p.Items+len(list), p.Pages+1, p.Bytes+int64(len(answer.Body))
	return list, nil
}

// items says what each comes to, on all processors: a proof costs more than
// anything else about it.
func (c *crawl) items(ctx context.Context, list []wire.Value, at time.Time) ([]essaim.CommonsTaken, error) {
	items := make([]essaim.CommonsTaken, len(list))
	errs := make([]error, len(list))
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(list)) {
		workers.Go(func() {
			reader, err := newReader(c.Ingester)
			for i := next.Add(1) - 1; i < int64(len(list)); i = next.Add(1) - 1 {
				switch {
				case err != nil:
					errs[i] = err
				case c.former:
					items[i], errs[i] = c.erasure(ctx, reader, list[i], at)
				default:
					items[i], errs[i] = c.readBy(ctx, reader, list[i], at)
				}
			}
		})
	}
	workers.Wait()
	for i, err := range errs {
		if errors.Is(err, essaim.ErrUnavailable) || errors.Is(err, essaim.ErrConflict) || ctx.Err() != nil {
			return nil, cmp.Or(err, ctx.Err()) // nothing of the page is lost
		}
		items[i].ID = cut(list[i].Get("id").TextOr(), 200)
		if err != nil {
			items[i].Refused = cut(err.Error(), 300)
			c.Logger.LogAttrs(ctx, slog.LevelInfo, "item not taken", slog.String("host", c.peer.Host),
				slog.String("item", items[i].ID), slog.String("reason", items[i].Refused))
		}
	}
	return items, nil
}

// take writes a page and moves the cursor behind it.
func (c *crawl) take(ctx context.Context, page crawled) error {
	why, err := c.Store.ApplyCommons(ctx, page.items, page.progress)
	if err != nil {
		return err
	}
	c.progress = page.progress
	c.taken++
	for _, item := range page.items {
		c.forgetActors(item.Effects)
	}
	if len(why) > 0 {
		c.Logger.LogAttrs(ctx, slog.LevelDebug, "items held already, or refused", slog.String("host", c.peer.Host), slog.Int("items", len(why)))
	}
	return nil
}

// forgetActors forgets what was remembered of those that were written.
func (c *crawl) forgetActors(effects []essaim.Effect) {
	for _, e := range effects {
		if s, ok := e.(essaim.SaveActor); ok {
			c.Ingester.Actors.Forget(s.Actor.ID)
		}
	}
}

// item says what one comes to.
func (c *crawl) item(ctx context.Context, raw []byte, at time.Time) (taken essaim.CommonsTaken, err error) {
	defer caught(&err)
	reader, err := newReader(c.Ingester)
	if err != nil {
		return taken, err
	}
	doc, err := wire.Parse(raw, wire.Limits{})
	if err != nil {
		return taken, err
	}
	return c.readBy(ctx, reader, doc.Root(), at)
}

// readBy is item by a reader that has others too. A panic over one leaves the others
// alone.
func (c *crawl) readBy(ctx context.Context, reader *reader, item wire.Value, at time.Time) (taken essaim.CommonsTaken, err error) {
	defer caught(&err)
	effects, err := reader.standing(fetch.Bounded(ctx, maxRequests), item, c.peer.Host, at)
	if err != nil {
		return taken, err
	}
	return essaim.CommonsTaken{Actor: reader.in.Actor, Effects: effects}, nil
}
