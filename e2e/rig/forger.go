// SPDX-License-Identifier: AGPL-3.0-or-later

package rig

import (
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"essaim/federation/proof"
)

// Forger speaks with the keys of a node that it has the directory of, in whatever
// name.
type Forger struct {
	*Peer
	Multikey string // the Ed25519 key, as the node publishes it
	private  ed25519.PrivateKey
}

// NewForger reads the keys of a data directory.
func NewForger(dir string) (*Forger, error) {
	f := &Forger{Peer: &Peer{client: &http.Client{Timeout: 10 * time.Second}}}
	for name, take := range map[string]func(any) bool{
		"rsa.pem":     func(k any) (ok bool) { f.key, ok = k.(*rsa.PrivateKey); return ok },
		"ed25519.pem": func(k any) (ok bool) { f.private, ok = k.(ed25519.PrivateKey); return ok },
	} {
		text, err := os.ReadFile(filepath.Join(dir, "keys", name))
		if err != nil {
			return nil, err
		}
		block, _ := pem.Decode(text)
		if block == nil {
			return nil, fmt.Errorf("%s: no PEM", name)
		}
		key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil || !take(key) {
			return nil, fmt.Errorf("%s: %T: %w", name, key, errors.Join(err, errors.New("no such key")))
		}
	}
	f.Multikey = proof.EncodeMultikey(f.private.Public().(ed25519.PublicKey))
	return f, nil
}

// Prove gives a document a proof in the name of an owner, in place of the one that
// it has.
func (f *Forger) Prove(doc map[string]any, owner string) (json.RawMessage, error) {
	delete(doc, "proof")
	raw, err := json.Marshal(doc)
	if err != nil {
		return nil, err
	}
	signed, err := proof.Sign(raw, f.private, owner+"#"+proof.KeyFragment(f.private.Public().(ed25519.PublicKey)), time.Now())
	return signed.Bytes, err
}
