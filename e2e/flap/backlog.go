// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"essaim/e2e/rig"
)

const (
	backlogHosts   = 20
	backlogInboxes = 1000 // on all of them
	firstWait      = 10 * time.Second
	readerWait     = time.Second // for a page, while all that waited is put in order
	backlogMemory  = 256 << 20
)

// restart has a node start again with a large queue, whose hosts are back: how long
// until the first delivery, what memory it takes, and whether readers notice (P4, P5).
func (r *run) restart() {
	label := r.db + ", a large queue: "
	var node *rig.Node
	var hosts []*host
	all := &account{}
	r.Must(label+"a node with a thousand inboxes to send to", func() (err error) {
		if node, err = r.node("backlog", false); err != nil {
			return err
		}
		hosts, err = r.crowd(node, all)
		return err
	})
	r.Must(label+fmt.Sprintf("%d deliveries wait", r.queue), func() error { return r.pile(node, hosts) })
	node.Kill()
	r.Must(label+"the hosts are back", func() error {
		for _, h := range hosts {
			if err := h.turn(well); err != nil {
				return err
			}
		}
		return nil
	})
	start := time.Now()
	r.Must(label+"the node, killed, starts again", func() error { return node.Start(r.ctx) })
	ready := time.Since(start)
	var first time.Duration
	r.Check(label+"the first delivery comes within 10 s (P4)", func() error {
		err := rig.Eventually(time.Minute, func() error {
			for _, h := range hosts {
				if h.received() > 0 {
					return nil
				}
			}
			return fmt.Errorf("nothing came within %s", time.Since(start))
		})
		if first = time.Since(start); err == nil && first > firstWait {
			err = fmt.Errorf("the first came after %s", first)
		}
		return err
	})
	var pages []time.Duration
	r.Check(label+"pages are served meanwhile: 1 s at the 95th percentile", func() error {
		for range 100 {
			began := time.Now()
			status, _, err := rig.Get(r.ctx, node.URL+"/initiatives", "text/html")
			if err != nil || status != http.StatusOK {
				return fmt.Errorf("page: %d: %w", status, err)
			}
			pages = append(pages, time.Since(began))
			time.Sleep(100 * time.Millisecond)
		}
		if p := percentile(pages, 0.95); p > readerWait {
			return fmt.Errorf("%s", p)
		}
		return nil
	})
	got := 0
	for _, h := range hosts {
		got += h.received()
	}
	_, peak, err := node.RSS()
	r.Figure(r.db+"_backlog_ready", ready.Seconds(), "s")
	r.Figure(r.db+"_backlog_first_delivery", first.Seconds(), "s")
	r.Figure(r.db+"_backlog_delivered", float64(got)/time.Since(start).Seconds(), "deliveries/s")
	r.Figure(r.db+"_backlog_page_p95", ms(percentile(pages, 0.95)), "ms")
	r.Figure(r.db+"_backlog_rss_peak", float64(peak)/1e6, "MB")
	r.Check(label+"memory stays below 256 MB", func() error {
		if err == nil && (peak == 0 || peak > backlogMemory) {
			err = fmt.Errorf("%d MB at the highest", peak/1e6)
		}
		return err
	})
	node.Stop()
	for _, h := range hosts {
		_ = h.turn(down) // its listener, if it fails, ends with the suite
	}
}

// crowd makes the hosts and their follows of the node's territory.
func (r *run) crowd(node *rig.Node, all *account) ([]*host, error) {
	peer, actor, err := r.lender(node)
	if err != nil {
		return nil, err
	}
	var hosts []*host
	for i := range backlogHosts {
		h, err := newHost(fmt.Sprintf("127.0.6.%d", i+1), peer, all)
		if err != nil {
			return nil, err
		}
		hosts = append(hosts, h)
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	errs := make(chan error, 8)
	for range cap(errs) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < backlogInboxes; i = int(next.Add(1)) - 1 {
				id := hosts[i%backlogHosts].actor(i / backlogHosts)
				follow := peer.Activity("Follow", "", id, actor, map[string]any{"id": id + "#follow"})
				if _, err := peer.Post(r.ctx, node.URL+"/inbox", id, follow); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	if err := <-errs; err != nil {
		return nil, err
	}
	return hosts, all.accepted(2*time.Minute, backlogInboxes)
}

// pile publishes while no host answers, until the queue is as long as asked.
func (r *run) pile(node *rig.Node, hosts []*host) error {
	for _, h := range hosts {
		if err := h.turn(down); err != nil {
			return err
		}
	}
	slugs := make([]string, objects)
	for i := range (r.queue + backlogInboxes - 1) / backlogInboxes {
		made, err := publish(r.ctx, node, slugs[i%objects], fmt.Sprintf("Fiche %02d v%04d", i%objects, i/objects))
		if err != nil {
			return err
		}
		slugs[i%objects] = made.Slug
	}
	return rig.Eventually(5*time.Minute, func() error {
		n, err := node.Metric(r.ctx, "essaim_deliveries_waiting")
		if err == nil && int(n) < r.queue {
			err = fmt.Errorf("%v deliveries wait, want %d", n, r.queue)
		}
		return err
	})
}
