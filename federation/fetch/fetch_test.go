// SPDX-License-Identifier: AGPL-3.0-or-later

package fetch

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"essaim"
)

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

func client(t testing.TB, c Config) *Client {
	t.Helper()
	got, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(got.Close)
	return got
}

func serve(t testing.TB, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

// id is an identify that trusts encoding/json.
func id(raw []byte) (string, error) {
	var d struct{ ID string }
	if err := json.Unmarshal(raw, &d); err != nil {
		return "", fmt.Errorf("%w: %w", essaim.ErrInvalid, err)
	}
	return d.ID, nil
}

func TestOneInputMakesABoundedNumberOfRequests(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.URL.Path == "/a" {
			http.Redirect(w, r, "/b", http.StatusFound)
		}
	})
	c := client(t, Config{AllowPrivate: loopback})
	ctx := Bounded(t.Context(), 3)
	for i, want := range []error{nil, essaim.ErrInvalid, essaim.ErrInvalid} {
		// Bounded again it gets no more.
		if _, err := c.Get(Bounded(ctx, 100), s.URL+"/a", "*/*", false); !errors.Is(err, want) {
			t.Errorf("input %d: got %v, want %v", i, err, want)
		}
	}
	if n := asked.Load(); n != 3 {
		t.Errorf("%d requests, want 3", n)
	}
}

func TestPrivateAddressesAreNeverReached(t *testing.T) {
	t.Parallel()
	var reached atomic.Int32
	s := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	defer s.Close()
	port := s.URL[strings.LastIndex(s.URL, ":"):]
	c := client(t, Config{TLS: &tls.Config{InsecureSkipVerify: true}})
	for _, address := range []string{
		s.URL, "https://localhost" + port, "https://127.1.2.3" + port, "https://[::1]" + port, "https://[::ffff:127.0.0.1]" + port,
		"https://0.0.0.0" + port, "https://[::]" + port, "https://[::127.0.0.1]" + port, "https://127.1" + port, "https://2130706433" + port,
		"https://10.0.0.5", "https://172.16.0.1", "https://192.168.1.10", "https://169.254.169.254", "https://100.64.0.1", "https://198.18.0.1",
		"https://224.0.0.1", "https://240.0.0.1", "https://255.255.255.255", "https://[fd00::1]", "https://[fe80::1]", "https://[ff02::1]",
		"https://[64:ff9b::7f00:1]", "https://[2002:7f00:1::]", "https://[2001:0:7f00:1::]", "https://[2001:db8::1]",
		"http://93.184.215.14", "https://93.184.215.14:25", "https://93.184.215.14:5432", "https://93.184.215.14:6379", "ftp://93.184.215.14", "file:///etc/passwd",
	} {
		_, err := c.Get(t.Context(), address, "*/*", true)
		if !errors.Is(err, ErrAddress) && !errors.Is(err, essaim.ErrInvalid) {
			// A form that the resolver itself refuses is refused as well.
			var dns *net.DNSError
			if !errors.As(err, &dns) {
				t.Errorf("GET %s: %v", address, err)
			}
		}
		if _, err := c.Post(t.Context(), address, []byte("{}"), func(*http.Request, []byte) error { return nil }); err == nil {
			t.Errorf("POST %s: no error", address)
		}
	}
	if n := reached.Load(); n != 0 {
		t.Errorf("reached %d times", n)
	}
}

