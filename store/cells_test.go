// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"essaim"
	"essaim/store"
	"essaim/store/storetest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// cellModel is the rule of the map said once more in the plainest way: each
// record that the query finds counts once in each cell that holds one of its
// places, those that the circle leaves out excepted.
func cellModel(all []essaim.Record, q essaim.Query, got essaim.MapCells, within essaim.Box) essaim.MapCells {
	n := math.Pow(2, float64(got.Level))
	want := essaim.MapCells{Level: got.Level}
	q.Box = nil
	found := model(all, q)
	for y := range int(n) {
		for x := range int(n) {
			c := essaim.MapCell{Box: essaim.Box{
				West: float64(x)/n*360 - 180, East: float64(x+1)/n*360 - 180, South: float64(y)/n*180 - 90, North: float64(y+1)/n*180 - 90,
			}}
			if c.Box.East <= within.West || c.Box.West > within.East || c.Box.North <= within.South || c.Box.South > within.North {
				continue
			}
			for _, r := range found {
				for _, p := range r.Places {
					if q.Near != nil && essaim.Distance(q.Near.Lat, q.Near.Lon, *p.Lat, *p.Lon) > q.Near.Radius {
						continue
					}
					if *p.Lat >= c.Box.South && *p.Lat < c.Box.North && *p.Lon >= c.Box.West && *p.Lon < c.Box.East {
						c.N++
						c.Lat, c.Lon = c.Lat+*p.Lat, c.Lon+*p.Lon
						c.Record = &r
						break
					}
				}
			}
			if c.N == 0 {
				continue
			}
			if c.N > 1 {
				c.Record = nil
			}
			c.Lat, c.Lon = c.Lat/float64(c.N), c.Lon/float64(c.N)
			want.Total += c.N
			want.Cells = append(want.Cells, c)
		}
	}
	return want
}

func sameCells(t *testing.T, got, want essaim.MapCells) {
	t.Helper()
	for _, m := range []*essaim.MapCells{&got, &want} {
		for i, c := range m.Cells {
			if c.Record != nil {
				r := essaim.Record{ID: c.Record.ID, Slug: c.Record.Slug, Origin: c.Record.Origin, TerritoryName: c.Record.TerritoryName}
				r.Kind, r.Title = c.Record.Kind, c.Record.Title
				m.Cells[i].Record = &r
			}
		}
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateApprox(0, 2e-5)); diff != "" {
		t.Errorf("cells (-want +got):\n%s", diff)
	}
}

func TestTheCellsOfTheMapAreThoseOfTheResult(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s, clock := db.Node(t)
		rng := rand.New(rand.NewPCG(5, 6))
		all := fill(t, s, clock, rng, 150)
		// Two places in one town and one far away count once in each cell.
		lat, lon := essaim.Point(48.39, -4.48)
		near, by := essaim.Point(48.3901, -4.4801)
		far, away := essaim.Point(43.6, 1.44)
		all = append(all, storetest.Publish(t, s, storetest.Initiative("Trois lieux", func(c *essaim.Content) {
			c.Places = []essaim.Place{{Lat: lat, Lon: lon}, {Lat: near, Lon: by}, {Lat: far, Lon: away}}
		})))
		seen := 0
		for i := range 60 {
			q := someQuery(rng)
			if i%2 == 0 {
				q = essaim.Query{}
			}
			q.Box = nil
			zoom := rng.IntN(5)
			got, err := s.Cells(t.Context(), q, zoom, essaim.MaxMapCells)
			if err != nil {
				t.Fatalf("%+v: %v", q, err)
			}
			sameCells(t, got, cellModel(all, q, got, essaim.Box{South: -90, North: 90, West: -180, East: 180}))
			box := essaim.Box{South: 40 + 8*rng.Float64(), North: 49 + rng.Float64(), West: -6 * rng.Float64(), East: 3 * rng.Float64()}
			q.Box = &box
			if got, err = s.Cells(t.Context(), q, zoom, 300); err != nil {
				t.Fatalf("%+v: %v", q, err)
			}
			sameCells(t, got, cellModel(all, q, got, box))
			if seen += got.Total; got.Partial || len(got.Cells) > essaim.MaxMapCells {
				t.Errorf("%+v: %d cells, partial %v", q, len(got.Cells), got.Partial)
			}
			if t.Failed() {
				t.Fatalf("%+v at zoom %d", q, zoom)
			}
		}
		if seen < 500 {
			t.Errorf("the cells hold %d in all: too few to show anything", seen)
		}
	})
}

func TestAMapIsBoundedWhateverIsAsked(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s, clock := db.Node(t, func(c *store.Config) { c.MapPlaces = 40 })
		fill(t, s, clock, rand.New(rand.NewPCG(7, 8)), 60)
		for _, box := range []essaim.Box{
			{South: -90, North: 90, West: -180, East: 180},
			{South: -90, North: 90, West: 180, East: -180},
			{South: -90, North: 90, West: 0, East: -0.001},
			{South: 90, North: 90, West: 180, East: 180},
			{South: 48.4, North: 48.4, West: -4.5, East: -4.5},
			{South: 40, North: 50, West: 170, East: -170},
		} {
			for _, zoom := range []int{-1 << 62, -1, 0, 5, 19, 1 << 40} {
				got, err := s.Cells(t.Context(), essaim.Query{Box: &box}, zoom, 1<<40)
				if err != nil {
					t.Fatal(err)
				}
				if len(got.Cells) > essaim.MaxMapCells || got.Total > 40 {
					t.Errorf("%+v at %d: %d cells of %d", box, zoom, len(got.Cells), got.Total)
				}
			}
		}
		// Of sixty places, the forty of the latest changes are counted, and it says so.
		got, err := s.Cells(t.Context(), essaim.Query{Kinds: []essaim.Kind{essaim.KindInitiative, essaim.KindVenue}}, 2, 100)
		if err != nil || got.Total != 40 || !got.Partial {
			t.Errorf("%d counted, partial %v, %v, want 40 of more", got.Total, got.Partial, err)
		}
	})
}
