// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"essaim"
	"essaim/store/storetest"
)

func TestActorsAreNamedAsTheyArePublished(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s, _ := db.Node(t)
		exists := func(name string) bool {
			t.Helper()
			a, err := s.LocalActor(t.Context(), name)
			if err != nil && !errors.Is(err, essaim.ErrNotFound) {
				t.Fatal(err)
			}
			if err == nil && (a.ID != actors+name || a.Username != name) {
				t.Errorf("%s is %+v", name, a)
			}
			return err == nil && !a.Gone
		}
		if !exists("brest") || exists("theme_alimentation") || exists("commune_brest") || exists("fiche_jardin") {
			t.Error("an empty node has its territory and no other")
		}
		if _, err := s.CreateRecord(t.Context(), essaim.NewRecord{Content: storetest.Initiative("Jardin"), State: essaim.StateDraft, Author: storetest.Author}); err != nil {
			t.Fatal(err)
		}
		if exists("theme_alimentation") || exists("fiche_jardin") {
			t.Error("a draft has actors")
		}
		rec := storetest.Publish(t, s, storetest.Initiative("Jardin des Capucins", func(c *essaim.Content) {
			c.Themes = []string{"jardins", "energie-climat"}
			c.Places = append(c.Places, essaim.Place{INSEE: "22282"}, essaim.Place{INSEE: "29019"}, essaim.Place{INSEE: "75101"})
		}))
		storetest.Publish(t, s, essaim.Content{
			Kind: essaim.KindOrganisation, Title: "Les Petits Débrouillards", Licence: essaim.DefaultLicence,
			Places: []essaim.Place{{Label: "Brest", INSEE: "29019"}}, Body: &essaim.Organisation{},
		})
		for _, name := range []string{"theme_jardins", "theme_energie-climat", "commune_brest", "commune_paris_75101", "fiche_jardin-des-capucins", "structure_les-petits-debrouill"} {
			if !exists(name) {
				t.Errorf("%s does not exist", name)
			}
		}
		// Saint-Clet, Côtes-d'Armor: one of a kind or not, the gazetteer says.
		if want := essaim.EmbeddedGazetteer().CommuneActorName("22282"); !exists(want) {
			t.Errorf("%s does not exist", want)
		}
		if err := s.WithdrawRecord(t.Context(), rec.ID, storetest.Author); err != nil {
			t.Fatal(err)
		}
		if a, err := s.LocalActor(t.Context(), "fiche_jardin-des-capucins"); err != nil || !a.Gone {
			t.Errorf("the actor of a withdrawn record: %+v, %v", a, err)
		}
		if !exists("theme_jardins") {
			t.Error("a feed goes with its last record")
		}
	})
}

var fediverseName = regexp.MustCompile(`^[a-z0-9_]+([.-][a-z0-9_]+)*$`) // interop.md, rule 5

func TestLongTitlesGetNamesOfTheirOwn(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s, _ := db.Node(t)
		id, err := s.BeginImport(t.Context(), essaim.Import{File: "f", Licence: "cc-by-4.0"})
		if err != nil {
			t.Fatal(err)
		}
		var rows []essaim.ImportRow
		for i := range 150 {
			rows = append(rows, essaim.ImportRow{
				Key: fmt.Sprint(i), Digest: "1", State: essaim.StatePublished,
				Content: storetest.Initiative(fmt.Sprintf("Jardin partagé de la résidence numéro %d", i)),
			})
		}
		if _, err := s.ImportRows(t.Context(), id, rows); err != nil {
			t.Fatal(err)
		}
		names := map[string]bool{}
		found, err := s.DB().QueryContext(t.Context(), "SELECT name FROM name WHERE space = 'actor' AND name LIKE 'fiche%'")
		if err != nil {
			t.Fatal(err)
		}
		defer found.Close()
		for found.Next() {
			var name string
			if err := found.Scan(&name); err != nil {
				t.Fatal(err)
			}
			names[name] = true
			if len(name) > 30 || !fediverseName.MatchString(name) {
				t.Errorf("name %s", name)
			}
			if a, err := s.LocalActor(t.Context(), name); err != nil || !strings.HasPrefix(a.Record.Title, "Jardin partagé") {
				t.Errorf("%s is %q, %v", name, a.Record.Title, err)
			}
		}
		if err := found.Err(); err != nil {
			t.Fatal(err)
		}
		if len(names) != 150 {
			t.Errorf("%d names for 150 records", len(names))
		}
	})
}

