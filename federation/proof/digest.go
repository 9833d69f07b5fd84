// SPDX-License-Identifier: AGPL-3.0-or-later

package proof

import (
	"crypto/sha256"
	"encoding/hex"
)

// ContentDigest names a version of a document: SHA-256, in hexadecimal, of
// its canonical form without the proof. Signing again leaves it unchanged.
func ContentDigest(doc []byte) (string, error) {
	unsigned, err := without(doc, "proof")
	if err != nil {
		return "", err
	}
	return sum(unsigned)
}

// CopyDigest names an exact copy: SHA-256, in hexadecimal, of the canonical
// form with its proof. Two nodes hold the same document if and only if their
// copy digests are equal.
func CopyDigest(doc []byte) (string, error) {
	if _, _, err := split(doc); err != nil {
		return "", err
	}
	return sum(doc)
}

// Digests returns the content digest and the copy digest.
func Digests(doc []byte) (content, exact string, err error) {
	if content, err = ContentDigest(doc); err != nil {
		return "", "", err
	}
	if exact, err = CopyDigest(doc); err != nil {
		return "", "", err
	}
	return content, exact, nil
}

func sum(doc []byte) (string, error) {
	form, err := canonical(doc)
	if err != nil {
		return "", err
	}
	h := sha256.Sum256(form)
	return hex.EncodeToString(h[:]), nil
}
