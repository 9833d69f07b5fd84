// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"net/http"
	"strings"
	"time"

	"essaim/e2e/rig"
)

// custom changes a signature as an item describes it. An unknown description is
// an error, never a plain signature.
func (t *trial) custom(how string, sg signing) (signing, error) {
	if id, ok := strings.CutPrefix(how, "keyId=http"); ok && strings.HasSuffix(id, "#main-key") {
		sg.keyID = "http" + id // an address that leads inwards
		return sg, nil
	}
	if change, ok := signatures[how]; ok {
		change(t, &sg)
		return sg, nil
	}
	if change, ok := ownSignatures[how]; ok {
		change(t, &sg)
		return sg, nil
	}
	if _, ok := ownWritings[how]; ok {
		return sg, nil // the request is changed once it is signed
	}
	switch how {
	case "512-bit key":
		short, err := rsa.GenerateKey(rand.Reader, 512)
		if err != nil {
			return sg, err
		}
		text, err := publicPEM(&short.PublicKey)
		sg.keyID, sg.key = t.keyed("/u/short", map[string]any{"publicKeyPem": text}), short
		return sg, err
	case "keyId on that host":
		if sg.keyID = t.keyID; sg.keyID == "" {
			return sg, fmt.Errorf("%s names no key", t.item.ID)
		}
		return sg, nil
	}
	return sg, fmt.Errorf("a signature %q", how)
}

// keyed serves an actor of evil with another key, and gives the key's id.
func (t *trial) keyed(path string, change map[string]any) string {
	id := t.evil().url + path
	key := map[string]any{"id": id + "#main-key", "owner": id, "publicKeyPem": t.evil().pem}
	for k, v := range change {
		key[k] = v
	}
	t.evil().putActor(path, "Person", map[string]any{"publicKey": key})
	return id + "#main-key"
}

// signatures are the ways of signing wrongly, or oddly, by what items call them.
var signatures = map[string]func(*trial, *signing){
	"valid signature over (request-target) host date; no Digest header": func(_ *trial, s *signing) {
		s.digest, s.covered = "none", []string{"(request-target)", "host", "date"}
	},
	"sign then replace body":        func(_ *trial, s *signing) { s.digestOf = []byte(`{"another":"body"}`) },
	"Digest uses MD5 and is signed": func(_ *trial, s *signing) { s.digest = "MD5" },
	`headers="(request-target) host digest"`: func(_ *trial, s *signing) {
		s.noDate, s.covered = true, []string{"(request-target)", "host", "digest"}
	},
	"Date=-13h":                  func(_ *trial, s *signing) { s.date = -13 * time.Hour },
	`headers="date"`:             func(_ *trial, s *signing) { s.covered = []string{"date"} },
	`headers="host date digest"`: func(_ *trial, s *signing) { s.covered = []string{"host", "date", "digest"} },
	"signed Host: other.test":    func(_ *trial, s *signing) { s.host = "other.test" },
	"keyId={EVIL}/key; doc owner={VACTOR}": func(t *trial, s *signing) {
		s.keyID = t.evil().url + "/key"
		t.evil().put("/key", document(rig.ActivityJSON, map[string]any{
			"@context": "https://w3id.org/security/v1", "id": s.keyID, "owner": t.names["VACTOR"], "publicKeyPem": t.evil().pem,
		}))
	},
	"keyId={ALICE}#main-key": func(t *trial, s *signing) { s.keyID = t.names["ALICE"] + "#main-key" },
	"hmac with PEM bytes": func(t *trial, s *signing) {
		s.algorithm, s.secret = "hmac-sha256", []byte(t.evil().pem)
	},
	"rsa-sha1": func(_ *trial, s *signing) { s.algorithm, s.hash = "rsa-sha1", crypto.SHA1 },
	"multibase key wrong length": func(t *trial, s *signing) {
		id := t.evil().url + "/u/odd"
		var keys []map[string]any
		for i, text := range []string{"zMvS3k", "z6Mk", "z2DQUGQo5nGqgkDCnfN5Zdvpx2GW9iQvkkTm4v2hbCw3V2", "", "u7QE"} {
			keys = append(keys, map[string]any{"id": fmt.Sprintf("%s#k%d", id, i), "type": "Multikey", "controller": id, "publicKeyMultibase": text})
		}
		t.evil().putActor("/u/odd", "Person", map[string]any{"publicKey": nil, "assertionMethod": keys})
		s.keyID, s.algorithm = id+"#k0", "ed25519"
	},
	"keyId twice":              func(t *trial, s *signing) { s.first, s.keyID = `keyId="`+s.keyID+`"`, t.names["VACTOR"]+"#main-key" },
	`", " separators`:          func(_ *trial, s *signing) { s.separator = ", " },
	"expires=-1h":              func(_ *trial, s *signing) { s.expires = -time.Hour },
	`signature="%%%"`:          func(_ *trial, s *signing) { s.signature = "%%%" },
	`sig1=("@method");created`: func(_ *trial, s *signing) { s.rfc9421 = []string{"@method"} },
	"no content-digest":        func(_ *trial, s *signing) { s.rfc9421 = []string{"@method", "@target-uri"} },
	"Authorization scheme":     func(_ *trial, s *signing) { s.header = "Authorization" },
	"signed method get":        func(_ *trial, s *signing) { s.method = http.MethodGet },
	"keyId 410": func(t *trial, s *signing) {
		s.keyID = t.evil().url + "/u/gone#main-key"
		t.evil().put("/u/gone", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) })
	},
	`keyId="https://evil.test/\r\nX: 1"`: func(_ *trial, s *signing) { s.keyID = "https://evil.test/\r\nX: 1" },
	"replay x100":                        func(*trial, *signing) {},
	"valid keyId, wrong signature x500":  func(_ *trial, s *signing) { s.digestOf = []byte("x") },
	"distinct keyIds":                    func(*trial, *signing) {},
}
