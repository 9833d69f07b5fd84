// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/store/storetest"
)

func TestAListIsDatedByFirstPublications(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newAnnouncing(t, db)
		rec := storetest.Publish(t, n.Store, storetest.Initiative("Jardin"))
		n.clock.Move(time.Hour)
		n.edit(t, rec.ID, func(c *essaim.Content) { c.Title = "Jardin partagé" })
		for _, a := range []essaim.LocalActor{
			{Kind: essaim.ActorNode}, {Kind: essaim.ActorTheme, Subject: "alimentation"}, {Kind: essaim.ActorCommune, Subject: "29019"},
		} {
			down, err := n.Listed(t.Context(), a, 0, 10)
			if err != nil {
				t.Fatal(err)
			}
			up, err := n.ListedAfter(t.Context(), a, 0, 10)
			if err != nil {
				t.Fatal(err)
			}
			for _, got := range [][]essaim.ListEntry{down, up} {
				if len(got) != 1 || !got[0].Published.Equal(rec.Published) {
					t.Errorf("%s lists %v, want one of %s", a.Kind, got, rec.Published)
				}
			}
		}
	})
}

func TestWhoWasToldByAnAnnounceIsToldOfEditsAndTheEnd(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newAnnouncing(t, db)
		const node, territory = storetest.Base + "/actor", actors + "brest"
		const named, namedInbox = "https://m.example/users/a", "https://m.example/inbox"
		storetest.Publish(t, n.Store, storetest.Initiative("Avant", func(c *essaim.Content) { c.Themes = append(c.Themes, "jardins") }))
		if _, err := n.Dispatch(t.Context(), node, 100); err != nil {
			t.Fatal(err)
		}
		n.follow(t, alimentation, named, namedInbox)
		n.follow(t, commune, named, namedInbox)
		n.follow(t, alimentation, "https://both.example/users/a", "https://both.example/inbox")
		n.follow(t, territory, "https://both.example/users/a", "https://both.example/inbox")
		n.follow(t, commune, "https://weekly.example/users/a", "https://weekly.example/inbox")
		n.follow(t, jardins, "https://never.example/users/a", "https://never.example/inbox")
		if err := n.SetProfile(t.Context(), "commune_brest", essaim.Profile{Weekly: "friday"}); err != nil {
			t.Fatal(err)
		}
		sent := func(when string, want map[string]string) {
			t.Helper()
			n.announced(t)
			if _, err := n.Dispatch(t.Context(), node, 100); err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			rows, err := n.DB().QueryContext(t.Context(), "SELECT d.host, a.type FROM delivery d JOIN activity a ON a.id = d.activity_id ORDER BY d.id")
			if err != nil {
				t.Fatal(err)
			}
			defer rows.Close()
			for rows.Next() {
				var host, kind string
				if err := rows.Scan(&host, &kind); err != nil {
					t.Fatal(err)
				}
				got[host] = strings.TrimSpace(got[host] + " " + kind)
			}
			if err := rows.Err(); err != nil {
				t.Fatal(err)
			}
			if !maps.Equal(got, want) {
				t.Errorf("%s: sent %v, want %v", when, got, want)
			}
		}
		rec := storetest.Publish(t, n.Store, storetest.Initiative("Jardin"))
		sent("published", map[string]string{"m.example": "Announce", "both.example": "Create Announce"})
		// Its text names one who follows the theme, and it leaves the theme.
		n.edit(t, rec.ID, func(c *essaim.Content) {
			c.Themes = []string{"nature"}
			c.Mentions = []essaim.Mention{{Handle: "@a@m.example", Actor: named}}
		})
		sent("edited", map[string]string{"m.example": "Announce Update", "both.example": "Create Announce Update"})
		if err := n.WithdrawRecord(t.Context(), rec.ID, storetest.Author); err != nil {
			t.Fatal(err)
		}
		// What waited of it is dropped; the weekly announce is not made, nor told the end of.
		sent("withdrawn", map[string]string{"m.example": "Delete", "both.example": "Delete"})
		n.clock.Move(5 * 24 * time.Hour)
		sent("on the feed's day", map[string]string{"m.example": "Delete", "both.example": "Delete"})
	})
}
