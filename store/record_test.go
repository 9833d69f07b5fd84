// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"database/sql"
	"errors"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/store"
	"essaim/store/storetest"

	"github.com/google/go-cmp/cmp"
)

func TestAPublishedRecordIsReadBackWhole(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s, clock := db.Node(t)
		for _, info := range essaim.Kinds() {
			c := storetest.Initiative("Fiche "+string(info.Kind), func(c *essaim.Content) {
				c.Kind, c.Body = info.Kind, info.Body()
				switch b := c.Body.(type) {
				case *essaim.Meeting:
					b.Start = storetest.Start.Add(48 * time.Hour)
				case *essaim.Remake:
					b.Outcome = "works"
					c.Relations = []essaim.Relation{{Type: essaim.RelationRemakes, Target: storetest.Base + "/objects/1"}}
				}
			})
			made := storetest.Publish(t, s, c)
			got, err := s.Record(t.Context(), made.ID)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(made, got); diff != "" {
				t.Errorf("%s made and read back (-made +read):\n%s", info.Kind, diff)
			}
			if got.Number == 0 || got.Published.IsZero() || got.ContentDigest == "" || got.Revision != 1 {
				t.Errorf("%s has number %d, published %s, digest %q, revision %d", info.Kind, got.Number, got.Published, got.ContentDigest, got.Revision)
			}
			if want := storetest.Base + "/" + info.Path + "/" + got.Slug; got.URL != want {
				t.Errorf("url = %s, want %s", got.URL, want)
			}
			bySlug, err := s.RecordBySlug(t.Context(), info.Kind, "", got.Slug)
			if err != nil || bySlug.ID != got.ID {
				t.Errorf("by slug: %s, %v, want %s", bySlug.ID, err, got.ID)
			}
			clock.Move(time.Minute)
		}
	})
}

func TestSlugsAreNeverGivenTwice(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s, _ := db.Node(t)
		first := storetest.Publish(t, s, storetest.Initiative("Jardin partagé"))
		if err := s.WithdrawRecord(t.Context(), first.ID, storetest.Author); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"jardin-partage-2", "jardin-partage-3", "jardin-partage-4", "jardin-partage-5", "jardin-partage-6"} {
			if got := storetest.Publish(t, s, storetest.Initiative("Jardin partagé")); got.Slug != want {
				t.Errorf("slug = %s, want %s", got.Slug, want)
			}
		}
		if got := storetest.Publish(t, s, storetest.Initiative("東京")); got.Slug != "initiative" {
			t.Errorf("slug of a title without Latin letters = %s, want initiative", got.Slug)
		}
	})
}

func TestWhatMayNotBePublishedIsRefusedAndLeavesNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s, _ := db.Node(t)
		c := storetest.Initiative("Sans accroche", func(c *essaim.Content) { c.Tagline = "" })
		_, err := s.CreateRecord(t.Context(), essaim.NewRecord{Content: c, State: essaim.StatePublished})
		var invalid *essaim.ValidationError
		if !errors.As(err, &invalid) || !errors.Is(err, essaim.ErrInvalid) {
			t.Fatalf("error = %v, want the problems of the content", err)
		}
		if n := count(t, s, "SELECT count(*) FROM name WHERE space <> 'actor'"); n != 0 {
			t.Errorf("a refused record left %d names", n)
		}
		if _, err := s.CreateRecord(t.Context(), essaim.NewRecord{Content: c, State: essaim.StateDraft}); err != nil {
			t.Errorf("as a draft: %v", err)
		}
	})
}

func TestUpdatesAreNewRevisionsOfOneRecord(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s, _ := db.Node(t)
		made := storetest.Publish(t, s, storetest.Initiative("Repair café"))
		c := made.Content
		c.Title = "Café des bricoleuses"
		changed, err := s.UpdateRecord(t.Context(), made.ID, made.Revision, c, essaim.StateDraft, storetest.Author)
		if err != nil {
			t.Fatal(err)
		}
		if changed.State != essaim.StatePublished || changed.Slug != made.Slug || changed.Revision != 2 {
			t.Errorf("state %s, slug %s, revision %d, want published, %s, 2", changed.State, changed.Slug, changed.Revision, made.Slug)
		}
		if !changed.Updated.After(made.Updated.Add(999*time.Millisecond)) || !changed.Published.Equal(made.Published) {
			t.Errorf("updated %s after %s, want a second later at least", changed.Updated, made.Updated)
		}
		if changed.Number <= made.Number || changed.ContentDigest == made.ContentDigest {
			t.Errorf("number %d after %d, same digest: %t", changed.Number, made.Number, changed.ContentDigest == made.ContentDigest)
		}
		if _, err := s.UpdateRecord(t.Context(), made.ID, made.Revision, c, essaim.StateDraft, storetest.Author); !errors.Is(err, essaim.ErrConflict) {
			t.Errorf("an edit of an older revision: %v, want a conflict", err)
		}
		list, err := s.Revisions(t.Context(), made.ID)
		if err != nil || len(list) != 2 || list[0].Content.Title != c.Title || list[1].Content.Title != "Repair café" || list[0].Author != storetest.Author {
			t.Errorf("revisions = %+v, %v, want both, newest first", list, err)
		}
		var verbs []string
		each(t, s, "SELECT type FROM activity ORDER BY at", func(rows *sql.Rows) error {
			var v string
			err := rows.Scan(&v)
			verbs = append(verbs, v)
			return err
		})
		if got := strings.Join(verbs, " "); got != "Create Update" {
			t.Errorf("activities = %s, want Create Update", got)
		}
	})
}

