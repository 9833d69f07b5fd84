// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"errors"
	"slices"
	"testing"

	"essaim"
	"essaim/store/storetest"
)

func TestAnAdaptationIsOfferedToTheOriginUntilItAnswers(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := followed(t, db)
		v := version("jardin", 7, 1)
		v.Record.Licence, v.Record.ContentDigest = essaim.DefaultLicence, "d1"
		parent := v.Record
		n.apply(t, parent.Territory, v)
		draft, err := n.Adapt(t.Context(), parent.ID, storetest.Author)
		if err != nil || draft.State != essaim.StateDraft {
			t.Fatalf("draft %+v, %v", draft, err)
		}
		kept, err := n.ParentVersion(t.Context(), *draft.DerivedFrom)
		if err != nil || kept.Title != parent.Title {
			t.Errorf("the parent's version: %+v, %v", kept, err)
		}
		host := "toulouse.example"
		offers := func() []essaim.Delivery {
			t.Helper()
			return slices.DeleteFunc(n.take(t, host, 10), func(d essaim.Delivery) bool { return d.OrderKey != draft.ID || d.Actor != territory })
		}
		if got := offers(); len(got) != 0 {
			t.Fatalf("a draft is offered: %v", got)
		}
		c := draft.Content
		c.Places, c.Themes = storetest.Initiative("x").Places, []string{"alimentation"}
		state := func(want essaim.ClaimState, when string) {
			t.Helper()
			if got, err := n.Claim(t.Context(), draft.ID); err != nil || got != want {
				t.Errorf("%s: claim %q, %v, want %q", when, got, err, want)
			}
		}
		publish := func() []essaim.Delivery {
			t.Helper()
			n.clock.pass(1)
			if _, err := n.UpdateRecord(t.Context(), draft.ID, 0, c, essaim.StatePublished, storetest.Author); err != nil {
				t.Fatal(err)
			}
			return offers()
		}
		first := publish()
		if len(first) != 1 {
			t.Fatalf("offers at publication: %v", first)
		}
		n.finish(t, done(first[0]))
		state(essaim.ClaimOffered, "published")
		again := publish()
		if len(again) != 1 || again[0].ActivityID == first[0].ActivityID {
			t.Fatalf("offers at the next edit: %v", again)
		}
		n.finish(t, done(again[0]))
		if got := n.apply(t, parent.Territory+"2", essaim.OfferAnswer{Offer: again[0].ActivityID, Actor: parent.Territory + "2", Accepted: true}); got.State != essaim.InboundIgnored {
			t.Errorf("somebody else's answer is %s", got.State)
		}
		state(essaim.ClaimOffered, "somebody else answers")
		n.apply(t, parent.Territory, essaim.OfferAnswer{Offer: again[0].ActivityID, Actor: parent.Territory, Accepted: true})
		state(essaim.ClaimAcknowledged, "answered")
		if got := publish(); len(got) != 0 {
			t.Errorf("offered again after the answer: %v", got)
		}
		n.clock.pass(1)
		n.apply(t, parent.Territory, essaim.Erase{ID: parent.ID, Actor: parent.Territory, At: n.clock.now()})
		if _, err := n.ParentVersion(t.Context(), *draft.DerivedFrom); !errors.Is(err, essaim.ErrNotFound) {
			t.Errorf("the text of an erased parent: %v", err)
		}
		left, err := n.Record(t.Context(), draft.ID)
		if err != nil || *left.DerivedFrom != *draft.DerivedFrom {
			t.Errorf("what the adaptation keeps of it: %+v, %v", left.DerivedFrom, err)
		}
	})
}

