// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"sync"
	"time"

	"essaim"
	"essaim/federation/fetch"
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
	// DueErasures claims up to n nodes that are followed no more, and of which copies
	// are held, whose deletions are to be read now.
	DueErasures(ctx context.Context, n int) ([]string, error)
	// CommonsProgress is how far a node's are read; essaim.ErrNotFound at first.
	CommonsProgress(ctx context.Context, host string) (essaim.CommonsProgress, error)
	SaveCommonsProgress(ctx context.Context, p essaim.CommonsProgress) error
	// ApplyCommons writes what the items of a page come to, with the progress, in
	// one transaction, and tells why some came to nothing.
	ApplyCommons(ctx context.Context, items []essaim.CommonsTaken, p essaim.CommonsProgress) (why map[int]string, err error)
	// TakeCopies is ApplyCommons for items of a host that are no page of its commons.
	TakeCopies(ctx context.Context, host string, items []essaim.CommonsTaken) (why map[int]string, err error)
	CopyStore
	CheckStore
	LineageStore
	AboutStore
	Heads(ctx context.Context, host string, n int) ([]essaim.CommonsHead, error)
	SaveHead(ctx context.Context, host string, h essaim.CommonsHead) error
	// PeerBehind notes that a node shows an older state than it signed before, or
	// does so no more.
	PeerBehind(ctx context.Context, host string, behind bool) error
	Peer(ctx context.Context, host string) (essaim.Peer, error)
	Peers(ctx context.Context) ([]essaim.Peer, error)
	// PeerGone notes that a node is gone, or no more when at is zero.
	PeerGone(ctx context.Context, host string, at time.Time) error
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
	// Pages bounds one reading of what a node holds of another, as CopiesOf.Pages.
	Pages  int
	Now    func() time.Time
	Logger *slog.Logger

	comparing, reading turns
}

// turns lets one at a time do something about a host.
type turns struct {
	mu    sync.Mutex
	taken map[string]chan struct{} // closed at the end of it
}

// begin waits for the turn of a host; end gives it on.
func (t *turns) begin(ctx context.Context, host string) (end func(), err error) {
	for {
		t.mu.Lock()
		before, busy := t.taken[host]
		if !busy {
			ended := make(chan struct{})
			if t.taken == nil {
				t.taken = map[string]chan struct{}{}
			}
			t.taken[host] = ended
			t.mu.Unlock()
			return func() {
				t.mu.Lock()
				delete(t.taken, host)
				t.mu.Unlock()
				close(ended)
			}, nil
		}
		t.mu.Unlock()
		select {
		case <-before:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
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
	var others sync.WaitGroup
	defer others.Wait()
	others.Go(func() { r.compareAll(ctx) })
	for {
		looked := r.Now()
		r.readDue(ctx, readTogether)
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

// compareAll compares and checks what is due until ctx ends; of a large node it takes
// long, while others are read.
func (r *Replicator) compareAll(ctx context.Context) {
	tick := time.NewTicker(10 * time.Second)
	defer tick.Stop()
	for {
		r.erasuresDue(ctx)
		r.compareDue(ctx)
		r.checkDue(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// readDue reads on where it is time to, so many nodes at a time.
func (r *Replicator) readDue(ctx context.Context, together int) {
	for ctx.Err() == nil {
		hosts, err := r.Store.DueCommons(ctx, together)
		if err != nil && ctx.Err() == nil {
			r.Logger.Warn("commons of others not read", "error", err)
		}
		if len(hosts) == 0 {
			return
		}
		eachOf(ctx, r.Logger, together, hosts, func(host string) { r.read(ctx, host) })
	}
}

// read does one reading and plans the next. Of a comparison that reads meanwhile it
// waits for the end.
func (r *Replicator) read(ctx context.Context, host string) {
	end, err := r.reading.begin(ctx, host)
	if err != nil {
		return
	}
	defer end()
	p, err := r.CatchUp(ctx, host)
	if ctx.Err() != nil {
		return // it goes on at the next start
	}
	now := r.Now()
	switch {
	case err == nil && p.DoneAt.IsZero():
		p.Reason, p.NextAt = "", now // after those that wait longer
	case err == nil:
		p.Reason, p.NextAt = "", now.Add(readEvery+jitter(host, now, readJitter))
	default:
		wait := readFailed
		if silent(p, now) || errors.Is(err, essaim.ErrNotFound) || errors.Is(err, essaim.ErrGone) {
			wait = readAbsent
		}
		p.Reason, p.NextAt = cut(err.Error(), 300), now.Add(wait+jitter(host, now, wait/4))
		r.Logger.LogAttrs(ctx, slog.LevelInfo, "commons not read", slog.String("host", host), slog.String("reason", p.Reason))
	}
	if err := r.Store.SaveCommonsProgress(ctx, p); err != nil && ctx.Err() == nil {
		r.Logger.Warn("reading of commons not noted", "host", host, "error", err)
	}
}

// silent tells whether a node that was read has not answered for so long that it is
// tried once a day.
func silent(p essaim.CommonsProgress, now time.Time) bool {
	return now.Sub(p.CheckedAt) > essaim.PeerSilence && !p.CheckedAt.IsZero()
}

// readFirst does one reading before a comparison, and plans the next where it succeeds.
func (r *Replicator) readFirst(ctx context.Context, host string) (p essaim.CommonsProgress, err error) {
	end, err := r.reading.begin(ctx, host)
	if err != nil {
		return p, err
	}
	defer end()
	p, err = r.CatchUp(ctx, host)
	if err != nil || p.DoneAt.IsZero() {
		return p, err
	}
	p.Reason, p.NextAt = "", r.Now().Add(readEvery+jitter(host, r.Now(), readJitter))
	return p, r.Store.SaveCommonsProgress(ctx, p)
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
	if held, err := r.Store.Heads(ctx, host, 1); err != nil {
		return p, err
	} else if len(held) > 0 && p.Cursor.Compare(held[0].Number) > 0 {
		// Noted when pages were believed: what it skips would never be asked for.
		p = essaim.CommonsProgress{Host: host, NextAt: p.NextAt}
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
	if !peer.GoneAt.IsZero() {
		if err := c.back(bounded, peer.GoneAt); err != nil {
			return p, err
		}
	}
	err = c.run(bounded)
	if err != nil && c.taken > 0 && bounded.Err() != nil && ctx.Err() == nil {
		err = nil // the bound ended it, not the node
	}
	return c.progress, err
}
