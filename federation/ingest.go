// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"essaim"
	"essaim/federation/fetch"
	"essaim/federation/vocab"
	"essaim/federation/wire"
)

// Bounds of the ingester.
const (
	ingestTogether = 128 // activities claimed at a time by one lane
	ingestLease    = time.Minute
	ingestLanes    = 2 // one prepares while another writes
	// What needs to ask other servers is prepared beside the others, each for a
	// moment only: a whole batch within half of its lease, however slow they are.
	prepareTogether = 16
	prepareTime     = 3500 * time.Millisecond
	applyTime       = 20 * time.Second
	// ingestBeside is how long a lane waits that got nothing while another is at
	// work, twice as long each time. What is due then is mostly of actors that are
	// being served, and to look through it at each commit costs more than it brings:
	// of one actor's backlog all is looked at, for nothing.
	ingestBeside     = 20 * time.Millisecond
	ingestBesideMost = 250 * time.Millisecond
	maxTries         = 5
	// maxClaims bounds what never comes to an end: a process that dies of it, a
	// database that goes away again and again.
	maxClaims = 10
	maxNamed  = 2 * maxClaims // until then what is given up is read for its object
	maxAhead  = time.Hour     // a document dated further ahead is held
	wakeEvery = 30 * time.Second
	// maxRequests bounds what one input makes this node fetch.
	maxRequests = 10
)

// IngestStore is what the Ingester needs of the database.
type IngestStore interface {
	ClaimInbound(ctx context.Context, n int, lease time.Duration) ([]essaim.Inbound, error)
	Apply(ctx context.Context, batch []essaim.Applied) []error
	WakeHost(ctx context.Context, host string) error
	Peer(ctx context.Context, host string) (essaim.Peer, error)
	Record(ctx context.Context, id string) (essaim.Record, error)
	OurFollow(ctx context.Context, actor string) (essaim.OurFollow, error)
	FollowsHere(ctx context.Context, actor string) (bool, error)
	// Recovering tells whether nothing is applied, for what is here is not whole.
	Recovering(ctx context.Context) (bool, error)
	Notify() <-chan struct{}
}

// IngesterConfig is what an Ingester needs; all is required but the policies.
type IngesterConfig struct {
	Store    IngestStore
	Actors   *Actors
	Renderer *vocab.Renderer
	// Local tells whether an id is that of an actor of this node.
	Local      func(ctx context.Context, id string) (bool, error)
	Base       string // the node's public address
	PeerPolicy PeerPolicy
	Comments   essaim.CommentPolicy // essaim.CommentsHeld when empty
	ActivityID func() string        // of a new activity of ours
	// PanicName, in development, is the name of an object that makes the reading
	// of its activity panic.
	PanicName string
	Now       func() time.Time
	Logger    *slog.Logger
}

// Ingester applies what the inbox made durable: each activity and all that it
// does in one transaction, once. What cannot be applied is tried five times and
// then kept, with the reason, for an administrator.
type Ingester struct {
	IngesterConfig
	origin essaim.IRI

	busy atomic.Int32 // lanes that hold activities

	mu    sync.Mutex
	woken map[string]time.Time
}

// NewIngester makes an Ingester.
func NewIngester(c IngesterConfig) (*Ingester, error) {
	origin, err := essaim.ParseIRI(c.Base)
	if err != nil {
		return nil, fmt.Errorf("ingester: %w", err)
	}
	g := &Ingester{IngesterConfig: c, origin: origin, woken: map[string]time.Time{}}
	if _, err := newReader(g); err != nil {
		return nil, fmt.Errorf("ingester: %w", err)
	}
	return g, nil
}

// Run applies what waits until ctx ends, then finishes what it is writing. The
// store never gives activities of one actor to two lanes at a time.
func (g *Ingester) Run(ctx context.Context) error {
	var lanes sync.WaitGroup
	errs := make([]error, ingestLanes)
	for i := range ingestLanes {
		lanes.Go(func() { errs[i] = g.lane(ctx) })
	}
	lanes.Wait()
	return errors.Join(errs...)
}

