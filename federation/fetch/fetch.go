// SPDX-License-Identifier: AGPL-3.0-or-later

// Package fetch is the one outgoing HTTP client. Every request of the node, to
// a peer, a key, an inbox or a file to import, goes through it: the address is
// checked after its resolution, when it is dialled, so that no name can lead
// into a private network; time, size, redirects and connections are bounded;
// and a host that hangs holds up nobody but itself.
package fetch

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"code.dny.dev/ssrf"

	"essaim"
)

// ErrAddress means that an address must not be reached: private, a low port,
// plain HTTP in public. It is permanent.
var ErrAddress = fmt.Errorf("address not to be reached: %w", essaim.ErrInvalid)

// Config is what a Client needs; the zero value serves public addresses,
// unsigned.
type Config struct {
	UserAgent string // "Essaim" when empty
	// AllowPrivate lists ranges that may be reached although they are not public,
	// and over plain HTTP; for development and tests.
	AllowPrivate []netip.Prefix
	// Sign signs a GET as the node, at each hop. nil leaves requests unsigned.
	Sign func(r *http.Request, body []byte) error
	// SignOther signs the other way. It is tried once when a GET is answered 400
	// or 401, and remembered for a host that takes it.
	SignOther func(r *http.Request, body []byte) error
	// Refuse, when set, may keep a request from being made: its error is the
	// request's.
	Refuse func(ctx context.Context, address string) error
	// Now reads a Retry-After that is a date; time.Now when nil.
	Now     func() time.Time
	MaxBody int64         // of an answer, in bytes after decompression; 1 MiB when 0
	Connect time.Duration // to connect, and again for TLS; 5 s when 0
	Idle    time.Duration // without a byte from the other side; 10 s when 0
	Total   time.Duration // of a request with its redirects; 30 s when 0
	// Resolver replaces the machine's, in tests.
	Resolver *net.Resolver
	// TLS replaces the machine's authorities, in tests.
	TLS *tls.Config
	// Transport carries every request without the address check, in tests on a
	// network in memory.
	Transport http.RoundTripper
}

// Limits of every client.
const (
	maxRedirects    = 3
	maxHeader       = 64 << 10 // of an answer, in bytes
	maxConnsPerHost = 8        // as many as deliveries at a time: a host bears no more, whatever is asked of it
	maxGetsPerHost  = 4        // at a time
)

// otherPorts are those above the well-known ones on which other services than
// HTTP listen: databases, caches, remote desktops.
var otherPorts = [...]uint16{1433, 1521, 2049, 2375, 3306, 3389, 5432, 5672, 5900, 6000, 6379, 6667, 9042, 9092, 11211, 27017}

// Client makes requests. It is safe for concurrent use.
type Client struct {
	conf   Config
	public *http.Transport // https, to public addresses and those allowed
	plain  *http.Transport // http, to those allowed only
	lanes  lanes
	other  hostSet // that take the other signature
}

// New makes a Client.
func New(c Config) (*Client, error) {
	set := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	set(&c.Connect, 5*time.Second)
	set(&c.Idle, 10*time.Second)
	set(&c.Total, 30*time.Second)
	if c.MaxBody <= 0 {
		c.MaxBody = 1 << 20
	}
	if c.UserAgent == "" {
		c.UserAgent = "Essaim"
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	for _, p := range c.AllowPrivate {
		if !p.IsValid() {
			return nil, fmt.Errorf("fetch: range %s: %w", p, essaim.ErrInvalid)
		}
	}
	client := &Client{conf: c}
	client.public = client.transport(client.controlPublic())
	client.plain = client.transport(client.controlPlain)
	return client, nil
}

// Close closes the connections that are kept alive.
func (c *Client) Close() {
	c.public.CloseIdleConnections()
	c.plain.CloseIdleConnections()
}

func (c *Client) transport(control func(string, string, syscall.RawConn) error) *http.Transport {
	dialer := &net.Dialer{Timeout: c.conf.Connect, KeepAlive: 30 * time.Second, Control: control, Resolver: c.conf.Resolver}
	return &http.Transport{
		// No Proxy: a proxy would resolve names past the check.
		DialContext:            dialer.DialContext,
		ForceAttemptHTTP2:      true,
		TLSClientConfig:        c.conf.TLS.Clone(),
		TLSHandshakeTimeout:    c.conf.Connect,
		ResponseHeaderTimeout:  c.conf.Idle,
		MaxResponseHeaderBytes: maxHeader,
		MaxConnsPerHost:        maxConnsPerHost,
		MaxIdleConns:           256,
		MaxIdleConnsPerHost:    maxConnsPerHost,
		IdleConnTimeout:        90 * time.Second,
		// A connection that several requests share is given up when it is dead.
		HTTP2: &http.HTTP2Config{SendPingTimeout: c.conf.Idle, PingTimeout: c.conf.Connect},
	}
}

// controlPublic lets global unicast addresses pass, on 443 or a port above the
// well-known ones, and the ranges of the configuration.
func (c *Client) controlPublic() func(string, string, syscall.RawConn) error {
	guard := ssrf.New(ssrf.WithAnyPort())
	return func(network, address string, raw syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("%s: %w", address, ErrAddress)
		}
		if c.allowed(to.Addr()) {
			return nil
		}
		if to.Port() != 443 && (to.Port() < 1024 || slices.Contains(otherPorts[:], to.Port())) {
			return fmt.Errorf("port %d: %w", to.Port(), ErrAddress)
		}
		if err := guard.Safe(network, address, raw); err != nil {
			return fmt.Errorf("%w: %w", ErrAddress, err)
		}
		return nil
	}
}

