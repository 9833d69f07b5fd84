// SPDX-License-Identifier: AGPL-3.0-or-later

package proof

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"testing"
)

func TestAProofIsOfTheOwner(t *testing.T) {
	t.Parallel()
	own, other := newKey(1), newKey(2)
	const (
		brest  = "https://brest.example/actors/brest"
		method = brest + "#k"
		object = `"id":"https://brest.example/objects/1","type":"Article"`
	)
	for _, c := range []struct {
		name, members, method string
		key                   ed25519.PrivateKey
		want                  error
	}{
		{"object of its author", object + `,"attributedTo":"` + brest + `"`, method, own, nil},
		{"object of one of two authors", object + `,"attributedTo":["https://brest.example/actors/x",{"id":"` + brest + `"}]`, method, own, nil},
		{"activity of its actor", `"id":"https://brest.example/a/1","type":"Delete","actor":"` + brest + `","object":"https://brest.example/objects/1"`, method, own, nil},
		{"actor itself", `"id":"` + brest + `","type":"Organization"`, method, own, nil},
		{"key of nobody known", object + `,"attributedTo":"` + brest + `"`, method, other, ErrInvalid},
		{"object of another of the same host", object + `,"attributedTo":"https://brest.example/actors/x"`, method, own, ErrInvalid},
		{"activity in the name of another", `"id":"https://brest.example/a/1","actor":"https://brest.example/actors/x","attributedTo":"` + brest + `","object":"https://brest.example/o"`, method, own, ErrInvalid},
		{"object elsewhere", `"id":"https://toulouse.example/objects/1","attributedTo":"` + brest + `"`, method, own, ErrInvalid},
		{"object over plain HTTP", `"id":"http://brest.example/objects/1","attributedTo":"` + brest + `"`, method, own, ErrInvalid},
		{"object of nobody", `"type":"Article"`, method, own, ErrInvalid},
		{"another host's key", object + `,"attributedTo":"` + brest + `"`, "https://evil.example/actors/brest#k", own, ErrInvalid},
		{"no address of a key", object + `,"attributedTo":"` + brest + `"`, "k", own, ErrInvalid},
	} {
		doc := fmt.Sprintf(`{"@context":["https://www.w3.org/ns/activitystreams"],%s}`, c.members)
		signed, err := Sign([]byte(doc), c.key, c.method, noon)
		if err != nil {
			t.Fatal(err)
		}
		public := own.Public().(ed25519.PublicKey)
		got, err := VerifyOwned(signed.Bytes, newKey(3).Public().(ed25519.PublicKey), public)
		if !errors.Is(err, c.want) || (err == nil) != got.Equal(public) {
			t.Errorf("%s: %v, %x; want %v", c.name, err, got, c.want)
		}
	}
	if _, err := VerifyOwned([]byte(sample), own.Public().(ed25519.PublicKey)); !errors.Is(err, ErrNone) {
		t.Errorf("without a proof: %v", err)
	}
	if _, err := VerifyOwned(readFile(t, "testdata/fep-8b32-signed.json"), fepKey(t).Public().(ed25519.PublicKey)); err != nil {
		t.Errorf("the document of FEP-8b32: %v", err)
	}
}
