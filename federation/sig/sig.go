// SPDX-License-Identifier: AGPL-3.0-or-later

// Package sig signs and checks HTTP requests: draft-cavage-12, which the whole
// Fediverse speaks, through go-fed/httpsig, and RFC 9421 through dadrus/httpsig,
// behind one policy. go-fed/httpsig makes and checks bytes only; what must be
// covered, how old it may be, whether the body is the one that was digested,
// which address it was meant for and whose key it is are decided here.
package sig

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"essaim"
)

// ErrUnauthorized is every reason for which a signature does not hold; answered 401.
var ErrUnauthorized = errors.New("signature refused")

// Key is a public key and the actor to whom it belongs.
type Key struct {
	ID     essaim.IRI
	Owner  essaim.IRI
	Public crypto.PublicKey // *rsa.PublicKey or ed25519.PublicKey
}

// KeySource finds keys of actors elsewhere.
type KeySource interface {
	// Key returns the key that a request names. fresh asks for one newer than the
	// copy at hand, after a signature failed with that; a source that fetched it
	// lately may return it again. Errors wrap essaim.ErrGone when its home says
	// that it is gone, essaim.ErrUnavailable when it cannot be reached now; any
	// other error means that there is no such key.
	Key(ctx context.Context, id essaim.IRI, fresh bool) (Key, error)
}

// Config is what a Verifier needs; all but the windows is required.
type Config struct {
	// Base is the node's configured public address ("https://brest.example"): the
	// only one for which a signature holds, whatever Host header a proxy sends.
	Base string
	Keys KeySource
	Now  func() time.Time
	// MaxAge is how old Date or created may be; 65 minutes when zero (Mastodon's).
	MaxAge time.Duration
	// MaxLife caps what a covered expires may extend it to; 12 hours when zero.
	MaxLife time.Duration
	// MaxSkew is how far in the future it may be; 1 hour when zero.
	MaxSkew time.Duration
}

// Verifier holds the policy for requests that come in. It is safe for
// concurrent use.
type Verifier struct {
	base    *url.URL
	origin  essaim.IRI
	keys    KeySource
	now     func() time.Time
	maxAge  time.Duration
	maxLife time.Duration
	maxSkew time.Duration
}

// expiryGrace is how long after its expires a request is still taken, for
// clocks that differ a little.
const expiryGrace = 5 * time.Minute

// New makes a Verifier.
func New(c Config) (*Verifier, error) {
	origin, err := essaim.ParseIRI(c.Base)
	if err != nil {
		return nil, fmt.Errorf("base address: %w", err)
	}
	base, err := url.Parse(origin.String())
	if err != nil {
		return nil, fmt.Errorf("base address: %w", err)
	}
	if c.Keys == nil || c.Now == nil {
		return nil, fmt.Errorf("sig: Keys and Now are required: %w", essaim.ErrInvalid)
	}
	v := &Verifier{base: base, origin: origin, keys: c.Keys, now: c.Now, maxAge: 65 * time.Minute, maxLife: 12 * time.Hour, maxSkew: time.Hour}
	for set, to := range map[*time.Duration]time.Duration{&v.maxAge: c.MaxAge, &v.maxLife: c.MaxLife, &v.maxSkew: c.MaxSkew} {
		if to > 0 {
			*set = to
		}
	}
	return v, nil
}

// Verify checks the request's signature over itself and body, which is the
// whole body as it came, and returns the key that made it. Errors wrap
// ErrUnauthorized, essaim.ErrGone or essaim.ErrUnavailable.
func (v *Verifier) Verify(r *http.Request, body []byte) (Key, error) {
	claim, err := v.claim(r, body)
	if err != nil {
		return Key{}, err
	}
	if claim.keyID.SameOrigin(v.origin) {
		return Key{}, refuse("a key of this node")
	}
	key, err := v.key(r.Context(), claim.keyID, false)
	if err != nil {
		return Key{}, err
	}
	if err := claim.check(key); err == nil {
		return key, nil
	}
	// The actor may have changed its key since the copy at hand was fetched.
	key, err = v.key(r.Context(), claim.keyID, true)
	if err != nil {
		return Key{}, err
	}
	return key, claim.check(key)
}

func (v *Verifier) key(ctx context.Context, id essaim.IRI, fresh bool) (Key, error) {
	key, err := v.keys.Key(ctx, id, fresh)
	switch {
	case errors.Is(err, essaim.ErrGone), errors.Is(err, essaim.ErrUnavailable), ctx.Err() != nil:
		return Key{}, fmt.Errorf("key %s: %w", id, err)
	case err != nil:
		return Key{}, fmt.Errorf("key %s: %w: %w", id, ErrUnauthorized, err)
	case !key.Owner.SameOrigin(id):
		return Key{}, refuse("a key of another origin than its owner")
	}
	if err := CheckKey(key.Public); err != nil {
		return Key{}, fmt.Errorf("key %s: %w: %w", id, ErrUnauthorized, err)
	}
	return key, nil
}

// claim is what a request says of its signature, after everything that can be
// told without the key was checked.
type claim struct {
	keyID essaim.IRI
	check func(Key) error
}

func (v *Verifier) claim(r *http.Request, body []byte) (claim, error) {
	if len(r.Header.Values("Signature-Input")) > 0 {
		return v.claimRFC9421(r, body)
	}
	return v.claimCavage(r, body)
}

// ClaimedKey is the key by which a request says that it is signed. Nothing of
// it is checked.
func ClaimedKey(h http.Header) (essaim.IRI, bool) {
	if len(h.Values("Signature-Input")) > 0 {
		in, err := parseInput(h)
		return in.keyID, err == nil
	}
	line := h.Get("Signature")
	if line == "" {
		return essaim.IRI{}, false
	}
	p, err := parseHeader(line)
	return p.keyID, err == nil
}

// window checks when a signature was made and until when it holds; expires is
// zero when there is none, and may extend the window only if it is covered.
func (v *Verifier) window(made, expires time.Time, covered bool) error {
	now := v.now()
	if made.After(now.Add(v.maxSkew)) {
		return refuse("made in the future")
	}
	last := made.Add(v.maxAge)
	if !expires.IsZero() {
		if now.After(expires.Add(expiryGrace)) {
			return refuse("expired")
		}
		if covered {
			last = made.Add(v.maxLife)
		}
	}
	if now.After(last) {
		return refuse("too old")
	}
	return nil
}

// target is the path and query as they came on the wire.
func target(r *http.Request) (path, query string) {
	path = r.URL.EscapedPath()
	if path == "" {
		path = "/"
	}
	return path, r.URL.RawQuery
}

// field reads a covered header as it counts for us: the host is the configured
// one, a missing Content-Length the body's.
func (v *Verifier) field(r *http.Request, name string, body []byte) ([]string, error) {
	switch name {
	case "host":
		return []string{v.base.Host}, nil
	case "content-length":
		return []string{fmt.Sprint(len(body))}, nil
	}
	values := r.Header.Values(name)
	if len(values) == 0 {
		return nil, refuse("covers a header that is not there")
	}
	return values, nil
}

// hasBody tells whether a request of this method must have its body digested.
func hasBody(method string) bool {
	return !strings.EqualFold(method, http.MethodGet) && !strings.EqualFold(method, http.MethodHead)
}

func refuse(reason string) error {
	return fmt.Errorf("%w: %s", ErrUnauthorized, reason)
}
