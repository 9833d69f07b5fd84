// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import (
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/idna"
)

func TestParseIRIKeepsOneForm(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want, origin string }{
		{"https://brest.example/objects/1", "https://brest.example/objects/1", "https://brest.example"},
		{"https://brest.example", "https://brest.example", "https://brest.example"},
		{"HTTPS://Brest.Example:443/Objects/1", "https://brest.example/Objects/1", "https://brest.example"},
		{"http://brest.example:80/a", "http://brest.example/a", "http://brest.example"},
		{"http://brest.example:443/a", "http://brest.example:443/a", "http://brest.example:443"},
		{"https://brest.example:8443/a?b=c#d", "https://brest.example:8443/a?b=c#d", "https://brest.example:8443"},
		{"https://xn--bcher-kva.example/a", "https://xn--bcher-kva.example/a", "https://xn--bcher-kva.example"},
		{"http://127.0.0.1:8080/actor#main-key", "http://127.0.0.1:8080/actor#main-key", "http://127.0.0.1:8080"},
		{"https://[2001:DB8:0::1]:8443/a", "https://[2001:db8::1]:8443/a", "https://[2001:db8::1]:8443"},
		{"https://brest.example/%C3%A9?x=..", "https://brest.example/%C3%A9?x=..", "https://brest.example"},
		{"https://brest.example/fête", "https://brest.example/fête", "https://brest.example"},
		{"https://brest.example?x", "https://brest.example?x", "https://brest.example"},
		{"https://brest.example/.well-known/x", "https://brest.example/.well-known/x", "https://brest.example"},
	} {
		got, err := ParseIRI(c.in)
		if err != nil {
			t.Errorf("ParseIRI(%q): %v", c.in, err)
			continue
		}
		if got.String() != c.want || got.Origin() != c.origin {
			t.Errorf("ParseIRI(%q) = %q, origin %q; want %q, origin %q", c.in, got, got.Origin(), c.want, c.origin)
		}
		if again, err := ParseIRI(got.String()); err != nil || again != got {
			t.Errorf("ParseIRI(%q) again = %q, %v", got, again, err)
		}
	}
}

func TestParseIRIRefusesWhatParsersReadDifferently(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		"", "x", "https:", "https://", "https:///a", "//brest.example/a", "/a",
		"https://victim.example@evil.example/n/1",
		"https://victim.example:x@evil.example/n/1",
		"https://victim.example\\@evil.example/n/1",
		"https://victim.example/n\\1",
		"https://victim.example./n/1",
		"https://.victim.example/n/1",
		"https://victim..example/n/1",
		"https://VІCTIM.example/n/1", // a Cyrillic capital
		"https://victim.example:/n/1",
		"https://victim.example:0/n/1",
		"https://victim.example:0443/n/1",
		"https://victim.example:65536/n/1",
		"https://victim.example:99999999999/n/1",
		"https://victim.example:+443/n/1",
		"https://victim.example%2eevil.example/n/1",
		"https://victim.example /n/1", " https://victim.example/n/1", "https://victim.example/n/1\n",
		"https://victim.example/a/../n/1", "https://victim.example/a/%2E%2e/n/1", "https://victim.example/./n", "https://victim.example/..",
		"https://victim.example/%zz", "https://victim.example/%a",
		"https://victim.example/a\x00", "https://victim.example/a\u202eb", "https://victim.example/a\u00a0b", "https://victim.example/\xff",
		"https://2130706433/", "https://0x7f000001/", "https://127.1/", "https://0177.0.0.1/", "https://1.2.3.4.5/",
		"https://[::1", "https://[::1]x/", "https://[::1]x1/", "https://[fe80::1%25eth0]/", "https://[127.0.0.1]/", "https://::1/",
		"data:application/activity+json,{}", "javascript:alert(1)", "ftp://victim.example/a", "file:///etc/passwd", "acct:a@b.example",
		"https://victim.example/in'; \"DROP", "https://victim.example/" + strings.Repeat("a", 2048),
	} {
		if got, err := ParseIRI(in); err == nil {
			t.Errorf("ParseIRI(%q) = %q; want an error", in, got)
		}
	}
}

func TestNoAddressSharesNoOrigin(t *testing.T) {
	t.Parallel()
	var none IRI
	some, err := ParseIRI("https://brest.example/a")
	if err != nil {
		t.Fatal(err)
	}
	if none.SameOrigin(none) || none.SameOrigin(some) || some.SameOrigin(none) {
		t.Error("the zero IRI shares an origin")
	}
	if !none.IsZero() || some.IsZero() || none.Host() != "" || some.Host() != "brest.example" {
		t.Error("zero or host are wrong")
	}
}

// Same origin is an equivalence, and what we take as one origin is one for an
// independent parser too.
func FuzzIRIOrigin(f *testing.F) {
	for _, s := range []string{"https://a.example/x", "HTTP://A.example:80", "https://[::1]:1/a#b", "https://a.example@b.example/", "https://a.example/%2e%2e/b"} {
		f.Add(s, "https://a.example/y")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		i, err := ParseIRI(a)
		if err != nil {
			return
		}
		if again, err := ParseIRI(i.String()); err != nil || again != i {
			t.Fatalf("%q parses to %q, then to %q, %v", a, i, again, err)
		}
		u, err := url.Parse(a)
		if err != nil {
			t.Fatalf("%q accepted; net/url: %v", a, err)
		}
		host, err := idna.Punycode.ToASCII(strings.ToLower(u.Hostname()))
		if err != nil {
			t.Fatalf("%q accepted; IDNA: %v", a, err)
		}
		if u.User != nil || !strings.EqualFold(u.Scheme+"://"+host, i.Origin()[:len(u.Scheme)+3]+hostOnly(t, i)) {
			t.Fatalf("%q: origin %q, net/url reads scheme %q host %q", a, i.Origin(), u.Scheme, u.Host)
		}
		j, err := ParseIRI(b)
		if err != nil {
			return
		}
		if i.SameOrigin(j) != j.SameOrigin(i) || !i.SameOrigin(i) {
			t.Fatalf("same origin of %q and %q is no equivalence", i, j)
		}
		v, err := url.Parse(b)
		if err != nil {
			t.Fatalf("%q accepted; net/url: %v", b, err)
		}
		other, err := idna.Punycode.ToASCII(strings.ToLower(v.Hostname()))
		if err != nil {
			t.Fatalf("%q accepted; IDNA: %v", b, err)
		}
		port := func(u *url.URL) string {
			if p := u.Port(); p != "" {
				return p
			}
			return map[string]string{"http": "80", "https": "443"}[strings.ToLower(u.Scheme)]
		}
		same := strings.EqualFold(u.Scheme, v.Scheme) && sameHost(host, other) && port(u) == port(v)
		if i.SameOrigin(j) != same {
			t.Fatalf("%q and %q share an origin: %v, for net/url %v", a, b, i.SameOrigin(j), same)
		}
	})
}

// sameHost compares names, or addresses by their value.
func sameHost(a, b string) bool {
	x, errX := netip.ParseAddr(a)
	y, errY := netip.ParseAddr(b)
	if errX == nil && errY == nil {
		return x == y
	}
	return a == b
}

func hostOnly(t *testing.T, i IRI) string {
	t.Helper()
	u, err := url.Parse(i.String())
	if err != nil {
		t.Fatal(err)
	}
	return u.Hostname()
}
