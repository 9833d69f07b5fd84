// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"essaim"
	"essaim/federation"
	"essaim/federation/fedtest"
	"essaim/federation/proof"
	"essaim/federation/vocab"
	"essaim/store"
	"essaim/store/storetest"
)

// commonsNode is a node that serves its commons, on either database, at a time
// that the test moves.
type commonsNode struct {
	*store.Store
	base   string
	server *federation.Server
	router http.Handler
	key    ed25519.PublicKey
	moved  *atomic.Int64 // how far its clock is ahead
	log    *slog.Logger

	name   string
	keys   federation.Keys
	config func(*store.Config)
	now    func() time.Time

	rotations []essaim.Rotation // of its keys, so far
}

func newCommonsNode(t testing.TB, db storetest.DB, name string, network *fedtest.Network) *commonsNode {
	t.Helper()
	keys := federation.Keys{RSA: fedtest.RSA(), Ed25519: fedtest.Ed25519(name + ".example")}
	return newCommonsNodeOf(t, db, name, network, keys, slog.New(slog.NewTextHandler(t.Output(), nil)))
}

// newCommonsNodeOf is newCommonsNode with keys and a log of its own.
func newCommonsNodeOf(t testing.TB, db storetest.DB, name string, network *fedtest.Network, keys federation.Keys, log *slog.Logger) *commonsNode {
	t.Helper()
	n := &commonsNode{base: "https://" + name + ".example", moved: new(atomic.Int64), name: name, keys: keys, log: log}
	n.now = func() time.Time { return storetest.Start.Add(time.Duration(n.moved.Load())) }
	node := essaim.Node{
		BaseURL: n.base, Incarnation: storetest.Start.Unix() - 1000,
		Territory: essaim.Territory{Actor: n.base + "/actors/" + name, Username: name, Name: strings.ToUpper(name[:1]) + name[1:]},
	}
	n.key = n.keys.Ed25519.Public().(ed25519.PublicKey)
	n.config = func(c *store.Config) {
		node := node
		node.CreatedAt, node.Rotations = storetest.Start, n.rotations
		renderer, err := vocab.New(vocab.Config{Node: node, Ed25519: n.keys.Ed25519, RSA: &n.keys.RSA.PublicKey, Now: n.now})
		if err != nil {
			t.Fatal(err)
		}
		c.Now, c.Render, c.Tell, c.Actor, c.ReadActor = n.now, renderer.Render, renderer.Tell, renderer.CommonsActor, renderer.ReadActor
	}
	n.Store = db.Open(t, n.config)
	if err := n.CreateNode(t.Context(), node); err != nil {
		t.Fatal(err)
	}
	n.serve(t, network)
	if err := n.RefreshCommons(t.Context()); err != nil {
		t.Fatal(err)
	}
	return n
}

