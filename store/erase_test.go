// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"slices"
	"testing"
	"time"

	"essaim"
	"essaim/store/storetest"
)

// arrives receives an activity whose bytes hold the canary, and applies it.
func (n *node) arrives(t *testing.T, id, actor string, a essaim.Applied) {
	t.Helper()
	if _, err := n.ReceiveActivity(t.Context(), essaim.Inbound{ActivityID: id, Type: "Create", Actor: actor, Raw: []byte(`{"id":"` + id + `","x":"` + canary + `"}`), ReceivedAt: n.clock.now()}); err != nil {
		t.Fatal(err)
	}
	claimed := n.claim(t, 1)
	if len(claimed) != 1 {
		t.Fatalf("claimed %v", claimed)
	}
	a.ID, a.Attempt = claimed[0].ID, claimed[0].Attempt
	if a.State == "" {
		a.State = essaim.InboundApplied
	}
	for _, err := range n.Apply(t.Context(), []essaim.Applied{a}) {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// secret is a version whose every text holds the canary.
func secret(slug string, revision int) essaim.Replicate {
	v := version(slug, 10, revision)
	v.Document = []byte(canary)
	v.Record.Title, v.Record.Text, v.Record.Keywords = "Une fiche "+canary, canary, []string{canary}
	return v
}

func TestADeletionByTheOriginLeavesNothingInAnyTable(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := followed(t, db)
		v := secret("jardin", 1)
		n.arrives(t, "https://toulouse.example/activities/1", toulouseTerritory, essaim.Applied{Effects: []essaim.Effect{v}})
		// What failed, waits or was not understood carries it as well.
		for i, state := range []essaim.InboundState{essaim.InboundFailed, essaim.InboundIgnored, essaim.InboundUnknown, essaim.InboundWaiting} {
			n.arrives(t, "https://toulouse.example/activities/not"+string(rune('a'+i)), toulouseTerritory, essaim.Applied{
				State: state, Reason: "for a test", RetryAt: n.clock.now().Add(1 << 40), Object: v.Record.ID,
			})
		}
		if before := n.holding(t, canary); !slices.Contains(before, "record.content") || !slices.Contains(before, "inbox.raw") || !slices.Contains(before, "record.document") {
			t.Fatalf("it is in %v to begin with", before)
		}
		n.apply(t, toulouseTerritory, essaim.Erase{ID: v.Record.ID, Actor: toulouseTerritory, At: n.clock.now()})
		if left := n.holding(t, canary); len(left) > 0 {
			t.Errorf("it is left in %v", left)
		}
		if got := n.inbound(t, "https://toulouse.example/activities/notd"); got.State != essaim.InboundIgnored {
			t.Errorf("what waited is %s", got.State)
		}
		if broken, err := n.Check(t.Context()); err != nil || len(broken) > 0 {
			t.Errorf("broken rules: %v, %v", broken, err)
		}
	})
}

func TestAnActivityThatIsGivenUpKeepsTheNameOfWhatItCarries(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := followed(t, db)
		v := secret("jardin", 1)
		n.arrives(t, "https://toulouse.example/activities/1", toulouseTerritory, essaim.Applied{
			State: essaim.InboundWaiting, Reason: "for a test", RetryAt: n.clock.now(), Object: v.Record.ID,
		})
		for _, in := range n.claim(t, 1) { // by a process that could not read it any more
			for _, err := range n.Apply(t.Context(), []essaim.Applied{{ID: in.ID, Attempt: in.Attempt, State: essaim.InboundFailed, Reason: "given up"}}) {
				if err != nil {
					t.Fatal(err)
				}
			}
		}
		if got := n.inbound(t, "https://toulouse.example/activities/1").State; got != essaim.InboundFailed || !slices.Contains(n.holding(t, canary), "inbox.raw") {
			t.Fatalf("it is %s to begin with", got)
		}
		n.apply(t, toulouseTerritory, essaim.Erase{ID: v.Record.ID, Actor: toulouseTerritory, At: n.clock.now()})
		if left := n.holding(t, canary); len(left) > 0 {
			t.Errorf("it is left in %v", left)
		}
	})
}

func TestANewerVersionErasesTheBytesOfTheOlderOnes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := followed(t, db)
		n.arrives(t, "https://toulouse.example/activities/1", toulouseTerritory, essaim.Applied{Effects: []essaim.Effect{secret("jardin", 1)}})
		n.apply(t, toulouseTerritory, version("jardin", 10, 2))
		if left := n.holding(t, canary); len(left) > 0 {
			t.Errorf("the version before is left in %v", left)
		}
		n.arrives(t, "https://toulouse.example/activities/2", toulouseTerritory, essaim.Applied{Effects: []essaim.Effect{secret("jardin", 1)}})
		if left := n.holding(t, canary); len(left) > 0 {
			t.Errorf("the version before, that came late, is left in %v", left)
		}
		raw := one[int](t, n, "SELECT count(*) FROM inbox WHERE raw IS NOT NULL AND object = $1", version("jardin", 10, 2).Record.ID)
		if raw != 1 {
			t.Errorf("%d activities about it keep their bytes, want the latest", raw)
		}
	})
}

