// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/store"
	"essaim/store/french"
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
			"jardin":             "Potager, Jardins partagés, Jardin de la gare, Atelier vélo, Compost",
			"JARDINS":            "Potager, Jardins partagés, Jardin de la gare, Atelier vélo, Compost",
			"jardin partage":     "Potager, Jardins partagés, Compost",
			`"jardin partagé"`:   "Potager, Jardins partagés, Compost",
			`"partagé jardin"`:   "",
			"jardin -compost":    "Potager, Jardins partagés, Jardin de la gare, Atelier vélo",
			`jardin -"la gare"`:  "Potager, Jardins partagés, Atelier vélo, Compost",
			"-jardin":            "",
			"velo":               "Atelier vélo",
			"gare jardin -gare":  "",
			"alimentation gare":  "Jardin de la gare", // the theme's name is found too
			"l’":                 "Atelier vélo, Potager, Jardins partagés, Compost, Jardin de la gare",
			"jardin' OR \"x\":*": "",
		} {
			if got := titles(t, s, essaim.Query{Text: text}); got != want {
				t.Errorf("%s finds %s, want %s", text, got, want)
			}
		}
	})
}

// model is the rule of search, said once more in the plainest way.
func model(all []essaim.Record, q essaim.Query) []essaim.Record {
	text := french.Parse(q.Text)
	type scored struct {
		essaim.Record
		tier int
	}
	var found []scored
	for _, r := range all {
		head := " " + strings.Join(french.Terms(r.Title+"\n"+r.Tagline), " ") + " "
		said := r.Text
		for _, id := range r.Themes {
			known, _ := essaim.CommonTheme(id)
			said += "\n" + known.French + "\n" + known.English
		}
		body := " " + strings.Join(french.Terms(said), " ") + " "
		has := func(in string, seq ...string) bool { return strings.Contains(in, " "+strings.Join(seq, " ")+" ") }
		keep, tier := true, 0
		words := append([][]string{}, text.Phrases...)
		for _, w := range text.All {
			words = append(words, []string{w})
		}
		for _, w := range words {
			keep = keep && (has(head, w...) || has(body, w...))
			if !has(head, w...) {
				tier = 1
			}
		}
		for _, w := range text.None {
			keep = keep && !has(head, w...) && !has(body, w...)
		}
		keep = keep && (len(q.Kinds) == 0 || slices.Contains(q.Kinds, r.Kind))
		keep = keep && (len(q.Themes) == 0 || slices.ContainsFunc(r.Themes, func(id string) bool {
			return slices.ContainsFunc(essaim.ThemeAndBroader(id), func(b string) bool { return slices.Contains(q.Themes, b) })
		}))
		if b, ok := r.Body.(*essaim.Initiative); len(q.Stages) > 0 {
			keep = keep && ok && slices.Contains(q.Stages, b.Stage)
		}
		if q.Near != nil {
			keep = keep && slices.ContainsFunc(r.Places, func(p essaim.Place) bool {
				return p.Located() && essaim.Distance(q.Near.Lat, q.Near.Lon, *p.Lat, *p.Lon) <= q.Near.Radius
			})
		}
		if q.Box != nil {
			keep = keep && slices.ContainsFunc(r.Places, func(p essaim.Place) bool {
				return p.Located() && *p.Lat >= q.Box.South && *p.Lat <= q.Box.North && *p.Lon >= q.Box.West && *p.Lon <= q.Box.East
			})
		}
		if keep {
			found = append(found, scored{r, tier})
		}
	}
	slices.SortStableFunc(found, func(a, b scored) int {
		if a.tier != b.tier {
			return a.tier - b.tier
		}
		return b.Updated.Compare(a.Updated)
	})
	out := make([]essaim.Record, len(found))
	for i, f := range found {
		out[i] = f.Record
	}
	return out
}

// fill publishes n records drawn from few words, themes and places, so that
// every query finds some and leaves some.
func fill(t *testing.T, s *store.Store, clock *storetest.Clock, rng *rand.Rand, n int) []essaim.Record {
	t.Helper()
	vocabulary := strings.Fields("jardin jardins vélo école partagé pain levain four recette atelier réparer œuvre forêt café gare")
	pick := func(n int) string {
		words := make([]string, n)
		for i := range words {
			words[i] = vocabulary[int(float64(len(vocabulary))*math.Pow(rng.Float64(), 2))]
		}
		return strings.Join(words, " ")
	}
	themes, stages := essaim.Themes(), essaim.ListStage.Terms()
	var all []essaim.Record
	for range n {
		c := storetest.Initiative(pick(1+rng.IntN(3)), func(c *essaim.Content) {
			c.Tagline, c.Text = pick(rng.IntN(3))+" ensemble", pick(rng.IntN(12))
			c.Themes = []string{themes[rng.IntN(len(themes))].ID}
			lat, lon := essaim.Point(-90+180*rng.Float64(), -180+360*rng.Float64())
			if rng.IntN(2) == 0 {
				lat, lon = essaim.Point(48.4+rng.Float64()-.5, -4.5+rng.Float64()-.5)
			}
			c.Places = []essaim.Place{{Lat: lat, Lon: lon}}
			switch rng.IntN(3) {
			case 0:
				c.Kind, c.Body = essaim.KindVenue, &essaim.Venue{}
			default:
				c.Body = &essaim.Initiative{Stage: stages[rng.IntN(len(stages))].ID}
			}
		})
		all = append(all, storetest.Publish(t, s, c))
		clock.Move(time.Second)
	}
	return all
}

