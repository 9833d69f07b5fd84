// SPDX-License-Identifier: AGPL-3.0-or-later

package sig

import (
	"crypto/rsa"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/go-fed/httpsig"
)

// claimCavage reads a draft-cavage signature. It must cover (request-target),
// host, date or (created), and for a request with a body digest.
func (v *Verifier) claimCavage(r *http.Request, body []byte) (claim, error) {
	lines := r.Header.Values("Signature")
	if len(lines) != 1 {
		return claim{}, refuse("not exactly one Signature header")
	}
	p, err := parseHeader(lines[0])
	if err != nil {
		return claim{}, err
	}
	for _, need := range []string{"(request-target)", "host"} {
		if !slices.Contains(p.covered, need) {
			return claim{}, refuse("does not cover " + need)
		}
	}
	if err := v.checkTimes(r, p); err != nil {
		return claim{}, err
	}
	if hasBody(r.Method) {
		if !slices.Contains(p.covered, "digest") {
			return claim{}, refuse("does not cover digest")
		}
		if err := checkDigest(r.Header, body); err != nil {
			return claim{}, err
		}
	}
	header := make(http.Header, len(p.covered)+1)
	for _, name := range p.covered {
		if name[0] == '(' {
			continue
		}
		values, err := v.field(r, name, body)
		if err != nil {
			return claim{}, err
		}
		header[textproto.CanonicalMIMEHeaderKey(name)] = values
	}
	return claim{keyID: p.keyID, check: func(k Key) error {
		path, query := target(r)
		err := p.check(r.Method, path, query, header, k)
		if err != nil && query != "" {
			// Mastodon before 4.3 left the query out of what it signed.
			err = p.check(r.Method, path, "", header, k)
		}
		return err
	}}, nil
}

func (v *Verifier) checkTimes(r *http.Request, p params) error {
	covered := slices.Contains(p.covered, "(expires)")
	if covered && p.expires.IsZero() {
		return refuse("covers an expires that is not there")
	}
	dated := false
	if slices.Contains(p.covered, "(created)") {
		if p.created.IsZero() {
			return refuse("covers a created that is not there")
		}
		if err := v.window(p.created, p.expires, covered); err != nil {
			return err
		}
		dated = true
	}
	if slices.Contains(p.covered, "date") {
		lines := r.Header.Values("Date")
		if len(lines) != 1 {
			return refuse("not exactly one Date header")
		}
		date, err := http.ParseTime(lines[0])
		if err != nil {
			return refuse("malformed Date")
		}
		if err := v.window(date, p.expires, covered); err != nil {
			return err
		}
		dated = true
	}
	if !dated {
		return refuse("covers neither date nor (created)")
	}
	return nil
}

// check has the library check the bytes. The type of the key picks the
// algorithm; what the header says may only narrow it, so that no header turns a
// public key into a shared secret.
func (p params) check(method, path, query string, header http.Header, k Key) error {
	var try []httpsig.Algorithm
	_, isRSA := k.Public.(*rsa.PublicKey)
	switch {
	case isRSA && p.algorithm == "rsa-sha256":
		try = []httpsig.Algorithm{httpsig.RSA_SHA256}
	case isRSA && p.algorithm == "rsa-sha512":
		try = []httpsig.Algorithm{httpsig.RSA_SHA512}
	case isRSA && (p.algorithm == "" || p.algorithm == "hs2019"):
		try = []httpsig.Algorithm{httpsig.RSA_SHA256, httpsig.RSA_SHA512}
	case !isRSA && (p.algorithm == "" || p.algorithm == "hs2019" || p.algorithm == "ed25519"):
		try = []httpsig.Algorithm{httpsig.ED25519}
	default:
		return refuse("algorithm is not for this key")
	}
	verifier, err := httpsig.NewVerifier(p.canonical(method, path, query, header))
	if err != nil {
		return refuse("malformed header")
	}
	for _, algorithm := range try {
		if verifier.Verify(k.Public, algorithm) == nil {
			return nil
		}
	}
	return refuse("does not match")
}

// canonical rebuilds the request for the library, so that it sees what our
// reader saw and no more: the path as it came on the wire (it would sign the
// decoded one) and a header in the only form it reads (a comma within keyId
// would split it; keyId is not signed).
//
// The library compares created and expires with the machine's clock, ten
// seconds ahead at most. Ours were checked already, with our own clock, so
// their lines are appended to the value of the line before, which gives the
// same bytes.
func (p params) canonical(method, path, query string, header http.Header) *http.Request {
	header = header.Clone()
	u := &url.URL{Path: path, RawQuery: query}
	var covered []string
	times := ""
	for _, name := range p.covered {
		line := ""
		switch name {
		case "(created)":
			line = "\n(created): " + strconv.FormatInt(p.created.Unix(), 10)
		case "(expires)":
			line = "\n(expires): " + strconv.FormatInt(p.expires.Unix(), 10)
		}
		if line == "" || len(covered) == 0 {
			covered = append(covered, name)
			times += timeParam(name, p)
			continue
		}
		switch last := covered[len(covered)-1]; {
		case last == "(request-target)" && u.RawQuery != "":
			u.RawQuery += line
		case last == "(request-target)":
			u.Path += line
		case last[0] != '(':
			values := slices.Clone(header[textproto.CanonicalMIMEHeaderKey(last)])
			values[len(values)-1] = strings.TrimSpace(values[len(values)-1]) + line
			header[textproto.CanonicalMIMEHeaderKey(last)] = values
		default:
			covered = append(covered, name)
			times += timeParam(name, p)
		}
	}
	header.Set("Signature", `keyId="-",`+times+`headers="`+strings.Join(covered, " ")+`",signature="`+p.signature+`"`)
	return &http.Request{Method: method, URL: u, Header: header}
}

// timeParam is the parameter for a time that comes first of all lines and so
// has none to be appended to.
func timeParam(name string, p params) string {
	switch name {
	case "(created)":
		return "created=" + strconv.FormatInt(p.created.Unix(), 10) + ","
	case "(expires)":
		return "expires=" + strconv.FormatInt(p.expires.Unix(), 10) + ","
	}
	return ""
}
