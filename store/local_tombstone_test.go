// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"essaim"
	"essaim/store"
	"essaim/store/storetest"
)

// withdrawn is a node that follows Toulouse, and withdrew a record of it that held
// the canary.
func withdrawn(t *testing.T, db storetest.DB) (*node, essaim.Replicate, essaim.ItemDetail) {
	t.Helper()
	n := followed(t, db)
	v := secret("jardin", 1)
	v.Record.CopyDigest = strings.Repeat("c", 64)
	n.arrives(t, "https://toulouse.example/activities/1", toulouseTerritory, essaim.Applied{Effects: []essaim.Effect{v}})
	d, err := n.WithdrawHere(t.Context(), v.Record.ID, 0, "demande fondée")
	if err != nil {
		t.Fatal(err)
	}
	return n, v, d
}

func TestARecordOfAnotherTerritoryIsWithdrawnHereAndStaysAway(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n, v, d := withdrawn(t, db)
		if d.Kind != essaim.ItemWithdrawal || d.State != essaim.ItemAccepted || d.About != v.Record.ID || d.Excerpt != "demande fondée" || len(d.Decisions) != 1 || d.Decisions[0].Action != "withdraw" {
			t.Errorf("item %+v", d)
		}
		if left := n.holding(t, canary); len(left) > 0 {
			t.Errorf("it is left in %v", left)
		}
		w, err := n.Withdrawal(t.Context(), v.Record.ID)
		if err != nil || w.Origin != toulouse || w.Digest != "content" || w.At.IsZero() {
			t.Errorf("local tombstone %+v, %v", w, err)
		}
		for host, want := range map[string]map[string]bool{toulouse: {v.Record.ID: true}, "ailleurs.example": {}} {
			if got, err := n.WithdrawnHere(t.Context(), host); err != nil || !maps.Equal(got, want) {
				t.Errorf("withdrawn of %s: %v, %v; want %v", host, got, err, want)
			}
		}
		// Pushed again, edited, signed anew, mended, read as a candidate: nothing brings it.
		later := secret("jardin", 2)
		later.Record.CopyDigest = strings.Repeat("d", 64)
		repair := later
		repair.Repair = true
		for _, e := range []essaim.Effect{v, repair, later} {
			n.arrives(t, "https://toulouse.example/activities/again"+string(rune('a'+one[int](t, n, "SELECT count(*) FROM inbox"))), toulouseTerritory, essaim.Applied{Effects: []essaim.Effect{e}})
		}
		if left := n.holding(t, canary); len(left) > 0 {
			t.Errorf("it came back to %v", left)
		}
		held, err := n.HeldCopies(t.Context(), []string{v.Record.ID})
		if err != nil || !held[v.Record.ID].Gone {
			t.Errorf("whoever has a copy of it may bring it: %+v, %v", held, err)
		}
		// The comparison finds no difference in what is not shown.
		items, err := n.CopyItems(t.Context(), toulouse, "", 10)
		if err != nil || len(items) != 1 || items[0].Digest != later.Record.CopyDigest {
			t.Errorf("the digest tree has %v, %v; want the digest that the origin lists", items, err)
		}
		if copies, err := n.Copies(t.Context(), toulouse, "", 10); err != nil || len(copies) != 0 {
			t.Errorf("copies %v, %v", copies, err)
		}
		if served, _, err := n.CopiesAfter(t.Context(), toulouse, "", "", 10, 1<<20); err != nil || len(served) != 0 {
			t.Errorf("it is served again: %v, %v", served, err)
		}
		if _, err := n.WithdrawHere(t.Context(), v.Record.ID, 0, "encore"); !errors.Is(err, essaim.ErrConflict) {
			t.Errorf("withdrawn twice: %v", err)
		}
		if broken, err := n.Check(t.Context()); err != nil || len(broken) > 0 {
			t.Errorf("broken rules: %v, %v", broken, err)
		}
		// Another node on a backup of this one knows it too.
		_, manifest := backup(t, n)
		if !slices.ContainsFunc(manifest.Tables, func(m store.ManifestTable) bool { return m.Name == "withdrawal" && m.Rows == 1 }) {
			t.Error("a backup leaves it out")
		}
	})
}

