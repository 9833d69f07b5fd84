// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"essaim/e2e/rig"
)

// senders is how many activities are on their way at once.
const senders = 16

// inbound sends n activities from a scripted peer while the node is killed.
func inbound(ctx context.Context, s *rig.Suite, bin, dir string, opt options) {
	rng := rand.New(rand.NewPCG(s.Seed(), 1))
	var peer *rig.Peer
	node := &rig.Node{Bin: bin, Dir: filepath.Join(dir, "inbound")}
	led := &ledger{accepts: map[string]int{}}

	s.Must("a node and a peer that it follows", func() (err error) {
		if peer, err = rig.NewPeer(nil); err != nil {
			return err
		}
		s.Cleanup(peer.Close)
		if err := startNode(ctx, s, node, opt.db, "inbound"); err != nil {
			return err
		}
		peer.OnInbox(led.answer(ctx, peer))
		return followedBy(ctx, node, peer)
	})
	var plan []*activity
	s.Must("local records to react to", func() (err error) {
		plan, err = makePlan(ctx, rng, node, peer, led, opt.n)
		return err
	})

	started := time.Now()
	kills := send(ctx, s, rng, node, peer, plan, opt.kills)
	s.Figure("sending_seconds", time.Since(started).Seconds(), "s")
	s.Figure("kills", kills, "")
	s.Figure("acknowledged", len(plan), "activities")

	s.Check("the node was killed as often as asked", func() error {
		if kills != opt.kills {
			return fmt.Errorf("%d kills, asked for %d", kills, opt.kills)
		}
		return nil
	})
	drained := time.Now()
	for _, c := range led.checks(ctx, node) {
		s.Check(c.name, func() error { return rig.Eventually(3*time.Minute, c.f) })
	}
	s.Figure("drain_seconds", time.Since(drained).Seconds(), "s")
	s.Check("and it stays so once everything is still", func() error {
		time.Sleep(3 * time.Second) // what would come twice comes now
		var all []error
		for _, c := range led.checks(ctx, node) {
			all = append(all, c.f())
		}
		return errors.Join(all...)
	})
	s.Check("no activity is left failed", func() error {
		out, err := node.Run(ctx, "queue", "list", "--data", node.Dir, "--json")
		if err != nil {
			return err
		}
		var rows []json.RawMessage
		if err := json.Unmarshal([]byte(out), &rows); err != nil {
			return fmt.Errorf("queue list: %w", err)
		}
		if len(rows) != 0 {
			return fmt.Errorf("queue: %d rows, the first: %s", len(rows), rows[0])
		}
		return nil
	})
	node.Stop()
}

func startNode(ctx context.Context, s *rig.Suite, node *rig.Node, db, name string) error {
	port, err := rig.FreePort()
	if err != nil {
		return err
	}
	node.URL = fmt.Sprintf("http://127.0.0.1:%d", port)
	if db == "postgres" {
		if node.Database, err = rig.Postgres(s, name); err != nil {
			return err
		}
	}
	if err := node.Init(ctx, "Brest", "--epci", "242900314"); err != nil {
		return err
	}
	s.Cleanup(node.Kill)
	return node.Start(ctx)
}

// followedBy makes the node follow the peer and waits for the answer's effect.
func followedBy(ctx context.Context, node *rig.Node, peer *rig.Peer) error {
	if _, err := node.Run(ctx, "peer", "follow", "--data", node.Dir, rig.Host(peer.URL)); err != nil {
		return err
	}
	return rig.Eventually(20*time.Second, func() error {
		out, err := node.Run(ctx, "peer", "list", "--data", node.Dir, "--json")
		if err != nil {
			return err
		}
		var peers []struct {
			Host  string `json:"host"`
			State string `json:"state"`
		}
		if err := json.Unmarshal([]byte(out), &peers); err != nil {
			return fmt.Errorf("peer list: %w", err)
		}
		for _, p := range peers {
			if p.Host == rig.Host(peer.URL) && p.State == "followed" {
				return nil
			}
		}
		return fmt.Errorf("not followed yet: %s", out)
	})
}

// send posts the whole plan, each activity until it is answered 2xx and one in
// twenty again after that, and kills the node at moments spread over it.
func send(ctx context.Context, s *rig.Suite, rng *rand.Rand, node *rig.Node, peer *rig.Peer, plan []*activity, wanted int) (kills int) {
	inbox := node.URL + "/inbox"
	queue := make(chan *activity, 2*len(plan)+senders)
	var left atomic.Int64
	repeat := map[*activity]bool{}
	for _, a := range plan {
		repeat[a] = rng.IntN(20) == 0
		queue <- a
		left.Add(1)
	}
	var acked atomic.Int64
	var last atomic.Value // the last refusal, for the message
	last.Store("")
	var wg sync.WaitGroup
	for range senders {
		wg.Go(func() {
			for a := range queue {
				status, err := peer.Post(ctx, inbox, a.actor, a.body)
				if err != nil {
					if status != 0 && status/100 == 4 {
						last.Store(fmt.Sprintf("%s: %v", a.kind, err))
					}
					if ctx.Err() != nil {
						return
					}
					time.Sleep(30 * time.Millisecond) // the node is being started again
					queue <- a
					continue
				}
				acked.Add(1)
				if repeat[a] && !a.repeated {
					a.repeated = true
					queue <- a
					continue
				}
				if left.Add(-1) == 0 {
					close(queue)
				}
			}
		})
	}
	for k := range wanted {
		at := int64(len(plan)) * int64(k+1) / int64(wanted+1)
		pause := time.Duration(rng.IntN(50_000)) * time.Microsecond
		err := rig.Eventually(3*time.Minute, func() error {
			if acked.Load() < at {
				return fmt.Errorf("%d of %d acknowledged; last refusal: %s", acked.Load(), len(plan), last.Load())
			}
			return nil
		})
		if err != nil {
			s.Check("activities are accepted between kills", func() error { return err })
			break
		}
		time.Sleep(pause)
		node.Kill()
		kills++
		if err := node.Start(ctx); err != nil {
			s.Must("the node starts again after a kill", func() error { return err })
		}
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	s.Must("every activity was answered 2xx in the end", func() error {
		select {
		case <-done:
			return nil
		case <-time.After(5 * time.Minute):
			return fmt.Errorf("%d answers, %d activities left; last refusal: %s", acked.Load(), left.Load(), last.Load())
		}
	})
	s.Figure("answers_2xx", acked.Load(), "")
	return kills
}

// answer accepts the node's Follow and notes its Accepts.
func (l *ledger) answer(ctx context.Context, peer *rig.Peer) func(http.ResponseWriter, *http.Request, []byte) {
	return func(w http.ResponseWriter, _ *http.Request, body []byte) {
		var a struct {
			ID     string          `json:"id"`
			Type   string          `json:"type"`
			Actor  string          `json:"actor"`
			Object json.RawMessage `json:"object"`
		}
		if json.Unmarshal(body, &a) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		switch a.Type {
		case "Follow":
			accept := peer.Activity("Accept", "accept-of-node", peer.Actor("node"), json.RawMessage(body), nil)
			go func() { _, _ = peer.Post(ctx, a.Actor+"/inbox", peer.Actor("node"), accept) }() // its effect is waited for
		case "Accept":
			var follow struct {
				ID string `json:"id"`
			}
			if json.Unmarshal(a.Object, &follow) != nil {
				_ = json.Unmarshal(a.Object, &follow.ID) // the bare id form
			}
			l.mu.Lock()
			l.accepts[follow.ID]++
			l.mu.Unlock()
		}
		w.WriteHeader(http.StatusAccepted)
	}
}
