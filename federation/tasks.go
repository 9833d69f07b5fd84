// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import "sync"

// tasks are what runs beside. Unlike sync.WaitGroup, some may be begun while others
// are waited for: requests are answered meanwhile.
type tasks struct {
	mu   sync.Mutex
	n    int
	idle chan struct{} // closed once none is under way; nil while nobody waits
}

// Go runs one.
func (t *tasks) Go(run func()) {
	t.mu.Lock()
	t.n++
	t.mu.Unlock()
	go func() {
		defer t.done()
		run()
	}()
}

func (t *tasks) done() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n--; t.n == 0 && t.idle != nil {
		close(t.idle)
		t.idle = nil
	}
}

// Wait returns at a moment at which none is under way.
func (t *tasks) Wait() {
	t.mu.Lock()
	if t.n == 0 {
		t.mu.Unlock()
		return
	}
	if t.idle == nil {
		t.idle = make(chan struct{})
	}
	idle := t.idle
	t.mu.Unlock()
	<-idle
}
