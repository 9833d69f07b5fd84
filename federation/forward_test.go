// SPDX-License-Identifier: AGPL-3.0-or-later

package federation_test

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"essaim"
	"essaim/federation/proof"
)

// ActivityPub 7.1.2 has servers pass on what they received; FEP-8b32 lets the
// receiver believe it.
func TestWhatAnotherPassesOnNeedsTheActorsProof(t *testing.T) {
	t.Parallel()
	own := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{9}, ed25519.SeedSize))
	const neighbour = "https://peer.example/users/bob"
	strange := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{8}, ed25519.SeedSize))
	method := func(actor string, key ed25519.PrivateKey) string {
		return actor + "#" + proof.KeyFragment(key.Public().(ed25519.PublicKey))
	}
	like := activity("https://peer.example/a/1", "Like", alice, `"`+here+`/objects/1"`)
	like = strings.Replace(like, `"@context":"https://www.w3.org/ns/activitystreams"`, `"@context":["https://www.w3.org/ns/activitystreams"]`, 1)
	prove := func(body string, key ed25519.PrivateKey, method string) string {
		s, err := proof.Sign([]byte(body), key, method, noon)
		if err != nil {
			t.Fatal(err)
		}
		return string(s.Bytes)
	}
	signed := func(key ed25519.PrivateKey, method string) string { return prove(like, key, method) }
	good := signed(own, method(alice, own))
	nameless := `{"@context":["https://www.w3.org/ns/activitystreams"],"type":"Remove","actor":"` + alice + `","object":"https://peer.example/notes/1","target":"` + alice + `/featured"}`
	for _, c := range []struct {
		name   string
		body   string
		before func(*node)
		status int
	}{
		{"the actor's proof", good, nil, 202},
		{"no proof", like, nil, 403},
		{"what may be said again, and has no date but the signature's", prove(nameless, own, method(alice, own)), nil, 403},
		{"one letter changed", strings.Replace(good, "objects/1", "objects/2", 1), nil, 403},
		{"a proof of another key of that name", signed(strange, method(alice, own)), nil, 403},
		{"a key that the actor does not list", signed(strange, method(alice, strange)), nil, 403},
		{"the proof of who passes it on", signed(strange, method(evil, strange)), nil, 403},
		{"the proof of a neighbour of the actor", signed(strange, method(neighbour, strange)), nil, 403},
		{"a proof of another kind", strings.Replace(good, proof.Suite, "eddsa-rdfc-2022", 1), nil, 403},
		{"an actor that is blocked", good, func(n *node) { n.blocked[alice] = true }, 403},
		{"passed on by one that is blocked", good, func(n *node) { n.blocked[evil] = true }, 403},
		{"the actor's home away", good, func(n *node) { n.home.errs[alice] = essaim.ErrUnavailable }, 503},
	} {
		n := newNode(t)
		for actor, key := range map[string]ed25519.PrivateKey{alice: own, evil: strange, neighbour: strange} {
			rsa := &aliceKey().PublicKey
			if actor != alice {
				rsa = &evilKey().PublicKey
			}
			n.home.docs[actor] = actorDoc(t, actor, rsa, fmt.Sprintf(`,"assertionMethod":[{"id":%q,"type":"Multikey","controller":%q,"publicKeyMultibase":%q}]`,
				method(actor, key), actor, proof.EncodeMultikey(key.Public().(ed25519.PublicKey))))
		}
		if c.before != nil {
			c.before(n)
		}
		w := n.do(n.request(t, evil+"#main-key", evilKey(), c.body, nil))
		if stored := c.status == http.StatusAccepted; w.Code != c.status || len(n.rows) == 1 != stored {
			t.Errorf("%s: status %d, %d stored; want %d (%s)", c.name, w.Code, len(n.rows), c.status, w.Body)
		}
	}
}

// What this node published itself, and proved, makes nothing happen here again: its
// announces of a record are no thanks of somebody else's.
func TestWhatThisNodeSaidIsTakenOfNobody(t *testing.T) {
	t.Parallel()
	const own = here + "/actors/brest"
	method := own + "#" + proof.KeyFragment(edKey.Public().(ed25519.PublicKey))
	n := newNode(t)
	n.home.docs[own] = actorDoc(t, own, &aliceKey().PublicKey, fmt.Sprintf(`,"assertionMethod":[{"id":%q,"type":"Multikey","controller":%q,"publicKeyMultibase":%q}]`,
		method, own, proof.EncodeMultikey(edKey.Public().(ed25519.PublicKey))))
	announce := strings.Replace(activity(here+"/activities/1", "Announce", own, `"`+here+`/objects/jardin"`), `"@context":"https://www.w3.org/ns/activitystreams"`, `"@context":["https://www.w3.org/ns/activitystreams"]`, 1)
	signed, err := proof.Sign([]byte(announce), edKey, method, noon)
	if err != nil {
		t.Fatal(err)
	}
	w := n.do(n.request(t, evil+"#main-key", evilKey(), string(signed.Bytes), nil))
	if w.Code != http.StatusForbidden || len(n.rows) > 0 || n.home.count(own) > 0 {
		t.Errorf("status %d, %d stored, asked ourselves %d times; want 403 at once", w.Code, len(n.rows), n.home.count(own))
	}
}
