// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"crypto"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // what a node must refuse
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // what a node must refuse
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// signing is how a request is signed; the zero value with a key and its id is
// what Mastodon sends (draft-cavage-http-signatures-12).
type signing struct {
	keyID     string
	key       *rsa.PrivateKey
	quick     ed25519.PrivateKey // instead of key: thousands a second are signed
	covered   []string           // "(request-target) host date digest" when nil
	algorithm string             // "rsa-sha256" when empty
	date      time.Duration
	noDate    bool
	host      string // signed and not sent
	method    string // signed and not sent
	digest    string // "SHA-256" when empty; "MD5", "none"
	digestOf  []byte // what was digested, if not the body
	hash      crypto.Hash
	secret    []byte        // HMAC instead of a key
	expires   time.Duration // no parameter when 0
	separator string        // "," when empty
	first     string        // a parameter before the others
	signature string        // instead of the right one
	header    string        // "Signature" when empty
	rfc9421   []string      // covered components of RFC 9421 instead
}

// sign adds to a request what signs it.
func (sg signing) sign(q *request, body []byte, now time.Time) error {
	if sg.rfc9421 != nil {
		return sg.sign9421(q, body, now)
	}
	date := now.Add(sg.date).UTC().Format(http.TimeFormat)
	if !sg.noDate {
		q.set("Date", date)
	}
	digest := ""
	of := body
	if sg.digestOf != nil {
		of = sg.digestOf
	}
	switch sg.digest {
	case "":
		sum := sha256.Sum256(of)
		digest = "SHA-256=" + base64.StdEncoding.EncodeToString(sum[:])
	case "MD5":
		sum := md5.Sum(of) //nolint:gosec // what a node must refuse
		digest = "MD5=" + base64.StdEncoding.EncodeToString(sum[:])
	}
	if digest != "" && q.method != http.MethodGet {
		q.set("Digest", digest)
	}
	covered := sg.covered
	if covered == nil {
		covered = []string{"(request-target)", "host", "date"}
		if q.method != http.MethodGet {
			covered = append(covered, "digest")
		}
	}
	method, host := q.method, "node.test"
	if sg.method != "" {
		method = sg.method
	}
	if sg.host != "" {
		host = sg.host
	}
	values := map[string]string{
		"(request-target)": strings.ToLower(method) + " " + q.target, "host": host, "date": date, "digest": digest,
	}
	var lines []string
	for _, name := range covered {
		lines = append(lines, name+": "+values[name])
	}
	signature, err := sg.make([]byte(strings.Join(lines, "\n")))
	if err != nil {
		return err
	}
	params := []string{`keyId="` + sg.keyID + `"`}
	if sg.first != "" {
		params = slices.Insert(params, 0, sg.first)
	}
	algorithm := sg.algorithm
	if algorithm == "" {
		algorithm = "rsa-sha256"
		if sg.quick != nil {
			algorithm = "hs2019"
		}
	}
	params = append(params, `algorithm="`+algorithm+`"`)
	if sg.expires != 0 {
		params = append(params, fmt.Sprintf("expires=%d", now.Add(sg.expires).Unix()))
	}
	params = append(params, `headers="`+strings.Join(covered, " ")+`"`, `signature="`+signature+`"`)
	separator := sg.separator
	if separator == "" {
		separator = ","
	}
	if sg.header != "" {
		q.set(sg.header, "Signature "+strings.Join(params, separator))
		return nil
	}
	q.set("Signature", strings.Join(params, separator))
	return nil
}

// make signs the lines, in base64.
func (sg signing) make(lines []byte) (string, error) {
	if sg.signature != "" {
		return sg.signature, nil
	}
	if sg.secret != nil {
		mac := hmac.New(sha256.New, sg.secret)
		mac.Write(lines)
		return base64.StdEncoding.EncodeToString(mac.Sum(nil)), nil
	}
	if sg.quick != nil {
		return base64.StdEncoding.EncodeToString(ed25519.Sign(sg.quick, lines)), nil
	}
	hash := sg.hash
	var sum []byte
	if hash == crypto.SHA1 {
		s := sha1.Sum(lines) //nolint:gosec // what a node must refuse
		sum = s[:]
	} else {
		hash = crypto.SHA256
		s := sha256.Sum256(lines)
		sum = s[:]
	}
	out, err := rsa.SignPKCS1v15(nil, sg.key, hash, sum)
	return base64.StdEncoding.EncodeToString(out), err
}

// sign9421 signs as RFC 9421 says, covering what it is told to.
func (sg signing) sign9421(q *request, body []byte, now time.Time) error {
	sum := sha256.Sum256(body)
	digest := "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"
	values := map[string]string{"@method": q.method, "@target-uri": "https://node.test" + q.target, "content-digest": digest}
	if slices.Contains(sg.rfc9421, "content-digest") {
		q.set("Content-Digest", digest)
	}
	quoted := make([]string, len(sg.rfc9421))
	var lines strings.Builder
	for i, name := range sg.rfc9421 {
		quoted[i] = `"` + name + `"`
		fmt.Fprintf(&lines, "%s: %s\n", quoted[i], values[name])
	}
	params := fmt.Sprintf(`(%s);created=%d;keyid="%s"`, strings.Join(quoted, " "), now.Unix(), sg.keyID)
	lines.WriteString(`"@signature-params": ` + params)
	signature, err := sg.make([]byte(lines.String()))
	if err != nil {
		return err
	}
	q.set("Signature-Input", "sig1="+params)
	q.set("Signature", "sig1=:"+signature+":")
	return nil
}
