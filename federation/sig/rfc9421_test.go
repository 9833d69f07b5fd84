// SPDX-License-Identifier: AGPL-3.0-or-later

package sig

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

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
		{"no address covered", `"@method" "content-digest"`, ";created=" + unix(0) + `;keyid="` + keyID + `"`, digest, "", false},
		{"no method covered", `"@target-uri" "content-digest"`, ";created=" + unix(0) + `;keyid="` + keyID + `"`, digest, "", false},
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
