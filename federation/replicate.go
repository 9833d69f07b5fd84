// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"essaim"
	"essaim/federation/fetch"
	"essaim/federation/vocab"
	"essaim/federation/wire"
)

// Bounds of reading the commons of other nodes, for each of them. Where one is
// reached the reading stops and goes on after the others had theirs.
const (
	readTogether = 2 // nodes at a time
	readTime     = 2 * time.Minute
	readPages    = 1000
	readBytes    = 256 << 20
	readOn       = time.Second // after a bound was reached

	readEvery  = time.Hour
	readJitter = 10 * time.Minute
	readFailed = 10 * time.Minute // after no answer
	readAbsent = 24 * time.Hour   // after one that says that there is none
)

// ReplicaStore keeps what is read of the commons of other nodes.
type ReplicaStore interface {
	// DueCommons claims up to n nodes whose commons are to be read now.
	DueCommons(ctx context.Context, n int) ([]string, error)
	// WakeCommons makes those of all nodes due by a time.
	WakeCommons(ctx context.Context, by time.Time) error
	// CommonsProgress is how far a node's are read; essaim.ErrNotFound at first.
	CommonsProgress(ctx context.Context, host string) (essaim.CommonsProgress, error)
	SaveCommonsProgress(ctx context.Context, p essaim.CommonsProgress) error
	// ApplyCommons writes what the items of a page come to, with the progress, in
	// one transaction, and tells why some came to nothing.
	ApplyCommons(ctx context.Context, items []essaim.CommonsTaken, p essaim.CommonsProgress) (why map[int]string, err error)
	CopyStore
	Heads(ctx context.Context, host string, n int) ([]essaim.CommonsHead, error)
	SaveHead(ctx context.Context, host string, h essaim.CommonsHead) error
	// PeerBehind notes that a node shows an older state than it signed before, or
	// does so no more.
	PeerBehind(ctx context.Context, host string, behind bool) error
	Peer(ctx context.Context, host string) (essaim.Peer, error)
	Peers(ctx context.Context) ([]essaim.Peer, error)
	Notify() <-chan struct{}
}

// Changer fetches a document unless it did not change; *fetch.Client is the one.
type Changer interface {
	Changed(ctx context.Context, address, tag string) (fetch.Answer, error)
}

// Replicator reads the commons of the nodes that are followed: whole when a
// follow is accepted, then on from where it was, at start and about every hour.
// What it reads is taken by the rules of what is pushed, and announced to nobody.
type Replicator struct {
	Store  ReplicaStore
	Client Changer
	// Poster shows a node the head that it forgot; nobody does when nil.
	Poster   Poster
	Ingester *Ingester
	Now      func() time.Time
	Logger   *slog.Logger
}

// Run reads what is due until ctx ends. At its start all is, within a moment: what
// was pushed meanwhile was not taken.
func (r *Replicator) Run(ctx context.Context) error {
	if err := r.Store.WakeCommons(ctx, r.Now()); err != nil && ctx.Err() == nil {
		r.Logger.Warn("commons of others not due", "error", err)
	}
	bell := r.Store.Notify()
	tick := time.NewTicker(10 * time.Second)
	defer tick.Stop()
	for {
		looked := r.Now()
		r.readDue(ctx)
		r.compareDue(ctx)
		// The bell rings at each commit, an accepted follow's among them.
		for rung := false; !rung; {
			select {
			case <-ctx.Done():
				return nil
			case <-bell:
				rung = r.Now().Sub(looked) >= time.Second
			case <-tick.C:
				rung = true
			}
		}
	}
}

// readDue reads on where it is time to.
func (r *Replicator) readDue(ctx context.Context) {
	for ctx.Err() == nil {
		hosts, err := r.Store.DueCommons(ctx, readTogether)
		if err != nil && ctx.Err() == nil {
			r.Logger.Warn("commons of others not read", "error", err)
		}
		if len(hosts) == 0 {
			return
		}
		eachOf(ctx, r.Logger, readTogether, hosts, func(host string) { r.read(ctx, host) })
	}
}

