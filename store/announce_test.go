// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"essaim"
	"essaim/store"
	"essaim/store/storetest"
)

const (
	actors       = storetest.Base + "/actors/"
	alimentation = actors + "theme_alimentation"
	jardins      = actors + "theme_jardins"
	commune      = actors + "commune_brest"
)

// announcing is a node whose announces a test reads as they are made.
type announcing struct {
	*store.Store
	clock *storetest.Clock
	seen  int64 // of events
}

func newAnnouncing(t *testing.T, db storetest.DB) *announcing {
	t.Helper()
	s, clock := db.Node(t)
	return &announcing{Store: s, clock: clock}
}

// follow makes an actor elsewhere a follower of one of this node.
func (n *announcing) follow(t *testing.T, local, follower, inbox string, with ...func(*essaim.AddFollower)) {
	t.Helper()
	e := essaim.AddFollower{Local: local, FollowID: follower + "#" + local, Follower: essaim.RemoteActor{ID: follower, Type: "Person", Inbox: inbox, FetchedAt: n.clock.Now()}}
	for _, f := range with {
		f(&e)
	}
	id := fmt.Sprintf("%s/follows/%d", follower, n.clock.Now().UnixNano())
	if _, err := n.ReceiveActivity(t.Context(), essaim.Inbound{ActivityID: id, Type: "Follow", Actor: follower, Raw: []byte("{}"), ReceivedAt: n.clock.Now()}); err != nil {
		t.Fatal(err)
	}
	claimed, err := n.ClaimInbound(t.Context(), 1, time.Minute)
	if err != nil || len(claimed) != 1 {
		t.Fatalf("claimed %v, %v", claimed, err)
	}
	for _, err := range n.Apply(t.Context(), []essaim.Applied{{ID: claimed[0].ID, Attempt: claimed[0].Attempt, State: essaim.InboundApplied, Effects: []essaim.Effect{e}}}) {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// announced makes what is due and names it: "actor object" by their last parts.
func (n *announcing) announced(t *testing.T) []string {
	t.Helper()
	for {
		ended, err := n.Announce(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if ended == 0 {
			break
		}
	}
	made := []string{}
	rows, err := n.DB().QueryContext(t.Context(), "SELECT e.n, e.actor, e.order_key FROM event e JOIN activity a ON a.id = e.activity_id WHERE a.type = 'Announce' AND e.n > $1 ORDER BY e.n", n.seen)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var actor, object string
		if err := rows.Scan(&n.seen, &actor, &object); err != nil {
			t.Fatal(err)
		}
		made = append(made, strings.TrimPrefix(actor, actors)+" "+strings.TrimPrefix(object, storetest.Base+"/objects/"))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(made)
	return made
}

func (n *announcing) want(t *testing.T, when string, want ...string) {
	t.Helper()
	slices.Sort(want)
	if got := n.announced(t); !slices.Equal(got, want) {
		t.Errorf("%s: announced %v, want %v", when, got, want)
	}
}

func (n *announcing) edit(t *testing.T, id string, change func(*essaim.Content)) {
	t.Helper()
	rec, err := n.Record(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	change(&rec.Content)
	if _, err := n.UpdateRecord(t.Context(), id, 0, rec.Content, essaim.StatePublished, storetest.Author); err != nil {
		t.Fatal(err)
	}
}

func by(actor, object string) string {
	return strings.TrimPrefix(actor, actors) + " " + strings.TrimPrefix(object, storetest.Base+"/objects/")
}

func TestAFeedAnnouncesTheFirstPublicationAndNothingElse(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newAnnouncing(t, db)
		first := storetest.Publish(t, n.Store, storetest.Initiative("Avant"))
		for _, feed := range []string{alimentation, commune} {
			n.follow(t, feed, "https://m.example/users/a", "https://m.example/inbox")
		}
		n.want(t, "a follower that comes later")

		rec := storetest.Publish(t, n.Store, storetest.Initiative("Jardin"))
		n.want(t, "published", by(alimentation, rec.ID), by(commune, rec.ID))
		n.edit(t, rec.ID, func(c *essaim.Content) { c.Title = "Jardin partagé" })
		n.want(t, "edited")
		n.edit(t, rec.ID, func(c *essaim.Content) { c.Themes = []string{"nature"} })
		n.edit(t, rec.ID, func(c *essaim.Content) { c.Themes = []string{"alimentation", "nature"} })
		n.want(t, "a theme taken away and given back")
		n.edit(t, first.ID, func(c *essaim.Content) { c.Places = append(c.Places, essaim.Place{INSEE: "29019"}) })
		n.want(t, "edited before anybody followed")

		// A theme added later: that theme only, once.
		n.edit(t, rec.ID, func(c *essaim.Content) { c.Themes = append(c.Themes, "jardins") })
		n.want(t, "a theme that nobody follows")
		n.follow(t, jardins, "https://m.example/users/a", "https://m.example/inbox")
		n.edit(t, first.ID, func(c *essaim.Content) { c.Themes = append(c.Themes, "jardins") })
		n.want(t, "a theme added later", by(jardins, first.ID))

		// An import is silent, and so is the edit of what it brought.
		id, err := n.BeginImport(t.Context(), essaim.Import{File: "f", Licence: "cc-by-4.0"})
		if err != nil {
			t.Fatal(err)
		}
		row := essaim.ImportRow{Key: "k", Digest: "1", Content: storetest.Initiative("Importée"), State: essaim.StatePublished}
		if _, err := n.ImportRows(t.Context(), id, []essaim.ImportRow{row}); err != nil {
			t.Fatal(err)
		}
		n.want(t, "imported")
		row.Digest, row.Content.Themes = "2", []string{"alimentation", "jardins"}
		if _, err := n.ImportRows(t.Context(), id, []essaim.ImportRow{row}); err != nil {
			t.Fatal(err)
		}
		n.want(t, "imported again with another theme")
		imported, err := n.RecordBySlug(t.Context(), essaim.KindInitiative, "", "importee")
		if err != nil {
			t.Fatal(err)
		}
		n.edit(t, imported.ID, func(c *essaim.Content) { c.Title = "Importée et relue" })
		n.want(t, "an imported record edited")

		// A draft is announced when it is published.
		draft, err := n.CreateRecord(t.Context(), essaim.NewRecord{Content: storetest.Initiative("Brouillon"), State: essaim.StateDraft, Author: storetest.Author})
		if err != nil {
			t.Fatal(err)
		}
		n.want(t, "a draft")
		n.edit(t, draft.ID, func(*essaim.Content) {})
		n.want(t, "a draft published", by(alimentation, draft.ID), by(commune, draft.ID))

		// What is withdrawn before it was announced is not announced.
		gone := storetest.Publish(t, n.Store, storetest.Initiative("Retirée"))
		if err := n.WithdrawRecord(t.Context(), gone.ID, storetest.Author); err != nil {
			t.Fatal(err)
		}
		var waiting int
		if err := n.DB().QueryRowContext(t.Context(), "SELECT count(*) FROM announce WHERE state = 'waiting'").Scan(&waiting); err != nil || waiting != 0 {
			t.Errorf("%d announces wait for what is withdrawn, %v", waiting, err)
		}
		n.want(t, "withdrawn at once")
	})
}

func TestFeedsSpaceTheirAnnouncesOnceManyArePublished(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newAnnouncing(t, db)
		storetest.Publish(t, n.Store, storetest.Initiative("Avant"))
		n.clock.Move(2 * time.Hour)
		n.follow(t, alimentation, "https://m.example/users/a", "https://m.example/inbox")
		for i := range 20 {
			rec := storetest.Publish(t, n.Store, storetest.Initiative(fmt.Sprintf("Numéro %d", i)))
			n.want(t, rec.Title, by(alimentation, rec.ID))
			n.clock.Move(time.Second)
		}
		var more []string
		for i := range 5 {
			more = append(more, storetest.Publish(t, n.Store, storetest.Initiative(fmt.Sprintf("De plus %d", i))).ID)
		}
		n.want(t, "the 21st within the hour")
		n.clock.Move(3 * time.Minute)
		n.want(t, "three minutes later", by(alimentation, more[0]))
		n.clock.Move(time.Minute)
		n.want(t, "a minute after that")
		for i := 1; i < 5; i++ {
			n.clock.Move(3 * time.Minute)
			n.want(t, "three minutes later", by(alimentation, more[i]))
		}
		n.clock.Move(2 * time.Hour)
		rec := storetest.Publish(t, n.Store, storetest.Initiative("Au calme"))
		n.want(t, "a quiet hour again", by(alimentation, rec.ID))
	})
}

