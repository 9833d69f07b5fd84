// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"bytes"
	"cmp"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/store"
	"essaim/store/storetest"
)

// ours is what people here write of a candidate: all that it needs to be published.
func ours(t testing.TB, n *node, c essaim.Content) essaim.Record {
	t.Helper()
	id := n.waits(t).About
	n.decide(t, n.waits(t), essaim.ItemAccept)
	mine := storetest.Initiative("Le nôtre")
	c.Title, c.Tagline, c.Themes, c.Places, c.Licence = mine.Title, cmp.Or(c.Tagline, mine.Tagline), mine.Themes, mine.Places, essaim.DefaultLicence
	c.Text = "Nous y étions.\n\n" + c.Text
	var r essaim.Record
	for range 2 { // a version before that says it too
		n.clock.pass(time.Hour)
		var err error
		if r, err = n.UpdateRecord(t.Context(), id, 0, c, essaim.StatePublished, essaim.Author{User: 7, Name: "Ana"}); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func TestOfWhatItsAuthorTakesBackOnlyWhatPeopleWroteStays(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC)
	taken := map[string]essaim.Effect{"deletes it": essaim.Erase{ID: article, Actor: blog, At: at}, "leaves": essaim.ForgetActor{Actor: blog}}
	for name, c := range map[string]struct {
		agreed string
		take   func(testing.TB, *node, essaim.Content)
		state  essaim.State // of the record; empty for one that goes
		text   string       // of which it begins
		named  bool         // its author
		told   string       // to the moderators
	}{
		"a quotation that nobody looked at":       {"", func(testing.TB, *node, essaim.Content) {}, "", "", false, ""},
		"a quotation that was accepted as it was": {"", func(t testing.TB, n *node, _ essaim.Content) { n.decide(t, n.waits(t), essaim.ItemAccept) }, "", "", false, ""},
		"a quotation that people wrote around": {
			"", func(t testing.TB, n *node, c essaim.Content) { ours(t, n, c) }, essaim.StatePublished, "Nous y étions.", false, "taken out",
		},
		"a quotation that people took for their own sentence": {
			"", func(t testing.TB, n *node, c essaim.Content) {
				c.Tagline = strings.TrimSpace(strings.Repeat("Un jardin. ", 5))
				ours(t, n, c)
			}, essaim.StateWithdrawn, "", false, "",
		},
		"a whole text that nobody looked at": {"cc-by-4.0", func(testing.TB, *node, essaim.Content) {}, "", "", false, ""},
		"a whole text that was accepted": {
			"cc-by-4.0", func(t testing.TB, n *node, _ essaim.Content) { n.decide(t, n.waits(t), essaim.ItemAccept) }, essaim.StateDraft, "Un jardin.", true, "cc-by-4.0",
		},
		"a whole text that people wrote around": {
			"cc-by-4.0", func(t testing.TB, n *node, c essaim.Content) { ours(t, n, c) }, essaim.StatePublished, "Nous y étions.\n\nUn jardin.", true, "cc-by-4.0",
		},
		"a whole text that people began to write": {
			"cc-by-4.0", func(t testing.TB, n *node, c essaim.Content) {
				c.Title = "Le nôtre"
				if _, err := n.UpdateRecord(t.Context(), n.waits(t).About, 0, c, essaim.StateCandidate, essaim.Author{User: 7}); err != nil {
					t.Fatal(err)
				}
			}, essaim.StateDraft, "Un jardin.", true, "cc-by-4.0",
		},
	} {
		for how, effect := range taken {
			t.Run(name+", and its author "+how, func(t *testing.T) {
				t.Parallel()
				storetest.Each(t, func(t *testing.T, db storetest.DB) {
					n := newNode(t, db)
					err := n.SaveRemoteActor(t.Context(), essaim.RemoteActor{ID: blog, Type: "Person", Name: "La rédaction", Inbox: blog + "/inbox", FetchedAt: n.clock.now()})
					if err != nil {
						t.Fatal(err)
					}
					n.follows(t, blog, c.agreed)
					n.apply(t, blog, essaim.Propose{Proposal: proposal(article, "Un jardin", n.clock.now()), By: blog})
					r := n.candidates(t)[0]
					c.take(t, n, r.Content)
					before, err := n.Record(t.Context(), r.ID)
					if err != nil {
						t.Fatal(err)
					}
					n.clock.pass(time.Hour)
					if got := n.apply(t, blog, effect); got.State != essaim.InboundApplied {
						t.Fatalf("%s: %s", got.State, got.Reason)
					}
					if got := one[int](t, n, "SELECT count(*) FROM candidate") + one[int](t, n, "SELECT count(*) FROM item WHERE kind = 'candidate'"); got != 0 {
						t.Errorf("%d rows lead from the record to its author", got)
					}
					// Dumps have what is published, and so go with it alone.
					if at, err := n.LastErasure(t.Context(), true); err != nil || at.IsZero() == (before.State == essaim.StatePublished) {
						t.Errorf("of a %s, erased for dumps at %v, %v", before.State, at, err)
					}
					n.holds(t, r.ID, c.state, c.text, c.named)
					n.tells(t, r.ID, c.told)
					if c.told != "taken out" {
						return
					}
					// It is published anew, and nothing else that was sent says it.
					const bytes = "SELECT count(*) FROM activity WHERE bytes IS NOT NULL AND rid <> 0 AND type = $1"
					if made, changed := one[int](t, n, bytes, "Create"), one[int](t, n, bytes, "Update"); made != 0 || changed != 1 {
						t.Errorf("%d Create and %d Update keep their bytes", made, changed)
					}
					if got := one[int](t, n, "SELECT count(*) FROM event e JOIN activity a ON a.id = e.activity_id WHERE a.type = 'Update'"); got != 1 {
						t.Errorf("%d are told", got)
					}
				})
			})
		}
	}
}

// The version without the quotation is no erasure that a file could bring back: it is
// signed anew once the node is served.
func TestWhatItsAuthorTookBackIsTakenOutOfAnOlderBackupToo(t *testing.T) {
	t.Parallel()
	for how, effect := range map[string]essaim.Effect{"deletes it": essaim.Erase{ID: article, Actor: blog}, "leaves": essaim.ForgetActor{Actor: blog}} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db storetest.DB) {
				if db.Dir == "" {
					db.Dir = t.TempDir()
				}
				ctx, n := t.Context(), &erasing{node: newNode(t, db)}
				n.follows(t, blog, "")
				p := proposal(article, "Un jardin", n.clock.now())
				n.apply(t, blog, essaim.Propose{Proposal: p, By: blog})
				r := ours(t, n.node, n.candidates(t)[0].Content)
				var file bytes.Buffer
				if _, err := n.Backup(ctx, &file, nil); err != nil {
					t.Fatal(err)
				}
				n.clock.pass(time.Hour)
				n.apply(t, blog, effect)
				n.holds(t, r.ID, essaim.StatePublished, "Nous y étions.", false)

				with := n.elsewhere(t, storetest.SQLite(t), true, n.config) // as it is served
				if _, err := with.Restore(ctx, bytes.NewReader(file.Bytes())); err != nil {
					t.Fatal(err)
				}
				if _, err := with.EndRecovery(ctx); err != nil {
					t.Fatal(err)
				}
				for range 2 {
					if err := with.TakeBackAgain(ctx); err != nil {
						t.Fatal(err)
					}
				}
				with.holds(t, r.ID, essaim.StatePublished, "Nous y étions.", false)
				with.tells(t, r.ID, "taken out")
			})
		})
	}
}