func TestRecordsOfAnOlderNodeGetTheirActors(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		n.raw(t, `INSERT INTO record (id, kind, slug, origin, territory, territory_name, url, state, incarnation, revision, number, title, stage,
			reusable, content, document, content_digest, copy_digest, activity_id, published_at, updated_at, position)
			VALUES ($1, 'initiative', 'jardin', '', $2, 'Brest', 'https://brest.example/initiatives/jardin', 'published', 1, 1, 1, 'Jardin', '', 1,
			'{"kind":"initiative","title":"Jardin","themes":["jardins"],"body":{}}', $3, 'c', 'd', 'x', 1, 1, 1)`, brest+"/objects/1", territory, []byte("{}"))
		for range 2 { // and again, for nothing
			if err := n.NameActors(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range []string{"fiche_jardin", "theme_jardins"} {
			if _, err := n.LocalActor(t.Context(), name); err != nil {
				t.Error(err)
			}
		}
		if got := one[int](t, n, "SELECT count(*) FROM name WHERE space = 'actor'"); got != 3 {
			t.Errorf("%d names, want 3", got)
		}
	})
}

func TestAPersonIsOnTheFediverseByHerOwnYes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newAnnouncing(t, db)
		u, err := n.CreateUser(t.Context(), essaim.User{Email: "a@brest.example", Name: "Contributrice", Role: essaim.RoleContributor})
		if err != nil {
			t.Fatal(err)
		}
		storetest.Publish(t, n.Store, storetest.Initiative("Jardin"))
		for name, want := range map[string]error{
			"theme_x": essaim.ErrInvalid, "fiche_jardin": essaim.ErrInvalid, "commune": essaim.ErrInvalid, "admin": essaim.ErrInvalid,
			"Une Personne": essaim.ErrInvalid, "é": essaim.ErrInvalid, "brest": essaim.ErrConflict, strings.Repeat("a", 31): essaim.ErrInvalid,
		} {
			if err := n.CreatePerson(t.Context(), u.ID, name, essaim.Profile{}); !errors.Is(err, want) {
				t.Errorf("%s: got %v, want %v", name, err, want)
			}
		}
		if err := n.CreatePerson(t.Context(), u.ID, "@Camille", essaim.Profile{Summary: "Je **jardine**."}); err != nil {
			t.Fatal(err)
		}
		if err := n.CreatePerson(t.Context(), u.ID, "camille2", essaim.Profile{}); !errors.Is(err, essaim.ErrConflict) {
			t.Errorf("a second actor: %v", err)
		}
		if name, err := n.PersonOf(t.Context(), u.ID); err != nil || name != "camille" {
			t.Errorf("the account's actor is %q, %v", name, err)
		}
		const person = actors + "camille"
		n.follow(t, person, "https://m.example/users/a", "https://m.example/inbox")
		said := n.says(t, person)
		if err := n.DeletePerson(t.Context(), "camille"); err != nil {
			t.Fatal(err)
		}
		n.saysNoMore(t, person, said)
		if a, err := n.LocalActor(t.Context(), "camille"); err != nil || !a.Gone || a.Profile.Summary != "" || a.Subject == fmt.Sprint(u.ID) {
			t.Errorf("what remains: %+v, %v", a, err)
		}
		var ref string
		if err := n.DB().QueryRowContext(t.Context(), "SELECT ref FROM name WHERE name = 'camille'").Scan(&ref); err != nil || ref != "" {
			t.Errorf("the name still points to %q, %v", ref, err)
		}
		if _, err := n.Dispatch(t.Context(), storetest.Base+"/actor", 100); err != nil {
			t.Fatal(err)
		}
		var told, followers int
		err = n.DB().QueryRowContext(t.Context(), `SELECT (SELECT count(*) FROM delivery d JOIN activity a ON a.id = d.activity_id WHERE a.type = 'Delete' AND a.actor = $1 AND d.host = 'm.example'),
			(SELECT count(*) FROM follower WHERE local = $1)`, person).Scan(&told, &followers)
		if err != nil || told != 1 || followers != 0 {
			t.Errorf("%d told, %d follow still, %v", told, followers, err)
		}
		if err := n.CreatePerson(t.Context(), u.ID, "camille", essaim.Profile{}); !errors.Is(err, essaim.ErrConflict) {
			t.Errorf("the name given again: %v", err)
		}
		if err := n.CreatePerson(t.Context(), u.ID, "camille_b", essaim.Profile{}); err != nil {
			t.Errorf("another yes: %v", err)
		}
	})
}

