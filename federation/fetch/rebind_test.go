// SPDX-License-Identifier: AGPL-3.0-or-later

package fetch

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// turning is a name server that gives one address and the other by turns, as
// one does that wants a check and a connection to see different ones.
func turning(t *testing.T, first, second string) (*net.Resolver, *atomic.Int32) {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	var asked atomic.Int32
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			m.Response, m.Additionals = true, nil
			if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
				address := first
				if asked.Add(1)%2 == 0 {
					address = second
				}
				m.Answers = []dnsmessage.Resource{{
					Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class},
					Body:   &dnsmessage.AResource{A: netip.MustParseAddr(address).As4()},
				}}
			}
			if out, err := m.Pack(); err == nil {
				_, _ = conn.WriteTo(out, from) // who asked asks again
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", conn.LocalAddr().String())
	}}, &asked
}

func TestTheAddressCheckedIsTheOneDialled(t *testing.T) {
	t.Parallel()
	var allowed, forbidden atomic.Int32
	counting := func(address string, n *atomic.Int32) string {
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		s := &httptest.Server{Listener: l, Config: &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			n.Add(1)
			w.Header().Set("Connection", "close") // so that the name is asked again
		})}}
		s.StartTLS()
		t.Cleanup(s.Close)
		_, port, err := net.SplitHostPort(l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		return port
	}
	port := counting("127.0.0.1:0", &forbidden)
	counting("127.0.0.2:"+port, &allowed)
	resolver, asked := turning(t, "127.0.0.2", "127.0.0.1")
	c := client(t, Config{
		Resolver: resolver, AllowPrivate: []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")}, TLS: &tls.Config{InsecureSkipVerify: true},
	})
	for range 6 {
		_, _ = c.Get(t.Context(), "https://rebind.example:"+port+"/", "*/*", false) // every second one is refused
	}
	if asked.Load() < 6 || allowed.Load() == 0 {
		t.Fatalf("the name was asked %d times, the first address reached %d times: nothing was turned", asked.Load(), allowed.Load())
	}
	if n := forbidden.Load(); n != 0 {
		t.Errorf("the address that was not allowed is reached %d times", n)
	}
}
