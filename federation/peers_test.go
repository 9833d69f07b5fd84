// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"encoding/json"
	"errors"
	"testing"

	"essaim"
	"essaim/federation/fedtest"
)

func TestFollowingAPeer(t *testing.T) {
	t.Parallel()
	network := fedtest.NewNetwork()
	store := newShelf()
	s, h := testServer(t, store, network)
	network.Serve("brest.example", h)
	peer := fedtest.NewPeer(t, network, "peer.example", "Application")
	p, err := s.FollowPeer(t.Context(), "peer.example")
	if err != nil {
		t.Fatal(err)
	}
	if p.Host != "peer.example" || p.Actor != peer.Actor || p.Inbox != peer.Actor+"/inbox" || p.State != essaim.PeerRequested || p.Territory != "" {
		t.Errorf("peer %+v", p)
	}
	var follow struct{ ID, Type, Actor, Object string }
	if err := json.Unmarshal(store.followed[0].Body, &follow); err != nil {
		t.Fatal(err)
	}
	if follow.ID != p.FollowID || follow.Type != "Follow" || follow.Actor != s.nodeActor() || follow.Object != peer.Actor {
		t.Errorf("follow %+v", follow)
	}
	if err := s.UnfollowPeer(t.Context(), "peer.example"); err != nil {
		t.Fatal(err)
	}
	var undo struct {
		Type   string
		Object struct{ ID, Type, Object string }
	}
	if err := json.Unmarshal(store.followed[1].Body, &undo); err != nil {
		t.Fatal(err)
	}
	if undo.Type != "Undo" || undo.Object.ID != p.FollowID || undo.Object.Type != "Follow" || undo.Object.Object != peer.Actor {
		t.Errorf("undo %+v", undo)
	}
	if err := s.UnfollowPeer(t.Context(), "peer.example"); !errors.Is(err, essaim.ErrNotFound) {
		t.Errorf("a second time: %v", err)
	}
}

func TestAPeersTerritoryIsReadFromItsNodeInfo(t *testing.T) {
	t.Parallel()
	network := fedtest.NewNetwork()
	s, _ := testServer(t, newShelf(), network)
	for _, c := range []struct{ name, territory, want string }{
		{"its own", "https://node.example/actors/toulouse", "https://node.example/actors/toulouse"},
		{"another's", "https://victim.example/actors/brest", ""},
		{"none", "", ""},
	} {
		peer := fedtest.NewPeer(t, network, "node.example", "Application")
		peer.Put("https://node.example/.well-known/nodeinfo", map[string]any{"links": []map[string]string{
			{"rel": "https://www.w3.org/ns/activitystreams#Application", "href": peer.Actor},
			{"rel": "http://nodeinfo.diaspora.software/ns/schema/2.1", "href": "https://node.example/nodeinfo/2.1"},
		}})
		peer.Put("https://node.example/nodeinfo/2.1", map[string]any{"metadata": map[string]string{"territory": c.territory}})
		peer.Put("https://node.example/actors/toulouse", map[string]any{
			"@context": "https://www.w3.org/ns/activitystreams", "id": "https://node.example/actors/toulouse", "type": "Organization",
			"name": "Toulouse: métropole", "preferredUsername": "toulouse", "inbox": "https://node.example/actors/toulouse/inbox",
		})
		p, err := s.FollowPeer(t.Context(), "node.example")
		if err != nil {
			t.Fatal(err)
		}
		if p.Territory != c.want || c.want != "" && (p.TerritoryName != "Toulouse: métropole" || p.Username != "toulouse") {
			t.Errorf("%s: %+v", c.name, p)
		}
	}
}

func TestWhatCannotBeFollowed(t *testing.T) {
	t.Parallel()
	network := fedtest.NewNetwork()
	store := newShelf()
	s, h := testServer(t, store, network)
	network.Serve("brest.example", h)
	fedtest.NewPeer(t, network, "note.example", "Note")
	fedtest.NewPeer(t, network, "down.example", "Application")
	network.SetDown("down.example", true)
	for host, want := range map[string]error{
		"brest.example": essaim.ErrInvalid, // this node itself
		"note.example":  essaim.ErrInvalid,
		"down.example":  essaim.ErrUnavailable,
		"not a host":    essaim.ErrInvalid,
	} {
		if _, err := s.FollowPeer(t.Context(), host); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", host, err, want)
		}
	}
	if len(store.peers) != 0 {
		t.Errorf("peers %+v", store.peers)
	}
}
