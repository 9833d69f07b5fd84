// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"essaim"
	"essaim/store/storetest"
)

func TestTheCollectionsOfARecordListWhatIsShown(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		rec := storetest.Publish(t, n.Store, storetest.Initiative("Jardin"))
		other := storetest.Publish(t, n.Store, storetest.Initiative("Autre"))
		send := func(seq int, to string, p essaim.CommentPolicy) string {
			t.Helper()
			c := comment(fmt.Sprintf("%s/notes/%d", ana, seq), to, n.clock.now())
			c.Policy = p
			n.apply(t, ana, c)
			return c.ID
		}
		first := send(1, rec.ID, essaim.CommentsShown)
		send(2, rec.ID, essaim.CommentsHeld)
		under := send(3, first, essaim.CommentsShown)
		last := send(4, rec.ID, essaim.CommentsShown)
		send(5, other.ID, essaim.CommentsShown)

		adapts := func(c *essaim.Content) {
			c.DerivedFrom = &essaim.Derivation{ID: rec.ID, Digest: "00", Name: "Jardin", AttributedTo: territory, Licence: essaim.DefaultLicence}
		}
		here := storetest.Publish(t, n.Store, storetest.Initiative("Adaptation", adapts))
		gone := storetest.Publish(t, n.Store, storetest.Initiative("Adaptation retirée", adapts))
		storetest.Publish(t, n.Store, storetest.Initiative("Citation", func(c *essaim.Content) {
			c.Relations = []essaim.Relation{{Type: essaim.RelationCites, Target: rec.ID, Name: "Jardin"}}
		}))
		if err := n.WithdrawRecord(t.Context(), gone.ID, storetest.Author); err != nil {
			t.Fatal(err)
		}
		for kind, want := range map[essaim.CollectionKind][]string{
			essaim.CollectionReplies: {first, last}, essaim.CollectionThread: {first, under, last}, essaim.CollectionAdaptations: {here.ID},
		} {
			var got []string
			for after := int64(0); ; {
				m, err := n.Members(t.Context(), rec.ID, kind, after, 2)
				if err != nil || m.Total != len(want) {
					t.Fatalf("%s: %+v, %v, want %d in all", kind, m, err, len(want))
				}
				if got = append(got, m.IDs...); len(m.IDs) == 0 {
					break
				}
				after = m.Last
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s: got %v, want %v", kind, got, want)
			}
		}
		if _, err := n.Members(t.Context(), rec.ID, "likes", 0, 2); !errors.Is(err, essaim.ErrNotFound) {
			t.Errorf("a collection whose members are nobody's business: %v", err)
		}
	})
}