func TestADraftIsPublishedLater(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s, _ := db.Node(t)
		draft, err := s.CreateRecord(t.Context(), essaim.NewRecord{Content: storetest.Initiative("À venir"), State: essaim.StateDraft, Author: storetest.Author})
		if err != nil {
			t.Fatal(err)
		}
		if draft.Number != 0 || count(t, s, "SELECT count(*) FROM event") != 0 {
			t.Errorf("a draft has number %d, or an event", draft.Number)
		}
		if got := titles(t, s, essaim.Query{}); got != "" {
			t.Errorf("the public list shows %s", got)
		}
		if got := titles(t, s, essaim.Query{State: essaim.StateDraft, Text: "venir"}); got != "À venir" {
			t.Errorf("drafts = %s, want À venir", got)
		}
		made, err := s.UpdateRecord(t.Context(), draft.ID, 1, draft.Content, essaim.StatePublished, storetest.Author)
		if err != nil {
			t.Fatal(err)
		}
		if made.Number == 0 || made.Published.IsZero() || made.Revision != 2 {
			t.Errorf("number %d, published %s, revision %d", made.Number, made.Published, made.Revision)
		}
		if got := titles(t, s, essaim.Query{}); got != "À venir" {
			t.Errorf("the public list shows %q, want À venir", got)
		}
	})
}

func TestAWithdrawnRecordIsErasedAndItsTombstoneStays(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s, _ := db.Node(t)
		const secret = "motsecret"
		made := storetest.Publish(t, s, storetest.Initiative("Une fiche "+secret, func(c *essaim.Content) { c.Text = secret; c.Keywords = []string{secret} }))
		if err := s.WithdrawRecord(t.Context(), made.ID, storetest.Author); err != nil {
			t.Fatal(err)
		}
		got, err := s.Record(t.Context(), made.ID)
		if err != nil || got.State != essaim.StateWithdrawn || got.Title != "" || got.Text != "" {
			t.Errorf("record = %+v, %v, want a blank withdrawn one", got, err)
		}
		for table, columns := range map[string]string{
			"record": "content", "revision": "content", "search": "filter", "tombstone": "''",
		} {
			if n := count(t, s, "SELECT count(*) FROM "+table+" WHERE "+columns+" LIKE '%"+secret+"%'"); n != 0 {
				t.Errorf("%s still holds the secret", table)
			}
		}
		if n := count(t, s, "SELECT count(*) FROM activity WHERE bytes IS NOT NULL AND type <> 'Delete'"); n != 0 {
			t.Errorf("%d activities that published it keep their bytes", n)
		}
		if n := count(t, s, "SELECT (SELECT count(*) FROM facet) + (SELECT count(*) FROM map_cell)"); n != 0 {
			t.Errorf("%d counters are not back at zero", n)
		}
		if got := titles(t, s, essaim.Query{Text: secret}); got != "" {
			t.Errorf("search still finds %s", got)
		}
		if n := count(t, s, "SELECT count(*) FROM event"); n != 1 {
			t.Errorf("%d events wait, want that of the Delete alone", n)
		}
		if err := s.WithdrawRecord(t.Context(), made.ID, storetest.Author); !errors.Is(err, essaim.ErrGone) {
			t.Errorf("withdrawn twice: %v, want gone", err)
		}
		if _, err := s.UpdateRecord(t.Context(), made.ID, 0, made.Content, essaim.StatePublished, storetest.Author); !errors.Is(err, essaim.ErrGone) {
			t.Errorf("edited after: %v, want gone", err)
		}
	})
}

func TestADraftJustGoes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s, _ := db.Node(t)
		draft, err := s.CreateRecord(t.Context(), essaim.NewRecord{Content: storetest.Initiative("Brouillon"), State: essaim.StateDraft})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.WithdrawRecord(t.Context(), draft.ID, storetest.Author); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Record(t.Context(), draft.ID); !errors.Is(err, essaim.ErrNotFound) {
			t.Errorf("error = %v, want not found", err)
		}
		if n := count(t, s, "SELECT (SELECT count(*) FROM tombstone) + (SELECT count(*) FROM event) + (SELECT count(*) FROM revision)"); n != 0 {
			t.Errorf("it left %d rows", n)
		}
	})
}

func TestRelationsAreFoundFromTheirTarget(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s, _ := db.Node(t)
		target := storetest.Publish(t, s, storetest.Initiative("Four à pain"))
		relation := []essaim.Relation{{Type: essaim.RelationDocuments, Target: target.ID}}
		recipe := storetest.Publish(t, s, storetest.Initiative("Bâtir un four", func(c *essaim.Content) {
			c.Kind, c.Body, c.Relations = essaim.KindRecipe, &essaim.Recipe{}, relation
		}))
		got, err := s.RelatedTo(t.Context(), target.ID)
		if err != nil || len(got) != 1 || got[0].Type != essaim.RelationDocuments || got[0].Record.ID != recipe.ID {
			t.Errorf("related = %+v, %v, want the recipe", got, err)
		}
	})
}

// titles runs a query and joins the titles found, in their order.
func titles(t *testing.T, s *store.Store, q essaim.Query) string {
	t.Helper()
	found, err := s.Search(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, r := range found.Records {
		list = append(list, r.Title)
	}
	return strings.Join(list, ", ")
}

func count(t *testing.T, s *store.Store, statement string) (n int) {
	t.Helper()
	if err := s.DB().QueryRowContext(t.Context(), statement).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func each(t *testing.T, s *store.Store, statement string, f func(*sql.Rows) error) {
	t.Helper()
	rows, err := s.DB().QueryContext(t.Context(), statement)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows); err != nil {
			t.Fatal(err)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}
