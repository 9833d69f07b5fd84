// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"essaim"
	"essaim/store"
	"essaim/store/storetest"
)

// furnished is a node with some of everything.
func furnished(t *testing.T, db storetest.DB) *node {
	t.Helper()
	n := followed(t, db)
	u, err := n.CreateUser(t.Context(), essaim.User{Email: "a@brest.example", Name: "Animatrice de démonstration", Role: essaim.RoleAdmin})
	if err != nil {
		t.Fatal(err)
	}
	n.NewToken(t.Context(), u.ID, "script", "token")
	n.NewSignIn(t.Context(), u.ID, "link", n.clock.now().Add(time.Hour))
	n.follow(t, nodeActor, ana, anaInbox)
	actor := remote(ana, "Person", anaInbox, n.clock.now().Add(time.Second))
	actor.Keys = []essaim.PublicKey{{ID: ana + "#main-key", PEM: "pem"}}
	if err := n.SaveRemoteActor(t.Context(), actor); err != nil {
		t.Fatal(err)
	}
	r := storetest.Publish(t, n.Store, storetest.Initiative("Jardin « partagé » du Guelmeur", func(c *essaim.Content) {
		c.Relations = []essaim.Relation{{Type: essaim.RelationCites, Target: "https://toulouse.example/objects/potager", Name: "Potager"}}
	}))
	w := storetest.Publish(t, n.Store, storetest.Initiative("Retirée"))
	if err := n.WithdrawRecord(t.Context(), w.ID, storetest.Author); err != nil {
		t.Fatal(err)
	}
	if _, err := n.CreateRecord(t.Context(), essaim.NewRecord{Content: storetest.Initiative("Brouillon"), State: essaim.StateDraft, Author: storetest.Author}); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Adapt(t.Context(), r.ID, storetest.Author); err != nil {
		t.Fatal(err)
	}
	n.dispatch(t)
	adapted := version("potager", 10, 1)
	adapted.Record.DerivedFrom = &essaim.Derivation{ID: r.ID, Digest: r.ContentDigest, Name: r.Title, AttributedTo: r.Territory, Licence: r.Licence}
	n.apply(t, toulouseTerritory, adapted)
	n.apply(t, toulouseTerritory, essaim.Acknowledge{Parent: r.ID, Child: "https://toulouse.example/objects/potager", Actor: toulouseTerritory, Offer: "https://toulouse.example/activities/1", Accept: accept("adapted")})
	n.apply(t, ana, essaim.React{Kind: essaim.ReactionLike, ActivityID: "l", Actor: ana, Object: r.ID, At: n.clock.now()})
	n.apply(t, ana, essaim.Moved{Actor: ana, Target: remote("https://b.example/users/ana", "Person", "", n.clock.now())})
	shown := comment("https://a.example/notes/9", r.ID, n.clock.now())
	shown.Policy = essaim.CommentsShown
	n.apply(t, ana, shown)
	n.DueAvatars(t.Context(), 10)
	n.apply(t, ana, n.quote("1", r.ID, "https://a.example/notes/2"))
	n.apply(t, ana, comment("https://a.example/notes/1", r.ID, n.clock.now()))
	n.decide(t, n.item(t, "https://a.example/notes/1"), essaim.ItemAccept)
	n.follows(t, blog, "")
	n.apply(t, blog, essaim.Propose{Proposal: proposal(article, "Un jardin", n.clock.now()), By: blog})
	n.apply(t, blog, essaim.Want{Object: "https://blog.example/?p=2", By: blog})
	n.apply(t, ana, essaim.FileReport{Report: essaim.Report{ID: "https://a.example/flags/1", Host: "a.example", Objects: []string{r.ID}, Text: "signalement"}})
	n.SaveHost(t.Context(), essaim.HostState{Host: "a.example", Failures: 2, DownSince: n.clock.now()})
	n.DefineTheme(t.Context(), "", "nature", "Algues vertes", "")
	n.AddMeasure(t.Context(), essaim.Measure{Scope: essaim.MeasureHost, Value: "evil.example", Level: essaim.LevelSilence, Reason: "spam"}, 0)
	if err := n.PinPeerKeys(t.Context(), toulouse, "", essaim.PeerKey{Key: "zA", How: essaim.KeyFirst}, essaim.PeerKey{Key: "zB", How: essaim.KeyContinued, Statement: []byte("statement")}); err != nil {
		t.Fatal(err)
	}
	hidden := version("retiree-ici", 10, 1)
	n.apply(t, toulouseTerritory, hidden)
	if _, err := n.WithdrawHere(t.Context(), hidden.Record.ID, 0, "demande fondée"); err != nil {
		t.Fatal(err)
	}
	n.receive(t, "https://a.example/waiting", ana)
	if err := n.SaveCommonsProgress(t.Context(), essaim.CommonsProgress{Host: toulouse, Cursor: essaim.CommonsNumber{Incarnation: 1, N: 2}, Items: 3, StartedAt: n.clock.now()}); err != nil {
		t.Fatal(err)
	}
	if err := n.SaveHead(t.Context(), "", essaim.CommonsHead{Number: essaim.CommonsNumber{Incarnation: 1, N: 2}, Root: essaim.Digest{1}, At: n.clock.now(), Document: []byte("head")}); err != nil {
		t.Fatal(err)
	}
	info, err := n.Node(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := n.RotateKeys(t.Context(), essaim.Rotation{Old: "zA", New: "zB", At: n.clock.now(), Statement: []byte("statement")}, info.KeyFingerprint, info.KeyFingerprint); err != nil {
		t.Fatal(err)
	}
	return n
}

func backup(t *testing.T, n *node) ([]byte, store.Manifest) {
	t.Helper()
	var b bytes.Buffer
	m, err := n.Backup(t.Context(), &b, []byte("sealed"))
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), m
}

