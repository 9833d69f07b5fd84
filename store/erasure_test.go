// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"essaim"
	"essaim/store"
	"essaim/store/storetest"
)

const (
	bob     = "https://a.example/users/bob"
	note    = "https://a.example/notes/1"
	bobNote = "https://a.example/notes/2"
	shared  = "https://blog.example/?p=2"
	quoting = "https://a.example/notes/quoting"

	lateNote, latePost = "https://a.example/notes/late", "https://blog.example/?p=late"
)

// erasing is a node that holds one of each sort of what can be erased, in which the
// canary is, and erases it; kept is what of the same sorts stays.
type erasing struct {
	*node
	user, other essaim.User
	own, draft  essaim.Record
	gone, here  essaim.Replicate
	lifted      essaim.Replicate
	kept        []string
}

func newErasing(t *testing.T, db storetest.DB) *erasing {
	t.Helper()
	if db.Dir == "" {
		db.Dir = t.TempDir() // of the processes on PostgreSQL too
	}
	n := &erasing{node: followed(t, db)}
	ctx := t.Context()
	hides := func(c *essaim.Content) { c.Text = canary }
	n.own = storetest.Publish(t, n.Store, storetest.Initiative("Retirée", hides))
	stays := storetest.Publish(t, n.Store, storetest.Initiative("Reste"))
	var err error
	if n.draft, err = n.CreateRecord(ctx, essaim.NewRecord{Content: storetest.Initiative("Brouillon", hides), State: essaim.StateDraft, Author: storetest.Author}); err != nil {
		t.Fatal(err)
	}
	if err := n.SetProfile(ctx, essaim.ActorName(essaim.ActorInitiative, n.own.Slug), essaim.Profile{Summary: canary}); err != nil {
		t.Fatal(err)
	}
	n.gone, n.here, n.lifted = secret("supprimee", 1), secret("retiree-ici", 1), version("rendue", 10, 1)
	other := version("reste", 10, 1)
	for _, v := range []essaim.Replicate{n.gone, n.here, n.lifted, other} {
		n.apply(t, toulouseTerritory, v)
	}
	for id, actor := range map[string]string{note: ana, bobNote: bob} {
		c := comment(id, stays.ID, n.clock.now())
		c.Actor, c.Content, c.Excerpt = actor, canary, canary
		n.arrives(t, id+"/create", actor, essaim.Applied{Effects: []essaim.Effect{c}})
	}
	n.apply(t, ana, comment("https://a.example/notes/3", stays.ID, n.clock.now()))
	who := remote(bob, "Person", anaInbox, n.clock.now())
	who.Name = canary
	n.apply(t, bob, essaim.AddFollower{Local: territory, Follower: who, FollowID: bob + "#follow"})
	n.apply(t, bob, essaim.React{Kind: essaim.ReactionLike, ActivityID: bob + "#like", Actor: bob, Object: stays.ID, At: n.clock.now()})
	n.apply(t, ana, n.quote("1", stays.ID, quoting))
	for _, who := range []string{ana, "https://a.example/users/reste"} {
		n.apply(t, who, essaim.React{Kind: essaim.ReactionLike, ActivityID: who + "#like", Actor: who, Object: stays.ID, At: n.clock.now()})
	}
	n.follows(t, blog, "")
	for object, announce := range map[string]string{article: "", shared: blog + "#announce"} {
		p := proposal(object, "Un jardin", n.clock.now())
		p.Content.Text = canary
		if announce != "" {
			p.Author = "https://autre.example/author"
		}
		n.apply(t, blog, essaim.Propose{Proposal: p, By: blog, Announce: announce})
	}
	n.user = n.account(t, "passage", canary)
	n.other = n.account(t, "reste", "Compte qui reste")
	for _, token := range []string{"revoked", "kept"} {
		if err := n.NewToken(ctx, n.other.ID, token, token); err != nil {
			t.Fatal(err)
		}
	}
	n.kept = []string{stays.ID, other.Record.ID}
	return n
}