// serve puts the node of the store on the network.
func (n *commonsNode) serve(t testing.TB, network *fedtest.Network) {
	t.Helper()
	node, err := n.Node(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := federation.Config{Node: node, Keys: n.keys, Store: n.Store, Now: n.now, Logger: n.log}
	if network != nil {
		c.Transport = network
	}
	if n.server, err = federation.New(c); err != nil {
		t.Fatal(err)
	}
	r := chi.NewRouter()
	n.server.Mount(r)
	n.router = r
	if network != nil {
		network.Serve(n.name+".example", r)
	}
}

// get asks for an address of the node: status, entity tag and body.
func (n *commonsNode) get(t testing.TB, address, tag string) (status int, etag string, body []byte) {
	t.Helper()
	r := httptest.NewRequestWithContext(context.Background(), http.MethodGet, strings.TrimPrefix(address, n.base), nil)
	r.Header.Set("Accept", vocab.ContentType)
	if tag != "" {
		r.Header.Set("If-None-Match", tag)
	}
	w := httptest.NewRecorder()
	n.router.ServeHTTP(w, r)
	body, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.Code, w.Header().Get("ETag"), body
}

func (n *commonsNode) publish(t testing.TB, title string, with ...func(*essaim.Content)) essaim.Record {
	t.Helper()
	return storetest.Publish(t, n.Store, storetest.Initiative(title, with...))
}

// signedHead is a head as a stranger reads it.
type signedHead struct {
	ID, Type, First, OrderType string
	TotalItems                 int
	Incarnation                int64     `json:"essaim:incarnation"`
	N                          int64     `json:"essaim:n"`
	Count                      int       `json:"essaim:count"`
	Root                       string    `json:"essaim:root"`
	At                         time.Time `json:"essaim:at"`
}

func (n *commonsNode) readHead(t testing.TB) (h signedHead, raw []byte) {
	t.Helper()
	status, _, raw := n.get(t, n.base+"/commons", "")
	if status != http.StatusOK {
		t.Fatalf("head: %d", status)
	}
	if err := proof.Verify(raw, n.key); err != nil {
		t.Fatalf("head: %v", err)
	}
	if err := json.Unmarshal(raw, &h); err != nil {
		t.Fatal(err)
	}
	return h, raw
}

// crawl reads the collection as any reader of ActivityStreams does.
func (n *commonsNode) crawl(t testing.TB, first string) (items []json.RawMessage, cursor string) {
	t.Helper()
	for next := first; next != ""; {
		status, _, body := n.get(t, next, "")
		if status != http.StatusOK || len(body) >= 1<<20 {
			t.Fatalf("%s: status %d, %d bytes", next, status, len(body))
		}
		var p struct {
			ID, Type, PartOf, Next string
			Cursor                 string            `json:"essaim:cursor"`
			Items                  []json.RawMessage `json:"orderedItems"`
		}
		if err := json.Unmarshal(body, &p); err != nil {
			t.Fatal(err)
		}
		if p.ID != next || p.Type != "OrderedCollectionPage" || p.PartOf != n.base+"/commons" || len(p.Items) > 100 {
			t.Errorf("page %s of %s with %d items at %s", p.ID, p.PartOf, len(p.Items), next)
		}
		items, cursor, next = append(items, p.Items...), p.Cursor, p.Next
	}
	return items, cursor
}

func TestTheCommonsAreReadWholeAndProveThemselves(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newCommonsNode(t, db, "brest", nil)
		for i := range 230 {
			n.publish(t, fmt.Sprint("Fiche ", i))
		}
		gone := n.publish(t, "Retirée")
		if err := n.WithdrawRecord(t.Context(), gone.ID, storetest.Author); err != nil {
			t.Fatal(err)
		}
		h, _ := n.readHead(t)
		if h.ID != n.base+"/commons" || h.Type != "OrderedCollection" || h.OrderType != "ForwardChronological" || h.TotalItems != h.Count {
			t.Errorf("head %+v", h)
		}
		docs, cursor := n.crawl(t, h.First)
		var lines []essaim.CommonsItem
		kinds := map[string]int{}
		for _, doc := range docs {
			if err := proof.Verify(doc, n.key); err != nil {
				t.Fatalf("%s: %v", doc, err)
			}
			_, digest, err := proof.Digests(doc)
			if err != nil {
				t.Fatal(err)
			}
			var it struct{ ID, Type string }
			if err := json.Unmarshal(doc, &it); err != nil {
				t.Fatal(err)
			}
			kinds[it.Type]++
			lines = append(lines, essaim.CommonsItem{ID: it.ID, Digest: digest})
			if _, _, served := n.get(t, it.ID, ""); string(served) != string(doc) {
				t.Errorf("%s is served as other bytes at its own address", it.ID)
			}
		}
		root := essaim.CommonsTree("", lines)[""]
		if root.Hash.String() != h.Root || root.Count != h.Count || len(docs) != h.Count {
			t.Errorf("%d items make root %s of %d, the head says %s of %d", len(docs), root.Hash, root.Count, h.Root, h.Count)
		}
		if kinds["Article"] != 230 || kinds["Tombstone"] != 1 || kinds["Organization"] != 1 || len(kinds) != 3 {
			t.Errorf("kinds %v", kinds)
		}
		if want := (essaim.CommonsNumber{Incarnation: h.Incarnation, N: h.N}).String(); cursor != want {
			t.Errorf("cursor %s at the end, want %s", cursor, want)
		}
	})
}

func TestWhatDidNotChangeCostsOneConditionalRequest(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newCommonsNode(t, db, "brest", nil)
		a, b := n.publish(t, "Une"), n.publish(t, "Deux")
		h, _ := n.readHead(t)
		_, cursor := n.crawl(t, h.First)
		at := n.base + "/commons?after=" + cursor
		for _, address := range []string{at, n.base + "/commons", n.base + "/commons/digest", h.First} {
			status, tag, _ := n.get(t, address, "")
			if again, _, body := n.get(t, address, tag); status != 200 || again != http.StatusNotModified || len(body) > 0 {
				t.Errorf("%s: %d, then %d with %d bytes", address, status, again, len(body))
			}
		}
		_, tag, _ := n.get(t, at, "")
		if _, err := n.UpdateRecord(t.Context(), a.ID, 0, storetest.Initiative("Une, revue"), essaim.StatePublished, storetest.Author); err != nil {
			t.Fatal(err)
		}
		status, _, _ := n.get(t, at, tag)
		items, after := n.crawl(t, at)
		if status != 200 || len(items) != 1 || vocab.ID(items[0]) != a.ID || after == cursor {
			t.Errorf("after an edit: %d, %d items", status, len(items))
		}
		// The edited item moved: read from the start it stands last, and once.
		all, _ := n.crawl(t, h.First)
		if len(all) != 3 || vocab.ID(all[1]) != b.ID || vocab.ID(all[2]) != a.ID {
			t.Errorf("%d items from the start", len(all))
		}
	})
}

