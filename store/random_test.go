// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/store/storetest"
)

func draw(i int) []byte {
	sum := sha256.Sum256(fmt.Append(nil, i))
	return sum[:]
}

func TestEachPublishedRecordIsDrawnAboutAsOften(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s, _ := db.Node(t)
		of := func(k essaim.Kind) essaim.Query { return essaim.Query{Kinds: []essaim.Kind{k}} }
		if _, err := s.Random(t.Context(), essaim.Query{}, draw(0)); !errors.Is(err, essaim.ErrNotFound) {
			t.Fatalf("an empty node gives %v", err)
		}
		imported(t, s, 40) // venues
		gone := storetest.Publish(t, s, storetest.Initiative("Retirée"))
		for i := range 10 {
			storetest.Publish(t, s, storetest.Initiative(fmt.Sprint("Initiative ", i)))
		}
		if err := s.WithdrawRecord(t.Context(), gone.ID, storetest.Author); err != nil {
			t.Fatal(err)
		}
		drawn, kinds := map[string]int{}, map[essaim.Kind]int{}
		const draws = 1500
		for i := range draws {
			r, err := s.Random(t.Context(), essaim.Query{}, draw(i))
			if err != nil {
				t.Fatal(err)
			}
			if r.State != essaim.StatePublished {
				t.Fatalf("%s is %s", r.Title, r.State)
			}
			drawn[r.ID]++
			kinds[r.Kind]++
			if r, err = s.Random(t.Context(), of(essaim.KindInitiative), draw(i)); err != nil || r.Kind != essaim.KindInitiative {
				t.Fatalf("a draw of initiatives: %s, %v", r.Kind, err)
			}
		}
		if len(drawn) < 44 { // between two digests that are close few draws fall
			t.Errorf("%d of 50 records were drawn", len(drawn))
		}
		if n := kinds[essaim.KindInitiative]; n < draws/5-80 || n > draws/5+80 {
			t.Errorf("%d of %d draws gave one of the 10 initiatives among 50 records", n, draws)
		}
		for id, n := range drawn {
			if n > draws/50*8 {
				t.Errorf("%s was drawn %d times of %d", id, n, draws)
			}
		}
		if _, err := s.Random(t.Context(), of(essaim.KindMeeting), draw(0)); !errors.Is(err, essaim.ErrNotFound) {
			t.Errorf("a meeting where there is none: %v", err)
		}
		if _, err := s.Random(t.Context(), essaim.Query{}, nil); !errors.Is(err, essaim.ErrInvalid) {
			t.Errorf("no draw: %v", err)
		}
	})
}

// A database that fails is no empty one, to which a list is shown.
func TestADrawThatFailsDoesNotSayThatThereIsNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s, _ := db.Node(t)
		storetest.Publish(t, s, storetest.Initiative("Compost"))
		run(t, s, db, "ALTER TABLE facet RENAME TO lost")
		if _, err := s.Random(t.Context(), essaim.Query{}, make([]byte, 24)); err == nil || errors.Is(err, essaim.ErrNotFound) {
			t.Errorf("it says %v", err)
		}
	})
}

func TestADrawIsFromWhatAQueryFinds(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s, clock := db.Node(t)
		const few, many = 5, essaim.CountCap + 200
		oldest := storetest.Publish(t, s, storetest.Initiative("Lieu du plus ancien jardin"))
		clock.Move(time.Hour)
		imported(t, s, many)
		for i := range few {
			storetest.Publish(t, s, storetest.Initiative(fmt.Sprint("Jardin ", i), func(c *essaim.Content) { c.Themes = []string{"sante"} }))
		}
		soon := clock.Now().Add(48 * time.Hour)
		meeting := storetest.Publish(t, s, storetest.Initiative("Bientôt", func(c *essaim.Content) {
			c.Kind, c.Body = essaim.KindMeeting, &essaim.Meeting{Start: soon, End: soon.Add(time.Hour)}
		}))
		drawn := func(q essaim.Query, draws int) map[string]int {
			t.Helper()
			found := map[string]int{}
			for i := range draws {
				r, err := s.Random(t.Context(), q, draw(i))
				if err != nil {
					t.Fatalf("%+v: %v", q, err)
				}
				found[r.Title]++
			}
			return found
		}
		got := drawn(essaim.Query{Themes: []string{"sante"}}, 40*few)
		for title, n := range got {
			if !strings.HasPrefix(title, "Jardin ") || n < 20 || n > 60 {
				t.Errorf("of %d draws among %d, %d gave %q", 40*few, few, n, title)
			}
		}
		if len(got) != few {
			t.Errorf("%d of %d were drawn", len(got), few)
		}
		if got := drawn(essaim.Query{Text: "ancien jardin"}, 3); got[oldest.Title] != 3 {
			t.Errorf("by words: %v", got)
		}
		if got := drawn(essaim.Query{Kinds: []essaim.Kind{essaim.KindMeeting}, Upcoming: clock.Now()}, 3); got[meeting.Title] != 3 {
			t.Errorf("meetings to come: %v", got)
		}
		// More than are looked up: those that changed first are drawn too.
		early := 0
		for title := range drawn(essaim.Query{Text: "lieu", Origin: essaim.OriginLocal}, 200) {
			var n int
			if _, err := fmt.Sscanf(title, "Lieu %d", &n); err == nil && n < many-essaim.CountCap {
				early++
			}
		}
		if early < 10 {
			t.Errorf("%d of 200 draws are of the first sixth", early)
		}
		for _, q := range []essaim.Query{{Text: "licorne"}, {Kinds: []essaim.Kind{essaim.KindMeeting}, Upcoming: soon.Add(48 * time.Hour)}} {
			if _, err := s.Random(t.Context(), q, draw(0)); !errors.Is(err, essaim.ErrNotFound) {
				t.Errorf("%+v: %v", q, err)
			}
		}
	})
}