func someQuery(rng *rand.Rand) essaim.Query {
	words := []string{"jardin", "vélo", "ecole", "partage", "pain", "levain", `"pain levain"`, `"jardin partagé"`, "-four", `-"jardin jardin"`, "oeuvres", "inconnu"}
	var q essaim.Query
	for range rng.IntN(4) {
		q.Text += words[int(float64(len(words))*math.Pow(rng.Float64(), 1.5))] + " "
	}
	if rng.IntN(3) == 0 {
		q.Kinds = []essaim.Kind{essaim.KindVenue, essaim.KindRecipe}[:1+rng.IntN(2)]
	}
	if rng.IntN(3) == 0 {
		q.Themes = []string{essaim.Themes()[rng.IntN(8)].ID, essaim.Themes()[rng.IntN(8)].ID}
	}
	if rng.IntN(4) == 0 {
		q.Stages = []string{essaim.ListStage.Terms()[0].ID, essaim.ListStage.Terms()[1].ID}
	}
	switch rng.IntN(5) {
	case 0:
		q.Near = &essaim.Circle{Lat: 48.4, Lon: -4.5, Radius: 5 + 60*rng.Float64()}
	case 1:
		q.Near = &essaim.Circle{Lat: -85 + 170*rng.Float64(), Lon: -180 + 360*rng.Float64(), Radius: 9000 * rng.Float64()}
	case 2:
		q.Box = &essaim.Box{South: -60 * rng.Float64(), North: 60 * rng.Float64(), West: -120 * rng.Float64(), East: 120 * rng.Float64()}
	}
	return q
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
		if len(counted.Facets.Themes) == 0 || len(counted.Facets.Stages) == 0 || len(counted.Facets.Kinds) != 2 {
			t.Errorf("facets = %+v, want themes, stages and two kinds", counted.Facets)
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

// imported publishes n records in chunks.
func imported(t *testing.T, s *store.Store, n int) int64 {
	t.Helper()
	id, err := s.BeginImport(t.Context(), essaim.Import{File: "lieux.csv", Licence: "etalab-2.0", Attribution: "une source"})
	if err != nil {
		t.Fatal(err)
	}
	var rows []essaim.ImportRow
	for i := range n {
		c := storetest.Initiative(fmt.Sprintf("Lieu %d", i), func(c *essaim.Content) { c.Kind, c.Body = essaim.KindVenue, &essaim.Venue{} })
		rows = append(rows, essaim.ImportRow{Key: fmt.Sprintf("source %d", i), Digest: "1", Content: c, State: essaim.StatePublished})
		if len(rows) == 200 || i == n-1 {
			if _, err := s.ImportRows(t.Context(), id, rows); err != nil {
				t.Fatal(err)
			}
			rows = rows[:0]
		}
	}
	return id
}

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

// FuzzSearch checks that any text is a query, on both databases, and that they
// answer alike.
func FuzzSearch(f *testing.F) {
	var stores []*store.Store
	for _, db := range []storetest.DB{storetest.SQLite(f), storetest.Postgres(f)} {
		s, _ := db.Node(f)
		storetest.Publish(f, s, storetest.Initiative("Jardin partagé d’Élise", func(c *essaim.Content) { c.Text = "L'atelier \"vélo\" & co: NEAR AND 東京" }))
		storetest.Publish(f, s, storetest.Initiative("Vélo-école"))
		stores = append(stores, s)
	}
	for _, seed := range []string{`jardin "partagé d’Élise" -vélo`, `'':*&|!<->()`, "NEAR(a b, 3)", "{head} : x", "\x00\xff", "東京", `-"`, strings.Repeat("a ", 3000)} {
		f.Add(seed, 0.0, 0.0, 10.0)
	}
	f.Fuzz(func(t *testing.T, text string, lat, lon, radius float64) {
		q := essaim.Query{Text: text, Facets: true}
		if radius > 0 && math.Abs(lat) <= 90 && math.Abs(lon) <= 180 && radius < 30000 {
			q.Near = &essaim.Circle{Lat: lat, Lon: lon, Radius: radius}
		}
		type answer struct {
			IDs    []string
			Total  int
			Facets essaim.Facets
		}
		var got [2]answer
		for i, s := range stores {
			found, err := s.Search(t.Context(), q)
			if err != nil {
				t.Fatalf("%q: %v", text, err)
			}
			got[i] = answer{ids(found.Records), found.Total, found.Facets}
		}
		if diff := cmp.Diff(got[0], got[1]); diff != "" {
			t.Fatalf("%q (-sqlite +postgres):\n%s", text, diff)
		}
	})
}