func TestAWeeklyFeedHoldsItsAnnouncesForADay(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newAnnouncing(t, db) // a Tuesday, 10:00
		storetest.Publish(t, n.Store, storetest.Initiative("Avant"))
		n.follow(t, alimentation, "https://m.example/users/a", "https://m.example/inbox")
		n.follow(t, commune, "https://m.example/users/a", "https://m.example/inbox")
		if err := n.SetProfile(t.Context(), "theme_alimentation", essaim.Profile{Weekly: "friday"}); err != nil {
			t.Fatal(err)
		}
		// Thirty days, a record each day at ten: hour by hour, who announces what.
		var weekly, daily []time.Time
		start := n.clock.Now()
		for hour := range 30 * 24 {
			if hour%24 == 0 {
				storetest.Publish(t, n.Store, storetest.Initiative(fmt.Sprintf("Jour %d", hour/24)))
			}
			steps := 1 // look closely on the mornings
			if h := n.clock.Now().Hour(); h >= 6 && h < 9 {
				steps = 20
			}
			for range steps {
				for _, a := range n.announced(t) {
					if strings.HasPrefix(a, "theme_") {
						weekly = append(weekly, n.clock.Now())
					} else {
						daily = append(daily, n.clock.Now())
					}
				}
				n.clock.Move(time.Hour / time.Duration(steps))
			}
		}
		if len(daily) != 30 {
			t.Errorf("the commune announced %d times in 30 days, want 30", len(daily))
		}
		// Fridays come on days 3, 10, 17 and 24: 3, 7, 7 and 7 records.
		if len(weekly) != 24 {
			t.Errorf("the theme announced %d times, want 24", len(weekly))
		}
		for i, at := range weekly {
			if at.Weekday() != time.Friday || at.Hour() < 7 || at.Hour() > 8 {
				t.Errorf("announced on %s", at.Format("Monday 15:04"))
			}
			if i > 0 && at.Sub(weekly[i-1]) < 3*time.Minute {
				t.Errorf("announced %s after another", at.Sub(weekly[i-1]))
			}
		}
		if first := weekly[0].Sub(start); first < 69*time.Hour || first > 71*time.Hour {
			t.Errorf("the first came after %s", first)
		}
		// At once again: what is held goes out, spaced.
		if err := n.SetProfile(t.Context(), "theme_alimentation", essaim.Profile{}); err != nil {
			t.Fatal(err)
		}
		got := 0
		for range 10 {
			got += len(n.announced(t))
			n.clock.Move(3 * time.Minute)
		}
		if got != 6 {
			t.Errorf("%d of the last 6 went out", got)
		}
	})
}

