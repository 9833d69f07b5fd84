// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"essaim/e2e/rig"
)

const (
	neighbours = 9 // honest activities for each poison
	maxTries   = 5
	// addedDelay is what a neighbour of poison may wait longer, at the 99th percentile.
	addedDelay = time.Second
)

// poison mixes activities that break whoever applies them, or whoever delivers
// to their sender, with honest ones (P8).
func (r *run) poison() {
	label := r.db + ", poison: "
	var node *rig.Node
	var honest *asker
	r.Must(label+"a node and an honest peer", func() (err error) {
		if node, err = r.node("poison", true); err != nil {
			return err
		}
		honest, err = r.newAsker(node)
		return err
	})
	var alone []time.Duration
	r.Check(label+"an honest peer alone is served", func() (err error) {
		alone, err = honest.rounds(r.poisons * neighbours / 3)
		return err
	})
	r.Figure(r.db+"_follow_to_accept_alone_p99", ms(percentile(alone, 0.99)), "ms")
	r.Check(label+"poison that is received delays nobody (P8)", func() error { return r.receive(node, honest, percentile(alone, 0.99)) })
	r.Check(label+"what fails is kept with its reason, after five tries at most, and can be replayed (P8)", func() error { return r.deadLetters(node) })
	r.Check(label+"what is made to take time takes 100 ms of CPU at most, and delays nobody (P8)", func() error { return r.spend(node, honest, percentile(alone, 0.99)) })
	r.Check(label+"hosts that answer nonsense delay nobody (P8)", func() error { return r.send(node, honest, percentile(alone, 0.99)) })
	honest.Close()
	node.Stop()
}

// asker follows the territory again and again, each time as another actor, and
// measures how long the Accept takes: through the inbox, the ingester, the
// queue and the deliverer.
type asker struct {
	*rig.Peer
	run    *run
	node   *rig.Node
	target string
	mu     sync.Mutex
	asked  map[string]time.Time
	took   []time.Duration
	sent   int
	got    []string // titles received
}

func (r *run) newAsker(node *rig.Node) (*asker, error) {
	a := &asker{run: r, node: node, asked: map[string]time.Time{}}
	var err error
	if a.Peer, err = rig.NewPeer(a.inbox); err != nil {
		return nil, err
	}
	r.Cleanup(a.Close)
	made, err := publish(r.ctx, node, "", "La première")
	if err != nil {
		return nil, err
	}
	a.target, err = rig.Author(r.ctx, made.ID)
	return a, err
}

func (a *asker) inbox(w http.ResponseWriter, _ *http.Request, body []byte) {
	now := time.Now()
	var in struct {
		Type   string `json:"type"`
		Object struct {
			ID   string `json:"id"`
			Name string `json:"name"`
		} `json:"object"`
	}
	if json.Unmarshal(body, &in) == nil {
		a.mu.Lock()
		if at, ok := a.asked[in.Object.ID]; ok && in.Type == "Accept" {
			a.took = append(a.took, now.Sub(at))
			delete(a.asked, in.Object.ID)
		}
		if in.Type == "Create" {
			a.got = append(a.got, in.Object.Name)
		}
		a.mu.Unlock()
	}
	w.WriteHeader(http.StatusAccepted)
}

// ask sends one Follow; a refusal of an honest request is an error.
func (a *asker) ask() error {
	a.mu.Lock()
	a.sent++
	n := a.sent
	actor := a.Actor(fmt.Sprintf("h%d", n))
	body := a.Activity("Follow", fmt.Sprintf("honest-%d", n), actor, a.target, nil)
	a.asked[a.URL+"/activities/"+fmt.Sprintf("honest-%d", n)] = time.Now()
	a.mu.Unlock()
	_, err := a.Post(a.run.ctx, a.node.URL+"/inbox", actor, body)
	return err
}

// rounds asks n times, a hundred times a second, and waits for all the Accepts.
func (a *asker) rounds(n int) ([]time.Duration, error) {
	for range n {
		if err := a.ask(); err != nil {
			return nil, err
		}
		time.Sleep(10 * time.Millisecond)
	}
	return a.answers()
}

// answers waits for what was asked, and forgets it.
func (a *asker) answers() ([]time.Duration, error) {
	err := rig.Eventually(time.Minute, func() error {
		a.mu.Lock()
		defer a.mu.Unlock()
		if len(a.asked) > 0 {
			return fmt.Errorf("%d Follows are not accepted", len(a.asked))
		}
		return nil
	})
	a.mu.Lock()
	defer a.mu.Unlock()
	took := a.took
	a.took = nil
	return took, err
}

