// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"errors"
	"slices"
	"strconv"
	"testing"
	"time"

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

// An Offer that was taken with 202 and lost, or whose answer was, is made again.
func TestAnAdaptationThatNobodyAnsweredIsOfferedAgainDaily(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := followed(t, db)
		v := version("jardin", 7, 1)
		v.Record.Licence, v.Record.ContentDigest = essaim.DefaultLicence, "d1"
		n.apply(t, v.Record.Territory, v)
		from := &essaim.Derivation{ID: v.Record.ID, Digest: "d1", Name: "Jardin", AttributedTo: v.Record.Territory, Licence: essaim.DefaultLicence}
		stranger := "https://inconnue.example/objects/four"
		made := storetest.Publish(t, n.Store, storetest.Initiative("Ici", func(c *essaim.Content) { c.DerivedFrom = from }))
		storetest.Publish(t, n.Store, storetest.Initiative("D'ailleurs", func(c *essaim.Content) {
			c.DerivedFrom = &essaim.Derivation{ID: stranger, Digest: "d", Name: "Four", AttributedTo: "https://inconnue.example/actors/x", Licence: essaim.DefaultLicence}
		}))
		again := func() []essaim.Delivery {
			t.Helper()
			if err := n.OfferAgain(t.Context()); err != nil {
				t.Fatal(err)
			}
			return slices.DeleteFunc(n.take(t, toulouse, 10), func(d essaim.Delivery) bool { return d.OrderKey != made.ID || d.Actor != territory })
		}
		first := slices.DeleteFunc(n.take(t, toulouse, 10), func(d essaim.Delivery) bool { return d.OrderKey != made.ID || d.Actor != territory })
		if len(first) != 1 {
			t.Fatalf("at its publication: %v", first)
		}
		n.clock.pass(25 * time.Hour)
		if got := one[int](t, n, "SELECT count(*) FROM activity WHERE type = 'Offer'"); got != 1 {
			t.Fatalf("%d offers", got)
		}
		if err := n.OfferAgain(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := one[int](t, n, "SELECT count(*) FROM activity WHERE type = 'Offer'"); got != 1 {
			t.Errorf("one that is on its way is made again: %d", got)
		}
		n.finish(t, done(first[0]))
		second := again()
		if len(second) != 1 || second[0].ActivityID == first[0].ActivityID {
			t.Fatalf("after a day without an answer: %v", second)
		}
		n.finish(t, done(second[0]))
		n.clock.pass(23 * time.Hour)
		if got := again(); len(got) != 0 {
			t.Errorf("within a day: %v", got)
		}
		n.apply(t, v.Record.Territory, essaim.OfferAnswer{Offer: second[0].ActivityID, Actor: v.Record.Territory, Accepted: true})
		n.clock.pass(48 * time.Hour)
		if got := again(); len(got) != 0 {
			t.Errorf("after the answer: %v", got)
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

// offering is a node with a record, and its adaptation by a node elsewhere.
type offering struct {
	*node
	parent  essaim.Record
	child   essaim.Replicate
	answers int
}

func offered(t *testing.T, db storetest.DB) *offering {
	t.Helper()
	o := &offering{node: followed(t, db), child: version("jardin", 7, 1)}
	for _, d := range o.take(t, toulouse, 10) {
		o.finish(t, done(d))
	}
	o.parent = storetest.Publish(t, o.Store, storetest.Initiative("Jardin"))
	o.child.Record.DerivedFrom = o.from(o.parent)
	return o
}

func (o *offering) from(r essaim.Record) *essaim.Derivation {
	return &essaim.Derivation{ID: r.ID, Digest: r.ContentDigest, Name: r.Title, AttributedTo: r.Territory, Licence: r.Licence}
}

// offer applies an Offer of the adaptation, by an actor of its node.
func (o *offering) offer(t *testing.T, actor string) essaim.InboundState {
	t.Helper()
	o.clock.pass(1)
	o.answers++
	id := strconv.Itoa(o.answers)
	return o.apply(t, actor, essaim.Acknowledge{
		Parent: o.parent.ID, Child: o.child.Record.ID, Actor: actor, Offer: "https://toulouse.example/activities/" + id,
		Accept: essaim.Outgoing{ActivityID: brest + "/activities/a" + id, Actor: territory, Receiver: actor, Inbox: actor + "/inbox", OrderKey: id, Body: []byte("{}")},
	}).State
}

// hold applies the next version of the adaptation.
func (o *offering) hold(t *testing.T, from *essaim.Derivation, under ...string) {
	t.Helper()
	o.clock.pass(1)
	next := version("jardin", 7, o.child.Record.Revision)
	next.Record.DerivedFrom = from
	for _, licence := range under {
		next.Record.Licence = licence
	}
	if got := o.apply(t, next.Record.Territory, next); got.State != essaim.InboundApplied {
		t.Fatalf("the adaptation is %s: %s", got.State, got.Reason)
	}
	o.child.Record.Revision++
}

// stands checks whether the adaptation is listed, and how many answers were queued since.
func (o *offering) stands(t *testing.T, when string, listed bool, accepts int) {
	t.Helper()
	m, err := o.Members(t.Context(), o.parent.ID, essaim.CollectionAdaptations, 0, 10)
	if got := slices.Equal(m.IDs, []string{o.child.Record.ID}); err != nil || m.Total != len(m.IDs) || got != listed {
		t.Errorf("%s: listed %+v, %v, want %v", when, m, err, listed)
	}
	sent := o.take(t, toulouse, 10)
	for _, d := range sent {
		if d.Actor != territory {
			t.Errorf("%s: %+v", when, d)
		}
		o.finish(t, done(d))
	}
	if len(sent) != accepts {
		t.Errorf("%s: %d answers, want %d", when, len(sent), accepts)
	}
}

func TestAnAdaptationElsewhereIsListedWhenItsNodeIsFollowed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		o := offered(t, db)
		from, who := o.from(o.parent), o.child.Record.Territory
		o.hold(t, from)
		o.raw(t, "UPDATE peer SET state = 'known'")
		if got := o.offer(t, who); got != essaim.InboundIgnored {
			t.Errorf("of a node that is not followed: %s", got)
		}
		o.stands(t, "not followed", false, 0)
		o.raw(t, "UPDATE peer SET state = 'followed'")
		o.offer(t, who)
		o.stands(t, "followed", true, 1)
		o.offer(t, who)
		o.stands(t, "offered again", true, 1)
		o.hold(t, nil)
		o.stands(t, "it says no more that it comes from it", false, 0)
		if got := o.offer(t, who); got != essaim.InboundIgnored {
			t.Errorf("of what does not come from it: %s", got)
		}
		o.stands(t, "offered, and not from it", false, 0)
		o.hold(t, from)
		if got := o.offer(t, who+"2"); got != essaim.InboundIgnored {
			t.Errorf("by somebody else of its host: %s", got)
		}
		o.stands(t, "offered by somebody else", false, 0)
		o.offer(t, who)
		o.stands(t, "offered once more", true, 1)
		o.clock.pass(1)
		o.apply(t, who, essaim.Erase{ID: o.child.Record.ID, Actor: who, At: o.clock.now()})
		o.stands(t, "deleted", false, 0)
		if got := o.offer(t, who); got != essaim.InboundIgnored {
			t.Errorf("a deleted adaptation comes back: %s", got)
		}
		o.stands(t, "offered after its deletion", false, 0)
	})
}

