// SPDX-License-Identifier: AGPL-3.0-or-later

// Package proof signs JSON documents with object integrity proofs (FEP-8b32,
// cryptosuite eddsa-jcs-2022), checks them, and computes the two digests by
// which nodes compare their copies.
//
// It works on bytes: signing adds one member at the end of the document and
// leaves every other byte alone, so that what is stored is what is served.
package proof

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/gowebpki/jcs"
)

const (
	// Suite is the only cryptosuite made and accepted here: Ed25519 over
	// RFC 8785 canonical JSON (W3C vc-di-eddsa 3.3).
	Suite = "eddsa-jcs-2022"
	// ContextURL names the terms of a proof. Version 1 and not 2, because it
	// is the one that every peer bundles; with JCS it is compared, never
	// fetched.
	ContextURL = "https://w3id.org/security/data-integrity/v1"

	proofType    = "DataIntegrityProof"
	proofPurpose = "assertionMethod"
)

// Errors that callers tell apart.
var (
	// ErrNone means that the document carries no proof.
	ErrNone = errors.New("document without proof")
	// ErrUnsupported means a proof of another type, suite, purpose or form.
	ErrUnsupported = errors.New("unsupported proof")
	// ErrInvalid means that the proof does not match the document and key.
	ErrInvalid = errors.New("invalid proof")
	// ErrMalformed means that the document is not one JSON object.
	ErrMalformed = errors.New("malformed document")
)

// Proof is the readable part of a document's proof.
type Proof struct {
	// VerificationMethod is the id of the key, e.g. "https://…/actor#ed25519-…".
	VerificationMethod string
	// Created is when the signer says it signed; zero when absent.
	Created time.Time

	value   []byte
	config  []byte // the proof without proofValue, as received
	context []byte // its @context, nil when absent
}

// Sign returns doc with a proof by key added as its last member. doc must be
// a JSON object with an array as @context and without proof; method is the
// key's id, a key of the document's owner (FEP-8b32). created is written in
// UTC with whole seconds.
func Sign(doc []byte, key ed25519.PrivateKey, method string, created time.Time) ([]byte, error) {
	members, end, err := split(doc)
	if err != nil {
		return nil, err
	}
	var context []byte
	for _, m := range members {
		switch m.name {
		case "proof":
			return nil, fmt.Errorf("sign: %w: already has a proof", ErrMalformed)
		case "@context":
			context = m.value
		}
	}
	// Mastodon 4.7 refuses a proof with a context unless the document's
	// @context is an array that begins with it.
	if len(context) == 0 || context[0] != '[' {
		return nil, fmt.Errorf("sign: %w: @context is not an array", ErrMalformed)
	}
	p := config{
		Context: context, Type: proofType, Cryptosuite: Suite,
		VerificationMethod: method, ProofPurpose: proofPurpose,
		Created: created.UTC().Truncate(time.Second).Format(time.RFC3339),
	}
	options, err := encode(p)
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	hash, err := hashData(options, doc)
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	p.ProofValue = encodeBase58(ed25519.Sign(key, hash))
	signed, err := encode(p)
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	out := make([]byte, 0, len(doc)+len(signed)+16)
	out = append(out, doc[:end]...)
	if len(members) > 0 {
		out = append(out, ',')
	}
	out = append(out, `"proof":`...)
	out = append(out, signed...)
	return append(out, doc[end:]...), nil
}

// config is a proof on the wire.
type config struct {
	Context            json.RawMessage `json:"@context,omitempty"`
	Type               string          `json:"type"`
	Cryptosuite        string          `json:"cryptosuite"`
	VerificationMethod string          `json:"verificationMethod"`
	ProofPurpose       string          `json:"proofPurpose"`
	ProofValue         string          `json:"proofValue,omitempty"`
	Created            string          `json:"created,omitempty"`
}

