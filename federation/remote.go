// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"essaim"
	"essaim/federation/fetch"
	"essaim/federation/sig"
	"essaim/federation/wire"
)

// Fetcher gets documents by their ids; *fetch.Client is the one.
type Fetcher interface {
	Document(ctx context.Context, id string, identify func([]byte) (string, error)) (fetch.Answer, error)
}

// How long an answer about a key is kept. A key that verifies is kept until its
// actor changes it: the first signature that fails makes one fetch. What is in memory
// is read anew from the database now and then: another process may know of the change.
const (
	keyKept        = 10 * time.Minute
	keyRefetch     = 5 * time.Minute // between two fetches of an actor for signatures that fail
	keyUnavailable = 30 * time.Second
	keyMissing     = 10 * time.Minute
	maxKeys        = 10_000 // held in memory
	actorFresh     = 24 * time.Hour
)

// Actors knows the actors elsewhere: from the database, else from their home.
// It is the KeySource of the inbox. One fetch at a time goes out for a document,
// whoever waits for it.
type Actors struct {
	store  ActorStore
	client Fetcher
	now    func() time.Time
	// For those who have not signed yet: of who asks, and of who is asked.
	addresses budget
	budget    budget
	trust     *trust

	mu      sync.Mutex
	keys    map[essaim.IRI]heldKey
	flights map[errand]*flight
}

// heldKey is a key, or why there is none.
type heldKey struct {
	key       sig.Key
	err       error
	until     time.Time
	refetched time.Time // last fetch because a signature failed
}

// errand is a document that is fetched: for what it says, or for a key, which
// takes one of a contested host as well.
type errand struct {
	id  essaim.IRI
	key bool
}

type flight struct {
	done  chan struct{}
	actor essaim.RemoteActor
	err   error
}

// NewActors makes the cache.
func NewActors(store ActorStore, client Fetcher, now func() time.Time) *Actors {
	return &Actors{store: store, client: client, now: now, addresses: budget{now: now}, budget: budget{now: now}, trust: newTrust(store, now), keys: map[essaim.IRI]heldKey{}, flights: map[errand]*flight{}}
}

// Key implements sig.KeySource.
func (a *Actors) Key(ctx context.Context, id essaim.IRI, fresh bool) (sig.Key, error) {
	a.mu.Lock()
	held, ok := a.keys[id]
	a.mu.Unlock()
	now := a.now()
	switch {
	case ok && held.err != nil && now.Before(held.until):
		return sig.Key{}, held.err
	case ok && held.err == nil && !fresh && now.Before(held.until):
		return held.key, nil
	case ok && held.err == nil && fresh && now.Sub(held.refetched) < keyRefetch:
		return held.key, nil
	}
	if held.err == nil && !fresh {
		actor, err := a.store.RemoteActorByKey(ctx, id.String())
		if err == nil && !actor.Gone {
			return a.keep(actor, id, held.refetched)
		}
		if err != nil && !errors.Is(err, essaim.ErrNotFound) {
			return sig.Key{}, fmt.Errorf("%w: %w", essaim.ErrUnavailable, err)
		}
	}
	var refetched time.Time
	if fresh {
		refetched = now
	}
	actor, err := a.fetchByKey(ctx, id)
	if errors.Is(err, errTooMany) {
		return sig.Key{}, err // says nothing of the key: others may have it fetched
	}
	if err != nil {
		if ok && held.err == nil && errors.Is(err, essaim.ErrUnavailable) {
			// A forged signature while the actor's home is away must not cost the
			// actor its key.
			held.refetched = refetched
			a.put(id, held)
		} else {
			a.keepError(id, err)
		}
		return sig.Key{}, err
	}
	return a.keep(actor, id, refetched)
}

// verified notes that the signature of the request of ctx holds: whoever made it
// is no stranger, and what it had us fetch was for good. Nothing else is given
// back: a good signature pays for no bad one.
func (a *Actors) verified(ctx context.Context) {
	s := strangerIn(ctx)
	addresses, hosts := s.settle()
	a.addresses.refund(s.address, addresses, strangersPerAddress)
	for _, host := range hosts {
		a.budget.refund(host, 1, strangersPerHost)
	}
}

// keep remembers an actor's keys and returns the one asked for.
func (a *Actors) keep(actor essaim.RemoteActor, id essaim.IRI, refetched time.Time) (sig.Key, error) {
	if actor.Gone {
		err := fmt.Errorf("actor %s: %w", actor.ID, essaim.ErrGone)
		a.keepError(id, err)
		return sig.Key{}, err
	}
	owner, err := essaim.ParseIRI(actor.ID)
	if err != nil {
		return sig.Key{}, err
	}
	for _, k := range actor.Keys {
		if k.ID != id.String() {
			continue
		}
		public, err := sig.ParsePublicKey(k.PEM)
		if err != nil {
			a.keepError(id, err)
			return sig.Key{}, err
		}
		key := sig.Key{ID: id, Owner: owner, Public: public}
		a.put(id, heldKey{key: key, until: a.now().Add(keyKept), refetched: refetched})
		return key, nil
	}
	err = fmt.Errorf("actor %s does not list key %s: %w", actor.ID, id, essaim.ErrInvalid)
	a.keepError(id, err)
	return sig.Key{}, err
}

func (a *Actors) keepError(id essaim.IRI, err error) {
	wait := keyMissing
	if errors.Is(err, context.Canceled) {
		return
	}
	if errors.Is(err, essaim.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) {
		wait = keyUnavailable
	}
	a.put(id, heldKey{err: err, until: a.now().Add(wait)})
}

