// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"fmt"
	"os"
	"slices"
	"time"
)

// Bounds of what one input may cost (security.md, P10), and of the whole (P9).
const (
	costMemory   = 64 << 20 // resident memory above what it was
	costCPU      = time.Second
	costRequests = 10 // to other hosts
	wholeMemory  = 512 << 20
	// Of so many inputs together the memory is that of one.
	few = 20
	// Each further input of an item pays for itself: its signature, its row, and the
	// answer.
	furtherCPU = 10 * time.Millisecond
)

// cost is what the node has used so far, and what it was sent.
type cost struct {
	pid       int
	cpu       time.Duration
	now, peak int64 // memory, in bytes; the peak since the account was opened
	requests  int64 // of the node to the hosts of the suite
	inputs    int64 // requests of the suite to the node
}

// account begins an account: the peak of memory counts from here.
func (w *world) account() (cost, error) {
	// 5 resets the peak (proc_pid_clear_refs(5)).
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", w.node.Pid()), []byte("5"), 0); err != nil {
		return cost{}, err
	}
	return w.cost()
}

func (w *world) cost() (c cost, err error) {
	c.pid, c.requests, c.inputs = w.node.Pid(), w.requests.Load(), w.inputs.Load()
	if c.cpu, err = w.node.CPU(); err != nil {
		return c, err
	}
	c.now, c.peak, err = w.node.RSS()
	return c, err
}

// spending is what an item cost, for the figures.
type spending struct {
	id       string
	cpu      time.Duration
	memory   int64
	requests int64
	inputs   int64
}

// affordable holds an item to what its inputs may cost. Those that the suite sends
// besides, to see what became of the node, count as inputs too.
func (w *world) affordable(id string, before cost) error {
	after, err := w.cost()
	if err != nil || after.pid != before.pid {
		return err // another process: the item restarted it
	}
	s := spending{id, after.cpu - before.cpu, after.peak - before.now, after.requests - before.requests, max(after.inputs-before.inputs, 1)}
	w.spendings = append(w.spendings, s)
	switch {
	case s.inputs <= few && s.memory > costMemory, after.peak > wholeMemory:
		return fmt.Errorf("%d MB more memory at the most, %d MB in all", s.memory>>20, after.peak>>20)
	case s.cpu > costCPU+time.Duration(s.inputs-1)*furtherCPU:
		return fmt.Errorf("%s of CPU for %d requests", s.cpu, s.inputs)
	case s.requests > costRequests*s.inputs:
		return fmt.Errorf("%d requests to other hosts for %d", s.requests, s.inputs)
	}
	return nil
}

// dearest are the figures of the items that cost most.
func (w *world) dearest() {
	top := func(what, unit string, of func(spending) float64) {
		sorted := slices.SortedFunc(slices.Values(w.spendings), func(a, b spending) int { return int(of(b) - of(a)) })
		for i, s := range sorted[:min(3, len(sorted))] {
			w.suite.Figure(fmt.Sprintf("item_%s_%d_of_%s", what, i+1, s.id), of(s), unit)
		}
	}
	top("cpu", "ms", func(s spending) float64 { return ms(s.cpu) })
	top("cpu_per_request", "ms", func(s spending) float64 { return ms(s.cpu) / float64(s.inputs) })
	top("memory", "MB", func(s spending) float64 { return float64(s.memory) / 1e6 })
	top("requests", "requests", func(s spending) float64 { return float64(s.requests) })
}

// timings are what honest activities and pages took.
type timings struct{ delays, pages []time.Duration }

// slack is what a process waits for its turn on two busy cores.
const slack = 60 * time.Millisecond

// underLoad is the same while the suite sends as much as it can from the same two
// cores (security.md, P9: pages within 300 ms).
const underLoad = 300 * time.Millisecond

// slower holds times to twice those of a calm node, at the 95th percentile. The
// calm ones were taken in turn with them, on a machine that was as busy.
func (calm *timings) slower(than *timings, slack time.Duration) error {
	for what, of := range map[string][2][]time.Duration{"activities": {than.delays, calm.delays}, "pages": {than.pages, calm.pages}} {
		got, was := percentile(of[0], 95), percentile(of[1], 95)
		if len(of[1]) < 20 {
			return fmt.Errorf("%s: compared with %d", what, len(of[1]))
		}
		if got > 2*was+slack {
			return fmt.Errorf("honest %s: p95 %s of %d, of a calm node %s of %d", what, got, len(of[0]), was, len(of[1]))
		}
	}
	return nil
}