// account is one whose person is on the Fediverse.
func (n *erasing) account(t *testing.T, name, says string) essaim.User {
	t.Helper()
	u, err := n.CreateUser(t.Context(), essaim.User{Email: name + "@brest.example", Name: says, Role: essaim.RoleAdmin})
	if err == nil {
		err = n.CreatePerson(t.Context(), u.ID, "demo_"+name, essaim.Profile{Summary: says})
	}
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// erase erases one of each sort.
func (n *erasing) erase(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	n.clock.pass(time.Minute)
	for _, r := range []essaim.Record{n.own, n.draft} {
		if err := n.WithdrawRecord(ctx, r.ID, storetest.Author); err != nil {
			t.Fatal(err)
		}
	}
	n.apply(t, toulouseTerritory, essaim.Erase{ID: n.gone.Record.ID, Actor: toulouseTerritory, At: n.clock.now()})
	for _, v := range []essaim.Replicate{n.here, n.lifted} {
		if _, err := n.WithdrawHere(ctx, v.Record.ID, 0, "fondée"); err != nil {
			t.Fatal(err)
		}
	}
	n.clock.pass(time.Minute)
	items, err := n.Items(ctx, essaim.ItemFilter{State: essaim.ItemAccepted, Kind: essaim.ItemWithdrawal})
	if err != nil || len(items) != 2 {
		t.Fatalf("%v, %v", items, err)
	}
	if _, err := n.DecideItem(ctx, items[1].N, essaim.ItemRestore, 0, "à tort"); err != nil {
		t.Fatal(err)
	}
	n.brings(t, lateNote, latePost) // what the backup does not know either
	for _, id := range []string{note, lateNote} {
		n.apply(t, ana, essaim.EraseComment{ID: id, Actor: ana})
	}
	n.apply(t, blog, essaim.Erase{ID: latePost, Actor: blog, At: n.clock.now()})
	n.apply(t, ana, essaim.Erase{ID: quoting, Actor: ana, At: n.clock.now()})
	n.apply(t, ana, essaim.Unreact{ActivityID: ana + "#like", Actor: ana})
	n.apply(t, bob, essaim.ForgetActor{Actor: bob})
	n.apply(t, blog, essaim.Erase{ID: article, Actor: blog, At: n.clock.now()})
	n.apply(t, blog, essaim.Unreact{ActivityID: blog + "#announce", Actor: blog, Object: shared})
	if err := n.DeleteUser(ctx, n.user.ID, false); err != nil {
		t.Fatal(err)
	}
	tokens, err := n.Tokens(ctx, n.other.ID)
	if err != nil || len(tokens) != 2 {
		t.Fatalf("%v, %v", tokens, err)
	}
	for _, token := range tokens {
		if token.Label == "revoked" {
			err = n.RevokeToken(ctx, n.other.ID, token.ID)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

// elsewhere is an empty database with a data directory, in which the file of what
// was erased here is, or not. As in a restore nothing renders documents, unless the
// configuration has it so.
func (n *erasing) elsewhere(t *testing.T, db storetest.DB, file bool, with ...func(*store.Config)) *erasing {
	t.Helper()
	if db.Dir == "" {
		db.Dir = t.TempDir()
	}
	if file {
		b, err := os.ReadFile(filepath.Join(n.db.Dir, store.ErasureFile))
		if err == nil {
			err = os.WriteFile(filepath.Join(db.Dir, store.ErasureFile), b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	copied := *n
	copied.node = &node{db: db, clock: n.clock}
	bare := func(c *store.Config) { c.Render, c.Tell, c.Actor = nil, nil, nil }
	copied.Store = db.Open(t, append([]func(*store.Config){n.config, bare}, with...)...)
	return &copied
}

// whole fails where something of what was erased is held, or comes again, or where
// something else is gone.
func (n *erasing) whole(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	if left := n.holding(t, canary); len(left) > 0 {
		t.Errorf("it is in %v", left)
	}
	if broken, err := n.Check(ctx); err != nil || len(broken) > 0 {
		t.Errorf("broken rules: %v, %v", broken, err)
	}
	for _, id := range n.kept {
		if r, err := n.Record(ctx, id); err != nil || r.State != essaim.StatePublished {
			t.Errorf("%s is %s, %v", id, r.State, err)
		}
	}
	for _, id := range []string{n.own.ID, n.gone.Record.ID, n.here.Record.ID} {
		if r, err := n.Record(ctx, id); err != nil || r.State != essaim.StateWithdrawn {
			t.Errorf("%s is %s, %v", id, r.State, err)
		}
	}
	if w, err := n.Withdrawal(ctx, n.here.Record.ID); err != nil || w.Origin != toulouse || w.Digest != "content" || w.Item == 0 {
		t.Errorf("the local tombstone: %+v, %v", w, err)
	}
	if _, err := n.Withdrawal(ctx, n.lifted.Record.ID); !errors.Is(err, essaim.ErrNotFound) {
		t.Errorf("one that was lifted stands: %v", err)
	}
	users, err := n.Users(ctx)
	if err != nil || len(users) != 1 || users[0].ID != n.other.ID {
		t.Errorf("accounts %v, %v", users, err)
	}
	if _, err := n.UserByToken(ctx, "kept"); err != nil {
		t.Errorf("a token that nobody revoked: %v", err)
	}
	if _, err := n.UserByToken(ctx, "revoked"); !errors.Is(err, essaim.ErrNotFound) {
		t.Errorf("a token that was revoked: %v", err)
	}
	if a, err := n.LocalActor(ctx, "demo_reste"); err != nil || a.Gone {
		t.Errorf("a person who stays: %+v, %v", a, err)
	}
	if got := one[int](t, n.node, "SELECT count(*) FROM comment"); got != 1 {
		t.Errorf("%d comments, want the one that stays", got)
	}
	if likes := one[string](t, n.node, "SELECT min(actor) || count(*) FROM reaction"); likes != "https://a.example/users/reste1" {
		t.Errorf("likes of %s", likes)
	}
	if quotes := one[int](t, n.node, "SELECT count(*) FROM quote"); quotes != 0 {
		t.Errorf("%d quotes", quotes)
	}
	if list := n.candidates(t); len(list) != 0 {
		t.Errorf("candidates %v", list)
	}
	if got := one[int](t, n.node, "SELECT count(*) FROM follower WHERE remote = $1", bob) + one[int](t, n.node, "SELECT count(*) FROM reaction WHERE actor = $1", bob); got != 0 {
		t.Errorf("the account that is gone left %d rows", got)
	}
}

// brings lets a comment and a candidate come.
func (n *erasing) brings(t *testing.T, note, post string) {
	t.Helper()
	c := comment(note, n.kept[0], n.clock.now())
	c.Content, c.Excerpt = canary, canary
	p := proposal(post, "Un jardin", n.clock.now())
	p.Content.Text = canary
	for actor, e := range map[string]essaim.Effect{ana: c, blog: essaim.Propose{Proposal: p, By: blog}} {
		n.apply(t, actor, e)
	}
}

// again lets what was erased come once more, as an activity that waited when the
// backup was made.
func (n *erasing) again(t *testing.T) {
	t.Helper()
	n.brings(t, note, article)
	n.brings(t, lateNote, latePost)
	n.apply(t, toulouseTerritory, n.gone)
	n.apply(t, toulouseTerritory, n.here)
}

func TestWhatWasErasedSinceABackupStaysErased(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newErasing(t, db)
		ctx := t.Context()
		var file bytes.Buffer
		if _, err := n.Backup(ctx, &file, nil); err != nil {
			t.Fatal(err)
		}
		n.erase(t)
		n.whole(t)
		made, err := n.Erasures(ctx)
		if err != nil {
			t.Fatal(err)
		}
		var sorts []string
		for _, e := range made {
			sorts = append(sorts, string(e.Sort))
		}
		slices.Sort(sorts)
		if got := slices.Compact(sorts); !slices.Equal(got, []string{"account", "actor", "candidate", "lifted", "object", "person", "reaction", "record", "token", "withdrawal"}) {
			t.Errorf("noted: %v", got)
		}
		for _, empty := range []storetest.DB{storetest.SQLite(t), storetest.Postgres(t)} {
			without := n.elsewhere(t, empty, false)
			if r, err := without.Restore(ctx, bytes.NewReader(file.Bytes())); err != nil || r.Erased != 0 {
				t.Fatalf("into %s: %+v, %v", empty.Name, r, err)
			}
			if back := without.holding(t, canary); len(back) < 8 {
				t.Fatalf("into %s: the backup brings back %v alone", empty.Name, back)
			}
			// Its file comes later: as a key backup brings it, or a disk that was put back.
			if err := without.Close(); err != nil {
				t.Fatal(err)
			}
			if err := store.BringErasures(without.db.Dir, made); err != nil {
				t.Fatal(err)
			}
			without.Store = without.db.Open(t, n.config)
			without.whole(t)
		}
		for _, empty := range []storetest.DB{storetest.SQLite(t), storetest.Postgres(t)} {
			with := n.elsewhere(t, empty, true)
			r, err := with.Restore(ctx, bytes.NewReader(file.Bytes()))
			if err != nil || r.Erased != len(made) {
				t.Fatalf("into %s: %d erasures of %d, %v", empty.Name, r.Erased, len(made), err)
			}
			with.whole(t)
			if err := with.Close(); err != nil {
				t.Fatal(err)
			}
			with.Store = with.db.Open(t, n.config)
			with.whole(t)
			with.again(t)
			with.whole(t)
			if known, err := with.Erasures(ctx); err != nil || len(known) != len(made) {
				t.Errorf("into %s: it knows %d erasures of %d, %v", empty.Name, len(known), len(made), err)
			}
			if _, err := with.EndRecovery(ctx); err != nil {
				t.Fatal(err)
			}
			storetest.Publish(t, with.Store, storetest.Initiative("Après"))
			n.lifts(t, with)
		}
	})
}
