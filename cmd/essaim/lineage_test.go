// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"essaim"
	"essaim/federation"
	"essaim/federation/fetch"
	"essaim/store/storetest"
)

// Between two others nobody tells a third node what is acknowledged: it reads the
// origin's list when it compares. So does who adapted, where the answer was lost.
func TestAThirdNodeLearnsWhichAdaptationsTheirOriginAcknowledges(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		tr, ids := newTrio(t, db, "Four à pain")
		ctx := t.Context()
		parent, err := tr.brest.Record(ctx, ids[0])
		if err != nil {
			t.Fatal(err)
		}
		adapts := func(c *essaim.Content) {
			c.DerivedFrom = &essaim.Derivation{ID: parent.ID, Digest: parent.ContentDigest, Name: parent.Title, AttributedTo: parent.Territory, Licence: parent.Licence}
		}
		child := tr.toulon.publish(t, "Four de Toulon", adapts)
		claims := func(when string, want map[*commonsNode]essaim.ClaimState) {
			t.Helper()
			tr.later()
			tr.tourcoing.catchUp(t, "toulon.example")
			tr.compareBrest(t)
			tr.compare(t)
			for n, state := range want {
				if got, err := n.Claim(ctx, child.ID); err != nil || got != state {
					t.Errorf("%s: at %s the claim is %q, %v; want %q", when, n.name, got, err, state)
				}
			}
		}
		claims("nobody answered", map[*commonsNode]essaim.ClaimState{tr.tourcoing: "", tr.toulon: essaim.ClaimOffered})
		insert := "INSERT INTO adaptation (child, parent, actor, offer, state, n, at) VALUES ($1, $2, $3, 'lost', 'acknowledged', 1, 1)"
		tr.brest.damage(t, tr.origin, insert, child.ID, parent.ID, child.Territory)
		both := map[*commonsNode]essaim.ClaimState{tr.tourcoing: essaim.ClaimAcknowledged, tr.toulon: essaim.ClaimAcknowledged}
		claims("it is listed", both)
		if _, err := tr.toulon.UpdateRecord(ctx, child.ID, 0, storetest.Initiative("Four de Toulon, revu", adapts), essaim.StatePublished, storetest.Author); err != nil {
			t.Fatal(err)
		}
		claims("after an edit", both)
		branches, err := tr.tourcoing.Branches(ctx, ids, 10)
		if err != nil || len(branches) != 1 || branches[0].Claim != essaim.ClaimAcknowledged || branches[0].Record.Title != "Four de Toulon, revu" {
			t.Errorf("branches %+v, %v", branches, err)
		}
		tr.brest.damage(t, tr.origin, "DELETE FROM adaptation")
		claims("it is listed no more", map[*commonsNode]essaim.ClaimState{tr.tourcoing: "", tr.toulon: ""})
	})
}

// unlisting is a client that no list of adaptations answers.
type unlisting struct {
	federation.Changer
	asked *int
}

func (u unlisting) Changed(ctx context.Context, address, tag string) (fetch.Answer, error) {
	if strings.HasSuffix(address, "/adaptations") {
		*u.asked++
		return fetch.Answer{}, fmt.Errorf("%s: %w", address, essaim.ErrUnavailable)
	}
	return u.Changer.Changed(ctx, address, tag)
}

func TestAListOfAdaptationsThatIsNotAnsweredHoldsUpNoComparison(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		tr, ids := newTrio(t, db, "Four à pain", "Jardin")
		for _, id := range ids {
			parent, err := tr.brest.Record(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			tr.toulon.publish(t, parent.Title+" de Toulon", func(c *essaim.Content) {
				c.DerivedFrom = &essaim.Derivation{ID: parent.ID, Digest: parent.ContentDigest, Name: parent.Title, AttributedTo: parent.Territory, Licence: parent.Licence}
			})
		}
		tr.later()
		tr.tourcoing.catchUp(t, "toulon.example")
		asked := 0
		reader := tr.tourcoing.server.Replicator()
		reader.Client = unlisting{reader.Client, &asked}
		if c := tr.compareBrest(t); c.ComparedAt.IsZero() || asked != 1 {
			t.Errorf("comparison %+v, %d lists asked for", c, asked)
		}
	})
}
