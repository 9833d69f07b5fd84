// SPDX-License-Identifier: AGPL-3.0-or-later

package federation_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/federation"
)

// A domain that was a peer's may be anybody's now: only the copies are protected.
func TestAFormerPeerIsHeldToItsKeysAboutItsCopiesOnly(t *testing.T) {
	t.Parallel()
	const id = "https://peer.example/objects/1"
	key, other := seeded(1), seeded(66)
	deletion := activity("https://peer.example/a/1", "Delete", alice, `"`+id+`"`)
	for name, c := range map[string]struct {
		body, shown string
		kept        bool // a copy
		want        essaim.InboundState
	}{
		"about no copy, by another key":       {deletion, provenActor(t, alice, &aliceKey().PublicKey, other), false, essaim.InboundApplied},
		"about no copy, without any":          {deletion, actorDoc(t, alice, &aliceKey().PublicKey), false, essaim.InboundApplied},
		"about a copy, by the key":            {proved(t, deletion, alice, key), "", true, essaim.InboundApplied},
		"about a copy, by another key":        {proved(t, deletion, alice, other), provenActor(t, alice, &aliceKey().PublicKey, other), true, essaim.InboundFailed},
		"about a copy, without any":           {deletion, actorDoc(t, alice, &aliceKey().PublicKey), true, essaim.InboundFailed},
		"about a copy, of an actor that left": {deletion, "", true, essaim.InboundFailed},
	} {
		n := newNode(t)
		n.trust[peerHost] = essaim.PeerTrust{Keys: []essaim.PeerKey{{Key: multikey(key), How: essaim.KeyFirst}}}
		n.home.docs[alice] = c.shown
		if c.kept {
			n.records[id] = essaim.Record{ID: id, Origin: peerHost}
		}
		row := apply(t, n, 30*time.Second, c.body)
		if row.state != c.want || c.want == essaim.InboundFailed && !strings.HasPrefix(row.reason, "contested:") {
			t.Errorf("%s: %s %q, want %s", name, row.state, row.reason, c.want)
		}
		if n.trust[peerHost].Contested() {
			t.Errorf("%s: contested", name)
		}
		iri, err := essaim.ParseIRI(id)
		if err != nil {
			t.Fatal(err)
		}
		if got := federation.NewActors(n.memory, n.home, n.Now).Departed(t.Context(), iri, essaim.ErrGone); got == c.kept {
			t.Errorf("%s: 410 says that it is gone: %v", name, got)
		}
	}
}

func TestWhatAnAdministratorRefusedIsContestedNoMore(t *testing.T) {
	t.Parallel()
	key, refused := seeded(1), seeded(66)
	n := replicating(t, key)
	known := n.trust[peerHost]
	known.Refused = []string{multikey(refused)}
	n.trust[peerHost] = known
	n.home.docs[peerActor] = provenActor(t, peerActor, &evilKey().PublicKey, refused)
	var bodies []string
	for i := range 20 {
		bodies = append(bodies, activity(fmt.Sprintf("https://peer.example/a/%d", i), "Delete", alice, `"https://peer.example/objects/1"`))
	}
	apply(t, n, time.Minute, bodies...)
	for _, r := range n.rows {
		if r.state != essaim.InboundIgnored || !strings.Contains(r.reason, "refused") {
			t.Errorf("%s is %s (%s), want refused", r.ActivityID, r.state, r.reason)
		}
	}
	if asked := n.home.count(peerActor); asked != 1 || n.trust[peerHost].Contested() {
		t.Errorf("asked %d times, contested %v", asked, n.trust[peerHost].Contested())
	}
	if err := federation.NewActors(n.memory, n.home, n.Now).Continues(t.Context(), peerHost); !errors.Is(err, essaim.ErrForbidden) {
		t.Errorf("its key continues: %v", err)
	}
}
