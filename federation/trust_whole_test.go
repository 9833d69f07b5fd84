// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"crypto/ed25519"
	"testing"
	"time"

	"essaim"
	"essaim/federation/fedtest"
	"essaim/federation/proof"
	"essaim/federation/wire"
)

// Whoever answers at the address of a node, as who bought its lapsed domain, may add
// what no proof covers to what the node signed. Kept, it would be handed on, and nobody
// else takes it (TestCopiesAreTakenAsTheVectorsSay).
func TestWhatANodeShowsIsKeptOnlyIfItsProofCoversAllOfIt(t *testing.T) {
	t.Parallel()
	const actor = "https://toulon.example/actor"
	c := corpusIngester(t)
	origin, err := essaim.ParseIRI(actor)
	held, ok := c.Actors.trust.store.(nobody)
	if err != nil || !ok {
		t.Fatal(err)
	}
	key := fedtest.Ed25519("toulon.example")
	public := key.Public().(ed25519.PublicKey)
	held.trust = map[string]essaim.PeerTrust{"toulon.example": {Actor: actor, Keys: []essaim.PeerKey{{Key: proof.EncodeMultikey(public)}}}}
	sign := func(members string) string {
		s, err := proof.Sign([]byte(`{"@context":["https://www.w3.org/ns/activitystreams"],"attributedTo":"`+actor+`",`+members+`}`), key, actor+"#"+proof.KeyFragment(public), c.Now())
		if err != nil {
			t.Fatal(err)
		}
		return string(s.Bytes)
	}
	stands := func(item string) error {
		doc, err := wire.Parse([]byte(item), wire.Limits{})
		if err == nil {
			_, err = c.standing(t.Context(), doc.Root(), "toulon.example", c.Now())
		}
		return err
	}
	proven := func(head string) error { return c.Actors.Proven(t.Context(), origin, []byte(head), time.Time{}) }
	for name, tt := range map[string]struct {
		members string
		take    func(string) error
	}{
		"an item of its commons": {`"id":"https://toulon.example/objects/1","type":"Tombstone","deleted":"2026-03-01T00:00:00Z"`, stands},
		"its head":               {`"id":"https://toulon.example/commons","type":"OrderedCollection"`, proven},
	} {
		doc := sign(tt.members)
		if err := tt.take(doc); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := tt.take(added(doc)); err == nil {
			t.Errorf("%s is taken with a member that its proof does not cover", name)
		}
	}
}
