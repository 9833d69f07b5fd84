// SPDX-License-Identifier: AGPL-3.0-or-later

package federation_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/federation"
	"essaim/federation/fetch"
	"essaim/federation/proof"
)

const (
	peerHost  = "peer.example"
	peerActor = "https://peer.example/actor"
)

func seeded(n byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, ed25519.SeedSize))
}

func multikey(k ed25519.PrivateKey) string {
	return proof.EncodeMultikey(k.Public().(ed25519.PublicKey))
}

// proved adds the proof of an actor's key to a document.
func proved(t testing.TB, doc, actor string, key ed25519.PrivateKey) string {
	t.Helper()
	doc = strings.Replace(doc, `"@context":"https://www.w3.org/ns/activitystreams"`, `"@context":["https://www.w3.org/ns/activitystreams"]`, 1)
	s, err := proof.Sign([]byte(doc), key, actor+"#"+proof.KeyFragment(key.Public().(ed25519.PublicKey)), noon)
	if err != nil {
		t.Fatal(err)
	}
	return string(s.Bytes)
}

// beside is a document with a member that its proof does not cover (FEP-8b32).
func beside(doc string) string {
	return strings.Replace(doc, `"type":`, `"signature":{"type":"RsaSignature2017"},"type":`, 1)
}

// statement introduces a key by the one before.
func statement(t testing.TB, actor string, by, old, next ed25519.PrivateKey) string {
	t.Helper()
	return proved(t, fmt.Sprintf(`{"@context":["https://www.w3.org/ns/activitystreams"],"actor":%q,"essaim:oldKey":%q,"essaim:newKey":%q,"published":"2026-02-01T00:00:00Z"}`,
		actor, multikey(old), multikey(next)), actor, by)
}

// provenActor is the document of an actor that proves itself, with the statements
// that introduced its key.
func provenActor(t testing.TB, id string, public *rsa.PublicKey, key ed25519.PrivateKey, statements ...string) string {
	t.Helper()
	more := fmt.Sprintf(`,"assertionMethod":[{"id":"%s#k","type":"Multikey","controller":%q,"publicKeyMultibase":%q}]`, id, id, multikey(key))
	if len(statements) > 0 {
		more += `,"essaim:keyHistory":[` + strings.Join(statements, ",") + `]`
	}
	return proved(t, actorDoc(t, id, public, more), id, key)
}

// replicating is a node that replicates peer.example, whose first key is pinned.
func replicating(t testing.TB, first ed25519.PrivateKey) *node {
	t.Helper()
	n := newNode(t)
	n.peers[peerHost] = essaim.Peer{Host: peerHost, Actor: peerActor, State: essaim.PeerFollowed}
	n.trust[peerHost] = essaim.PeerTrust{Actor: peerActor, Keys: []essaim.PeerKey{{Key: multikey(first), How: essaim.KeyFirst}}}
	return n
}

