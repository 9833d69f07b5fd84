// SPDX-License-Identifier: AGPL-3.0-or-later

package convergence

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-chi/chi/v5"

	"essaim"
	"essaim/federation"
	"essaim/federation/fedtest"
	"essaim/federation/vocab"
	"essaim/store"
	"essaim/store/storetest"
)

// clock is the time of all nodes of a world. It stands still until it is moved.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// node is one of the five: a store and what speaks ActivityPub above it.
type node struct {
	*store.Store
	host, base string
	db         storetest.DB
	clock      *clock
	network    *network
	link       *link // of this start
	server     *federation.Server
	renderer   *vocab.Renderer
	rotations  int           // of its keys, so far
	ids        *atomic.Int64 // given by its store and by its server
	up         bool
	settled    bool // did what a start does in the background
	backAt     int  // round in which it is started again, when it is down
}

// otherRSA stands for the key of a node that changed its keys; all nodes may share
// theirs, for proofs are by the others.
var otherRSA = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// keys are those that hold after some changes.
func (n *node) keys(rotations int) (federation.Keys, error) {
	k := federation.Keys{RSA: fedtest.RSA(), Ed25519: fedtest.Ed25519(fmt.Sprint(n.host, rotations))}
	var err error
	if rotations%2 == 1 {
		k.RSA, err = otherRSA()
	}
	return k, err
}

func (n *node) publicKey() ed25519.PublicKey {
	return fedtest.Ed25519(fmt.Sprint(n.host, n.rotations)).Public().(ed25519.PublicKey)
}

// open opens the database, makes the node in it if it is empty, and puts it on the
// network.
func (n *node) open(ctx context.Context) error {
	if err := n.openStore(ctx); err != nil {
		return err
	}
	return n.begin(ctx)
}

func (n *node) openStore(ctx context.Context) (err error) {
	cfg := n.db.Config()
	cfg.Now, cfg.NewID = n.clock.now, n.newID
	cfg.Render = func(r essaim.RenderRequest) (essaim.Rendered, error) { return n.renderer.Render(r) }
	cfg.Tell = func(t essaim.Told) ([]byte, error) { return n.renderer.Tell(t) }
	cfg.Actor = func(a essaim.LocalActor) (essaim.Rendered, error) { return n.renderer.CommonsActor(a) }
	cfg.ReadActor = func(a essaim.LocalActor, doc []byte) (essaim.Profile, error) { return n.renderer.ReadActor(a, doc) }
	n.Store, err = store.Open(ctx, cfg)
	return err
}

// begin makes a node of an open database and puts it on the network.
func (n *node) begin(ctx context.Context) error {
	info, err := n.Node(ctx)
	if errors.Is(err, essaim.ErrNotFound) {
		name, _, _ := strings.Cut(n.host, ".")
		info = essaim.Node{
			BaseURL: n.base, Incarnation: n.clock.now().Unix(), KeyFingerprint: fmt.Sprint(0),
			Territory: essaim.Territory{Actor: n.base + "/actors/" + name, Username: name, Name: strings.ToUpper(name[:1]) + name[1:]},
		}
		if err := n.CreateNode(ctx, info); err != nil {
			return err
		}
	} else if err != nil {
		return err
	}
	return n.serve(ctx, info)
}

// serve makes what speaks for the node by its present keys, as a process does when
// it starts.
func (n *node) serve(ctx context.Context, info essaim.Node) error {
	keys, err := n.keys(n.rotations)
	if err != nil {
		return err
	}
	if n.renderer, err = vocab.New(vocab.Config{Node: info, Ed25519: keys.Ed25519, RSA: &keys.RSA.PublicKey, Now: n.clock.now}); err != nil {
		return err
	}
	n.link = n.network.of(n.host)
	n.server, err = federation.New(federation.Config{
		Node: info, Keys: keys, Store: n.Store, Now: n.clock.now, NewID: n.newID, Transport: n.link, Workers: 1,
	})
	if err != nil {
		return err
	}
	router := chi.NewRouter()
	n.server.Mount(router)
	n.network.serve(n.host, router)
	n.up, n.settled = true, false
	if err := n.server.TurnStart(ctx); err != nil {
		return err
	}
	return n.settle(ctx)
}

// settle does what the program does in the background once it runs and may
// publish.
func (n *node) settle(ctx context.Context) error {
	if under, err := n.Recovering(ctx); err != nil || under || n.settled {
		return err
	}
	n.settled = true
	if err := n.NameActors(ctx); err != nil {
		return err
	}
	if err := n.Resign(ctx, n.server.Renderer().Resign); err != nil {
		return err
	}
	return n.RefreshCommons(ctx)
}

func (n *node) newID() string { return fmt.Sprintf("01k%023d", n.ids.Add(1)) }

// stop takes the node off the network and closes its store.
func (n *node) stop() error {
	n.network.serve(n.host, nil)
	n.up = false
	return n.Close()
}

// rotate gives the node other keys, introduced by those that it has, and starts it
// anew.
func (n *node) rotate(ctx context.Context) error {
	info, err := n.Node(ctx)
	if err != nil {
		return err
	}
	next, err := n.keys(n.rotations + 1)
	if err != nil {
		return err
	}
	change, err := n.renderer.Introduce(next.Ed25519.Public().(ed25519.PublicKey), n.clock.now())
	if err != nil {
		return err
	}
	if err := n.RotateKeys(ctx, change, info.KeyFingerprint, fmt.Sprint(n.rotations+1)); err != nil {
		return err
	}
	n.rotations++
	if err := n.stop(); err != nil {
		return err
	}
	return n.open(ctx)
}

// restore puts what a backup holds, in another database, in the place of the node.
// A snapshot of a disk does the same, and nothing tells the node that it is old.
func (n *node) restore(ctx context.Context, db storetest.DB, backup []byte, snapshot bool) error {
	was, err := n.Incarnation(ctx)
	if err != nil {
		return err
	}
	if err := n.stop(); err != nil {
		return err
	}
	n.db = db
	if err := n.openStore(ctx); err != nil {
		return err
	}
	if _, err := n.Restore(ctx, bytes.NewReader(backup)); err != nil {
		return err
	}
	if snapshot {
		err := n.damage(ctx, run("UPDATE counter SET recovering = 0, recoveries = 0"), run("DELETE FROM recovery"), run("DELETE FROM recovery_source"),
			run("UPDATE node SET incarnation = $1", was))
		if err := errors.Join(err, n.Close()); err != nil {
			return err
		}
		return n.open(ctx)
	}
	return n.begin(ctx)
}