func TestANewerDocumentOfAnActorErasesTheBytesOfTheOlderOnes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		start := n.clock.now()
		saved := func(document string, at time.Duration) essaim.Applied {
			n.clock.pass(time.Minute)
			a := remote(ana, "Person", anaInbox, n.clock.now())
			a.Document, a.Updated = []byte(document), start.Add(at)
			return essaim.Applied{Effects: []essaim.Effect{essaim.SaveActor{Actor: a}}, Object: ana}
		}
		n.arrives(t, "https://a.example/activities/1", ana, saved(`{"summary":"`+canary+`"}`, 0))
		if before := n.holding(t, canary); !slices.Contains(before, "inbox.raw") {
			t.Fatalf("it is in %v to begin with", before)
		}
		n.apply(t, ana, saved(`{}`, time.Minute).Effects...)
		if left := n.holding(t, canary); len(left) > 0 {
			t.Errorf("what she said of herself before is left in %v", left)
		}
		n.arrives(t, "https://a.example/activities/2", ana, saved(`{"summary":"`+canary+`"}`, 0))
		if left := n.holding(t, canary); len(left) > 0 {
			t.Errorf("what she said before, that came late, is left in %v", left)
		}
	})
}

// A node that never withdraws anything itself has bytes to write over as well.
func TestWhatIsErasedOfReceivedActivitiesIsNotedToBeWrittenOver(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n, _, _ := withdrawn(t, db)
		n.arrives(t, "https://toulouse.example/activities/2", toulouseTerritory, essaim.Applied{Effects: []essaim.Effect{secret("four", 1)}})
		for _, step := range []struct {
			what string
			act  func() error
		}{
			{"by a newer version", func() error { n.apply(t, toulouseTerritory, version("four", 10, 2)); return nil }},
			{"by a newer version of the commons", func() error {
				v := version("four", 10, 3)
				_, err := n.ApplyCommons(t.Context(), []essaim.CommonsTaken{{ID: v.Record.ID, Effects: []essaim.Effect{v}}}, essaim.CommonsProgress{Host: toulouse})
				return err
			}},
			{"for it is withdrawn here", func() error { n.apply(t, toulouseTerritory, secret("jardin", 2)); return nil }},
		} {
			n.raw(t, "UPDATE scrub SET erased_at = NULL")
			if err := step.act(); err != nil {
				t.Fatal(err)
			}
			if got := one[int](t, n, "SELECT count(*) FROM scrub WHERE erased_at IS NOT NULL"); got != 1 {
				t.Errorf("what is erased %s is not noted", step.what)
			}
		}
	})
}

func TestAWithdrawnRecordTakesTheBytesOfItsCommentsAlong(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		r := storetest.Publish(t, n.Store, storetest.Initiative("Un jardin"))
		n.arrives(t, "https://peer.example/activities/1", "https://peer.example/users/alice", essaim.Applied{Effects: []essaim.Effect{essaim.HoldComment{
			ID: "https://peer.example/n/1", Actor: "https://peer.example/users/alice", InReplyTo: r.ID, Content: "<p>" + canary + "</p>", Excerpt: canary,
			Published: n.clock.now(), Policy: essaim.CommentsShown,
		}}})
		before := n.holding(t, canary)
		if slices.Sort(before); !slices.Equal(before, []string{"comment.content", "inbox.raw", "item.excerpt"}) {
			t.Fatalf("it is in %v to begin with", before)
		}
		if err := n.WithdrawRecord(t.Context(), r.ID, storetest.Author); err != nil {
			t.Fatal(err)
		}
		if left := n.holding(t, canary); len(left) > 0 {
			t.Errorf("it is left in %v", left)
		}
	})
}

func TestAPersonIsTakenOutOfEveryVersionThatCreditsHer(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n, _ := newPerson(t, db)
		named := crediting(camille, func(c *essaim.Credit) { c.Name = canary })
		now := storetest.Publish(t, n.Store, storetest.Initiative("Créditée", named))
		before := storetest.Publish(t, n.Store, storetest.Initiative("Créditée autrefois", named))
		if _, err := n.UpdateRecord(t.Context(), before.ID, 0, storetest.Initiative("Créditée autrefois"), essaim.StatePublished, storetest.Author); err != nil {
			t.Fatal(err)
		}
		draft, err := n.CreateRecord(t.Context(), essaim.NewRecord{Content: storetest.Initiative("Un brouillon", named), State: essaim.StateDraft, Author: storetest.Author})
		if err != nil {
			t.Fatal(err)
		}
		other := storetest.Publish(t, n.Store, storetest.Initiative("Sans elle", crediting(actors+"autre")))
		erased, err := n.EraseCredits(t.Context(), essaim.Credit{Actor: camille}, storetest.Author)
		if err != nil || erased != 3 {
			t.Errorf("%d records named her, %v; want 3", erased, err)
		}
		if left := n.holding(t, canary); len(left) > 0 {
			t.Errorf("she is left in %v", left)
		}
		for _, want := range []struct {
			record   essaim.Record
			revision int
			state    essaim.State
		}{{now, 2, essaim.StatePublished}, {before, 2, essaim.StatePublished}, {draft, 2, essaim.StateDraft}, {other, 1, essaim.StatePublished}} {
			got, err := n.Record(t.Context(), want.record.ID)
			if err != nil || got.Revision != want.revision || got.State != want.state {
				t.Errorf("%s is %s at revision %d, %v; want %s at %d", want.record.Title, got.State, got.Revision, err, want.state, want.revision)
			}
		}
		if got, _ := n.Record(t.Context(), other.ID); len(got.Credits) != 1 {
			t.Errorf("another's credit went: %v", got.Credits)
		}
		if broken, err := n.Check(t.Context()); err != nil || len(broken) > 0 {
			t.Errorf("broken rules: %v, %v", broken, err)
		}
		if again, err := n.EraseCredits(t.Context(), essaim.Credit{Actor: camille}, storetest.Author); err != nil || again != 0 {
			t.Errorf("again: %d, %v", again, err)
		}
		if _, err := n.EraseCredits(t.Context(), essaim.Credit{}, storetest.Author); err == nil {
			t.Error("nobody was erased")
		}
	})
}
