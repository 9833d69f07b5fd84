// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/store/storetest"
)

// item finds an item by what it refers to.
func (n *node) item(t testing.TB, ref string) essaim.Item {
	t.Helper()
	for _, state := range essaim.ItemStates() {
		items, err := n.Items(t.Context(), essaim.ItemFilter{State: state, Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range items {
			if i.Ref == ref {
				return i
			}
		}
	}
	t.Fatalf("no item %s", ref)
	return essaim.Item{}
}

func (n *node) decide(t testing.TB, i essaim.Item, a essaim.ItemAction) essaim.ItemDetail {
	t.Helper()
	d, err := n.DecideItem(t.Context(), i.N, a, 7, "because of "+string(a))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// shown lists the ids of a record's comments that everyone may see.
func (n *node) shown(t testing.TB, record string) []string {
	t.Helper()
	ids := []string{}
	all, err := n.Comments(t.Context(), record, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		ids = append(ids, c.ID)
	}
	if count, err := n.CountComments(t.Context(), record); err != nil || count != len(ids) {
		t.Errorf("%d comments counted, %v; %d listed", count, err, len(ids))
	}
	return ids
}

func TestAModeratorDecidesWhatIsShown(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		object := n.record(t, "jardin")
		const first, second = "https://a.example/notes/1", "https://a.example/notes/2"
		n.apply(t, ana, comment(first, object, n.clock.now()))
		n.apply(t, ana, comment(second, first, n.clock.now()))
		if got := n.shown(t, object); len(got) != 0 {
			t.Errorf("shown before anybody decided: %v", got)
		}
		i := n.item(t, second)
		if i.Kind != essaim.ItemComment || i.State != essaim.ItemHeld || i.Actor != ana || i.About != object || i.Excerpt != second || !i.ReceivedAt.Equal(n.clock.now()) {
			t.Errorf("item %+v", i)
		}
		steps := []struct {
			do    essaim.ItemAction
			err   error
			state essaim.ItemState
		}{
			{essaim.ItemRestore, essaim.ErrConflict, essaim.ItemHeld},
			{essaim.ItemHide, nil, essaim.ItemHidden},
			{essaim.ItemHide, essaim.ErrConflict, essaim.ItemHidden},
			{essaim.ItemRestore, nil, essaim.ItemHeld},
			{essaim.ItemAccept, nil, essaim.ItemAccepted},
			{essaim.ItemAccept, essaim.ErrConflict, essaim.ItemAccepted},
			{essaim.ItemHide, nil, essaim.ItemHidden},
			{essaim.ItemRestore, nil, essaim.ItemAccepted},
			{"burn", essaim.ErrInvalid, essaim.ItemAccepted},
		}
		done := 0
		for _, s := range steps {
			d, err := n.DecideItem(t.Context(), i.N, s.do, 7, "r")
			if !errors.Is(err, s.err) || err == nil && d.State != s.state {
				t.Errorf("%s: %s, %v; want %s, %v", s.do, d.State, err, s.state, s.err)
			}
			if err == nil {
				done++
			}
			want := 0
			if s.state == essaim.ItemAccepted {
				want = 1
			}
			if got := n.shown(t, object); len(got) != want {
				t.Errorf("after %s %v is shown", s.do, got)
			}
		}
		d, err := n.Item(t.Context(), i.N)
		if err != nil || len(d.Decisions) != done || d.Comment == nil || d.Comment.Content != "<p>"+second+"</p>" || d.Comment.InReplyTo != first || d.Comment.Record != object {
			t.Fatalf("item %+v, %v", d, err)
		}
		if x := d.Decisions[1]; x.Account != 7 || x.Action != "restore" || x.Kind != "comment" || x.Subject != second || x.Before != "hidden" || x.After != "held" || x.Reason != "r" || !x.At.Equal(n.clock.now()) {
			t.Errorf("journal %+v", x)
		}
		if all, err := n.Decisions(t.Context(), 0, 2); err != nil || len(all) != 2 || all[0].N <= all[1].N || all[0].N != d.Decisions[done-1].N {
			t.Errorf("newest of the journal %+v, %v", all, err)
		}
		if _, err := n.Item(t.Context(), 999); !errors.Is(err, essaim.ErrNotFound) {
			t.Errorf("an item that is not there: %v", err)
		}
		if _, err := n.DecideItem(t.Context(), 999, essaim.ItemHide, 7, ""); !errors.Is(err, essaim.ErrNotFound) {
			t.Errorf("decided about nothing: %v", err)
		}
		// Its author deletes it: the journal no longer says what it was about.
		n.apply(t, ana, essaim.Erase{ID: second, Actor: ana})
		all, err := n.Decisions(t.Context(), 0, 100)
		if err != nil || len(all) != done || slices.ContainsFunc(all, func(d essaim.Decision) bool { return d.Subject != "" }) {
			t.Errorf("journal after an erasure %+v, %v", all, err)
		}
		if got := one[int](t, n, "SELECT count(*) FROM item"); got != 1 {
			t.Errorf("%d items left, want the other comment's", got)
		}
	})
}

func TestItemsAreListedByStateAndKindInPages(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		object := n.record(t, "jardin")
		for i := range 5 {
			n.apply(t, ana, comment(fmt.Sprintf("https://a.example/notes/%d", i), object, n.clock.now()))
		}
		n.decide(t, n.item(t, "https://a.example/notes/1"), essaim.ItemHide)
		var got []string
		for after := int64(0); ; {
			page, err := n.Items(t.Context(), essaim.ItemFilter{State: essaim.ItemHeld, Kind: essaim.ItemComment, After: after, Limit: 3})
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			for _, i := range page {
				got = append(got, i.Ref[len(i.Ref)-1:])
			}
			after = page[len(page)-1].N
		}
		if strings.Join(got, "") != "0234" {
			t.Errorf("held: %v, want each once, the oldest first, without the hidden one", got)
		}
		if page, err := n.Items(t.Context(), essaim.ItemFilter{State: essaim.ItemHeld, Kind: essaim.ItemReport}); err != nil || len(page) != 0 {
			t.Errorf("reports: %v, %v", page, err)
		}
		// Comments are paged in the order in which they came.
		for _, i := range []int{4, 0, 2} {
			n.decide(t, n.item(t, fmt.Sprintf("https://a.example/notes/%d", i)), essaim.ItemAccept)
		}
		first, err := n.Comments(t.Context(), object, 0, 2)
		if err != nil || len(first) != 2 {
			t.Fatalf("%v, %v", first, err)
		}
		rest, err := n.Comments(t.Context(), object, first[1].N, 2)
		if err != nil || len(rest) != 1 || first[0].ID+first[1].ID+rest[0].ID != "https://a.example/notes/0https://a.example/notes/2https://a.example/notes/4" {
			t.Errorf("pages %v and %v, %v", first, rest, err)
		}
	})
}

