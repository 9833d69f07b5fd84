// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/store"
	"essaim/store/storetest"
)

func TestOneProcessReadsTheCommonsOfANode(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := followed(t, db)
		due := func(when string, want ...string) {
			t.Helper()
			if got, err := n.DueCommons(t.Context(), 2); err != nil || !slices.Equal(got, want) {
				t.Errorf("%s: %v, %v; want %v", when, got, err, want)
			}
		}
		due("at first", toulouse)
		due("while it is read")
		if err := n.WakeCommons(t.Context(), n.clock.now()); err != nil {
			t.Fatal(err)
		}
		due("when another process starts meanwhile")
		n.clock.pass(50 * time.Second)
		p := essaim.CommonsProgress{Host: toulouse, Cursor: essaim.CommonsNumber{Incarnation: 1, N: 1}, StartedAt: n.clock.now(), NextAt: n.clock.now()}
		if _, err := n.ApplyCommons(t.Context(), nil, p); err != nil {
			t.Fatal(err)
		}
		n.clock.pass(50 * time.Second)
		due("a page later")
		n.clock.pass(10 * time.Second)
		due("after its process was killed", toulouse)
		if err := n.SaveCommonsProgress(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		due("once it was noted that it goes on", toulouse)
	})
}

// A burst of pushes makes for one reading, two minutes after the first: what comes of
// a reading itself, or changes nothing, for none.
func TestAPushMakesTheCommonsOfItsNodeDueSoon(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n, ctx := followed(t, db), t.Context()
		next := func(when string, want time.Duration, after time.Time) {
			t.Helper()
			p, err := n.CommonsProgress(ctx, toulouse)
			if err != nil || !p.NextAt.Equal(after.Add(want)) {
				t.Errorf("%s: next in %v (%v), want in %v", when, p.NextAt.Sub(after), err, want)
			}
		}
		read := func(number int64) time.Time {
			t.Helper()
			now := n.clock.now()
			p := essaim.CommonsProgress{Host: toulouse, Cursor: essaim.CommonsNumber{Incarnation: min(number, 1), N: number}, StartedAt: now, DoneAt: now, CheckedAt: now, NextAt: now.Add(time.Hour)}
			if err := n.SaveCommonsProgress(ctx, p); err != nil {
				t.Fatal(err)
			}
			return now
		}
		push := func(e essaim.Effect) {
			t.Helper()
			n.apply(t, toulouseTerritory, e)
		}
		at := read(0)
		push(version("avant", 10, 1))
		next("of a node that shows none", time.Hour, at)
		at = read(1)
		push(version("avant", 10, 1))
		next("by what was held", time.Hour, at)
		n.clock.pass(10 * time.Second)
		first := n.clock.now()
		push(version("jardin", 10, 1))
		next("by a record", 2*time.Minute, first)
		n.clock.pass(time.Minute)
		push(version("jardin", 10, 2))
		next("by one more, a minute later", 2*time.Minute, first)
		at = read(2)
		if _, err := n.ApplyCommons(ctx, []essaim.CommonsTaken{{ID: "x", Actor: toulouseTerritory, Effects: []essaim.Effect{version("atelier", 10, 1)}}},
			essaim.CommonsProgress{Host: toulouse, Cursor: essaim.CommonsNumber{Incarnation: 1, N: 3}, StartedAt: at, DoneAt: at, CheckedAt: at, NextAt: at.Add(time.Hour)}); err != nil {
			t.Fatal(err)
		}
		next("by what is read", time.Hour, at)
		push(essaim.Erase{ID: version("jardin", 10, 2).Record.ID, Actor: toulouseTerritory, At: at})
		next("by a deletion", 2*time.Minute, at)
	})
}

func TestOneProcessComparesWithANode(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n, ctx := followed(t, db), t.Context()
		due := func(when string, want ...string) {
			t.Helper()
			if got, err := n.DueComparisons(ctx, 2); err != nil || !slices.Equal(got, want) {
				t.Errorf("%s: %v, %v; want %v", when, got, err, want)
			}
		}
		due("before it was read")
		now := n.clock.now()
		if err := n.SaveCommonsProgress(ctx, essaim.CommonsProgress{Host: toulouse, StartedAt: now, DoneAt: now, NextAt: now.Add(time.Hour)}); err != nil {
			t.Fatal(err)
		}
		due("once it was read", toulouse)
		due("while it is compared")
		n.clock.pass(39 * time.Minute)
		due("while it is compared for long")
		n.clock.pass(2 * time.Minute)
		due("after its process was killed", toulouse)
		if err := n.SaveComparison(ctx, toulouse, essaim.CommonsComparison{ComparedAt: n.clock.now(), NextCompared: n.clock.now().Add(24 * time.Hour)}); err != nil {
			t.Fatal(err)
		}
		n.clock.pass(23 * time.Hour)
		due("the same day")
		n.clock.pass(time.Hour)
		due("the next day", toulouse)
	})
}

// Whoever opens the database and is alone goes on at once with what a process that is
// gone was reading; where another runs, it may be at it.
func TestAReadingThatWasKilledGoesOnAtTheNextStart(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := followed(t, db)
		due := func(s *store.Store, when string, want ...string) {
			t.Helper()
			if got, err := s.DueCommons(t.Context(), 2); err != nil || !slices.Equal(got, want) {
				t.Errorf("%s %v, %v; want %v", when, got, err, want)
			}
		}
		open := func() *store.Store {
			return db.Open(t, func(c *store.Config) { c.Now = n.clock.now })
		}
		due(n.Store, "at first", toulouse)
		if db.Name == "postgres" {
			beside := open()
			due(beside, "beside the process that reads")
			if err := beside.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if err := n.Close(); err != nil {
			t.Fatal(err)
		}
		db.Alone(t)
		due(open(), "after a start", toulouse)
	})
}

