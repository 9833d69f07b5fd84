// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"essaim"
	"essaim/store"
	"essaim/store/storetest"
)

// standing reads the commons from their beginning, page by page: the documents by
// id, each as last seen.
func standing(t *testing.T, n *node, page int) map[string]string {
	t.Helper()
	docs := map[string]string{}
	for after := int64(0); ; {
		list, head, more, err := n.CommonsAfter(t.Context(), after, page, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range list {
			if d.Number <= after || d.Number > head.N {
				t.Fatalf("number %d after %d, head %d", d.Number, after, head.N)
			}
			after = d.Number
			var it struct{ ID string }
			if err := json.Unmarshal(d.Bytes, &it); err != nil {
				t.Fatalf("%q: %v", d.Bytes, err)
			}
			if docs[it.ID] != "" {
				t.Errorf("%s is listed twice", it.ID)
			}
			docs[it.ID] = string(d.Bytes)
		}
		if !more {
			return docs
		}
		if len(list) == 0 {
			t.Fatal("an empty page that others follow")
		}
	}
}

// treeItems are the lines of this node's digest tree, read leaf by leaf; each
// node's hash is compared with what is below it.
func treeItems(t *testing.T, n *node, prefix string, want *essaim.Digest) []essaim.CommonsItem {
	t.Helper()
	_, node, children, items, err := n.CommonsNode(t.Context(), prefix)
	if err != nil {
		t.Fatal(err)
	}
	if want != nil && node.Hash != *want {
		t.Fatalf("node %q is %s, its parent says %s", prefix, node.Hash, *want)
	}
	if node.Leaf() {
		if len(items) != node.Count {
			t.Fatalf("leaf %q of %d has %d items", prefix, node.Count, len(items))
		}
		return items
	}
	if essaim.CommonsInner(children) != node {
		t.Fatalf("node %q is not what its children make", prefix)
	}
	for i, c := range children {
		if c.Count > 0 {
			items = append(items, treeItems(t, n, prefix+essaim.CommonsDigits[i:i+1], &c.Hash)...)
		}
	}
	return items
}

func digestOf(doc string) string {
	sum := sha256.Sum256([]byte(doc))
	return hex.EncodeToString(sum[:])
}

func TestTheCommonsHoldWhatIsPublishedAndNothingElse(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := followed(t, db)
		if err := n.RefreshCommons(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx := t.Context()
		free := storetest.Publish(t, n.Store, storetest.Initiative("Libre"))
		closed := func(c *essaim.Content) { c.Licence = "tous-droits" }
		bound := storetest.Publish(t, n.Store, storetest.Initiative("Non libre", closed))
		draft, err := n.CreateRecord(ctx, essaim.NewRecord{Content: storetest.Initiative("Brouillon"), State: essaim.StateDraft, Author: storetest.Author})
		if err != nil {
			t.Fatal(err)
		}
		gone := storetest.Publish(t, n.Store, storetest.Initiative("Retirée"))
		if err := n.WithdrawRecord(ctx, gone.ID, storetest.Author); err != nil {
			t.Fatal(err)
		}
		left := storetest.Publish(t, n.Store, storetest.Initiative("Devenue non libre"))
		if _, err := n.UpdateRecord(ctx, left.ID, 0, storetest.Initiative("Devenue non libre", closed), essaim.StatePublished, storetest.Author); err != nil {
			t.Fatal(err)
		}
		n.apply(t, toulouseTerritory, version("potager", 10, 1))
		docs := standing(t, n, 2)
		for id, want := range map[string]bool{free.ID: true, bound.ID: false, draft.ID: false, gone.ID: true, left.ID: false, territory: true} {
			if (docs[id] != "") != want {
				t.Errorf("%s stands in the commons: %v, want %v", id, docs[id] != "", want)
			}
		}
		if len(docs) != 3 {
			t.Errorf("%d documents, want 3: %v", len(docs), docs)
		}
		if tomb, err := n.Object(ctx, gone.ID); err != nil || docs[gone.ID] != string(tomb.Bytes) {
			t.Errorf("the tombstone is not the one that is served: %v", err)
		}
		h, err := n.CommonsState(ctx)
		if err != nil || h.Count != 3 || h.Number.Incarnation != 1772532000 {
			t.Errorf("head %+v, %v", h, err)
		}
		if got := one[int](t, n, "SELECT count(*) FROM commons WHERE origin = 'toulouse.example' AND sort = 'record'"); got != 1 {
			t.Errorf("%d copies are listed, want 1", got)
		}
		if broken, err := n.Check(ctx); err != nil || len(broken) > 0 {
			t.Errorf("broken: %v, %v", broken, err)
		}
	})
}