// digests names the content of each table but the node's, whose incarnation a
// restore changes, and the counter's, which says that it does.
func digests(m store.Manifest) []string {
	var all []string
	for _, t := range m.Tables {
		if t.Name != "node" && t.Name != "counter" {
			all = append(all, fmt.Sprint(t.Name, " ", t.Rows, " ", t.Digest))
		}
	}
	return all
}

func TestABackupOfEitherDatabaseIsRestoredIntoEither(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := furnished(t, db)
		file, m := backup(t, n)
		for _, table := range m.Tables {
			if table.Rows == 0 && table.Name != "import" {
				t.Errorf("table %s of the test's node is empty: it shows nothing", table.Name)
			}
		}
		found, err := n.Search(t.Context(), essaim.Query{Text: "jardin", Facets: true})
		if err != nil || len(found.Records) != 1 {
			t.Fatalf("search before = %+v, %v", found, err)
		}
		for _, empty := range []storetest.DB{storetest.SQLite(t), storetest.Postgres(t)} {
			copied := &node{db: empty, clock: n.clock}
			copied.Store = empty.Open(t, n.config)
			got, err := copied.Restore(t.Context(), bytes.NewReader(file))
			if err != nil {
				t.Fatalf("into %s: %v", empty.Name, err)
			}
			if string(got.Sealed) != "sealed" || got.Node.Incarnation <= m.Node.Incarnation || got.Node.BaseURL != brest {
				t.Errorf("into %s: %+v", empty.Name, got)
			}
			if now, err := copied.Node(t.Context()); err != nil || now.Incarnation != got.Node.Incarnation {
				t.Errorf("into %s: node = %+v, %v", empty.Name, now, err)
			}
			_, again := backup(t, copied)
			if got, want := digests(again), digests(m); !slices.Equal(got, want) {
				t.Errorf("into %s: content is\n%v\nwant\n%v", empty.Name, got, want)
			}
			if r, err := copied.Search(t.Context(), essaim.Query{Text: "jardin", Facets: true}); err != nil || len(r.Records) != 1 || fmt.Sprint(r.Facets) != fmt.Sprint(found.Facets) {
				t.Errorf("into %s: search = %+v, %v; want %+v", empty.Name, r, err, found)
			}
			if all, err := copied.Search(t.Context(), essaim.Query{Facets: true}); err != nil || all.Total != 2 {
				t.Errorf("into %s: %d records in the list, %v; want 2", empty.Name, all.Total, err)
			}
			// It asks its peers before it writes.
			if _, err := copied.CreateRecord(t.Context(), essaim.NewRecord{Content: storetest.Initiative("Trop tôt"), State: essaim.StatePublished}); !errors.Is(err, essaim.ErrRecovering) {
				t.Errorf("into %s: it publishes at once: %v", empty.Name, err)
			}
			if ended, err := copied.EndRecovery(t.Context()); err != nil || !ended {
				t.Fatalf("into %s: %v", empty.Name, err)
			}
			// It works: it publishes, receives, and delivers what was waiting.
			storetest.Publish(t, copied.Store, storetest.Initiative("Après"))
			copied.dispatch(t)
			if got := copied.take(t, "a.example", 10); len(got) == 0 {
				t.Errorf("into %s: nothing to deliver", empty.Name)
			}
			copied.receive(t, "https://a.example/after", ana)
			if _, err := copied.UserByToken(t.Context(), "token"); err != nil {
				t.Errorf("into %s: token: %v", empty.Name, err)
			}
			if _, err := copied.UseSignIn(t.Context(), "link", "s", n.clock.now().Add(time.Hour)); !errors.Is(err, essaim.ErrNotFound) {
				t.Errorf("into %s: a sign-in link was restored: %v", empty.Name, err)
			}
		}
	})
}

func TestARestoreIsWholeOrNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := furnished(t, db)
		file, _ := backup(t, n)
		if _, err := n.Restore(t.Context(), bytes.NewReader(file)); !errors.Is(err, essaim.ErrConflict) {
			t.Errorf("restore over a node: %v, want a conflict", err)
		}
		fresh := storetest.SQLite(t)
		if db.Name == "postgres" {
			fresh = storetest.Postgres(t)
		}
		empty := &node{db: fresh}
		empty.Store = fresh.Open(t)
		for what, damaged := range map[string][]byte{
			"cut in the middle": file[:len(file)/2],
			"nothing":           nil,
			"not a backup":      []byte("not a backup"),
			"other columns":     ending(t, file, func(m *store.Manifest) { m.Tables[0].Columns[0] = "1; --" }),
			"one table twice": ending(t, file, func(m *store.Manifest) {
				m.Tables[1] = m.Tables[0]
			}),
		} {
			if _, err := empty.Restore(t.Context(), bytes.NewReader(damaged)); !errors.Is(err, essaim.ErrInvalid) {
				t.Errorf("%s: %v, want invalid", what, err)
			}
		}
		if got := one[int](t, empty, "SELECT count(*) FROM record"); got != 0 {
			t.Errorf("%d records of a refused backup stay", got)
		}
		if _, err := empty.Restore(t.Context(), bytes.NewReader(file)); err != nil {
			t.Errorf("the whole file after the damaged ones: %v", err)
		}
	})
}

func TestABackupIsOfOneMomentWhileOthersWrite(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for w := range 2 {
			wg.Go(func() {
				for i := 0; ctx.Err() == nil; i++ {
					if _, err := n.CreateRecord(context.WithoutCancel(ctx), essaim.NewRecord{Content: storetest.Initiative(fmt.Sprint("Fiche ", w, i)), State: essaim.StatePublished, Author: storetest.Author}); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		acked := storetest.Publish(t, n.Store, storetest.Initiative("Avant"))
		file, m := backup(t, n)
		stop()
		wg.Wait()
		rows := map[string]int64{}
		for _, t := range m.Tables {
			rows[t.Name] = t.Rows
		}
		if rows["record"] != rows["activity"] || rows["record"] != rows["event"] || rows["record"] != rows["revision"] {
			t.Errorf("rows = %v: not of one moment", rows)
		}
		empty := db
		if db.Name == "postgres" {
			empty = storetest.Postgres(t)
		} else {
			empty = storetest.SQLite(t)
		}
		copied := empty.Open(t)
		if _, err := copied.Restore(t.Context(), bytes.NewReader(file)); err != nil {
			t.Fatal(err)
		}
		if _, err := copied.Record(t.Context(), acked.ID); err != nil {
			t.Errorf("what was acknowledged before the backup: %v", err)
		}
	})
}

// Every table is in a backup or left out on purpose.
func TestABackupLeavesNoTableOut(t *testing.T) {
	t.Parallel()
	n := newNode(t, storetest.SQLite(t))
	_, m := backup(t, n)
	known := []string{"migration", "recovery", "recovery_source", "session", "signin", "search", "search_sample", "facet", "map_cell", "reindex", "record_credit", "scrub", "search_term", "search_term_data", "search_term_idx", "search_term_config", "search_term_docsize", "copy_check", "copy_differs", "gathered", "peer_about"}
	for _, table := range m.Tables {
		known = append(known, table.Name)
		cols := one[int](t, n, "SELECT count(*) FROM pragma_table_info($1)", table.Name)
		if cols != len(table.Columns) {
			t.Errorf("%d of the %d columns of %s are in the backup", len(table.Columns), cols, table.Name)
		}
	}
	rows, err := n.DB().QueryContext(t.Context(), "SELECT name FROM sqlite_master WHERE type = 'table'")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(known, name) {
			t.Errorf("table %s is not in the backup", name)
		}
	}
}
