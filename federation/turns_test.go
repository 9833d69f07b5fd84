// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"essaim"
)

// busy is a store that says how many ask it at a time, and lets each wait until its
// reader is to go on. It fails them all.
type busy struct {
	ReplicaStore // what is not asked for here
	inside, most atomic.Int32
	goOn         chan struct{}
}

func (b *busy) wait() error {
	b.most.Store(max(b.most.Load(), b.inside.Add(1)))
	<-b.goOn
	b.inside.Add(-1)
	return essaim.ErrUnavailable
}

func (b *busy) Peer(context.Context, string) (essaim.Peer, error) { return essaim.Peer{}, b.wait() }
func (b *busy) CommonsProgress(context.Context, string) (p essaim.CommonsProgress, err error) {
	return p, b.wait()
}

func (b *busy) SaveCommonsProgress(context.Context, essaim.CommonsProgress) error { return nil }

func TestOneAtATimeReadsANodeOrComparesWithIt(t *testing.T) {
	t.Parallel()
	for name, does := range map[string][2]func(ctx context.Context, r *Replicator, host string){
		"two comparisons": {
			func(ctx context.Context, r *Replicator, host string) { _, _ = r.Compare(ctx, host) },
			func(ctx context.Context, r *Replicator, host string) { _, _ = r.Compare(ctx, host) },
		},
		"a reading, and that of a comparison": {
			func(ctx context.Context, r *Replicator, host string) { r.read(ctx, host) },
			func(ctx context.Context, r *Replicator, host string) { _, _ = r.readFirst(ctx, host) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				for _, second := range []struct {
					host string
					most int32
				}{{"brest.example", 1}, {"toulon.example", 2}} {
					b := &busy{goOn: make(chan struct{})}
					r := &Replicator{Store: b, Now: time.Now, Logger: slog.New(slog.DiscardHandler)}
					go does[0](t.Context(), r, "brest.example")
					go does[1](t.Context(), r, second.host)
					synctest.Wait()
					close(b.goOn)
					synctest.Wait()
					if got := b.most.Load(); got != second.most {
						t.Errorf("of brest.example and %s: %d at a time, want %d", second.host, got, second.most)
					}
					if len(r.comparing.taken)+len(r.reading.taken) > 0 {
						t.Errorf("still taken: %v %v", r.comparing.taken, r.reading.taken)
					}
				}
			})
		})
	}
}

func TestWhoLeavesWhileItWaitsHasNoTurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var all turns
		end, err := all.begin(t.Context(), "brest.example")
		if err != nil {
			t.Fatal(err)
		}
		ctx, leave := context.WithCancel(t.Context())
		left := make(chan error, 1)
		go func() {
			_, err := all.begin(ctx, "brest.example")
			left <- err
		}()
		synctest.Wait()
		leave()
		if err := <-left; err == nil {
			t.Error("who left had a turn")
		}
		end()
		if len(all.taken) > 0 {
			t.Errorf("still taken: %v", all.taken)
		}
	})
}