func TestAHeadIsSignedDailyAndWhenTheRootChanged(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newCommonsNode(t, db, "brest", nil)
		n.publish(t, "Une")
		first, raw := n.readHead(t)
		n.moved.Add(int64(23 * time.Hour))
		if _, again := n.readHead(t); string(again) != string(raw) {
			t.Error("signed anew though nothing changed")
		}
		n.moved.Add(int64(2 * time.Hour))
		daily, _ := n.readHead(t)
		if !daily.At.After(first.At) || daily.Root != first.Root || daily.N != first.N {
			t.Errorf("after a day: %+v, before %+v", daily, first)
		}
		n.publish(t, "Deux")
		changed, _ := n.readHead(t)
		if changed.Root == first.Root || changed.N <= first.N || !changed.At.After(daily.At) {
			t.Errorf("after a change: %+v, before %+v", changed, daily)
		}
		heads, err := n.Heads(t.Context(), "", 5)
		if err != nil || len(heads) != 2 || heads[0].Root.String() != changed.Root {
			t.Errorf("kept %+v, %v", heads, err)
		}
	})
}

func TestCursorsOfAnotherIncarnationCompareAsPairs(t *testing.T) {
	t.Parallel()
	n := newCommonsNode(t, storetest.SQLite(t), "brest", nil)
	n.publish(t, "Une")
	h, _ := n.readHead(t)
	for _, c := range []struct {
		after string
		items int
	}{
		{fmt.Sprintf("%d.999999", h.Incarnation-1), 2}, {fmt.Sprintf("%d.999999", h.Incarnation), 0}, {fmt.Sprintf("%d.0", h.Incarnation+1), 0}, {"0.0", 2},
	} {
		if items, _ := n.crawl(t, n.base+"/commons?after="+c.after); len(items) != c.items {
			t.Errorf("after %s: %d items, want %d", c.after, len(items), c.items)
		}
	}
	for _, bad := range []string{"", "1", "x.1", "-1.1", "1.1.1", "01.1"} {
		if status, _, _ := n.get(t, n.base+"/commons?after="+bad, ""); status != http.StatusBadRequest {
			t.Errorf("after=%s: %d, want 400", bad, status)
		}
	}
	for _, bad := range []string{"g", "AB", strings.Repeat("0", 65)} {
		if status, _, _ := n.get(t, n.base+"/commons/digest/"+bad, ""); status != http.StatusNotFound {
			t.Errorf("digest/%s: %d, want 404", bad, status)
		}
	}
}

func TestTheDigestTreeIsWalkedFromTheSignedRoot(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newCommonsNode(t, db, "brest", nil)
		for i := range 150 {
			n.publish(t, fmt.Sprint("Fiche ", i))
		}
		h, _ := n.readHead(t)
		root, err := essaim.ParseDigest(h.Root)
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		var walk func(prefix string, want essaim.Digest)
		walk = func(prefix string, want essaim.Digest) {
			address := n.base + "/commons/digest"
			if prefix != "" {
				address += "/" + prefix
			}
			status, _, body := n.get(t, address, "")
			var node struct {
				ID         string
				TotalItems int
				Head       string   `json:"essaim:head"`
				Root       string   `json:"essaim:root"`
				Children   []string `json:"essaim:children"`
				Lines      []struct {
					ID     string
					Digest string `json:"essaim:copyDigest"`
				} `json:"essaim:lines"`
			}
			if err := json.Unmarshal(body, &node); err != nil || status != 200 || node.ID != address {
				t.Fatalf("%s: %d %v %s", address, status, err, body)
			}
			if node.Head != fmt.Sprintf("%d.%d", h.Incarnation, h.N) || node.Root != h.Root {
				t.Errorf("%s is of head %s", address, node.Head)
			}
			if node.Children == nil {
				var lines []essaim.CommonsItem
				for _, l := range node.Lines {
					lines = append(lines, essaim.CommonsItem{ID: l.ID, Digest: l.Digest})
				}
				if essaim.CommonsLeafHash(lines) != want || len(lines) != node.TotalItems || len(lines) > essaim.CommonsLeaf {
					t.Errorf("leaf %s of %d lines is not what its parent says", address, len(lines))
				}
				found += len(lines)
				return
			}
			var children [16]essaim.CommonsNode
			for i, c := range node.Children {
				if children[i].Hash, err = essaim.ParseDigest(c); err != nil {
					t.Fatal(err)
				}
			}
			if essaim.CommonsInner(children).Hash != want || len(node.Children) != 16 {
				t.Errorf("node %s is not what its parent says", address)
			}
			for i, c := range children {
				if c.Hash != (essaim.Digest{}) {
					walk(prefix+essaim.CommonsDigits[i:i+1], c.Hash)
				}
			}
		}
		walk("", root)
		if found != h.Count || found != 151 {
			t.Errorf("the leaves hold %d items, the head says %d", found, h.Count)
		}
	})
}
