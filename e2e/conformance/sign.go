// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// cavage says how a request is signed by draft-cavage-http-signatures-12; its
// zero value is what Mastodon sends. The lines are the suite's own, so that it
// shares no misunderstanding with the node.
type cavage struct {
	covered   []string      // (request-target) host date digest when nil
	keyID     string        // the actor's when empty
	algorithm string        // rsa-sha256 when empty
	between   string        // of the parameters; "," when empty
	digest    string        // name of the digest algorithm; SHA-256 when empty
	skew      time.Duration // of Date, from now
	path      string        // signed instead of the address's
	host      string        // signed instead of the address's
	of        []byte        // digested instead of the body
	mediaType string        // activity+json when empty
}

// post signs a document as the actor and posts it.
func (w *world) post(a *actor, inbox string, doc any, c cavage) answer {
	return w.postBytes(a, inbox, encode(doc), c)
}

func (w *world) postBytes(a *actor, inbox string, body []byte, c cavage) answer {
	req, err := http.NewRequestWithContext(w.ctx, http.MethodPost, inbox, bytes.NewReader(body))
	if err != nil {
		return answer{body: []byte(err.Error())}
	}
	c.sign(req, a, body)
	return w.send(req)
}

// signedGet asks as the actor.
func (w *world) signedGet(a *actor, address string) answer {
	req, err := http.NewRequestWithContext(w.ctx, http.MethodGet, address, nil)
	if err != nil {
		return answer{body: []byte(err.Error())}
	}
	req.Header.Set("Accept", activityJSON)
	cavage{covered: []string{"(request-target)", "host", "date"}}.sign(req, a, nil)
	return w.send(req)
}

func (c cavage) sign(req *http.Request, a *actor, body []byte) {
	req.Header.Set("Date", time.Now().Add(c.skew).UTC().Format(http.TimeFormat))
	if body != nil {
		digested := body
		if c.of != nil {
			digested = c.of
		}
		sum := sha256.Sum256(digested)
		req.Header.Set("Digest", or(c.digest, "SHA-256")+"="+base64.StdEncoding.EncodeToString(sum[:]))
		req.Header.Set("Content-Type", or(c.mediaType, activityJSON))
	}
	covered := c.covered
	if covered == nil {
		covered = []string{"(request-target)", "host", "date", "digest"}
	}
	lines := make([]string, len(covered))
	for i, name := range covered {
		value := req.Header.Get(name)
		switch name {
		case "(request-target)":
			value = strings.ToLower(req.Method) + " " + or(c.path, req.URL.RequestURI())
		case "host":
			value = or(c.host, req.URL.Host)
		case "content-length":
			value = strconv.Itoa(len(body))
		}
		lines[i] = name + ": " + value
	}
	between := or(c.between, ",")
	req.Header.Set("Signature", strings.Join([]string{
		`keyId="` + or(c.keyID, a.keyID) + `"`, `algorithm="` + or(c.algorithm, "rsa-sha256") + `"`,
		`headers="` + strings.Join(covered, " ") + `"`, `signature="` + base64.StdEncoding.EncodeToString(rsaSign(a.rsa, strings.Join(lines, "\n"))) + `"`,
	}, between))
}

func rsaSign(key *rsa.PrivateKey, base string) []byte {
	sum := sha256.Sum256([]byte(base))
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	if err != nil {
		panic(err) // a key that the suite made
	}
	return signature
}

// rfc9421 says how a request is signed by RFC 9421; its zero value covers what
// Mastodon asks for, with the RSA key.
type rfc9421 struct {
	covered   []string // "@method" "@target-uri" "content-digest" when nil
	ed25519   bool
	noCreated bool
	skew      time.Duration
	of        []byte // digested instead of the body
}

func (w *world) post9421(a *actor, inbox string, doc any, c rfc9421) answer {
	body := encode(doc)
	req, err := http.NewRequestWithContext(w.ctx, http.MethodPost, inbox, bytes.NewReader(body))
	if err != nil {
		return answer{body: []byte(err.Error())}
	}
	digested := body
	if c.of != nil {
		digested = c.of
	}
	sum := sha256.Sum256(digested)
	req.Header.Set("Content-Type", activityJSON)
	req.Header.Set("Content-Digest", "sha-256=:"+base64.StdEncoding.EncodeToString(sum[:])+":")
	c.sign(req, a)
	return w.send(req)
}

func (c rfc9421) sign(req *http.Request, a *actor) {
	covered := c.covered
	if covered == nil {
		covered = []string{"@method", "@target-uri", "content-digest"}
	}
	quoted := make([]string, len(covered))
	var base strings.Builder
	for i, name := range covered {
		quoted[i] = `"` + name + `"`
		value := req.Header.Get(name)
		switch name {
		case "@method":
			value = req.Method
		case "@target-uri":
			value = req.URL.String()
		}
		base.WriteString(quoted[i] + ": " + value + "\n")
	}
	params := "(" + strings.Join(quoted, " ") + ")"
	if !c.noCreated {
		params += fmt.Sprintf(";created=%d", time.Now().Add(c.skew).Unix())
	}
	key := a.keyID
	if c.ed25519 {
		key = a.edKey
	}
	params += `;keyid="` + key + `"`
	base.WriteString(`"@signature-params": ` + params)
	signature := rsaSign(a.rsa, base.String())
	if c.ed25519 {
		signature = ed25519.Sign(a.ed, []byte(base.String()))
	}
	req.Header.Set("Signature-Input", "sig1="+params)
	req.Header.Set("Signature", "sig1=:"+base64.StdEncoding.EncodeToString(signature)+":")
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
