// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"essaim"
	"essaim/federation/fedtest"
)

// wantedOnce gives objects of one host that rests as it was told to.
type wantedOnce struct {
	objects []string
	until   time.Time
	at      []time.Time
	rests   []time.Duration
	bell    chan struct{}
}

func (w *wantedOnce) ClaimWanted(context.Context, time.Duration) (essaim.Wanted, error) {
	if len(w.objects) == 0 || time.Now().Before(w.until) {
		return essaim.Wanted{}, essaim.ErrNotFound
	}
	next := w.objects[0]
	w.objects, w.at = w.objects[1:], append(w.at, time.Now())
	return essaim.Wanted{Want: essaim.Want{Object: next}, Attempt: 1}, nil
}

func (w *wantedOnce) FinishWanted(_ context.Context, o essaim.Wanted, _ *essaim.Propose, _ bool) (string, error) {
	w.rests, w.until = append(w.rests, o.Rest), time.Now().Add(o.Rest)
	return "", nil
}

func (w *wantedOnce) PutOffWanted(context.Context, essaim.Wanted, time.Time) error { return nil }

func (w *wantedOnce) Notify() <-chan struct{} { return w.bell }

func TestAHostRestsForEachRequestThatAnObjectTook(t *testing.T) {
	t.Parallel()
	network := fedtest.NewNetwork()
	s, _ := testServer(t, newShelf(), network)
	peer := fedtest.NewPeer(t, network, "m.example", "Person")
	w := &wantedOnce{objects: []string{"https://m.example/n/1", "https://m.example/n/2", "https://m.example/n/none", "https://m.example/n/none2"}}
	for _, post := range w.objects[:2] {
		peer.Put(post, map[string]any{
			"@context": activityStreams, "id": post, "type": "Article", "name": "x", "attributedTo": peer.Actor,
			"to": []string{"https://www.w3.org/ns/activitystreams#Public"},
		})
	}
	base, err := essaim.ParseIRI("https://brest.example")
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		w.bell = make(chan struct{})
		g := &Gatherer{Store: w, Client: s.client, Actors: s.remote, Base: base, Now: time.Now, Logger: slog.New(slog.DiscardHandler)}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			g.work(ctx, w.bell, make(chan struct{}, 1))
		}()
		time.Sleep(20 * time.Second)
		stop()
		<-done
		// The object and its author, then what takes one request each.
		want := []time.Duration{2 * time.Second, time.Second, time.Second, time.Second}
		if len(w.rests) != len(want) {
			t.Fatalf("%d objects are fetched, want %d", len(w.rests), len(want))
		}
		for i := range want {
			if w.rests[i] != want[i] {
				t.Errorf("after object %d its host rests for %s, want %s", i, w.rests[i], want[i])
			}
			if i > 0 && w.at[i].Sub(w.at[i-1]) > want[i-1]+gatherRest {
				t.Errorf("object %d is fetched %s after the one before", i, w.at[i].Sub(w.at[i-1]))
			}
		}
	})
}
