// SPDX-License-Identifier: AGPL-3.0-or-later

package sig

import (
	"bytes"
	"crypto/rsa"
	"io"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	rfc9421 "github.com/dadrus/httpsig"
	"github.com/dunglas/httpsfv"

	"essaim"
)

// input is the one signature of a Signature-Input header.
type input struct {
	keyID     essaim.IRI
	algorithm string
	covered   []string
	created   time.Time
	expires   time.Time
}

// parseInput reads the Signature-Input headers (RFC 9421 4.1). There must be one
// signature; components with parameters ("sf", "req"…) are refused, as no
// server of the Fediverse uses any.
func parseInput(h http.Header) (input, error) {
	var in input
	for _, name := range []string{"Signature-Input", "Signature", "Content-Digest"} {
		for _, line := range h.Values(name) {
			if len(line) > maxHeader || !plainStructure(line) {
				return in, refuse("malformed " + name)
			}
		}
	}
	dict, err := httpsfv.UnmarshalDictionary(h.Values("Signature-Input"))
	if err != nil || len(dict.Names()) != 1 {
		return in, refuse("not exactly one signature")
	}
	member, _ := dict.Get(dict.Names()[0])
	list, ok := member.(httpsfv.InnerList)
	if !ok || len(list.Items) > 32 {
		return in, refuse("malformed Signature-Input")
	}
	for _, item := range list.Items {
		name, ok := item.Value.(string)
		if !ok || name == "" || len(item.Params.Names()) > 0 || name != strings.ToLower(name) || slices.Contains(in.covered, name) {
			return in, refuse("malformed component")
		}
		in.covered = append(in.covered, name)
	}
	return in, in.readParams(list.Params)
}

// plainStructure tells whether a structured field has neither a display string
// nor a date (RFC 9651), which no signature needs: httpsfv v1.1.0 panics on a
// broken display string.
func plainStructure(line string) bool {
	quoted := false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && (c == '%' || c == '@'):
			return false
		}
	}
	return !quoted
}

func (in *input) readParams(p *httpsfv.Params) error {
	var err error
	for _, name := range p.Names() {
		value, _ := p.Get(name)
		text, isText := value.(string)
		number, isNumber := value.(int64)
		switch {
		case name == "created" && isNumber && number > 0 && number < 1<<36:
			in.created = time.Unix(number, 0)
		case name == "expires" && isNumber && number > 0 && number < 1<<36:
			in.expires = time.Unix(number, 0)
		case name == "keyid" && isText:
			if in.keyID, err = essaim.ParseIRI(text); err != nil {
				return refuse("keyid is not an address")
			}
		case name == "alg" && isText:
			in.algorithm = text
		case (name == "nonce" || name == "tag") && isText:
		default:
			return refuse("malformed parameter")
		}
	}
	if in.keyID.IsZero() || in.created.IsZero() {
		return refuse("no keyid or no created")
	}
	return nil
}

// claimRFC9421 reads an RFC 9421 signature. It must cover @method, @target-uri,
// and for a request with a body content-digest: what Mastodon asks for.
func (v *Verifier) claimRFC9421(r *http.Request, body []byte) (claim, error) {
	in, err := parseInput(r.Header)
	if err != nil {
		return claim{}, err
	}
	need := []string{"@method", "@target-uri"}
	if hasBody(r.Method) {
		need = append(need, "content-digest")
	}
	for _, name := range need {
		if !slices.Contains(in.covered, name) {
			return claim{}, refuse("does not cover " + name)
		}
	}
	// All parameters are covered (RFC 9421 2.3).
	if err := v.window(in.created, in.expires, true); err != nil {
		return claim{}, err
	}
	msg := v.message(r, body)
	for _, name := range in.covered {
		if name[0] == '@' || name == "content-digest" {
			continue
		}
		values, err := v.field(r, name, body)
		if err != nil {
			return claim{}, err
		}
		msg.Header[http.CanonicalHeaderKey(name)] = values
	}
	return claim{keyID: in.keyID, check: func(k Key) error { return in.check(msg, k) }}, nil
}

// message is the request as its sender addressed it: at our public address.
func (v *Verifier) message(r *http.Request, body []byte) *rfc9421.Message {
	h := make(http.Header, 6)
	for _, name := range []string{"Signature", "Signature-Input", "Content-Digest"} {
		if values := r.Header.Values(name); len(values) > 0 {
			h[name] = values
		}
	}
	return &rfc9421.Message{
		Context: r.Context(), Method: r.Method, Authority: v.base.Host, Header: h, IsRequest: true,
		URL: &url.URL{
			Scheme: v.base.Scheme, Host: v.base.Host, Path: r.URL.Path, RawPath: r.URL.RawPath,
			RawQuery: r.URL.RawQuery, ForceQuery: r.URL.ForceQuery,
		},
		Body: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil },
	}
}

// check has the library check the bytes and the content digest; the times were
// checked with our own clock.
func (in input) check(msg *rfc9421.Message, k Key) error {
	algorithm := rfc9421.Ed25519
	if _, isRSA := k.Public.(*rsa.PublicKey); isRSA {
		algorithm = rfc9421.RsaPkcs1v15Sha256
		if in.algorithm == string(rfc9421.RsaPssSha512) {
			algorithm = rfc9421.RsaPssSha512
		}
	}
	verifier, err := rfc9421.NewVerifier(
		rfc9421.Key{KeyID: in.keyID.String(), Algorithm: algorithm, Key: k.Public},
		rfc9421.WithValidateAllSignatures(),
		rfc9421.WithRequiredComponents(in.covered...),
		rfc9421.WithExpiredTimestampRequired(false),
		rfc9421.WithMaxAge(math.MaxInt64),
		rfc9421.WithValidityTolerance(math.MaxInt64),
	)
	if err != nil {
		return refuse("malformed Signature-Input")
	}
	if err := verifier.Verify(msg); err != nil {
		return refuse("does not match")
	}
	return nil
}
