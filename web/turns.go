// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"context"
	"sync"
)

// turns lets one reader have one thing made at a time: what she asks for besides waits,
// and takes no place from others.
type turns struct {
	mu sync.Mutex
	by map[string]*turn
}

type turn struct {
	place chan struct{}
	asked int // who has it or waits for it
}

// take waits for a reader's turn, which is over with give.
func (t *turns) take(ctx context.Context, who string) (give func(), err error) {
	t.mu.Lock()
	if t.by == nil {
		t.by = map[string]*turn{}
	}
	own := t.by[who]
	if own == nil {
		own = &turn{place: make(chan struct{}, 1)}
		t.by[who] = own
	}
	own.asked++
	t.mu.Unlock()
	leave := func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if own.asked--; own.asked == 0 {
			delete(t.by, who)
		}
	}
	select {
	case own.place <- struct{}{}:
		return func() { <-own.place; leave() }, nil
	case <-ctx.Done():
		leave()
		return nil, ctx.Err()
	}
}