// The policy decides about what nobody read: the first comment of an author, the
// next, a changed one.
func TestThePolicyDecidesWhatWaits(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		object := n.record(t, "jardin")
		seq := 0
		send := func(actor string, p essaim.CommentPolicy) string {
			t.Helper()
			seq++
			c := comment(fmt.Sprintf("%s/notes/%d", actor, seq), object, n.clock.now())
			c.Actor, c.Policy = actor, p
			n.apply(t, actor, c)
			return c.ID
		}
		is := func(id string, want essaim.ItemState) {
			t.Helper()
			if got := n.item(t, id).State; got != want {
				t.Errorf("%s is %s, want %s", id, got, want)
			}
			if got := slices.Contains(n.shown(t, object), id); got != (want == essaim.ItemAccepted) {
				t.Errorf("%s shown: %v", id, got)
			}
		}
		is(send(ana, essaim.CommentsHeld), essaim.ItemHeld)
		is(send(ana, ""), essaim.ItemHeld)
		is(send(ana, essaim.CommentsShown), essaim.ItemAccepted)
		const bob, eve = "https://a.example/users/bob", "https://a.example/users/eve"
		first := send(bob, essaim.CommentsKnown)
		is(first, essaim.ItemHeld)
		n.decide(t, n.item(t, first), essaim.ItemAccept)
		second := send(bob, essaim.CommentsKnown)
		is(second, essaim.ItemAccepted)
		is(send(eve, essaim.CommentsKnown), essaim.ItemHeld) // not she
		n.decide(t, n.item(t, second), essaim.ItemHide)
		is(send(bob, essaim.CommentsKnown), essaim.ItemHeld) // one of his is hidden

		changed := comment(first, object, n.clock.now().Add(time.Minute))
		changed.Actor, changed.Policy = bob, essaim.CommentsShown
		n.apply(t, bob, changed)
		is(first, essaim.ItemAccepted)
		changed.Updated, changed.Policy = changed.Updated.Add(time.Minute), essaim.CommentsHeld
		n.apply(t, bob, changed)
		is(first, essaim.ItemHeld)
		hidden := comment(second, object, n.clock.now().Add(time.Minute))
		hidden.Actor, hidden.Policy = bob, essaim.CommentsShown
		n.apply(t, bob, hidden)
		is(second, essaim.ItemHidden) // a new version brings nothing back
	})
}

