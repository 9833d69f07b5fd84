// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"essaim"
	"essaim/store/storetest"
)

func TestTheNetworkIsDrawnAndTold(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db).fill(t)
		if d := s.get(t, "/territoires", http.StatusOK); len(d.with("figure", "class", "network")) != 0 {
			t.Error("a map of nobody who says where it is")
		}
		err := s.store.SavePeerAbout(t.Context(), toulouse, essaim.PeerAbout{
			Lat: 43.6, Lon: 1.44, Follows: []string{storetest.Base + "/actor", "https://nantes.example/actor", "https://toulouse.example/actor"},
		})
		if err != nil {
			t.Fatal(err)
		}
		d := s.get(t, "/territoires", http.StatusOK)
		if n := len(d.all("circle")); n != 2 {
			t.Errorf("%d territories on the map", n)
		}
		if links := d.with("path", "class", "link here"); len(links) != 1 || value(links[0], "marker-start") != "" {
			t.Errorf("%d follows drawn: %v", len(links), links)
		}
		d.says(t, "Nous le suivons", "1 recette", "1 initiative", "Dernière fiche", "nantes.example suivi par Toulouse", "Aucun n'est suivi ici sans que quelqu'un le décide")
		d.hides(t, "peer follow nantes.example", "Sans position connue")
		if strings.Contains(d.text(), "toulouse.example suivi par") || len(d.raw) > 100_000 {
			t.Errorf("proposes who is known, or is of %d bytes", len(d.raw))
		}
		s.get(t, "/territoires", http.StatusOK, s.signedIn).says(t, "essaim peer follow nantes.example")
		peers, err := s.store.Peers(t.Context())
		if err != nil || len(peers) != 1 {
			t.Fatalf("%d peers, %v: some were followed unasked", len(peers), err)
		}
		ys := essaim.Peer{
			Host: "ys.example", Actor: "https://ys.example/actor", Territory: "https://ys.example/actors/ys", TerritoryName: "Ys", Username: "ys",
			URL: "https://ys.example/", Inbox: "https://ys.example/inbox", FollowID: storetest.Base + "/activities/follow-ys",
		}
		err = s.store.FollowPeer(t.Context(), ys, essaim.Outgoing{ActivityID: ys.FollowID, Actor: storetest.Base + "/actor", Inbox: ys.Inbox, OrderKey: "ys", Body: []byte("{}")})
		if err != nil {
			t.Fatal(err)
		}
		s.get(t, "/territoires", http.StatusOK).says(t, "Sans position connue : Ys.")
	})
}

func TestTheNetworkTellsHowFarANodeIsRead(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newSite(t, db)
		s.follow(t)
		read := func(p essaim.CommonsProgress) *doc {
			t.Helper()
			p.Host, p.StartedAt, p.NextAt = toulouse, s.clock.Now(), s.clock.Now()
			if err := s.store.SaveCommonsProgress(t.Context(), p); err != nil {
				t.Fatal(err)
			}
			return s.get(t, "/territoires", http.StatusOK)
		}
		read(essaim.CommonsProgress{Items: 1200, Total: 10000}).says(t, "Reprise des fiches 1 200 sur 10 000")
		read(essaim.CommonsProgress{Items: 10012, Total: 10000}).says(t, "Reprise des fiches 10 012 sur 10 012")
		if d := read(essaim.CommonsProgress{Items: 10012, Total: 10000, DoneAt: s.clock.Now()}); strings.Contains(d.text(), "Reprise des fiches") {
			t.Error("what was read is shown as being read")
		}
	})
}

func TestTheMapKeepsWithinItself(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	if land := s.land(); len(land) < 1000 || len(land) > 20_000 {
		t.Errorf("the land is of %d bytes", len(land))
	}
	peers := make([]PeerView, 0, 60)
	for i := range 60 {
		p := essaim.Peer{Host: fmt.Sprintf("p%d.example", i), Actor: fmt.Sprintf("https://p%d.example/actor", i), State: essaim.PeerFollowed, TerritoryName: "Un nom assez long", Records: i * 1000}
		p.About = essaim.PeerAbout{Lat: 43 + float64(i%8), Lon: -4 + float64(i%12)}
		for j := range 60 {
			p.About.Follows = append(p.About.Follows, fmt.Sprintf("https://p%d.example/actor", j))
		}
		peers = append(peers, PeerView{Peer: p})
	}
	peers[0].About = essaim.PeerAbout{Lat: -21.1, Lon: 55.5} // on no map of the mainland
	peers = append(peers, PeerView{Peer: essaim.Peer{State: essaim.PeerFollowed, TerritoryName: "Ys"}}, PeerView{Peer: essaim.Peer{State: essaim.PeerBlocked, TerritoryName: "Lyonesse"}})
	m := s.networkMap(peers, 3)
	if len(m.Places) != 61 || len(m.Off) != 1 || m.Corner == "" || len(m.Links) != mostLinks {
		t.Fatalf("%d places, %d beyond, %d links", len(m.Places), len(m.Off), len(m.Links))
	}
	if got := strings.Join(m.Nowhere, ", "); got != "Ys" {
		t.Errorf("without a position: %q", got)
	}
	for i, p := range m.Places {
		if p.X < 0 || p.X >= m.Width || p.Y < 0 || p.Y >= m.Height || p.R > 14 {
			t.Errorf("%+v", p)
		}
		for _, o := range m.Places[:i] {
			if o.LabelY == p.LabelY && o.LabelX == p.LabelX {
				t.Errorf("two names at %d, %d", p.LabelX, p.LabelY)
			}
		}
	}
	if m := s.networkMap(nil, 3); m != nil {
		t.Error("a map of one alone")
	}
}

// A dash of no length is drawn where a line goes on beyond it (SVG 2, stroke-dasharray): so the
// last dot of a row, and an island's only one.
func TestTheMapOfTheNetworkDrawsIslands(t *testing.T) {
	t.Parallel()
	land := landOf(essaim.EmbeddedGazetteer())
	alone, dots := 0, 0
	for line := range strings.SplitSeq(strings.TrimPrefix(land, "M"), "M") {
		_, long, ok := strings.Cut(line, "h")
		length, err := strconv.ParseFloat(long, 64)
		if !ok || err != nil || length <= 0 || math.Mod(length, mapGrain) == 0 {
			t.Errorf("%q ends where its last dot is", line)
		}
		if length < mapGrain {
			alone++
		}
		dots += 1 + int(length/mapGrain)
	}
	if alone < 20 || dots < 1000 {
		t.Errorf("%d dots, %d of them alone", dots, alone)
	}
}