func (g *Ingester) lane(ctx context.Context) error {
	readers := make([]*reader, prepareTogether)
	for i := range readers {
		r, err := newReader(g)
		if err != nil {
			return err
		}
		readers[i] = r
	}
	bell := g.Store.Notify()
	// What is put off becomes due without a commit.
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	pause := ingestBeside
	for {
		for ctx.Err() == nil {
			n, err := g.batch(ctx, readers)
			if err != nil && ctx.Err() == nil {
				g.Logger.Warn("activities not claimed", "error", err)
			}
			if n == 0 {
				break
			}
			pause = ingestBeside
		}
		ring, beside := bell, (<-chan time.Time)(nil)
		if g.busy.Load() > 0 {
			ring, beside = nil, time.After(pause)
			pause = min(2*pause, ingestBesideMost)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ring:
		case <-beside:
		case <-tick.C:
		}
	}
}

// batch claims, prepares and applies once; it returns how many it claimed.
func (g *Ingester) batch(ctx context.Context, readers []*reader) (int, error) {
	if under, err := g.Store.Recovering(ctx); err != nil || under {
		return 0, err
	}
	claimed, err := g.Store.ClaimInbound(ctx, ingestTogether, ingestLease)
	if err != nil || len(claimed) == 0 {
		return 0, err
	}
	g.busy.Add(1)
	defer g.busy.Add(-1)
	// What is claimed is finished even when the node stops.
	batch := g.prepareAll(context.WithoutCancel(ctx), readers, claimed)
	work, cancel := context.WithTimeout(context.WithoutCancel(ctx), applyTime)
	defer cancel()
	var again []essaim.Applied
	for i, err := range g.apply(work, batch) {
		switch {
		case err == nil:
			g.after(work, claimed[i], batch[i])
		case errors.Is(err, essaim.ErrConflict):
			// Another process has it.
		case errors.Is(err, essaim.ErrUnavailable), work.Err() != nil:
			// The database is away: the lease ends by itself.
			g.Logger.Warn("activity not applied", "activity", claimed[i].ActivityID, "error", err)
		default:
			again = append(again, g.putOff(claimed[i], err))
		}
	}
	for i, err := range g.apply(work, again) {
		if err != nil {
			g.Logger.Warn("activity not put off", "id", again[i].ID, "error", err)
		}
	}
	return len(claimed), nil
}

// apply is the store's, one by one after a panic, so that one activity cannot
// take the others with it.
func (g *Ingester) apply(ctx context.Context, batch []essaim.Applied) (errs []error) {
	if len(batch) == 0 {
		return nil
	}
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		if len(batch) == 1 {
			errs = []error{fmt.Errorf("panic: %v", p)}
			return
		}
		errs = make([]error, 0, len(batch))
		for i := range batch {
			errs = append(errs, g.apply(ctx, batch[i:i+1])...)
		}
	}()
	return g.Store.Apply(ctx, batch)
}

// prepareAll reads a batch, each activity in a time of its own: one whose actor's
// server is slow takes nothing from the others.
func (g *Ingester) prepareAll(ctx context.Context, readers []*reader, claimed []essaim.Inbound) []essaim.Applied {
	batch := make([]essaim.Applied, len(claimed))
	var next atomic.Int64
	var workers sync.WaitGroup
	for _, r := range readers[:min(len(readers), len(claimed))] {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(claimed); i = int(next.Add(1)) - 1 {
				one, cancel := context.WithTimeout(ctx, prepareTime)
				batch[i] = g.prepare(one, r, claimed[i])
				cancel()
			}
		})
	}
	workers.Wait()
	return batch
}

