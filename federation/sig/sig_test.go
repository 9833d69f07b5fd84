// SPDX-License-Identifier: AGPL-3.0-or-later

package sig

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"essaim"
)

const (
	base  = "https://brest.example"
	owner = "https://peer.example/users/alice"
	keyID = owner + "#main-key"
	body  = `{"type":"Create"}`
)

var (
	noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	pair = sync.OnceValue(func() *rsa.PrivateKey {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		return key
	})
	edPair = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
)

// source answers with old until it is asked for a fresh key.
type source struct {
	old, fresh crypto.PublicKey
	owner      string
	err        error
	asked      []bool
}

func (s *source) Key(_ context.Context, id essaim.IRI, fresh bool) (Key, error) {
	s.asked = append(s.asked, fresh)
	if s.err != nil {
		return Key{}, s.err
	}
	by := s.owner
	if by == "" {
		by = owner
	}
	iri, err := essaim.ParseIRI(by)
	if err != nil {
		return Key{}, err
	}
	if fresh && s.fresh != nil {
		return Key{ID: id, Owner: iri, Public: s.fresh}, nil
	}
	return Key{ID: id, Owner: iri, Public: s.old}, nil
}

func verifier(t testing.TB, s KeySource, now time.Time) *Verifier {
	t.Helper()
	v, err := New(Config{Base: base, Keys: s, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// sent turns an outgoing request into the one that a server gets.
func sent(r *http.Request) *http.Request {
	in := httptest.NewRequest(r.Method, r.URL.RequestURI(), nil)
	in.Host = "proxy.internal:8080"
	in.Header = r.Header.Clone()
	return in
}

func post(t testing.TB, address string) *http.Request {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/activity+json")
	return r
}

func TestSignedRequestsAreAccepted(t *testing.T) {
	t.Parallel()
	for _, address := range []string{base + "/inbox", base + "/inbox?page=1&x=%20", base + "/actors/th%C3%A8me/inbox", base + "/a%2Fb/inbox"} {
		for _, style := range []Style{Cavage, RFC9421} {
			for _, private := range []crypto.Signer{pair(), edPair} {
				out := post(t, address)
				if err := Sign(out, []byte(body), SigningKey{keyID, private}, style, noon); err != nil {
					t.Fatal(err)
				}
				v := verifier(t, &source{old: private.Public()}, noon)
				key, err := v.Verify(sent(out), []byte(body))
				if err != nil || key.Owner.String() != owner {
					t.Errorf("%s style %d %T: %v, owner %s", address, style, private, err, key.Owner)
				}
				if _, err := v.Verify(sent(out), []byte(body+" ")); !errors.Is(err, ErrUnauthorized) {
					t.Errorf("%s style %d %T, another body: %v", address, style, private, err)
				}
				get, err := http.NewRequest(http.MethodGet, address, nil)
				if err != nil {
					t.Fatal(err)
				}
				if err := Sign(get, nil, SigningKey{keyID, private}, style, noon); err != nil {
					t.Fatal(err)
				}
				if _, err := v.Verify(sent(get), nil); err != nil {
					t.Errorf("GET %s style %d %T: %v", address, style, private, err)
				}
				again := sent(get)
				again.Method = http.MethodPost
				if _, err := v.Verify(again, []byte(body)); !errors.Is(err, ErrUnauthorized) {
					t.Errorf("GET as POST, %s style %d %T: %v", address, style, private, err)
				}
			}
		}
	}
}

// crafted is a draft-cavage request made by hand, so that it can be wrong.
type crafted struct {
	covered   string // headers parameter
	date      time.Time
	host      string
	digest    string
	extra     string // parameters before the signature
	algorithm string
	created   int64
	expires   int64
	path      string
	private   crypto.Signer
	signature string // overrides
	edit      func(*http.Request)
}

func (c crafted) request(t testing.TB) *http.Request {
	t.Helper()
	or := func(s, d string) string {
		if s == "" {
			return d
		}
		return s
	}
	r := httptest.NewRequest(http.MethodPost, "/inbox", nil)
	if c.date.IsZero() {
		c.date = noon
	}
	sum := sha256.Sum256([]byte(body))
	r.Header.Set("Date", c.date.Format(http.TimeFormat))
	r.Header.Set("Digest", or(c.digest, "SHA-256="+base64.StdEncoding.EncodeToString(sum[:])))
	covered := or(c.covered, "(request-target) host date digest")
	var lines []string
	for _, name := range strings.Split(covered, " ") {
		value := r.Header.Get(name)
		switch name {
		case "(request-target)":
			value = "post " + or(c.path, "/inbox")
		case "host":
			value = or(c.host, "brest.example")
		case "(created)":
			value = fmt.Sprint(c.created)
		case "(expires)":
			value = fmt.Sprint(c.expires)
		}
		lines = append(lines, name+": "+value)
	}
	text := []byte(strings.Join(lines, "\n"))
	private := c.private
	if private == nil {
		private = pair()
	}
	hash, sha := crypto.SHA256, sha256.Sum256(text)
	digest := sha[:]
	switch c.algorithm {
	case "rsa-sha1":
		short := sha1.Sum(text)
		hash, digest = crypto.SHA1, short[:]
	case "rsa-sha512":
		long := sha512.Sum512(text)
		hash, digest = crypto.SHA512, long[:]
	}
	signature, err := private.Sign(rand.Reader, digest, hash)
	if err != nil {
		t.Fatal(err)
	}
	extra := c.extra
	if c.created != 0 {
		extra += fmt.Sprintf(`created=%d,`, c.created)
	}
	if c.expires != 0 {
		extra += fmt.Sprintf(`expires=%d,`, c.expires)
	}
	r.Header.Set("Signature", fmt.Sprintf(`keyId="%s",algorithm="%s",%sheaders="%s",signature="%s"`,
		keyID, or(c.algorithm, "rsa-sha256"), extra, covered, or(c.signature, base64.StdEncoding.EncodeToString(signature))))
	if c.edit != nil {
		c.edit(r)
	}
	return r
}

func replace(old, with string) func(*http.Request) {
	return func(r *http.Request) {
		r.Header.Set("Signature", strings.Replace(r.Header.Get("Signature"), old, with, 1))
	}
}

func TestCavagePolicy(t *testing.T) {
	t.Parallel()
	unix := func(d time.Duration) int64 { return noon.Add(d).Unix() }
	const timed = "(request-target) (created) host digest"
	other := otherKey(t)
	for _, c := range []struct {
		name string
		crafted
		ok bool
	}{
		{"plain", crafted{}, true},
		{"hs2019", crafted{algorithm: "hs2019"}, true},
		{"rsa-sha512", crafted{algorithm: "rsa-sha512"}, true},
		{"spaces after commas", crafted{edit: func(r *http.Request) {
			r.Header.Set("Signature", strings.ReplaceAll(r.Header.Get("Signature"), `",`, `", `))
		}}, true},
		{"lower-case digest name", crafted{digest: "sha-256=" + digest64(body)}, true},
		{"two digests", crafted{digest: "MD5=AAAA,SHA-256=" + digest64(body)}, true},
		{"four minutes old", crafted{date: noon.Add(-4 * time.Minute)}, true},
		{"four minutes ahead", crafted{date: noon.Add(4 * time.Minute)}, true},
		{"64 minutes old", crafted{date: noon.Add(-64 * time.Minute)}, true},
		{"66 minutes old", crafted{date: noon.Add(-66 * time.Minute)}, false},
		{"two hours ahead", crafted{date: noon.Add(2 * time.Hour)}, false},
		{"thirteen hours old", crafted{date: noon.Add(-13 * time.Hour)}, false},
		{"created", crafted{covered: timed, created: unix(0)}, true},
		{"created half an hour ahead", crafted{covered: timed, created: unix(30 * time.Minute)}, true},
		{"created after a header", crafted{covered: "(request-target) host (created) digest", created: unix(time.Minute)}, true},
		{"created and expires", crafted{covered: "(request-target) (created) (expires) host digest", created: unix(-3 * time.Hour), expires: unix(time.Minute)}, true},
		{"created two hours ahead", crafted{covered: timed, created: unix(2 * time.Hour)}, false},
		{"created 66 minutes ago", crafted{covered: timed, created: unix(-66 * time.Minute)}, false},
		{"created 66 minutes ago, expires not covered", crafted{covered: timed, created: unix(-66 * time.Minute), expires: unix(time.Hour)}, false},
		{"created 13 hours ago, expires later", crafted{covered: "(request-target) (created) (expires) host digest", created: unix(-13 * time.Hour), expires: unix(time.Hour)}, false},
		{"expired an hour ago", crafted{expires: unix(-time.Hour)}, false},
		{"created not covered, no date", crafted{covered: "(request-target) host digest", created: unix(0)}, false},
		{"no date", crafted{covered: "(request-target) host digest"}, false},
		{"no date header", crafted{edit: func(r *http.Request) { r.Header.Del("Date") }}, false},
		{"date only", crafted{covered: "date"}, false},
		{"target not covered", crafted{covered: "host date digest"}, false},
		{"host not covered", crafted{covered: "(request-target) date digest"}, false},
		{"digest not covered", crafted{covered: "(request-target) host date"}, false},
		{"digest missing", crafted{edit: func(r *http.Request) { r.Header.Del("Digest") }}, false},
		{"digest of another body", crafted{digest: "SHA-256=" + digest64("x")}, false},
		{"a wrong digest beside the right one", crafted{digest: "SHA-256=" + digest64(body) + ",SHA-256=" + digest64("x")}, false},
		{"MD5 only", crafted{digest: "MD5=AAAA"}, false},
		{"for another host", crafted{host: "other.example"}, false},
		{"for another path", crafted{path: "/other"}, false},
		{"another path called", crafted{edit: func(r *http.Request) { r.URL.Path = "/other" }}, false},
		{"query added", crafted{edit: func(r *http.Request) { r.URL.RawQuery = "x=1" }}, true},
		{"another date sent", crafted{edit: func(r *http.Request) { r.Header.Set("Date", noon.Add(time.Minute).Format(http.TimeFormat)) }}, false},
		{"two dates sent", crafted{edit: func(r *http.Request) { r.Header.Add("Date", noon.Format(http.TimeFormat)) }}, false},
		{"no signature", crafted{edit: func(r *http.Request) { r.Header.Del("Signature") }}, false},
		{"two signatures", crafted{edit: func(r *http.Request) { r.Header.Add("Signature", r.Header.Get("Signature")) }}, false},
		{"in Authorization", crafted{edit: func(r *http.Request) {
			r.Header.Set("Authorization", "Signature "+r.Header.Get("Signature"))
			r.Header.Del("Signature")
		}}, false},
		{"keyId twice", crafted{extra: `keyId="https://victim.example/u#main-key",`}, false},
		{"headers twice", crafted{extra: `headers="date",`}, false},
		{"a header covered twice", crafted{covered: "(request-target) host date date digest"}, false},
		{"a covered header not sent", crafted{covered: "(request-target) host date digest x-none"}, false},
		{"line break in keyId", crafted{edit: replace(keyID, "https://evil.example/\r\nX: 1")}, false},
		{"keyId is no address", crafted{edit: replace(keyID, "alice")}, false},
		{"keyId of this node", crafted{edit: replace(keyID, base+"/actor#main-key")}, false},
		{"a key whose owner is elsewhere", crafted{edit: replace(keyID, "https://evil.example/key")}, false},
		{"hmac", crafted{algorithm: "hmac-sha256", signature: hmacWithPEM(t)}, false},
		{"sha1", crafted{algorithm: "rsa-sha1"}, false},
		{"ed25519 named for an RSA key", crafted{algorithm: "ed25519"}, false},
		{"not base64", crafted{signature: "%%%"}, false},
		{"too long", crafted{signature: strings.Repeat("A", 1<<20)}, false},
		{"empty signature", crafted{edit: func(r *http.Request) { r.Header.Set("Signature", `keyId="`+keyID+`",headers="date",signature=""`) }}, false},
		{"another key", crafted{private: other}, false},
		{"no headers parameter", crafted{edit: replace("headers=", "hdrs=")}, false},
		{"a parameter without value", crafted{extra: "opaque=,"}, false},
	} {
		v := verifier(t, &source{old: pair().Public()}, noon)
		_, err := v.Verify(c.request(t), []byte(body))
		if (err == nil) != c.ok || err != nil && !errors.Is(err, ErrUnauthorized) {
			t.Errorf("%s: got %v, want accepted %v", c.name, err, c.ok)
		}
	}
}

// The library compares created with the machine's clock; ours decides.
func TestCreatedFollowsTheNodesClock(t *testing.T) {
	t.Parallel()
	later := time.Now().Add(60 * 24 * time.Hour)
	r := crafted{covered: "(request-target) (created) host digest", created: later.Unix()}.request(t)
	if _, err := verifier(t, &source{old: pair().Public()}, later).Verify(r, []byte(body)); err != nil {
		t.Error(err)
	}
	out := post(t, base+"/inbox")
	if err := Sign(out, []byte(body), SigningKey{keyID, pair()}, RFC9421, later); err != nil {
		t.Fatal(err)
	}
	if _, err := verifier(t, &source{old: pair().Public()}, later).Verify(sent(out), []byte(body)); err != nil {
		t.Error(err)
	}
}

func digest64(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// otherKey is a key that is not pair, of the same size.
func otherKey(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func hmacWithPEM(t testing.TB) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(pair().Public())
	if err != nil {
		t.Fatal(err)
	}
	text := "(request-target): post /inbox\nhost: brest.example\ndate: " + noon.Format(http.TimeFormat) + "\ndigest: SHA-256=" + digest64(body)
	mac := hmac.New(sha256.New, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	mac.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// FEP-8fcf: what is said of followers is covered, so that nobody on the way
// changes it.
func TestWhatIsSaidOfFollowersIsSigned(t *testing.T) {
	t.Parallel()
	for _, style := range []Style{Cavage, RFC9421} {
		out := post(t, base+"/inbox")
		out.Header.Set(Synchronization, `collectionId="x", digest="y"`)
		if err := Sign(out, []byte(body), SigningKey{keyID, pair()}, style, noon); err != nil {
			t.Fatal(err)
		}
		v := verifier(t, &source{old: pair().Public()}, noon)
		if _, err := v.Verify(sent(out), []byte(body)); err != nil {
			t.Errorf("style %d: %v", style, err)
		}
		out.Header.Set(Synchronization, `collectionId="x", digest="z"`)
		if _, err := v.Verify(sent(out), []byte(body)); !errors.Is(err, ErrUnauthorized) {
			t.Errorf("style %d, changed: %v", style, err)
		}
	}
}
