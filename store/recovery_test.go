// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"essaim"
	"essaim/store"
	"essaim/store/sqlite"
	"essaim/store/storetest"
)

func lostHead(incarnation, n int64) essaim.CommonsHead {
	return essaim.CommonsHead{
		Number: essaim.CommonsNumber{Incarnation: incarnation, N: n}, Count: 1, Root: essaim.Digest{byte(n)}, At: storetest.Start, Document: []byte("signed"),
	}
}

// signsHead saves the head of what the node publishes now.
func (n *node) signsHead(t *testing.T) essaim.CommonsHead {
	t.Helper()
	own, err := n.CommonsState(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	own.At, own.Document = storetest.Start, []byte("own")
	if err := n.SaveHead(t.Context(), "", own); err != nil {
		t.Fatal(err)
	}
	return own
}

func TestOnlyAHeadBeyondItsOwnMakesANodeRecover(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n, ctx := newNode(t, db), t.Context()
		storetest.Publish(t, n.Store, storetest.Initiative("Jardin"))
		own := n.signsHead(t)
		for what, h := range map[string]essaim.CommonsHead{
			"its own": own, "an older number": lostHead(own.Number.Incarnation, own.Number.N-1), "an older incarnation": lostHead(own.Number.Incarnation-1, 1<<40),
		} {
			if under, err := n.BeginRecovery(ctx, essaim.RecoveryHead, h, toulouse); err != nil || under {
				t.Errorf("%s: under way %v, %v", what, under, err)
			}
		}
		before, err := n.Node(ctx)
		if err != nil {
			t.Fatal(err)
		}
		storetest.Publish(t, n.Store, storetest.Initiative("Verger")) // nothing was left behind
		if err := n.SaveHead(ctx, "", own); err != nil {
			t.Fatal(err)
		}
		later := lostHead(before.Incarnation+500_000_000, 1)
		if under, err := n.BeginRecovery(ctx, essaim.RecoveryHead, later, toulouse); err != nil || !under {
			t.Fatalf("a later incarnation: under way %v, %v", under, err)
		}
		after, err := n.Node(ctx)
		if err != nil || after.Incarnation <= later.Number.Incarnation {
			t.Errorf("incarnation %d after a head of %d (%v)", after.Incarnation, later.Number.Incarnation, err)
		}
		rec, err := n.Recovery(ctx)
		if err != nil || !rec.UnderWay() || len(rec.Sources) != 1 || rec.Head.Number != later.Number {
			t.Errorf("recovery %+v, %v", rec, err)
		}
	})
}

func TestWhileANodeRecoversNobodyAddsSourcesWithAnOldHead(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n, ctx := newNode(t, db), t.Context()
		// Begun by a restoring, of which no head is known.
		if under, err := n.BeginRecovery(ctx, essaim.RecoveryRestore, essaim.CommonsHead{}, toulouse); err != nil || !under {
			t.Fatal(under, err)
		}
		for _, c := range []struct {
			what  string
			head  essaim.CommonsHead
			by    string
			want  int
			known int64
		}{
			{"the first head", lostHead(1772532000, 500), "lyon.example", 2, 500},
			{"an older one", lostHead(1772532000, 1), "inconnu.example", 2, 500},
			{"one of an older incarnation", lostHead(1772531999, 900), "inconnu.example", 2, 500},
			{"the same", lostHead(1772532000, 500), "nantes.example", 3, 500},
			{"a newer one", lostHead(1772532000, 900), "lille.example", 4, 900},
			{"the one that was the latest", lostHead(1772532000, 500), "inconnu.example", 4, 900},
		} {
			if under, err := n.BeginRecovery(ctx, essaim.RecoveryHead, c.head, c.by); err != nil || !under {
				t.Errorf("%s: under way %v, %v", c.what, under, err)
			}
			rec, err := n.Recovery(ctx)
			if err != nil || len(rec.Sources) != c.want || rec.Head.Number.N != c.known {
				t.Errorf("%s: %d sources, head %s, want %d and %d (%v)", c.what, len(rec.Sources), rec.Head.Number, c.want, c.known, err)
			}
		}
	})
}

