// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"essaim"
	"essaim/store/storetest"
)

func TestAddressesComeInPartsThatHoldEachOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s, clock := db.Node(t)
		if parts, err := s.AddressParts(t.Context(), "", 3); err != nil || len(parts) != 0 {
			t.Fatalf("an empty node has %v, %v", parts, err)
		}
		var all []essaim.Record
		for i := range 7 {
			all = append(all, storetest.Publish(t, s, storetest.Initiative(fmt.Sprintf("Fiche %d", i))))
			clock.Move(time.Second)
		}
		if _, err := s.CreateRecord(t.Context(), essaim.NewRecord{
			Content: essaim.Content{Kind: essaim.KindInitiative, Title: "Brouillon", Body: &essaim.Initiative{}}, State: essaim.StateDraft, Author: storetest.Author,
		}); err != nil {
			t.Fatal(err)
		}
		for _, size := range []int{1, 2, 3, 7, 50} {
			parts, err := s.AddressParts(t.Context(), "", size)
			if err != nil || len(parts) != (len(all)+size-1)/size {
				t.Fatalf("parts of %d: %d, %v", size, len(parts), err)
			}
			n := 0
			for _, p := range parts {
				list, err := s.Addresses(t.Context(), "", p.From, size)
				if err != nil {
					t.Fatal(err)
				}
				for _, l := range list {
					if want := all[n]; l.Slug != want.Slug || l.Kind != want.Kind || !l.Updated.Equal(want.Updated) {
						t.Errorf("parts of %d: number %d is %+v, want %s", size, n, l, want.Slug)
					}
					n++
				}
				if last := list[len(list)-1]; !last.Updated.Equal(p.Updated) {
					t.Errorf("parts of %d: %v ends at %v", size, p, last.Updated)
				}
			}
			if n != len(all) {
				t.Errorf("parts of %d hold %d records, want %d", size, n, len(all))
			}
		}
		if list, err := s.Addresses(t.Context(), "ailleurs.example", math.MinInt64, 10); err != nil || len(list) != 0 {
			t.Errorf("of a host of which nothing is held: %v, %v", list, err)
		}
	})
}
