// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"math"
	"math/rand/v2"
	"slices"
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
				got, err := s.Cells(t.Context(), essaim.Query{Box: &box, Origin: "local"}, zoom, 1<<40)
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

// The map of all records is read from counters, which come and go with them.
func TestTheMapOfAllIsCounted(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s, clock := db.Node(t, func(c *store.Config) { c.MapPlaces = 4 })
		all := fill(t, s, clock, rand.New(rand.NewPCG(9, 10)), 120)
		for _, r := range all[:20] {
			if err := s.WithdrawRecord(t.Context(), r.ID, storetest.Author); err != nil {
				t.Fatal(err)
			}
		}
		for i := range all[20:40] {
			r := &all[20+i]
			r.Content.Places = append(r.Content.Places[:1:1], all[60].Places...)
			if _, err := s.UpdateRecord(t.Context(), r.ID, 0, r.Content, essaim.StatePublished, storetest.Author); err != nil {
				t.Fatal(err)
			}
		}
		all = all[20:]
		whole := essaim.Box{South: -90, North: 90, West: -180, East: 180}
		initiatives := slices.DeleteFunc(slices.Clone(all), func(r essaim.Record) bool { return r.Kind != essaim.KindInitiative })
		for _, c := range []struct {
			kinds []essaim.Kind
			want  []essaim.Record
		}{{nil, all}, {[]essaim.Kind{essaim.KindInitiative}, initiatives}} {
			for zoom := range 7 {
				for _, box := range []*essaim.Box{nil, &whole, {South: 47, North: 49, West: -6, East: -3}, {South: -60, North: 60, West: 100, East: -100}} {
					got, err := s.Cells(t.Context(), essaim.Query{Kinds: c.kinds, Box: box}, zoom, essaim.MaxMapCells)
					if err != nil {
						t.Fatal(err)
					}
					if got.Partial || got.Total <= 4 || len(got.Cells) > essaim.MaxMapCells {
						t.Fatalf("%v, zoom %d of %+v: %d cells of %d, partial %v: not from the counters", c.kinds, zoom, box, len(got.Cells), got.Total, got.Partial)
					}
					countedAs(t, got, c.want, box == nil || box == &whole)
				}
			}
		}
		if found, err := s.Check(t.Context()); err != nil || len(found) > 0 {
			t.Errorf("check: %+v, %v", found, err)
		}
	})
}

// countedAs holds the cells to the places of the records, one for each counted
// cell, and wants all of them where the whole map is shown.
func countedAs(t *testing.T, got essaim.MapCells, all []essaim.Record, whole bool) {
	t.Helper()
	type place struct {
		id   string
		x, y int
	}
	seen, total := map[place]bool{}, 0
	n := make([]int, len(got.Cells))
	for _, r := range all {
		for _, p := range r.Places {
			at := place{r.ID, int((*p.Lon + 180) / 360 * 4096), int((*p.Lat + 90) / 180 * 4096)}
			if seen[at] {
				continue
			}
			seen[at] = true
			total++
			for i, c := range got.Cells {
				if *p.Lat >= c.Box.South && *p.Lat < c.Box.North && *p.Lon >= c.Box.West && *p.Lon < c.Box.East {
					n[i]++
					if c.N == 1 && (c.Record == nil || c.Record.ID != r.ID || c.Lat-*p.Lat > 1e-5) {
						t.Errorf("the one of %+v is %+v, want %s", c.Box, c.Record, r.ID)
					}
				}
			}
		}
	}
	for i, c := range got.Cells {
		if c.N != n[i] || c.Lat < c.Box.South || c.Lat > c.Box.North || c.Lon < c.Box.West || c.Lon > c.Box.East {
			t.Errorf("%+v holds %d, want %d", c, c.N, n[i])
		}
	}
	if whole && got.Total != total {
		t.Errorf("%d in all, want %d", got.Total, total)
	}
}