func TestALiftedWithdrawalLetsTheRecordComeAgain(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n, v, d := withdrawn(t, db)
		before, err := n.Record(t.Context(), v.Record.ID)
		if err != nil {
			t.Fatal(err)
		}
		got, err := n.DecideItem(t.Context(), d.N, essaim.ItemRestore, 0, "à tort")
		if err != nil || got.State != essaim.ItemHidden || got.Decisions[1].Action != "restore" {
			t.Fatalf("restored: %+v, %v", got, err)
		}
		if _, err := n.Withdrawal(t.Context(), v.Record.ID); !errors.Is(err, essaim.ErrNotFound) {
			t.Errorf("the local tombstone: %v", err)
		}
		if got, err := n.DecideItem(t.Context(), d.N, essaim.ItemRestore, 0, "encore"); !errors.Is(err, essaim.ErrConflict) {
			t.Errorf("restored twice: %+v, %v", got, err)
		}
		if items, err := n.CopyItems(t.Context(), toulouse, "", 10); err != nil || len(items) != 0 {
			t.Errorf("a comparison would not miss it: %v, %v", items, err)
		}
		n.apply(t, toulouseTerritory, v)
		again, err := n.Record(t.Context(), v.Record.ID)
		if err != nil || again.State != essaim.StatePublished || again.Slug != before.Slug {
			t.Errorf("fetched again: %s at %s, %v; want it at %s", again.State, again.Slug, err, before.Slug)
		}
		// And the other way again.
		if got, err := n.DecideItem(t.Context(), d.N, essaim.ItemAccept, 0, "tout de même"); err != nil || got.State != essaim.ItemAccepted {
			t.Errorf("withdrawn again: %+v, %v", got, err)
		}
		if left := n.holding(t, canary); len(left) > 0 {
			t.Errorf("it is left in %v", left)
		}
		if broken, err := n.Check(t.Context()); err != nil || len(broken) > 0 {
			t.Errorf("broken rules: %v, %v", broken, err)
		}
	})
}

func TestADeletionByTheOriginStandsBesideALocalWithdrawal(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n, v, d := withdrawn(t, db)
		n.apply(t, toulouseTerritory, essaim.Erase{ID: v.Record.ID, Actor: toulouseTerritory, Tombstone: []byte("gone"), CopyDigest: strings.Repeat("e", 64), At: n.clock.now()})
		items, err := n.CopyItems(t.Context(), toulouse, "", 10)
		if err != nil || len(items) != 1 || items[0].Digest != strings.Repeat("e", 64) {
			t.Errorf("the digest tree has %v, %v; want the tombstone", items, err)
		}
		if _, err := n.DecideItem(t.Context(), d.N, essaim.ItemRestore, 0, ""); err != nil {
			t.Fatal(err)
		}
		if got := n.apply(t, toulouseTerritory, secret("jardin", 9)); got.State != essaim.InboundIgnored {
			t.Errorf("what its origin deleted came back: %s", got.State)
		}
		if broken, err := n.Check(t.Context()); err != nil || len(broken) > 0 {
			t.Errorf("broken rules: %v, %v", broken, err)
		}
	})
}