func TestAReplicatedNodeProvesWhatItSends(t *testing.T) {
	t.Parallel()
	k1, k2, k3, x := seeded(1), seeded(2), seeded(3), seeded(66)
	const id = "https://peer.example/a/1"
	rec := func(key ed25519.PrivateKey) string { return proved(t, record, alice, key) }
	update := func(object string) string { return activity(id, "Update", alice, object) }
	deletion := activity(id, "Delete", alice, `"https://peer.example/objects/1"`)
	tombstone := `{"@context":["https://www.w3.org/ns/activitystreams"],"id":"https://peer.example/objects/1","type":"Tombstone","attributedTo":"` + alice + `"}`
	shows := func(key ed25519.PrivateKey, statements ...string) string {
		return provenActor(t, peerActor, &aliceKey().PublicKey, key, statements...)
	}
	chain := []string{statement(t, peerActor, k1, k1, k2), statement(t, peerActor, k2, k2, k3)}
	contested := essaim.InboundFailed
	for _, c := range []struct {
		name, body, shown string
		state             essaim.InboundState
		want              string // effects, or a part of the reason
		keys              []ed25519.PrivateKey
		offered           string
	}{
		{"record by the key", proved(t, update(rec(k1)), alice, k1), "", essaim.InboundApplied, "record initiative", nil, ""},
		{"deletion by the key", proved(t, deletion, alice, k1), "", essaim.InboundApplied, "erase https://peer.example/objects/1", nil, ""},
		{"tombstone by the key", proved(t, activity(id, "Delete", alice, proved(t, tombstone, alice, k1)), alice, k1), "", essaim.InboundApplied, "erase https://peer.example/objects/1", nil, ""},
		{"an actor's tombstone", proved(t, activity(id, "Delete", alice, proved(t, strings.Replace(tombstone, `"Tombstone"`, `"Tombstone","formerType":"Person"`, 1), alice, k1)), alice, k1), "", essaim.InboundApplied, "erase https://peer.example/objects/1 by https://peer.example/users/alice, an actor", nil, ""},
		{"by the next key, introduced", proved(t, update(rec(k2)), alice, k2), shows(k2, chain[0]), essaim.InboundApplied, "record initiative", []ed25519.PrivateKey{k1, k2}, ""},
		{"by the one after that", proved(t, deletion, alice, k3), shows(k3, chain...), essaim.InboundApplied, "erase", []ed25519.PrivateKey{k1, k2, k3}, ""},
		{"by the retired key", proved(t, deletion, alice, k1), "retired", essaim.InboundIgnored, "not proven by the key", []ed25519.PrivateKey{k1, k2}, ""},

		{"deletion by another key", proved(t, deletion, alice, x), shows(x), contested, "contested", nil, multikey(x)},
		{"record by another key", proved(t, update(rec(x)), alice, x), shows(x), contested, "contested", nil, multikey(x)},
		{"Move by another key", proved(t, activity(id, "Move", alice, `"`+alice+`","target":"https://evil.example/users/mallory"`), alice, x), shows(x), contested, "contested", nil, multikey(x)},
		{"deletion without proof", deletion, shows(x), contested, "contested", nil, multikey(x)},
		{"without proof, of a host that shows no key", deletion, actorDoc(t, peerActor, &aliceKey().PublicKey), contested, "contested", nil, ""},
		{"of a host that shows the key and cannot prove it", proved(t, deletion, alice, x), provenActorAs(t, k1, x), contested, "contested", nil, ""},
		{"of a host whose actor is gone", proved(t, deletion, alice, x), "", contested, "contested", nil, ""},
		{"a key that introduces itself", proved(t, deletion, alice, x), shows(x, statement(t, peerActor, x, k1, x)), contested, "contested", nil, multikey(x)},
		{"a key introduced by one that is not pinned", proved(t, deletion, alice, x), shows(x, statement(t, peerActor, k2, k2, x)), contested, "contested", nil, multikey(x)},
		{"a chain with a hole", proved(t, deletion, alice, k3), shows(k3, chain[1]), contested, "contested", nil, multikey(k3)},
		{"a statement of another host", proved(t, deletion, alice, x), shows(x, statement(t, "https://evil.example/actor", k1, k1, x)), contested, "contested", nil, multikey(x)},
		{"a statement after another key", proved(t, deletion, alice, x), shows(x, statement(t, peerActor, k1, k3, x)), contested, "contested", nil, multikey(x)},
		{"a true statement of another's key", proved(t, deletion, alice, x), shows(x, chain[0]), contested, "contested", nil, multikey(x)},

		{"deletion without proof, the key unchanged", deletion, shows(k1), essaim.InboundIgnored, "not proven by the key", nil, ""},
		{"a record of another key in a proven activity", proved(t, update(rec(x)), alice, k1), shows(k1), essaim.InboundIgnored, "not proven by the key", nil, ""},
		{"a record without proof in a proven activity", proved(t, update(record), alice, k1), shows(k1), essaim.InboundIgnored, "not proven by the key", nil, ""},
		{"a record with more than its proof covers", proved(t, update(beside(rec(k1))), alice, k1), shows(k1), essaim.InboundIgnored, "not proven by the key", nil, ""},
		{"a tombstone with more than its proof covers", proved(t, activity(id, "Delete", alice, beside(proved(t, tombstone, alice, k1))), alice, k1), shows(k1), essaim.InboundIgnored, "not proven by the key", nil, ""},
		{"an activity with a signature of other software", beside(proved(t, update(rec(k1)), alice, k1)), "", essaim.InboundApplied, "record initiative", nil, ""},
		{"a tombstone without proof", proved(t, activity(id, "Delete", alice, tombstone), alice, k1), shows(k1), essaim.InboundIgnored, "not proven by the key", nil, ""},
	} {
		n := replicating(t, k1)
		switch c.shown {
		case "retired":
			n.home.docs[peerActor] = shows(k2, chain[0])
			n.trust[peerHost] = essaim.PeerTrust{Actor: peerActor, Keys: []essaim.PeerKey{{Key: multikey(k1), Until: noon}, {Key: multikey(k2)}}}
		default:
			n.home.docs[peerActor] = c.shown
		}
		row := apply(t, n, 30*time.Second, c.body)
		got := row.reason
		if len(n.applied) > 0 && got == "" {
			got = said(n.applied[0].Effects)
		}
		if row.state != c.state || !strings.Contains(got, c.want) {
			t.Errorf("%s: %s %q, want %s %q", c.name, row.state, got, c.state, c.want)
		}
		if c.keys == nil {
			c.keys = []ed25519.PrivateKey{k1}
		}
		var keys, want []string
		for _, k := range n.trust[peerHost].Keys {
			keys = append(keys, k.Key)
		}
		for _, k := range c.keys {
			want = append(want, multikey(k))
		}
		if known := n.trust[peerHost]; !slices.Equal(keys, want) || known.Offered != c.offered || known.Contested() != (c.state == contested) {
			t.Errorf("%s: keys are %q, want %q; contested %v by %q, want %q", c.name, keys, want, known.Contested(), known.Offered, c.offered)
		}
		if _, saved := n.actors[peerActor]; c.state == contested && saved {
			t.Errorf("%s: the copy of its actor was replaced", c.name)
		}
	}
}

