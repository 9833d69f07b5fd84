// SPDX-License-Identifier: AGPL-3.0-or-later

package proof

import (
	"crypto/ed25519"
	"encoding/json"
)

// Document is a JSON document that is asked several things about its proof: it is
// read, and brought into its canonical form, once, when it is first asked. Not for
// several goroutines.
type Document struct {
	raw   []byte
	valid bool // raw is known to be JSON
	read  bool
	list  []member
	err   error
}

// Of is the document in raw, which is not to change.
func Of(raw []byte) *Document { return &Document{raw: raw} }

// OfValid is Of for what a parser took already: it is not looked through for
// whether it is JSON once more. Of other bytes reading panics.
func OfValid(raw []byte) *Document { return &Document{raw: raw, valid: true} }

// Bytes is the document as it came.
func (d *Document) Bytes() []byte { return d.raw }

// VerifyOwned checks that one of keys proves the document in the name of its
// owner; see the function of that name.
func (d *Document) VerifyOwned(keys ...ed25519.PublicKey) (ed25519.PublicKey, error) {
	list, err := d.members()
	if err != nil {
		return nil, err
	}
	p, err := readFrom(list)
	if err != nil {
		return nil, err
	}
	if err := p.checkOwner(list); err != nil {
		return nil, err
	}
	return p.verify(list, keys)
}

// Digests gives the content digest and the copy digest; see the function of that
// name.
func (d *Document) Digests() (content, exact string, err error) {
	if exact, err = d.Digest(); err != nil {
		return "", "", err
	}
	if find(d.list, "proof") == nil {
		return exact, exact, nil
	}
	bare, err := object(d.list, "proof")
	if err != nil {
		return "", "", err
	}
	return digest(bare), exact, nil
}

// Digest gives the copy digest alone; see Digests.
func (d *Document) Digest() (exact string, err error) {
	list, err := d.members()
	if err != nil {
		return "", err
	}
	whole, err := object(list)
	if err != nil {
		return "", err
	}
	return digest(whole), nil
}

// Members gives the members of the document by their names; see the function of
// that name.
func (d *Document) Members() (map[string]json.RawMessage, error) {
	list, err := d.members()
	if err != nil {
		return nil, err
	}
	m := make(map[string]json.RawMessage, len(list))
	for i := range list {
		m[string(list[i].name.text)] = list[i].value
	}
	return m, nil
}

func (d *Document) members() ([]member, error) {
	if !d.read {
		parse := split
		if d.valid {
			parse = walk
		}
		d.list, _, d.err = parse(d.raw)
		d.read = true
	}
	return d.list, d.err
}
