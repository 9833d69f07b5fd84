// SPDX-License-Identifier: AGPL-3.0-or-later

package sig

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"

	"essaim"
)

// Bounds of an RSA modulus, in bits: below it can be forged, above a check
// costs too much.
const (
	minRSA = 2048
	maxRSA = 4096
)

// ParsePublicKey reads publicKeyPem: SPKI, or PKCS #1 as some software writes it.
// The key is RSA of 2,048 to 4,096 bits or Ed25519. Errors wrap essaim.ErrInvalid.
func ParsePublicKey(text string) (crypto.PublicKey, error) {
	if len(text) > 16<<10 {
		return nil, fmt.Errorf("public key of %d bytes: %w", len(text), essaim.ErrInvalid)
	}
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, fmt.Errorf("public key is not PEM: %w", essaim.ErrInvalid)
	}
	var key crypto.PublicKey
	var err error
	if block.Type == "RSA PUBLIC KEY" {
		key, err = x509.ParsePKCS1PublicKey(block.Bytes)
	} else {
		key, err = x509.ParsePKIXPublicKey(block.Bytes)
	}
	if err != nil {
		return nil, fmt.Errorf("public key: %w: %w", essaim.ErrInvalid, err)
	}
	return key, CheckKey(key)
}

// CheckKey tells whether a key is one that we take signatures of.
func CheckKey(key crypto.PublicKey) error {
	switch k := key.(type) {
	case *rsa.PublicKey:
		if n := k.N.BitLen(); n < minRSA || n > maxRSA {
			return fmt.Errorf("RSA key of %d bits: %w", n, essaim.ErrInvalid)
		}
	case ed25519.PublicKey:
		if len(k) != ed25519.PublicKeySize {
			return fmt.Errorf("Ed25519 key of %d bytes: %w", len(k), essaim.ErrInvalid)
		}
	default:
		return fmt.Errorf("key of type %T: %w", key, essaim.ErrInvalid)
	}
	return nil
}
