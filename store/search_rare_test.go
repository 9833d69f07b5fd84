// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"essaim"
	"essaim/store"
	"essaim/store/storetest"
)

// A word that every record has, and the title of the oldest ones alone: these come
// first all the same, near a point as well.
func TestAWordOfOldTitlesComesFirst(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s, clock := db.Node(t)
		var want []string
		for i := range 3 {
			want = slices.Insert(want, 0, storetest.Publish(t, s, storetest.Initiative(fmt.Sprint("Verger ", i))).Slug)
			clock.Move(time.Second)
		}
		importedWith(t, s, 1200, func(c *essaim.Content) { c.Text = "Il y a un verger." })
		for name, q := range map[string]essaim.Query{
			"anywhere": {Text: "verger", Limit: 10}, "near": {Text: "verger", Limit: 10, Near: &essaim.Circle{Lat: 48.39, Lon: -4.486, Radius: 5}},
		} {
			found, err := s.Search(t.Context(), q)
			if err != nil || !found.Capped || len(found.Records) != 10 {
				t.Fatalf("%s: %d of %d, %v", name, len(found.Records), found.Total, err)
			}
			if got := slugs(found); !slices.Equal(got[:3], want) {
				t.Errorf("%s: got %v first, want %v", name, got[:3], want)
			}
			q.After = found.Next
			more, err := s.Search(t.Context(), q)
			if err != nil || len(more.Records) != 10 || slices.Contains(slugs(more), want[0]) {
				t.Errorf("%s: the second page: %v, %v", name, slugs(more), err)
			}
		}
		begun, err := s.Suggest(t.Context(), "verg", 5)
		if err != nil || len(begun) != 3 || begun[0].Slug != want[0] {
			t.Errorf("suggestions: %d, %v", len(begun), err)
		}
	})
}

func slugs(found essaim.Results) (list []string) {
	for _, r := range found.Records {
		list = append(list, r.Slug)
	}
	return list
}

// What is not of here is found by the names of the others while they are few.
func TestElsewhereIsWhateverIsNotOfHere(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := followed(t, db)
		storetest.Publish(t, n.Store, storetest.Initiative("Four de Brest"))
		elsewhere := func(text string, want ...string) {
			t.Helper()
			found, err := n.Search(t.Context(), essaim.Query{Text: text, Origin: essaim.OriginElsewhere, Facets: true})
			if err != nil || !slices.Equal(slugs(found), want) || found.Total != len(want) {
				t.Errorf("%q: got %v of %d, %v, want %v", text, slugs(found), found.Total, err, want)
			}
		}
		elsewhere("")
		n.apply(t, toulouseTerritory, version("four", 10, 1))
		elsewhere("", "four")
		elsewhere("four", "four")
		elsewhere("ruche")
		for i := range 30 {
			n.raw(t, fmt.Sprintf("INSERT INTO facet (facet, value, label, n) VALUES ('origin', 'h%d.example', '', 1)", i))
		}
		elsewhere("four", "four")
		elsewhere("ruche")
	})
}

func importedWith(t *testing.T, s *store.Store, n int, with ...func(*essaim.Content)) int64 {
	t.Helper()
	id, err := s.BeginImport(t.Context(), essaim.Import{File: "lieux.csv", Licence: "etalab-2.0", Attribution: "une source"})
	if err != nil {
		t.Fatal(err)
	}
	with = append([]func(*essaim.Content){func(c *essaim.Content) { c.Kind, c.Body = essaim.KindVenue, &essaim.Venue{} }}, with...)
	var rows []essaim.ImportRow
	for i := range n {
		rows = append(rows, essaim.ImportRow{
			Key: fmt.Sprintf("source %d of %d", i, n), Digest: "1", Content: storetest.Initiative(fmt.Sprintf("Lieu %d", i), with...), State: essaim.StatePublished,
		})
		if len(rows) == 200 || i == n-1 {
			if _, err := s.ImportRows(t.Context(), id, rows); err != nil {
				t.Fatal(err)
			}
			rows = rows[:0]
		}
	}
	return id
}
