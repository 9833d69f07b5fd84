// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"bytes"
	"cmp"
	"strings"
	"testing"
	"time"

	"essaim"
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
					n.clock.pass(time.Hour)
					if got := n.apply(t, blog, effect); got.State != essaim.InboundApplied {
						t.Fatalf("%s: %s", got.State, got.Reason)
					}
					if got := one[int](t, n, "SELECT count(*) FROM candidate") + one[int](t, n, "SELECT count(*) FROM item WHERE kind = 'candidate'"); got != 0 {
						t.Errorf("%d rows lead from the record to its author", got)
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
