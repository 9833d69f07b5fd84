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
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"
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
	config  []byte // the proof without proofValue, canonical
	context []byte // its @context, nil when absent
}

// Signed is a document with its proof, and what was computed on the way.
type Signed struct {
	Bytes         []byte
	ContentDigest string // see Digests
	CopyDigest    string // see Digests

	form []byte // canonical, proof included
}

// Sign returns doc with a proof by key added as its last member. doc must be
// a JSON object with an array as @context and without proof; method is the
// key's id, a key of the document's owner (FEP-8b32). created is written in
// UTC with whole seconds.
func Sign(doc []byte, key ed25519.PrivateKey, method string, created time.Time) (Signed, error) {
	list, end, err := split(doc)
	if err != nil {
		return Signed{}, err
	}
	p, sum, err := prove(list, key, method, created)
	if err != nil {
		return Signed{}, err
	}
	out := Signed{ContentDigest: hex.EncodeToString(sum[:])}
	if out.Bytes, err = p.after(doc[:end], doc[end:]); err != nil {
		return Signed{}, err
	}
	whole, err := p.form(find(list, "@context").form)
	if err != nil {
		return Signed{}, err
	}
	if out.form, err = object(append(list, member{name: name{[]byte("proof"), true}, form: whole})); err != nil {
		return Signed{}, err
	}
	out.CopyDigest = digest(out.form)
	return out, nil
}

// Held is a document that was signed before, to be embedded once more.
func Held(doc []byte) (out Signed, err error) {
	d := Of(doc)
	list, err := d.members()
	if err != nil {
		return out, err
	}
	if find(list, "proof") == nil {
		return out, fmt.Errorf("%w: not signed", ErrInvalid)
	}
	out.ContentDigest, out.CopyDigest, err = d.Digests()
	out.Bytes, out.form = doc, d.by.form // nobody else reads by it
	return out, err
}

// SignAround signs an envelope that embeds, as its last member "object", a
// document that was just signed: neither is that one read again, nor its
// canonical form computed twice.
func SignAround(envelope []byte, embedded Signed, key ed25519.PrivateKey, method string, created time.Time) ([]byte, error) {
	list, end, err := split(envelope)
	if err != nil {
		return nil, err
	}
	if find(list, "object") != nil {
		return nil, fmt.Errorf("sign: %w: already has an object", ErrMalformed)
	}
	p, _, err := prove(append(list, member{name: name{[]byte("object"), true}, form: embedded.form}), key, method, created)
	if err != nil {
		return nil, err
	}
	return p.after(bytes.Join([][]byte{envelope[:end], embedded.Bytes}, []byte(`,"object":`)), envelope[end:])
}