// read does one reading and plans the next.
func (r *Replicator) read(ctx context.Context, host string) {
	p, err := r.CatchUp(ctx, host)
	if ctx.Err() != nil {
		return // it goes on at the next start
	}
	now := r.Now()
	switch {
	case err == nil && p.DoneAt.IsZero():
		p.Reason, p.NextAt = "", now.Add(readOn)
	case err == nil:
		p.Reason, p.NextAt = "", now.Add(readEvery+jitter(host, now, readJitter))
	default:
		wait := readFailed
		if errors.Is(err, essaim.ErrNotFound) || errors.Is(err, essaim.ErrGone) {
			wait = readAbsent
		}
		p.Reason, p.NextAt = cut(err.Error(), 300), now.Add(wait+jitter(host, now, wait/4))
		r.Logger.LogAttrs(ctx, slog.LevelInfo, "commons not read", slog.String("host", host), slog.String("reason", p.Reason))
	}
	if err := r.Store.SaveCommonsProgress(ctx, p); err != nil && ctx.Err() == nil {
		r.Logger.Warn("reading of commons not noted", "host", host, "error", err)
	}
}

// jitter keeps nodes that began together from asking together.
func jitter(host string, now time.Time, most time.Duration) time.Duration {
	h := fnv.New64a()
	fmt.Fprint(h, host, now.Unix())
	return time.Duration(h.Sum64()%uint64(2*most+1)) - most
}

// CatchUp reads on in the commons of a node from where the last reading came to.
// It costs one request when nothing changed. DoneAt is zero in what it returns
// when a bound kept it from the end.
func (r *Replicator) CatchUp(ctx context.Context, host string) (essaim.CommonsProgress, error) {
	p, err := r.Store.CommonsProgress(ctx, host)
	if err != nil && !errors.Is(err, essaim.ErrNotFound) {
		return p, err
	}
	peer, err := r.Store.Peer(ctx, host)
	if err != nil {
		return p, err
	}
	if peer.State != essaim.PeerFollowed {
		return p, fmt.Errorf("%s is not followed: %w", host, essaim.ErrForbidden)
	}
	c, err := r.crawl(peer, p)
	if err != nil {
		return p, err
	}
	bounded, stop := context.WithTimeout(ctx, readTime)
	defer stop()
	if !peer.ContestedAt.IsZero() {
		// Nothing is read unless its key is its own again.
		if err := r.Ingester.Actors.Continues(bounded, host); err != nil {
			return p, err
		}
	}
	err = c.run(bounded)
	if err != nil && c.taken > 0 && bounded.Err() != nil && ctx.Err() == nil {
		err = nil // the bound ended it, not the node
	}
	return c.progress, err
}

// crawl is one reading.
type crawl struct {
	*Replicator
	peer     essaim.Peer
	origin   essaim.IRI // the node's actor
	base     string
	reader   *reader
	progress essaim.CommonsProgress
	last     essaim.CommonsNumber // of the signed head
	taken    int                  // pages
}

func (r *Replicator) crawl(peer essaim.Peer, p essaim.CommonsProgress) (*crawl, error) {
	origin, err := essaim.ParseIRI(peer.Actor)
	if err != nil {
		return nil, fmt.Errorf("node %s: %w", peer.Host, err)
	}
	reader, err := newReader(r.Ingester)
	if err != nil {
		return nil, err
	}
	scheme, _, _ := strings.Cut(origin.String(), "://")
	return &crawl{Replicator: r, peer: peer, origin: origin, base: scheme + "://" + origin.Host(), reader: reader, progress: p}, nil
}

