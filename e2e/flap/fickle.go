// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"essaim/e2e/rig"
)

const (
	objects   = 20 // records that the publications are versions of
	pause     = 500 * time.Millisecond
	slowRate  = 10                     // requests a second to a host that failed, at most
	slowOver  = 5 * time.Second        // what the rate is measured over: requests do not arrive as evenly as they leave
	maxAtOnce = 8                      // connections to a host, at most
	closing   = 200 * time.Millisecond // until a host sees that a connection ended
	atReturn  = 2                      // requests at a time to a host that comes back
	underWay  = 256                    // deliveries that wait for an answer, in all (docs/adr/0012)
	maxOpen   = underWay + 256         // connections in all, with those kept for later
)

// fickleHosts publishes to hosts that come and go (P4, P5).
func (r *run) fickleHosts() {
	label := r.db + ", hosts come and go: "
	var node *rig.Node
	var swarm, steady []*host
	all := &account{}
	r.Must(label+"a node and its followers", func() (err error) {
		if node, err = r.node("fickle", false); err != nil {
			return err
		}
		swarm, steady, err = r.follow(node, all)
		return err
	})
	titles, err := r.season(node, swarm)
	r.Check(label+fmt.Sprintf("%d versions acknowledged while %d hosts flap", len(titles), len(swarm)), func() error { return err })
	// A node that starts again with its queue full stampedes nobody either.
	node.Kill()
	r.Must(label+"the node, killed, starts again with what waits", func() error {
		// The hosts see first that the dead process's connections are gone: they
		// are not to be counted with those of the one that follows.
		if err := rig.Eventually(10*time.Second, func() error {
			if n := all.open.Load(); n > 0 {
				return fmt.Errorf("%d connections of the killed node still stand", n)
			}
			return nil
		}); err != nil {
			return err
		}
		return node.Start(r.ctx)
	})
	start := time.Now()
	r.Check(label+"every inbox of every host has every version (P4)", func() error {
		return rig.Eventually(5*time.Minute, func() error { return missing(append(swarm, steady...), titles) })
	})
	r.Figure(r.db+"_drain_after_return", time.Since(start).Seconds(), "s")
	r.Check(label+"versions of an object came in order to each inbox (P4)", func() error { return inOrder(append(swarm, steady...)) })
	r.Check(label+"at most 1 % of the deliveries came twice (P4)", func() error { return r.repeats(append(swarm, steady...)) })
	r.Check(label+"Retry-After is obeyed (P5)", func() error { return r.obeyed(swarm) })
	r.Check(label+"no host is stampeded (P5)", func() error { return r.gentle(swarm, all) })
	node.Stop()
	for _, h := range append(swarm, steady...) {
		_ = h.turn(down) // its listener, if it fails, ends with the suite
	}
}

// follow makes the hosts and their follows of the node's territory.
func (r *run) follow(node *rig.Node, all *account) (swarm, steady []*host, err error) {
	peer, actor, err := r.lender(node)
	if err != nil {
		return nil, nil, err
	}
	for i := range r.hosts + r.hosts/5 {
		h, err := newHost(fmt.Sprintf("127.0.2.%d", i+1), peer, all)
		if err != nil {
			return nil, nil, err
		}
		if i < r.hosts {
			swarm = append(swarm, h)
		} else {
			steady = append(steady, h)
		}
		for f := range inboxesOf {
			follow := peer.Activity("Follow", "", h.actor(f), actor, map[string]any{"id": h.actor(f) + "#follow"})
			if _, err := peer.Post(r.ctx, node.URL+"/inbox", h.actor(f), follow); err != nil {
				return nil, nil, err
			}
		}
	}
	return swarm, steady, all.accepted(time.Minute, int64(inboxesOf*(r.hosts+r.hosts/5)))
}

// lender makes a peer whose key hosts share, and the actor that they follow.
func (r *run) lender(node *rig.Node) (peer *rig.Peer, actor string, err error) {
	if peer, err = rig.NewPeer(nil); err != nil {
		return nil, "", err
	}
	r.Cleanup(peer.Close)
	first, err := publish(r.ctx, node, "", "La première")
	if err != nil {
		return nil, "", err
	}
	actor, err = rig.Author(r.ctx, first.ID)
	return peer, actor, err
}

// season publishes while the hosts flap, and gives the titles of the versions
// that were acknowledged.
func (r *run) season(node *rig.Node, swarm []*host) ([]string, error) {
	stop := make(chan struct{})
	errs := make([]error, len(swarm))
	var wg sync.WaitGroup
	// However short the season, somebody asks to wait in it.
	if err := swarm[0].turn(busy); err != nil {
		return nil, err
	}
	for i, h := range swarm {
		rng := rand.New(rand.NewPCG(r.Seed(), uint64(i)))
		wg.Go(func() { _, errs[i] = h.flap(rng, stop) })
	}
	var titles []string
	slugs, versions := make([]string, objects), make([]int, objects)
	rng := rand.New(rand.NewPCG(r.Seed(), 1<<32))
	for end := time.Now().Add(r.fickle); time.Now().Before(end); time.Sleep(pause) {
		o := rng.IntN(objects)
		versions[o]++
		title := fmt.Sprintf("Fiche %02d v%04d", o, versions[o])
		made, err := publish(r.ctx, node, slugs[o], title)
		if err != nil {
			close(stop)
			wg.Wait()
			return titles, err
		}
		slugs[o] = made.Slug
		titles = append(titles, title)
	}
	close(stop)
	wg.Wait()
	if len(titles) == 0 {
		return nil, errors.New("nothing was published")
	}
	return titles, errors.Join(errs...)
}

