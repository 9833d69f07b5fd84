// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"math/rand/v2"
	"testing"

	"essaim"
	"essaim/store/storetest"
)

// question is one of the panel's: its values, how one is chosen, and what was counted.
type question struct {
	name   string
	values []string
	chosen func(*essaim.Query) bool
	choose func(*essaim.Query, string) // that one instead of what was chosen
	counts func(essaim.Facets) []essaim.Count
}

func questions() []question {
	field := func(name string, values []string, of func(*essaim.Query) *[]string, counts func(essaim.Facets) []essaim.Count) question {
		return question{
			name, values, func(q *essaim.Query) bool { return len(*of(q)) > 0 },
			func(q *essaim.Query, v string) { *of(q) = []string{v} }, counts,
		}
	}
	var themes, stages, slugs []string
	for _, t := range essaim.Themes() {
		themes = append(themes, t.ID)
	}
	for _, s := range essaim.ListStage.Terms() {
		stages = append(stages, s.ID)
	}
	for _, p := range publics {
		slugs = append(slugs, essaim.Slug(p))
	}
	return []question{
		{
			"kind",
			[]string{"initiative", "venue", "meeting", "recipe"},
			func(q *essaim.Query) bool { return len(q.Kinds) > 0 },
			func(q *essaim.Query, v string) { q.Kinds = []essaim.Kind{essaim.Kind(v)} }, func(f essaim.Facets) []essaim.Count { return f.Kinds },
		},
		field("theme", themes, func(q *essaim.Query) *[]string { return &q.Themes }, func(f essaim.Facets) []essaim.Count { return f.Themes }),
		field("stage", stages, func(q *essaim.Query) *[]string { return &q.Stages }, func(f essaim.Facets) []essaim.Count { return f.Stages }),
		field("commune", communes, func(q *essaim.Query) *[]string { return &q.Communes }, func(f essaim.Facets) []essaim.Count { return f.Communes }),
		field("purpose", purposes, func(q *essaim.Query) *[]string { return &q.Purposes }, func(f essaim.Facets) []essaim.Count { return f.Purposes }),
		field("public", slugs, func(q *essaim.Query) *[]string { return &q.Publics }, func(f essaim.Facets) []essaim.Count { return f.Publics }),
		field("licence", []string{"cc-by-sa-4.0", "cc0-1.0", "etalab-2.0"}, func(q *essaim.Query) *[]string { return &q.Licences }, func(f essaim.Facets) []essaim.Count { return f.Licences }),
		{
			"help",
			[]string{essaim.FacetHelp},
			func(q *essaim.Query) bool { return q.NeedsHelp },
			func(q *essaim.Query, _ string) { q.NeedsHelp = true }, func(f essaim.Facets) []essaim.Count { return f.NeedsHelp },
		},
	}
}

// Whatever is searched, a facet counts what is found once that value is chosen of its
// question: by the rule, and by the search itself.
func TestAFacetCountsWhatItLeadsTo(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s, clock := db.Node(t)
		rng := rand.New(rand.NewPCG(5, 6))
		all := fill(t, s, clock, rng, 200)
		counted, widened := 0, 0
		for range 80 {
			q := someQuery(rng)
			q.Facets, q.Limit = true, 1
			found, err := s.Search(t.Context(), q)
			if err != nil {
				t.Fatalf("%+v: %v", q, err)
			}
			for _, of := range questions() {
				got := map[string]int{}
				for _, c := range of.counts(found.Facets) {
					got[c.Value] = c.N
				}
				for _, v := range of.values {
					one := q
					of.choose(&one, v)
					want := len(model(all, one))
					if got[v] != want {
						t.Fatalf("%+v: %s %s is counted %d, and leads to %d", q, of.name, v, got[v], want)
					}
					if counted += want; want > 0 && of.chosen(&q) {
						widened++
					}
				}
			}
		}
		if counted < 1000 || widened < 50 {
			t.Errorf("%d were counted, %d of questions that were answered: too few to show anything", counted, widened)
		}
	})
}

