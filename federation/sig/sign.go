// SPDX-License-Identifier: AGPL-3.0-or-later

package sig

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-fed/httpsig"

	"essaim"
)

// Style is a way to sign.
type Style uint8

// The styles. Cavage is what every server reads and is tried first; some answer
// 200 to RFC 9421 and drop the activity.
const (
	Cavage Style = iota
	RFC9421
)

// Synchronization is the header by which servers compare followers (FEP-8fcf);
// a request that has it covers it.
const Synchronization = "Collection-Synchronization"

// SigningKey is a private key under the id that an actor of ours publishes.
type SigningKey struct {
	ID      string
	Private crypto.Signer // *rsa.PrivateKey or ed25519.PrivateKey
}

// Sign adds Date, the digest of body and the signature to an outgoing request,
// replacing those it has. body is nil for a request without one. A request is
// signed again at each try, since a signature lasts about an hour.
func Sign(r *http.Request, body []byte, key SigningKey, style Style, now time.Time) error {
	for _, name := range []string{"Date", "Digest", "Content-Digest", "Signature", "Signature-Input"} {
		r.Header.Del(name)
	}
	r.Header.Set("Date", now.UTC().Format(http.TimeFormat))
	if style == RFC9421 {
		return signRFC9421(r, body, key, now)
	}
	return signCavage(r, body, key)
}

// signCavage covers (request-target), host, date, and with a body digest and
// content-type. The library signs the header map and the decoded path, so it is
// given a request whose Host is a header and whose path is the one on the wire;
// it always says "hs2019", which older software does not know.
func signCavage(r *http.Request, body []byte, key SigningKey) error {
	algorithm, name := httpsig.RSA_SHA256, "rsa-sha256"
	if _, ok := key.Private.(ed25519.PrivateKey); ok {
		algorithm, name = httpsig.ED25519, "hs2019"
	}
	path, query := target(r)
	shadow := &http.Request{Method: r.Method, URL: &url.URL{Path: path, RawQuery: query}, Header: make(http.Header, 6)}
	shadow.Header.Set("Host", hostOf(r))
	shadow.Header.Set("Date", r.Header.Get("Date"))
	covered := []string{httpsig.RequestTarget, "host", "date"}
	if body != nil {
		covered = append(covered, "digest")
		if ct := r.Header.Get("Content-Type"); ct != "" {
			shadow.Header.Set("Content-Type", ct)
			covered = append(covered, "content-type")
		}
	}
	if v := r.Header.Get(Synchronization); v != "" {
		shadow.Header.Set(Synchronization, v)
		covered = append(covered, strings.ToLower(Synchronization))
	}
	signer, _, err := httpsig.NewSigner([]httpsig.Algorithm{algorithm}, httpsig.DigestSha256, covered, httpsig.Signature, 0)
	if err != nil {
		return fmt.Errorf("sign: %w", err)
	}
	if err := signer.SignRequest(key.Private, key.ID, shadow, body); err != nil {
		return fmt.Errorf("sign with %s: %w", key.ID, err)
	}
	if digest := shadow.Header.Get("Digest"); digest != "" {
		r.Header.Set("Digest", digest)
	}
	r.Header.Set("Signature", strings.Replace(shadow.Header.Get("Signature"), `algorithm="hs2019"`, `algorithm="`+name+`"`, 1))
	return nil
}

// signRFC9421 writes the one profile that Mastodon asks for, with created from
// our clock; the library that checks it takes the machine's. RFC 9421 2.5.
func signRFC9421(r *http.Request, body []byte, key SigningKey, now time.Time) error {
	if strings.ContainsAny(key.ID, `"\`) {
		return fmt.Errorf("key id %q: %w", key.ID, essaim.ErrInvalid)
	}
	path, query := target(r)
	uri := r.URL.Scheme + "://" + hostOf(r) + path
	if query != "" {
		uri += "?" + query
	}
	base := `"@method": ` + r.Method + "\n" + `"@target-uri": ` + uri + "\n"
	covered := `"@method" "@target-uri"`
	if body != nil {
		sum := sha256.Sum256(body)
		digest := "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"
		r.Header.Set("Content-Digest", digest)
		base += `"content-digest": ` + digest + "\n"
		covered += ` "content-digest"`
	}
	if v := r.Header.Get(Synchronization); v != "" {
		base += `"collection-synchronization": ` + v + "\n"
		covered += ` "collection-synchronization"`
	}
	input := fmt.Sprintf(`(%s);created=%d;keyid="%s"`, covered, now.Unix(), key.ID)
	base += `"@signature-params": ` + input
	signature, err := signBytes(key.Private, []byte(base))
	if err != nil {
		return fmt.Errorf("sign with %s: %w", key.ID, err)
	}
	r.Header.Set("Signature-Input", "sig1="+input)
	r.Header.Set("Signature", "sig1=:"+base64.StdEncoding.EncodeToString(signature)+":")
	return nil
}

func signBytes(key crypto.Signer, message []byte) ([]byte, error) {
	switch key.(type) {
	case ed25519.PrivateKey:
		return key.Sign(rand.Reader, message, crypto.Hash(0))
	case *rsa.PrivateKey:
		sum := sha256.Sum256(message)
		return key.Sign(rand.Reader, sum[:], crypto.SHA256)
	}
	return nil, fmt.Errorf("key of type %T: %w", key, essaim.ErrInvalid)
}

// hostOf is the host that the client will send.
func hostOf(r *http.Request) string {
	if r.Host != "" {
		return r.Host
	}
	return r.URL.Host
}
