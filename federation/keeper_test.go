// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"net/http"
	"slices"
	"testing"

	"essaim/federation/fedtest"
)

func TestStaleActorsAreFetchedAnewAndOnlyA410LosesOne(t *testing.T) {
	t.Parallel()
	network := fedtest.NewNetwork()
	store := newShelf()
	s, _ := testServer(t, store, network)
	peer := fedtest.NewPeer(t, network, "well.example", "Person")
	for host, status := range map[string]int{"gone.example": 410, "missing.example": 404, "mending.example": 503} {
		network.Serve(host, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	}
	store.stale = []string{
		peer.Actor, "https://gone.example/users/a", "https://missing.example/users/a", "https://mending.example/users/a",
		"https://away.example/users/a", "not an address",
	}
	s.refreshActors(t.Context())
	if len(store.actors) != 1 || store.actors[peer.Actor].Inbox != peer.Actor+"/inbox" {
		t.Errorf("refreshed %v", store.actors)
	}
	if want := []string{"https://gone.example/users/a"}; !slices.Equal(store.gone, want) {
		t.Errorf("lost %v, want %v", store.gone, want)
	}
}
