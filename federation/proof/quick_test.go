// SPDX-License-Identifier: AGPL-3.0-or-later

package proof

import (
	"bytes"
	"crypto/ed25519"
	"strings"
	"testing"
)

// FuzzQuick holds what is read in one pass against what is read carefully: the same
// members, with the library's forms.
func FuzzQuick(f *testing.F) {
	for _, doc := range []string{
		sample, `{}`, `{"a":[],"b":{},"c":-0,"d":1e2,"e":"\n\"\\é","f":[1,{"z":true,"a":null}]}`, `{"a":1,}`, `{"a":1`, `{"a" :1}`, `{"a":1}x`, `{,}`,
		`{"a":{"x":1,"x":2}}`, `{"a":1,"a":2}`, "{\"a\":\"\xff\"}", "{\"a\":\"\x01\"}", `{"a":"\u00e9"}`, `{"a":"\/"}`, `{"é":1}`, `{"a":01}`, `{"a":[1,]}`, `{"a":tru}`, `{"a":"12345678\`,
		`{"@context":["b",{"z":1,"a":2}],"proof":{"@context":["b",{"z":1,"a":2}],"a":1}}`, `{"@context":["b"],"x":{"@context":["b"]5}}`,
	} {
		f.Add([]byte(doc))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		var q quick
		end, ok := q.read(doc)
		for range 2 { // the second time it knows the @context
			if again, still := q.read(doc); again != end || still != ok {
				t.Fatalf("%s: got %d, %v, then %d, %v", doc, end, ok, again, still)
			}
		}
		if !ok {
			return
		}
		list, wantEnd, err := careful(doc)
		if err != nil || len(list) != len(q.list) || end != wantEnd {
			t.Fatalf("%s: got %d members to %d, want %d to %d, %v", doc, len(q.list), end, len(list), wantEnd, err)
		}
		for i, want := range list {
			got := q.list[i]
			form, err := canonical(want.value)
			if err != nil || !bytes.Equal(got.form, form) || !bytes.Equal(got.value, want.value) || string(got.name.text) != string(want.name.text) || got.start != want.start || got.end != want.end {
				t.Errorf("%s: got %s, %s, want %s, %s, %v", doc, got.value, got.form, want.value, form, err)
			}
		}
	})
}

func TestDocumentsAreReadQuickly(t *testing.T) {
	t.Parallel()
	// A word of eight bytes that begins with a short name goes on to the é.
	signed, err := Sign([]byte(strings.Replace(sample, `"type"`, `"n":"é","nameMap":{"fr":"é"},"type"`, 1)), newKey(1), "https://brest.example/a#k", noon)
	if err != nil {
		t.Fatal(err)
	}
	var q quick
	if _, ok := q.read(signed.Bytes); !ok {
		t.Errorf("left to the careful way: %s", signed.Bytes)
	}
	if q.shared.form == nil {
		t.Error("its @context is not remembered")
	}
}

func TestAReaderTellsItsDocumentsApart(t *testing.T) {
	t.Parallel()
	key := newKey(1)
	public := key.Public().(ed25519.PublicKey)
	var r Reader
	var docs []*Document
	var want []Signed
	for _, doc := range []string{
		sample, strings.Replace(sample, "durer", "partager", 1), strings.Replace(sample, "essaim#", "other#", 1),
		strings.Replace(sample, `"id"`, ` "id"`, 1), // left to the careful way
	} {
		s, err := Sign([]byte(doc), key, "https://brest.example/a#k", noon)
		if err != nil {
			t.Fatal(err)
		}
		want, docs = append(want, s), append(docs, r.Of(s.Bytes))
	}
	for range 2 {
		for i, doc := range docs {
			if _, err := docs[(i+1)%len(docs)].Digest(); err != nil {
				t.Fatal(err)
			}
			if _, err := doc.verifiedBy(public); err != nil {
				t.Errorf("%d: %v", i, err)
			}
			content, exact, err := doc.Digests()
			if err != nil || content != want[i].ContentDigest || exact != want[i].CopyDigest {
				t.Errorf("%d: got %s, %s, %v, want %s, %s", i, content, exact, err, want[i].ContentDigest, want[i].CopyDigest)
			}
		}
	}
}
