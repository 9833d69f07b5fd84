// SPDX-License-Identifier: AGPL-3.0-or-later

package federation_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"essaim"
)

func TestAMoveNeedsBothEnds(t *testing.T) {
	t.Parallel()
	const (
		next = "https://b.example/users/alice"
		id   = "https://peer.example/a/1"
	)
	back := `,"alsoKnownAs":["https://c.example/u","` + alice + `"]`
	move := func(target string) string {
		return strings.Replace(activity(id, "Move", alice, `"`+alice+`"`), `"object"`, fmt.Sprintf(`"target":%q,"object"`, target), 1)
	}
	for _, c := range []struct {
		name, body, more string // of the new account's document
		before           func(*node)
		want             string
		asked            int // the new account, how often
	}{
		{"both say so", move(next), back, nil, alice + " moved to " + next, 1},
		{"an account that we follow", move(next), back, func(n *node) { n.follows, n.ours = nil, alice }, alice + " moved to " + next + "; follow at " + next + "/inbox; undo at " + alice + "/inbox", 1},
		{"the new account names nobody", move(next), "", nil, "does not say", 1},
		{"the new account names others", move(next), `,"alsoKnownAs":"https://peer.example/users/bob"`, nil, "does not say", 1},
		{"the new account moved itself", move(next), back + `,"movedTo":"` + alice + `"`, nil, "moved itself", 1},
		{"the new account is no more", move(next), back, func(n *node) { n.home.errs[next] = essaim.ErrGone }, "cannot be read", 1},
		{"to itself", move(alice), back, nil, "moves nowhere", 0},
		{"to nothing", activity(id, "Move", alice, `"`+alice+`"`), back, nil, "moves nowhere", 0},
		{"to this node", move(here + "/actors/brest"), back, nil, "do not move to this node", 0},
		{"who has nothing here", move(next), back, func(n *node) { n.follows = nil }, "has nothing here", 0},
		{"a node that we replicate", move(next), back, func(n *node) { n.peers["peer.example"] = essaim.Peer{Host: "peer.example", Actor: alice} }, "administrator", 0},
		{"a territory that we replicate", move(next), back, func(n *node) { n.peers["peer.example"] = essaim.Peer{Host: "peer.example", Territory: alice} }, "administrator", 0},
		{"another of a host that we replicate", move(next), back, func(n *node) {
			n.peers["peer.example"] = essaim.Peer{Host: "peer.example", Actor: "https://peer.example/actor"}
		}, alice + " moved to " + next, 1},
		{"another's account", activity(id, "Move", alice, `"https://peer.example/users/bob"`), back, nil, "moves another actor", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			shown(t, "Move: "+c.name, c.body)
			n := newNode(t)
			n.follows = map[string]bool{alice: true}
			n.home.docs[next] = actorDoc(t, next, &aliceKey().PublicKey, c.more)
			if c.before != nil {
				c.before(n)
			}
			row := apply(t, n, time.Millisecond, c.body)
			got := row.reason
			if row.state == essaim.InboundApplied {
				got = said(n.applied[0].Effects)
			}
			if !strings.Contains(got, c.want) || n.home.count(next) != c.asked {
				t.Errorf("got %s: %s after %d requests; want %s after %d", row.state, got, n.home.count(next), c.want, c.asked)
			}
		})
	}
}

func (m *memory) OurFollow(_ context.Context, actor string) (essaim.OurFollow, error) {
	if m.ours == actor {
		return essaim.OurFollow{Actor: actor, Inbox: actor + "/inbox", FollowID: here + "/activities/old", State: essaim.PeerFollowed}, nil
	}
	return essaim.OurFollow{}, essaim.ErrNotFound
}

func (m *memory) Recovering(context.Context) (bool, error) { return false, nil }

func (m *memory) FollowsHere(_ context.Context, actor string) (bool, error) {
	return m.follows[actor], nil
}
