// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"
)

// ownSignatures are ways of signing wrongly that the file does not name, as
// changes to a signature or to the signed request.
var ownSignatures = map[string]func(*trial, *signing){
	"a date an hour and more ahead":    func(_ *trial, s *signing) { s.date = 90 * time.Minute },
	"a date seventy minutes old":       func(_ *trial, s *signing) { s.date = -70 * time.Minute },
	"an algorithm called none":         func(_ *trial, s *signing) { s.algorithm = "none" },
	"an algorithm of another key":      func(_ *trial, s *signing) { s.algorithm = "ed25519" },
	"two algorithms":                   func(_ *trial, s *signing) { s.algorithm = "rsa-sha256,hmac-sha256" },
	"a shared secret of an empty text": func(_ *trial, s *signing) { s.algorithm, s.secret = "hs2019", []byte{} },
	"a header covered twice":           func(_ *trial, s *signing) { s.covered = []string{"(request-target)", "host", "date", "digest", "date"} },
	"covers created and has none":      func(_ *trial, s *signing) { s.covered = []string{"(request-target)", "host", "(created)", "digest"} },
	"covers a header that is not there": func(_ *trial, s *signing) {
		s.covered = []string{"(request-target)", "host", "date", "digest", "x-not-there"}
	},
	"a signature of nothing": func(_ *trial, s *signing) { s.signature = "=" },
	"a key whose id has a name and a password": func(t *trial, s *signing) {
		s.keyID = "https://victim.test:x@evil.test/u/evil#main-key"
	},
	"a key whose id ends in a dot":      func(_ *trial, s *signing) { s.keyID = "https://evil.test./u/evil#main-key" },
	"a key on another port of its host": func(_ *trial, s *signing) { s.keyID = "https://evil.test:8443/u/evil#main-key" },
	"an actor that lists the victim's key": func(t *trial, s *signing) {
		s.keyID = t.names["VACTOR"] + "#main-key"
		t.evil().putActor("/u/evil", "Person", map[string]any{"publicKey": []map[string]any{{"id": s.keyID, "owner": t.names["EACTOR"], "publicKeyPem": t.evil().pem}}})
	},
	"a key of two owners": func(t *trial, s *signing) {
		s.keyID = t.keyed("/u/two", map[string]any{"owner": []string{t.names["EACTOR"], t.names["VACTOR"]}})
	},
	"an actor fetched under another's name": func(t *trial, s *signing) {
		s.keyID = t.evil().url + "/u/mask#main-key"
		t.evil().put("/u/mask", document("application/activity+json", t.evil().actor(t.names["VACTOR"], "Person", map[string]any{
			"publicKey": map[string]string{"id": s.keyID, "owner": t.names["VACTOR"], "publicKeyPem": t.evil().pem},
		})))
	},
	"RFC 9421: the path for the whole address": func(_ *trial, s *signing) { s.rfc9421 = []string{"@method", "@path", "content-digest"} },
	"RFC 9421: a parameter on the method":      func(_ *trial, s *signing) { s.rfc9421 = []string{`@method";req;x="`, "@target-uri", "content-digest"} },
	"RFC 9421: a component twice": func(_ *trial, s *signing) {
		s.rfc9421 = []string{"@method", "@method", "@target-uri", "content-digest"}
	},
}

// ownWritings change the request after it is signed.
var ownWritings = map[string]func(*request, []byte){
	"two Signature headers": func(q *request, _ []byte) { q.header = append(q.header, [2]string{"Signature", q.get("Signature")}) },
	"two Date headers": func(q *request, _ []byte) {
		q.header = append(q.header, [2]string{"Date", "Thu, 01 Jan 2015 00:00:00 GMT"})
	},
	"a second Digest, wrong": func(q *request, _ []byte) { q.header = append(q.header, [2]string{"Digest", "SHA-256=AAAA"}) },
	"a Digest of two, one right": func(q *request, body []byte) {
		sum := sha256.Sum256(body)
		q.set("Digest", "SHA-256=AAAA,SHA-256="+base64.StdEncoding.EncodeToString(sum[:]))
	},
	"the same path in escapes": func(q *request, _ []byte) { q.target = strings.Replace(q.target, "i", "%69", 1) },
	"a path with a dot in it":  func(q *request, _ []byte) { q.target = "/." + q.target },
	"another method in a header": func(q *request, _ []byte) {
		q.method = "PUT"
		q.header = append(q.header, [2]string{"X-HTTP-Method-Override", "POST"})
	},
	"folded over two lines, a parameter repeated": func(q *request, _ []byte) {
		q.set("Signature", q.get("Signature")+",\r\n keyId=\"https://victim.test/u/v#main-key\"")
	},
	"a Signature-Input of another beside it": func(q *request, _ []byte) {
		q.header = append(q.header, [2]string{"Signature-Input", fmt.Sprintf(`sig1=("@method");created=%d;keyid="https://victim.test/u/v#main-key"`, time.Now().Unix())})
	},
	"a quote that does not end": func(q *request, _ []byte) { q.set("Signature", q.get("Signature")+`,x="`) },
	"an expires of yesterday added": func(q *request, _ []byte) {
		q.set("Signature", q.get("Signature")+fmt.Sprintf(",expires=%d", time.Now().Add(-24*time.Hour).Unix()))
	},
}

// ownSignatureNames are the two tables above in one order.
var ownSignatureNames = slices.Sorted(func(yield func(string) bool) {
	for name := range ownSignatures {
		if !yield(name) {
			return
		}
	}
	for name := range ownWritings {
		if !yield(name) {
			return
		}
	}
})

func (q *request) get(name string) string {
	for _, h := range q.header {
		if strings.EqualFold(h[0], name) {
			return h[1]
		}
	}
	return ""
}
