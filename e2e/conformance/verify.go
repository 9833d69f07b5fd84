// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"regexp"
	"strings"
	"time"
)

// published are the keys of a node's actor, read from what it serves.
type published struct {
	rsaID string
	rsa   *rsa.PublicKey
	edID  string
	ed    ed25519.PublicKey
}

// keysOf reads an actor's keys as others do.
func keysOf(actor map[string]any) (published, error) {
	k := published{rsaID: text(actor, "publicKey", "id")}
	block, _ := pem.Decode([]byte(text(actor, "publicKey", "publicKeyPem")))
	if block == nil || block.Type != "PUBLIC KEY" {
		return k, errors.New("publicKeyPem is no SPKI PEM")
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return k, err
	}
	var ok bool
	if k.rsa, ok = parsed.(*rsa.PublicKey); !ok {
		return k, fmt.Errorf("publicKeyPem holds a %T", parsed)
	}
	for _, m := range list(actor, "assertionMethod") {
		raw, err := base58(strings.TrimPrefix(text(m, "publicKeyMultibase"), "z"))
		if err == nil && len(raw) == 34 && raw[0] == 0xed && raw[1] == 0x01 {
			k.edID, k.ed = text(m, "id"), ed25519.PublicKey(raw[2:])
			return k, nil
		}
	}
	return k, errors.New("assertionMethod holds no Ed25519 Multikey")
}

var parameter = regexp.MustCompile(`(\w+)="([^"]*)"`)

// checkCavage verifies a delivery of the node as a receiver would.
func (k published) checkCavage(d *delivery) error {
	params := map[string]string{}
	for _, m := range parameter.FindAllStringSubmatch(d.header.Get("Signature"), -1) {
		params[m[1]] = m[2]
	}
	if params["keyId"] != k.rsaID {
		return fmt.Errorf("signed with key %q, the actor's is %q", params["keyId"], k.rsaID)
	}
	covered := map[string]bool{}
	var lines []string
	for _, name := range strings.Fields(params["headers"]) {
		covered[name] = true
		value := d.header.Get(name)
		switch name {
		case "(request-target)":
			value = "post " + d.path
		case "host":
			value = d.host
		}
		lines = append(lines, name+": "+value)
	}
	for _, need := range []string{"(request-target)", "host", "date", "digest"} {
		if !covered[need] {
			return fmt.Errorf("the signature does not cover %s", need)
		}
	}
	if err := d.checkDigest("Digest", "SHA-256=", ""); err != nil {
		return err
	}
	if made, err := http.ParseTime(d.header.Get("Date")); err != nil || d.at.Sub(made).Abs() > 5*time.Minute {
		return fmt.Errorf("Date %q, received %s", d.header.Get("Date"), d.at)
	}
	signature, err := base64.StdEncoding.DecodeString(params["signature"])
	if err != nil {
		return err
	}
	return k.rsaCheck(strings.Join(lines, "\n"), signature)
}

func (k published) rsaCheck(base string, signature []byte) error {
	sum := sha256.Sum256([]byte(base))
	return rsa.VerifyPKCS1v15(k.rsa, crypto.SHA256, sum[:], signature)
}

func (d *delivery) checkDigest(header, before, after string) error {
	sum := sha256.Sum256(d.body)
	if got, want := d.header.Get(header), before+base64.StdEncoding.EncodeToString(sum[:])+after; got != want {
		return fmt.Errorf("%s: %q, want %q", header, got, want)
	}
	return nil
}

var signatureInput = regexp.MustCompile(`^(\w+)=(\(([^)]*)\)(.*))$`)

// checkRFC9421 verifies a delivery that was signed the other way.
func (k published) checkRFC9421(d *delivery) error {
	m := signatureInput.FindStringSubmatch(d.header.Get("Signature-Input"))
	if m == nil {
		return fmt.Errorf("Signature-Input: %q", d.header.Get("Signature-Input"))
	}
	var base strings.Builder
	for _, quoted := range strings.Fields(m[3]) {
		name := strings.Trim(quoted, `"`)
		value := d.header.Get(name)
		switch name {
		case "@method":
			value = http.MethodPost
		case "@target-uri":
			value = "https://" + d.host + d.path
		}
		base.WriteString(quoted + ": " + value + "\n")
	}
	for _, need := range []string{`"@method"`, `"@target-uri"`, `"content-digest"`} {
		if !strings.Contains(m[3], need) {
			return fmt.Errorf("the signature does not cover %s", need)
		}
	}
	if err := d.checkDigest("Content-Digest", "sha-256=:", ":"); err != nil {
		return err
	}
	base.WriteString(`"@signature-params": ` + m[2])
	encoded := strings.Trim(strings.TrimPrefix(d.header.Get("Signature"), m[1]+"="), ":")
	signature, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return err
	}
	return k.rsaCheck(base.String(), signature)
}

const base58Digits = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

// base58 decodes the alphabet of Bitcoin, which multibase writes with "z".
func base58(s string) ([]byte, error) {
	n, zeros, leading := new(big.Int), 0, true
	for _, c := range s {
		digit := strings.IndexRune(base58Digits, c)
		if digit < 0 {
			return nil, fmt.Errorf("base58: %q", c)
		}
		if leading = leading && digit == 0; leading {
			zeros++
		}
		n.Add(n.Mul(n, big.NewInt(58)), big.NewInt(int64(digit)))
	}
	return append(make([]byte, zeros), n.Bytes()...), nil
}

func toBase58(b []byte) string {
	n, rest, out := new(big.Int).SetBytes(b), new(big.Int), []byte{}
	for n.Sign() > 0 {
		n.DivMod(n, big.NewInt(58), rest)
		out = append([]byte{base58Digits[rest.Int64()]}, out...)
	}
	for _, c := range b {
		if c != 0 {
			break
		}
		out = append([]byte{'1'}, out...)
	}
	return string(out)
}

// multikey writes an Ed25519 key as FEP-521a asks.
func multikey(k ed25519.PublicKey) string { return "z" + toBase58(append([]byte{0xed, 0x01}, k...)) }
