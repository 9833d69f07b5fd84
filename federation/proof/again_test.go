// SPDX-License-Identifier: AGPL-3.0-or-later

package proof

import (
	"crypto/ed25519"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestSigningAgainReplacesTheProofsAlone(t *testing.T) {
	t.Parallel()
	const base, brest = "https://brest.example", "https://brest.example/actors/brest"
	was, is := newKey(1), newKey(2)
	public := is.Public().(ed25519.PublicKey)
	later := noon.Add(time.Hour)
	object := `{"@context":["https://www.w3.org/ns/activitystreams"],"id":"https://brest.example/objects/1","attributedTo":"` + brest + `","name":"Fête d’été"}`
	signed := func(doc string, key ed25519.PrivateKey, actor string) Signed {
		s, err := Sign([]byte(doc), key, actor+"#"+KeyFragment(key.Public().(ed25519.PublicKey)), noon)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	doc := signed(object, was, brest)
	activity := func(object string) string {
		return `{"@context":["https://www.w3.org/ns/activitystreams"],"id":"https://brest.example/a/1","actor":"` + brest + `","object":` + object + `}`
	}
	before := func(doc []byte) string {
		rest, _, _ := strings.Cut(string(doc), `,"proof":`)
		return rest
	}
	got, err := Again(doc.Bytes, base, is, later)
	if err != nil {
		t.Fatal(err)
	}
	if got.ContentDigest != doc.ContentDigest || got.CopyDigest == doc.CopyDigest || before(got.Bytes) != before(doc.Bytes) {
		t.Errorf("got %s", got.Bytes)
	}
	if _, err := VerifyOwned(got.Bytes, public); err != nil {
		t.Errorf("by the new key: %v", err)
	}
	if whole, err := Again(got.Bytes, base, is, later); err != nil || string(whole.Bytes) != string(got.Bytes) {
		t.Errorf("once more: %v, %s", err, whole.Bytes)
	}
	// What an activity embeds is the same bytes as the document alone.
	act, err := Again(signed(activity(string(doc.Bytes)), was, brest).Bytes, base, is, later)
	if err != nil || !strings.Contains(string(act.Bytes), `"object":`+string(got.Bytes)) {
		t.Errorf("activity: %v, %s", err, act.Bytes)
	}
	if _, err := VerifyOwned(act.Bytes, public); err != nil {
		t.Errorf("activity by the new key: %v", err)
	}
	// Another's is left as it came.
	foreign := string(signed(strings.ReplaceAll(object, "brest.example", "toulouse.example"), was, "https://toulouse.example/actors/brest").Bytes)
	if act, err := Again(signed(activity(foreign), was, brest).Bytes, base, is, later); err != nil || !strings.Contains(string(act.Bytes), foreign) {
		t.Errorf("activity about another's: %v, %s", err, act.Bytes)
	}
	if _, err := Again([]byte(foreign), base, is, later); !errors.Is(err, ErrInvalid) {
		t.Errorf("another's: %v, want %v", err, ErrInvalid)
	}
	if _, err := Again([]byte(object), base, is, later); !errors.Is(err, ErrNone) {
		t.Errorf("without proof: %v, want %v", err, ErrNone)
	}
}
