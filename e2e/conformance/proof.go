// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"cmp"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
)

// withProof adds the actor's integrity proof (FEP-8b32, eddsa-jcs-2022).
func (a *actor) withProof(doc map[string]any) map[string]any {
	proof := map[string]any{
		"@context": doc["@context"], "type": "DataIntegrityProof", "cryptosuite": "eddsa-jcs-2022", "verificationMethod": a.edKey,
		"proofPurpose": "assertionMethod", "created": stamp(time.Now()),
	}
	proof["proofValue"] = "z" + toBase58(ed25519.Sign(a.ed, proofHash(doc, proof)))
	signed := maps.Clone(doc)
	signed["proof"] = proof
	return signed
}

// checkProof verifies the proof of a document as it came.
func checkProof(raw []byte, k published) error {
	var doc map[string]any
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err := dec.Decode(&doc); err != nil {
		return err
	}
	proof, ok := doc["proof"].(map[string]any)
	if !ok {
		return errors.New("no proof")
	}
	if proof["cryptosuite"] != "eddsa-jcs-2022" || proof["verificationMethod"] != k.edID || proof["proofPurpose"] != "assertionMethod" {
		return fmt.Errorf("proof of %v by %v for %v", proof["cryptosuite"], proof["verificationMethod"], proof["proofPurpose"])
	}
	signature, err := base58(strings.TrimPrefix(text(proof, "proofValue"), "z"))
	if err != nil {
		return err
	}
	delete(doc, "proof")
	delete(proof, "proofValue")
	if !ed25519.Verify(k.ed, proofHash(doc, proof), signature) {
		return errors.New("the proof does not hold")
	}
	return nil
}

// proofHash is what is signed: the options' hash, then the document's.
func proofHash(doc, options map[string]any) []byte {
	o, d := sha256.Sum256(jcs(options)), sha256.Sum256(jcs(doc))
	return append(o[:], d[:]...)
}

// jcs writes a value as RFC 8785 asks.
func jcs(v any) []byte {
	var b bytes.Buffer
	writeJCS(&b, v)
	return b.Bytes()
}

func writeJCS(b *bytes.Buffer, v any) {
	switch v := v.(type) {
	case map[string]any:
		b.WriteByte('{')
		names := slices.SortedFunc(maps.Keys(v), func(x, y string) int {
			return slices.CompareFunc(utf16.Encode([]rune(x)), utf16.Encode([]rune(y)), cmp.Compare[uint16])
		})
		for i, name := range names {
			if i > 0 {
				b.WriteByte(',')
			}
			writeJCS(b, name)
			b.WriteByte(':')
			writeJCS(b, v[name])
		}
		b.WriteByte('}')
	case []any:
		b.WriteByte('[')
		for i, e := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			writeJCS(b, e)
		}
		b.WriteByte(']')
	case string:
		writeString(b, v)
	case json.Number:
		f, err := v.Float64()
		if err != nil {
			panic(err) // JSON that was read is made of numbers
		}
		b.WriteString(strconv.FormatFloat(f, 'f', -1, 64)) // no number of ours needs an exponent
	default: // true, false, null, and what the suite itself puts in
		plain, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		var again any
		if strings.ContainsRune(`{["`, rune(plain[0])) && json.Unmarshal(plain, &again) == nil {
			writeJCS(b, again)
			return
		}
		b.Write(plain)
	}
}

func writeString(b *bytes.Buffer, s string) {
	b.WriteByte('"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteRune(c)
		case c >= ' ':
			b.WriteRune(c)
		case strings.ContainsRune("\b\t\n\f\r", c):
			b.WriteByte('\\')
			b.WriteByte("btn.fr"[c-'\b'])
		default:
			fmt.Fprintf(b, `\u%04x`, c)
		}
	}
	b.WriteByte('"')
}
