// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/store"
	"essaim/store/storetest"
)

// lifts lifts the withdrawal at the restored node.
func (n *erasing) lifts(t *testing.T, with *erasing) {
	t.Helper()
	w, err := with.Withdrawal(t.Context(), n.here.Record.ID)
	if err == nil {
		_, err = with.DecideItem(t.Context(), w.Item, essaim.ItemRestore, 0, "à tort")
	}
	if err != nil {
		t.Fatal(err)
	}
	if lines := one[int](t, with.node, "SELECT count(*) FROM commons WHERE id = $1", n.here.Record.ID); lines != 0 {
		t.Error("lifted, and a comparison would not miss it")
	}
	with.apply(t, toulouseTerritory, n.here)
	if r, err := with.Record(t.Context(), n.here.Record.ID); err != nil || r.State != essaim.StatePublished {
		t.Errorf("lifted, and it is %s, %v", r.State, err)
	}
}

func TestANodeThatBeginsAnewKeepsOutWhatItErased(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newErasing(t, db)
		ctx := t.Context()
		n.erase(t)
		info, err := n.Node(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, empty := range []storetest.DB{storetest.SQLite(t), storetest.Postgres(t)} {
			with := n.elsewhere(t, empty, true)
			if err := with.RescueNode(ctx, info, essaim.CommonsHead{}); err != nil {
				t.Fatal(err)
			}
			if err := with.Close(); err != nil {
				t.Fatal(err)
			}
			with.node = &node{db: with.db, clock: n.clock, Store: with.db.Open(t, n.config)}
			if _, err := with.EndRecovery(ctx); err != nil {
				t.Fatal(err)
			}
			p := essaim.Peer{Host: toulouse, Actor: "https://toulouse.example/actor", Territory: toulouseTerritory, TerritoryName: "Toulouse", Inbox: "https://toulouse.example/inbox", FollowID: brest + "/activities/again"}
			if err := with.FollowPeer(ctx, p, essaim.Outgoing{ActivityID: p.FollowID, Actor: nodeActor, Inbox: p.Inbox, OrderKey: "k", Body: []byte("follow")}); err != nil {
				t.Fatal(err)
			}
			with.apply(t, p.Actor, essaim.PeerAnswer{FollowID: p.FollowID, Actor: p.Actor, Accepted: true})
			for _, v := range []essaim.Replicate{n.gone, n.here, version("reste", 10, 1)} {
				with.apply(t, toulouseTerritory, v)
			}
			if left := with.holding(t, canary); len(left) > 0 {
				t.Errorf("into %s: it is in %v", empty.Name, left)
			}
			if _, err := with.Record(ctx, "https://toulouse.example/objects/reste"); err != nil {
				t.Errorf("into %s: %v", empty.Name, err)
			}
			if got := one[int](t, with.node, "SELECT count(*) FROM tombstone WHERE id = $1 AND document IS NOT NULL", n.own.ID); got != 1 {
				t.Errorf("into %s: its own tombstone stands %d times", empty.Name, got)
			}
			if broken, err := with.Check(ctx); err != nil || len(broken) > 0 {
				t.Errorf("into %s: broken rules: %v, %v", empty.Name, broken, err)
			}
			n.lifts(t, with)
		}
	})
}

func TestTheFileOfWhatWasErasedIsWholeOrRefused(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 3, 10, 0, 0, 1000, time.UTC)
	first := essaim.Erasure{Sort: essaim.ErasedRecord, Ref: "https://brest.example/objects/1", At: at}
	second := essaim.Erasure{Sort: essaim.ErasedObject, Ref: essaim.ErasureRef(essaim.ErasedObject, note), At: at}
	line := func(t *testing.T, dir, text string) {
		t.Helper()
		f, err := os.OpenFile(filepath.Join(dir, store.ErasureFile), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
		if err == nil {
			_, err = f.WriteString(text)
			err = errors.Join(err, f.Close())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	bring := func(t *testing.T, dir string, list ...essaim.Erasure) {
		t.Helper()
		if err := store.BringErasures(dir, list); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("a line that was cut short goes", func(t *testing.T) {
		dir := t.TempDir()
		bring(t, dir, first)
		line(t, dir, `{"sort":"record","ref":"https://brest.example/`+strings.Repeat("x", 4096))
		bring(t, dir, first, second)
		b, err := os.ReadFile(filepath.Join(dir, store.ErasureFile))
		if err != nil || strings.Count(string(b), "\n") != 2 || !strings.HasSuffix(string(b), "\n") || strings.Contains(string(b), "ana") || strings.Contains(string(b), "notes") {
			t.Errorf("%s, %v", b, err)
		}
	})
	for name, text := range map[string]string{"no JSON": "x\n", "a sort of a later version": `{"sort":"x","ref":"y","at":"2026-03-03T10:00:00Z"}` + "\n", "no time": `{"sort":"record","ref":"y"}` + "\n"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			bring(t, dir, first)
			line(t, dir, text)
			if err := store.BringErasures(dir, []essaim.Erasure{second}); !errors.Is(err, essaim.ErrInvalid) || !strings.Contains(err.Error(), "line 2") {
				t.Errorf("got %v", err)
			}
			if _, err := store.Open(t.Context(), store.Config{Dir: dir}); !errors.Is(err, essaim.ErrInvalid) {
				t.Errorf("a node opens beside it: %v", err)
			}
		})
	}
}
