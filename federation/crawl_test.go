// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"errors"
	"testing"

	"essaim"
	"essaim/federation/fetch"
)

// answers is a client of which every question comes to the same.
type answers func(ctx context.Context) (fetch.Answer, error)

func (f answers) Changed(ctx context.Context, _, _ string) (fetch.Answer, error) { return f(ctx) }

func crawlBy(t *testing.T, f answers) *crawl {
	t.Helper()
	c, err := (&Replicator{Client: f}).crawl(essaim.Peer{Host: "toulon.example", Actor: "https://toulon.example/actor"}, essaim.CommonsProgress{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAPanicOverAPageIsAnError(t *testing.T) {
	t.Parallel()
	c := crawlBy(t, func(context.Context) (fetch.Answer, error) { panic("a page of its own sort") })
	if err := c.run(t.Context()); !errors.Is(err, essaim.ErrInvalid) || !c.progress.DoneAt.IsZero() {
		t.Errorf("error %v, done at %s", err, c.progress.DoneAt)
	}
}

func TestAReadingThatEndsBeforeItsFirstPageIsNoSuccess(t *testing.T) {
	t.Parallel()
	for range 64 { // which of two ends it sees first is by chance
		ctx, cancel := context.WithCancel(t.Context())
		c := crawlBy(t, func(ctx context.Context) (fetch.Answer, error) {
			cancel()
			return fetch.Answer{}, ctx.Err()
		})
		if err := c.run(ctx); !errors.Is(err, context.Canceled) {
			t.Fatalf("error %v", err)
		}
	}
}
