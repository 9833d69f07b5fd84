// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"essaim"
	"essaim/federation"
	"essaim/store"
)

// The files of DIR/keys, mode 0600, PKCS #8 in PEM.
const (
	keysDir    = "keys"
	rsaFile    = "rsa.pem"
	ed25519Pem = "ed25519.pem"
)

// newKeys makes the two pairs of a node: RSA-2048, which every server checks,
// and Ed25519 for the proofs of objects.
func newKeys() (federation.Keys, error) {
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return federation.Keys{}, err
	}
	_, e, err := ed25519.GenerateKey(rand.Reader)
	return federation.Keys{RSA: r, Ed25519: e}, err
}

// fingerprint is the hex SHA-256 of the public keys. The database keeps it, so
// that no process signs with other keys than the node's.
func fingerprint(k federation.Keys) (string, error) {
	spki, err := x509.MarshalPKIXPublicKey(&k.RSA.PublicKey)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(append(spki, k.Ed25519.Public().(ed25519.PublicKey)...))
	return hex.EncodeToString(sum[:]), nil
}

func hasKeys(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, keysDir))
	return err == nil
}

// writeKeys makes the directory of keys, whole or not at all. It never
// replaces one that stands: what was signed with its keys could not be
// continued.
func writeKeys(dir string, k federation.Keys) error {
	if hasKeys(dir) {
		return fmt.Errorf("%s: %w", filepath.Join(dir, keysDir), os.ErrExist)
	}
	return writeKeysTo(filepath.Join(dir, keysDir), k)
}

// writeKeysTo makes a directory of keys that does not exist, whole or not at all.
func writeKeysTo(path string, k federation.Keys) (err error) {
	rsaPEM, edPEM, err := encodeKeys(k)
	if err != nil {
		return err
	}
	made, err := os.MkdirTemp(filepath.Dir(path), keysDir+"-new-") // mode 0700
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(made))
		}
	}()
	if err := createFile(filepath.Join(made, rsaFile), rsaPEM); err != nil {
		return err
	}
	if err := createFile(filepath.Join(made, ed25519Pem), edPEM); err != nil {
		return err
	}
	if err := os.Rename(made, path); err != nil {
		return err
	}
	return store.SyncDir(filepath.Dir(path))
}

func readKeys(dir string) (federation.Keys, error) { return readKeysFrom(filepath.Join(dir, keysDir)) }

func readKeysFrom(dir string) (federation.Keys, error) {
	rsaPEM, err := os.ReadFile(filepath.Join(dir, rsaFile))
	if err != nil {
		return federation.Keys{}, err
	}
	edPEM, err := os.ReadFile(filepath.Join(dir, ed25519Pem))
	if err != nil {
		return federation.Keys{}, err
	}
	k, err := decodeKeys(rsaPEM, edPEM)
	if err != nil {
		return federation.Keys{}, fmt.Errorf("%s: %w", dir, err)
	}
	return k, nil
}

func encodeKeys(k federation.Keys) (rsaPEM, edPEM []byte, err error) {
	encode := func(key any) []byte {
		b, encodeErr := x509.MarshalPKCS8PrivateKey(key)
		err = errors.Join(err, encodeErr)
		return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: b})
	}
	rsaPEM, edPEM = encode(k.RSA), encode(k.Ed25519)
	return rsaPEM, edPEM, err
}

func decodeKeys(rsaPEM, edPEM []byte) (federation.Keys, error) {
	var k federation.Keys
	for _, text := range [][]byte{rsaPEM, edPEM} {
		block, _ := pem.Decode(text)
		if block == nil {
			return k, fmt.Errorf("no PEM key: %w", essaim.ErrInvalid)
		}
		key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			return k, fmt.Errorf("%w: %w", essaim.ErrInvalid, err)
		}
		switch key := key.(type) {
		case *rsa.PrivateKey:
			k.RSA = key
		case ed25519.PrivateKey:
			k.Ed25519 = key
		}
	}
	if k.RSA == nil || k.Ed25519 == nil {
		return k, fmt.Errorf("an RSA and an Ed25519 key are wanted: %w", essaim.ErrInvalid)
	}
	return k, nil
}
