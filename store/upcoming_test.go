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

// A meeting whose hours, or whose end, are not told is to come until its day ends,
// where it takes place; what an older program wrote of it is made again.
func TestAMeetingIsToComeOnItsDay(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s, clock := db.Node(t)
		paris, err := time.LoadLocation("Europe/Paris")
		if err != nil {
			t.Fatal(err)
		}
		id := ""
		at := func(day, hour int) time.Time { return time.Date(2026, time.March, day, hour, 0, 0, 0, paris) }
		for title, m := range map[string]essaim.Meeting{
			"La veille":        {Start: at(13, 0)},
			"Le jour":          {Start: at(14, 0)},
			"Sans fin":         {Start: at(14, 1)},
			"Deux jours":       {Start: at(13, 0), End: at(14, 0)},
			"Jusqu'à minuit":   {Start: at(13, 20), End: at(14, 0)},
			"Ailleurs":         {Start: at(13, 5), Timezone: "America/Montreal"},
			"Finie le matin":   {Start: at(14, 7), End: at(14, 8)},
			"Finira ce matin":  {Start: at(14, 7), End: at(14, 10)},
			"Encore demain":    {Start: at(13, 20), End: at(15, 0)},
			"Finie avant-hier": {Start: at(12, 0), End: at(12, 1)},
		} {
			rec := storetest.Publish(t, s, storetest.Initiative(title, func(c *essaim.Content) {
				c.Kind, c.Body = essaim.KindMeeting, &m
			}))
			clock.Move(time.Second)
			if title == "Le jour" {
				id = rec.ID
			}
		}
		list := func(now time.Time) string {
			t.Helper()
			found := strings.Split(titles(t, s, essaim.Query{Upcoming: now, Limit: 100}), ", ")
			slices.Sort(found)
			return strings.Join(found, ", ")
		}
		morning := "Deux jours, Encore demain, Finira ce matin, Le jour, Sans fin"
		if got := list(at(14, 9)); got != morning {
			t.Errorf("in the morning: %s", got)
		}
		if got := list(at(13, 23)); got != "Ailleurs, Deux jours, Encore demain, Finie le matin, Finira ce matin, Jusqu'à minuit, La veille, Le jour, Sans fin" {
			t.Errorf("the night before: %s", got)
		}
		if got := list(at(15, 0)); got != "Encore demain" {
			t.Errorf("at midnight: %s", got)
		}
		run(t, s, db, "UPDATE record SET ends_at = starts_at WHERE title IN ('Le jour', 'Sans fin')")
		run(t, s, db, "UPDATE reindex SET version = 5, ended = 1")
		if got := list(at(14, 9)); got != "Deux jours, Encore demain, Finira ce matin" {
			t.Errorf("as an older program wrote it: %s", got)
		}
		if made, err := s.Remade(t.Context(), id); err != nil || !made.Repeated {
			t.Errorf("what an older program wrote is taken for damage: %v", err)
		}
		if err := s.Reindex(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := list(at(14, 9)); got != morning {
			t.Errorf("made again: %s", got)
		}
	})
}
