// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/store"
	"essaim/store/storetest"
)

// sampledNode has 2,400 records of which one in five is in the sample, so that a stretch
// is some 250 of what is rarest. All have « halle », and one word of two; but of the
// oldest three hundred thirty have both and no « halle ».
func sampledNode(t *testing.T, db storetest.DB) *store.Store {
	s, clock := db.Node(t, func(c *store.Config) { c.SearchSample = 5 })
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

// pagesOf are the titles on each page of a search, and how the first page and the last
// were.
func pagesOf(t *testing.T, s *store.Store, q essaim.Query) (pages [][]string, first, last essaim.Results) {
	t.Helper()
	for {
		found, err := s.Search(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if len(pages) == 0 {
			first = found
		}
		last = found
		var page []string
		for _, r := range found.Records {
			page = append(page, r.Title)
		}
		pages = append(pages, page)
		if len(page) < q.Limit && found.Next != "" && found.Back.IsZero() || !found.Back.IsZero() && found.Next == "" {
			t.Errorf("%q, page %d: %d records, back to %v, next %q", q.Text, len(pages), len(page), found.Back, found.Next)
		}
		if q.After = found.Next; q.After == "" || len(pages) > 200 {
			return pages, first, last
		}
	}
}

// Where much would be looked at for little, a page ends after a stretch and says how far
// back that is; the pages after it go on, and together they list all, once and in order.
func TestASearchGoesBackByStretches(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := sampledNode(t, db)
		var order []string // of all
		pages, _, _ := pagesOf(t, s, essaim.Query{Limit: 100})
		for _, page := range pages {
			order = append(order, page...)
		}
		if len(order) != 2400 {
			t.Fatalf("%d records", len(order))
		}
		for name, c := range map[string]struct {
			q       essaim.Query
			want    int
			without int // pages without any record, at least
		}{
			"both words":       {essaim.Query{Text: "laine chèvres"}, 30, 2},
			"one and not":      {essaim.Query{Text: "chèvres -halle"}, 30, 2},
			"one and not, new": {essaim.Query{Text: "chèvres -halle", Newest: true}, 30, 2},
			"not one":          {essaim.Query{Text: "-halle"}, 300, 2},
			"a phrase":         {essaim.Query{Text: `"laine chèvres"`}, 30, 2},
			"and a kind":       {essaim.Query{Text: "laine chèvres", Kinds: []essaim.Kind{essaim.KindVenue}}, 30, 2},
			"nothing":          {essaim.Query{Text: "halle -chèvres -laine"}, 0, 2},
			"of all titles":    {essaim.Query{Text: "fiche -halle"}, 300, 2},
		} {
			for _, facets := range []bool{false, true} {
				q := c.q
				q.Limit, q.Facets = 20, facets
				pages, first, last := pagesOf(t, s, q)
				var got []string
				without := 0
				for _, page := range pages {
					if got = append(got, page...); len(page) == 0 {
						without++
					}
				}
				counted := !q.Newest || facets // of a feed nobody asks
				if counted && !first.Least || first.Back.IsZero() || counted && first.Capped || first.Total > 0 {
					t.Errorf("%s: the first page says %d, capped %v, at least %v, back to %v", name, first.Total, first.Capped, first.Least, first.Back)
				}
				if counted && (!last.Least || last.Capped) {
					t.Errorf("%s: the last page says %d, at least %v", name, last.Total, last.Least)
				}
				at := 0
				for _, title := range got {
					next := slices.Index(order[at:], title)
					if next < 0 {
						t.Fatalf("%s: %s is listed twice, or too late", name, title)
					}
					at += next + 1
				}
				if len(got) != c.want || without < c.without {
					t.Errorf("%s: %d records, %d pages without any; want %d, and %d at least", name, len(got), without, c.want, c.without)
				}
			}
		}
	})
}

// Nobody has all looked at by asking for a page that none led to.
func TestACursorMadeByHandLooksNoFurther(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := sampledNode(t, db)
		for _, after := range []string{"0.9223372036854775807.0.1", "1.9223372036854775806.0.-1", "2.9223372036854775807.0.3", "0.9223372036854775807.0.0"} {
			for _, facets := range []bool{false, true} {
				found, err := s.Search(t.Context(), essaim.Query{Text: "fiche -halle", After: after, Facets: facets})
				if err != nil || len(found.Records) > 0 || found.Next == "" && after[len(after)-2:] != ".0" {
					t.Errorf("%s, facets %v: %d records, next %q, %v", after, facets, len(found.Records), found.Next, err)
				}
			}
		}
		for _, after := range []string{"0.1.0.-9223372036854775808", "0.1.0.1002", "0.1.0.-1003", "3.1.0.1"} {
			if _, err := s.Search(t.Context(), essaim.Query{Text: "fiche", After: after}); !errors.Is(err, essaim.ErrInvalid) {
				t.Errorf("%s: %v", after, err)
			}
		}
	})
}

// What few have is found at once, however far back, and so is what most have.
func TestAStretchIsForMuchThatYieldsLittle(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := sampledNode(t, db)
		for text, want := range map[string]int{"dépôt": 90, "fiche 7": 1, "halle": 1000, "halle laine": 250, "chèvres dépôt": 0, "halle -dépôt": 250} {
			found, err := s.Search(t.Context(), essaim.Query{Text: text, Limit: 50})
			if err != nil {
				t.Fatal(err)
			}
			if least := strings.HasPrefix(text, "halle "); found.Least != least || !least && found.Total != want || least && (found.Total < want/2 || found.Total > 2*want) || len(found.Records) != min(want, 50) {
				t.Errorf("%s: %d records of %d, want %d", text, len(found.Records), found.Total, want)
			}
			if found.Capped != (text == "halle") || !found.Back.IsZero() {
				t.Errorf("%s: capped %v, looked back to %v", text, found.Capped, found.Back)
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