// poisons are activities that a peer with valid keys may send, by what they
// break. Each is signed as it should be. panics is the name of an object by
// which serve --dev lets a suite plant a fault of the node's own.
func poisons(p *rig.Peer, node, target, panics string, i int) (actor string, body []byte) {
	actor = p.Actor("territory")
	id := fmt.Sprintf("poison-%d", i)
	record := map[string]any{
		"@context": rig.ASContext, "id": fmt.Sprintf("%s/objects/%d", p.URL, i), "type": "Article", "attributedTo": actor,
		"name": "Fiche empoisonnée", "content": "<p>Texte.</p>", "published": "2026-01-01T00:00:00Z", "updated": "2026-01-01T00:00:00Z",
		"to": []string{rig.Public}, "essaim:kind": "initiative", "essaim:revision": 1, "essaim:incarnation": 1,
	}
	kinds := []func() []byte{
		func() []byte {
			record["essaim:revision"] = "douze"
			return p.Activity("Create", id, actor, record, nil)
		},
		func() []byte { record["essaim:kind"] = "inconnue"; return p.Activity("Create", id, actor, record, nil) },
		func() []byte {
			record["name"] = strings.Repeat("a", 100_000)
			return p.Activity("Create", id, actor, record, nil)
		},
		func() []byte {
			record["updated"] = "2096-01-01T00:00:00Z"
			return p.Activity("Create", id, actor, record, nil)
		},
		func() []byte {
			record["location"] = []any{1, nil, "x"}
			return p.Activity("Update", id, actor, record, nil)
		},
		func() []byte { return p.Activity("Update", id, actor, nil, nil) },
		func() []byte { record["content"] = "a\u0000b"; return p.Activity("Create", id, actor, record, nil) },
		func() []byte {
			return p.Activity("Undo", id, actor, map[string]any{"type": "Undo", "object": map[string]any{"type": "Undo"}}, nil)
		},
		func() []byte { return p.Activity("Announce", id, actor, p.URL+"/activities/"+id, nil) },
		func() []byte {
			return p.Activity("Accept", id, actor, map[string]any{"type": "Follow", "id": node + "/activities/none"}, nil)
		},
		func() []byte {
			record["attributedTo"] = []any{actor, actor, 3}
			return p.Activity("Create", id, actor, record, nil)
		},
		func() []byte { return p.Activity("Flag", id, actor, []any{1, 2, strings.Repeat("b", 9000)}, nil) },
		func() []byte {
			record["essaim:places"] = strings.Repeat("[", 20)
			return p.Activity("Create", id, actor, record, nil)
		},
		func() []byte { return p.Activity("Move", id, actor, actor, map[string]any{"target": actor}) },
		func() []byte {
			return p.Activity("Create", id, actor, map[string]any{
				"id": p.URL + "/notes/" + id, "type": "Note", "attributedTo": actor, "inReplyTo": target, "content": strings.Repeat("<b>", 5000), "to": []string{rig.Public},
			}, nil)
		},
		func() []byte { record["name"] = panics; return p.Activity("Create", id, actor, record, nil) },
	}
	return actor, kinds[i%len(kinds)]()
}

// receive interleaves poison with honest Follows.
func (r *run) receive(node *rig.Node, honest *asker, alone time.Duration) error {
	evil, err := rig.NewPeer(nil)
	if err != nil {
		return err
	}
	defer evil.Close()
	var routes map[string]string
	if err := node.API(r.ctx, http.MethodGet, "routes", nil, &routes); err != nil {
		return err
	}
	taken, refused := 0, 0
	for i := range r.poisons {
		actor, body := poisons(evil, node.URL, honest.target, routes["PANIC_HOOK"], i)
		status, err := evil.Post(r.ctx, node.URL+"/inbox", actor, body)
		switch status / 100 {
		case 2:
			taken++
		case 4:
			refused++
		default:
			return fmt.Errorf("poison %d: %d: %w", i, status, err)
		}
		for range neighbours {
			if err := honest.ask(); err != nil {
				return fmt.Errorf("honest, beside poison %d: %w", i, err)
			}
			time.Sleep(3 * time.Millisecond)
		}
	}
	took, err := honest.answers()
	if err != nil {
		return err
	}
	p99 := percentile(took, 0.99)
	r.Figure(r.db+"_poison_taken", taken, "")
	r.Figure(r.db+"_poison_refused", refused, "")
	r.Figure(r.db+"_follow_to_accept_beside_poison_p99", ms(p99), "ms")
	if p99 > alone+addedDelay {
		return fmt.Errorf("neighbours wait %s at the 99th percentile, %s alone", p99, alone)
	}
	return nil
}

// deadLetters looks at what an administrator is shown of poison.
func (r *run) deadLetters(node *rig.Node) error {
	type entry struct {
		ID, State, Reason string
		Attempt           int
	}
	list := func() ([]entry, error) {
		out, err := node.Run(r.ctx, "queue", "list", "--data", node.Dir, "--json")
		if err != nil {
			return nil, err
		}
		var all, in []entry
		if err := json.Unmarshal([]byte(out), &all); err != nil {
			return nil, err
		}
		for _, e := range all {
			if strings.HasPrefix(e.ID, "in:") {
				in = append(in, e)
			}
		}
		return in, nil
	}
	entries, err := list()
	if err != nil {
		return err
	}
	var panicked []string
	for _, e := range entries {
		if e.Reason == "" {
			return fmt.Errorf("%s (%s) has no reason", e.ID, e.State)
		}
		if e.Attempt > maxTries {
			return fmt.Errorf("%s was tried %d times", e.ID, e.Attempt)
		}
		if strings.HasPrefix(e.Reason, "panic") {
			panicked = append(panicked, e.ID)
		}
	}
	r.Figure(r.db+"_shown_with_a_reason", len(entries), "")
	r.Figure(r.db+"_panicked", len(panicked), "")
	if len(panicked) == 0 {
		return errors.New("nothing panicked: is the hook there?")
	}
	_, err = node.Run(r.ctx, append([]string{"queue", "retry", "--data", node.Dir}, panicked...)...)
	return err
}
