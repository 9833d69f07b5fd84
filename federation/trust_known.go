// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"essaim"
)

// trust remembers for a moment what the database knows of the keys of hosts, and
// which were asked for theirs.
type trust struct {
	store TrustStore
	now   func() time.Time

	mu    sync.Mutex
	known map[string]heldTrust
	asked map[string]*question
}

// question is one to a host for its key.
type question struct {
	at   time.Time
	over chan struct{} // closed once err says what came of it
	err  error
}

// heard notes what came of the question; whoever waits for it goes on.
func (q *question) heard(err error) {
	q.err = err
	close(q.over)
}

func (q *question) answered() bool {
	select {
	case <-q.over:
		return true
	default:
		return false
	}
}

// continued tells whether the host showed that its key continues.
func (q *question) continued() bool { return q != nil && q.answered() && q.err == nil }

type heldTrust struct {
	essaim.PeerTrust
	until time.Time
}

func newTrust(store TrustStore, now func() time.Time) *trust {
	return &trust{store: store, now: now, known: map[string]heldTrust{}, asked: map[string]*question{}}
}

func (t *trust) of(ctx context.Context, host string) (essaim.PeerTrust, error) {
	now := t.now()
	t.mu.Lock()
	held, ok := t.known[host]
	t.mu.Unlock()
	if ok && now.Before(held.until) {
		return held.PeerTrust, nil
	}
	known, err := t.store.PeerTrust(ctx, host)
	if err != nil {
		return known, fmt.Errorf("%w: %w", essaim.ErrUnavailable, err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.known) >= maxKeys {
		clear(t.known)
	}
	t.known[host] = heldTrust{known, now.Add(trustFresh)}
	return known, nil
}

// changed forgets what was remembered of a host once it was written.
func (t *trust) changed(host string, err error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.known, host)
	return err
}

// binds tells whether what a host says about an object is held to its keys.
func (t *trust) binds(ctx context.Context, host string, about essaim.IRI) (essaim.PeerTrust, bool, error) {
	known, err := t.of(ctx, host)
	if err != nil || len(known.Keys) == 0 || known.Binds() || about.IsZero() {
		return known, known.Binds(), err
	}
	kept, err := t.store.KeepsCopy(ctx, about.String())
	if err != nil {
		return known, false, fmt.Errorf("%w: %w", essaim.ErrUnavailable, err)
	}
	return known, kept, nil
}

// behind tells whether a host showed an older state than one that it signed.
func (a *Actors) behind(ctx context.Context, host string) error {
	known, err := a.trust.of(ctx, host)
	if err == nil && !known.BehindAt.IsZero() {
		err = errBehind
	}
	return err
}

// caughtUp notes that a host shows a state that is not older.
func (a *Actors) caughtUp(ctx context.Context, host string, store ReplicaStore) error {
	if !errors.Is(a.behind(ctx, host), errBehind) {
		return nil
	}
	return a.trust.changed(host, store.PeerBehind(ctx, host, false))
}

// distrust says what becomes of a host that shows a key, "" for none, that does
// not continue its own.
func (t *trust) distrust(ctx context.Context, host, key string) error {
	known, err := t.of(ctx, host)
	switch {
	case err != nil:
		return err
	case !known.Binds():
		return nil
	case slices.Contains(known.Refused, key):
		return errRefused
	}
	if err := t.changed(host, t.store.ContestPeer(ctx, host, key)); err != nil {
		return err
	}
	return errContested
}

// ask bounds how often a host is asked which key it shows because of what it
// sends: the question that is put now, and is the caller's to ask, or the one that
// was put lately.
func (t *trust) ask(host string) (q *question, mine bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	if q := t.asked[host]; q != nil && now.Sub(q.at) < keyRefetch {
		return q, false
	}
	if len(t.asked) >= maxKeys {
		clear(t.asked)
	}
	q = &question{at: now, over: make(chan struct{})}
	t.asked[host] = q
	return q, true
}

// lately is the last question to a host; nil when it may be asked anew.
func (t *trust) lately(host string) *question {
	t.mu.Lock()
	defer t.mu.Unlock()
	if q := t.asked[host]; q != nil && t.now().Sub(q.at) < keyRefetch {
		return q
	}
	return nil
}
