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

func TestRFC9421Policy(t *testing.T) {
	t.Parallel()
	sum := sha256.Sum256([]byte(body))
	digest := "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"
	const all = `"@method" "@target-uri" "content-digest"`
	unix := func(d time.Duration) string { return fmt.Sprint(noon.Add(d).Unix()) }
	for _, c := range []struct {
		name, covered, params, digest, uri string
		ok                                 bool
	}{
		{"plain", all, ";created=" + unix(0) + `;keyid="` + keyID + `"`, digest, "", true},
		{"with alg", all, ";created=" + unix(0) + `;keyid="` + keyID + `";alg="rsa-v1_5-sha256"`, digest, "", true},
		{"more covered", all + ` "@authority" "date" "host"`, ";created=" + unix(0) + `;keyid="` + keyID + `"`, digest, "", true},
		{"another algorithm named", all, ";created=" + unix(0) + `;keyid="` + keyID + `";alg="hmac-sha256"`, digest, "", false},
		{"method only", `"@method"`, ";created=" + unix(0) + `;keyid="` + keyID + `"`, digest, "", false},
		{"no digest covered", `"@method" "@target-uri"`, ";created=" + unix(0) + `;keyid="` + keyID + `"`, digest, "", false},
		{"no created", all, `;keyid="` + keyID + `"`, digest, "", false},
		{"no keyid", all, ";created=" + unix(0), digest, "", false},
		{"created two hours ago", all, ";created=" + unix(-2*time.Hour) + `;keyid="` + keyID + `"`, digest, "", false},
		{"created two hours ahead", all, ";created=" + unix(2*time.Hour) + `;keyid="` + keyID + `"`, digest, "", false},
		{"expired", all, ";created=" + unix(-30*time.Minute) + ";expires=" + unix(-10*time.Minute) + `;keyid="` + keyID + `"`, digest, "", false},
		{"another digest", all, ";created=" + unix(0) + `;keyid="` + keyID + `"`, "sha-256=:AAAA:", "", false},
		{"no known digest", all, ";created=" + unix(0) + `;keyid="` + keyID + `"`, "md5=:AAAA:", "", false},
		{"for another host", all, ";created=" + unix(0) + `;keyid="` + keyID + `"`, digest, "https://other.example/inbox", false},
		{"a component with a parameter", `"@method";req "@target-uri" "content-digest"`, ";created=" + unix(0) + `;keyid="` + keyID + `"`, digest, "", false},
	} {
		uri := c.uri
		if uri == "" {
			uri = base + "/inbox"
		}
		values := map[string]string{
			"@method": "POST", "@target-uri": uri, "content-digest": c.digest, "@authority": "brest.example",
			"date": noon.Format(http.TimeFormat), "host": "brest.example",
		}
		var text strings.Builder
		for _, item := range strings.Fields(c.covered) {
			name := strings.Trim(strings.TrimSuffix(item, ";req"), `"`)
			fmt.Fprintf(&text, "%s: %s\n", item, values[name])
		}
		text.WriteString(`"@signature-params": (` + c.covered + `)` + c.params)
		hashed := sha256.Sum256([]byte(text.String()))
		signature, err := rsa.SignPKCS1v15(nil, pair(), crypto.SHA256, hashed[:])
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodPost, "/inbox", nil)
		r.Header.Set("Date", values["date"])
		r.Header.Set("Content-Digest", c.digest)
		r.Header.Set("Signature-Input", "sig1=("+c.covered+")"+c.params)
		r.Header.Set("Signature", "sig1=:"+base64.StdEncoding.EncodeToString(signature)+":")
		_, err = verifier(t, &source{old: pair().Public()}, noon).Verify(r, []byte(body))
		if (err == nil) != c.ok || err != nil && !errors.Is(err, ErrUnauthorized) {
			t.Errorf("%s: got %v, want accepted %v", c.name, err, c.ok)
		}
	}
}

func TestChangedKeyIsFetchedOnce(t *testing.T) {
	t.Parallel()
	s := &source{old: otherKey(t).Public(), fresh: pair().Public()}
	if _, err := verifier(t, s, noon).Verify(crafted{}.request(t), []byte(body)); err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(s.asked), "[false true]"; got != want {
		t.Errorf("asked %s, want %s", got, want)
	}
	s = &source{old: pair().Public()}
	if _, err := verifier(t, s, noon).Verify(crafted{}.request(t), []byte(body)); err != nil || len(s.asked) != 1 {
		t.Errorf("known key: %v, asked %v", err, s.asked)
	}
	s = &source{old: pair().Public()}
	bad := crafted{covered: "date"}.request(t)
	if _, err := verifier(t, s, noon).Verify(bad, []byte(body)); err == nil || len(s.asked) != 0 {
		t.Errorf("a request that no key can save: %v, asked %v", err, s.asked)
	}
}