func TestTheCommonsAreNoWayInForWhoIsBlocked(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		const blocked = "https://toulouse.example/actors/indesirable"
		n := followed(t, db)
		if _, err := n.AddMeasure(t.Context(), essaim.Measure{Scope: essaim.MeasureActor, Value: blocked, Level: essaim.LevelBlock}, 0); err != nil {
			t.Fatal(err)
		}
		item := func(slug, author string) essaim.CommonsTaken {
			v := version(slug, 10, 1)
			v.Record.Territory = author
			return essaim.CommonsTaken{ID: v.Record.ID, Actor: author, Effects: []essaim.Effect{v}}
		}
		actor := essaim.SaveActor{Actor: remote(blocked, "Person", anaInbox, n.clock.now()), CopyDigest: "d"}
		items := []essaim.CommonsTaken{
			item("jardin", toulouseTerritory), item("spam", blocked),
			{ID: blocked, Actor: blocked, Effects: []essaim.Effect{actor}},
			{ID: "https://toulouse.example/x", Refused: "not proven"},
		}
		page := func(number int64) essaim.CommonsProgress {
			p := essaim.CommonsProgress{Host: toulouse, Cursor: essaim.CommonsNumber{Incarnation: min(number, 1), N: number}, StartedAt: n.clock.now(), NextAt: n.clock.now()}
			if _, err := n.ApplyCommons(t.Context(), items, p); err != nil {
				t.Fatal(err)
			}
			p, err := n.CommonsProgress(t.Context(), toulouse)
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		first := "https://toulouse.example/objects/spam: its actor is blocked"
		if got := page(5); got.Refused != 3 || got.Refusal != first {
			t.Errorf("%d refused, the first %q; want 3, %q", got.Refused, got.Refusal, first)
		}
		if held := one[int](t, n, "SELECT count(*) FROM record WHERE origin = $1", toulouse); held != 1 {
			t.Errorf("%d records, want the one of who is not blocked", held)
		}
		if held := one[int](t, n, "SELECT count(*) FROM commons WHERE id = $1", blocked); held != 0 {
			t.Error("the actor that is blocked is listed")
		}
		if got := page(5); got.Refused != 3 {
			t.Errorf("asked for anew: %d refused, want 3", got.Refused)
		}
		items = items[3:]
		if got := page(6); got.Refused != 4 || got.Refusal != first {
			t.Errorf("the next page: %d refused, the first %q", got.Refused, got.Refusal)
		}
		items = nil
		if got := page(0); got.Refused != 0 || got.Refusal != "" {
			t.Errorf("from the beginning: %d refused, the first %q", got.Refused, got.Refusal)
		}
	})
}

func TestAnOlderDocumentOfAnActorReplacesNoNewerOne(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := followed(t, db)
		const person = "https://toulouse.example/actors/ana"
		written := n.clock.now()
		save := func(version int, read time.Duration) essaim.SaveActor {
			a := remote(person, "Person", anaInbox, written.Add(read))
			a.Document = fmt.Appendf(nil, `{"v":%d}`, version)
			a.Updated = written.Add(time.Duration(version) * time.Second)
			if version == 0 {
				a.Updated = time.Time{} // it does not say
			}
			return essaim.SaveActor{Actor: a, CopyDigest: fmt.Sprint("digest", version)}
		}
		for _, step := range []struct {
			name    string
			version int
			read    time.Duration
			want    int // held and listed
		}{
			{"the first", 2, time.Minute, 2},
			{"an older one, read later", 1, 2 * time.Minute, 2},
			{"the same again", 2, 3 * time.Minute, 2},
			{"a newer one", 3, 4 * time.Minute, 3},
			{"one that does not say, read before", 0, time.Minute, 3},
		} {
			n.apply(t, person, save(step.version, step.read))
			a, err := n.RemoteActor(t.Context(), person)
			listed := one[string](t, n, "SELECT digest FROM commons WHERE id = $1", person)
			if err != nil || !strings.Contains(string(a.Document), fmt.Sprint(step.want)) || listed != fmt.Sprint("digest", step.want) {
				t.Errorf("%s: held %s, listed %s, %v; want version %d", step.name, a.Document, listed, err, step.want)
			}
		}
	})
}

func TestWhatIsTakenByItselfLeavesTheReadingWhereItIs(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n, ctx := followed(t, db), t.Context()
		v := version("jardin", 7, 1)
		took := func(when string) {
			t.Helper()
			if why, err := n.TakeCopies(ctx, toulouse, []essaim.CommonsTaken{{ID: v.Record.ID, Actor: v.Record.Territory, Effects: []essaim.Effect{v}}}); err != nil || len(why) > 0 {
				t.Fatalf("%s: %v, %v", when, why, err)
			}
		}
		took("before any reading")
		if _, err := n.CommonsProgress(ctx, toulouse); !errors.Is(err, essaim.ErrNotFound) {
			t.Errorf("a reading is noted: %v", err)
		}
		if _, err := n.Record(ctx, v.Record.ID); err != nil {
			t.Error(err)
		}
		want := essaim.CommonsProgress{Host: toulouse, Cursor: essaim.CommonsNumber{Incarnation: 7, N: 9}, Tag: "tag", StartedAt: n.clock.now(), NextAt: n.clock.now()}
		if err := n.SaveCommonsProgress(ctx, want); err != nil {
			t.Fatal(err)
		}
		v = version("jardin", 7, 2)
		took("while it is read")
		if got, err := n.CommonsProgress(ctx, toulouse); err != nil || got.Cursor != want.Cursor || got.Tag != want.Tag {
			t.Errorf("the reading is at %+v, %v", got, err)
		}
	})
}