func TestAllowedRangesAreReachedInPlain(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.UserAgent()) })
	answer, err := client(t, Config{AllowPrivate: loopback, UserAgent: "Essaim/test"}).Get(t.Context(), s.URL, "*/*", false)
	if err != nil || string(answer.Body) != "Essaim/test" {
		t.Errorf("got %q, %v", answer.Body, err)
	}
	elsewhere := client(t, Config{AllowPrivate: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
	if _, err := elsewhere.Get(t.Context(), s.URL, "*/*", false); !errors.Is(err, ErrAddress) {
		t.Errorf("outside the range: %v", err)
	}
}

func TestDocumentIsHeldToItsID(t *testing.T) {
	t.Parallel()
	const activity = "application/activity+json"
	var base, other string
	page := func(w http.ResponseWriter, contentType, id string) {
		w.Header().Set("Content-Type", contentType)
		fmt.Fprintf(w, `{"id":%q}`, id)
	}
	var signed atomic.Int32
	second := serve(t, func(w http.ResponseWriter, r *http.Request) { page(w, activity, base+r.URL.Path) })
	other = second.URL
	first := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch p := r.URL.Path; p {
		case "/good", "/real", "/profile", "/charset":
			typ := map[string]string{
				"/profile": `application/ld+json; profile="https://www.w3.org/ns/activitystreams"`,
				"/charset": "application/activity+json; charset=utf-8",
			}[p]
			if typ == "" {
				typ = activity
			}
			page(w, typ, base+p)
		case "/text", "/json", "/ld", "/octet", "/none":
			typ := map[string]string{"/text": "text/plain", "/json": "application/json", "/ld": `application/ld+json; profile="https://example.org/other"`, "/octet": "application/octet-stream", "/none": ""}[p]
			page(w, typ, base+p)
		case "/stub":
			page(w, activity, base+"/real")
		case "/upload":
			page(w, activity, base+"/upload2")
		case "/upload2":
			page(w, activity, base+"/upload3")
		case "/foreign":
			page(w, activity, other+"/good")
		case "/noid":
			page(w, activity, "")
		case "/moved":
			http.Redirect(w, r, "/good", http.StatusFound)
		case "/away":
			http.Redirect(w, r, other+"/away", http.StatusFound)
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		case "/gone":
			w.WriteHeader(http.StatusGone)
		case "/secret":
			w.WriteHeader(http.StatusForbidden)
		case "/busy":
			w.WriteHeader(http.StatusTooManyRequests)
		case "/odd":
			w.WriteHeader(http.StatusNoContent)
		default:
			http.NotFound(w, r)
		}
	})
	base = first.URL
	c := client(t, Config{AllowPrivate: loopback, Sign: func(r *http.Request, body []byte) error {
		signed.Add(1)
		r.Header.Set("Signature", r.URL.Path)
		return nil
	}})
	for _, tc := range []struct {
		path, want string
		err        error
	}{
		{"/good", "/good", nil},
		{"/profile", "/profile", nil},
		{"/charset", "/charset", nil},
		{"/stub", "/real", nil},
		{"/moved", "/good", nil},
		{"/text", "", essaim.ErrInvalid},
		{"/json", "", essaim.ErrInvalid},
		{"/ld", "", essaim.ErrInvalid},
		{"/octet", "", essaim.ErrInvalid},
		{"/none", "", essaim.ErrInvalid},
		{"/upload", "", essaim.ErrInvalid},
		{"/foreign", "", essaim.ErrInvalid},
		{"/noid", "", essaim.ErrInvalid},
		{"/away", "", essaim.ErrInvalid},
		{"/loop", "", essaim.ErrInvalid},
		{"/odd", "", essaim.ErrInvalid},
		{"/missing", "", essaim.ErrNotFound},
		{"/gone", "", essaim.ErrGone},
		{"/secret", "", essaim.ErrForbidden},
		{"/busy", "", essaim.ErrUnavailable},
	} {
		got, err := c.Document(t.Context(), base+tc.path, id)
		if !errors.Is(err, tc.err) || (err == nil && got.URL != base+tc.want) {
			t.Errorf("%s: got %s, %v; want %s, %v", tc.path, got.URL, err, tc.want, tc.err)
		}
	}
	signed.Store(0)
	if _, err := c.Document(t.Context(), base+"/moved", id); err != nil || signed.Load() != 2 {
		t.Errorf("a redirect: %v, signed %d times, want 2", err, signed.Load())
	}
}

