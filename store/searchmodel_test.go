// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
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

// model is the rule of search, said once more in the plainest way.
func model(all []essaim.Record, q essaim.Query) []essaim.Record { //nolint:gocyclo // a list of rules
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
			said += "\n" + known.French + "\n" + known.English + "\n" + strings.Join(known.Synonyms, "\n")
		}
		body := " " + strings.Join(french.Terms(said), " ") + " "
		has := func(in string, seq ...string) bool { return strings.Contains(in, " "+strings.Join(seq, " ")+" ") }
		keep, tier := true, 0
		words := slices.Clone(text.Either)
		for _, w := range text.Phrases {
			words = append(words, [][]string{w})
		}
		for _, w := range text.All {
			words = append(words, [][]string{{w}})
		}
		for _, choice := range words {
			inHead := slices.ContainsFunc(choice, func(w []string) bool { return has(head, w...) })
			keep = keep && (inHead || slices.ContainsFunc(choice, func(w []string) bool { return has(body, w...) }))
			if !inHead {
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
		keep = keep && kept(&r, q)
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
			c.Places = []essaim.Place{{Lat: lat, Lon: lon, INSEE: some(rng, communes)}}
			c.Licence = some(rng, []string{"cc-by-sa-4.0", "cc0-1.0", "etalab-2.0"})
			if rng.IntN(3) == 0 {
				day := storetest.Start.AddDate(0, 0, rng.IntN(900)-450)
				c.HelpWanted = []essaim.HelpNotice{{Kind: "lieu", Until: some(rng, []string{"", day.Format(time.DateOnly), day.Format("2006-01"), day.Format("2006")})}}
			}
			switch rng.IntN(4) {
			case 0:
				c.Kind, c.Body = essaim.KindVenue, &essaim.Venue{}
			case 1:
				noon := storetest.Start.Truncate(24 * time.Hour).Add(12 * time.Hour)
				c.Kind, c.Body = essaim.KindMeeting, &essaim.Meeting{Start: noon.AddDate(0, 0, rng.IntN(900)-450)}
			default:
				c.Body = &essaim.Initiative{Stage: stages[rng.IntN(len(stages))].ID, Purposes: []string{some(rng, purposes)}, Publics: []string{some(rng, publics)}}
			}
		})
		all = append(all, storetest.Publish(t, s, c))
		clock.Move(time.Second)
	}
	return all
}

// What records and queries of the model draw from.
var (
	communes = []string{"29019", "31555", "59599", "2A004"}
	purposes = []string{"lien-social", "biens-communs", "service-public"}
	publics  = []string{"Familles", "Personnes âgées", "familles", "Tous"}
)

func some[T any](rng *rand.Rand, list []T) T { return list[rng.IntN(len(list))] }

// aDay is one around the start.
func aDay(rng *rand.Rand) string {
	return storetest.Start.AddDate(0, 0, rng.IntN(900)-450).Format(time.DateOnly)
}

// filled adds what a query asks of what is filled in.
func filled(rng *rand.Rand, q *essaim.Query) {
	switch rng.IntN(12) {
	case 0:
		q.Communes = []string{some(rng, communes), some(rng, communes)}
	case 1:
		q.Purposes = []string{some(rng, purposes)}
	case 2:
		q.Publics = []string{essaim.Slug(some(rng, publics))}
	case 3:
		q.Licences = []string{"cc0-1.0", "etalab-2.0"}
	case 4:
		q.NeedsHelp = true
	case 5:
		q.From = aDay(rng)
	case 6:
		q.To = aDay(rng)
	case 7:
		q.From, q.To = aDay(rng), aDay(rng)
	case 8:
		q.Until = storetest.Start.Add(time.Duration(rng.IntN(200)) * time.Second)
	case 9:
		q.Since = storetest.Start.Add(time.Duration(rng.IntN(200))*time.Second + time.Millisecond)
	case 10:
		q.Beyond = []string{some(rng, communes)}
	}
}

// kept is the part of the rule about what is filled in of a record.
func kept(r *essaim.Record, q essaim.Query) bool {
	any := func(wanted, has []string) bool {
		return len(wanted) == 0 || slices.ContainsFunc(wanted, func(w string) bool { return slices.Contains(has, w) })
	}
	var communes, purposes, publics []string
	for _, p := range r.Places {
		communes = append(communes, p.INSEE)
	}
	if b, ok := r.Body.(*essaim.Initiative); ok {
		purposes = b.Purposes
		for _, word := range b.Publics {
			publics = append(publics, essaim.Slug(word))
		}
	}
	if len(q.Beyond) > 0 && any(q.Beyond, communes) {
		return false
	}
	day := ""
	if b, ok := r.Body.(*essaim.Meeting); ok {
		day = b.Start.Format(time.DateOnly) // at noon, in any zone of the test
	}
	help := slices.ContainsFunc(r.HelpWanted, func(h essaim.HelpNotice) bool {
		return h.Until == "" || h.Until >= storetest.Start.Format(time.DateOnly)[:len(h.Until)]
	})
	return any(q.Communes, communes) && any(q.Purposes, purposes) && any(q.Publics, publics) && any(q.Licences, []string{r.Licence}) &&
		(!q.NeedsHelp || help) && (q.From == "" || day >= q.From) && (q.To == "" || day != "" && day <= q.To) &&
		(q.Since.IsZero() || r.Updated.After(q.Since)) && (q.Until.IsZero() || r.Updated.Before(q.Until))
}

func someQuery(rng *rand.Rand) essaim.Query {
	words := []string{"jardin", "vélo", "ecole", "partage", "pain", "levain", `"pain levain"`, `"jardin partagé"`, "-four", `-"jardin jardin"`, "oeuvres", "inconnu", "jardin OU vélo", `four OU "pain levain"`, "inconnu OR école OU"}
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
	filled(rng, &q)
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
	for _, seed := range []string{`jardin "partagé d’Élise" -vélo`, `'':*&|!<->()`, "NEAR(a b, 3)", "{head} : x", "\x00\xff", "東京", `-"`, strings.Repeat("a ", 3000), `jardin OU "vélo co" OR -école`} {
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