// provenActorAs lists one key and signs with another.
func provenActorAs(t testing.TB, listed, by ed25519.PrivateKey) string {
	t.Helper()
	more := fmt.Sprintf(`,"assertionMethod":[{"id":"%s#k","type":"Multikey","controller":%q,"publicKeyMultibase":%q}]`, peerActor, peerActor, multikey(listed))
	return proved(t, actorDoc(t, peerActor, &evilKey().PublicKey, more), peerActor, by)
}

func TestOnlyReplicatedNodesAreHeldToTheirKeys(t *testing.T) {
	t.Parallel()
	deletion := activity("https://peer.example/a/1", "Delete", alice, `"https://peer.example/objects/1"`)
	n := newNode(t)
	n.home.docs[peerActor] = provenActor(t, peerActor, &aliceKey().PublicKey, seeded(1))
	if row := apply(t, n, time.Second, deletion); row.state != essaim.InboundApplied {
		t.Errorf("a stranger's deletion is %s (%s)", row.state, row.reason)
	}
	if asked := n.home.count(peerActor); asked != 0 || len(n.trust) != 0 {
		t.Errorf("asked %d times, pinned %v", asked, n.trust)
	}
}

func TestTheNodesOwnActorAloneGivesTheFirstKey(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, id, doc string
		want          int
	}{
		{"its actor, proven", peerActor, provenActor(t, peerActor, &aliceKey().PublicKey, seeded(1)), 1},
		{"its actor, without proof", peerActor, actorDoc(t, peerActor, &aliceKey().PublicKey), 0},
		{"its actor, proven by another key than it lists", peerActor, provenActorAs(t, seeded(1), seeded(2)), 0},
		{"another actor of its host", alice, provenActor(t, alice, &aliceKey().PublicKey, seeded(1)), 0},
	} {
		n := newNode(t)
		n.trust[peerHost] = essaim.PeerTrust{Actor: peerActor}
		n.home.docs[c.id] = c.doc
		id, err := essaim.ParseIRI(c.id)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := federation.NewActors(n.memory, n.home, n.Now).Fetch(t.Context(), id); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if got := len(n.trust[peerHost].Keys); got != c.want {
			t.Errorf("%s: %d keys pinned, want %d", c.name, got, c.want)
		}
	}
}

func TestAHostIsAskedForItsKeyNowAndThenOnly(t *testing.T) {
	t.Parallel()
	n := replicating(t, seeded(1))
	n.home.docs[peerActor] = provenActor(t, peerActor, &evilKey().PublicKey, seeded(66))
	var bodies []string
	for i := range 20 {
		bodies = append(bodies, activity(fmt.Sprintf("https://peer.example/a/%d", i), "Delete", alice, `"https://peer.example/objects/1"`))
	}
	apply(t, n, time.Minute, bodies...)
	for _, r := range n.rows {
		if r.state != essaim.InboundFailed {
			t.Errorf("%s is %s (%s), want kept", r.ActivityID, r.state, r.reason)
		}
	}
	if asked := n.home.count(peerActor); asked != 1 {
		t.Errorf("asked %d times, want once", asked)
	}
}