func TestASourceThatGaveSomethingGoesOnBetweenTwoThatAreNotKnown(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n, ctx := newNode(t, db), t.Context()
		if under, err := n.BeginRecovery(ctx, essaim.RecoveryHead, lostHead(1772532000, 900), "a.example", "b.example", "c.example", toulouse); err != nil || !under {
			t.Fatal(under, err)
		}
		n.clock.pass(time.Minute)
		// One shows a cursor without an item.
		for host, seen := range map[string]int{toulouse: 50, "a.example": 0} {
			if err := n.SaveRecoverySource(ctx, essaim.RecoverySource{Host: host, Cursor: "0a", Seen: seen, NextAt: n.clock.now()}); err != nil {
				t.Fatal(err)
			}
		}
		var got []string
		for gave := true; len(got) < 4; gave = !gave {
			from, err := n.ClaimRecoverySource(ctx, 5*time.Minute, gave)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, from.Host)
			if from.Host == toulouse { // a page further
				from.Seen, from.NextAt = from.Seen+50, n.clock.now()
				if err := n.SaveRecoverySource(ctx, from); err != nil {
					t.Fatal(err)
				}
			}
		}
		if want := []string{toulouse, "b.example", toulouse, "c.example"}; !slices.Equal(got, want) {
			t.Errorf("claimed %v, want %v", got, want)
		}
	})
}

func TestWhoShowsANodeItsOwnHeadHoldsNoWriterUp(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n, ctx := newNode(t, db), t.Context()
		storetest.Publish(t, n.Store, storetest.Initiative("Jardin"))
		own, err := n.CommonsState(ctx)
		if err != nil {
			t.Fatal(err)
		}
		pool := n.DB()
		if db.Name == "sqlite" {
			lite, err := sqlite.Open(ctx, db.Dir, false)
			if err != nil {
				t.Fatal(err)
			}
			defer lite.Close()
			pool = lite.Writer
		}
		other, err := pool.BeginTx(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer other.Rollback() // it holds what a write would wait for
		if _, err := other.ExecContext(ctx, "UPDATE counter SET recoveries = recoveries"); err != nil {
			t.Fatal(err)
		}
		bounded, stop := context.WithTimeout(ctx, 3*time.Second)
		defer stop()
		if under, err := n.BeginRecovery(bounded, essaim.RecoveryHead, own, toulouse); err != nil || under {
			t.Errorf("under way %v, %v", under, err)
		}
	})
}

func TestAnotherRootAtTheSameNumberIsAnotherHistory(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n, ctx := newNode(t, db), t.Context()
		storetest.Publish(t, n.Store, storetest.Initiative("Jardin"))
		own := n.signsHead(t)
		other := own
		other.Root = essaim.Digest{1, 2, 3}
		if under, err := n.BeginRecovery(ctx, essaim.RecoveryHead, other, toulouse); err != nil || !under {
			t.Errorf("under way %v, %v", under, err)
		}
	})
}

func TestNoProcessPublishesWhileItsNodeGetsBackWhatItLost(t *testing.T) {
	t.Parallel()
	n, ctx := newNode(t, storetest.Postgres(t)), t.Context()
	other := n.db.Open(t, n.config)
	draft, err := other.CreateRecord(ctx, essaim.NewRecord{Content: storetest.Initiative("Brouillon"), State: essaim.StateDraft, Author: storetest.Author})
	if err != nil {
		t.Fatal(err)
	}
	if under, err := n.BeginRecovery(ctx, essaim.RecoveryHead, lostHead(1772532000, 900), toulouse); err != nil || !under {
		t.Fatal(err)
	}
	publish := func() error {
		_, err := other.UpdateRecord(ctx, draft.ID, 0, storetest.Initiative("Fiche"), essaim.StatePublished, storetest.Author)
		return err
	}
	if err := publish(); !errors.Is(err, essaim.ErrRecovering) {
		t.Errorf("another process publishes: %v", err)
	}
	if ended, err := n.EndRecovery(ctx); err != nil || !ended {
		t.Fatal(err)
	}
	// What it knows of the node is from before: once refused, it looks again.
	first := publish()
	if first != nil && !errors.Is(first, essaim.ErrRecovering) {
		t.Errorf("after it: %v", first)
	}
	if err := publish(); err != nil {
		t.Errorf("after it: %v", err)
	}
	is, err := n.Node(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := n.Record(ctx, draft.ID); err != nil || r.State != essaim.StatePublished || r.Incarnation != is.Incarnation {
		t.Errorf("published as %s of incarnation %d, want %d (%v)", r.State, r.Incarnation, is.Incarnation, err)
	}
}

func TestASourceIsReadByOneProcessUntilItIsSaved(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n, ctx := newNode(t, db), t.Context()
		if under, err := n.BeginRecovery(ctx, essaim.RecoveryHead, lostHead(1772532000, 900), toulouse, "tourcoing.example"); err != nil || !under {
			t.Fatal(err)
		}
		claim := func(want string) essaim.RecoverySource {
			t.Helper()
			from, err := n.ClaimRecoverySource(ctx, 5*time.Minute, true)
			if err != nil || from.Host != want {
				t.Errorf("claimed %q, want %q (%v)", from.Host, want, err)
			}
			return from
		}
		from := claim(toulouse)
		n.clock.pass(time.Minute)
		if _, err := n.TakeRecovered(ctx, nil, from); err != nil { // its first page
			t.Fatal(err)
		}
		other := claim("tourcoing.example")
		claim("")
		n.clock.pass(4 * time.Minute) // nobody renewed it
		claim(toulouse)
		other.NextAt, other.DoneAt = n.clock.now(), n.clock.now()
		other.Seen, other.Reading = 12, essaim.ReadingLast
		if err := n.SaveRecoverySource(ctx, other); err != nil {
			t.Fatal(err)
		}
		if rec, err := n.Recovery(ctx); err != nil || len(rec.Sources) != 2 || rec.Sources[1] != other && rec.Sources[0] != other {
			t.Errorf("kept of %+v: %+v (%v)", other, rec.Sources, err)
		}
		n.clock.pass(time.Minute)
		claim("")
	})
}

