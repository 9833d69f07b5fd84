// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/store"
	"essaim/store/storetest"

	"github.com/google/go-cmp/cmp"
)

// elsewhere is a record of a territory that came by Toulouse's node.
func elsewhere(territory, title string, with ...func(*essaim.Content)) essaim.Replicate {
	v := version(essaim.Slug(territory+" "+title), 1, 1)
	v.Record.Territory, v.Record.TerritoryName = "https://toulouse.example/actors/"+essaim.Slug(territory), territory
	v.Record.Content = storetest.Initiative(title, with...)
	return v
}

func likes(t *testing.T, n *node, rec essaim.Record, q essaim.Likest) string {
	t.Helper()
	list, err := n.Similar(t.Context(), &rec, q)
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, l := range list {
		line := l.Record.Title
		for _, r := range l.Reasons {
			if len(r.Values) > 0 {
				line += fmt.Sprintf(" %s%v", r.Sort, r.Values)
			}
		}
		said = append(said, line)
	}
	return strings.Join(said, "\n")
}

func TestWhatResemblesARecordIsFoundInOtherTerritories(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := followed(t, db)
		content := func(theme, need string) func(*essaim.Content) {
			return func(c *essaim.Content) {
				c.Themes, c.Tagline, c.Body = []string{theme}, "…", &essaim.Initiative{Need: need}
			}
		}
		of := storetest.Publish(t, n.Store, storetest.Initiative("Une laverie de quartier", func(c *essaim.Content) {
			content("lien-social", "Les voisins âgés ne se croisent plus.")(c)
			c.Tagline = "Laver son linge ensemble."
		}))
		storetest.Publish(t, n.Store, storetest.Initiative("Laverie du port", content("lien-social", "")))
		past := elsewhere("Lille", "Laverie en fête", content("lien-social", ""))
		past.Record.Kind, past.Record.Body = essaim.KindMeeting, &essaim.Meeting{Start: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)}
		n.apply(t, toulouseTerritory,
			elsewhere("Toulouse", "Atelier vélo", content("mobilite", "")),
			elsewhere("Toulouse", "La laverie solidaire du quartier", content("solidarite", "")),
			elsewhere("Lille", "Café des âges", content("culture", "Des personnes âgées isolées : les voisins ne se croisent pas.")),
			elsewhere("Rennes", "Bal du samedi", content("lien-social", "")),
			past,
		)
		want := `La laverie solidaire du quartier words[laverie quartier] kind[initiative]
Café des âges need[voisins âgés croisent] kind[initiative]
Bal du samedi theme[lien-social] kind[initiative]`
		if got := likes(t, n, of, essaim.Likest{}); got != want {
			t.Errorf("elsewhere:\n%s\nwant\n%s", got, want)
		}
		want = `Café des âges need[voisins âgés croisent] kind[initiative]
Laverie du port theme[lien-social] kind[initiative]`
		if got := likes(t, n, of, essaim.Likest{Here: true, Limit: 2}); got != want {
			t.Errorf("here too:\n%s\nwant\n%s", got, want)
		}
		if got := likes(t, n, essaim.Record{ID: "x", Territory: of.Territory, Content: essaim.Content{Kind: essaim.KindInitiative, Title: "?", Body: &essaim.Initiative{}}}, essaim.Likest{}); got != "" {
			t.Errorf("an empty draft resembles %s", got)
		}
	})
}

func TestWordsThatSayNothingOfASubjectMakeNothingAlike(t *testing.T) {
	t.Parallel()
	n := followed(t, storetest.SQLite(t))
	nothing := func(theme, more string) func(*essaim.Content) {
		return func(c *essaim.Content) {
			c.Themes, c.Tagline = []string{theme}, more
			c.Text = "Cette fiche est un exemple inventé pour la démonstration, mais plus tard : tout ou rien, cent fois, deux tours."
			c.Body = &essaim.Initiative{Need: "Jamais très loin, toujours ailleurs ; d’autres aussi, encore plus, sans tous voir après."}
		}
	}
	of := storetest.Publish(t, n.Store, storetest.Initiative("Laverie", nothing("mobilite", "Du linge.")))
	n.apply(t, toulouseTerritory, elsewhere("Toulouse", "Verger", nothing("culture", "Des pommes.")))
	if got := likes(t, n, of, essaim.Likest{}); got != "" {
		t.Errorf("alike by words that say nothing: %s", got)
	}
}

// Both databases find the same, whatever words are rare and whichever territory
// has most records.
func TestWhatResemblesIsTheSameOnBothDatabases(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ rows, sample int }{"whole": {300, 0}, "by stretches": {900, 1}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			resembles(t, c.rows, func(cfg *store.Config) { cfg.SearchSample = c.sample })
		})
	}
}

func resembles(t *testing.T, rows int, with func(*store.Config)) {
	t.Helper()
	nodes := []*node{followed(t, storetest.SQLite(t), with), followed(t, storetest.Postgres(t), with)}
	words := strings.Fields("laverie jardin compost vélo atelier quartier voisins partage lien école pain levain ruche théâtre radio carte forêt énergie mémoire accueil")
	rng := rand.New(rand.NewPCG(4, 4))
	some := func(n int) string {
		list := make([]string, n)
		for i := range list {
			list[i] = words[int(float64(len(words))*rng.Float64()*rng.Float64())]
		}
		return strings.Join(list, " ")
	}
	var effects []essaim.Effect
	var own []essaim.Content
	for i := range rows {
		c := func(c *essaim.Content) {
			c.Tagline, c.Themes = some(3), []string{essaim.Themes()[rng.IntN(9)].ID}
			c.Body = &essaim.Initiative{Need: some(6), Purposes: []string{essaim.ListPurpose.Terms()[rng.IntN(4)].ID}}
		}
		title := fmt.Sprint(some(2), " ", i)
		if i%3 == 0 {
			own = append(own, storetest.Initiative(title, c))
		} else {
			v := elsewhere([]string{"Toulouse", "Lille", "Rennes"}[rng.IntN(3)], title, c)
			v.Record.Updated = v.Record.Updated.Add(time.Duration(i) * time.Minute)
			effects = append(effects, v)
		}
	}
	var records [2][]essaim.Record
	for k, n := range nodes {
		n.apply(t, toulouseTerritory, effects...)
		for _, c := range own {
			n.clock.pass(time.Minute)
			records[k] = append(records[k], storetest.Publish(t, n.Store, c))
		}
	}
	found := 0
	for i := range records[0] {
		q := essaim.Likest{Here: i%2 == 0, Limit: 1 + i%8}
		sqlite, postgres := likes(t, nodes[0], records[0][i], q), likes(t, nodes[1], records[1][i], q)
		if diff := cmp.Diff(sqlite, postgres); diff != "" {
			t.Fatalf("%s (-sqlite +postgres):\n%s", records[0][i].Title, diff)
		}
		found += strings.Count(sqlite, "\n") + 1
	}
	if found < 200 {
		t.Errorf("found %d in all: too few to show anything", found)
	}
}
