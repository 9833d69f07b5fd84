// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"

	"essaim"
	"essaim/federation"

	"golang.org/x/crypto/chacha20poly1305"
	"golang.org/x/crypto/scrypt"
)

// A key backup is one PEM block whose bytes are salt ‖ nonce ‖ sealed JSON:
// scrypt (N = 2¹⁷, r = 8, p = 1) makes the key of XChaCha20-Poly1305 from the
// passphrase. The block's type names the form, and is authenticated.
const (
	keyBackupType = "ESSAIM KEY BACKUP V1"
	saltSize      = 16
	scryptN       = 1 << 17
)

// keyBackup is what is sealed: the keys, the node that they belong to, and what a
// node that begins anew with them cannot learn from copies of what it published.
type keyBackup struct {
	keyOwner
	RSA     string `json:"rsa"`     // PEM
	Ed25519 string `json:"ed25519"` // PEM
}

// keyOwner is a node, whom it follows, who follows it, and what it erased.
type keyOwner struct {
	Node      essaim.Node           `json:"node"`
	Peers     []string              `json:"peers,omitempty"` // hosts
	Followers []essaim.KeptFollower `json:"followers,omitempty"`
	Erased    []essaim.Erasure      `json:"erased,omitempty"`
}

func newKeyBackup(o keyOwner, k federation.Keys) (keyBackup, error) {
	r, e, err := encodeKeys(k)
	return keyBackup{keyOwner: o, RSA: string(r), Ed25519: string(e)}, err
}

// describeOwner gives what a backup of the keys holds besides them.
func describeOwner(ctx context.Context, n *Node, _ none) (o keyOwner, err error) {
	o.Node = n.info
	peers, err := n.store.Peers(ctx)
	if err != nil {
		return o, err
	}
	for _, p := range peers {
		if p.State == essaim.PeerFollowed || p.State == essaim.PeerRequested {
			o.Peers = append(o.Peers, p.Host)
		}
	}
	if o.Followers, err = n.store.KeepFollowers(ctx); err != nil {
		return o, err
	}
	o.Erased, err = n.store.Erasures(ctx)
	return o, err
}

func (b keyBackup) keys() (federation.Keys, error) {
	return decodeKeys([]byte(b.RSA), []byte(b.Ed25519))
}

// seal encrypts the backup under a passphrase.
func (b keyBackup) seal(passphrase string) ([]byte, error) {
	plain, err := json.Marshal(b)
	if err != nil {
		return nil, err
	}
	salt := make([]byte, saltSize)
	nonce := make([]byte, chacha20poly1305.NonceSizeX)
	for _, r := range [][]byte{salt, nonce} {
		if _, err := rand.Read(r); err != nil {
			return nil, err
		}
	}
	key, err := scrypt.Key([]byte(passphrase), salt, scryptN, 8, 1, chacha20poly1305.KeySize)
	if err != nil {
		return nil, err
	}
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, err
	}
	sealed := aead.Seal(append(salt, nonce...), nonce, plain, []byte(keyBackupType))
	return pem.EncodeToMemory(&pem.Block{Type: keyBackupType, Bytes: sealed}), nil
}

var errPassphrase = errors.New("wrong passphrase, or the backup was changed")

// openKeyBackup is the inverse of seal.
func openKeyBackup(text []byte, passphrase string) (keyBackup, error) {
	var b keyBackup
	block, rest := pem.Decode(text)
	if block == nil || block.Type != keyBackupType || len(block.Headers) > 0 || len(bytes.TrimSpace(rest)) > 0 ||
		len(block.Bytes) < saltSize+chacha20poly1305.NonceSizeX {
		return b, fmt.Errorf("not a key backup: %w", essaim.ErrInvalid)
	}
	salt, rest := block.Bytes[:saltSize], block.Bytes[saltSize:]
	nonce, sealed := rest[:chacha20poly1305.NonceSizeX], rest[chacha20poly1305.NonceSizeX:]
	key, err := scrypt.Key([]byte(passphrase), salt, scryptN, 8, 1, chacha20poly1305.KeySize)
	if err != nil {
		return b, err
	}
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return b, err
	}
	plain, err := aead.Open(nil, nonce, sealed, []byte(keyBackupType))
	if err != nil {
		return b, errPassphrase
	}
	if err := json.Unmarshal(plain, &b); err != nil {
		return b, fmt.Errorf("key backup: %w: %w", essaim.ErrInvalid, err)
	}
	return b, nil
}