func TestAnswersAreBounded(t *testing.T) {
	t.Parallel()
	bomb := new(bytes.Buffer)
	zip := gzip.NewWriter(bomb)
	for range 64 {
		_, _ = zip.Write(make([]byte, 1<<20))
	}
	_ = zip.Close()
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/declared":
			w.Header().Set("Content-Length", "2000000")
		case "/endless":
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 32<<10)); err != nil {
					return
				}
			}
		case "/bomb":
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(bomb.Bytes())
		case "/headers":
			for i := range 100 {
				w.Header().Set(fmt.Sprintf("X-%d", i), strings.Repeat("a", 8<<10))
			}
		case "/silent":
			<-r.Context().Done()
		case "/stops":
			_, _ = w.Write([]byte("{"))
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		case "/drip":
			for r.Context().Err() == nil {
				_, _ = w.Write([]byte(" "))
				w.(http.Flusher).Flush()
				select {
				case <-r.Context().Done():
				case <-time.After(20 * time.Millisecond):
				}
			}
		}
	})
	c := client(t, Config{AllowPrivate: loopback, Idle: 200 * time.Millisecond, Total: 600 * time.Millisecond})
	for path, want := range map[string]error{
		"/declared": essaim.ErrInvalid, "/endless": essaim.ErrInvalid, "/bomb": essaim.ErrInvalid, "/headers": essaim.ErrUnavailable,
		"/silent": essaim.ErrUnavailable, "/stops": essaim.ErrUnavailable, "/drip": essaim.ErrUnavailable,
	} {
		start := time.Now()
		_, err := c.Get(t.Context(), s.URL+path, "*/*", false)
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", path, err, want)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%s: took %s", path, took)
		}
	}
}

func TestHangingHostsHoldUpNobody(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	hang := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	port := hang.URL[strings.LastIndex(hang.URL, ":"):]
	well := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) })
	c := client(t, Config{AllowPrivate: loopback})
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	sign := func(*http.Request, []byte) error { return nil }
	for i := range 300 {
		wg.Go(func() {
			_, _ = c.Post(ctx, fmt.Sprintf("http://127.0.%d.%d%s/inbox", i/250, i%250+2, port), []byte("{}"), sign)
		})
	}
	for range 50 {
		if result, err := c.Post(t.Context(), well.URL, []byte("{}"), sign); err != nil || result.Status != http.StatusAccepted {
			t.Fatalf("beside hanging hosts: %+v, %v", result, err)
		}
	}
	close(release)
	cancel()
	wg.Wait()
}

// Requests that wait for a connection dial one, and may be served by another
// that came free meanwhile: only a bound of connections keeps their number.
func TestFewConnectionsGoToOneHost(t *testing.T) {
	t.Parallel()
	var open, most atomic.Int64
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) }))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			n := open.Add(1)
			for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
			}
		case http.StateClosed:
			open.Add(-1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	c := client(t, Config{AllowPrivate: loopback})
	var wg sync.WaitGroup
	for range 40 {
		wg.Go(func() {
			for range 5 {
				result, err := c.Post(t.Context(), s.URL+"/inbox", []byte("{}"), func(*http.Request, []byte) error { return nil })
				if err != nil || result.Status != http.StatusAccepted {
					t.Errorf("%+v, %v", result, err)
				}
			}
		})
	}
	wg.Wait()
	if n := most.Load(); n == 0 || n > 8 {
		t.Errorf("%d connections to one host, 1 to 8 allowed", n)
	}
}

func TestFewGetsGoToOneHostAtATime(t *testing.T) {
	t.Parallel()
	var l lanes
	var leave []func()
	for range maxGetsPerHost {
		out, err := l.enter(t.Context(), "peer.example")
		if err != nil {
			t.Fatal(err)
		}
		leave = append(leave, out)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.enter(over, "Peer.example"); !errors.Is(err, essaim.ErrUnavailable) {
		t.Errorf("one too many: %v", err)
	}
	out, err := l.enter(t.Context(), "other.example")
	if err != nil {
		t.Errorf("another host: %v", err)
	}
	out()
	leave[0]()
	again, err := l.enter(t.Context(), "peer.example")
	if err != nil {
		t.Errorf("after one left: %v", err)
	}
	leave[0] = again
	for _, out := range leave {
		out()
	}
	if len(l.hosts) != 0 {
		t.Errorf("%d hosts remembered", len(l.hosts))
	}
}
