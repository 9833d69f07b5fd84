// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/store"
	"essaim/store/storetest"

	"github.com/google/go-cmp/cmp"
)

// pair is a query, a text, and whether the one must find the other.
type pair struct {
	found       bool
	query, text string
}

func pairs(t *testing.T) (list []pair) {
	t.Helper()
	file, err := os.ReadFile("french/testdata/pairs.tsv")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(file)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		cells := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(cells) != 3 || cells[0] != "+" && cells[0] != "-" {
			t.Fatalf("%q is no pair", line)
		}
		list = append(list, pair{cells[0] == "+", cells[1], cells[2]})
	}
	return list
}

// The committed list of what must be found and what must not, on both databases,
// each query over all the texts at once.
func TestFrenchQueriesFindWhatTheyMust(t *testing.T) {
	t.Parallel()
	list := pairs(t)
	if len(list) < 60 {
		t.Fatalf("%d pairs, want 60 at least", len(list))
	}
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s, clock := db.Node(t)
		var all []essaim.Record
		byText := map[string]string{}
		for _, p := range list {
			if byText[p.text] != "" {
				continue
			}
			title, body, _ := strings.Cut(p.text, " / ")
			all = append(all, storetest.Publish(t, s, storetest.Initiative(title, func(c *essaim.Content) { c.Tagline, c.Text = "…", body })))
			byText[p.text] = all[len(all)-1].ID
			clock.Move(time.Second)
		}
		for _, p := range list {
			q := essaim.Query{Text: p.query, Limit: 100}
			got := everyPage(t, s, q)
			if slices.Contains(ids(got), byText[p.text]) != p.found {
				t.Errorf("%s finds %q: %t, want %t", p.query, p.text, !p.found, p.found)
			}
			if diff := cmp.Diff(ids(model(all, q)), ids(got)); diff != "" {
				t.Errorf("%s (-rule +found):\n%s", p.query, diff)
			}
		}
	})
}

// everyPage is all that a query finds.
func everyPage(t *testing.T, s *store.Store, q essaim.Query) (all []essaim.Record) {
	t.Helper()
	for {
		page, err := s.Search(t.Context(), q)
		if err != nil {
			t.Fatalf("%+v: %v", q, err)
		}
		all = append(all, page.Records...)
		if q.After = page.Next; q.After == "" {
			return all
		}
	}
}

// A theme is found by its other names, a place by its postcode.
func TestOtherNamesFindARecord(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s, _ := db.Node(t)
		want := storetest.Publish(t, s, storetest.Initiative("Paniers de la rade", func(c *essaim.Content) {
			c.Themes = []string{"alimentation"}
			c.Places = []essaim.Place{{City: "Brest", Postcode: "29200"}}
		}))
		storetest.Publish(t, s, storetest.Initiative("Ressourcerie du port", func(c *essaim.Content) {
			c.Themes = []string{"reemploi"}
			c.Places = []essaim.Place{{City: "Douarnenez", Postcode: "29100"}}
		}))
		for _, text := range []string{"amap", "AMAP", "circuit court", "29200"} {
			found, err := s.Search(t.Context(), essaim.Query{Text: text})
			if err != nil {
				t.Fatal(err)
			}
			if len(found.Records) != 1 || found.Records[0].ID != want.ID {
				t.Errorf("%q finds %d records, want the one", text, len(found.Records))
			}
		}
	})
}