func TestKeyErrorsKeepTheirKind(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ err, want error }{
		{essaim.ErrGone, essaim.ErrGone},
		{essaim.ErrUnavailable, essaim.ErrUnavailable},
		{essaim.ErrNotFound, ErrUnauthorized},
		{errors.New("odd"), ErrUnauthorized},
	} {
		_, err := verifier(t, &source{err: c.err}, noon).Verify(crafted{}.request(t), []byte(body))
		if !errors.Is(err, c.want) {
			t.Errorf("got %v, want %v", err, c.want)
		}
	}
}

func TestParsePublicKey(t *testing.T) {
	t.Parallel()
	spki := func(key any) string {
		der, err := x509.MarshalPKIXPublicKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	}
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, text string
		ok         bool
	}{
		{"RSA", spki(pair().Public()), true},
		{"Ed25519", spki(edPair.Public()), true},
		{"PKCS #1", string(pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(&pair().PublicKey)})), true},
		{"1,024 bits", spki(short.Public()), false},
		{"nothing", "", false},
		{"not PEM", "AAAA", false},
		{"PEM of something", string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: []byte("x")})), false},
		{"long", strings.Repeat("A", 20<<10), false},
	} {
		if _, err := ParsePublicKey(c.text); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if CheckKey(ed25519.PublicKey{1, 2, 3}) == nil || CheckKey(nil) == nil || CheckKey([]byte("x")) == nil {
		t.Error("a key that no library can use")
	}
}

// What the reader accepts it reads one way: written again from what was read,
// it reads the same, and each parameter stands in it once.
func FuzzSignatureHeader(f *testing.F) {
	f.Add(`keyId="https://a.example/u#k",algorithm="rsa-sha256",headers="(request-target) host date digest",signature="AAAA"`)
	f.Add(`keyId="https://a.example/u#k", created=1, expires="2", headers="(created)", signature="AA=="`)
	f.Add(`signature="AAAA",keyId="https://a.example/,x=1",headers="date",keyId="b"`)
	f.Fuzz(func(t *testing.T, s string) {
		p, err := parseHeader(s)
		if err != nil {
			return
		}
		again := fmt.Sprintf(`keyId="%s",algorithm="%s",headers="%s",signature="%s"`, p.keyID, p.algorithm, strings.Join(p.covered, " "), p.signature)
		if !p.created.IsZero() {
			again += fmt.Sprintf(",created=%d", p.created.Unix())
		}
		if !p.expires.IsZero() {
			again += fmt.Sprintf(",expires=%d", p.expires.Unix())
		}
		q, err := parseHeader(again)
		if err != nil || fmt.Sprint(q) != fmt.Sprint(p) {
			t.Fatalf("%q reads %v; written again it reads %v, %v", s, p, q, err)
		}
		outside := ""
		for i, part := range strings.Split(s, `"`) {
			if i%2 == 0 {
				outside += part
			}
		}
		for _, name := range []string{"keyId=", "signature=", "headers="} {
			if n := strings.Count(outside, name); n < 1 {
				t.Fatalf("%q: %d × %s", s, n, name)
			}
		}
		r := httptest.NewRequest(http.MethodPost, "/inbox", nil)
		r.Header.Set("Signature", s)
		_, _ = verifier(t, &source{old: pair().Public()}, noon).Verify(r, nil)
	})
}

// No Signature-Input makes the library panic, and none passes unsigned.
func FuzzSignatureInput(f *testing.F) {
	f.Add(`sig1=("@method" "@target-uri" "content-digest");created=1772366400;keyid="https://peer.example/users/alice#main-key"`, `sig1=:AAAA:`)
	f.Add(`a=(1 2.0 ?1 :AA==: tok);created=1`, `a=1`)
	f.Fuzz(func(t *testing.T, in, signature string) {
		r := httptest.NewRequest(http.MethodPost, "/inbox", nil)
		sum := sha256.Sum256([]byte(body))
		r.Header = http.Header{"Signature-Input": {in}, "Signature": {signature}, "Content-Digest": {"sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"}}
		if _, err := verifier(t, &source{old: pair().Public()}, noon).Verify(r, []byte(body)); err == nil {
			t.Fatalf("accepted %q %q", in, signature)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	r := crafted{}.request(b)
	v := verifier(b, &source{old: pair().Public()}, noon)
	for b.Loop() {
		if _, err := v.Verify(r, []byte(body)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSign(b *testing.B) {
	key := SigningKey{keyID, pair()}
	for b.Loop() {
		if err := Sign(post(b, base+"/inbox"), []byte(body), key, Cavage, noon); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBareRSASign(b *testing.B) {
	sum := sha256.Sum256([]byte(body))
	for b.Loop() {
		if _, err := rsa.SignPKCS1v15(nil, pair(), crypto.SHA256, sum[:]); err != nil {
			b.Fatal(err)
		}
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
