// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim

import (
	"fmt"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxIRI is the longest id accepted, in bytes; Mastodon's limit is the same.
const maxIRI = 2048

// IRI is an absolute http or https address in the one form in which Essaim
// compares addresses: scheme and host in lower case, no default port, no user,
// no dot segments. Only ParseIRI makes one, so two IRIs name the same thing
// exactly when they are equal, and share an authority exactly when their
// Origins are equal. The zero value is no address.
type IRI struct {
	s      string
	origin int // length of scheme, "://", host and port in s
}

// ParseIRI reads an address. What several parsers could read differently (a
// user, a backslash, a control character, a trailing dot, "..", a number as
// host) is refused, not mended; a host in other letters than ASCII takes its
// form for DNS. Errors wrap ErrInvalid.
func ParseIRI(s string) (IRI, error) {
	if len(s) > maxIRI {
		return IRI{}, fmt.Errorf("address of %d bytes: %w", len(s), ErrInvalid)
	}
	scheme, rest, ok := strings.Cut(s, "://")
	lower := strings.ToLower(scheme)
	if !ok || (lower != "https" && lower != "http") {
		return IRI{}, fmt.Errorf("address %q: not http or https: %w", s, ErrInvalid)
	}
	cut := strings.IndexAny(rest, "/?#")
	if cut < 0 {
		cut = len(rest)
	}
	host, err := canonicalHost(lower, rest[:cut])
	if err != nil {
		return IRI{}, fmt.Errorf("address %q: %w", s, err)
	}
	tail := rest[cut:]
	if err := checkTail(tail); err != nil {
		return IRI{}, fmt.Errorf("address %q: %w", s, err)
	}
	if lower != scheme || host != rest[:cut] {
		s = lower + "://" + host + tail
	}
	return IRI{s: s, origin: len(s) - len(tail)}, nil
}

// String is the address; empty for the zero IRI.
func (i IRI) String() string { return i.s }

// IsZero tells whether i is no address at all.
func (i IRI) IsZero() bool { return i.s == "" }

// Origin is scheme, host and port ("https://brest.example"): the authority
// that decides over what it serves (RFC 6454 4, FEP-fe34).
func (i IRI) Origin() string { return i.s[:i.origin] }

// SameOrigin tells whether one authority decides over both. No address shares
// an origin with nothing, nor nothing with itself.
func (i IRI) SameOrigin(j IRI) bool { return i.s != "" && i.Origin() == j.Origin() }

// Host is the host with its port if that is not the scheme's own.
func (i IRI) Host() string {
	_, host, _ := strings.Cut(i.Origin(), "://")
	return host
}

// WithoutFragment is the address of the document that holds i.
func (i IRI) WithoutFragment() IRI {
	i.s, _, _ = strings.Cut(i.s, "#")
	return i
}

func canonicalHost(scheme, authority string) (string, error) {
	name, port := authority, ""
	if strings.HasPrefix(name, "[") {
		end := strings.IndexByte(name, ']')
		if end < 0 {
			return "", fmt.Errorf("host: %w", ErrInvalid)
		}
		name, port = name[:end+1], name[end+1:]
		addr, err := netip.ParseAddr(name[1:end])
		if err != nil || !addr.Is6() || addr.Zone() != "" {
			return "", fmt.Errorf("host: %w", ErrInvalid)
		}
		name = "[" + addr.String() + "]"
	} else {
		if at := strings.IndexByte(name, ':'); at >= 0 {
			name, port = name[:at], name[at:]
		}
		if strings.ContainsFunc(name, func(r rune) bool { return r >= utf8.RuneSelf }) {
			var err error
			if name, err = asciiHost(name); err != nil {
				return "", err
			}
		}
		name = strings.ToLower(name)
		if !validHostName(name) {
			return "", fmt.Errorf("host: %w", ErrInvalid)
		}
	}
	if port == "" {
		return name, nil
	}
	if !validPort(port) {
		return "", fmt.Errorf("port: %w", ErrInvalid)
	}
	if (scheme == "https" && port == ":443") || (scheme == "http" && port == ":80") {
		return name, nil
	}
	return name + port, nil
}

func validHostName(name string) bool {
	if name == "" || len(name) > 253 {
		return false
	}
	last := ""
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 {
			return false
		}
		for i := range len(label) {
			c := label[i]
			if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
				return false
			}
		}
		last = label
	}
	// A last label that starts with a digit makes resolvers read a number
	// ("127.1", "0x7f000001"): only the plain dotted form passes.
	if last[0] >= '0' && last[0] <= '9' {
		addr, err := netip.ParseAddr(name)
		return err == nil && addr.Is4()
	}
	return true
}

func validPort(port string) bool {
	digits, ok := strings.CutPrefix(port, ":")
	if !ok || digits == "" || len(digits) > 5 || digits[0] == '0' {
		return false
	}
	n := 0
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return false
		}
		n = n*10 + int(digits[i]-'0')
	}
	return n <= 65535
}

// checkTail looks at path, query and fragment.
func checkTail(tail string) error {
	plain := true
	for i := 0; i < len(tail); i++ {
		switch c := tail[i]; {
		case c <= ' ' || c == 0x7f || strings.IndexByte("\"<>\\^`{|}", c) >= 0:
			return fmt.Errorf("character %q: %w", c, ErrInvalid)
		case c == '%':
			if i+2 >= len(tail) || !isHex(tail[i+1]) || !isHex(tail[i+2]) {
				return fmt.Errorf("percent escape: %w", ErrInvalid)
			}
		case c >= utf8.RuneSelf:
			plain = false
		}
	}
	if !plain {
		if !utf8.ValidString(tail) {
			return fmt.Errorf("not UTF-8: %w", ErrInvalid)
		}
		for _, r := range tail {
			if unicode.In(r, unicode.C, unicode.Z) {
				return fmt.Errorf("character %q: %w", r, ErrInvalid)
			}
		}
	}
	path := tail
	if cut := strings.IndexAny(path, "?#"); cut >= 0 {
		path = path[:cut]
	}
	if hasDotSegment(path) {
		return fmt.Errorf("dot segment: %w", ErrInvalid)
	}
	return nil
}

// hasDotSegment finds "." and ".." also when written %2e, as browsers do
// (WHATWG URL 4.4).
func hasDotSegment(path string) bool {
	if !strings.Contains(path, "/.") && !strings.Contains(path, "/%2") {
		return false
	}
	for seg := range strings.SplitSeq(path, "/") {
		if len(seg) <= 6 {
			seg = strings.ReplaceAll(strings.ReplaceAll(seg, "%2e", "."), "%2E", ".")
			if seg == "." || seg == ".." {
				return true
			}
		}
	}
	return false
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}
