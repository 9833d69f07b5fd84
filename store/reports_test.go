// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/store/storetest"
)

func TestAFlagIsKeptOfWhatIsOurs(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		object := n.record(t, "jardin")
		const note = "https://a.example/notes/1"
		n.apply(t, ana, comment(note, object, n.clock.now()))
		flag := func(id string, objects ...string) essaim.FileReport {
			return essaim.FileReport{Report: essaim.Report{ID: id, Host: "b.example", Objects: objects, Text: strings.Repeat("é", 6000), Contact: "x"}}
		}
		n.apply(t, "https://b.example/actor", flag("https://b.example/flags/1", "https://c.example/notes/1", note, note, object))
		d, err := n.Item(t.Context(), n.item(t, "https://b.example/flags/1").N)
		if err != nil || d.State != essaim.ItemHeld || d.About != object || d.Actor != "" || d.Report == nil {
			t.Fatalf("%+v, %v", d, err)
		}
		if r := d.Report; r.Host != "b.example" || !slices.Equal(r.Objects, []string{note, object}) || len([]rune(r.Text)) != essaim.MaxReport {
			t.Errorf("host %s, objects %v, %d characters", r.Host, r.Objects, len([]rune(r.Text)))
		}
		if len([]rune(d.Excerpt)) > essaim.MaxExcerpt {
			t.Errorf("excerpt of %d characters", len([]rune(d.Excerpt)))
		}
		for _, e := range []essaim.FileReport{flag("https://b.example/flags/1", object), flag("https://b.example/flags/2", "https://c.example/notes/1"), flag("https://b.example/flags/3", note, object)} {
			if got := n.apply(t, "https://b.example/actor", e); got.State != essaim.InboundIgnored {
				t.Errorf("%s is %s", e.Report.ID, got.State)
			}
		}
		n.decide(t, d.Item, essaim.ItemAccept)
		if got := n.item(t, note).State; got != essaim.ItemHidden {
			t.Errorf("the comment is %s", got)
		}
	})
}

// A report stays a year; longer, without its author's address, until it and what
// was decided of it are a year old.
func TestAReportGoesAYearAfterItIsDecided(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		object := n.record(t, "jardin")
		for _, id := range []string{"decided", "late", "waits"} {
			if err := n.Report(t.Context(), essaim.Report{ID: id, Contact: "quelqu-une@brest.example", Objects: []string{object}, Text: "fausse adresse"}); err != nil {
				t.Fatal(err)
			}
		}
		day := func(days int, kept string, contacts int) {
			t.Helper()
			n.clock.pass(time.Duration(days) * 24 * time.Hour)
			if err := n.Tidy(t.Context()); err != nil {
				t.Fatal(err)
			}
			var ids []string
			for _, id := range []string{"decided", "late", "waits"} {
				if _, err := n.Receipt(t.Context(), id); err == nil {
					ids = append(ids, id)
				}
			}
			if got := strings.Join(ids, " "); got != kept {
				t.Errorf("kept: %q, want %q", got, kept)
			}
			if got := one[int](t, n, "SELECT count(*) FROM report WHERE contact <> ''"); got != contacts {
				t.Errorf("%d addresses kept, want %d", got, contacts)
			}
			if got, want := one[int](t, n, "SELECT count(*) FROM item WHERE kind = 'report'"), len(ids); got != want {
				t.Errorf("%d items for %d reports", got, want)
			}
		}
		n.decide(t, n.item(t, "decided"), essaim.ItemHide)
		day(364, "decided late waits", 3)
		n.decide(t, n.item(t, "late"), essaim.ItemHide)
		day(2, "late waits", 0)
		day(364, "waits", 0)
		if got := one[int](t, n, "SELECT count(*) FROM decision WHERE subject = '' AND reason = '' AND after_state = 'hidden'"); got != 2 {
			t.Errorf("the journal has %d lines of what is erased, want 2", got)
		}
	})
}

func TestAFlagOfAnActorIsKeptWhenNothingElseIsOurs(t *testing.T) {
	t.Parallel()
	const note = "https://c.example/notes/1"
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		record := n.record(t, "jardin")
		flag := func(id string, objects ...string) essaim.FileReport {
			return essaim.FileReport{Report: essaim.Report{ID: id, Host: "b.example", Objects: objects}, Actors: []string{territory}}
		}
		for id, c := range map[string]struct {
			objects []string
			about   string
		}{
			"https://b.example/flags/1": {[]string{note}, territory},
			"https://b.example/flags/2": {[]string{note, record}, record},
		} {
			n.apply(t, "https://b.example/actor", flag(id, c.objects...))
			d, err := n.Item(t.Context(), n.item(t, id).N)
			if err != nil || d.State != essaim.ItemHeld || d.About != c.about || d.Report == nil || !slices.Equal(d.Report.Objects, []string{c.about}) {
				t.Fatalf("%s: %+v, %+v, %v", id, d, d.Report, err)
			}
		}
		if got := n.apply(t, "https://b.example/actor", flag("https://b.example/flags/3")); got.State != essaim.InboundIgnored {
			t.Errorf("reported again while it waits: %s", got.State)
		}
		n.decide(t, n.item(t, "https://b.example/flags/1"), essaim.ItemAccept)
	})
}

func TestWhoBlocksUsIsSentNothingMore(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		const bob = "https://a.example/users/bob"
		n.follow(t, territory, ana, ana+"/inbox")
		n.follow(t, territory, bob, bob+"/inbox")
		n.follow(t, nodeActor, ana, ana+"/inbox")
		n.publish(t, "Create", "1", "o")
		n.dispatch(t)
		n.apply(t, ana, essaim.Refuse{Local: territory, Actor: ana})
		if got, err := n.Followers(t.Context(), territory, "", 10); err != nil || !slices.Equal(got, []string{bob}) {
			t.Errorf("followers %v, %v", got, err)
		}
		if got, _ := n.Followers(t.Context(), nodeActor, "", 10); !slices.Equal(got, []string{ana}) {
			t.Errorf("followers of another actor %v", got)
		}
		if got := n.take(t, "a.example", 10); len(got) != 1 || got[0].Inbox != bob+"/inbox" {
			t.Errorf("sent %+v", got)
		}
	})
}
