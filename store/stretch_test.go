// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/store"
	"essaim/store/storetest"
)

// sampledNode has 2,400 records of which one in four is in the sample, so that a stretch
// is some 200 of what is rarest. All have « halle », and one word of two; but of the
// oldest three hundred thirty have both and no « halle ».
func sampledNode(t *testing.T, db storetest.DB) *store.Store {
	s, clock := db.Node(t, func(c *store.Config) { c.SearchSample = 4 })
	n := 0
	for _, rows := range []int{300, 1000, 1100} {
		importedWith(t, s, rows, func(c *essaim.Content) {
			c.Title, c.Text = fmt.Sprint("Fiche ", n), "Une halle, des chèvres."
			switch {
			case n < 300 && n%10 == 0:
				c.Text = "De la laine, des chèvres."
			case n < 300 && n%3 == 0:
				c.Text = "Un dépôt."
			case n < 300:
				c.Text = "Une grange."
			case n%2 == 0:
				c.Text = "Une halle, de la laine."
			}
			n++
		})
		clock.Move(40 * 24 * time.Hour)
	}
	return s
}

// Where much would be looked at for little, a page ends after a stretch and says how far
// back that is; the pages after it go on, and together they list all, once and in order.
func TestASearchGoesBackByStretches(t *testing.T) {
	t.Parallel()
	answers := map[string][]string{}
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := sampledNode(t, db)
		for name, c := range map[string]struct {
			q     essaim.Query
			want  int
			pages int // without any record, at least
		}{
			"both words":       {essaim.Query{Text: "laine chèvres"}, 30, 2},
			"one and not":      {essaim.Query{Text: "chèvres -halle"}, 30, 2},
			"one and not, new": {essaim.Query{Text: "chèvres -halle", Newest: true}, 30, 2},
			"not one":          {essaim.Query{Text: "-halle"}, 300, 2},
			"a phrase":         {essaim.Query{Text: `"laine chèvres"`}, 30, 2},
			"and a theme":      {essaim.Query{Text: "laine chèvres", Kinds: []essaim.Kind{essaim.KindVenue}}, 30, 2},
		} {
			for _, facets := range []bool{false, true} {
				q := c.q
				q.Limit, q.Facets = 20, facets
				var got []string
				empty, last := 0, time.Time{}
				for first := true; ; first = false {
					found, err := s.Search(t.Context(), q)
					if err != nil {
						t.Fatal(err)
					}
					if first && (!found.Capped && !q.Newest || found.Back.IsZero() || found.Next == "") {
						t.Errorf("%s: the first page says %d, capped %v, back to %v, next %q", name, found.Total, found.Capped, found.Back, found.Next)
					}
					if len(found.Records) == 0 && found.Next != "" {
						if empty++; found.Back.IsZero() || !last.IsZero() && found.Back.After(last) {
							t.Errorf("%s: an empty page goes back to %v, after one to %v", name, found.Back, last)
						}
						last = found.Back
					}
					for _, r := range found.Records {
						got = append(got, r.Title)
					}
					if q.After = found.Next; q.After == "" {
						break
					}
				}
				if len(got) != c.want || empty < c.pages {
					t.Errorf("%s: %d records, %d pages without any; want %d, and %d at least", name, len(got), empty, c.want, c.pages)
				}
				sorted := slices.Clone(got)
				slices.Sort(sorted)
				if len(slices.Compact(sorted)) != len(got) {
					t.Errorf("%s: a record is listed twice", name)
				}
				key := fmt.Sprint(name, facets)
				if was, ok := answers[key]; ok && !slices.Equal(was, got) {
					t.Errorf("%s: the databases do not answer alike", name)
				}
				answers[key] = got
			}
		}
	})
}

// What few have is found at once, however far back, and so is what most have.
func TestAStretchIsForMuchThatYieldsLittle(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := sampledNode(t, db)
		for text, want := range map[string]int{"dépôt": 90, "fiche 7": 1, "halle": 1000, "halle laine": 1000, "chèvres dépôt": 0, "halle -dépôt": 1000} {
			found, err := s.Search(t.Context(), essaim.Query{Text: text, Limit: 50})
			if err != nil {
				t.Fatal(err)
			}
			if found.Total != want && want < 1000 || len(found.Records) != min(want, 50) {
				t.Errorf("%s: %d records of %d, want %d", text, len(found.Records), found.Total, want)
			}
			if whole := found.Back.IsZero(); whole == strings.HasPrefix(text, "halle ") {
				t.Errorf("%s: looked back to %v", text, found.Back)
			}
		}
	})
}

// The sample is of the records that stand.
func TestTheSampleFollowsTheRecords(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s, clock := db.Node(t, func(c *store.Config) { c.SearchSample = 1 })
		rec := storetest.Publish(t, s, storetest.Initiative("Jardin des Remparts"))
		count := func(term string) (n int) {
			t.Helper()
			if err := s.DB().QueryRowContext(t.Context(), "SELECT count(*) FROM search_sample WHERE term = '"+term+"'").Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		if count("jardin") != 1 || count("·wjardin") != 1 || count("·njar") != 1 || count("·x") != 1 {
			t.Errorf("published: %d, %d, %d, %d", count("jardin"), count("·wjardin"), count("·njar"), count("·x"))
		}
		clock.Move(time.Hour)
		rec.Content.Title = "Lavoir des Remparts"
		if _, err := s.UpdateRecord(t.Context(), rec.ID, 0, rec.Content, essaim.StatePublished, storetest.Author); err != nil {
			t.Fatal(err)
		}
		if count("jardin") != 0 || count("lavoir") != 1 || count("·x") != 1 {
			t.Errorf("changed: %d, %d, %d", count("jardin"), count("lavoir"), count("·x"))
		}
		if err := s.WithdrawRecord(t.Context(), rec.ID, storetest.Author); err != nil || count("lavoir") != 0 || count("·x") != 0 {
			t.Errorf("withdrawn: %v, %d, %d", err, count("lavoir"), count("·x"))
		}
	})
}