func TestAHostContinuesWhileItShowsItsKey(t *testing.T) {
	t.Parallel()
	k1, k2 := seeded(1), seeded(2)
	key := &aliceKey().PublicKey
	for name, c := range map[string]struct {
		shown string
		want  error
	}{
		"its key":              {provenActor(t, peerActor, key, k1), nil},
		"the next, introduced": {provenActor(t, peerActor, key, k2, statement(t, peerActor, k1, k1, k2)), nil},
		"another":              {provenActor(t, peerActor, key, k2), essaim.ErrConflict},
		"none":                 {"", essaim.ErrConflict},
		"a page for people":    {"<html>", essaim.ErrUnavailable},
	} {
		n := replicating(t, k1)
		n.home.docs[peerActor] = c.shown
		actors := federation.NewActors(n.memory, n.home, n.Now)
		if got := actors.Continues(t.Context(), peerHost); !errors.Is(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
		// Of one that is followed no more, nothing is asked.
		n.trust[peerHost] = essaim.PeerTrust{Keys: n.trust[peerHost].Keys}
		if got := federation.NewActors(n.memory, n.home, n.Now).Continues(t.Context(), peerHost); got != nil {
			t.Errorf("%s, of a former peer: %v", name, got)
		}
	}
}

// Who buys a lapsed domain answers 404 and 410 as well.
func TestOnlyAProvenTombstoneSaysThatAReplicatedNodesIsGone(t *testing.T) {
	t.Parallel()
	key, other := seeded(1), seeded(66)
	const id = "https://peer.example/objects/1"
	tombstone := func(of, typ string, by ed25519.PrivateKey) string {
		return proved(t, `{"@context":["https://www.w3.org/ns/activitystreams"],"id":"`+of+`","type":"`+typ+`","attributedTo":"`+alice+`"}`, alice, by)
	}
	gone := func(body string) error {
		return fmt.Errorf("%w: %w", &fetch.Gone{Body: []byte(body)}, essaim.ErrGone)
	}
	for _, c := range []struct {
		name   string
		err    error
		pinned bool
		want   bool
	}{
		{"410 of a stranger", essaim.ErrGone, false, true},
		{"404 of a stranger", essaim.ErrNotFound, false, true},
		{"no answer of a stranger", essaim.ErrUnavailable, false, false},
		{"410", essaim.ErrGone, true, false},
		{"404", essaim.ErrNotFound, true, false},
		{"410 with a proven tombstone", gone(tombstone(id, "Tombstone", key)), true, true},
		{"with a tombstone with more than its proof covers", gone(beside(tombstone(id, "Tombstone", key))), true, false},
		{"with a tombstone of another key", gone(tombstone(id, "Tombstone", other)), true, false},
		{"with a tombstone without proof", gone(`{"id":"` + id + `","type":"Tombstone"}`), true, false},
		{"with the tombstone of something else", gone(tombstone(id+"2", "Tombstone", key)), true, false},
		{"with what is no tombstone", gone(tombstone(id, "Article", key)), true, false},
	} {
		n := newNode(t)
		if c.pinned {
			n = replicating(t, key)
			n.home.docs[peerActor] = provenActor(t, peerActor, &aliceKey().PublicKey, key)
		}
		iri, err := essaim.ParseIRI(id)
		if err != nil {
			t.Fatal(err)
		}
		if got := federation.NewActors(n.memory, n.home, n.Now).Departed(t.Context(), iri, fmt.Errorf("fetch: %w", c.err)); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func (m *memory) PeerTrust(_ context.Context, host string) (essaim.PeerTrust, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.trust[host], m.fail
}

func (m *memory) PinPeerKeys(_ context.Context, host, after string, keys ...essaim.PeerKey) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	known := m.trust[host]
	if known.Current() != after {
		return essaim.ErrConflict
	}
	known.Keys, known.ContestedAt = append(known.Keys, keys...), time.Time{}
	m.trust[host] = known
	return nil
}

func (m *memory) ContestPeer(_ context.Context, host, key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	known := m.trust[host]
	known.Offered, known.ContestedAt = key, m.now()
	m.trust[host] = known
	return nil
}

func (m *memory) KeepsCopy(_ context.Context, id string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, kept := m.records[id]
	return kept, m.fail
}

func (m *memory) SettlePeer(_ context.Context, host string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	known := m.trust[host]
	known.Offered, known.ContestedAt = "", time.Time{}
	m.trust[host] = known
	return nil
}