// says sends Updates of an actor's document, the last of which is not dispatched
// yet; another actor says something too. It returns their ids.
func (n *announcing) says(t *testing.T, actor string) []string {
	t.Helper()
	n.follow(t, actors+"brest", "https://b.example/users/b", "https://b.example/inbox")
	for i, a := range []string{actor, actors + "brest", actor, actor} {
		if err := n.SetProfile(t.Context(), strings.TrimPrefix(a, actors), essaim.Profile{Summary: fmt.Sprintf("Au fil des saisons, %d.", i)}); err != nil {
			t.Fatal(err)
		}
		if i > 2 {
			break // no delivery of it yet
		}
		if _, err := n.Dispatch(t.Context(), storetest.Base+"/actor", 100); err != nil {
			t.Fatal(err)
		}
	}
	ids := n.updates(t)
	if len(ids) != 4 {
		t.Fatalf("%d Updates tell of profiles, want 4", len(ids))
	}
	return ids
}

// updates are the ids of the Updates of actors, the oldest first.
func (n *announcing) updates(t *testing.T) (ids []string) {
	t.Helper()
	rows, err := n.DB().QueryContext(t.Context(), "SELECT id FROM activity WHERE type = 'Update' AND rid IS NULL ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return ids
}

// saysNoMore fails where bytes of what says said are kept, or wait to be sent.
func (n *announcing) saysNoMore(t *testing.T, actor string, said []string) {
	t.Helper()
	for i, want := range []error{essaim.ErrGone, nil, essaim.ErrGone, essaim.ErrGone} {
		if _, err := n.Activity(t.Context(), said[i]); !errors.Is(err, want) {
			t.Errorf("activity %d: got %v, want %v", i, err, want)
		}
	}
	if _, err := n.Dispatch(t.Context(), storetest.Base+"/actor", 100); err != nil {
		t.Fatal(err)
	}
	var updates, kept int
	err := n.DB().QueryRowContext(t.Context(), `SELECT (SELECT count(*) FROM delivery d JOIN activity a ON a.id = d.activity_id WHERE a.actor = $1 AND a.type <> 'Delete' AND d.state = 'waiting'),
		(SELECT count(*) FROM activity WHERE actor = $1 AND type = 'Delete' AND bytes IS NOT NULL)`, actor).Scan(&updates, &kept)
	if err != nil || updates != 0 || kept != 1 {
		t.Errorf("%d wait to be sent, %d tell that it is gone, %v", updates, kept, err)
	}
}

func TestTheFollowersOfAWithdrawnRecordAreToldThatItsActorIsGone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newAnnouncing(t, db)
		rec := storetest.Publish(t, n.Store, storetest.Initiative("Jardin"))
		n.follow(t, actors+"fiche_jardin", "https://m.example/users/a", "https://m.example/inbox")
		said := n.says(t, actors+"fiche_jardin")
		if err := n.WithdrawRecord(t.Context(), rec.ID, storetest.Author); err != nil {
			t.Fatal(err)
		}
		n.saysNoMore(t, actors+"fiche_jardin", said)
		if a, err := n.LocalActor(t.Context(), "fiche_jardin"); err != nil || !a.Gone || a.Profile.Summary != "" {
			t.Errorf("what remains: %+v, %v", a, err)
		}
		if err := n.SetProfile(t.Context(), "fiche_jardin", essaim.Profile{}); !errors.Is(err, essaim.ErrGone) {
			t.Errorf("changed after it went: %v", err)
		}
		if _, err := n.Dispatch(t.Context(), storetest.Base+"/actor", 100); err != nil {
			t.Fatal(err)
		}
		var object string
		err := n.DB().QueryRowContext(t.Context(), "SELECT d.order_key FROM delivery d JOIN activity a ON a.id = d.activity_id WHERE d.host = 'm.example' AND a.type = 'Delete'").Scan(&object)
		if err != nil || object != actors+"fiche_jardin" {
			t.Errorf("told that %s is gone, %v", object, err)
		}
		if breaches, err := n.Check(t.Context()); err != nil || len(breaches) > 0 {
			t.Errorf("%v, %v", breaches, err)
		}
	})
}
