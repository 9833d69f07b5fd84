// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"essaim"
	"essaim/store/storetest"
)

func TestTheBranchesOfATreeComeWithTheirClaims(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		o := offered(t, db)
		o.offer(t, o.child.Record.Territory)
		o.hold(t, o.from(o.parent))
		adapts := func(title string) essaim.Record {
			o.clock.pass(1)
			return storetest.Publish(t, o.Store, storetest.Initiative(title, func(c *essaim.Content) { c.DerivedFrom = o.from(o.parent) }))
		}
		gone, here := adapts("Retirée"), adapts("Ici")
		if err := o.WithdrawRecord(t.Context(), gone.ID, storetest.Author); err != nil {
			t.Fatal(err)
		}
		if _, err := o.Adapt(t.Context(), o.parent.ID, storetest.Author); err != nil {
			t.Fatal(err)
		}
		o.clock.pass(1)
		under := storetest.Publish(t, o.Store, storetest.Initiative("Dessous", func(c *essaim.Content) { c.DerivedFrom = o.from(here) }))
		storetest.Publish(t, o.Store, storetest.Initiative("Citation", func(c *essaim.Content) {
			c.Relations = []essaim.Relation{{Type: essaim.RelationCites, Target: o.parent.ID, Name: "Jardin"}}
		}))
		got, err := o.Branches(t.Context(), []string{o.parent.ID, here.ID}, 10)
		if err != nil {
			t.Fatal(err)
		}
		told := map[string]string{}
		for _, b := range got {
			told[b.Record.ID] = b.Parent + " " + string(b.Claim)
			if r, err := o.Record(t.Context(), b.Record.ID); err != nil || r.Title != b.Record.Title || r.Slug != b.Record.Slug || r.Kind != b.Record.Kind ||
				r.Origin != b.Record.Origin || r.TerritoryName != b.Record.TerritoryName || !r.Published.Equal(b.Record.Published) {
				t.Errorf("got %+v, %v of %+v", b.Record, err, r)
			}
		}
		want := map[string]string{
			o.child.Record.ID: o.parent.ID + " acknowledged", here.ID: o.parent.ID + " acknowledged", under.ID: here.ID + " acknowledged",
		}
		if !maps.Equal(told, want) {
			t.Errorf("got %v, want %v", told, want)
		}
		if got, err := o.Branches(t.Context(), []string{o.parent.ID, here.ID}, 2); err != nil || len(got) != 2 {
			t.Errorf("%d of at most 2, %v", len(got), err)
		}
	})
}

func TestAnOfferWhoseRecordNeverComesIsForgottenInTime(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		o := offered(t, db)
		o.offer(t, o.child.Record.Territory)
		for _, step := range []struct {
			after time.Duration
			want  essaim.ClaimState
		}{{80 * 24 * time.Hour, essaim.ClaimWaiting}, {20 * 24 * time.Hour, ""}} {
			o.clock.pass(step.after)
			if err := o.Tidy(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got, err := o.Claim(t.Context(), o.child.Record.ID); err != nil || got != step.want {
				t.Errorf("after %s: claim %q, %v; want %q", step.after, got, err, step.want)
			}
		}
	})
}

func TestWhatAdaptsARecordIsListedWithItsClaim(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		o := offered(t, db)
		for _, want := range []essaim.ClaimState{"", essaim.ClaimAcknowledged} {
			o.hold(t, o.from(o.parent))
			if want != "" {
				o.offer(t, o.child.Record.Territory)
			}
			related, err := o.RelatedTo(t.Context(), o.parent.ID)
			if err != nil || len(related) != 1 || related[0].Record.ID != o.child.Record.ID || related[0].Claim != want {
				t.Errorf("related %+v, %v; want the adaptation with claim %q", related, err, want)
			}
		}
	})
}

// adaptedElsewhere makes a record of another node and adaptations of it made here.
func adaptedElsewhere(t *testing.T, n *node, slug string, adaptations int) (parent string, made []string) {
	t.Helper()
	v := version(slug, 7, 1)
	v.Record.Licence, v.Record.ContentDigest = essaim.DefaultLicence, "d1"
	n.clock.pass(1)
	n.apply(t, v.Record.Territory, v)
	from := essaim.Derivation{ID: v.Record.ID, Digest: "d1", Name: v.Record.Title, AttributedTo: v.Record.Territory, Licence: v.Record.Licence}
	for i := range adaptations {
		n.clock.pass(1)
		r := storetest.Publish(t, n.Store, storetest.Initiative(fmt.Sprint(slug, " d'ici ", i), func(c *essaim.Content) { c.DerivedFrom = &from }))
		made = append(made, r.ID)
	}
	return v.Record.ID, made
}

func TestOfManyRecordsThatAreAdaptedOthersAreAskedForEachTime(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := followed(t, db)
		for _, slug := range []string{"un", "deux", "trois", "quatre", "cinq"} {
			adaptedElsewhere(t, n, slug, 1)
		}
		seen := map[string]bool{}
		for range 60 {
			n.clock.pass(time.Hour)
			some, err := n.AdaptedOf(t.Context(), toulouse, 1)
			if err != nil || len(some) != 1 {
				t.Fatalf("got %v, %v", some, err)
			}
			seen[some[0].ID] = true
		}
		if len(seen) != 5 {
			t.Errorf("only %v were listed", seen)
		}
	})
}

func TestAListOfAdaptationsIsTakenHoweverLongItIs(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := followed(t, db)
		parent, made := adaptedElsewhere(t, n, "four", 130)
		var unknown []string
		for i := range 2000 {
			unknown = append(unknown, fmt.Sprintf("https://toulouse.example/objects/inconnue-%d", i))
		}
		for _, listed := range []int{len(made), 7, 0} {
			if err := n.NoteAcknowledged(t.Context(), parent, append(unknown, made[:listed]...)); err != nil {
				t.Fatal(err)
			}
			acknowledged := 0
			for _, id := range made {
				claim, err := n.Claim(t.Context(), id)
				if err != nil {
					t.Fatal(err)
				}
				if claim == essaim.ClaimAcknowledged {
					acknowledged++
				}
			}
			if acknowledged != listed {
				t.Errorf("%d are acknowledged, %d are listed", acknowledged, listed)
			}
		}
	})
}