// Who publishes nothing until it is done does not wait for the lease of a process that
// was killed.
func TestARecoveryGoesOnAtTheNextStart(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n, ctx := newNode(t, db), t.Context()
		if under, err := n.BeginRecovery(ctx, essaim.RecoveryHead, lostHead(1772532000, 900), toulouse); err != nil || !under {
			t.Fatal(err)
		}
		claim := func(s *store.Store, want string) {
			t.Helper()
			if from, err := s.ClaimRecoverySource(ctx, 5*time.Minute, true); err != nil || from.Host != want {
				t.Errorf("claimed %q, want %q (%v)", from.Host, want, err)
			}
		}
		claim(n.Store, toulouse)
		claim(n.Store, "")
		if err := n.Close(); err != nil {
			t.Fatal(err)
		}
		db.Alone(t)
		claim(db.Open(t, n.config), toulouse)
	})
}

func TestCommonsAreReadOnOnceTheirNodeSpeaksAgain(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n, ctx := followed(t, db), t.Context()
		read := func(reason string) {
			t.Helper()
			if err := n.SaveCommonsProgress(ctx, essaim.CommonsProgress{Host: toulouse, StartedAt: n.clock.now(), NextAt: n.clock.now().Add(time.Hour), Reason: reason}); err != nil {
				t.Fatal(err)
			}
		}
		due := func(when string, want int) {
			t.Helper()
			if got, err := n.DueCommons(ctx, 5); err != nil || len(got) != want {
				t.Errorf("%s: %v are due, %v; want %d", when, got, err, want)
			}
		}
		save := func(down time.Time) {
			t.Helper()
			if err := n.SaveHost(ctx, essaim.HostState{Host: toulouse, DownSince: down}); err != nil {
				t.Fatal(err)
			}
		}
		read("")
		save(time.Time{})
		due("it always answered", 0)
		save(n.clock.now())
		due("it does not answer", 0)
		save(time.Time{})
		due("it answers again", 1)
		read("")
		if err := n.WakeHost(ctx, toulouse); err != nil {
			t.Fatal(err)
		}
		due("it speaks, as always", 0)
		read("no answer")
		if err := n.WakeHost(ctx, toulouse); err != nil {
			t.Fatal(err)
		}
		due("it speaks after it could not be read", 1)
	})
}

func TestARecoveryKnowsWhoIsSaidToBeGone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n, ctx := followed(t, db), t.Context()
		if under, err := n.BeginRecovery(ctx, essaim.RecoveryHead, lostHead(1<<40, 900), "lyon.example"); err != nil || !under {
			t.Fatal(under, err)
		}
		for _, at := range []time.Time{n.clock.now(), {}} {
			if err := n.PeerGone(ctx, toulouse, at); err != nil {
				t.Fatal(err)
			}
			rec, err := n.Recovery(ctx)
			if err != nil || len(rec.Sources) != 2 {
				t.Fatal(rec.Sources, err)
			}
			for _, s := range rec.Sources {
				if want := s.Host == toulouse && !at.IsZero(); s.Gone != want {
					t.Errorf("gone since %v: %+v", at, s)
				}
			}
		}
	})
}