func TestOfAParentOnlyWhatIsTakenOverIsKeptAndAsLongAsAnAdaptationStands(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		parent := storetest.Publish(t, n.Store, storetest.Initiative("Jardin", func(c *essaim.Content) {
			c.Contacts = []essaim.Contact{{Kind: "email", Value: "accueil@brest.example"}}
			c.Credits = []essaim.Credit{{Name: "Association de démonstration", Kind: "association", Role: "porteur"}}
		}))
		if len(parent.Contacts) != 1 || len(parent.Credits) == 0 || len(parent.Places) == 0 {
			t.Fatalf("the parent has nothing to hide: %+v", parent.Content)
		}
		adapt := func() essaim.Record {
			t.Helper()
			r, err := n.Adapt(t.Context(), parent.ID, storetest.Author)
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		drop := func(r essaim.Record) {
			t.Helper()
			if err := n.WithdrawRecord(t.Context(), r.ID, storetest.Author); err != nil {
				t.Fatal(err)
			}
		}
		kept := func(want bool, when string) {
			t.Helper()
			c, err := n.ParentVersion(t.Context(), essaim.Derivation{ID: parent.ID, Digest: parent.ContentDigest})
			if (err == nil) != want || err != nil && !errors.Is(err, essaim.ErrNotFound) {
				t.Errorf("%s: kept %v, want %v", when, err, want)
			}
			if len(c.Contacts)+len(c.Credits)+len(c.Places) != 0 {
				t.Errorf("%s: kept with it: %+v", when, c)
			}
		}
		first, second := adapt(), adapt()
		kept(true, "adapted twice")
		drop(first)
		kept(true, "one draft discarded")
		drop(second)
		kept(false, "both drafts discarded")
		third := adapt()
		c := third.Content
		c.Places, c.Themes = storetest.Initiative("x").Places, []string{"alimentation"}
		if _, err := n.UpdateRecord(t.Context(), third.ID, 0, c, essaim.StatePublished, storetest.Author); err != nil {
			t.Fatal(err)
		}
		kept(true, "published")
		drop(third)
		kept(false, "withdrawn")
	})
}

func TestAnAdaptationElsewhereIsListedWhenItsNodeIsFollowed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := followed(t, db)
		n.raw(t, "UPDATE peer SET state = 'known'")
		parent := storetest.Publish(t, n.Store, storetest.Initiative("Jardin"))
		v := version("jardin", 7, 1)
		child := v.Record
		e := essaim.Acknowledge{Parent: parent.ID, Child: child.ID, Actor: child.Territory, Offer: "https://toulouse.example/activities/1"}
		answer := func(id string) essaim.Acknowledge {
			e.Accept = essaim.Outgoing{ActivityID: brest + "/activities/" + id, Actor: territory, Receiver: child.Territory, Inbox: child.Territory + "/inbox", OrderKey: id, Body: []byte("{}")}
			return e
		}
		members := func() []string {
			t.Helper()
			m, err := n.Members(t.Context(), parent.ID, essaim.CollectionAdaptations, 0, 10)
			if err != nil || m.Total != len(m.IDs) {
				t.Fatalf("%+v, %v", m, err)
			}
			return m.IDs
		}
		if got := n.apply(t, child.Territory, answer("a1")); got.State != essaim.InboundIgnored || len(members()) != 0 {
			t.Errorf("of a node that is not followed: %s, %v", got.State, members())
		}
		n.raw(t, "UPDATE peer SET state = 'followed'")
		n.clock.pass(1)
		n.apply(t, child.Territory, answer("a2"))
		n.clock.pass(1)
		n.apply(t, child.Territory, answer("a3"))
		if got := members(); !slices.Equal(got, []string{child.ID}) {
			t.Errorf("listed %v", got)
		}
		n.clock.pass(1)
		n.apply(t, child.Territory, v)
		n.clock.pass(1)
		n.apply(t, child.Territory, essaim.Erase{ID: child.ID, Actor: child.Territory, At: n.clock.now()})
		if got := members(); len(got) != 0 {
			t.Errorf("deleted and listed: %v", got)
		}
		n.clock.pass(1)
		if got := n.apply(t, child.Territory, answer("a4")); got.State != essaim.InboundIgnored {
			t.Errorf("a deleted adaptation comes back: %s", got.State)
		}
	})
}