// prepare reads one activity and says what it comes to. Nothing in it can stop
// the others: a panic is a reason like another.
func (g *Ingester) prepare(ctx context.Context, r *reader, in essaim.Inbound) (out essaim.Applied) {
	r.begin(in)
	defer func() {
		if p := recover(); p != nil {
			out = g.putOff(in, fmt.Errorf("panic: %v", p))
		}
		// Whatever becomes of it: its bytes are to be found when it is erased.
		out.Object = r.carried()
	}()
	if in.Attempt > maxClaims {
		if in.Attempt <= maxNamed {
			// For what it carries. It passed this gate when it came, which may be what the
			// process dies of all the same.
			r.a, _ = wire.Decode(in.Raw, wire.Limits{})
		}
		return essaim.Applied{ID: in.ID, Attempt: in.Attempt, State: essaim.InboundFailed, Reason: "given up: its tries never ended"}
	}
	effects, err := r.read(fetch.Bounded(ctx, maxRequests))
	var none nothingToDo
	var later heldUntil
	switch {
	case err == nil:
		return essaim.Applied{ID: in.ID, Attempt: in.Attempt, State: essaim.InboundApplied, Effects: effects}
	case errors.As(err, &none):
		state := essaim.InboundIgnored
		if none == typeUnknown || none == typeUnhandled {
			state = essaim.InboundUnknown
		}
		return essaim.Applied{ID: in.ID, Attempt: in.Attempt, State: state, Reason: string(none)}
	case errors.As(err, &later):
		return essaim.Applied{ID: in.ID, Attempt: in.Attempt, State: essaim.InboundWaiting, Reason: later.Error(), RetryAt: later.at}
	case errors.Is(err, errContested), errors.Is(err, errBehind):
		return essaim.Applied{ID: in.ID, Attempt: in.Attempt, State: essaim.InboundFailed, Reason: cut(err.Error(), 300)}
	case errors.Is(err, essaim.ErrForbidden), errors.Is(err, essaim.ErrInvalid), errors.Is(err, wire.ErrUnsupported):
		return essaim.Applied{ID: in.ID, Attempt: in.Attempt, State: essaim.InboundIgnored, Reason: cut(err.Error(), 300)}
	}
	return g.putOff(in, err)
}

// putOff plans another try, or after the last gives up.
func (g *Ingester) putOff(in essaim.Inbound, err error) essaim.Applied {
	out := essaim.Applied{ID: in.ID, Attempt: in.Attempt, State: essaim.InboundWaiting, Reason: cut(err.Error(), 300)}
	if in.Attempt >= maxTries {
		out.State = essaim.InboundFailed
		g.Logger.Error("activity failed", "activity", in.ActivityID, "type", in.Type, "reason", out.Reason)
		return out
	}
	waits := [...]time.Duration{time.Second, 10 * time.Second, time.Minute, 10 * time.Minute, time.Hour}
	out.RetryAt = g.Now().Add(waits[min(max(in.Attempt-1, 0), len(waits)-1)])
	return out
}

// after does what needs no transaction: keys that changed are read again, and
// what waits for a host that speaks again is due.
func (g *Ingester) after(ctx context.Context, in essaim.Inbound, done essaim.Applied) {
	for _, e := range done.Effects {
		switch e := e.(type) {
		case essaim.SaveActor:
			g.Actors.Forget(e.Actor.ID)
		case essaim.ForgetActor:
			g.Actors.Forget(e.Actor)
		}
	}
	actor, err := essaim.ParseIRI(in.Actor)
	if err == nil && g.mayWake(actor.Host(), wakeEvery) {
		g.wake(ctx, actor.Host())
	}
}

// wake makes what waits for a host due now.
func (g *Ingester) wake(ctx context.Context, host string) {
	if err := g.Store.WakeHost(ctx, host); err != nil {
		g.Logger.Warn("host not woken", "host", host, "error", err)
	}
}

// mayWake bounds how often a host is woken, and what is remembered of that.
func (g *Ingester) mayWake(host string, every time.Duration) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.Now()
	if now.Sub(g.woken[host]) < every {
		return false
	}
	if len(g.woken) > maxKeys {
		clear(g.woken)
	}
	g.woken[host] = now
	return true
}

// nothingToDo is why an activity changes nothing.
type nothingToDo string

// What is of such a type is kept for a shorter time.
const (
	typeUnknown   nothingToDo = "type not known here"
	typeUnhandled nothingToDo = "type not handled here"
)

func (n nothingToDo) Error() string { return string(n) }

// heldUntil is when a document dated ahead may be read again.
type heldUntil struct{ at time.Time }

func (h heldUntil) Error() string {
	return "dated more than an hour ahead; held until " + h.at.UTC().Format(time.RFC3339)
}
