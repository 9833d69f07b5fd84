// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"essaim"
	"essaim/store"
	"essaim/store/storetest"
)

// Who reads "greater than the last one seen" while eight write passes over
// nothing: numbers become visible in their order.
func TestNumbersBecomeVisibleInTheirOrder(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s, _ := db.Node(t)
		const writers, each = 8, 25
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				for i := range each {
					c := storetest.Initiative(fmt.Sprintf("Fiche %d %d", w, i))
					if _, err := s.CreateRecord(t.Context(), essaim.NewRecord{Content: c, State: essaim.StatePublished}); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		finished := make(chan struct{})
		go func() { wg.Wait(); close(finished) }()
		last, seen := 0, 0
		for done := false; !done; {
			select {
			case <-finished:
				done = true
			case <-s.Notify():
			}
			rows, err := s.DB().QueryContext(t.Context(), "SELECT n FROM event WHERE n > $1 ORDER BY n", last)
			if err != nil {
				t.Fatal(err)
			}
			for rows.Next() {
				if err := rows.Scan(&last); err != nil {
					t.Fatal(err)
				}
				seen++
			}
			rows.Close()
		}
		if want := writers * each; seen != want {
			t.Errorf("a reader that goes on from the last number saw %d events of %d", seen, want)
		}
	})
}

// A publication and its event are one transaction: when the documents cannot
// be made, nothing of it stays.
func TestAPublicationThatFailsLeavesNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		broken := errors.New("no key")
		s, _ := db.Node(t, func(c *store.Config) {
			c.Render = func(r essaim.RenderRequest) (essaim.Rendered, error) {
				if strings.HasPrefix(r.Record.Title, "Impossible") {
					return essaim.Rendered{}, broken
				}
				if strings.HasPrefix(r.Record.Title, "Panique") {
					panic("render")
				}
				return storetest.Render(r)
			}
		})
		for _, title := range []string{"Impossible", "Panique"} {
			if db.Name == "postgres" && title == "Panique" {
				continue // a panic is its caller's there
			}
			_, err := s.CreateRecord(t.Context(), essaim.NewRecord{Content: storetest.Initiative(title), State: essaim.StatePublished})
			if err == nil || title == "Impossible" && !errors.Is(err, broken) {
				t.Errorf("%s: error = %v", title, err)
			}
		}
		if n := count(t, s, "SELECT (SELECT count(*) FROM record) + (SELECT count(*) FROM name WHERE space <> 'actor') + (SELECT count(*) FROM event) + (SELECT n FROM counter)"); n != 0 {
			t.Errorf("%d rows or numbers remain", n)
		}
		storetest.Publish(t, s, storetest.Initiative("Possible"))
	})
}

// What was withdrawn is in no file any more: not in the table, not among the
// words of the full-text index, not in the log.
func TestWithdrawnWordsLeaveTheFilesOfSQLite(t *testing.T) {
	t.Parallel()
	const secret = "motsecretxyz"
	db := storetest.SQLite(t)
	s, _ := db.Node(t)
	storetest.Publish(t, s, storetest.Initiative("Fiche qui reste"))
	made := storetest.Publish(t, s, storetest.Initiative("Fiche de passage", func(c *essaim.Content) {
		c.Text, c.Keywords = "Un "+secret+" à oublier.", []string{secret}
	}))
	holds := func() bool {
		files, err := filepath.Glob(filepath.Join(db.Dir, "essaim.db*"))
		if err != nil || len(files) == 0 {
			t.Fatalf("files %q, %v", files, err)
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(b, []byte(secret)) {
				return true
			}
		}
		return false
	}
	if !holds() {
		t.Fatal("the words of a record are in no file: this test shows nothing")
	}
	if err := s.WithdrawRecord(t.Context(), made.ID, storetest.Author); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil { // writes the log back
		t.Fatal(err)
	}
	if holds() {
		t.Error("a file still holds a word of the withdrawn record")
	}
}

func TestWritersTogetherKeepCountersExact(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s, _ := db.Node(t)
		var wg sync.WaitGroup
		for w := range 6 {
			wg.Go(func() {
				for i := range 10 {
					c := storetest.Initiative("Même titre", func(c *essaim.Content) { c.Themes = []string{essaim.Themes()[(w+i)%5].ID} })
					r, err := s.CreateRecord(t.Context(), essaim.NewRecord{Content: c, State: essaim.StatePublished})
					if err == nil && i%3 == 0 {
						err = s.WithdrawRecord(t.Context(), r.ID, storetest.Author)
					}
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		found, err := s.Search(t.Context(), essaim.Query{Facets: true})
		if err != nil || found.Total != 36 || found.Facets.Kinds[0].N != 36 {
			t.Errorf("total %d, facets %+v, %v, want 36", found.Total, found.Facets.Kinds, err)
		}
		if n := count(t, s, "SELECT count(DISTINCT slug) FROM record"); n != 60 {
			t.Errorf("%d slugs for 60 records", n)
		}
	})
}

// Who wrote is answered by the commit, not before it: of what it refuses nothing
// stands, and nobody was told otherwise.
func TestACommitThatFailsIsNoSuccess(t *testing.T) {
	t.Parallel()
	refusal := map[string][]string{
		"sqlite": {
			"CREATE TABLE late (id INTEGER PRIMARY KEY, up INTEGER REFERENCES late (id) DEFERRABLE INITIALLY DEFERRED)",
			"CREATE TRIGGER refusal AFTER INSERT ON record BEGIN INSERT INTO late (up) VALUES (7); END",
		},
		"postgres": {
			"CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION USING ERRCODE = ''foreign_key_violation''; END'",
			"CREATE CONSTRAINT TRIGGER refusal AFTER INSERT ON record DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()",
		},
	}
	relief := map[string]string{"sqlite": "DROP TRIGGER refusal", "postgres": "DROP TRIGGER refusal ON record"}
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s, _ := db.Node(t)
		create := func() error {
			_, err := s.CreateRecord(t.Context(), essaim.NewRecord{Content: storetest.Initiative("Un jardin"), State: essaim.StatePublished})
			return err
		}
		for _, statement := range refusal[db.Name] {
			if err := db.Exec(t.Context(), s, statement); err != nil {
				t.Fatal(err)
			}
		}
		if err := create(); err == nil {
			t.Error("done, said of what the commit refused")
		}
		if n := count(t, s, "SELECT count(*) FROM record"); n != 0 {
			t.Errorf("%d records stand, want none", n)
		}
		if err := db.Exec(t.Context(), s, relief[db.Name]); err != nil {
			t.Fatal(err)
		}
		if err := create(); err != nil {
			t.Errorf("the write after it: %v", err)
		}
		if n := count(t, s, "SELECT count(*) FROM record"); n != 1 {
			t.Errorf("%d records stand, want one", n)
		}
	})
}