func TestACommentCarriesItsAuthorAndIsGoneWithItsRecord(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		s, clock := n.Store, n.clock
		rec := storetest.Publish(t, s, storetest.Initiative("Jardin"))
		actor := remote(ana, "Person", anaInbox, clock.now())
		actor.Name, actor.URL = "Contributrice de démonstration", "https://a.example/@ana"
		if err := s.SaveRemoteActor(t.Context(), actor); err != nil {
			t.Fatal(err)
		}
		for i, id := range []string{"https://a.example/notes/1", "https://b.example/notes/2"} {
			c := comment(id, rec.ID, clock.now())
			c.Policy, c.Language, c.Warning, c.URL = essaim.CommentsShown, "fr", "attention", "https://a.example/@ana/1"
			if i == 1 {
				c.Actor, c.URL = "https://b.example/users/bob", ""
			}
			n.apply(t, c.Actor, c)
		}
		all, err := s.Comments(t.Context(), rec.ID, 0, 10)
		if err != nil || len(all) != 2 {
			t.Fatalf("%v, %v", all, err)
		}
		if c := all[0]; c.Name != actor.Name || c.Handle != "@ana@a.example" || c.ActorURL != actor.URL || c.URL != "https://a.example/@ana/1" || c.Language != "fr" || c.Warning != "attention" {
			t.Errorf("comment %+v", c)
		}
		if c := all[1]; c.Name != "b.example" || c.Handle != "b.example" || c.ActorURL != c.Actor || c.URL != c.ID {
			t.Errorf("comment of an actor that is not cached %+v", c)
		}
		if err := s.WithdrawRecord(t.Context(), rec.ID, storetest.Author); err != nil {
			t.Fatal(err)
		}
		for _, table := range []string{"comment", "item"} {
			if got := one[int](t, n, "SELECT count(*) FROM "+table); got != 0 {
				t.Errorf("%d rows left in %s of a record that was withdrawn", got, table)
			}
		}
		if got := n.apply(t, ana, comment("https://a.example/notes/3", rec.ID, clock.now())); got.State != essaim.InboundIgnored {
			t.Errorf("a comment about it is %s", got.State)
		}
	})
}

// Nobody reads letters here: not a byte of one stays, nor of the public answer
// that it takes the place of.
func TestOfALetterNothingStays(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		object := n.record(t, "jardin")
		const never, before = "https://a.example/notes/1", "https://a.example/notes/2"
		open := comment(before, object, n.clock.now())
		open.Policy = essaim.CommentsShown
		n.apply(t, ana, open)
		for _, id := range []string{never, before} {
			n.apply(t, ana, essaim.EraseComment{ID: id, Actor: ana})
		}
		if got := one[int](t, n, "SELECT count(*) FROM inbox WHERE raw IS NOT NULL"); got != 0 {
			t.Errorf("%d received copies are kept", got)
		}
		if got := n.shown(t, object); len(got) != 0 {
			t.Errorf("still shown: %v", got)
		}
		if got := n.apply(t, ana, comment(never, object, n.clock.now())); got.State != essaim.InboundIgnored {
			t.Errorf("a letter made public is %s", got.State)
		}
	})
}
