// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/store"
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

// What came is kept for as long as was said, by what it came to; its id, digest
// and outcome for good.
func TestTheBytesOfActivitiesGoInTheirTime(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		for _, c := range []struct {
			raw, unknown time.Duration
			days         int
			want         string // states whose bytes are kept
		}{
			{0, 0, 29, "applied failed ignored unknown"},
			{0, 0, 31, "applied failed ignored"},
			{0, 0, 89, "applied failed ignored"},
			{0, 0, 91, ""},
			{0, 0, 400, ""},
			{7 * 24 * time.Hour, 24 * time.Hour, 8, ""},
			{7 * 24 * time.Hour, 24 * time.Hour, 6, "applied failed ignored"},
		} {
			n := newNode(t, db)
			n.Close()
			n.Store = db.Open(t, n.config, func(cfg *store.Config) { cfg.KeepRaw, cfg.KeepUnknown = c.raw, c.unknown })
			n.raw(t, "DELETE FROM inbox")
			for _, state := range []essaim.InboundState{essaim.InboundApplied, essaim.InboundFailed, essaim.InboundIgnored, essaim.InboundUnknown} {
				n.receive(t, string(state), ana)
				in := n.claim(t, 1)[0]
				if errs := n.Apply(t.Context(), []essaim.Applied{{ID: in.ID, Attempt: in.Attempt, State: state, Reason: "r"}}); errs[0] != nil {
					t.Fatal(errs[0])
				}
			}
			n.raw(t, "UPDATE inbox SET object = 'https://a.example/notes/1'")
			n.clock.pass(time.Duration(c.days) * 24 * time.Hour)
			if err := n.Tidy(t.Context()); err != nil {
				t.Fatal(err)
			}
			var kept []string
			for _, state := range []string{"applied", "failed", "ignored", "unknown"} {
				if one[int](t, n, "SELECT count(*) FROM inbox WHERE state = $1 AND raw IS NOT NULL", state) == 1 {
					kept = append(kept, state)
				}
			}
			if got := strings.Join(kept, " "); got != c.want {
				t.Errorf("kept %v and %v, after %d days: %q, want %q", c.raw, c.unknown, c.days, got, c.want)
			}
			if got := one[int](t, n, "SELECT count(*) FROM inbox WHERE length(digest) = 64 AND reason = 'r'"); got != 4 {
				t.Errorf("%d ids with digest and outcome, want 4", got)
			}
			if got := one[int](t, n, "SELECT count(*) FROM inbox WHERE actor <> '' AND object <> ''"); got != len(kept) {
				t.Errorf("%d say whose they are and of what, want %d", got, len(kept))
			}
			again := essaim.Inbound{ActivityID: "applied", Type: "Like", Actor: ana, Raw: []byte("{}"), ReceivedAt: n.clock.now()}
			if fresh, err := n.ReceiveActivity(t.Context(), again); err != nil || fresh {
				t.Errorf("what came long ago is taken in again: %v, %v", fresh, err)
			}
			n.Close()
			if db.Name == "sqlite" {
				db.Dir = t.TempDir()
			} else {
				db = storetest.Postgres(t)
			}
		}
	})
}
