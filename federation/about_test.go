// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"slices"
	"testing"

	"essaim"
)

// noted is a store that keeps what a node said of itself.
type noted struct {
	ReplicaStore // what is not asked for here
	about        map[string]essaim.PeerAbout
}

func (n noted) SavePeerAbout(_ context.Context, host string, a essaim.PeerAbout) error {
	n.about[host] = a
	return nil
}

func TestANodeSaysWhereItIsAndWhomItFollows(t *testing.T) {
	t.Parallel()
	const base = "https://lyon.example"
	peer := essaim.Peer{Host: "lyon.example", Actor: base + "/actor", Territory: base + "/actors/lyon"}
	pages := map[string]string{
		base + "/actors/lyon":     `{"id":"` + base + `/actors/lyon","location":{"type":"Place","name":"Lyon","latitude":45.76,"longitude":4.84}}`,
		base + "/actor":           `{"id":"` + base + `/actor","following":"` + base + `/actor/following"}`,
		base + "/actor/following": `{"type":"OrderedCollection","totalItems":3,"orderedItems":["https://nantes.example/actor","` + base + `/actor","no address"]}`,
	}
	for _, tt := range []struct {
		name          string
		page, instead string
		want          essaim.PeerAbout
		fails         bool
	}{
		{name: "as it is", want: essaim.PeerAbout{Lat: 45.76, Lon: 4.84, Follows: []string{"https://nantes.example/actor"}}},
		{name: "nowhere", page: base + "/actors/lyon", instead: `{"location":{"latitude":451,"longitude":4}}`, want: essaim.PeerAbout{Follows: []string{"https://nantes.example/actor"}}},
		{name: "it tells no follows", page: base + "/actor", instead: `{}`, want: essaim.PeerAbout{Lat: 45.76, Lon: 4.84}},
		{name: "a list of others", page: base + "/actor", instead: `{"following":"https://nantes.example/actor/following"}`, fails: true},
		{name: "no JSON", page: base + "/actor/following", instead: `[`, fails: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := &library{none: essaim.ErrNotFound, pages: map[string]string{}}
			for at, page := range pages {
				l.pages[at] = page
			}
			if tt.page != "" {
				l.pages[tt.page] = tt.instead
			}
			n := noted{about: map[string]essaim.PeerAbout{}}
			err := (&Replicator{Client: l, Store: n}).readAbout(t.Context(), peer)
			got, known := n.about[peer.Host]
			if (err != nil) != tt.fails || known == tt.fails || got.Lat != tt.want.Lat || got.Lon != tt.want.Lon || !slices.Equal(got.Follows, tt.want.Follows) {
				t.Errorf("noted %+v, %v; want %+v", got, err, tt.want)
			}
		})
	}
}