// Read returns the document's proof without checking it: its key must be
// found first. ErrNone means that there is none.
func Read(doc []byte) (Proof, error) {
	members, _, err := split(doc)
	if err != nil {
		return Proof{}, err
	}
	for _, m := range members {
		if m.name == "proof" {
			return parse(m.value)
		}
	}
	return Proof{}, ErrNone
}

func parse(raw []byte) (Proof, error) {
	if len(raw) == 0 || raw[0] != '{' {
		return Proof{}, fmt.Errorf("%w: not one object", ErrUnsupported)
	}
	var c config
	if err := json.Unmarshal(raw, &c); err != nil {
		return Proof{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if c.Type != proofType || c.Cryptosuite != Suite || c.ProofPurpose != proofPurpose {
		return Proof{}, fmt.Errorf("%w: %s %s for %s", ErrUnsupported, c.Type, c.Cryptosuite, c.ProofPurpose)
	}
	value, err := decodeBase58(c.ProofValue)
	if err != nil || len(value) != ed25519.SignatureSize {
		return Proof{}, fmt.Errorf("%w: proofValue", ErrInvalid)
	}
	p := Proof{VerificationMethod: c.VerificationMethod, value: value, context: c.Context}
	if c.Created != "" {
		if p.Created, err = time.Parse(time.RFC3339, c.Created); err != nil {
			return Proof{}, fmt.Errorf("%w: created", ErrInvalid)
		}
	}
	if p.config, err = without(raw, "proofValue"); err != nil {
		return Proof{}, err
	}
	return p, nil
}

// Verify checks the document's proof against key, which the caller has found
// by the proof's VerificationMethod and knows to belong to the document's
// owner. It returns ErrNone, ErrUnsupported, ErrMalformed or ErrInvalid.
func Verify(doc []byte, key ed25519.PublicKey) error {
	p, err := Read(doc)
	if err != nil {
		return err
	}
	if len(key) != ed25519.PublicKeySize {
		return fmt.Errorf("%w: key of %d bytes", ErrInvalid, len(key))
	}
	if p.context != nil {
		if err := p.checkContext(doc); err != nil {
			return err
		}
	}
	// FEP-8b32: a linked-data signature beside the proof is not covered.
	unsigned, err := without(doc, "proof", "signature")
	if err != nil {
		return err
	}
	hash, err := hashData(p.config, unsigned)
	if err != nil {
		return err
	}
	if !ed25519.Verify(key, hash, p.value) {
		return ErrInvalid
	}
	return nil
}

// checkContext applies vc-di-eddsa 3.3.2: the document's @context starts with
// the values of the proof's, in order.
func (p Proof) checkContext(doc []byte) error {
	members, _, err := split(doc)
	if err != nil {
		return err
	}
	var own []byte
	for _, m := range members {
		if m.name == "@context" {
			own = m.value
		}
	}
	have, want := items(own), items(p.context)
	if len(want) > len(have) {
		return fmt.Errorf("%w: @context", ErrInvalid)
	}
	for i, w := range want {
		a, errA := canonical(w)
		b, errB := canonical(have[i])
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			return fmt.Errorf("%w: @context", ErrInvalid)
		}
	}
	return nil
}

// items returns the elements of a JSON array, or the value itself.
func items(raw []byte) []json.RawMessage {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) == nil && list != nil {
		return list
	}
	if len(raw) == 0 {
		return nil
	}
	return []json.RawMessage{raw}
}

// hashData is what Ed25519 signs: SHA-256 of the canonical proof without its
// value, then SHA-256 of the canonical document without proof
// (vc-di-eddsa 3.3.4).
func hashData(config, doc []byte) ([]byte, error) {
	options, err := canonical(config)
	if err != nil {
		return nil, err
	}
	body, err := canonical(doc)
	if err != nil {
		return nil, err
	}
	a, b := sha256.Sum256(options), sha256.Sum256(body)
	return append(a[:], b[:]...), nil
}

// canonical is the RFC 8785 form of one JSON value.
func canonical(raw []byte) ([]byte, error) {
	out, err := jcs.Transform(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return out, nil
}

// encode writes v as JSON without escaping HTML.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