func (c *Client) controlPlain(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || !c.allowed(to.Addr()) {
		return fmt.Errorf("plain HTTP to %s: %w", address, ErrAddress)
	}
	return nil
}

func (c *Client) allowed(a netip.Addr) bool {
	for _, p := range c.conf.AllowPrivate {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// do sends one request, without following redirects. The answer's body must be
// closed; reading it is bounded by the client's limits.
func (c *Client) do(r *http.Request) (*http.Response, error) {
	if c.conf.Refuse != nil {
		if err := c.conf.Refuse(r.Context(), r.URL.String()); err != nil {
			return nil, fmt.Errorf("%s: %w", r.URL.Host, err)
		}
	}
	r.Header.Set("User-Agent", c.conf.UserAgent)
	var transport http.RoundTripper = c.public
	switch r.URL.Scheme {
	case "https":
	case "http":
		if len(c.conf.AllowPrivate) == 0 {
			return nil, fmt.Errorf("%s: plain HTTP: %w", r.URL.Redacted(), ErrAddress)
		}
		transport = c.plain
	default:
		return nil, fmt.Errorf("%s: %w", r.URL.Redacted(), ErrAddress)
	}
	if c.conf.Transport != nil {
		transport = c.conf.Transport
	}
	answer, err := transport.RoundTrip(r)
	if err != nil {
		if errors.Is(err, ErrAddress) {
			return nil, fmt.Errorf("%s: %w", r.URL.Host, ErrAddress)
		}
		return nil, fmt.Errorf("%s: %w: %w", r.URL.Host, essaim.ErrUnavailable, err)
	}
	return answer, nil
}

// readBody reads an answer within the limits of size and idle time.
func (c *Client) readBody(answer *http.Response, limit int64, cancel context.CancelFunc) ([]byte, error) {
	var body bytes.Buffer
	err := c.copyBody(&body, answer, limit, cancel)
	if err != nil {
		return nil, err
	}
	return body.Bytes(), nil
}

// copyBody writes a body of at most limit bytes as it comes.
func (c *Client) copyBody(to io.Writer, answer *http.Response, limit int64, cancel context.CancelFunc) error {
	host := answer.Request.URL.Host
	if answer.ContentLength > limit {
		return fmt.Errorf("%s: answer of %d bytes: %w", host, answer.ContentLength, essaim.ErrInvalid)
	}
	timer := time.AfterFunc(c.conf.Idle, cancel)
	defer timer.Stop()
	n, err := io.Copy(to, io.LimitReader(&idleReader{answer.Body, timer, c.conf.Idle}, limit+1))
	if err != nil {
		return fmt.Errorf("%s: %w: %w", host, essaim.ErrUnavailable, err)
	}
	if n > limit {
		return fmt.Errorf("%s: answer above %d bytes: %w", host, limit, essaim.ErrInvalid)
	}
	return nil
}

// idleReader puts the timer off at each byte that comes.
type idleReader struct {
	r     io.Reader
	timer *time.Timer
	idle  time.Duration
}

func (i *idleReader) Read(p []byte) (int, error) {
	n, err := i.r.Read(p)
	if n > 0 {
		i.timer.Reset(i.idle)
	}
	return n, err
}

// lanes bounds how many GETs go to one host at a time. A host nobody asks for
// takes no memory.
type lanes struct {
	mu    sync.Mutex
	hosts map[string]*lane
}

type lane struct {
	slots chan struct{}
	users int
}

// enter waits for a place; the caller leaves by calling what it returns.
func (l *lanes) enter(ctx context.Context, host string) (func(), error) {
	host = strings.ToLower(host)
	l.mu.Lock()
	if l.hosts == nil {
		l.hosts = make(map[string]*lane)
	}
	here := l.hosts[host]
	if here == nil {
		here = &lane{slots: make(chan struct{}, maxGetsPerHost)}
		l.hosts[host] = here
	}
	here.users++
	l.mu.Unlock()
	leave := func() {
		l.mu.Lock()
		if here.users--; here.users == 0 {
			delete(l.hosts, host)
		}
		l.mu.Unlock()
	}
	select {
	case here.slots <- struct{}{}:
		return func() { <-here.slots; leave() }, nil
	case <-ctx.Done():
		leave()
		return nil, fmt.Errorf("%s: %w: %w", host, essaim.ErrUnavailable, ctx.Err())
	}
}
