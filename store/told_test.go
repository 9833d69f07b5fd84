// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/store"
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

func TestTheFollowersOfARecordsActorAreToldWhatItBecomes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newAnnouncing(t, db)
		rec := storetest.Publish(t, n.Store, storetest.Initiative("Jardin"))
		seen := 0
		told := func(when, want string) {
			t.Helper()
			ids := n.updates(t)
			if want == "" {
				if len(ids) != seen {
					t.Errorf("%s: %d Updates, want %d", when, len(ids), seen)
				}
				return
			}
			if seen++; len(ids) != seen {
				t.Fatalf("%s: %d Updates, want %d", when, len(ids), seen)
			}
			d, err := n.Activity(t.Context(), ids[seen-1])
			if err != nil {
				t.Fatal(err)
			}
			var a struct {
				Actor  string
				Object struct{ ID, Name, Summary string }
			}
			if err := json.Unmarshal(d.Bytes, &a); err != nil || a.Actor != actors+"fiche_jardin" || a.Object.ID != a.Actor || a.Object.Name+", "+a.Object.Summary != want {
				t.Errorf("%s: told %s, want %s, %v", when, d.Bytes, want, err)
			}
			if _, err := n.Dispatch(t.Context(), storetest.Base+"/actor", 100); err != nil {
				t.Fatal(err)
			}
			var host string
			if err := n.DB().QueryRowContext(t.Context(), "SELECT host FROM delivery WHERE activity_id = $1", ids[seen-1]).Scan(&host); err != nil || host != "m.example" {
				t.Errorf("%s: delivered to %q, %v", when, host, err)
			}
		}
		n.edit(t, rec.ID, func(c *essaim.Content) { c.Title = "Jardin partagé" })
		told("nobody follows", "")
		n.follow(t, actors+"fiche_jardin", "https://m.example/users/a", "https://m.example/inbox")
		n.edit(t, rec.ID, func(c *essaim.Content) { c.Title = "Jardin du port" })
		told("retitled", "Jardin du port, En une phrase.")
		n.edit(t, rec.ID, func(c *essaim.Content) { c.Tagline = "En deux." })
		told("in another sentence", "Jardin du port, En deux.")
		n.edit(t, rec.ID, func(c *essaim.Content) { c.Text = "Tout autre chose." })
		told("in what its actor does not say", "")
		if err := n.SetProfile(t.Context(), "fiche_jardin", essaim.Profile{Name: "Le jardin"}); err != nil {
			t.Fatal(err)
		}
		told("named otherwise", "Le jardin, En deux.")
		if err := n.SetProfile(t.Context(), "fiche_jardin", essaim.Profile{Name: "Le jardin"}); err != nil {
			t.Fatal(err)
		}
		n.edit(t, rec.ID, func(c *essaim.Content) { c.Title = "Jardin" })
		told("as it is", "")
		if breaches, err := n.Check(t.Context()); err != nil || len(breaches) > 0 {
			t.Errorf("%v, %v", breaches, err)
		}
	})
}

func TestWhatAnActorBecomesIsToldInOneTransaction(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s, clock := db.Node(t, func(c *store.Config) {
			c.Tell = func(told essaim.Told) ([]byte, error) {
				if told.Verb == string(essaim.VerbUpdate) {
					return nil, essaim.ErrUnavailable
				}
				return storetest.Tell(told)
			}
		})
		n := &announcing{Store: s, clock: clock}
		rec := storetest.Publish(t, n.Store, storetest.Initiative("Jardin"))
		n.follow(t, actors+"fiche_jardin", "https://m.example/users/a", "https://m.example/inbox")
		changed := rec.Content
		changed.Title = "Jardin partagé"
		if _, err := n.UpdateRecord(t.Context(), rec.ID, 0, changed, essaim.StatePublished, storetest.Author); !errors.Is(err, essaim.ErrUnavailable) {
			t.Errorf("got %v", err)
		}
		if err := n.SetProfile(t.Context(), "fiche_jardin", essaim.Profile{Name: "Le jardin"}); !errors.Is(err, essaim.ErrUnavailable) {
			t.Errorf("got %v", err)
		}
		a, err := n.LocalActor(t.Context(), "fiche_jardin")
		if err != nil || a.Record.Title != "Jardin" || a.Record.Revision != 1 || a.Profile.Name != "" {
			t.Errorf("kept although nobody is told: %+v, %v", a, err)
		}
	})
}

func TestAnAnnounceIsDatedAsTheOutboxShowsItBeforeItIsSent(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newAnnouncing(t, db)
		group, err := n.OpenGroup(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, local := range []string{alimentation, jardins, group} {
			if local != group {
				storetest.Publish(t, n.Store, storetest.Initiative("Avant "+local, func(c *essaim.Content) { c.Themes = []string{strings.TrimPrefix(local, actors+"theme_")} }))
			}
			n.follow(t, local, "https://m.example/users/a", "https://m.example/inbox")
		}
		n.announced(t)
		rec := storetest.Publish(t, n.Store, storetest.Initiative("Jardin"))
		n.clock.Move(40 * time.Minute)
		n.announced(t)
		n.edit(t, rec.ID, func(c *essaim.Content) { c.Themes = append(c.Themes, "jardins") })
		n.clock.Move(40 * time.Minute)
		n.announced(t)
		created, _, err := n.Outbox(t.Context(), actors+"brest", 0, 1)
		if err != nil || len(created) != 1 {
			t.Fatalf("%s, %v", created, err)
		}
		var update struct{ ID string }
		if err := json.Unmarshal(created[0], &update); err != nil {
			t.Fatal(err)
		}
		edited, err := n.Record(t.Context(), rec.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, tt := range []struct {
			actor, object string
			want          time.Time
		}{{alimentation, rec.ID, rec.Published}, {jardins, rec.ID, rec.Published}, {group, rec.ID, rec.Published}, {group, update.ID, edited.Updated}} {
			d, err := n.Activity(t.Context(), essaim.AnnounceID(tt.actor, tt.object))
			if err != nil {
				t.Fatal(err)
			}
			var a struct{ Published time.Time }
			if err := json.Unmarshal(d.Bytes, &a); err != nil || !a.Published.Equal(tt.want) {
				t.Errorf("%s by %s: dated %s, want %s, %v", tt.object, tt.actor, a.Published, tt.want, err)
			}
		}
	})
}
