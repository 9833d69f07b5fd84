// SPDX-License-Identifier: AGPL-3.0-or-later

package sig

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"testing"
)

func BenchmarkVerify(b *testing.B) {
	r := crafted{}.request(b)
	v := verifier(b, &source{old: pair().Public()}, noon)
	for b.Loop() {
		if _, err := v.Verify(r, []byte(body)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSign(b *testing.B) {
	key := SigningKey{keyID, pair()}
	for b.Loop() {
		if err := Sign(post(b, base+"/inbox"), []byte(body), key, Cavage, noon); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBareRSASign(b *testing.B) {
	sum := sha256.Sum256([]byte(body))
	for b.Loop() {
		if _, err := rsa.SignPKCS1v15(nil, pair(), crypto.SHA256, sum[:]); err != nil {
			b.Fatal(err)
		}
	}
}
