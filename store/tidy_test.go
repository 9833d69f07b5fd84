// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"testing"
	"time"

	"essaim"
	"essaim/store/storetest"
)

func TestTidyRemovesWhatEndedAndNothingElse(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		u, err := n.CreateUser(t.Context(), essaim.User{Email: "a@brest.example", Role: essaim.RoleAdmin})
		if err != nil {
			t.Fatal(err)
		}
		for _, link := range []string{"spent", "old"} {
			n.NewSignIn(t.Context(), u.ID, link, n.clock.now().Add(time.Hour))
		}
		if _, err := n.UseSignIn(t.Context(), "spent", "session", n.clock.now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		for _, host := range []string{"done.example", "failed.example", "waiting.example"} {
			n.follow(t, nodeActor, "https://"+host+"/actor", "https://"+host+"/inbox")
		}
		n.publish(t, "Create", "1", "o")
		n.dispatch(t)
		n.finish(t, done(n.take(t, "done.example", 1)[0]))
		failed := done(n.take(t, "failed.example", 1)[0])
		failed.State = essaim.DeliveryFailed
		n.finish(t, failed)
		n.clock.pass(40 * 24 * time.Hour)
		n.NewSignIn(t.Context(), u.ID, "fresh", n.clock.now().Add(time.Hour))
		if err := n.Tidy(t.Context()); err != nil {
			t.Fatal(err)
		}
		for query, want := range map[string]int{
			"SELECT count(*) FROM session":                             0,
			"SELECT count(*) FROM signin":                              1,
			"SELECT count(*) FROM delivery WHERE state = 'done'":       0,
			"SELECT count(*) FROM delivery WHERE state <> 'done'":      2,
			"SELECT count(*) FROM account":                             1,
			"SELECT count(*) FROM activity":                            1,
			"SELECT count(*) FROM inbox WHERE state = 'applied'":       3,
			"SELECT count(*) FROM inbox WHERE raw IS NULL":             0,
			"SELECT count(*) FROM follower WHERE local LIKE '%/actor'": 3,
		} {
			if got := one[int](t, n, query); got != want {
				t.Errorf("%s = %d, want %d", query, got, want)
			}
		}

		n.clock.pass(60 * 24 * time.Hour)
		if err := n.Tidy(t.Context()); err != nil {
			t.Fatal(err)
		}
		for query, want := range map[string]int{
			"SELECT count(*) FROM inbox WHERE raw IS NOT NULL":   0,
			"SELECT count(*) FROM inbox WHERE state = 'applied'": 3,
		} {
			if got := one[int](t, n, query); got != want {
				t.Errorf("after 100 days: %s = %d, want %d", query, got, want)
			}
		}
	})
}
