// SPDX-License-Identifier: AGPL-3.0-or-later

package fetch

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"

	"essaim"
)

// ask makes one GET, signed as its host takes it. Only what may be missing is
// tried: servers that ask for a signature answer 401, some 400.
func (c *Client) ask(ctx context.Context, at *url.URL, q question) (*http.Response, error) {
	other := c.other.has(at.Host)
	first, err := c.asked(ctx, at, q, other)
	if err != nil || c.conf.SignOther == nil || !unsigned(first.StatusCode) {
		return first, err
	}
	second, err := c.asked(ctx, at, q, !other)
	if err != nil {
		return first, nil //nolint:nilerr // the first answer stands
	}
	if unsigned(second.StatusCode) {
		discard(second)
		return first, nil
	}
	discard(first)
	c.other.set(at.Host, !other)
	return second, nil
}

func (c *Client) asked(ctx context.Context, at *url.URL, q question, other bool) (*http.Response, error) {
	if err := spend(ctx, at); err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("address %q: %w", at, essaim.ErrInvalid)
	}
	r.Header.Set("Accept", q.accept)
	if q.tag != "" {
		r.Header.Set("If-None-Match", q.tag)
	}
	sign := c.conf.Sign
	if other {
		sign = c.conf.SignOther
	}
	if sign != nil {
		if err := sign(r, nil); err != nil {
			return nil, err
		}
	}
	return c.do(r)
}

func unsigned(status int) bool {
	return status == http.StatusBadRequest || status == http.StatusUnauthorized
}

// discard reads a little of a body, so that its connection serves again.
func discard(r *http.Response) {
	_, _ = io.CopyN(io.Discard, r.Body, 4<<10)
	_ = r.Body.Close()
}

// maxHosts bounds a hostSet. Which host falls out does not matter: it costs one
// more request.
const maxHosts = 10_000

// hostSet is a set of hosts, of bounded size.
type hostSet struct {
	mu    sync.Mutex
	hosts map[string]struct{}
}

func (s *hostSet) has(host string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.hosts[host]
	return ok
}

func (s *hostSet) set(host string, in bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !in {
		delete(s.hosts, host)
		return
	}
	if s.hosts == nil || len(s.hosts) >= maxHosts {
		s.hosts = map[string]struct{}{}
	}
	s.hosts[host] = struct{}{}
}
