// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// channel is the one that processes of a node tell each other of work on.
const channel = "essaim_work"

// present has a connection hear other processes, and says for as long as it stands
// that its own one runs: see freeLeases, and lock_alone.
const present = "LISTEN " + channel + "; SELECT pg_advisory_lock_shared(712140474)"

// quiet is how long the bell waits after telling other processes: many commits
// are told of once.
const quiet = 20 * time.Millisecond

// bell wakes who waits for work: at once for a commit of this process, through
// PostgreSQL for one of another, and every second in any case.
type bell struct {
	// moves counts what changed which hosts are due, as far as this process knows.
	moves   atomic.Int64
	mu      sync.Mutex
	waiting []chan struct{}
	rung    chan struct{}
	stop    context.CancelFunc
	tasks   sync.WaitGroup
}

// Notify returns a channel that gets a value, at the latest within a second,
// after work was committed, by this process or another. It is never closed.
func (b *bell) Notify() <-chan struct{} {
	c := make(chan struct{}, 1)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting = append(b.waiting, c)
	return c
}

// wake rings for work that this process committed.
func (b *bell) wake() {
	b.tell()
	select {
	case b.rung <- struct{}{}:
	default:
	}
}

func (b *bell) tell() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.waiting {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// ring starts the bell; pool is nil on SQLite. What heard is the first connection that
// hears other processes.
func (b *bell) ring(pool *pgxpool.Pool, heard *pgxpool.Conn) {
	var ctx context.Context
	ctx, b.stop = context.WithCancel(context.Background())
	b.rung = make(chan struct{}, 1)
	b.tasks.Go(func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				b.tell()
			}
		}
	})
	if pool == nil {
		return
	}
	b.tasks.Go(func() { b.announce(ctx, pool) })
	b.tasks.Go(func() { b.listen(ctx, pool, heard) })
}

// announce tells the other processes. One that misses it looks within a second.
func (b *bell) announce(ctx context.Context, pool *pgxpool.Pool) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-b.rung:
		}
		_, _ = pool.Exec(ctx, "SELECT pg_notify('"+channel+"', '')")
		wait(ctx, quiet)
	}
}

// hear opens a connection that hears the other processes.
func hear(ctx context.Context, pool *pgxpool.Pool) (*pgxpool.Conn, error) {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := conn.Exec(ctx, present); err != nil {
		conn.Release()
		return nil, err
	}
	return conn, nil
}

// listen hears the other processes, over a connection of its own that it asks
// for again when it is lost.
func (b *bell) listen(ctx context.Context, pool *pgxpool.Pool, conn *pgxpool.Conn) {
	for ctx.Err() == nil {
		if conn != nil {
			b.hearken(ctx, conn)
		}
		wait(ctx, time.Second)
		conn, _ = hear(ctx, pool) // none while the database is away
	}
	if conn != nil {
		conn.Release()
	}
}

// hearken tells of what is heard until the connection is lost.
func (b *bell) hearken(ctx context.Context, conn *pgxpool.Conn) {
	defer conn.Release()
	for {
		if _, err := conn.Conn().WaitForNotification(ctx); err != nil {
			return
		}
		b.moves.Add(1)
		b.tell()
	}
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// hush stops the bell and waits for its goroutines.
func (b *bell) hush() {
	if b.stop != nil {
		b.stop()
	}
	b.tasks.Wait()
}
