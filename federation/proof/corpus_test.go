// SPDX-License-Identifier: AGPL-3.0-or-later

package proof

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestCorpusDocumentsCanBeSignedAndRead reads the real documents of the
// shared corpus: each that is an object signs, verifies and keeps its digest.
func TestCorpusDocumentsCanBeSignedAndRead(t *testing.T) {
	t.Parallel()
	root := os.Getenv("ESSAIM_CORPUS")
	if root == "" {
		root = "../../../shared"
	}
	files, err := filepath.Glob(filepath.Join(root, "data/fediverse/*/*.json"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		if os.Getenv("CI") == "true" {
			t.Fatalf("no corpus under %s", root)
		}
		t.Logf("left out: no corpus under %s", root)
		return
	}
	key := newKey(7)
	var signed, proofs int
	for _, f := range files {
		doc := readFile(t, f)
		var head map[string]json.RawMessage
		if json.Unmarshal(doc, &head) != nil {
			continue
		}
		if raw, ok := head["proof"]; ok {
			// The examples write "..." for the value: read as a proof, refused.
			if _, err := parse(raw, member{}); !errors.Is(err, ErrInvalid) {
				t.Errorf("%s: got %v, want %v", filepath.Base(f), err, ErrInvalid)
			}
			proofs++
			continue
		}
		if c := bytes.TrimSpace(head["@context"]); len(c) == 0 || c[0] != '[' {
			continue
		}
		out, err := Sign(doc, key, "https://brest.example/actor#k", noon)
		if filepath.Base(f) == "fep-8a8e-11.json" {
			// This example writes startTime twice.
			if !errors.Is(err, ErrMalformed) {
				t.Errorf("%s: got %v, want %v", filepath.Base(f), err, ErrMalformed)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(f), err)
			continue
		}
		if err := Verify(out.Bytes, key.Public().(ed25519.PublicKey)); err != nil {
			t.Errorf("%s: %v", filepath.Base(f), err)
		}
		signed++
	}
	t.Logf("%d files, %d signed and verified, %d proofs read", len(files), signed, proofs)
	if len(files) < 500 || signed < 100 || proofs < 5 {
		t.Errorf("got %d files, %d signed, %d proofs; want ≥ 500, 100, 5", len(files), signed, proofs)
	}
}

// FuzzVerify holds that a document that verifies keeps verifying in its
// canonical form, and that nothing else than the signed content does.
func FuzzVerify(f *testing.F) {
	key := newKey(1)
	public := key.Public().(ed25519.PublicKey)
	signed, err := Sign([]byte(sample), key, "https://brest.example/a#k", noon)
	if err != nil {
		f.Fatal(err)
	}
	want := signed.ContentDigest
	f.Add(signed.Bytes)
	f.Add([]byte(sample))
	f.Add([]byte(`{"proof":{"type":"DataIntegrityProof","cryptosuite":"eddsa-jcs-2022","proofPurpose":"assertionMethod","proofValue":"z1"}}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		if Verify(doc, public) != nil {
			return
		}
		list, _, err := split(doc)
		if err != nil {
			t.Fatal(err)
		}
		bare, err := object(list, "proof", "signature")
		if err != nil {
			t.Fatal(err)
		}
		if digest(bare) != want {
			t.Errorf("a forged document verifies: %s", doc)
		}
		form, err := canonical(doc)
		if err != nil {
			t.Fatal(err)
		}
		if err := Verify(form, public); err != nil {
			t.Errorf("canonical form does not verify: %v", err)
		}
	})
}
