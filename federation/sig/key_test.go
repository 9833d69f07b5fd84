// SPDX-License-Identifier: AGPL-3.0-or-later

package sig

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"essaim"
)

func TestChangedKeyIsFetchedOnce(t *testing.T) {
	t.Parallel()
	s := &source{old: otherKey(t).Public(), fresh: pair().Public()}
	if _, err := verifier(t, s, noon).Verify(crafted{}.request(t), []byte(body)); err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(s.asked), "[false true]"; got != want {
		t.Errorf("asked %s, want %s", got, want)
	}
	s = &source{old: pair().Public()}
	if _, err := verifier(t, s, noon).Verify(crafted{}.request(t), []byte(body)); err != nil || len(s.asked) != 1 {
		t.Errorf("known key: %v, asked %v", err, s.asked)
	}
	s = &source{old: pair().Public()}
	bad := crafted{covered: "date"}.request(t)
	if _, err := verifier(t, s, noon).Verify(bad, []byte(body)); err == nil || len(s.asked) != 0 {
		t.Errorf("a request that no key can save: %v, asked %v", err, s.asked)
	}
}

func TestKeyErrorsKeepTheirKind(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ err, want error }{
		{essaim.ErrGone, essaim.ErrGone},
		{essaim.ErrUnavailable, essaim.ErrUnavailable},
		{essaim.ErrNotFound, ErrUnauthorized},
		{errors.New("odd"), ErrUnauthorized},
	} {
		_, err := verifier(t, &source{err: c.err}, noon).Verify(crafted{}.request(t), []byte(body))
		if !errors.Is(err, c.want) {
			t.Errorf("got %v, want %v", err, c.want)
		}
	}
}

func TestParsePublicKey(t *testing.T) {
	t.Parallel()
	spki := func(key any) string {
		der, err := x509.MarshalPKIXPublicKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	}
	// Of so many bits; nobody has its other half.
	bits := func(n int) *rsa.PublicKey {
		return &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), n-1, 1), E: 65537}
	}
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, text string
		ok         bool
	}{
		{"RSA", spki(pair().Public()), true},
		{"Ed25519", spki(edPair.Public()), true},
		{"PKCS #1", string(pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(&pair().PublicKey)})), true},
		{"1,024 bits", spki(short.Public()), false},
		{"4,096 bits", spki(bits(4096)), true},
		{"4,097 bits", spki(bits(4097)), false},
		{"nothing", "", false},
		{"not PEM", "AAAA", false},
		{"PEM of something", string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: []byte("x")})), false},
		{"long", strings.Repeat("A", 20<<10), false},
	} {
		if _, err := ParsePublicKey(c.text); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if CheckKey(ed25519.PublicKey{1, 2, 3}) == nil || CheckKey(nil) == nil || CheckKey([]byte("x")) == nil {
		t.Error("a key that no library can use")
	}
}
