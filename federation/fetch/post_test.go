// SPDX-License-Identifier: AGPL-3.0-or-later

package fetch

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"essaim"
)

func TestPostSaysWhatTheInboxAnswered(t *testing.T) {
	t.Parallel()
	var got atomic.Value
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got.Store(r.Method + " " + r.Header.Get("Content-Type") + " " + string(body))
		switch r.URL.Path {
		case "/moved":
			http.Redirect(w, r, "/inbox", http.StatusTemporaryRedirect)
		case "/busy":
			w.Header().Set("Retry-After", "120")
			w.WriteHeader(http.StatusTooManyRequests)
		case "/date":
			w.Header().Set("Retry-After", "Sun, 01 Mar 2026 12:01:00 GMT")
			w.WriteHeader(http.StatusServiceUnavailable)
		case "/portal":
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = io.WriteString(w, "\n<!DOCTYPE html><title>Bienvenue</title>")
		case "/php":
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = io.WriteString(w, "ok")
		default:
			w.WriteHeader(http.StatusAccepted)
		}
	})
	c := client(t, Config{AllowPrivate: loopback, Now: func() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }})
	sign := func(r *http.Request, body []byte) error { return nil }
	for _, tc := range []struct {
		path   string
		status int
		after  time.Duration
		page   bool
	}{
		{"/inbox", 202, 0, false},
		{"/moved", 307, 0, false},
		{"/busy", 429, 2 * time.Minute, false},
		{"/date", 503, time.Minute, false},
		{"/portal", 200, 0, true},
		{"/php", 200, 0, false},
	} {
		result, err := c.Post(t.Context(), s.URL+tc.path, []byte(`{"a":1}`), sign)
		if err != nil || result.Status != tc.status || result.RetryAfter != tc.after || result.Page != tc.page {
			t.Errorf("%s: %+v, %v; want %d after %s, a page: %v", tc.path, result, err, tc.status, tc.after, tc.page)
		}
		if want := `POST application/activity+json {"a":1}`; got.Load() != want {
			t.Errorf("%s: sent %q, want %q", tc.path, got.Load(), want)
		}
	}
	s.Close()
	if _, err := c.Post(t.Context(), s.URL, []byte("{}"), sign); !errors.Is(err, essaim.ErrUnavailable) {
		t.Errorf("a closed host: %v", err)
	}
	failed := errors.New("no key")
	if _, err := c.Post(t.Context(), s.URL, []byte("{}"), func(*http.Request, []byte) error { return failed }); !errors.Is(err, failed) {
		t.Errorf("a signature that fails: %v", err)
	}
}

// A body must be there again when a kept connection was closed under us.
func TestEachTryCarriesTheBody(t *testing.T) {
	t.Parallel()
	for _, h2 := range []bool{false, true} {
		var empty, proto atomic.Int32
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			if len(body) == 0 {
				empty.Add(1)
			}
			proto.Store(int32(r.ProtoMajor))
			w.WriteHeader(http.StatusAccepted)
		}))
		s.EnableHTTP2 = h2
		s.StartTLS()
		roots := x509.NewCertPool()
		roots.AddCert(s.Certificate())
		c := client(t, Config{AllowPrivate: loopback, TLS: &tls.Config{RootCAs: roots}})
		sign := func(*http.Request, []byte) error { return nil }
		for range 20 {
			if result, err := c.Post(t.Context(), s.URL, []byte(`{"a":1}`), sign); err != nil || result.Status != http.StatusAccepted {
				t.Fatalf("http/2 %v: %+v, %v", h2, result, err)
			}
			s.CloseClientConnections()
		}
		if want := map[bool]int32{false: 1, true: 2}[h2]; proto.Load() != want || empty.Load() != 0 {
			t.Errorf("HTTP/%d, want %d; %d empty bodies", proto.Load(), want, empty.Load())
		}
		s.Close()
	}
}

func FuzzRetryAfter(f *testing.F) {
	f.Add("120")
	f.Add("Sun, 01 Mar 2026 12:01:00 GMT")
	f.Add("-9999999999999999999")
	f.Fuzz(func(t *testing.T, s string) {
		if d := retryAfter(s, time.Unix(1772366400, 0)); d < 0 || d > maxRetryAfter {
			t.Fatalf("%q: %s", s, d)
		}
	})
}
