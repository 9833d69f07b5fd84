// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"essaim"
	"essaim/federation/fedtest"
)

// account makes a peer's actor alice found by WebFinger.
func account(p *fedtest.Peer, user, self string) {
	p.Put("https://"+p.Host+"/.well-known/webfinger?resource=acct%3A"+user+"%40"+p.Host, map[string]any{
		"subject": "acct:" + user + "@" + p.Host, "links": []map[string]string{{"rel": "self", "type": "application/activity+json", "href": self}},
	})
}

func TestMentionsAreFoundByWebFinger(t *testing.T) {
	t.Parallel()
	network := fedtest.NewNetwork()
	peer := fedtest.NewPeer(t, network, "m.example", "Person")
	account(peer, "alice", peer.Actor)
	account(peer, "other", peer.Actor)                       // another's name
	account(peer, "stolen", "https://v.example/users/alice") // another's actor
	victim := fedtest.NewPeer(t, network, "v.example", "Person")
	account(victim, "alice", victim.Actor)
	account(victim, "blocked", "https://v.example/users/blocked")
	store := newShelf()
	store.blocked = map[string]bool{"https://v.example/users/blocked": true}
	s, _ := testServer(t, store, network)
	ask := func(texts ...string) string {
		c := essaim.Content{Text: strings.Join(texts, " ")}
		return fmt.Sprint(s.Mentions(t.Context(), c.Handles()))
	}
	want := "[{@Alice@m.example https://m.example/users/alice} {@brest@brest.example https://brest.example/actors/brest}]"
	if got := ask("@Alice@m.example", "@other@m.example", "@stolen@m.example", "@nobody@m.example", "@blocked@v.example", "@a@away.example", "@brest@brest.example"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if _, ok := store.actors[peer.Actor]; !ok {
		t.Error("an actor that is named is not held")
	}
	asked := len(network.Log())
	ask("@alice@m.example @nobody@m.example")
	if n := len(network.Log()); n != asked {
		t.Errorf("%d requests for what was just asked", n-asked)
	}
}

func TestAServerThatHangsHoldsAWriterForSecondsOnly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		network := fedtest.NewNetwork()
		peer := fedtest.NewPeer(t, network, "m.example", "Person")
		account(peer, "alice", peer.Actor)
		fedtest.NewPeer(t, network, "slow.example", "Person")
		network.SetSilent("slow.example", true)
		s, _ := testServer(t, newShelf(), network)
		start := time.Now()
		c := essaim.Content{Text: "@alice@m.example @alice@slow.example"}
		if got := s.Mentions(t.Context(), c.Handles()); len(got) != 1 || got[0].Actor != peer.Actor {
			t.Errorf("got %v", got)
		}
		if took := time.Since(start); took > mentionTime+time.Second {
			t.Errorf("waited %s", took)
		}
		synctest.Wait()
	})
}
