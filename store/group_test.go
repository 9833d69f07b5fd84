// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"strings"
	"testing"

	"essaim"
	"essaim/store/storetest"
)

func TestACommunityAnnouncesAllThatTheTerritorySends(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newAnnouncing(t, db)
		storetest.Publish(t, n.Store, storetest.Initiative("Avant"))
		for range 2 {
			if id, err := n.OpenGroup(t.Context()); err != nil || id != actors+"groupe_brest" {
				t.Fatalf("%s, %v", id, err)
			}
		}
		n.follow(t, actors+"groupe_brest", "https://lemmy.example/u/a", "https://lemmy.example/inbox")
		// sent dispatches, and names what waits for Lemmy: "record", or the type of
		// the activity that is announced whole.
		sent := func() string {
			t.Helper()
			n.announced(t)
			if _, err := n.Dispatch(t.Context(), storetest.Base+"/actor", 100); err != nil {
				t.Fatal(err)
			}
			rows, err := n.DB().QueryContext(t.Context(), `SELECT x.object, coalesce(b.type, 'record') FROM delivery d JOIN activity a ON a.id = d.activity_id
				JOIN announce x ON x.actor = a.actor AND a.id = $1 || substr(x.object, length(x.object) - 25) LEFT JOIN activity b ON b.id = x.object
				WHERE d.host = 'lemmy.example' AND a.type = 'Announce' ORDER BY d.id`, storetest.Base+"/activities/groupe_brest-")
			if err != nil {
				t.Fatal(err)
			}
			defer rows.Close()
			var kinds []string
			for rows.Next() {
				var object, kind string
				if err := rows.Scan(&object, &kind); err != nil {
					t.Fatal(err)
				}
				kinds = append(kinds, kind)
			}
			if err := rows.Err(); err != nil {
				t.Fatal(err)
			}
			return strings.Join(kinds, " ")
		}
		rec := storetest.Publish(t, n.Store, storetest.Initiative("Jardin"))
		if got, want := sent(), "Create record"; got != want {
			t.Errorf("at a publication: %s, want %s", got, want)
		}
		n.edit(t, rec.ID, func(c *essaim.Content) { c.Title = "Jardin partagé" })
		if got, want := sent(), "Create record Update"; got != want {
			t.Errorf("after an edit: %s, want %s", got, want)
		}
		if err := n.WithdrawRecord(t.Context(), rec.ID, storetest.Author); err != nil {
			t.Fatal(err)
		}
		// What has not gone out of an erased record does not go out any more.
		if got, want := sent(), "Delete"; got != want {
			t.Errorf("after the withdrawal: %s, want %s", got, want)
		}
	})
}
