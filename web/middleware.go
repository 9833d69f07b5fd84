// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/go-chi/chi/v5"

	"essaim"
)

// securityPolicy lets a page load from this site only, and run nothing inline.
const securityPolicy = "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; script-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'"

type contextKey int

const (
	keyRequest contextKey = iota
)

// requestInfo is what a request carries besides itself: its id and, once the
// session is read, who makes it.
type requestInfo struct {
	id      string
	user    *essaim.User
	session string
}

func infoOf(r *http.Request) *requestInfo {
	if i, ok := r.Context().Value(keyRequest).(*requestInfo); ok {
		return i
	}
	return &requestInfo{}
}

func requestID(r *http.Request) string    { return infoOf(r).id }
func userOf(r *http.Request) *essaim.User { return infoOf(r).user }

// routeOf is the pattern that a request matched: a path may hold a secret.
func routeOf(r *http.Request) string {
	if c := chi.RouteContext(r.Context()); c != nil {
		return c.RoutePattern()
	}
	return ""
}

func urlEscape(s string) string { return url.QueryEscape(s) }

// identify numbers the request and sets the headers that all answers carry.
func (s *Server) identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := make([]byte, 8)
		if _, err := io.ReadFull(s.cfg.Random, id); err != nil {
			s.log.LogAttrs(r.Context(), slog.LevelError, "no randomness", slog.String("error", err.Error()))
		}
		info := &requestInfo{id: hex.EncodeToString(id)}
		h := w.Header()
		h.Set("Content-Security-Policy", securityPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(self), browsing-topics=()")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		if s.secure {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), keyRequest, info)))
	})
}

// recoverPanic turns a panic into the page of an unknown failure.
func (s *Server) recoverPanic(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if v == http.ErrAbortHandler { //nolint:errorlint // The server compares it so too.
				panic(v)
			}
			s.fail(w, r, fmt.Errorf("panic: %v\n%s", v, debug.Stack()))
		}()
		next.ServeHTTP(w, r)
	})
}

// statusWriter remembers the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the writer below.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// logRequests writes one line a request: its route, not its path, which may be
// a sign-in link, and no address of a reader.
func (s *Server) logRequests(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := s.now()
		sw := &statusWriter{ResponseWriter: w}
		next.ServeHTTP(sw, r)
		if sw.status == 0 {
			sw.status = http.StatusOK
		}
		s.log.LogAttrs(r.Context(), slog.LevelInfo, "request",
			slog.String("method", r.Method), slog.String("route", routeOf(r)), slog.Int("status", sw.status),
			slog.Duration("duration", s.now().Sub(start)), slog.String("request_id", requestID(r)))
	})
}

// handler answers a request or says why it cannot.
type handlerFunc func(w http.ResponseWriter, r *http.Request) error

// handle adapts a handler that returns an error.
func (s *Server) handle(h handlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			s.fail(w, r, err)
		}
	}
}

// Caller tells who makes a request as rate limits count them: an IPv4 address, or
// an IPv6 network of 64 bits, which one reader may hold whole. The address is that
// of the connection or, when that is a trusted proxy's, the last one in
// X-Forwarded-For that is not.
func Caller(trusted []netip.Prefix) func(*http.Request) netip.Prefix {
	return func(r *http.Request) netip.Prefix {
		a := clientAddr(r, trusted)
		bits := a.BitLen()
		if a.Is6() {
			bits = 64
		}
		p, err := a.Prefix(bits)
		if err != nil {
			return netip.Prefix{}
		}
		return p
	}
}

func clientAddr(r *http.Request, proxies []netip.Prefix) netip.Addr {
	trusted := func(a netip.Addr) bool {
		return slices.ContainsFunc(proxies, func(p netip.Prefix) bool { return p.Contains(a) })
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}
	}
	addr = addr.Unmap()
	if !trusted(addr) {
		return addr
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			return addr
		}
		addr = hop.Unmap()
		if !trusted(addr) {
			return addr
		}
	}
	return addr
}

// limitKey groups requests for rate limits.
func (s *Server) limitKey(r *http.Request) (string, error) {
	return Caller(s.cfg.TrustedProxies)(r).String(), nil
}

// tooMany answers what a rate limit refuses.
func (s *Server) tooMany(w http.ResponseWriter, r *http.Request) {
	s.fail(w, r, statusError{http.StatusTooManyRequests, "too_many"})
}

// limitBody refuses bodies that no form of ours makes.
func limitBody(n int64) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Body = http.MaxBytesReader(w, r.Body, n)
			next.ServeHTTP(w, r)
		})
	}
}

// noStore keeps an answer that is not for everyone out of caches.
func noStore(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}
