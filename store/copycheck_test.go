// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"errors"
	"testing"
	"time"

	"essaim"
	"essaim/store/storetest"
)

func TestANodeThatIsAskedNoMoreIsNoHolder(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n, ctx := followed(t, db), t.Context()
		same, other := storetest.Publish(t, n.Store, storetest.Initiative("Tenue")), storetest.Publish(t, n.Store, storetest.Initiative("Autre"))
		check := essaim.CopyCheck{
			Host: toulouse, At: n.clock.now(), Number: 1 << 40, State: essaim.CheckCompared, Next: n.clock.now(),
			Differs: []essaim.CommonsItem{{ID: other.ID, Digest: "another"}},
		}
		if err := n.SaveCopyCheck(ctx, check); err != nil {
			t.Fatal(err)
		}
		holders := func(when string, want int) {
			t.Helper()
			for id, state := range map[string]essaim.HolderState{same.ID: essaim.HoldsSame, other.ID: essaim.HoldsOther} {
				got, err := n.CopyHolders(ctx, id)
				if err != nil || len(got) != want || want > 0 && (got[0].State != state || got[0].Name != "Toulouse") {
					t.Errorf("%s: %+v, %v; want %d that holds %s", when, got, err, want, state)
				}
			}
		}
		holders("followed", 1)
		// Who never answered confirmed nothing.
		never := essaim.Peer{Host: "tourcoing.example", Actor: "https://tourcoing.example/actor", TerritoryName: "Tourcoing", Inbox: "https://tourcoing.example/inbox", FollowID: brest + "/activities/follow2"}
		if err := n.FollowPeer(ctx, never, essaim.Outgoing{ActivityID: never.FollowID, Actor: nodeActor, Inbox: never.Inbox, OrderKey: "k2", Body: []byte("follow")}); err != nil {
			t.Fatal(err)
		}
		n.apply(t, never.Actor, essaim.PeerAnswer{FollowID: never.FollowID, Actor: never.Actor, Accepted: true})
		holders("beside one that never answered", 1)
		gone := storetest.Publish(t, n.Store, storetest.Initiative("Retirée"))
		if err := n.WithdrawRecord(ctx, gone.ID, storetest.Author); err != nil {
			t.Fatal(err)
		}
		if got, err := n.CopyHolders(ctx, gone.ID); err != nil || len(got) != 2 || got[1].Host != never.Host || got[1].State != essaim.HoldsUnknown || !got[1].At.IsZero() || got[0].At.IsZero() {
			t.Errorf("of what was deleted: %+v, %v; want both nodes, the second never asked", got, err)
		}
		if err := n.PeerGone(ctx, toulouse, n.clock.now()); err != nil {
			t.Fatal(err)
		}
		holders("gone", 0)
		if err := n.PeerGone(ctx, toulouse, time.Time{}); err != nil {
			t.Fatal(err)
		}
		holders("come back", 1)
		if err := n.UnfollowPeer(ctx, toulouse, essaim.Outgoing{}); err != nil {
			t.Fatal(err)
		}
		holders("followed no more", 0)
		// What it was asked before comes too late.
		late := []error{
			n.SaveCopyCheck(ctx, check), n.PutOffCopyCheck(ctx, toulouse, n.clock.now()),
			n.SavePeerAbout(ctx, toulouse, essaim.PeerAbout{Follows: []string{never.Actor}}),
		}
		if err := errors.Join(late...); err != nil {
			t.Fatal(err)
		}
		for _, table := range []string{"copy_check", "copy_differs", "peer_about"} {
			if got := one[int](t, n, "SELECT count(*) FROM "+table); got != 0 {
				t.Errorf("%d rows of %s are left", got, table)
			}
		}
	})
}

// What is noted of a node and its removal wait for one another: nothing is left of one
// that is removed while its answer is written. SQLite has one writer.
func TestAnAnswerUnderWayGoesWithItsNode(t *testing.T) {
	t.Parallel()
	n, ctx := followed(t, storetest.Postgres(t)), t.Context()
	n.raw(t, "CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock(42); RETURN NEW; END $$")
	n.raw(t, "CREATE TRIGGER slowly BEFORE INSERT ON copy_differs FOR EACH ROW EXECUTE FUNCTION slowly()")
	conn, err := n.DB().Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock(42)"); err != nil {
		t.Fatal(err)
	}
	saved, removed := make(chan error, 1), make(chan error, 1)
	waiting := func(want int) {
		t.Helper()
		for len(removed) == 0 && one[int](t, n, "SELECT count(DISTINCT pid) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND datname = current_database()") < want {
			if len(saved) > 0 {
				t.Fatal("the answer was written too soon:", <-saved)
			}
		}
	}
	go func() {
		saved <- n.SaveCopyCheck(ctx, essaim.CopyCheck{
			Host: toulouse, At: n.clock.now(), Number: 1 << 40, State: essaim.CheckCompared, Next: n.clock.now(),
			Differs: []essaim.CommonsItem{{ID: toulouse + "/initiatives/une", Digest: "another"}},
		})
	}()
	waiting(1)
	go func() { removed <- n.UnfollowPeer(ctx, toulouse, essaim.Outgoing{}) }()
	waiting(2)
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_unlock(42)"); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(<-saved, <-removed); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"copy_check", "copy_differs"} {
		if got := one[int](t, n, "SELECT count(*) FROM "+table); got != 0 {
			t.Errorf("%d rows of %s are left", got, table)
		}
	}
}
