// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"essaim"
	"essaim/federation/fetch"
	"essaim/federation/wire"
)

// Bounds of the Gatherer.
const (
	gatherWorkers = 4
	gatherTime    = 90 * time.Second // for one object, with its author
	gatherLease   = 2 * time.Minute
	gatherTries   = 5
	gatherLook    = 10 * time.Second // between two looks for what became due
	gatherSoon    = 10               // looks, a rest apart, after something was fetched
	// gatherRest is how long a host is left alone for each request that an object
	// took, whoever named it.
	gatherRest    = time.Second
	maxGatherRest = 5 * time.Second
)

// GatherStore is what the Gatherer needs of the database.
type GatherStore interface {
	// ClaimWanted leases the object due longest of a host that is not being asked and
	// had its rest; essaim.ErrNotFound when there is none.
	ClaimWanted(ctx context.Context, lease time.Duration) (essaim.Wanted, error)
	// FinishWanted proposes what was found, withdraws what is gone, or forgets it;
	// why says what kept it from becoming a candidate.
	FinishWanted(ctx context.Context, w essaim.Wanted, found *essaim.Propose, gone bool) (why string, err error)
	PutOffWanted(ctx context.Context, w essaim.Wanted, at time.Time) error
	Notify() <-chan struct{}
}

// Gatherer fetches from their origins the objects that followed accounts name
// without giving them: Mobilizon's relay and groups announce, others send an id.
// It stands apart from the ingester, so that no host that hangs holds up what
// others sent.
type Gatherer struct {
	Store  GatherStore
	Client Fetcher
	Actors *Actors
	Base   essaim.IRI // of this node
	Now    func() time.Time
	Logger *slog.Logger
}

// Run fetches what is wanted until ctx ends, then waits for what is under way.
func (g *Gatherer) Run(ctx context.Context) error {
	var workers sync.WaitGroup
	bell, more := g.Store.Notify(), make(chan struct{}, gatherWorkers)
	workers.Go(func() { g.work(ctx, bell, more) })
	for range gatherWorkers - 1 {
		workers.Go(func() { g.work(ctx, more, more) })
	}
	workers.Wait()
	return nil
}

// work fetches when it is rung for. The bell rings for all that comes in, mostly
// nothing that is wanted: one worker looks, and who finds something calls the
// next.
func (g *Gatherer) work(ctx context.Context, bell <-chan struct{}, more chan<- struct{}) {
	look := time.NewTimer(gatherLook)
	defer look.Stop()
	soon := 0 // looks to be taken in short order
	for {
		for ctx.Err() == nil {
			if err := g.next(ctx, more); err != nil {
				if ctx.Err() == nil && !errors.Is(err, essaim.ErrNotFound) {
					g.Logger.Warn("object not fetched", "error", err)
				}
				break
			}
			soon = gatherSoon
		}
		pause := gatherLook
		if soon > 0 {
			// More of the host of what was fetched may wait for its rest alone.
			soon, pause = soon-1, gatherRest
		}
		look.Reset(pause)
		select {
		case <-ctx.Done():
			return
		case <-bell:
		case <-look.C:
		}
	}
}

// next takes one object to its end; essaim.ErrNotFound when none is due.
func (g *Gatherer) next(ctx context.Context, more chan<- struct{}) error {
	w, err := g.Store.ClaimWanted(ctx, gatherLease)
	if err != nil {
		return err
	}
	select {
	case more <- struct{}{}:
	default:
	}
	bounded := fetch.Bounded(ctx, maxRequests)
	found, err := g.find(bounded, w)
	w.Rest = min(time.Duration(maxRequests-fetch.Left(bounded))*gatherRest, maxGatherRest)
	if ctx.Err() != nil {
		return ctx.Err() // stopping: the lease ends by itself
	}
	var why string
	gone := false
	if id, bad := essaim.ParseIRI(w.Object); bad == nil {
		gone = g.Actors.Departed(ctx, id, err)
	}
	away := errors.Is(err, essaim.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded)
	switch {
	case err == nil:
		why, err = g.Store.FinishWanted(ctx, w, &found, false)
	case away && w.Attempt < gatherTries:
		waits := [...]time.Duration{time.Minute, 10 * time.Minute, time.Hour, 6 * time.Hour}
		return g.Store.PutOffWanted(ctx, w, g.Now().Add(waits[min(w.Attempt, len(waits))-1]))
	default:
		why = err.Error()
		_, err = g.Store.FinishWanted(ctx, w, nil, gone)
	}
	if why != "" {
		g.Logger.Info("no candidate", "object", w.Object, "reason", cut(why, 300))
	}
	return err
}

