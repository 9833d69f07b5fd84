// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"sync/atomic"
	"testing"

	"essaim"
	"essaim/store/storetest"
)

// trips counts what PostgreSQL is asked to answer before its client goes on: the
// messages Sync and Query ("Message Formats" of its manual).
func trips(t *testing.T, db storetest.DB) (through storetest.DB, n *atomic.Int64) {
	t.Helper()
	u, err := url.Parse(db.URL)
	if err != nil {
		t.Fatal(err)
	}
	network, address := "tcp", u.Host
	if q := u.Query(); q.Get("host") != "" {
		network, address = "unix", filepath.Join(q.Get("host"), ".s.PGSQL."+q.Get("port"))
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	n = new(atomic.Int64)
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial(network, address)
			if err != nil {
				client.Close()
				continue
			}
			go func() {
				defer client.Close()
				_, _ = io.Copy(client, server) // ends with either side
			}()
			go func() {
				defer server.Close()
				_ = countAsked(server, client, n) // ends with either side
			}()
		}
	}()
	u.Host = l.Addr().String()
	u.RawQuery = "sslmode=disable"
	return storetest.DB{Name: db.Name, URL: u.String()}, n
}

// countAsked passes a client's messages on: a type, a length and the rest, but for
// the first, which has no type.
func countAsked(server io.Writer, client io.Reader, n *atomic.Int64) error {
	r, w := bufio.NewReader(client), bufio.NewWriter(server)
	for first := true; ; first = false {
		head := make([]byte, 5)
		if first {
			head = head[1:]
		}
		if _, err := io.ReadFull(r, head); err != nil {
			return err
		}
		if !first && (head[0] == 'S' || head[0] == 'Q') {
			n.Add(1)
		}
		size := int64(binary.BigEndian.Uint32(head[len(head)-4:])) - 4
		if _, err := w.Write(head); err != nil {
			return err
		}
		if _, err := io.CopyN(w, r, size); err != nil {
			return err
		}
		if r.Buffered() == 0 {
			if err := w.Flush(); err != nil {
				return err
			}
		}
	}
}

// arrive receives activities and gives each an effect, as one batch.
func (n *node) arrive(t *testing.T, effects ...essaim.Effect) []essaim.Applied {
	t.Helper()
	for range effects {
		n.receive(t, fmt.Sprintf("https://toulouse.example/activities/%d", one[int](t, n, "SELECT count(*) FROM inbox")), "https://toulouse.example/actor")
	}
	claimed := n.claim(t, len(effects))
	if len(claimed) != len(effects) {
		t.Fatalf("%d claimed, want %d", len(claimed), len(effects))
	}
	batch := make([]essaim.Applied, len(effects))
	for i, in := range claimed {
		batch[i] = essaim.Applied{ID: in.ID, Attempt: in.Attempt, State: essaim.InboundApplied, Effects: effects[i : i+1]}
	}
	return batch
}

func versions(from, to int) (list []essaim.Effect) {
	for i := from; i < to; i++ {
		list = append(list, version(fmt.Sprint("fiche-", i), 10, 1))
	}
	return list
}

// Each question costs a way to the database and back: what is known beforehand is
// asked for many records at once.
func TestManyRecordsTakeFewWaysToTheDatabase(t *testing.T) {
	t.Parallel()
	db, ways := trips(t, storetest.Postgres(t))
	n := followed(t, db)
	took := func(f func() []error) int64 {
		t.Helper()
		before := ways.Load()
		for _, err := range f() {
			if err != nil {
				t.Fatal(err)
			}
		}
		return ways.Load() - before
	}
	apply := func(effects []essaim.Effect) int64 {
		batch := n.arrive(t, effects...)
		return took(func() []error { return n.Apply(t.Context(), batch) })
	}
	apply(versions(0, 4)) // prepares the statements
	got := apply(versions(4, 36))
	if t.Logf("32 records took %d ways", got); got < 3 || got > 10 {
		t.Errorf("32 records took %d ways, want 10 at most", got)
	}
	page := func(list []essaim.Effect) int64 {
		items := make([]essaim.CommonsTaken, len(list))
		for i, e := range list {
			items[i] = essaim.CommonsTaken{ID: e.(essaim.Replicate).Record.ID, Actor: "https://toulouse.example/actor", Effects: []essaim.Effect{e}}
		}
		return took(func() []error {
			why, err := n.ApplyCommons(t.Context(), items, essaim.CommonsProgress{Host: "toulouse.example"})
			if len(why) > 0 {
				t.Errorf("left out: %v", why)
			}
			return []error{err}
		})
	}
	page(versions(36, 40))
	got = page(versions(40, 140))
	if t.Logf("a page of 100 records took %d ways", got); got < 3 || got > 12 {
		t.Errorf("a page of 100 records took %d ways, want 12 at most", got)
	}
	id, rows := begin(t, n.Store), someRows(44)
	imported := func(rows []essaim.ImportRow) int64 {
		return took(func() []error {
			_, err := n.ImportRows(t.Context(), id, rows)
			return []error{err}
		})
	}
	imported(rows[:4])
	got = imported(rows[4:])
	if t.Logf("40 rows took %d ways", got); got < 3 || got > 14 {
		t.Errorf("40 rows took %d ways, want 14 at most", got)
	}
}

// What was asked for a whole batch is asked again once a part of it may have
// changed the answer.
func TestABatchSeesWhatItsOwnBeginningDid(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := followed(t, db)
		refused := essaim.PeerAnswer{FollowID: brest + "/activities/follow", Actor: "https://toulouse.example/actor"}
		batch := n.arrive(t, version("avant", 10, 1), refused, version("apres", 10, 1))
		for _, err := range n.Apply(t.Context(), batch) {
			if err != nil {
				t.Fatal(err)
			}
		}
		if _, err := n.Record(t.Context(), "https://toulouse.example/objects/avant"); err != nil {
			t.Errorf("what came before the refusal: %v", err)
		}
		if _, err := n.Record(t.Context(), "https://toulouse.example/objects/apres"); !errors.Is(err, essaim.ErrNotFound) {
			t.Errorf("what came after the refusal was kept: %v", err)
		}
	})
}

// Records of one name, in a batch and beside others that bear it, each get one.
func TestRecordsOfOneNameInABatchEachGetTheirOwn(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := followed(t, db)
		var effects []essaim.Effect
		for i, slug := range []string{"jardin", "jardin", "jardin-2", "jardin", "jardin-3"} {
			v := version(slug, 10, 1)
			v.Record.ID = fmt.Sprint("https://toulouse.example/objects/", i)
			effects = append(effects, v)
		}
		for _, err := range n.Apply(t.Context(), n.arrive(t, effects...)) {
			if err != nil {
				t.Fatal(err)
			}
		}
		seen := map[string]bool{}
		for i := range effects {
			r, err := n.Record(t.Context(), fmt.Sprint("https://toulouse.example/objects/", i))
			if err != nil || seen[r.Slug] {
				t.Errorf("record %d has the name %q, %v; given: %v", i, r.Slug, err, seen)
			}
			seen[r.Slug] = true
		}
	})
}
