// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"net/http"
	"testing"
	"time"

	"essaim"
	"essaim/federation/fedtest"
)

// Servers that let nobody read without a name are asked in the node's own: for
// whatever reason (interop.md, rule 11).
func TestEveryGetIsSignedByTheNodesActor(t *testing.T) {
	t.Parallel()
	network := fedtest.NewNetwork()
	store := newShelf()
	store.holders = []string{"peer.example"}
	s, h := testServer(t, store, network)
	network.Serve("brest.example", h)
	peer := fedtest.NewPeer(t, network, "peer.example", "Application")
	peer.Put("https://peer.example/.well-known/nodeinfo", map[string]any{"links": []map[string]string{
		{"rel": "https://www.w3.org/ns/activitystreams#Application", "href": peer.Actor},
		{"rel": "http://nodeinfo.diaspora.software/ns/schema/2.1", "href": "https://peer.example/nodeinfo/2.1"},
	}})
	peer.Put("https://peer.example/nodeinfo/2.1", map[string]any{"metadata": map[string]string{}})
	m := fedtest.NewPeer(t, network, "m.example", "Person")
	account(m, "alice", m.Actor)
	post := "https://m.example/n/1"
	m.Put(post, map[string]any{"@context": activityStreams, "id": post, "type": "Article", "name": "x", "attributedTo": m.Actor, "to": []string{"https://www.w3.org/ns/activitystreams#Public"}})

	for what, ask := range map[string]func(){
		"a node is followed":     func() { _, _ = s.FollowPeer(t.Context(), "peer.example") },
		"an account is followed": func() { _, _, _ = s.findAccount(t.Context(), "@alice@m.example") },
		"a text names somebody":  func() { s.Mentions(t.Context(), []essaim.Handle{{User: "alice", Host: "m.example"}}) },
		"a reader is led away":   func() { _, _ = s.FollowAddress(t.Context(), "@alice@m.example", s.nodeActor()) },
		"an object is gathered": func() {
			base, err := essaim.ParseIRI("https://brest.example")
			if err != nil {
				t.Fatal(err)
			}
			g := &Gatherer{Client: s.client, Actors: s.remote, Base: base, Now: time.Now}
			if _, err := g.find(t.Context(), essaim.Wanted{Want: essaim.Want{Object: post, By: m.Actor}}); err != nil {
				t.Error(err)
			}
		},
		"heads are asked for":  func() { s.rescuer.Ask(t.Context()) },
		"a picture is copied":  func() { _, _ = s.client.Picture(t.Context(), "https://m.example/icon.png", 1000) },
		"the commons are read": func() { _, _ = s.client.Changed(t.Context(), "https://peer.example/commons", "") },
	} {
		before := len(network.Log())
		ask()
		gets := 0
		for _, r := range network.Log()[before:] {
			if r.Method != http.MethodGet {
				continue
			}
			gets++
			if r.KeyID != s.nodeActor()+"#main-key" {
				t.Errorf("%s: GET https://%s%s is signed by %q", what, r.Host, r.Path, r.KeyID)
			}
		}
		if gets == 0 {
			t.Errorf("%s: nothing was asked", what)
		}
	}
}