func TestTheDigestTreeFollowsEachChange(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		rng := rand.New(rand.NewPCG(1, 2))
		var live []string
		publish := func(i int) {
			live = append(live, storetest.Publish(t, n.Store, storetest.Initiative(fmt.Sprint("Fiche ", i))).ID)
		}
		for i := range 90 { // beyond one leaf
			publish(i)
		}
		for step := range 60 {
			switch at := rng.IntN(len(live)); rng.IntN(4) {
			case 0:
				publish(1000 + step)
			case 1, 2:
				n.clock.pass(time.Minute)
				if _, err := n.UpdateRecord(t.Context(), live[at], 0, storetest.Initiative(fmt.Sprint("Revue ", step)), essaim.StatePublished, storetest.Author); err != nil {
					t.Fatal(err)
				}
			case 3:
				// Leaves the commons, which may make leaves of nodes.
				closed := storetest.Initiative(fmt.Sprint("Fermée ", step), func(c *essaim.Content) { c.Licence = "tous-droits" })
				if _, err := n.UpdateRecord(t.Context(), live[at], 0, closed, essaim.StatePublished, storetest.Author); err != nil {
					t.Fatal(err)
				}
				live = slices.Delete(live, at, at+1)
			}
			h, err := n.CommonsState(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var items []essaim.CommonsItem
			for id, doc := range standing(t, n, 100) {
				items = append(items, essaim.CommonsItem{ID: id, Digest: digestOf(doc)})
			}
			want := essaim.CommonsTree("", items)[""]
			if h.Root != want.Hash || h.Count != want.Count {
				t.Fatalf("step %d: root %s of %d, want %s of %d", step, h.Root, h.Count, want.Hash, want.Count)
			}
			if step%10 == 0 && len(treeItems(t, n, "", &h.Root)) != h.Count {
				t.Fatal("the leaves do not hold all items")
			}
		}
		// Another process begins with nothing in memory and comes to the same.
		other := db.Open(t, func(c *store.Config) { n.config(c); c.Guest = true })
		a, errA := n.CommonsState(t.Context())
		b, errB := other.CommonsState(t.Context())
		if errA != nil || errB != nil || a.Root != b.Root || a.Number != b.Number || a.Count != b.Count {
			t.Errorf("grown anew: %+v, want %+v (%v, %v)", b, a, errB, errA)
		}
	})
}

func TestATreeThatShrinksBecomesALeaf(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		var ids []string
		for i := range essaim.CommonsLeaf + 1 {
			ids = append(ids, storetest.Publish(t, n.Store, storetest.Initiative(fmt.Sprint("Fiche ", i))).ID)
		}
		if _, node, _, _, err := n.CommonsNode(t.Context(), ""); err != nil || node.Leaf() {
			t.Fatalf("a leaf of %d: %v", node.Count, err)
		}
		for _, id := range ids[:2] {
			closed := storetest.Initiative("Fermée", func(c *essaim.Content) { c.Licence = "tous-droits" })
			if _, err := n.UpdateRecord(t.Context(), id, 0, closed, essaim.StatePublished, storetest.Author); err != nil {
				t.Fatal(err)
			}
		}
		h, node, _, items, err := n.CommonsNode(t.Context(), "")
		if err != nil || len(items) != essaim.CommonsLeaf-1 || node.Hash != essaim.CommonsLeafHash(items) || h.Root != node.Hash {
			t.Errorf("leaf of %d with %d items, %v", node.Count, len(items), err)
		}
		// What a prefix below a leaf holds can be asked for too.
		key := essaim.CommonsKey(items[0].ID)
		_, node, _, items, err = n.CommonsNode(t.Context(), key)
		if err != nil || node.Count != 1 || len(items) != 1 || essaim.CommonsKey(items[0].ID) != key {
			t.Errorf("at %s: %+v %v %v", key, node, items, err)
		}
	})
}

