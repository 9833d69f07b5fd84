// SPDX-License-Identifier: AGPL-3.0-or-later

package proof

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"slices"
)

// Document is a JSON document that is asked several things about its proof: it is
// read, and brought into its canonical form, once, when it is first asked. Not for
// several goroutines.
type Document struct {
	raw   []byte
	valid bool // raw is known to be JSON
	by    *Reader
}

// Reader reads documents one after the other in the same memory: one that is asked
// again after the next was is read again. It knows the @context of the one before,
// which is mostly that of the next and a good part of its bytes. The zero value is
// ready. Not for several goroutines.
type Reader struct {
	quick  quick
	doc    *Document // whose all below is
	list   []member
	err    error
	sorted []*member // of list
	form   []byte    // canonical, once it is made
	made   bool
	bare   [sha256.Size]byte // of the form without the proof, once it was asked for
	summed bool
}

// Of is the document in raw, which is not to change.
func Of(raw []byte) *Document { return new(Reader).Of(raw) }

// OfValid is Of for what a parser took already: it is not looked through for
// whether it is JSON once more. Of other bytes reading panics.
func OfValid(raw []byte) *Document { return new(Reader).OfValid(raw) }

// Of is the document in raw, which is not to change.
func (r *Reader) Of(raw []byte) *Document { return &Document{raw: raw, by: r} }

// OfValid is Of for what a parser took already; see the function of that name.
func (r *Reader) OfValid(raw []byte) *Document { return &Document{raw: raw, valid: true, by: r} }

// Bytes is the document as it came.
func (d *Document) Bytes() []byte { return d.raw }

// VerifyOwned checks that one of keys proves the document in the name of its
// owner; see the function of that name.
func (d *Document) VerifyOwned(keys ...ed25519.PublicKey) (ed25519.PublicKey, error) {
	return d.verifyOwned(false, keys)
}

// VerifyWhole is VerifyOwned where somebody else hands the document on: a member that
// the proof does not cover, which anybody may have added, is ErrInvalid.
func (d *Document) VerifyWhole(keys ...ed25519.PublicKey) (ed25519.PublicKey, error) {
	return d.verifyOwned(true, keys)
}

func (d *Document) verifyOwned(whole bool, keys []ed25519.PublicKey) (ed25519.PublicKey, error) {
	p, err := d.proof()
	if err != nil {
		return nil, err
	}
	if err := p.checkOwner(d.by.list); err != nil {
		return nil, err
	}
	if whole && find(d.by.list, "signature") != nil {
		return nil, fmt.Errorf("%w: its proof does not cover its signature", ErrInvalid)
	}
	return d.verify(p, keys)
}

// verifiedBy is VerifyOwned whoever owns it.
func (d *Document) verifiedBy(keys ...ed25519.PublicKey) (ed25519.PublicKey, error) {
	p, err := d.proof()
	if err != nil {
		return nil, err
	}
	return d.verify(p, keys)
}

// proof reads the document's; see Read.
func (d *Document) proof() (Proof, error) {
	list, err := d.members()
	if err != nil {
		return Proof{}, err
	}
	m := find(list, "proof")
	if m == nil {
		return Proof{}, ErrNone
	}
	return parse(m.value, d.by.quick.shared)
}

// verify checks the document's proof against some keys, and returns the one that
// made it.
func (d *Document) verify(p Proof, keys []ed25519.PublicKey) (ed25519.PublicKey, error) {
	body, err := d.content()
	if err == nil && find(d.by.list, "signature") != nil {
		// FEP-8b32: a linked-data signature beside the proof is not covered.
		body, err = d.sum("proof", "signature")
	}
	if err != nil {
		return nil, err
	}
	if err := p.checkContext(find(d.by.list, "@context")); err != nil {
		return nil, err
	}
	data := hashData(p.config, body)
	for _, key := range keys {
		if len(key) == ed25519.PublicKeySize && ed25519.Verify(key, data, p.value) {
			return key, nil
		}
	}
	return nil, ErrInvalid
}

// Digests gives the content digest and the copy digest; see the function of that
// name.
func (d *Document) Digests() (content, exact string, err error) {
	if exact, err = d.Digest(); err != nil {
		return "", "", err
	}
	bare, err := d.content()
	return hex.EncodeToString(bare[:]), exact, err
}

// Digest gives the copy digest alone; see Digests.
func (d *Document) Digest() (exact string, err error) {
	if err := d.assemble(); err != nil {
		return "", err
	}
	return digest(d.by.form), nil
}

// Members gives the members of the document by their names; see the function of
// that name.
func (d *Document) Members() (map[string]json.RawMessage, error) {
	list, err := d.by.list, d.by.err
	if d.by.doc != d {
		// Nobody asked for forms, and mostly nobody will.
		parse := careful
		if d.valid {
			parse = walk
		}
		list, _, err = parse(d.raw)
	}
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
	r := d.by
	if r.doc != d {
		r.doc, r.sorted, r.made, r.summed = d, nil, false, false
		if _, ok := r.quick.read(d.raw); ok {
			r.list, r.sorted, r.err = r.quick.list, r.quick.sorted, nil
		} else if d.valid {
			r.list, _, r.err = walk(d.raw)
		} else {
			r.list, _, r.err = careful(d.raw)
		}
	}
	return r.list, r.err
}

// assemble makes the canonical form of the whole, in which each member knows its
// place.
func (d *Document) assemble() error {
	list, err := d.members()
	r := d.by
	if err != nil || r.made {
		return err
	}
	if r.sorted == nil {
		r.sorted, err = formed(list)
	}
	if err == nil {
		r.form, err = write(r.form, r.sorted)
	}
	r.made = err == nil
	return err
}

// content is the content digest.
func (d *Document) content() (_ [sha256.Size]byte, err error) {
	if _, err = d.members(); err == nil && !d.by.summed {
		d.by.bare, err = d.sum("proof")
		d.by.summed = err == nil
	}
	return d.by.bare, err
}

// sum is SHA-256 of the canonical form without the members of these names.
func (d *Document) sum(skip ...string) (sum [sha256.Size]byte, err error) {
	if err := d.assemble(); err != nil {
		return sum, err
	}
	h, r := sha256.New(), d.by
	h.Write([]byte{'{'})
	from, some := 1, false // what stands from there on is not written yet
	for _, m := range r.sorted {
		if !slices.ContainsFunc(skip, m.name.is) {
			continue
		}
		some = upTo(h, r.form[from:m.from], some) || some
		from = m.to
	}
	upTo(h, r.form[from:len(r.form)-1], some)
	h.Write([]byte{'}'})
	h.Sum(sum[:0])
	return sum, nil
}

// upTo writes members that stand between commas, behind another one if others were;
// it tells whether there are any.
func upTo(h hash.Hash, members []byte, others bool) bool {
	members = bytes.Trim(members, ",")
	if len(members) == 0 {
		return false
	}
	if others {
		h.Write([]byte{','})
	}
	h.Write(members)
	return true
}
