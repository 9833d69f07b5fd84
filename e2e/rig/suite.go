// SPDX-License-Identifier: AGPL-3.0-or-later

// Package rig holds what the suites that run the real binary share: starting
// and killing nodes, asking them over HTTP, a scripted peer with keys of its
// own, and the report that every suite ends with.
package rig

import (
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// Suite runs named checks and reports them.
type Suite struct {
	name    string
	seed    uint64
	start   time.Time
	mu      sync.Mutex
	passed  int
	failed  int
	cleanup []func()
}

// NewSuite prints the seed first, so that a run cut short can be replayed. An
// interrupt still stops what the suite started.
func NewSuite(name string, seed uint64) *Suite {
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	fmt.Printf("%s: seed %d\n", name, seed)
	s := &Suite{name: name, seed: seed, start: time.Now()}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-stop
		s.runCleanup()
		os.Exit(1)
	}()
	return s
}

// Seed is what the suite's random choices follow from.
func (s *Suite) Seed() uint64 { return s.seed }

// Cleanup is called when the suite ends, last added first.
func (s *Suite) Cleanup(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cleanup = append(s.cleanup, f)
}

// Check runs one check and prints what came of it.
func (s *Suite) Check(name string, f func() error) bool {
	start := time.Now()
	err := f()
	took := time.Since(start).Round(10 * time.Millisecond)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.failed++
		fmt.Printf("FAIL  %s (%s): %v\n", name, took, err)
		return false
	}
	s.passed++
	fmt.Printf("ok    %s (%s)\n", name, took)
	return true
}

// Must is Check for what the rest depends on: the suite ends if it fails.
func (s *Suite) Must(name string, f func() error) {
	if !s.Check(name, f) {
		s.End()
	}
}

// Figure prints one measured value as a JSON object on a line of its own.
func (s *Suite) Figure(name string, value any, unit string) {
	b, err := json.Marshal(map[string]any{"suite": s.name, "figure": name, "value": value, "unit": unit})
	if err != nil {
		panic(err) // a value that JSON cannot hold is a fault of the suite
	}
	fmt.Println(string(b))
}

// End stops what was started, prints the closing line and exits: 1 when a check
// failed or none ran.
func (s *Suite) End() {
	s.runCleanup()
	fmt.Printf("%s: seed %d, %s\n", s.name, s.seed, time.Since(s.start).Round(100*time.Millisecond))
	fmt.Printf("%d passed, %d failed\n", s.passed, s.failed)
	if s.failed > 0 || s.passed == 0 {
		os.Exit(1)
	}
	os.Exit(0)
}

func (s *Suite) runCleanup() {
	s.mu.Lock()
	todo := s.cleanup
	s.cleanup = nil
	s.mu.Unlock()
	for i := len(todo) - 1; i >= 0; i-- {
		todo[i]()
	}
}

// Eventually asks until f answers nil, every 20 ms, and gives its last error
// after the time allowed.
func Eventually(within time.Duration, f func() error) error {
	deadline := time.Now().Add(within)
	for {
		err := f()
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("after %s: %w", within, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