func TestActorsStandInTheCommonsFromWhenTheyExist(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n, ctx := newNode(t, db), t.Context()
		r := storetest.Publish(t, n.Store, storetest.Initiative("Jardin"))
		actor := brest + "/actors/fiche_jardin"
		refresh := func() map[string]string {
			t.Helper()
			if err := n.RefreshCommons(ctx); err != nil {
				t.Fatal(err)
			}
			return standing(t, n, 10)
		}
		if docs := refresh(); docs[actor] != "" || docs[territory] == "" {
			t.Errorf("before it is followed: %v", docs)
		}
		n.follow(t, actor, ana, anaInbox)
		first := refresh()[actor]
		if first == "" {
			t.Fatal("followed, and not in the commons")
		}
		before, _ := n.CommonsState(ctx)
		refresh()
		if after, _ := n.CommonsState(ctx); after.Number != before.Number {
			t.Errorf("a refresh that finds nothing moves the commons from %s to %s", before.Number, after.Number)
		}
		if _, err := n.UpdateRecord(ctx, r.ID, 0, storetest.Initiative("Jardin partagé"), essaim.StatePublished, storetest.Author); err != nil {
			t.Fatal(err)
		}
		if doc := standing(t, n, 10)[actor]; doc == first || doc == "" {
			t.Errorf("its record is edited, and its document is %s", doc)
		}
		if err := n.SetProfile(ctx, "brest", essaim.Profile{Summary: "Nouveau"}); err != nil {
			t.Fatal(err)
		}
		if doc := standing(t, n, 10)[territory]; !jsonHas(doc, "summary", "Nouveau") {
			t.Errorf("the territory's document is %s", doc)
		}
		u, err := n.CreateUser(ctx, essaim.User{Email: "a@brest.example", Name: "Animatrice de démonstration", Role: essaim.RoleAdmin})
		if err != nil {
			t.Fatal(err)
		}
		if err := n.CreatePerson(ctx, u.ID, "demo_une", essaim.Profile{Summary: "secret"}); err != nil {
			t.Fatal(err)
		}
		person := brest + "/actors/demo_une"
		if doc := standing(t, n, 10)[person]; !jsonHas(doc, "summary", "secret") {
			t.Errorf("the person's document is %q", doc)
		}
		if err := n.DeletePerson(ctx, "demo_une"); err != nil {
			t.Fatal(err)
		}
		if err := n.WithdrawRecord(ctx, r.ID, storetest.Author); err != nil {
			t.Fatal(err)
		}
		docs := refresh()
		for _, id := range []string{person, actor} {
			if !jsonHas(docs[id], "gone", true) || jsonHas(docs[id], "summary", "secret") {
				t.Errorf("%s is gone and stands as %s", id, docs[id])
			}
			if got := one[string](t, n, "SELECT sort FROM commons WHERE id = $1", id); got != "tombstone" {
				t.Errorf("%s stands as %s", id, got)
			}
		}
		if n := one[int](t, n, "SELECT count(*) FROM commons WHERE CAST(document AS TEXT) LIKE '%secret%'"); n != 0 {
			t.Error("what the person said of herself is still there")
		}
	})
}

func TestPagesAreBoundedInBytes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		for i := range 5 {
			storetest.Publish(t, n.Store, storetest.Initiative(fmt.Sprint("Fiche ", i)))
		}
		for size, want := range map[int]int{0: 1, 1: 1, 1 << 20: 5} {
			list, _, more, err := n.CommonsAfter(t.Context(), 0, 100, size)
			if err != nil || len(list) != want || more != (want < 5) {
				t.Errorf("%d bytes: %d items, more %v, %v; want %d", size, len(list), more, err, want)
			}
		}
	})
}

func TestOnlyTheLatestHeadsAreKept(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		for _, at := range []int64{3, 1, 2, 5, 4} {
			h := essaim.CommonsHead{Number: essaim.CommonsNumber{Incarnation: 1, N: at}, Count: 7, Root: essaim.Digest{byte(at)}, At: n.clock.now(), Document: []byte("signed")}
			if err := n.SaveHead(t.Context(), "toulouse.example", h); err != nil {
				t.Fatal(err)
			}
		}
		heads, err := n.Heads(t.Context(), "toulouse.example", 9)
		if err != nil || len(heads) != 2 || heads[0].Number.N != 5 || heads[1].Number.N != 4 || heads[0].Root != (essaim.Digest{5}) || !heads[0].At.Equal(n.clock.now()) {
			t.Errorf("got %+v, %v", heads, err)
		}
	})
}

func jsonHas(doc, member string, want any) bool {
	var m map[string]any
	return json.Unmarshal([]byte(doc), &m) == nil && m[member] == want
}
