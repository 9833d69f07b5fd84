// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/store/storetest"
)

const camille = actors + "camille"

// crediting adds a credit of a person, who agreed to it.
func crediting(actor string, change ...func(*essaim.Credit)) func(*essaim.Content) {
	return func(c *essaim.Content) {
		cr := essaim.Credit{
			Name: "Contributrice de démonstration", Actor: actor, Role: "porteur", Person: true,
			Consent: &essaim.Consent{On: "2026-03-01", How: "link", Fields: []string{"name"}},
		}
		for _, f := range change {
			f(&cr)
		}
		c.Credits = append(c.Credits, cr)
	}
}

// newPerson is a node with a person on the Fediverse.
func newPerson(t *testing.T, db storetest.DB) (*node, int64) {
	t.Helper()
	n := newNode(t, db)
	u, err := n.CreateUser(t.Context(), essaim.User{Email: "a@brest.example", Name: "Contributrice", Role: essaim.RoleContributor})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.CreatePerson(t.Context(), u.ID, "camille", essaim.Profile{Name: "Contributrice de démonstration"}); err != nil {
		t.Fatal(err)
	}
	return n, u.ID
}

// creditedTitles are of the records that credit her, in their order.
func creditedTitles(t *testing.T, n *node, actor string) (titles []string) {
	t.Helper()
	found, err := n.Credited(t.Context(), actor, "", 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range found.Records {
		titles = append(titles, r.Title)
	}
	if found.Total != len(titles) {
		t.Errorf("%d records are %d", len(titles), found.Total)
	}
	return titles
}

// sound checks the rules of the database once, at the end.
func sound(t *testing.T, n *node) {
	t.Helper()
	if broken, err := n.Check(t.Context()); err != nil || len(broken) > 0 {
		t.Errorf("the database breaks %v, %v", broken, err)
	}
}

func TestOnlyCreditsThatAPersonAgreedToAreHers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		with  func(*essaim.Content)
		state essaim.State
		want  bool
	}{
		{"with her agreement", crediting(camille), essaim.StatePublished, true},
		{"in a draft", crediting(camille), essaim.StateDraft, false},
		{"without her agreement", crediting(camille, func(c *essaim.Credit) { c.Consent = nil }), essaim.StatePublished, false},
		{"not said to be a person", crediting(camille, func(c *essaim.Credit) { c.Person = false }), essaim.StatePublished, false},
		{"another's actor", crediting(actors + "brest"), essaim.StatePublished, false},
		{"nobody's actor", crediting(actors + "camill"), essaim.StatePublished, false},
		{"without an actor", crediting(""), essaim.StatePublished, false},
	}
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n, _ := newPerson(t, db)
		if err := n.SetProfile(t.Context(), "brest", essaim.Profile{Name: "Brest"}); err != nil {
			t.Fatal(err) // another actor with a row of its own
		}
		var want []string
		for _, tt := range tests {
			_, err := n.CreateRecord(t.Context(), essaim.NewRecord{Content: storetest.Initiative(tt.name, tt.with), State: tt.state, Author: storetest.Author})
			if err != nil {
				t.Fatal(err)
			}
			if tt.want {
				want = append(want, tt.name)
			}
		}
		if got := creditedTitles(t, n, camille); !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		if got := one[int](t, n, "SELECT count(*) FROM record_credit"); got != len(want) {
			t.Errorf("%d rows for %d credits", got, len(want))
		}
	})
}