func TestTheNodeAnnouncesOnlyWhereTheActivityDoesNotArrive(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newAnnouncing(t, db)
		const node, territory = storetest.Base + "/actor", actors + "brest"
		relay := func(e *essaim.AddFollower) { e.Announced = true }
		n.follow(t, node, "https://toulouse.example/actor", "https://toulouse.example/inbox")
		n.follow(t, node, "https://mobilizon.example/relay", "https://mobilizon.example/inbox", relay)
		n.follow(t, node, "https://both.example/relay", "https://both.example/inbox", relay)
		n.follow(t, territory, "https://both.example/users/a", "https://both.example/inbox")
		rec := storetest.Publish(t, n.Store, storetest.Initiative("Jardin"))
		n.edit(t, rec.ID, func(c *essaim.Content) { c.Title = "Jardin partagé" })
		n.announced(t)
		if _, err := n.Dispatch(t.Context(), node, 100); err != nil {
			t.Fatal(err)
		}
		for host, want := range map[string]string{
			"toulouse.example": "Create Update", "mobilizon.example": "Update Announce", "both.example": "Create Update",
		} {
			rows, err := n.DB().QueryContext(t.Context(), "SELECT a.type FROM delivery d JOIN activity a ON a.id = d.activity_id WHERE d.host = $1 ORDER BY d.id", host)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for rows.Next() {
				var kind string
				if err := rows.Scan(&kind); err != nil {
					t.Fatal(err)
				}
				got = append(got, kind)
			}
			rows.Close()
			if strings.Join(got, " ") != want {
				t.Errorf("%s gets %v, want %s", host, got, want)
			}
		}
	})
}

func TestProcessesShareTheAnnounces(t *testing.T) {
	t.Parallel()
	db := storetest.Postgres(t)
	n := newAnnouncing(t, db)
	storetest.Publish(t, n.Store, storetest.Initiative("Avant"))
	n.follow(t, alimentation, "https://m.example/users/a", "https://m.example/inbox")
	other := db.Open(t, func(c *store.Config) { c.Now, c.Render, c.Tell = n.clock.Now, storetest.Render, storetest.Tell })
	var want []string
	for i := range 12 {
		want = append(want, by(alimentation, storetest.Publish(t, n.Store, storetest.Initiative(fmt.Sprintf("Numéro %d", i))).ID))
	}
	var tasks sync.WaitGroup
	for _, s := range []*store.Store{n.Store, other, n.Store, other} {
		tasks.Go(func() {
			if _, err := s.Announce(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	tasks.Wait()
	n.want(t, "by four at a time", want...)
}

func TestARestoreAnnouncesOnlyWhatIsYetToCome(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newAnnouncing(t, db)
		storetest.Publish(t, n.Store, storetest.Initiative("Avant"))
		for _, feed := range []string{alimentation, commune} {
			n.follow(t, feed, "https://m.example/users/a", "https://m.example/inbox")
		}
		if err := n.SetProfile(t.Context(), "commune_brest", essaim.Profile{Weekly: "friday"}); err != nil {
			t.Fatal(err)
		}
		rec := storetest.Publish(t, n.Store, storetest.Initiative("Jardin"))
		var file bytes.Buffer
		if _, err := n.Backup(t.Context(), &file, nil); err != nil {
			t.Fatal(err)
		}
		empty := storetest.SQLite(t)
		again := &announcing{clock: n.clock, Store: empty.Open(t, func(c *store.Config) { c.Now, c.Render, c.Tell = n.clock.Now, storetest.Render, storetest.Tell })}
		if _, err := again.Restore(t.Context(), &file); err != nil {
			t.Fatal(err)
		}
		again.want(t, "at once")
		n.clock.Move(4 * 24 * time.Hour)
		again.want(t, "on the feed's day", by(commune, rec.ID))
	})
}