// find fetches an object, and its author if it was never seen. A panic over one
// is a reason like another. The caller bounds how many requests it takes.
func (g *Gatherer) find(ctx context.Context, w essaim.Wanted) (found essaim.Propose, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v: %w", p, essaim.ErrInvalid)
		}
	}()
	ctx, stop := context.WithTimeout(ctx, gatherTime)
	defer stop()
	answer, err := g.Client.Document(ctx, w.Object, identifyForeign)
	if err != nil {
		return found, err
	}
	doc, err := wire.Parse(answer.Body, wire.Fetched)
	if err != nil {
		return found, err
	}
	p, err := readFetched(doc.Root(), answer.URL, g.Now())
	if err != nil {
		return found, err
	}
	author, err := essaim.ParseIRI(p.Author)
	if err != nil {
		return found, err
	}
	if author.SameOrigin(g.Base) {
		return found, fmt.Errorf("an object of this node: %w", essaim.ErrInvalid)
	}
	// Whether its author refuses to be indexed is in the author's document.
	switch actor, err := g.Actors.Actor(ctx, author); {
	case errors.Is(err, essaim.ErrUnavailable):
		return found, err
	case err != nil:
		return found, fmt.Errorf("author %s: %w: %s", author, essaim.ErrInvalid, err.Error())
	case actor.ID != p.Author || actor.Gone:
		return found, fmt.Errorf("author %s is another or gone: %w", author, essaim.ErrInvalid)
	}
	return essaim.Propose{Proposal: p, By: w.By, Announce: w.Announce}, nil
}

// readFetched reads what an origin serves under an id as a candidate of its
// author. Every author it names is of that origin (FEP-fe34), and the first is
// the one: there is no signer here, only who serves it.
func readFetched(v wire.Value, at string, now time.Time) (essaim.Proposal, error) {
	id, err := essaim.ParseIRI(at)
	if err != nil {
		return essaim.Proposal{}, err
	}
	switch {
	case v.Get("essaim:kind").Kind() != wire.KindNone:
		return essaim.Proposal{}, fmt.Errorf("a record of another node: %w", essaim.ErrInvalid)
	case v.Get("inReplyTo").Present():
		return essaim.Proposal{}, fmt.Errorf("an answer to something: %w", essaim.ErrInvalid)
	case !wire.ToEveryone(v):
		return essaim.Proposal{}, fmt.Errorf("not public: %w", essaim.ErrInvalid)
	}
	authors, err := wire.Authors(v)
	if err != nil {
		return essaim.Proposal{}, err
	}
	for _, a := range authors {
		if !a.SameOrigin(id) {
			return essaim.Proposal{}, fmt.Errorf("by %s, of another origin: %w", a, essaim.ErrInvalid)
		}
	}
	if len(authors) == 0 {
		return essaim.Proposal{}, fmt.Errorf("by nobody: %w", essaim.ErrInvalid)
	}
	p, err := proposalOf(v, id, authors[0].String())
	if err != nil {
		return essaim.Proposal{}, fmt.Errorf("%w: %s", essaim.ErrInvalid, err.Error())
	}
	if latest := now.Add(maxAhead); p.Published.After(latest) || p.Updated.After(latest) {
		return essaim.Proposal{}, fmt.Errorf("dated more than an hour ahead: %w", essaim.ErrInvalid)
	}
	return p, nil
}

// identifyForeign reads the id of a document that is read here alone.
func identifyForeign(raw []byte) (string, error) {
	doc, err := wire.Parse(raw, wire.Fetched)
	if err != nil {
		return "", err
	}
	return doc.Get("id").TextOr(), nil
}
