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

// A search that goes back through several parts lists each record once and in its order,
// page by page, and counts as one that reads them all; near a point as well.
func TestASearchGoesBackPartByPart(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s, clock := db.Node(t)
		n := 0
		for _, rows := range []int{900, 600, 300} {
			importedWith(t, s, rows, func(c *essaim.Content) {
				c.Title, c.Themes = fmt.Sprint("Halle ", n), nil
				if n%9 == 0 {
					c.Themes = []string{"alimentation"}
				}
				n++
			})
			clock.Move(40 * 24 * time.Hour)
		}
		all := func(q essaim.Query) (list []string) {
			t.Helper()
			for {
				found, err := s.Search(t.Context(), q)
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range found.Records {
					list = append(list, r.Title)
				}
				if q.After = found.Next; q.After == "" {
					return list
				}
			}
		}
		var want []string
		for _, title := range all(essaim.Query{Limit: 100, Kinds: []essaim.Kind{essaim.KindVenue}}) {
			var i int
			if _, err := fmt.Sscanf(title, "Halle %d", &i); err != nil {
				t.Fatal(err)
			}
			if i%9 == 0 {
				want = append(want, title)
			}
		}
		if len(want) != 200 {
			t.Fatalf("%d of 1800 wanted", len(want))
		}
		for name, q := range map[string]essaim.Query{
			"theme": {Themes: []string{"alimentation"}}, "near": {Themes: []string{"alimentation"}, Near: &essaim.Circle{Lat: 48.39, Lon: -4.486, Radius: 5}},
			"word": {Themes: []string{"alimentation"}, Text: "halle"}, "words": {Themes: []string{"alimentation"}, Text: "halle", Newest: true},
		} {
			for _, limit := range []int{7, 100} {
				q.Limit, q.Facets = limit, limit == 100
				if got := all(q); !slices.Equal(got, want) {
					t.Errorf("%s, %d a page: %d records, want %d in their order", name, limit, len(got), len(want))
				}
			}
			if found, err := s.Search(t.Context(), q); err != nil || found.Total != len(want) {
				t.Errorf("%s: %d counted, %v", name, found.Total, err)
			}
		}
	})
}

// What is wanted is found in the first part: the others are not looked at, however many
// there are.
func TestPartsThatAreNotNeededAreNotRead(t *testing.T) {
	t.Parallel()
	s, _ := storetest.Postgres(t).Node(t)
	imported(t, s, 1500)
	ctx, pool := t.Context(), s.DB()
	if _, err := pool.ExecContext(ctx, "VACUUM ANALYZE search"); err != nil {
		t.Fatal(err)
	}
	at := func(back int) (position int64) {
		t.Helper()
		if err := pool.QueryRowContext(ctx, "SELECT position FROM search ORDER BY position DESC OFFSET $1 LIMIT 1", back).Scan(&position); err != nil {
			t.Fatal(err)
		}
		return position
	}
	spans := []string{"{6,14,22}", "{6,14,22}", "{6,14,22}"} // from 1970 to 2077
	below, above := []int64{at(0) + 1, at(100), at(500)}, []int64{at(100) - 1, at(500) - 1, 0}
	for _, name := range []string{"search_page", "search_filters", "search_points"} {
		text, _ := s.Statements().Text(name)
		for n, loops := range map[int]string{20: "loops=1)", 102: "loops=2)", 502: "loops=3)"} {
			args := []any{"'lieu'", spans, below, n, above}
			if name == "search_points" {
				args = append(args, -90., 90., -180., 180.)
			}
			rows := plan(t, storetest.DB{Name: "postgres"}, pool, "(ANALYZE) "+text, args)
			i := slices.IndexFunc(rows, func(l string) bool { return strings.Contains(l, "Bitmap Index Scan on search_term") })
			if i < 0 || !strings.HasSuffix(rows[i], loops) {
				t.Errorf("%s of %d: want %s\n%s", name, n, loops, strings.Join(rows, "\n"))
			}
		}
	}
}

// The statement that says where parts begin is planned once, perhaps while there is no
// record: that plan must not read all of them later.
func TestWherePartsBeginIsReadFromTheIndexes(t *testing.T) {
	t.Parallel()
	s, _ := storetest.Postgres(t).Node(t)
	conn, err := s.DB().Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	text, ok := s.Statements().Text("parts_marks")
	if !ok {
		t.Fatal("no such statement")
	}
	for _, do := range []string{"SET plan_cache_mode = force_generic_plan", "PREPARE marks (bigint, bigint) AS " + text} {
		if _, err := conn.ExecContext(t.Context(), do); err != nil {
			t.Fatal(err)
		}
	}
	rows, err := conn.QueryContext(t.Context(), "EXPLAIN EXECUTE marks (1, 0)")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	by := map[string]int{}
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"search_pkey", "search_hundredth", "search_thousandth", "Seq Scan"} {
			if strings.Contains(line, name) {
				by[name]++
			}
		}
	}
	if err := rows.Err(); err != nil || by["Seq Scan"] > 0 || by["search_pkey"] != 2 || by["search_hundredth"] != 1 || by["search_thousandth"] != 1 {
		t.Errorf("read by %v, %v", by, err)
	}
}
