// SPDX-License-Identifier: AGPL-3.0-or-later

package proof

import (
	"crypto/sha256"
	"encoding/hex"
)

// Digests returns the content digest and the copy digest. The first names a
// version of a document: SHA-256, in hexadecimal, of its canonical form without
// the proof, which signing again leaves unchanged. The second names an exact copy: SHA-256, in hexadecimal, of the canonical form with its proof. Two
// nodes hold the same document if and only if their copy digests are equal.
func Digests(doc []byte) (content, exact string, err error) { return Of(doc).Digests() }

func digest(form []byte) string {
	h := sha256.Sum256(form)
	return hex.EncodeToString(h[:])
}