func TestANoticeWaitsForAModeratorAndWithdrawsNothingByItself(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := followed(t, db)
		v := version("jardin", 10, 1)
		n.apply(t, toulouseTerritory, v)
		own := storetest.Publish(t, n.Store, storetest.Initiative("D'ici"))
		notice := func(id, object, digest string) essaim.FileReport {
			return essaim.FileReport{Report: essaim.Report{ID: "https://toulouse.example/activities/" + id, Host: toulouse, Objects: []string{object}, Text: "Demande fondée.", Withdrawn: digest, ReceivedAt: n.clock.now()}}
		}
		if got := n.apply(t, "https://toulouse.example/actor", notice("report", v.Record.ID, "")); got.State != essaim.InboundIgnored {
			t.Errorf("a report about what is not of this node is %s", got.State)
		}
		n.apply(t, "https://toulouse.example/actor", notice("notice", v.Record.ID, strings.Repeat("a", 64)), notice("own", own.ID, strings.Repeat("a", 64)))
		held, err := n.Items(t.Context(), essaim.ItemFilter{State: essaim.ItemHeld})
		if err != nil || len(held) != 2 {
			t.Fatalf("%d items wait, %v", len(held), err)
		}
		if r, err := n.Record(t.Context(), v.Record.ID); err != nil || r.State != essaim.StatePublished {
			t.Errorf("a notice alone withdrew it: %s, %v", r.State, err)
		}
		for _, i := range held {
			d, err := n.DecideItem(t.Context(), i.N, essaim.ItemAccept, 0, "fondée")
			if err != nil || d.Report == nil || d.Report.Withdrawn != strings.Repeat("a", 64) {
				t.Errorf("%+v, %v", d.Report, err)
			}
		}
		if _, err := n.Withdrawal(t.Context(), v.Record.ID); err != nil {
			t.Errorf("accepted, and not withdrawn: %v", err)
		}
		if r, err := n.Record(t.Context(), own.ID); err != nil || r.State != essaim.StatePublished {
			t.Errorf("one of this node is %s, %v: it is withdrawn on its page", r.State, err)
		}
		if n := one[int](t, n, "SELECT count(*) FROM activity WHERE type = 'Flag'"); n != 0 {
			t.Errorf("%d notices are sent on", n)
		}
		done, err := n.Items(t.Context(), essaim.ItemFilter{State: essaim.ItemAccepted, Kind: essaim.ItemWithdrawal})
		if err != nil || len(done) != 1 || done[0].Ref != v.Record.ID {
			t.Errorf("withdrawals %v, %v", done, err)
		}
	})
}

func TestAWithdrawalIsAddressedByAPageAndOfferedToTheNodesThatAreFollowed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := followed(t, db)
		a, b := version("jardin", 10, 1), version("four", 10, 1)
		n.apply(t, toulouseTerritory, a)
		n.apply(t, toulouseTerritory, b)
		own := storetest.Publish(t, n.Store, storetest.Initiative("D'ici"))
		for address, want := range map[string]string{
			brest + "/ailleurs/toulouse.example/jardin": a.Record.ID, // here
			b.Record.URL: b.Record.ID, // there
			own.URL:      own.ID,
		} {
			if d, err := n.WithdrawHere(t.Context(), address, 0, "fondée"); err != nil || d.Ref != want {
				t.Errorf("%s: %s, %v; want %s", address, d.Ref, err, want)
			}
		}
		for _, address := range []string{"", "jardin", brest, brest + "/initiatives/nulle-part", "https://ailleurs.example/initiatives/x", "https://toulouse.example/recettes/jardin"} {
			if _, err := n.WithdrawHere(t.Context(), address, 0, ""); !errors.Is(err, essaim.ErrNotFound) && !errors.Is(err, essaim.ErrInvalid) {
				t.Errorf("%q: %v", address, err)
			}
		}
		if got := one[int](t, n, "SELECT count(*) FROM delivery d JOIN activity a ON a.id = d.activity_id WHERE a.type = 'Flag' AND d.inbox = 'https://toulouse.example/inbox' AND a.receiver = 'https://toulouse.example/actor'"); got != 2 {
			t.Errorf("%d notices are on their way, want those of the two records of others", got)
		}
		items, err := n.Items(t.Context(), essaim.ItemFilter{State: essaim.ItemAccepted, Kind: essaim.ItemWithdrawal})
		if err != nil || len(items) != 3 {
			t.Fatalf("%v, %v", items, err)
		}
		for _, i := range items {
			_, err := n.DecideItem(t.Context(), i.N, essaim.ItemRestore, 0, "")
			if forbidden := errors.Is(err, essaim.ErrForbidden); forbidden != (i.Ref == own.ID) || err != nil && !forbidden {
				t.Errorf("lifting %s: %v", i.Ref, err)
			}
		}
	})
}
