// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/store"
	"essaim/store/storetest"

	"github.com/google/go-cmp/cmp"
)

func TestWordsOfTheTitleComeFirstThenTheLatestChange(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s, clock := db.Node(t)
		for _, c := range []essaim.Content{
			storetest.Initiative("Jardin de la gare"),
			storetest.Initiative("Compost", func(c *essaim.Content) { c.Text = "Pour les jardins partagés." }),
			storetest.Initiative("Jardins partagés"),
			storetest.Initiative("Potager", func(c *essaim.Content) { c.Tagline = "Un jardin à partager." }),
			storetest.Initiative("Atelier vélo", func(c *essaim.Content) { c.Keywords = []string{"jardin"} }),
		} {
			storetest.Publish(t, s, c)
			clock.Move(time.Minute)
		}
		for text, want := range map[string]string{
			"jardin":              "Potager, Jardins partagés, Jardin de la gare, Atelier vélo, Compost",
			"JARDINS":             "Potager, Jardins partagés, Jardin de la gare, Atelier vélo, Compost",
			"jardin partage":      "Potager, Jardins partagés, Compost",
			`"jardin partagé"`:    "Potager, Jardins partagés, Compost",
			`"partagé jardin"`:    "",
			"jardin -compost":     "Potager, Jardins partagés, Jardin de la gare, Atelier vélo",
			`jardin -"la gare"`:   "Potager, Jardins partagés, Atelier vélo, Compost",
			"-jardin":             "",
			"velo":                "Atelier vélo",
			"gare jardin -gare":   "",
			"alimentation gare":   "Jardin de la gare", // the theme's name is found too
			"l’":                  "Atelier vélo, Potager, Jardins partagés, Compost, Jardin de la gare",
			"jardin' OR \"x\":*":  "Potager, Jardins partagés, Jardin de la gare, Atelier vélo, Compost",
			"velo OU gare":        "Atelier vélo, Jardin de la gare",
			"jardin velo OU gare": "Jardin de la gare, Atelier vélo",
		} {
			if got := titles(t, s, essaim.Query{Text: text}); got != want {
				t.Errorf("%s finds %s, want %s", text, got, want)
			}
		}
	})
}

// Both databases give what the rule says, in its order, page after page.
func TestSearchFollowsItsRuleOnBothDatabases(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s, clock := db.Node(t)
		rng := rand.New(rand.NewPCG(1, 2))
		all := fill(t, s, clock, rng, 250)
		found := 0
		for i := range 250 {
			q := someQuery(rng)
			q.Limit = 1 + rng.IntN(30)
			want := model(all, q)
			q.Facets = i%2 == 0
			var got []essaim.Record
			for {
				page, err := s.Search(t.Context(), q)
				if err != nil {
					t.Fatalf("%+v: %v", q, err)
				}
				if page.Total != len(want) || page.Capped {
					t.Fatalf("%+v: total %d, want %d", q, page.Total, len(want))
				}
				got = append(got, page.Records...)
				if page.Next == "" {
					break
				}
				if len(page.Records) != q.Limit {
					t.Fatalf("%+v: a page of %d, and there is a next one", q, len(page.Records))
				}
				q.After = page.Next
			}
			if diff := cmp.Diff(ids(want), ids(got)); diff != "" {
				t.Fatalf("%+v (-want +got):\n%s", q, diff)
			}
			found += len(want)
		}
		if found < 1000 {
			t.Errorf("the queries found %d in all: too few to show anything", found)
		}
	})
}

func ids(list []essaim.Record) []string {
	out := make([]string, len(list))
	for i, r := range list {
		out[i] = r.ID
	}
	return out
}