func TestCreditsFollowTheirRecord(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n, _ := newPerson(t, db)
		ctx := t.Context()
		twice := storetest.Publish(t, n.Store, storetest.Initiative("Jardin", crediting(camille), crediting(camille, func(c *essaim.Credit) { c.Role = "ambassadeur" })))
		n.clock.pass(time.Second)
		other := storetest.Publish(t, n.Store, storetest.Initiative("Four", crediting(camille)))
		is := func(when string, want ...string) {
			t.Helper()
			if got := creditedTitles(t, n, camille); !slices.Equal(got, want) {
				t.Errorf("%s: got %q, want %q", when, got, want)
			}
		}
		is("published", "Four", "Jardin")
		changed := twice.Content
		changed.Title = "Jardin partagé"
		n.clock.pass(time.Second)
		if _, err := n.UpdateRecord(ctx, twice.ID, 0, changed, essaim.StatePublished, storetest.Author); err != nil {
			t.Fatal(err)
		}
		is("an edit comes first", "Jardin partagé", "Four")
		if err := n.WithdrawRecord(ctx, other.ID, storetest.Author); err != nil {
			t.Fatal(err)
		}
		is("withdrawn", "Jardin partagé")
		changed.Credits = nil
		if _, err := n.UpdateRecord(ctx, twice.ID, 0, changed, essaim.StatePublished, storetest.Author); err != nil {
			t.Fatal(err)
		}
		is("no longer credited")

		id, err := n.BeginImport(ctx, essaim.Import{File: "f", Licence: "cc-by-4.0"})
		if err != nil {
			t.Fatal(err)
		}
		row := essaim.ImportRow{Key: "1", Digest: "1", State: essaim.StatePublished, Content: storetest.Initiative("Lavoir", crediting(camille))}
		if _, err := n.ImportRows(ctx, id, []essaim.ImportRow{row}); err != nil {
			t.Fatal(err)
		}
		is("imported", "Lavoir")
		sound(t, n)
	})
}

func TestWhatReplicasSayOfAPersonHereIsListed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := followed(t, db)
		if err := n.CreatePerson(t.Context(), 1, "camille", essaim.Profile{}); err != nil {
			t.Fatal(err)
		}
		copied := version("ruche", 10, 1)
		copied.Record.Title = "Ruche"
		crediting(camille)(&copied.Record.Content)
		n.apply(t, toulouseTerritory, copied)
		if got := creditedTitles(t, n, camille); !slices.Equal(got, []string{"Ruche"}) {
			t.Errorf("a copy is not listed: %q", got)
		}
		n.apply(t, toulouseTerritory, version("ruche", 10, 2))
		if got := creditedTitles(t, n, camille); len(got) > 0 {
			t.Errorf("a newer copy that does not credit her is listed: %q", got)
		}
		sound(t, n)
	})
}

func TestCreditsAreReadPageByPage(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n, _ := newPerson(t, db)
		var want, got []string
		for i := range 7 {
			title := fmt.Sprintf("Jardin %d", i)
			n.clock.pass(time.Second)
			storetest.Publish(t, n.Store, storetest.Initiative(title, crediting(camille)))
			want = append([]string{title}, want...)
		}
		after, pages := "", 0
		for {
			found, err := n.Credited(t.Context(), camille, after, 3)
			if err != nil {
				t.Fatal(err)
			}
			if pages++; found.Total != 7 || found.Capped {
				t.Errorf("page %d: %d in all", pages, found.Total)
			}
			for _, r := range found.Records {
				got = append(got, r.Title)
			}
			if after = found.Next; after == "" {
				break
			}
		}
		if !slices.Equal(got, want) || pages != 3 {
			t.Errorf("%d pages: %q, want %q", pages, got, want)
		}
		if _, err := n.Credited(t.Context(), camille, "n'importe", 3); !errors.Is(err, essaim.ErrInvalid) {
			t.Errorf("a cursor of nothing: %v", err)
		}
	})
}

func TestWhoTakesHerselfOffIsCreditedNowhere(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*node, *testing.T, int64) error{
		"unpublished": func(n *node, t *testing.T, _ int64) error { return n.DeletePerson(t.Context(), "camille") },
		"deleted":     func(n *node, t *testing.T, user int64) error { return n.DeleteUser(t.Context(), user, false) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db storetest.DB) {
				n, user := newPerson(t, db)
				rec := storetest.Publish(t, n.Store, storetest.Initiative("Jardin", crediting(camille)))
				if err := end(n, t, user); err != nil {
					t.Fatal(err)
				}
				if got := one[int](t, n, "SELECT count(*) FROM record_credit"); got != 0 {
					t.Errorf("%d credits remain", got)
				}
				// The record names her still; no edit of it brings her back.
				if _, err := n.UpdateRecord(t.Context(), rec.ID, 0, rec.Content, essaim.StatePublished, storetest.Author); err != nil {
					t.Fatal(err)
				}
				if got := creditedTitles(t, n, camille); len(got) > 0 {
					t.Errorf("an edit credits her again: %q", got)
				}
				sound(t, n)
			})
		})
	}
}

