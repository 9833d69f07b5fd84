// SPDX-License-Identifier: AGPL-3.0-or-later

// Package fedtest is a Fediverse in memory: hosts that reach each other without
// sockets, and a scripted peer with valid keys. For tests only.
package fedtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"

	"essaim/federation/sig"
)

// Network carries requests between hosts of one test. It is the
// http.RoundTripper of each of them.
type Network struct {
	mu     sync.Mutex
	hosts  map[string]http.Handler
	down   map[string]bool
	silent map[string]bool
	log    []Request
}

// Request is one that was carried.
type Request struct {
	Method, Host, Path string
	Status             int // 0 when nobody answered
	Body               []byte
	KeyID              string // by which it says that it is signed; empty for none
}

// NewNetwork makes one without hosts.
func NewNetwork() *Network {
	return &Network{hosts: map[string]http.Handler{}, down: map[string]bool{}, silent: map[string]bool{}}
}

// Serve puts a handler behind a host, replacing the one that was there.
func (n *Network) Serve(host string, h http.Handler) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hosts[strings.ToLower(host)] = h
}

// SetDown makes a host refuse connections, or takes that back.
func (n *Network) SetDown(host string, down bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.down[host] = down
}

// SetSilent makes a host accept requests and never answer, or takes that back.
func (n *Network) SetSilent(host string, silent bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.silent[host] = silent
}

// Log lists what was carried so far.
func (n *Network) Log() []Request {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]Request(nil), n.log...)
}

var errRefused = errors.New("connection refused")

// RoundTrip implements http.RoundTripper.
func (n *Network) RoundTrip(r *http.Request) (*http.Response, error) {
	host := strings.ToLower(r.URL.Host)
	n.mu.Lock()
	h, down, silent := n.hosts[host], n.down[host], n.silent[host]
	n.mu.Unlock()
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		_ = r.Body.Close()
	}
	entry := Request{Method: r.Method, Host: host, Path: r.URL.RequestURI(), Body: body}
	if key, ok := sig.ClaimedKey(r.Header); ok {
		entry.KeyID = key.String()
	}
	if h == nil || down {
		n.note(entry)
		return nil, fmt.Errorf("dial %s: %w", host, errRefused)
	}
	if silent {
		n.note(entry)
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	answered := make(chan *httptest.ResponseRecorder, 1)
	go func() { answered <- Answer(h, r, host, body) }()
	select {
	case w := <-answered:
		answer := w.Result()
		answer.Request = r
		entry.Status = answer.StatusCode
		n.note(entry)
		return answer, nil
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

// Answer has a host's handler answer a request, whose body was read. It sees what a
// server does: the target alone in the URL, the host apart, and of the sender's
// context only its end.
func Answer(h http.Handler, r *http.Request, host string, body []byte) *httptest.ResponseRecorder {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	defer context.AfterFunc(r.Context(), cancel)()
	in := r.Clone(ctx)
	in.RequestURI, in.Host, in.RemoteAddr = r.URL.RequestURI(), host, "192.0.2.1:1234"
	in.URL.Scheme, in.URL.Host = "", ""
	in.Body, in.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, in)
	return w
}

func (n *Network) note(e Request) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.log = append(n.log, e)
}
