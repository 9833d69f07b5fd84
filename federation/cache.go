// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"bytes"
	"context"
	"sync"
	"time"

	"essaim"
	"essaim/federation/proof"
)

// maxCached bounds the documents kept in memory, in bytes.
const maxCached = 32 << 20

// documentCache keeps documents that were read lately. It never serves an old
// one: each request looks at how often the store changed, and a document read
// under another number is read again. Where the store must ask its database,
// the reading begins after the request did, and requests that wait together
// share one, so that a popular object costs one small query for many of them.
type documentCache struct {
	changes func() (int64, bool)
	number  func(context.Context) (int64, error)

	mu      sync.Mutex
	entries map[string]entry
	size    int
	reading *reading // begun, or about to begin
	next    *reading // for those who came after it began
}

type entry struct {
	doc    Stored
	number int64
	read   time.Time // for lately
}

// staleFor is how old a document may be that lately gives.
const staleFor = time.Second

// lately is get for a document that every server asks for and that is never
// withdrawn: where the store must ask its database, it does so once a second.
func (c *documentCache) lately(ctx context.Context, key string, load func(context.Context, string) (Stored, error), now time.Time) (Stored, error) {
	if _, free := c.changes(); free {
		return c.get(ctx, key, load)
	}
	c.mu.Lock()
	e, ok := c.entries[key]
	c.mu.Unlock()
	if age := now.Sub(e.read); ok && age >= 0 && age < staleFor {
		return e.doc, nil
	}
	doc, err := c.get(ctx, key, load)
	if err == nil {
		c.mu.Lock()
		if e, ok := c.entries[key]; ok {
			e.read = now
			c.entries[key] = e
		}
		c.mu.Unlock()
	}
	return doc, err
}

// readingTime is how long the database has to tell the number to those who have
// no deadline of their own in common.
const readingTime = 10 * time.Second

// reading is one look at the change number, shared by all who wait for it.
type reading struct {
	done   chan struct{}
	number int64
	err    error
}

func newDocumentCache(changes func() (int64, bool), number func(context.Context) (int64, error)) *documentCache {
	return &documentCache{changes: changes, number: number, entries: map[string]entry{}}
}

// get returns the document under key as of now, from memory when nothing
// changed since it was read by load. Bytes that are not those of their digest are
// essaim.ErrDamaged: they are looked at when they come from the store, and again
// when others came.
func (c *documentCache) get(ctx context.Context, key string, load func(context.Context, string) (Stored, error)) (Stored, error) {
	n, ok := c.changes()
	if !ok {
		var err error
		if n, err = c.current(ctx); err != nil {
			return Stored{}, err
		}
	}
	c.mu.Lock()
	e, ok := c.entries[key]
	c.mu.Unlock()
	if ok && e.number == n {
		return e.doc, nil
	}
	doc, err := load(ctx, key)
	if err == nil && (doc.Digest != e.doc.Digest || !bytes.Equal(doc.Bytes, e.doc.Bytes)) {
		err = whole(new(proof.Reader), doc)
	}
	if err != nil {
		return Stored{}, err
	}
	// What was read now is at least as new as n, so it may be kept under n.
	c.put(key, entry{doc: doc, number: n})
	return doc, nil
}

// whole tells whether a document is the bytes of the digest that was noted of it.
func whole(reader *proof.Reader, d Stored) error {
	if d.Digest == "" {
		return nil
	}
	if exact, err := reader.Of(d.Bytes).Digest(); err != nil || exact != d.Digest {
		return essaim.ErrDamaged
	}
	return nil
}

// current is the last change number, read after the call began.
func (c *documentCache) current(ctx context.Context) (int64, error) {
	c.mu.Lock()
	r := c.reading
	mine := r == nil
	if mine {
		r = &reading{done: make(chan struct{})}
		c.reading = r
	} else {
		// That reading may have begun before us: share the one after it.
		if c.next == nil {
			c.next = &reading{done: make(chan struct{})}
		}
		r = c.next
	}
	c.mu.Unlock()
	if mine {
		c.read(ctx, r)
	}
	select {
	case <-r.done:
		return r.number, r.err
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// read looks at the number for r, then, for as long as others came meanwhile,
// hands over to a goroutine that looks for them.
func (c *documentCache) read(ctx context.Context, r *reading) {
	// Others wait for the same answer: one who leaves must not fail them. A
	// database that is silent must not hold them for ever.
	end, bounded := ctx.Deadline()
	ctx = context.WithoutCancel(ctx)
	asking, stop := context.WithTimeout(ctx, readingTime)
	if bounded {
		stop()
		asking, stop = context.WithDeadline(ctx, end)
	}
	r.number, r.err = c.number(asking)
	stop()
	close(r.done)
	c.mu.Lock()
	c.reading, c.next = c.next, nil
	r = c.reading
	c.mu.Unlock()
	if r != nil {
		go c.read(ctx, r)
	}
}

func (c *documentCache) put(key string, e entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old, ok := c.entries[key]; ok {
		c.size -= len(old.doc.Bytes)
	}
	c.entries[key] = e
	c.size += len(e.doc.Bytes)
	for k, old := range c.entries {
		if c.size <= maxCached {
			return
		}
		// Any will do: what is asked for often comes back at once.
		if k != key {
			c.size -= len(old.doc.Bytes)
			delete(c.entries, k)
		}
	}
}