func TestFacetsOfTheWholeListAreThoseOfItsRecords(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s, clock := db.Node(t)
		all := fill(t, s, clock, rand.New(rand.NewPCG(3, 4)), 60)
		for _, r := range all[:10] {
			if err := s.WithdrawRecord(t.Context(), r.ID, storetest.Author); err != nil {
				t.Fatal(err)
			}
		}
		for i := range all[10:20] {
			r := &all[10+i]
			r.Content.Themes = []string{"alimentation"}
			if _, err := s.UpdateRecord(t.Context(), r.ID, 0, r.Content, essaim.StatePublished, storetest.Author); err != nil {
				t.Fatal(err)
			}
		}
		counted, err := s.Search(t.Context(), essaim.Query{Facets: true})
		if err != nil {
			t.Fatal(err)
		}
		// A filter that refuses nothing takes the other way: it reads them all.
		read, err := s.Search(t.Context(), essaim.Query{Facets: true, Origin: "local"})
		if err != nil {
			t.Fatal(err)
		}
		if counted.Total != 50 || read.Total != 50 {
			t.Errorf("total %d counted and %d read, want 50", counted.Total, read.Total)
		}
		if diff := cmp.Diff(read.Facets, counted.Facets); diff != "" {
			t.Errorf("facets (-read +counted):\n%s", diff)
		}
		if len(counted.Facets.Themes) == 0 || len(counted.Facets.Stages) == 0 || len(counted.Facets.Kinds) != 3 {
			t.Errorf("facets = %+v, want themes, stages and three kinds", counted.Facets)
		}
		f := counted.Facets
		if len(f.Communes) != 4 || len(f.Purposes) != 3 || len(f.Publics) != 3 || len(f.Licences) != 3 || len(f.NeedsHelp) != 1 {
			t.Errorf("facets = %+v, want those of all that is filled in", f)
		}
		if want := []essaim.Count{{Value: storetest.Base + "/actors/brest", Label: "Brest", N: 50}}; !slices.Equal(counted.Facets.Territories, want) {
			t.Errorf("territories = %+v, want %+v", counted.Facets.Territories, want)
		}
	})
}

func TestCountsAreExactToAThousandThenMore(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s, _ := db.Node(t)
		imported(t, s, 999)
		for _, step := range []struct {
			total  int
			capped bool
		}{{999, false}, {1000, false}, {1000, true}} {
			for _, q := range []essaim.Query{{}, {Facets: true}, {Text: "lieu"}, {Text: "lieu", Facets: true}} {
				got, err := s.Search(t.Context(), q)
				if err != nil {
					t.Fatal(err)
				}
				if got.Total != step.total || got.Capped != step.capped {
					t.Errorf("%+v: total %d, capped %t, want %d, %t", q, got.Total, got.Capped, step.total, step.capped)
				}
			}
			storetest.Publish(t, s, storetest.Initiative("Un lieu de plus"))
		}
	})
}

func TestATitleIsSuggestedByHowItsWordsBegin(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s, clock := db.Node(t)
		for _, title := range []string{"Réparation de vélos", "Repas de quartier", "L’atelier du réparateur", "Jardin", "東京カフェ"} {
			storetest.Publish(t, s, storetest.Initiative(title, func(c *essaim.Content) { c.Tagline, c.Text = "Un reparti.", "répar" }))
			clock.Move(time.Second)
		}
		for text, want := range map[string]string{
			"rep":                     "L’atelier du réparateur, Repas de quartier, Réparation de vélos",
			"Répar":                   "L’atelier du réparateur, Réparation de vélos",
			"réparatio":               "Réparation de vélos",
			"vélos répa":              "Réparation de vélos",
			"velo répa":               "Réparation de vélos",
			"l’ate":                   "L’atelier du réparateur",
			"quartier jar":            "",
			"re":                      "",
			"reparti":                 "",
			"東京カ":                     "東京カフェ",
			"":                        "",
			`rep* OR "`:               "L’atelier du réparateur, Repas de quartier, Réparation de vélos",
			"rep' :* & | <-> {head}:": "",
			"\x00rep":                 "L’atelier du réparateur, Repas de quartier, Réparation de vélos",
		} {
			got, err := s.Suggest(t.Context(), text, 5)
			if err != nil {
				t.Fatalf("%q: %v", text, err)
			}
			var list []string
			for _, r := range got {
				list = append(list, r.Title)
			}
			if got := strings.Join(list, ", "); got != want {
				t.Errorf("%q suggests %s, want %s", text, got, want)
			}
		}
		if got, err := s.Suggest(t.Context(), "rep", 2); err != nil || len(got) != 2 {
			t.Errorf("two of three: %d, %v", len(got), err)
		}
	})
}

// imported publishes n records in chunks.
func imported(t *testing.T, s *store.Store, n int) int64 { return importedWith(t, s, n) }

