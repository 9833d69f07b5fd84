// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"slices"
	"testing"
	"time"

	"essaim"
	"essaim/store/storetest"
)

func TestAvatarsAreCopiedOfWhomAPageShows(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		const silent, file = "https://b.example/users/silent", "aa.png"
		n := newNode(t, db)
		object := n.record(t, "jardin")
		save := func(id, icon string) {
			t.Helper()
			a := remote(id, "Person", anaInbox, n.clock.now())
			a.Icon = icon
			if err := n.SaveRemoteActor(t.Context(), a); err != nil {
				t.Fatal(err)
			}
		}
		due := func(want ...essaim.Avatar) {
			t.Helper()
			got, err := n.DueAvatars(t.Context(), 10)
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("due %v, %v; want %v", got, err, want)
			}
		}
		named := func(want bool) {
			t.Helper()
			if got, err := n.HasPicture(t.Context(), file); err != nil || got != want {
				t.Errorf("named %v, %v; want %v", got, err, want)
			}
		}
		save(ana, "https://a.example/ana.png")
		save(silent, "https://b.example/silent.png")
		held := comment("https://a.example/notes/1", object, n.clock.now())
		n.apply(t, ana, held)
		due()
		shown := comment("https://a.example/notes/2", object, n.clock.now())
		shown.Policy = essaim.CommentsShown
		n.apply(t, ana, shown)
		want := essaim.Avatar{Actor: ana, Source: "https://a.example/ana.png"}
		due(want)
		due() // claimed
		n.clock.pass(25 * time.Hour)
		due(want) // what failed is tried again
		if err := n.SaveAvatar(t.Context(), want, file); err != nil {
			t.Fatal(err)
		}
		if c, err := n.Comments(t.Context(), object, 0, 10); err != nil || len(c) != 1 || c[0].Avatar != "/m/"+file {
			t.Errorf("comments %+v, %v", c, err)
		}
		named(true)
		n.clock.pass(25 * time.Hour)
		due()
		want.Source = "https://a.example/new.png"
		save(ana, want.Source)
		due(want)
		if err := n.SaveAvatar(t.Context(), want, file); err != nil {
			t.Fatal(err)
		}
		n.apply(t, ana, essaim.EraseComment{ID: shown.ID, Actor: ana})
		n.clock.pass(31 * 24 * time.Hour)
		due()
		named(false) // no page shows it
		again := comment("https://a.example/notes/3", object, n.clock.now())
		again.Policy = essaim.CommentsShown
		n.apply(t, ana, again)
		due(want)
		if err := n.SaveAvatar(t.Context(), want, file); err != nil {
			t.Fatal(err)
		}
		named(true)
		n.apply(t, ana, essaim.ForgetActor{Actor: ana})
		named(false)
	})
}