func TestAnAdaptationIsListedUnderALicenceThatItsParentAllows(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		o := offered(t, db)
		from, who := o.from(o.parent), o.child.Record.Territory
		o.offer(t, who)
		o.hold(t, from, "cc0-1.0")
		o.stands(t, "CC0 of what asks to share alike, offered before", false, 0)
		if got := o.offer(t, who); got != essaim.InboundIgnored {
			t.Errorf("CC0 of what asks to share alike: %s", got)
		}
		free := *from
		free.Licence = "cc0-1.0"
		o.hold(t, &free, "cc0-1.0")
		if got := o.offer(t, who); got != essaim.InboundIgnored {
			t.Errorf("by a licence that this version never had: %s", got)
		}
		o.hold(t, from, "fal-1.3")
		o.offer(t, who)
		o.stands(t, "a licence that it recognises", true, 1)
		o.hold(t, from, "tous-droits")
		o.stands(t, "closed since", false, 0)
		free.Digest = "of a version before"
		o.hold(t, &free, "cc-by-4.0")
		o.offer(t, who)
		o.stands(t, "of a version that was freer", true, 1)
	})
}

func TestAnOfferThatOvertakesItsRecordIsAnsweredWhenItComes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		o := offered(t, db)
		who := o.child.Record.Territory
		o.offer(t, who)
		o.stands(t, "not held", false, 0)
		o.hold(t, o.from(o.parent))
		o.stands(t, "held", true, 1)
		o.hold(t, o.from(o.parent))
		o.stands(t, "edited", true, 0)
	})
}

func TestAnOfferOfWhatComesFromElsewhereIsForgottenWhenItComes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		o := offered(t, db)
		o.offer(t, o.child.Record.Territory)
		o.hold(t, o.from(storetest.Publish(t, o.Store, storetest.Initiative("Verger"))))
		o.stands(t, "of another record", false, 0)
		if got, err := o.Claim(t.Context(), o.child.Record.ID); err != nil || got != "" {
			t.Errorf("claim %q, %v", got, err)
		}
	})
}

func TestTheAdaptationsOfABlockedNodeAreListedNoMore(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		o := offered(t, db)
		o.offer(t, o.child.Record.Territory)
		o.hold(t, o.from(o.parent))
		o.stands(t, "held", true, 1)
		if _, err := o.AddMeasure(t.Context(), essaim.Measure{Scope: essaim.MeasureHost, Value: toulouse, Level: essaim.LevelBlock}, 0); err != nil {
			t.Fatal(err)
		}
		o.stands(t, "blocked", false, 0)
	})
}

func TestAnOfferOfWhatIsDeletedBeforeItComesIsForgotten(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		o := offered(t, db)
		id, who := o.child.Record.ID, o.child.Record.Territory
		o.offer(t, who)
		if got, err := o.Claim(t.Context(), id); err != nil || got != essaim.ClaimWaiting {
			t.Fatalf("claim %q, %v", got, err)
		}
		o.clock.pass(1)
		o.apply(t, who, essaim.Erase{ID: id, Actor: who, At: o.clock.now()})
		if got, err := o.Claim(t.Context(), id); err != nil || got != "" {
			t.Errorf("deleted before it came: claim %q, %v", got, err)
		}
	})
}