func (a *Actors) put(id essaim.IRI, k heldKey) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.keys) >= maxKeys {
		// Any will do: what is in use comes back from the database.
		for other := range a.keys {
			delete(a.keys, other)
			if len(a.keys) < maxKeys*9/10 {
				break
			}
		}
	}
	a.keys[id] = k
}

// Forget drops what is held in memory of an actor's keys, after it changed.
func (a *Actors) Forget(actor string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for id, k := range a.keys {
		if k.key.Owner.String() == actor {
			delete(a.keys, id)
		}
	}
}

// Actor is an actor as held, fetched when it never was or is more than a day
// old; when its home does not answer, an old copy is better than none.
func (a *Actors) Actor(ctx context.Context, id essaim.IRI) (essaim.RemoteActor, error) {
	held, err := a.store.RemoteActor(ctx, id.String())
	if err != nil && !errors.Is(err, essaim.ErrNotFound) || err == nil && a.now().Sub(held.FetchedAt) < actorFresh {
		return held, err
	}
	actor, fetchErr := a.Fetch(ctx, id)
	if fetchErr != nil && err == nil {
		return held, nil
	}
	return actor, fetchErr
}

// Fetch gets an actor from its home and keeps it, unless its host is contested.
func (a *Actors) Fetch(ctx context.Context, id essaim.IRI) (essaim.RemoteActor, error) {
	return a.once(ctx, errand{id: id}, func(ctx context.Context) (essaim.RemoteActor, error) {
		doc, err := a.document(ctx, id)
		if err != nil {
			return essaim.RemoteActor{}, err
		}
		actor, err := readActor(doc.Root(), a.now())
		if err != nil {
			return essaim.RemoteActor{}, err
		}
		if err := a.trust.judge(ctx, actor); err != nil {
			return essaim.RemoteActor{}, err
		}
		return actor, a.store.SaveRemoteActor(ctx, actor)
	})
}

// fetchByKey gets the actor to whom a key belongs. The document at the key's
// address is the actor itself, or the key, whose owner must list it in turn.
func (a *Actors) fetchByKey(ctx context.Context, key essaim.IRI) (essaim.RemoteActor, error) {
	at, who := key.WithoutFragment(), strangerIn(ctx)
	// Also who waits for the fetch of another.
	if !a.addresses.paidBy(who) {
		return essaim.RemoteActor{}, fmt.Errorf("by one client: %w", errTooMany)
	}
	return a.once(ctx, errand{id: at, key: true}, func(ctx context.Context) (essaim.RemoteActor, error) {
		if !a.budget.spend(at.Host()) {
			return essaim.RemoteActor{}, fmt.Errorf("of %s: %w", at.Host(), errTooMany)
		}
		who.asked(at.Host())
		doc, err := a.document(ctx, at)
		if err != nil {
			return essaim.RemoteActor{}, err
		}
		if owner, ok := doc.Get("owner").IRI(); ok && doc.Get("publicKeyPem").Present() {
			if !owner.SameOrigin(key) {
				return essaim.RemoteActor{}, fmt.Errorf("key %s of an owner elsewhere: %w", key, essaim.ErrInvalid)
			}
			if doc, err = a.document(ctx, owner); err != nil {
				return essaim.RemoteActor{}, err
			}
		}
		actor, err := readActor(doc.Root(), a.now())
		if err != nil {
			return essaim.RemoteActor{}, err
		}
		switch err := a.trust.judge(ctx, actor); {
		case errors.Is(err, errContested), errors.Is(err, errRefused):
			return actor, nil // what it signs is received, kept and not applied
		case err != nil:
			return essaim.RemoteActor{}, err
		}
		return actor, a.store.SaveRemoteActor(ctx, actor)
	})
}

// once shares one fetch between all who ask for the same document at a time.
func (a *Actors) once(ctx context.Context, e errand, get func(context.Context) (essaim.RemoteActor, error)) (essaim.RemoteActor, error) {
	a.mu.Lock()
	f, under := a.flights[e]
	if !under {
		f = &flight{done: make(chan struct{})}
		a.flights[e] = f
	}
	a.mu.Unlock()
	if !under {
		go func() {
			defer func() {
				if p := recover(); p != nil {
					f.err = fmt.Errorf("actor %s: panic: %v: %w", e.id, p, essaim.ErrInvalid)
				}
				a.mu.Lock()
				delete(a.flights, e)
				a.mu.Unlock()
				close(f.done)
			}()
			// Others wait for the same document: one who leaves must not fail them.
			// The client bounds the time.
			f.actor, f.err = get(context.WithoutCancel(ctx))
		}()
	}
	select {
	case <-f.done:
		return f.actor, f.err
	case <-ctx.Done():
		return essaim.RemoteActor{}, fmt.Errorf("actor %s: %w: %w", e.id, essaim.ErrUnavailable, ctx.Err())
	}
}

func (a *Actors) document(ctx context.Context, id essaim.IRI) (*wire.Document, error) {
	answer, err := a.client.Document(ctx, id.String(), identify)
	if err != nil {
		return nil, err
	}
	doc, err := wire.Parse(answer.Body, wire.Limits{})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", id, err)
	}
	return doc, nil
}

// identify reads a document's id through the gate.
func identify(raw []byte) (string, error) {
	doc, err := wire.Parse(raw, wire.Limits{})
	if err != nil {
		return "", err
	}
	return doc.Get("id").TextOr(), nil
}