func (c *crawl) run(ctx context.Context) error {
	p := &c.progress
	for pages, size := 0, 0; pages < readPages && size < readBytes; pages++ {
		answer, err := c.Client.Changed(ctx, vocab.CommonsAfter(c.base, p.Cursor), p.Tag)
		if err != nil {
			return err
		}
		if answer.Unchanged {
			c.end()
			return nil
		}
		if pages == 0 {
			// Nothing is taken from a node that forgot what it signed.
			h, err := c.head(ctx)
			if err != nil {
				return err
			}
			if p.StartedAt.IsZero() {
				p.Total = h.Count // the first time: how much there is to come
			}
		}
		if p.StartedAt.IsZero() || !p.DoneAt.IsZero() {
			*p = essaim.CommonsProgress{Host: p.Host, Cursor: p.Cursor, Tag: p.Tag, Total: p.Total, StartedAt: c.Now()}
		}
		size += len(answer.Body)
		n, err := c.page(ctx, answer)
		if err != nil {
			return err
		}
		if n == 0 {
			c.end()
			return nil
		}
	}
	return nil
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
	if len(held) > 0 && older(h, held[0]) {
		if h.Number != held[0].Number || h.Root != held[0].Root {
			c.answer(ctx, held[0])
		}
		return h, fmt.Errorf("%s shows head %s of %s, older than %s of %s that is held: %w", c.peer.Host,
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
		_, err = c.Poster.Post(ctx, vocab.Commons(c.base), held.Document, unsigned)
	}
	if err != nil && ctx.Err() == nil {
		c.Logger.LogAttrs(ctx, slog.LevelInfo, "node not told of the head that it forgot", slog.String("host", c.peer.Host), slog.String("reason", err.Error()))
	}
}

// unsigned is for what proves itself.
func unsigned(*http.Request, []byte) error { return nil }

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

// page takes the items of a page and moves the cursor behind them; it returns how
// many there were.
func (c *crawl) page(ctx context.Context, answer fetch.Answer) (int, error) {
	p := &c.progress
	cursor, list, err := readPage(answer.Body, p.Cursor)
	if err != nil {
		return 0, fmt.Errorf("page of %s: %w", c.peer.Host, err)
	}
	at := c.Now()
	if cursor.Compare(c.last) > 0 {
		// It may have changed since its head was read. No page is signed: what a
		// cursor skips would never be asked for.
		if _, err := c.head(ctx); err != nil {
			return 0, err
		}
		if cursor.Compare(c.last) > 0 {
			return 0, fmt.Errorf("page of %s: cursor %s is above its signed head %s: %w", c.peer.Host, cursor, c.last, essaim.ErrForbidden)
		}
	}
	var items []essaim.CommonsTaken
	for _, v := range list {
		item, err := c.item(ctx, v.Raw(), at)
		if errors.Is(err, essaim.ErrUnavailable) || errors.Is(err, essaim.ErrConflict) || ctx.Err() != nil {
			return 0, err // nothing of the page is lost
		}
		item.ID = cut(v.Get("id").TextOr(), 200)
		if err != nil {
			item.Refused = cut(err.Error(), 300)
			c.Logger.LogAttrs(ctx, slog.LevelInfo, "item not taken", slog.String("host", c.peer.Host),
				slog.String("item", item.ID), slog.String("reason", item.Refused))
		}
		items = append(items, item)
	}
	p.Tag = answer.Tag
	if cursor != p.Cursor {
		p.Tag = "" // that of this page; the next has its own
	}
	p.Cursor, p.CheckedAt, p.Reason, p.NextAt = cursor, at, "", at
	p.Items, p.Pages, p.Bytes = p.Items+len(items), p.Pages+1, p.Bytes+int64(len(answer.Body))
	why, err := c.Store.ApplyCommons(ctx, items, *p)
	if err != nil {
		return 0, err
	}
	c.taken++
	for _, item := range items {
		c.forgetActors(item.Effects)
	}
	if len(why) > 0 {
		c.Logger.LogAttrs(ctx, slog.LevelDebug, "items held already, or refused", slog.String("host", c.peer.Host), slog.Int("items", len(why)))
	}
	return len(items), nil
}

// forgetActors forgets what was remembered of those that were written.
func (c *crawl) forgetActors(effects []essaim.Effect) {
	for _, e := range effects {
		if s, ok := e.(essaim.SaveActor); ok {
			c.Ingester.Actors.Forget(s.Actor.ID)
		}
	}
}

// item says what one comes to. A panic over it leaves the others alone.
func (c *crawl) item(ctx context.Context, raw []byte, at time.Time) (taken essaim.CommonsTaken, err error) {
	defer func() {
		if v := recover(); v != nil {
			taken, err = essaim.CommonsTaken{}, fmt.Errorf("panic: %v: %w", v, essaim.ErrInvalid)
		}
	}()
	effects, err := c.reader.standing(fetch.Bounded(ctx, maxRequests), raw, c.peer.Host, at)
	if err != nil {
		return taken, err
	}
	return essaim.CommonsTaken{Actor: c.reader.in.Actor, Effects: effects}, nil
}
