// SPDX-License-Identifier: AGPL-3.0-or-later

package vocab

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"os"
	"testing"
	"time"

	"essaim"
	"essaim/federation/fedtest"
	"essaim/federation/proof"
)

const documentVectors = "../testdata/documents.json"

// signedVectors are documents of a node whose key was changed twice, to which
// other implementations can be held (docs/PROFILE.md).
type signedVectors struct {
	Keys      []string         `json:"keys"` // from the one that is pinned to the one that proves the documents
	Documents []documentVector `json:"documents"`
	Refused   []documentVector `json:"refused"` // whose proof does not hold
}

type documentVector struct {
	Name          string          `json:"name"`
	Document      json.RawMessage `json:"document"`
	ContentDigest string          `json:"contentDigest,omitempty"`
	CopyDigest    string          `json:"copyDigest,omitempty"`
}

func TestDocumentsAreThoseOfTheVectors(t *testing.T) {
	t.Parallel()
	made := makeVectors(t)
	got, err := json.MarshalIndent(made, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	if *update {
		if err := os.WriteFile(documentVectors, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(documentVectors)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what is made now; -update writes it anew", documentVectors)
	}
	key, err := proof.DecodeMultikey(made.Keys[len(made.Keys)-1])
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range made.Documents {
		if _, err := proof.VerifyOwned(d.Document, key); err != nil {
			t.Errorf("%s: %v", d.Name, err)
		}
	}
	for _, d := range made.Refused {
		if _, err := proof.VerifyOwned(d.Document, key); err == nil {
			t.Errorf("%s: it is proven", d.Name)
		}
	}
}

func makeVectors(t *testing.T) (v signedVectors) {
	t.Helper()
	node := testNode()
	var r *Renderer
	for i := range 3 {
		key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{byte(i + 1)}, 32))
		public := key.Public().(ed25519.PublicKey)
		if r != nil {
			change, err := r.Introduce(public, noon.Add(time.Duration(i)*time.Hour))
			if err != nil {
				t.Fatal(err)
			}
			node.Rotations = append(node.Rotations, change)
		}
		var err error
		if r, err = New(Config{Node: node, Ed25519: key, RSA: testRSA(t), Now: func() time.Time { return noon }}); err != nil {
			t.Fatal(err)
		}
		v.Keys = append(v.Keys, proof.EncodeMultikey(public))
	}
	rec := fedtest.FullRecord(t, essaim.Kinds()[0])
	record, err := r.object(&rec)
	if err != nil {
		t.Fatal(err)
	}
	gone, err := r.tombstone(&rec, noon.Add(48*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	root := essaim.CommonsTree("", []essaim.CommonsItem{{ID: rec.ID, Digest: gone.CopyDigest}})[""]
	head, err := r.CommonsHead(essaim.CommonsHead{
		Number: essaim.CommonsNumber{Incarnation: node.Incarnation, N: 9}, Count: root.Count, Root: root.Hash, At: noon.Add(48 * time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
	actor, err := r.Actor(r.NodeLocalActor(), false)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []documentVector{
		{Name: "actor", Document: actor},
		{Name: "record", Document: record.Bytes},
		{Name: "tombstone", Document: gone.Bytes},
		{Name: "head", Document: head},
	} {
		if d.ContentDigest, d.CopyDigest, err = proof.Digests(d.Document); err != nil {
			t.Fatal(err)
		}
		v.Documents = append(v.Documents, d)
	}
	first := testRenderer(t)
	old, err := first.object(&rec)
	if err != nil {
		t.Fatal(err)
	}
	stranger := rec
	stranger.Territory = "https://toulouse.example/actors/toulouse"
	theirs, err := r.object(&stranger)
	if err != nil {
		t.Fatal(err)
	}
	bare, _, _ := bytes.Cut(theirs.Bytes, []byte(`,"proof":`))
	if theirs, err = r.sign(append(bare, '}'), rec.Territory, noon); err != nil {
		t.Fatal(err)
	}
	v.Refused = []documentVector{
		{Name: "changed", Document: bytes.Replace(record.Bytes, []byte("réparer"), []byte("réparez"), 1)},
		{Name: "by a key that was retired", Document: old.Bytes},
		{Name: "attributed to another", Document: theirs.Bytes},
		{Name: "without proof", Document: bytes.Replace(record.Bytes, []byte(`,"proof":`), []byte(`,"prof":`), 1)},
	}
	return v
}