func missing(hosts []*host, titles []string) error {
	lacking, example := 0, ""
	for _, h := range hosts {
		h.mu.Lock()
		has := map[string]bool{}
		for _, g := range h.got {
			has[g.inbox+" "+g.title] = true
		}
		h.mu.Unlock()
		for i := range inboxesOf {
			inbox := fmt.Sprintf("/actors/%d/inbox", i)
			for _, t := range titles {
				if !has[inbox+" "+t] {
					lacking++
					example = h.url + inbox + " lacks " + t
				}
			}
		}
	}
	if lacking > 0 {
		return fmt.Errorf("%d of %d deliveries are missing: %s", lacking, len(hosts)*inboxesOf*len(titles), example)
	}
	return nil
}

func inOrder(hosts []*host) error {
	seen := 0
	for _, h := range hosts {
		h.mu.Lock()
		defer h.mu.Unlock()
		last := map[string]int{}
		for _, g := range h.got {
			key := g.inbox + " " + g.object
			if g.revision <= last[key] {
				return fmt.Errorf("%s%s: version %d of %s came after %d", h.url, g.inbox, g.revision, g.object, last[key])
			}
			last[key] = g.revision
			seen++
		}
	}
	if seen == 0 {
		return errors.New("nothing was delivered")
	}
	return nil
}

func (r *run) repeats(hosts []*host) error {
	sent, twice := 0, 0
	for _, h := range hosts {
		h.mu.Lock()
		for _, n := range h.times {
			sent += n
			twice += n - 1
		}
		h.mu.Unlock()
	}
	r.Figure(r.db+"_deliveries", sent, "")
	r.Figure(r.db+"_deliveries_twice", twice, "")
	if twice*100 > sent {
		return fmt.Errorf("%d of %d came twice", twice, sent)
	}
	return nil
}

// obeyed looks for requests inside a pause that was asked for; those that came
// with the one that was told may have been under way.
func (r *run) obeyed(hosts []*host) error {
	const slack = 300 * time.Millisecond
	asked, broken := 0, 0
	for _, h := range hosts {
		h.mu.Lock()
		for _, p := range h.pauses {
			asked++
			if slices.ContainsFunc(h.asked, func(t time.Time) bool { return t.After(p.Add(slack)) && t.Before(p.Add(retryAfter-slack)) }) {
				broken++
				i := slices.IndexFunc(h.asked, func(t time.Time) bool { return t.After(p.Add(slack)) })
				fmt.Printf("%s was asked %s after its pause began\n", h.address, h.asked[i].Sub(p))
			}
		}
		h.mu.Unlock()
	}
	r.Figure(r.db+"_pauses_asked", asked, "")
	switch {
	case asked == 0:
		return errors.New("nobody was asked to wait")
	case broken > 0:
		return fmt.Errorf("%d of %d pauses were not kept", broken, asked)
	}
	return nil
}

// gentle looks at how many connections and requests a host had to bear.
func (r *run) gentle(hosts []*host, all *account) error {
	open, rate, back, tooMany := 0, 0, 0, time.Duration(0)
	for _, h := range hosts {
		h.mu.Lock()
		open, back, tooMany = max(open, h.maxOpen), max(back, h.maxBack), max(tooMany, h.tooMany)
		if !h.over.IsZero() {
			tooMany = max(tooMany, time.Since(h.over))
		}
		from := 0
		for i, t := range h.asked {
			for t.Sub(h.asked[from]) > slowOver {
				from++
			}
			if !h.failed.IsZero() && h.asked[from].After(h.failed.Add(time.Second)) {
				rate = max(rate, i-from)
			}
		}
		h.mu.Unlock()
	}
	r.Figure(r.db+"_connections_to_a_host_max", open, "")
	r.Figure(r.db+"_requests_to_a_host_that_failed_max", float64(rate)/slowOver.Seconds(), "requests/s")
	r.Figure(r.db+"_requests_at_once_after_a_return_max", back, "")
	r.Figure(r.db+"_connections_in_all_max", all.maxOpen.Load(), "")
	r.Figure(r.db+"_deliveries_at_once_max", all.maxUnder.Load(), "")
	switch {
	case all.maxUnder.Load() > underWay || all.maxOpen.Load() > maxOpen:
		return fmt.Errorf("%d deliveries at once over %d connections, %d and %d allowed", all.maxUnder.Load(), all.maxOpen.Load(), underWay, maxOpen)
	// A host sees the next one begin before it sees that the one before has ended.
	case tooMany > closing || open > 2*maxAtOnce:
		return fmt.Errorf("%d connections to one host, more than %d for %s", open, maxAtOnce, tooMany)
	case rate*20 > slowRate*int(slowOver.Seconds())*21: // they leave evenly, and arrive nearly so
		return fmt.Errorf("%d requests in %s to a host that failed, %d a second allowed", rate, slowOver, slowRate)
	case back > atReturn:
		return fmt.Errorf("%d requests at once to a host that came back, %d allowed", back, atReturn)
	}
	return nil
}