// Whoever asks by every question at once makes the database look a few times more, not
// once for each: what is left counts as chosen.
func TestFewQuestionsAreCountedAnew(t *testing.T) {
	t.Parallel()
	s, _ := storetest.SQLite(t).Node(t)
	storetest.Publish(t, s, storetest.Initiative("Jardin", func(c *essaim.Content) {
		c.Licence, c.Places = "cc0-1.0", []essaim.Place{{INSEE: "29019"}}
		c.Body = &essaim.Initiative{Stage: "deploiement", Purposes: purposes[:1], Publics: publics[:1]}
	}))
	storetest.Publish(t, s, storetest.Initiative("Potager", func(c *essaim.Content) {
		c.Licence, c.Places = "etalab-2.0", []essaim.Place{{INSEE: "29019"}}
		c.Body = &essaim.Initiative{Stage: "deploiement", Purposes: purposes[:1], Publics: publics[:1]}
	}))
	q := essaim.Query{Facets: true, Licences: []string{"cc0-1.0"}}
	if found, err := s.Search(t.Context(), q); err != nil || len(found.Facets.Licences) != 2 {
		t.Errorf("licences %v, %v; want both", found.Facets.Licences, err)
	}
	q.Kinds, q.Stages, q.Communes, q.Purposes = []essaim.Kind{essaim.KindInitiative}, []string{"deploiement"}, []string{"29019"}, purposes[:1]
	if found, err := s.Search(t.Context(), q); err != nil || len(found.Facets.Licences) != 1 {
		t.Errorf("of five questions: licences %v, %v; want the one chosen", found.Facets.Licences, err)
	}
	q = essaim.Query{Facets: true, Licences: []string{"cc0-1.0"}}
	for i := range 12 {
		q.Themes = append(q.Themes, essaim.Themes()[i].ID)
	}
	for _, licence := range []string{"cc0-1.0", "etalab-2.0"} {
		storetest.Publish(t, s, storetest.Initiative("Verger "+licence, func(c *essaim.Content) { c.Licence, c.Themes = licence, q.Themes[:1] }))
	}
	if found, err := s.Search(t.Context(), q); err != nil || len(found.Facets.Licences) != 1 {
		t.Errorf("of thirteen values: licences %v, %v; want the one chosen", found.Facets.Licences, err)
	}
	q.Themes = q.Themes[:11]
	if found, err := s.Search(t.Context(), q); err != nil || len(found.Facets.Licences) != 2 {
		t.Errorf("of twelve values: licences %v, %v; want both", found.Facets.Licences, err)
	}
	q = essaim.Query{Facets: true, Kinds: []essaim.Kind{essaim.KindVenue}, OwnKind: true}
	if found, err := s.Search(t.Context(), q); err != nil || len(found.Facets.Kinds) != 0 {
		t.Errorf("of a list's own kind: %v, %v", found.Facets.Kinds, err)
	}
}

// A node that is followed may give each of its records a territory and themes of its
// own: what a page reads of them is bounded, and what many records have stays.
func TestOfValuesWithoutEndTheMostFrequentAreListed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s, _ := db.Node(t)
		for range 2 {
			storetest.Publish(t, s, storetest.Initiative("Jardin"))
		}
		for _, facet := range []string{"theme", "territory", "stage", "purpose", "commune", "public"} {
			run(t, s, db, "INSERT INTO facet (facet, value, label, n) WITH RECURSIVE k (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM k WHERE i < 2000) SELECT '"+facet+"', 'a' || i, '', 1 FROM k")
		}
		found, err := s.Search(t.Context(), essaim.Query{Facets: true})
		if err != nil {
			t.Fatal(err)
		}
		f := found.Facets
		for i, list := range [][]essaim.Count{f.Themes, f.Territories, f.Stages, f.Purposes, f.Communes, f.Publics} {
			if len(list) > 500 || i != 3 && i != 5 && list[0].N != 2 {
				t.Errorf("facet %d has %d values, first %+v", i, len(list), list[0])
			}
		}
	})
}