func TestARestoredNodeKnowsItsCredits(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n, _ := newPerson(t, db)
		storetest.Publish(t, n.Store, storetest.Initiative("Jardin", crediting(camille)))
		var file bytes.Buffer
		if _, err := n.Backup(t.Context(), &file, nil); err != nil {
			t.Fatal(err)
		}
		empty := storetest.SQLite(t)
		back := &node{db: empty, clock: n.clock}
		back.Store = empty.Open(t, n.config)
		if _, err := back.Restore(t.Context(), &file); err != nil {
			t.Fatal(err)
		}
		if got := creditedTitles(t, back, camille); !slices.Equal(got, []string{"Jardin"}) {
			t.Errorf("got %q", got)
		}
		sound(t, back)
	})
}

// What was published before the table was is put into it.
func TestCreditsOfAnOlderNodeAreListed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n, _ := newPerson(t, db)
		both := func(c *essaim.Content) { crediting(camille)(c); crediting(camille)(c) }
		for title, with := range map[string]func(*essaim.Content){
			"Jardin": both, "Four": crediting(camille, func(c *essaim.Credit) { c.Consent = nil }), "Lavoir": crediting(camille, func(c *essaim.Credit) { c.Person = false }),
			"Ruche": crediting(actors + "brest"), "Banc": func(*essaim.Content) {},
		} {
			storetest.Publish(t, n.Store, storetest.Initiative(title, with))
		}
		w := storetest.Publish(t, n.Store, storetest.Initiative("Retirée", crediting(camille)))
		if err := n.WithdrawRecord(t.Context(), w.ID, storetest.Author); err != nil {
			t.Fatal(err)
		}
		if _, err := n.CreateRecord(t.Context(), essaim.NewRecord{Content: storetest.Initiative("Brouillon", both), State: essaim.StateDraft, Author: storetest.Author}); err != nil {
			t.Fatal(err)
		}
		files, err := filepath.Glob(db.Name + "/migrations/*_record_credit.sql")
		if err != nil || len(files) != 1 {
			t.Fatalf("the migration is %q, %v", files, err)
		}
		b, err := os.ReadFile(files[0])
		if err != nil {
			t.Fatal(err)
		}
		_, fill, found := strings.Cut(string(b), "INSERT INTO")
		if !found {
			t.Fatal("the migration fills nothing")
		}
		n.raw(t, "DELETE FROM record_credit")
		n.raw(t, "INSERT INTO"+fill)
		if got := creditedTitles(t, n, camille); !slices.Equal(got, []string{"Jardin"}) {
			t.Errorf("got %q", got)
		}
	})
}

// Who replicates a node holds the documents of its people, whether it follows them
// or not.
func TestWhoReplicatesTheNodeIsToldThatAPersonIsGone(t *testing.T) {
	t.Parallel()
	for name, replicated := range map[string]bool{"replicated": true, "alone": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db storetest.DB) {
				n, _ := newPerson(t, db)
				if replicated {
					n.follow(t, nodeActor, "https://toulouse.example/actor", "https://toulouse.example/inbox")
				}
				if err := n.DeletePerson(t.Context(), "camille"); err != nil {
					t.Fatal(err)
				}
				if got := one[int](t, n, "SELECT count(*) FROM event e JOIN activity a ON a.id = e.activity_id WHERE a.type = 'Delete' AND a.actor = $1", camille) == 1; got != replicated {
					t.Errorf("told: %t, want %t", got, replicated)
				}
			})
		})
	}
}
