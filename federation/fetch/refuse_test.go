// SPDX-License-Identifier: AGPL-3.0-or-later

package fetch

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
)

// Whoever is refused is asked nothing: not by a GET, not behind a redirect, not
// by a delivery.
func TestWhoIsRefusedIsAskedNothing(t *testing.T) {
	t.Parallel()
	var reached atomic.Int32
	var other string
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/away" {
			http.Redirect(w, r, other+"/blocked", http.StatusFound)
			return
		}
		reached.Add(1)
	})
	other = s.URL
	refused := errors.New("blocked")
	c := client(t, Config{AllowPrivate: loopback, Refuse: func(_ context.Context, address string) error {
		if strings.HasSuffix(address, "/blocked") {
			return refused
		}
		return nil
	}})
	for _, path := range []string{"/blocked", "/away"} {
		if _, err := c.Get(t.Context(), s.URL+path, activityJSON, true); !errors.Is(err, refused) {
			t.Errorf("GET %s: %v", path, err)
		}
	}
	if _, err := c.Post(t.Context(), s.URL+"/blocked", nil, func(*http.Request, []byte) error { return nil }); !errors.Is(err, refused) {
		t.Errorf("POST: %v", err)
	}
	if got := reached.Load(); got != 0 {
		t.Errorf("reached %d times", got)
	}
	if _, err := c.Post(t.Context(), s.URL+"/inbox", nil, func(*http.Request, []byte) error { return nil }); err != nil || reached.Load() != 1 {
		t.Errorf("the others: %v, reached %d times", err, reached.Load())
	}
}
