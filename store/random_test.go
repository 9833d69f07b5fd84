// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"

	"essaim"
	"essaim/store/storetest"
)

func TestEachPublishedRecordIsDrawnAboutAsOften(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s, _ := db.Node(t)
		draw := func(i int) []byte {
			sum := sha256.Sum256(fmt.Append(nil, i))
			return sum[:]
		}
		if _, err := s.Random(t.Context(), "", draw(0)); !errors.Is(err, essaim.ErrNotFound) {
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
			r, err := s.Random(t.Context(), "", draw(i))
			if err != nil {
				t.Fatal(err)
			}
			if r.State != essaim.StatePublished {
				t.Fatalf("%s is %s", r.Title, r.State)
			}
			drawn[r.ID]++
			kinds[r.Kind]++
			if r, err = s.Random(t.Context(), essaim.KindInitiative, draw(i)); err != nil || r.Kind != essaim.KindInitiative {
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
		if _, err := s.Random(t.Context(), essaim.KindMeeting, draw(0)); !errors.Is(err, essaim.ErrNotFound) {
			t.Errorf("a meeting where there is none: %v", err)
		}
		if _, err := s.Random(t.Context(), "", nil); !errors.Is(err, essaim.ErrInvalid) {
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
		if _, err := s.Random(t.Context(), "", make([]byte, 24)); err == nil || errors.Is(err, essaim.ErrNotFound) {
			t.Errorf("it says %v", err)
		}
	})
}
