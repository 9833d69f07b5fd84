// SPDX-License-Identifier: AGPL-3.0-or-later

package store

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"

	"essaim"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/chacha20poly1305"
)

// A sealed file begins with this line, then salt and nonce; what follows is
// encrypted, and the whole beginning is authenticated with it.
const sealMagic = "essaim sealed keys 1\n"

const sealSalt = 16

// Argon2id as RFC 9106 4 recommends where memory is scarce: 64 MiB, 3 passes.
func sealKey(passphrase string, salt []byte) []byte {
	return argon2.IDKey([]byte(passphrase), salt, 3, 64*1024, 4, chacha20poly1305.KeySize)
}

// Seal encrypts small files, such as the node's keys, under a passphrase.
func Seal(passphrase string, files map[string][]byte) ([]byte, error) {
	if passphrase == "" {
		return nil, fmt.Errorf("seal: empty passphrase: %w", essaim.ErrInvalid)
	}
	plain, err := json.Marshal(files)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	head := make([]byte, len(sealMagic)+sealSalt+chacha20poly1305.NonceSizeX)
	copy(head, sealMagic)
	rand.Read(head[len(sealMagic):])
	salt, nonce := head[len(sealMagic):][:sealSalt], head[len(sealMagic)+sealSalt:]
	aead, err := chacha20poly1305.NewX(sealKey(passphrase, salt))
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return aead.Seal(bytes.Clone(head), nonce, plain, head), nil
}

// Unseal decrypts what Seal made. A wrong passphrase or a changed byte is
// essaim.ErrForbidden, what Seal did not make essaim.ErrInvalid.
func Unseal(passphrase string, sealed []byte) (map[string][]byte, error) {
	size := len(sealMagic) + sealSalt + chacha20poly1305.NonceSizeX
	if len(sealed) < size || !bytes.HasPrefix(sealed, []byte(sealMagic)) {
		return nil, fmt.Errorf("unseal: not sealed by this program: %w", essaim.ErrInvalid)
	}
	head := sealed[:size]
	salt, nonce := head[len(sealMagic):][:sealSalt], head[len(sealMagic)+sealSalt:]
	aead, err := chacha20poly1305.NewX(sealKey(passphrase, salt))
	if err != nil {
		return nil, fmt.Errorf("unseal: %w", err)
	}
	plain, err := aead.Open(nil, nonce, sealed[size:], head)
	if err != nil {
		return nil, fmt.Errorf("unseal: wrong passphrase or damaged file: %w", essaim.ErrForbidden)
	}
	var files map[string][]byte
	if err := json.Unmarshal(plain, &files); err != nil {
		return nil, fmt.Errorf("unseal: %w: %w", essaim.ErrInvalid, err)
	}
	return files, nil
}