// So is the version that names somebody no more; what she agreed to later stands.
func TestWhoIsToBeNamedNoMoreIsTakenOutOfAnOlderBackupToo(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		if db.Dir == "" {
			db.Dir = t.TempDir()
		}
		const name = "Personne de démonstration"
		ctx, n := t.Context(), &erasing{node: newNode(t, db)}
		names := crediting("", func(c *essaim.Credit) { c.Name = name })
		unfree := func(c *essaim.Content) { c.Licence = "tous-droits" }
		says := func(c *essaim.Content) { c.Text = "Revue." }
		no := storetest.Publish(t, n.Store, storetest.Initiative("Non", names))
		again := storetest.Publish(t, n.Store, storetest.Initiative("Oui, puis non, puis oui", names))
		ids := []string{no.ID, storetest.Publish(t, n.Store, storetest.Initiative("Non libre", names, unfree)).ID}
		for _, state := range []essaim.State{essaim.StateDraft, essaim.StateCandidate} {
			r, err := n.CreateRecord(ctx, essaim.NewRecord{Content: storetest.Initiative(string(state), names), State: state, Author: storetest.Author})
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, r.ID)
		}
		was := storetest.Publish(t, n.Store, storetest.Initiative("Nommée avant", names))
		if _, err := n.UpdateRecord(ctx, was.ID, 0, storetest.Initiative("Nommée avant", says), essaim.StatePublished, storetest.Author); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, was.ID)
		backup := func() *bytes.Reader {
			t.Helper()
			var file bytes.Buffer
			if _, err := n.Backup(ctx, &file, nil); err != nil {
				t.Fatal(err)
			}
			n.clock.pass(time.Hour)
			return bytes.NewReader(file.Bytes())
		}
		naming := func(n *node, id string) (versions int) {
			t.Helper()
			const statement = `SELECT (SELECT count(*) FROM record r WHERE r.id = $1 AND r.content LIKE $2)
				+ (SELECT count(*) FROM revision v JOIN record r ON r.rid = v.rid WHERE r.id = $1 AND v.content LIKE $2)`
			return one[int](t, n, statement, id, "%"+name+"%")
		}
		before := backup()
		for _, id := range []string{no.ID, again.ID} {
			if err := n.EraseCredit(ctx, id, name, essaim.Author{}); err != nil {
				t.Fatal(err)
			}
		}
		n.clock.pass(time.Minute)
		if _, err := n.UpdateRecord(ctx, again.ID, 0, storetest.Initiative("Oui, puis non, puis oui", names), essaim.StatePublished, storetest.Author); err != nil {
			t.Fatal(err)
		}
		after := backup()
		if got, err := n.EraseCredits(ctx, essaim.Credit{Name: "Personne d’ailleurs", Person: true}, essaim.Author{}); err != nil || got != 0 {
			t.Fatalf("%d records name nobody, %v", got, err)
		}
		for _, id := range ids[1:] {
			if err := n.EraseCredit(ctx, id, name, essaim.Author{}); err != nil {
				t.Fatal(err)
			}
		}
		if told, err := os.ReadFile(filepath.Join(db.Dir, store.ErasureFile)); err != nil || bytes.Contains(told, []byte(name)) || bytes.Count(told, []byte(`"sort":"credit"`)) != len(ids)+1 {
			t.Errorf("the file says %s (%v)", told, err)
		}
		for when, file := range map[string]*bytes.Reader{"before": before, "after": after} {
			with := n.elsewhere(t, storetest.SQLite(t), true, n.config)
			if _, err := with.Restore(ctx, file); err != nil {
				t.Fatal(err)
			}
			if naming(with.node, ids[1]) == 0 {
				t.Fatalf("%s: the backup does not name her", when)
			}
			if _, err := with.EndRecovery(ctx); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if err := with.TakeBackAgain(ctx); err != nil {
					t.Fatal(err)
				}
			}
			for _, id := range ids {
				if got := naming(with.node, id); got != 0 {
					t.Errorf("%s: %s names her in %d versions", when, id, got)
				}
			}
			if got := naming(with.node, again.ID); (got > 0) != (when == "after") {
				t.Errorf("%s: what she agreed to anew names her in %d versions", when, got)
			}
			if got := one[int](t, with.node, "SELECT count(*) FROM activity a JOIN record r ON r.rid = a.rid WHERE r.id = $1 AND a.bytes IS NOT NULL", no.ID); got != 1 {
				t.Errorf("%s: %d activities keep their bytes", when, got)
			}
			if r, err := with.Record(ctx, no.ID); err != nil || r.State != essaim.StatePublished || len(r.Credits) != 0 {
				t.Errorf("%s: %+v (%v)", when, r, err)
			}
			if broken, err := with.Check(ctx); err != nil || len(broken) > 0 {
				t.Errorf("%s: broken rules: %v, %v", when, broken, err)
			}
		}
		if err := n.TakeBackAgain(ctx); err != nil || naming(n.node, again.ID) == 0 {
			t.Errorf("where nothing was put back what she agreed to is undone (%v)", err)
		}
	})
}

