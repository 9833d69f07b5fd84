// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"slices"
	"testing"

	"essaim"
	"essaim/store/storetest"
)

func TestPeersSayWhereTheyAreAndWhatTheyBrought(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := followed(t, db)
		storetest.Publish(t, n.Store, storetest.Initiative("D’ici"))
		gone, latest := version("partie", 10, 1), version("derniere", 10, 1)
		n.apply(t, toulouseTerritory, version("premiere", 10, 1))
		n.apply(t, toulouseTerritory, gone)
		n.apply(t, toulouseTerritory, latest)
		n.apply(t, toulouseTerritory, essaim.Erase{ID: gone.Record.ID, Actor: toulouseTerritory})
		about := essaim.PeerAbout{Lat: 43.6, Lon: 1.44, Follows: []string{"https://nantes.example/actor"}}
		for _, a := range []essaim.PeerAbout{{}, about} { // the second takes the place of the first
			if err := n.SavePeerAbout(t.Context(), "toulouse.example", a); err != nil {
				t.Fatal(err)
			}
		}
		peers, err := n.Peers(t.Context())
		if err != nil || len(peers) != 1 {
			t.Fatalf("%d peers, %v", len(peers), err)
		}
		if got := peers[0].About; got.Lat != about.Lat || got.Lon != about.Lon || !slices.Equal(got.Follows, about.Follows) {
			t.Errorf("it says %+v", got)
		}
		brought, err := n.Brought(t.Context())
		if err != nil || len(brought) != 1 {
			t.Fatalf("brought %+v, %v", brought, err)
		}
		b := brought["toulouse.example"]
		if len(b.Kinds) != 1 || b.Kinds[0].N != 2 || b.Kinds[0].Value != string(latest.Record.Kind) || b.Latest.ID != latest.Record.ID {
			t.Errorf("Toulouse brought %+v, last %s", b.Kinds, b.Latest.ID)
		}
		if broken, err := n.Check(t.Context()); err != nil || len(broken) > 0 {
			t.Errorf("broken rules: %v, %v", broken, err)
		}
	})
}
