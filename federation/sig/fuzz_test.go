// SPDX-License-Identifier: AGPL-3.0-or-later

package sig

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// What the reader accepts it reads one way: written again from what was read,
// it reads the same, and each parameter stands in it once.
func FuzzSignatureHeader(f *testing.F) {
	f.Add(`keyId="https://a.example/u#k",algorithm="rsa-sha256",headers="(request-target) host date digest",signature="AAAA"`)
	f.Add(`keyId="https://a.example/u#k", created=1, expires="2", headers="(created)", signature="AA=="`)
	f.Add(`keyId="https://brеst.example/u#k",headers="(request-target) host date",signature="AAAA"`)
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
		if _, err := verifier(t, &source{old: pair().Public()}, noon).Verify(r, nil); err == nil {
			t.Fatalf("%q signs a request without a digest", s)
		}
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