func TestSearchAcrossTheLineWhereTheDaysMeet(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s, clock := db.Node(t)
		for name, at := range map[string][2]float64{"Taveuni": {-16.85, -179.97}, "Labasa": {-16.43, 179.37}, "Pôle": {89.9, 10}, "Pôle d'en face": {89.9, -170}, "Paris": {48.85, 2.35}} {
			storetest.Publish(t, s, storetest.Initiative(name, func(c *essaim.Content) {
				lat, lon := essaim.Point(at[0], at[1])
				c.Places = []essaim.Place{{Label: name, Lat: lat, Lon: lon}, {Label: "ailleurs", City: "Brest"}}
			}))
			clock.Move(time.Second)
		}
		for want, q := range map[string]essaim.Query{
			"Labasa, Taveuni":      {Near: &essaim.Circle{Lat: -16.6, Lon: 179.9, Radius: 120}},
			"Pôle, Pôle d'en face": {Near: &essaim.Circle{Lat: 89.95, Lon: 100, Radius: 50}},
			"Paris":                {Box: &essaim.Box{South: 48, West: 2, North: 49, East: 3}},
			"Taveuni":              {Box: &essaim.Box{South: -20, West: 179.9, North: -10, East: -179.9}},
			// A circle and a box: what lies in both.
			"Labasa":         {Near: &essaim.Circle{Lat: -16.6, Lon: 179.9, Radius: 120}, Box: &essaim.Box{South: -20, West: 170, North: -10, East: 180}},
			"Pôle d'en face": {Near: &essaim.Circle{Lat: 89.95, Lon: 100, Radius: 50}, Box: &essaim.Box{South: 80, West: 170, North: 90, East: -160}},
			"":               {Near: &essaim.Circle{Lat: 48.85, Lon: 2.35, Radius: 20}, Box: &essaim.Box{South: 48, West: 5, North: 49, East: 6}},
		} {
			got := strings.Split(titles(t, s, q), ", ")
			slices.Sort(got)
			if got := strings.Join(got, ", "); got != want {
				t.Errorf("%+v finds %s, want %s", q, got, want)
			}
		}
	})
}

func TestMeetingsToComeAreListedSoonestFirst(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s, clock := db.Node(t)
		for name, days := range map[string]int{"passée": -2, "en cours": -1, "demain": 1, "plus tard": 30} {
			storetest.Publish(t, s, storetest.Initiative(name, func(c *essaim.Content) {
				start := storetest.Start.AddDate(0, 0, days)
				c.Kind, c.Body = essaim.KindMeeting, &essaim.Meeting{Start: start, End: start.Add(30 * time.Hour)}
			}))
			clock.Move(time.Second)
		}
		q := essaim.Query{Upcoming: storetest.Start, Limit: 2}
		if got := titles(t, s, q); got != "en cours, demain" {
			t.Errorf("first page = %s", got)
		}
		first, err := s.Search(t.Context(), q)
		if err != nil || first.Total != 3 {
			t.Fatalf("total = %d, %v, want 3", first.Total, err)
		}
		q.After = first.Next
		if got := titles(t, s, q); got != "plus tard" {
			t.Errorf("second page = %s", got)
		}
	})
}

func TestSinceKeepsWhatChangedAfter(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s, clock := db.Node(t)
		storetest.Publish(t, s, storetest.Initiative("Avant"))
		clock.Move(time.Hour)
		since := clock.Now()
		clock.Move(time.Second)
		storetest.Publish(t, s, storetest.Initiative("Après"))
		for _, text := range []string{"", "phrase"} {
			if got := titles(t, s, essaim.Query{Since: since, Text: text}); got != "Après" {
				t.Errorf("since, with %q = %s, want Après", text, got)
			}
		}
	})
}

func TestAPageThatCannotBeReadIsInvalid(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s, _ := db.Node(t)
		for _, after := range []string{"x", "1", "0.1.2.x", "9.1.1.1", "-1.1.1.1", "0.1.1.1.1", "0.1.1.99999"} {
			if _, err := s.Search(t.Context(), essaim.Query{After: after}); !errors.Is(err, essaim.ErrInvalid) {
				t.Errorf("page %q: %v, want invalid", after, err)
			}
		}
	})
}