// holds looks at what is kept of a record, in its versions too.
func (n *node) holds(t testing.TB, id string, state essaim.State, text string, named bool) {
	t.Helper()
	r, err := n.Record(t.Context(), id)
	if state == "" {
		if err == nil {
			t.Errorf("the record stays, %s: %+v", r.State, r.Content)
		}
		return
	}
	if err != nil || r.State != state || !strings.HasPrefix(r.Text, text) || !named && r.Text != text || (len(r.Sources) == 1) != named {
		t.Errorf("got %s %q of %v, %v; want %s %q", r.State, r.Text, r.Sources, err, state, text)
	}
	for _, words := range []string{"rédaction", "Un jardin. Un jardin."} {
		found := one[int](t, n, "SELECT count(*) FROM record WHERE content LIKE $1", "%"+words+"%") +
			one[int](t, n, "SELECT count(*) FROM revision WHERE content LIKE $1", "%"+words+"%")
		if (found > 0) != named {
			t.Errorf("%d versions say %q", found, words)
		}
	}
}

// tells looks at what moderators are asked about a record.
func (n *node) tells(t testing.TB, id, words string) {
	t.Helper()
	items, err := n.Items(t.Context(), essaim.ItemFilter{State: essaim.ItemHeld})
	if err != nil {
		t.Fatal(err)
	}
	if words == "" {
		if len(items) != 0 {
			t.Errorf("moderators are asked about %+v", items)
		}
		return
	}
	if len(items) != 1 || items[0].Kind != essaim.ItemReport || items[0].About != id || items[0].Actor != "" {
		t.Fatalf("moderators are asked about %+v", items)
	}
	d, err := n.Item(t.Context(), items[0].N)
	if err != nil || d.Report.Host != "blog.example" || !strings.Contains(d.Report.Text, words) || strings.Contains(d.Report.Text, "rédaction") {
		t.Errorf("told %+v, %v", d.Report, err)
	}
	n.decide(t, items[0], essaim.ItemAccept) // it is dealt with, and the record as it was
	if _, err := n.Record(t.Context(), id); err != nil {
		t.Errorf("once it is decided: %v", err)
	}
}
