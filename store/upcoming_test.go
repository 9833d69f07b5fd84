// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/store/storetest"
)

// More meetings than are counted are read in the same order as few are, page by page,
// with those that began long ago.
func TestManyMeetingsToComeAreListedSoonestFirst(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s, _ := db.Node(t)
		id, err := s.BeginImport(t.Context(), essaim.Import{File: "agenda.csv", Licence: "etalab-2.0", Attribution: "une source"})
		if err != nil {
			t.Fatal(err)
		}
		var rows []essaim.ImportRow
		add := func(title string, days, lasts int, theme string) {
			c := storetest.Initiative(title, func(c *essaim.Content) {
				start := storetest.Start.AddDate(0, 0, days)
				c.Themes = []string{theme}
				c.Kind, c.Body = essaim.KindMeeting, &essaim.Meeting{Start: start, End: start.AddDate(0, 0, lasts)}
			})
			rows = append(rows, essaim.ImportRow{Key: title, Digest: "1", Content: c, State: essaim.StatePublished})
		}
		for i := range 30 {
			add(fmt.Sprintf("Passée %d", i), -40-i, 1, "sante")
		}
		add("Exposition", -90, 300, "sante")
		add("Permanence", -800, 803, "alimentation")
		add("Résidence", -60, 90, "alimentation")
		add("En cours", -1, 2, "sante")
		for i := range 1100 {
			add(fmt.Sprintf("Rencontre %04d", i), 1+i/4, 1, "sante")
		}
		add("Dernière", 300, 1, "alimentation")
		for chunk := range slices.Chunk(rows, 200) {
			if _, err := s.ImportRows(t.Context(), id, chunk); err != nil {
				t.Fatal(err)
			}
		}
		read := func(q essaim.Query, pages int) (seen []string, total essaim.Results) {
			t.Helper()
			for range pages {
				found, err := s.Search(t.Context(), q)
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range found.Records {
					seen = append(seen, r.Title)
				}
				if total, q.After = found, found.Next; q.After == "" {
					break
				}
			}
			return seen, total
		}
		all, last := read(essaim.Query{Upcoming: storetest.Start, Limit: 100}, 20)
		if len(all) != 1105 || !last.Capped || last.Total != essaim.CountCap || !slices.Equal(all[:4], []string{"Permanence", "Exposition", "Résidence", "En cours"}) || all[1104] != "Dernière" {
			t.Errorf("%d meetings, from %q to %q, total %d", len(all), all[:4], all[len(all)-1], last.Total)
		}
		if middle := slices.DeleteFunc(slices.Clone(all), func(title string) bool { return !strings.HasPrefix(title, "Rencontre") }); len(slices.Compact(slices.Sorted(slices.Values(middle)))) != 1100 {
			t.Errorf("%d of 1100 once", len(middle))
		}
		few, found := read(essaim.Query{Upcoming: storetest.Start, Themes: []string{"alimentation"}, Limit: 1}, 5)
		if !slices.Equal(few, []string{"Permanence", "Résidence", "Dernière"}) || found.Total != 3 || found.Capped {
			t.Errorf("of a theme %v, %d in all", few, found.Total)
		}
		if none, found := read(essaim.Query{Upcoming: storetest.Start, Origin: "nulle.example", Limit: 9}, 1); len(none) != 0 || found.Total != 0 {
			t.Errorf("of nobody %v, %d in all", none, found.Total)
		}
		if soon, _ := read(essaim.Query{Upcoming: storetest.Start, Themes: []string{"alimentation"}, To: storetest.Start.AddDate(0, 0, 20).Format(time.DateOnly), Limit: 9}, 1); !slices.Equal(soon, []string{"Permanence", "Résidence"}) {
			t.Errorf("until a day %v", soon)
		}
	})
}
