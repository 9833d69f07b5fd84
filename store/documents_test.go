// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"essaim"
	"essaim/store/storetest"
)

func TestDocumentsAreServedAsTheyWereSigned(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		id := n.record(t, "jardin")
		got, err := n.Object(t.Context(), id)
		if err != nil || string(got.Bytes) != `{"id":"`+id+`"}` || got.ETag != "d" || got.PageURL != brest+"/initiatives/jardin" || got.Gone {
			t.Errorf("object = %+v, %v", got, err)
		}
		n.raw(t, "UPDATE record SET state = 'draft' WHERE id = $1", id)
		if _, err := n.Object(t.Context(), id); !errors.Is(err, essaim.ErrNotFound) {
			t.Errorf("a draft is served: %v", err)
		}
		n.raw(t, "UPDATE record SET state = 'withdrawn' WHERE id = $1", id)
		n.raw(t, "INSERT INTO tombstone (id, kind, origin, at, document) VALUES ($1, 'initiative', '', 1, $2)", id, []byte("tombstone"))
		if got, err := n.Object(t.Context(), id); err != nil || !got.Gone || string(got.Bytes) != "tombstone" || got.ETag == "" {
			t.Errorf("withdrawn object = %+v, %v", got, err)
		}
		n.raw(t, "INSERT INTO tombstone (id, kind, origin, at) VALUES ('https://a.example/notes/1', 'comment', 'a.example', 1)")
		if _, err := n.Object(t.Context(), "https://a.example/notes/1"); !errors.Is(err, essaim.ErrNotFound) {
			t.Errorf("another node's tombstone is served: %v", err)
		}
	})
}

func TestAnActivityIsGoneWithItsObject(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		n.publish(t, "Create", "1", "o")
		id := brest + "/activities/1"
		if got, err := n.Activity(t.Context(), id); err != nil || string(got.Bytes) != `{"id":"`+id+`"}` || got.ETag == "" {
			t.Errorf("activity = %+v, %v", got, err)
		}
		n.raw(t, "UPDATE activity SET bytes = NULL")
		if _, err := n.Activity(t.Context(), id); !errors.Is(err, essaim.ErrGone) {
			t.Errorf("erased activity: %v", err)
		}
		if _, err := n.Activity(t.Context(), id+"0"); !errors.Is(err, essaim.ErrNotFound) {
			t.Errorf("unknown activity: %v", err)
		}
	})
}

func TestTheOutboxIsWhatIsPublishedNewestFirst(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		for i := range 5 {
			slug := fmt.Sprint("r", i)
			n.record(t, slug)
			n.publish(t, "Create", slug, slug)
			n.raw(t, "UPDATE record SET number = $2 WHERE slug = $1", slug, i+1)
		}
		n.raw(t, "UPDATE record SET state = 'withdrawn' WHERE slug = 'r3'")
		var walked []int64
		before := int64(0)
		for {
			bodies, numbers, err := n.Outbox(t.Context(), territory, before, 2)
			if err != nil {
				t.Fatal(err)
			}
			if len(numbers) == 0 {
				break
			}
			if want := fmt.Sprintf(`{"id":"%s/activities/r%d"}`, brest, numbers[0]-1); string(bodies[0]) != want {
				t.Errorf("activity of number %d = %s, want %s", numbers[0], bodies[0], want)
			}
			walked = append(walked, numbers...)
			before = numbers[len(numbers)-1]
		}
		if want := []int64{5, 3, 2, 1}; !slices.Equal(walked, want) {
			t.Errorf("numbers = %v, want %v", walked, want)
		}
		for after, want := range map[int64][]int64{0: {2, 1}, 2: {5, 3}, 3: {5}, 5: nil} {
			bodies, numbers, err := n.OutboxAfter(t.Context(), territory, after, 2)
			if err != nil || !slices.Equal(numbers, want) {
				t.Errorf("after %d: got %v, %v, want %v", after, numbers, err, want)
			}
			for i, b := range bodies {
				if want := fmt.Sprintf(`{"id":"%s/activities/r%d"}`, brest, numbers[i]-1); string(b) != want {
					t.Errorf("activity of number %d = %s, want %s", numbers[i], b, want)
				}
			}
		}
		if c, err := n.Counts(t.Context(), territory); err != nil || c.Published != 4 {
			t.Errorf("counts = %+v, %v", c, err)
		}
		if _, numbers, _ := n.Outbox(t.Context(), nodeActor, 0, 10); len(numbers) != 0 {
			t.Errorf("the node's own actor has an outbox of %v", numbers)
		}
	})
}

func TestTheLastNumberMovesWithEachPublicChange(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		before, err := n.Number(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		n.raw(t, "UPDATE counter SET n = n + 3")
		if got, err := n.Number(t.Context()); err != nil || got != before+3 {
			t.Errorf("got %d, %v, want %d", got, err, before+3)
		}
	})
}

// What answers from memory relies on it: no publication is answered before the
// count has moved, and what changes no document leaves it.
func TestChangesMoveWithEachPublicationAndNothingElse(t *testing.T) {
	t.Parallel()
	s, _ := storetest.SQLite(t).Node(t)
	at := func() int64 {
		t.Helper()
		n, ok := s.Changes()
		if !ok {
			t.Fatal("the owner of a database says that others commit too")
		}
		return n
	}
	before := at()
	made := storetest.Publish(t, s, storetest.Initiative("Jardin"))
	published := at()
	if published == before {
		t.Error("a publication moved nothing")
	}
	if _, err := s.CreateRecord(t.Context(), essaim.NewRecord{Content: storetest.Initiative("Brouillon"), State: essaim.StateDraft, Author: storetest.Author}); err != nil {
		t.Fatal(err)
	}
	if err := s.SaveHost(t.Context(), essaim.HostState{Host: "peer.example"}); err != nil {
		t.Fatal(err)
	}
	if got := at(); got != published {
		t.Errorf("a draft and a host moved the count from %d to %d", published, got)
	}
	changed, err := s.UpdateRecord(t.Context(), made.ID, 0, storetest.Initiative("Jardin partagé"), essaim.StatePublished, storetest.Author)
	if err != nil {
		t.Fatal(err)
	}
	edited := at()
	if edited == published {
		t.Error("an edit moved nothing")
	}
	if err := s.WithdrawRecord(t.Context(), changed.ID, storetest.Author); err != nil {
		t.Fatal(err)
	}
	if at() == edited {
		t.Error("a withdrawal moved nothing")
	}
}
