// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"slices"
	"testing"
	"time"

	"essaim"
	"essaim/federation/proof"
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
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, ed25519.SeedSize))
	public := key.Public().(ed25519.PublicKey)
	peer := essaim.Peer{Host: "lyon.example", Actor: base + "/actor", Territory: base + "/actors/lyon", Key: proof.EncodeMultikey(public)}
	pages := map[string]string{
		base + "/actors/lyon":     `{"@context":["https://www.w3.org/ns/activitystreams","https://w3id.org/security/data-integrity/v1"],"id":"` + base + `/actors/lyon","type":"Organization","location":{"type":"Place","name":"Lyon","latitude":45.76,"longitude":4.84}}`,
		base + "/actor":           `{"@context":["https://www.w3.org/ns/activitystreams","https://w3id.org/security/data-integrity/v1"],"id":"` + base + `/actor","type":"Application","following":"` + base + `/actor/following"}`,
		base + "/actor/following": `{"type":"OrderedCollection","totalItems":3,"orderedItems":["https://nantes.example/actor","` + base + `/actor","no address"]}`,
	}
	for _, tt := range []struct {
		name          string
		page, instead string
		want          essaim.PeerAbout
		by            ed25519.PrivateKey // who proves its actors, when not itself
		fails         bool
	}{
		{name: "as it is", want: essaim.PeerAbout{Lat: 45.76, Lon: 4.84, Follows: []string{"https://nantes.example/actor"}}},
		{name: "nowhere", page: base + "/actors/lyon", instead: `{"@context":["https://www.w3.org/ns/activitystreams","https://w3id.org/security/data-integrity/v1"],"id":"` + base + `/actors/lyon","type":"Organization","location":{"latitude":451,"longitude":4}}`, want: essaim.PeerAbout{Follows: []string{"https://nantes.example/actor"}}},
		{name: "it tells no follows", page: base + "/actor", instead: `{"@context":["https://www.w3.org/ns/activitystreams","https://w3id.org/security/data-integrity/v1"],"id":"` + base + `/actor","type":"Application"}`, want: essaim.PeerAbout{Lat: 45.76, Lon: 4.84}},
		{name: "a list of others", page: base + "/actor", instead: `{"@context":["https://www.w3.org/ns/activitystreams","https://w3id.org/security/data-integrity/v1"],"id":"` + base + `/actor","type":"Application","following":"https://nantes.example/actor/following"}`, fails: true},
		{name: "another's key", by: ed25519.NewKeyFromSeed(bytes.Repeat([]byte{2}, ed25519.SeedSize)), fails: true},
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
			by := tt.by
			if by == nil {
				by = key
			}
			for _, at := range []string{peer.Actor, peer.Territory} {
				signed, err := proof.Sign([]byte(l.pages[at]), by, at+"#"+proof.KeyFragment(public), time.Unix(1_800_000_000, 0))
				if err != nil {
					t.Fatal(err)
				}
				l.pages[at] = string(signed.Bytes)
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
