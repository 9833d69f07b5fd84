// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"essaim"
	"essaim/store"
	"essaim/store/storetest"
)

// searches is the committed list of queries whose time is measured. The first
// five words are the most frequent ones of the corpus.
var searches = map[string]essaim.Query{
	"everything":        {},
	"frequent 1":        {Text: "lieu"},
	"frequent 2":        {Text: "altitude"},
	"frequent 3":        {Text: "population"},
	"frequent 4":        {Text: "europe"},
	"frequent 5":        {Text: "america"},
	"two frequent":      {Text: "europe san"},
	"rare":              {Text: "brest"},
	"nothing":           {Text: "xylophone"},
	"phrase":            {Text: `"san juan"`},
	"minus":             {Text: "san -america"},
	"old":               {Text: "andorra"},
	"one facet":         {Kinds: []essaim.Kind{essaim.KindVenue}},
	"two facets":        {Kinds: []essaim.Kind{essaim.KindInitiative}, Stages: []string{"experimentation"}},
	"two facets, words": {Text: "europe", Kinds: []essaim.Kind{essaim.KindInitiative}, Themes: []string{"alimentation"}},
	"near":              {Near: &essaim.Circle{Lat: 48.39, Lon: -4.486, Radius: 20}},
	"near, words":       {Text: "saint", Near: &essaim.Circle{Lat: 48.11, Lon: -1.68, Radius: 100}},
	"wide box":          {Text: "europe", Box: &essaim.Box{South: 40, West: -5, North: 52, East: 10}},
}

func BenchmarkImport(b *testing.B) {
	for _, db := range []storetest.DB{storetest.SQLite(b), storetest.Postgres(b)} {
		b.Run(db.Name, func(b *testing.B) {
			s, _ := db.Node(b, func(c *store.Config) { c.Now = time.Now })
			start := time.Now()
			storetest.LoadPlaces(b, s, 5_000)
			b.ReportMetric(5_000/time.Since(start).Seconds(), "rows/s")
		})
	}
}

func BenchmarkSearch(b *testing.B) {
	n, err := strconv.Atoi(os.Getenv("ESSAIM_BENCH_RECORDS"))
	if err != nil {
		n = 20_000
	}
	for _, db := range []storetest.DB{storetest.SQLite(b), storetest.Postgres(b)} {
		s, _ := db.Node(b, func(c *store.Config) { c.Now = time.Now })
		start := time.Now()
		storetest.LoadPlaces(b, s, n)
		b.Logf("%s: %d rows at %.0f a second", db.Name, n, float64(n)/time.Since(start).Seconds())
		if db.Name == "postgres" {
			if _, err := s.DB().Exec("VACUUM ANALYZE"); err != nil {
				b.Fatal(err)
			}
		}
		for name, q := range searches {
			for _, facets := range []bool{false, true} {
				q.Facets = facets
				b.Run(fmt.Sprintf("%s/%s/facets=%t", db.Name, name, facets), func(b *testing.B) {
					var took []time.Duration
					before := cpu(b)
					for b.Loop() {
						start := time.Now()
						found, err := s.Search(b.Context(), q)
						if err != nil {
							b.Fatal(err)
						}
						if took = append(took, time.Since(start)); name == "nothing" && found.Total != 0 {
							b.Fatalf("%d found, want none", found.Total)
						}
					}
					b.ReportMetric(float64((cpu(b)-before).Microseconds())/1000/float64(b.N), "cpu-ms/op")
					slices.Sort(took)
					b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
				})
			}
		}
	}
}

// cpu is what this process has used of the processor; PostgreSQL's share is
// not in it.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
