// SPDX-License-Identifier: AGPL-3.0-or-later

package proof

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
)

// ErrKey means that a text is not an Ed25519 public key in Multikey form.
var ErrKey = errors.New("not an Ed25519 multikey")

// The multicodec prefix of an Ed25519 public key: 0xed as a variable-length
// integer.
var ed25519Prefix = []byte{0xed, 0x01}

// EncodeMultikey writes a public key as publicKeyMultibase (FEP-521a): base 58
// with the prefix "z", e.g. "z6Mk…".
func EncodeMultikey(key ed25519.PublicKey) string {
	return encodeBase58(append(slices.Clone(ed25519Prefix), key...))
}

// DecodeMultikey reads a publicKeyMultibase. Other kinds of key give ErrKey.
func DecodeMultikey(s string) (ed25519.PublicKey, error) {
	raw, err := decodeBase58(s)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	key, ok := bytes.CutPrefix(raw, ed25519Prefix)
	if !ok || len(key) != ed25519.PublicKeySize {
		return nil, ErrKey
	}
	return ed25519.PublicKey(key), nil
}

// KeyFragment is the fragment that names a key of ours in an actor's
// document: "ed25519-" and the first eight characters of its multibase form.
// A new key has a new name, so an id is never reused.
func KeyFragment(key ed25519.PublicKey) string {
	return "ed25519-" + EncodeMultikey(key)[:8]
}

const (
	base58Alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
	maxBase58      = 256 // longer than any key or signature we read
)

// encodeBase58 writes bytes as base 58 in the Bitcoin alphabet with the
// multibase prefix "z". A leading zero byte is a leading "1".
func encodeBase58(b []byte) string {
	n, base, digit := new(big.Int).SetBytes(b), big.NewInt(58), new(big.Int)
	var out []byte
	for n.Sign() > 0 {
		n.DivMod(n, base, digit)
		out = append(out, base58Alphabet[digit.Int64()])
	}
	for i := 0; i < len(b) && b[i] == 0; i++ {
		out = append(out, base58Alphabet[0])
	}
	slices.Reverse(out)
	return "z" + string(out)
}

func decodeBase58(s string) ([]byte, error) {
	digits, ok := strings.CutPrefix(s, "z")
	if !ok || len(digits) > maxBase58 {
		return nil, errors.New("not base 58")
	}
	n, word := new(big.Int), new(big.Int)
	for left := digits; left != ""; {
		// As many digits at once as a word holds: 58^10 < 2^64.
		some := left[:min(10, len(left))]
		left = left[len(some):]
		value, base := uint64(0), uint64(1)
		for i := range len(some) {
			d := strings.IndexByte(base58Alphabet, some[i])
			if d < 0 {
				return nil, errors.New("not base 58")
			}
			value, base = value*58+uint64(d), base*58
		}
		n.Mul(n, word.SetUint64(base))
		n.Add(n, word.SetUint64(value))
	}
	zeros := len(digits) - len(strings.TrimLeft(digits, base58Alphabet[:1]))
	return append(make([]byte, zeros), n.Bytes()...), nil
}