// prove makes the proof of a document of these members, and the SHA-256 of its
// canonical form without it.
func prove(list []member, key ed25519.PrivateKey, method string, created time.Time) (p config, sum [sha256.Size]byte, err error) {
	if find(list, "proof") != nil {
		return p, sum, fmt.Errorf("sign: %w: already has a proof", ErrMalformed)
	}
	body, err := object(list)
	if err != nil {
		return p, sum, err
	}
	// Mastodon 4.7 refuses a proof with a context unless the document's
	// @context is an array that begins with it.
	context := find(list, "@context")
	if context == nil || context.value[0] != '[' {
		return p, sum, fmt.Errorf("sign: %w: @context is not an array", ErrMalformed)
	}
	p = config{
		Context: context.value, Type: proofType, Cryptosuite: Suite,
		VerificationMethod: method, ProofPurpose: proofPurpose,
		Created: created.UTC().Truncate(time.Second).Format(time.RFC3339),
	}
	options, err := p.form(context.form)
	if err != nil {
		return p, sum, err
	}
	sum = sha256.Sum256(body)
	p.ProofValue = encodeBase58(ed25519.Sign(key, hashData(options, sum)))
	return p, sum, nil
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

// after writes the proof as a document's last member: between its last one and
// its end.
func (c config) after(members, end []byte) ([]byte, error) {
	out := append(make([]byte, 0, len(members)+len(c.Context)+500), members...)
	out = append(append(out, `,"proof":{"@context":`...), c.Context...)
	out, err := appendTexts(out, [][2]string{
		{"type", c.Type},
		{"cryptosuite", c.Cryptosuite},
		{"verificationMethod", c.VerificationMethod},
		{"proofPurpose", c.ProofPurpose},
		{"proofValue", c.ProofValue},
		{"created", c.Created},
	})
	return append(append(out, '}'), end...), err
}

// form is the canonical form of a proof whose context's is known: its members
// in their order, the value only once there is one.
func (c config) form(context []byte) ([]byte, error) {
	out, err := appendTexts(append([]byte(`{"@context":`), context...), [][2]string{
		{"created", c.Created},
		{"cryptosuite", c.Cryptosuite},
		{"proofPurpose", c.ProofPurpose},
		{"proofValue", c.ProofValue},
		{"type", c.Type},
		{"verificationMethod", c.VerificationMethod},
	})
	return append(out, '}'), err
}

// appendTexts adds members to an object that has some, those without value left
// out.
func appendTexts(out []byte, members [][2]string) (_ []byte, err error) {
	for _, m := range members {
		if m[1] == "" {
			continue
		}
		out = append(append(append(out, `,"`...), m[0]...), `":`...)
		if out, err = appendString(out, m[1]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Read returns the document's proof without checking it: its key must be
// found first. ErrNone means that there is none.
func Read(doc []byte) (Proof, error) {
	return Of(doc).proof()
}

// parse reads a proof; shared is the @context of its document, if its form is known.
func parse(raw []byte, shared member) (Proof, error) {
	if len(raw) == 0 || raw[0] != '{' {
		return Proof{}, fmt.Errorf("%w: not one object", ErrUnsupported)
	}
	list, _, err := splitKnowing(raw, shared)
	if err != nil {
		return Proof{}, err
	}
	var c config
	for _, t := range [...]struct {
		name string
		into *string
	}{
		{"type", &c.Type},
		{"cryptosuite", &c.Cryptosuite},
		{"verificationMethod", &c.VerificationMethod},
		{"proofPurpose", &c.ProofPurpose},
		{"proofValue", &c.ProofValue},
		{"created", &c.Created},
	} {
		if m := find(list, t.name); m != nil && string(m.value) != "null" {
			if *t.into, err = textOf(m.value); err != nil {
				return Proof{}, err
			}
		}
	}
	if c.Type != proofType || c.Cryptosuite != Suite || c.ProofPurpose != proofPurpose {
		return Proof{}, fmt.Errorf("%w: %s %s for %s", ErrUnsupported, c.Type, c.Cryptosuite, c.ProofPurpose)
	}
	value, err := decodeBase58(c.ProofValue)
	if err != nil || len(value) != ed25519.SignatureSize {
		return Proof{}, fmt.Errorf("%w: proofValue", ErrInvalid)
	}
	p := Proof{VerificationMethod: c.VerificationMethod, value: value}
	if m := find(list, "@context"); m != nil {
		p.context = m.value
	}
	if c.Created != "" {
		if p.Created, err = time.Parse(time.RFC3339, c.Created); err != nil {
			return Proof{}, fmt.Errorf("%w: created", ErrInvalid)
		}
	}
	p.config, err = object(list, "proofValue")
	return p, err
}

// Verify checks the document's proof against key, which the caller has found
// by the proof's VerificationMethod and knows to belong to the document's
// owner. It returns ErrNone, ErrUnsupported, ErrMalformed or ErrInvalid.
func Verify(doc []byte, key ed25519.PublicKey) error {
	_, err := Of(doc).verifiedBy(key)
	return err
}

// checkContext applies vc-di-eddsa 3.3.2: the document's @context starts with
// the values of the proof's, in order.
func (p Proof) checkContext(own *member) error {
	if p.context == nil {
		return nil
	}
	if own == nil {
		return fmt.Errorf("%w: @context", ErrInvalid)
	}
	if bytes.Equal(own.value, p.context) {
		return nil
	}
	have, want := items(own.value), items(p.context)
	if len(want) > len(have) {
		return fmt.Errorf("%w: @context", ErrInvalid)
	}
	for i, w := range want {
		if bytes.Equal(w, have[i]) {
			continue
		}
		a, errA := canonical(w)
		b, errB := canonical(have[i])
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			return fmt.Errorf("%w: @context", ErrInvalid)
		}
	}
	return nil
}

// items returns the elements of a JSON array, or the value itself, of a valid
// document.
func items(raw []byte) []json.RawMessage {
	if len(raw) == 0 {
		return nil
	}
	if raw[0] == '[' {
		return Elements(raw)
	}
	return []json.RawMessage{raw}
}

// hashData is what Ed25519 signs: SHA-256 of the canonical proof without its
// value, then SHA-256 of the canonical document without proof
// (vc-di-eddsa 3.3.4).
func hashData(options []byte, body [sha256.Size]byte) []byte {
	a := sha256.Sum256(options)
	return append(a[:], body[:]...)
}
