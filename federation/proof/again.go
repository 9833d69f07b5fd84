// SPDX-License-Identifier: AGPL-3.0-or-later

package proof

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"strings"
	"time"
)

// Again signs by another key a document that was signed before: the proof is
// replaced, with that of the object in it when that is of the same node, and
// every other byte stays. base is the node's address, with which the id of the
// key that signed before begins; ErrInvalid when it does not.
func Again(doc []byte, base string, key ed25519.PrivateKey, created time.Time) (Signed, error) {
	list, _, err := split(doc)
	if err != nil {
		return Signed{}, err
	}
	p, err := Read(doc)
	if err != nil {
		return Signed{}, err
	}
	owner, _, _ := strings.Cut(p.VerificationMethod, "#")
	if !strings.HasPrefix(owner, base+"/") {
		return Signed{}, fmt.Errorf("%w: signed by %s", ErrInvalid, owner)
	}
	bare := append(make([]byte, 0, len(doc)), '{')
	for i := range list {
		m := &list[i]
		if m.name.is("proof") {
			continue
		}
		if len(bare) > 1 {
			bare = append(bare, ',')
		}
		if m.name.is("object") && bytes.HasPrefix(m.value, []byte("{")) {
			if inner, err := Again(m.value, base, key, created); err == nil {
				bare = append(append(bare, `"object":`...), inner.Bytes...)
				continue
			}
		}
		bare = append(bare, doc[m.start:m.end]...)
	}
	return Sign(append(bare, '}'), key, owner+"#"+KeyFragment(key.Public().(ed25519.PublicKey)), created)
}
