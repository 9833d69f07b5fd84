// SPDX-License-Identifier: AGPL-3.0-or-later

package store_test

import (
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"testing"
	"time"

	"essaim"
	"essaim/store"
	"essaim/store/storetest"
)

const (
	toulouse          = "toulouse.example"
	toulouseTerritory = "https://toulouse.example/actors/toulouse"
)

// followed is a node that follows Toulouse.
func followed(t *testing.T, db storetest.DB, with ...func(*store.Config)) *node {
	t.Helper()
	n := newNode(t, db, with...)
	p := essaim.Peer{Host: toulouse, Actor: "https://toulouse.example/actor", Territory: toulouseTerritory, TerritoryName: "Toulouse", Inbox: "https://toulouse.example/inbox", FollowID: brest + "/activities/follow"}
	if err := n.FollowPeer(t.Context(), p, essaim.Outgoing{ActivityID: p.FollowID, Actor: nodeActor, Inbox: p.Inbox, OrderKey: "k", Body: []byte("follow")}); err != nil {
		t.Fatal(err)
	}
	n.apply(t, p.Actor, essaim.PeerAnswer{FollowID: p.FollowID, Actor: p.Actor, Accepted: true})
	return n
}

// version is a version of a record of Toulouse.
func version(slug string, incarnation int64, revision int) essaim.Replicate {
	title := fmt.Sprintf("%s %d.%d", slug, incarnation, revision)
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(revision) * time.Minute)
	return essaim.Replicate{
		Document: []byte(title),
		Record: essaim.Record{
			ID: "https://toulouse.example/objects/" + slug, Slug: slug, Origin: toulouse, Territory: toulouseTerritory, TerritoryName: "Toulouse",
			URL: "https://toulouse.example/initiatives/" + slug, State: essaim.StatePublished, Incarnation: incarnation, Revision: revision,
			Published: at, Updated: at, ContentDigest: "content", CopyDigest: "copy", Content: storetest.Initiative(title),
		},
	}
}

// Of many records of one time some stand in the milliseconds after it.
func TestARecordOfTheSameTimeKeepsItsPlace(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := followed(t, db)
		at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
		places := func(revision int) (list []int64) {
			t.Helper()
			var all []essaim.Effect
			for i, slot := 0, -1; len(all) < 9; i++ {
				v := version(fmt.Sprint("fiche-", i), 10, revision)
				h := fnv.New32a()
				h.Write([]byte(v.Record.ID))
				if slot < 0 {
					slot = int(h.Sum32() % 1000)
				}
				if slot == int(h.Sum32()%1000) { // all would stand at the same place
					v.Record.Updated = at
					all = append(all, v)
				}
			}
			for _, e := range all {
				n.apply(t, toulouseTerritory, e)
				list = append(list, one[int64](t, n, "SELECT position FROM record WHERE id = $1", e.(essaim.Replicate).Record.ID))
			}
			return list
		}
		first := places(1)
		if last := first[len(first)-1]; last/1000 != at.UnixMilli()+2 {
			t.Fatalf("they stand at %v, want some behind their time", first)
		}
		if again := places(2); !slices.Equal(again, first) {
			t.Errorf("they stand at %v, and stood at %v", again, first)
		}
	})
}

func TestVersionsReplaceEachOtherInTheirOrderOnly(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := followed(t, db)
		for _, step := range []struct {
			incarnation int64
			revision    int
			want        essaim.InboundState
			title       string
		}{
			{10, 3, essaim.InboundApplied, "jardin 10.3"}, // an Update of what was never seen creates it
			{10, 2, essaim.InboundIgnored, "jardin 10.3"},
			{10, 3, essaim.InboundIgnored, "jardin 10.3"},
			{10, 4, essaim.InboundApplied, "jardin 10.4"},
			{9, 50, essaim.InboundIgnored, "jardin 10.4"},
			{11, 1, essaim.InboundApplied, "jardin 11.1"}, // the peer was restored
		} {
			v := version("jardin", step.incarnation, step.revision)
			if got := n.apply(t, toulouseTerritory, v); got.State != step.want {
				t.Errorf("version %d.%d is %s (%s), want %s", step.incarnation, step.revision, got.State, got.Reason, step.want)
			}
			r, err := n.Record(t.Context(), v.Record.ID)
			if err != nil || r.Title != step.title || r.Origin != toulouse {
				t.Errorf("after %d.%d: %q of %q, %v; want %q", step.incarnation, step.revision, r.Title, r.Origin, err, step.title)
			}
			if got := one[string](t, n, "SELECT CAST(document AS TEXT) FROM record WHERE id = $1", v.Record.ID); db.Name == "sqlite" && got != step.title {
				t.Errorf("bytes = %q, want %q", got, step.title)
			}
		}
		p, err := n.Peer(t.Context(), toulouse)
		if err != nil || p.Records != 1 || p.LastReceived.IsZero() {
			t.Errorf("peer = %+v, %v; want one record held", p, err)
		}
	})
}

// Versions, a deletion and neighbours that fail or repeat, all in one batch.
func TestABatchIsAppliedInItsOrder(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := followed(t, db)
		gone := version("retire", 10, 1)
		effects := [][]essaim.Effect{
			{version("jardin", 10, 1)},
			{version("retire", 10, 1)},
			{version("jardin", 10, 2), unknown{}},
			{version("jardin", 10, 3)},
			{version("potager", 10, 1)},
			{essaim.Erase{ID: gone.Record.ID, Actor: toulouseTerritory}, essaim.EraseComment{ID: gone.Record.ID, Actor: toulouseTerritory}},
			{version("jardin", 10, 2)},
			{unknown{}, version("perdu", 10, 1)},
			{version("retire", 10, 2)},
		}
		for i := range effects {
			n.receive(t, fmt.Sprintf("https://toulouse.example/activities/%d", i), toulouseTerritory)
		}
		var batch []essaim.Applied
		for i, in := range n.claim(t, len(effects)) {
			batch = append(batch, essaim.Applied{ID: in.ID, Attempt: in.Attempt, State: essaim.InboundApplied, Effects: effects[i]})
		}
		for i, err := range n.Apply(t.Context(), batch) {
			if (err != nil) != (i == 2 || i == 7) {
				t.Errorf("error of activity %d: %v", i, err)
			}
		}
		found, err := n.Search(t.Context(), essaim.Query{Facets: true})
		if err != nil {
			t.Fatal(err)
		}
		var titles []string
		for _, r := range found.Records {
			titles = append(titles, r.Title)
		}
		slices.Sort(titles)
		if want := []string{"jardin 10.3", "potager 10.1"}; !slices.Equal(titles, want) || found.Total != 2 {
			t.Errorf("records = %v (total %d), want %v", titles, found.Total, want)
		}
		if broken, err := n.Check(t.Context()); err != nil || len(broken) > 0 {
			t.Errorf("the database breaks %v, %v", broken, err)
		}
	})
}

func TestForeignVersionsGoByTheirDate(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := followed(t, db)
		for i, step := range []struct {
			minute int
			want   essaim.InboundState
		}{{5, essaim.InboundApplied}, {4, essaim.InboundIgnored}, {5, essaim.InboundApplied}, {6, essaim.InboundApplied}} {
			v := version("jardin", 0, step.minute)
			v.Foreign, v.Record.Revision = true, 0
			if got := n.apply(t, toulouseTerritory, v); got.State != step.want {
				t.Errorf("step %d is %s (%s), want %s", i, got.State, got.Reason, step.want)
			}
		}
	})
}

func TestARecordIsTakenFromItsFollowedNodeOnly(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := followed(t, db)
		local := storetest.Publish(t, n.Store, storetest.Initiative("Le nôtre"))
		for what, change := range map[string]func(*essaim.Record){
			"a node that is not followed": func(r *essaim.Record) {
				r.ID, r.Origin, r.Territory = "https://lyon.example/objects/x", "lyon.example", "https://lyon.example/actors/lyon"
			},
			"an id of another host":        func(r *essaim.Record) { r.ID = "https://lyon.example/objects/x" },
			"a territory of another host":  func(r *essaim.Record) { r.Territory = "https://lyon.example/actors/lyon" },
			"a record of ours":             func(r *essaim.Record) { r.ID = local.ID },
			"a record of ours, as its own": func(r *essaim.Record) { r.ID, r.Origin, r.Territory = local.ID, "brest.example", local.Territory },
		} {
			v := version("x", 10, 99)
			change(&v.Record)
			if got := n.apply(t, toulouseTerritory, v); got.State != essaim.InboundIgnored || got.Reason == "" {
				t.Errorf("%s: %s (%s), want ignored with a reason", what, got.State, got.Reason)
			}
		}
		if r, err := n.Record(t.Context(), local.ID); err != nil || r.Title != "Le nôtre" {
			t.Errorf("our record = %+v, %v", r, err)
		}
		n.apply(t, toulouseTerritory, version("y", 10, 1))
		other := version("y", 10, 2)
		other.Record.Territory = "https://toulouse.example/actors/other"
		if got := n.apply(t, toulouseTerritory, other); got.State != essaim.InboundIgnored {
			t.Errorf("a change of author is %s", got.State)
		}
	})
}

func TestARecordMayComeBeforeTheAnswerToOurFollow(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := followed(t, db)
		n.raw(t, "UPDATE peer SET state = 'requested'")
		if got := n.apply(t, toulouseTerritory, version("jardin", 10, 1)); got.State != essaim.InboundApplied {
			t.Errorf("record is %s: %s", got.State, got.Reason)
		}
		n.raw(t, "UPDATE peer SET state = 'refused'")
		if got := n.apply(t, toulouseTerritory, version("potager", 10, 1)); got.State != essaim.InboundIgnored {
			t.Errorf("record of a node that refused us is %s", got.State)
		}
	})
}

func TestErasureLeavesNothingAndLetsNothingBack(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := followed(t, db)
		v := version("jardin", 10, 1)
		n.apply(t, toulouseTerritory, v)
		n.apply(t, toulouseTerritory, version("jardin", 10, 2))
		for _, actor := range []string{"https://evil.example/u", "https://toulouse.example/actors/other"} {
			if got := n.apply(t, actor, essaim.Erase{ID: v.Record.ID, Actor: actor}); got.State != essaim.InboundIgnored {
				t.Errorf("deletion by %s is %s", actor, got.State)
			}
		}
		local := storetest.Publish(t, n.Store, storetest.Initiative("Le nôtre"))
		if got := n.apply(t, toulouseTerritory, essaim.EraseComment{ID: v.Record.ID, Actor: "https://toulouse.example/actors/other"}); got.State != essaim.InboundIgnored {
			t.Errorf("deletion of a record as a comment is %s", got.State)
		}
		for _, actor := range []string{toulouseTerritory, territory} {
			if got := n.apply(t, actor, essaim.Erase{ID: local.ID, Actor: actor}); got.State != essaim.InboundIgnored {
				t.Errorf("deletion of our record by %s is %s", actor, got.State)
			}
		}
		at := n.clock.now()
		if got := n.apply(t, toulouseTerritory, essaim.Erase{ID: v.Record.ID, Actor: "https://toulouse.example/actor", Tombstone: []byte("tombstone"), At: at}); got.State != essaim.InboundApplied {
			t.Errorf("deletion is %s: %s", got.State, got.Reason)
		}
		late := n.apply(t, toulouseTerritory, version("jardin", 12, 9))
		if late.State != essaim.InboundIgnored {
			t.Errorf("a late version is %s", late.State)
		}
		r, err := n.Record(t.Context(), v.Record.ID)
		if err != nil || r.State != essaim.StateWithdrawn || r.Title != "" {
			t.Errorf("record = %+v, %v; want it withdrawn and empty", r, err)
		}
		if found, err := n.Search(t.Context(), essaim.Query{Text: "jardin"}); err != nil || len(found.Records) != 0 {
			t.Errorf("search finds %v, %v", found.Records, err)
		}
		if got := one[int](t, n, "SELECT count(*) FROM record WHERE id = $1 AND document IS NOT NULL", v.Record.ID); got != 0 {
			t.Error("the document is kept")
		}
		if got := one[int](t, n, "SELECT count(*) FROM inbox WHERE object = $1 AND raw IS NOT NULL", v.Record.ID); got != 0 {
			t.Errorf("%d received copies are kept", got)
		}
		if got := one[int](t, n, "SELECT count(*) FROM inbox WHERE activity_id = $1 AND raw IS NOT NULL", late.ActivityID); got != 0 {
			t.Error("the late version's bytes are kept")
		}
		if p, _ := n.Peer(t.Context(), toulouse); p.Records != 0 {
			t.Errorf("%d records counted of the peer", p.Records)
		}
	})
}

func TestATombstoneOfWhatWasNeverSeenKeepsItOut(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := followed(t, db)
		v := version("jardin", 10, 1)
		if got := n.apply(t, "https://evil.example/u", essaim.Erase{ID: v.Record.ID, Actor: "https://evil.example/u"}); got.State != essaim.InboundIgnored {
			t.Errorf("tombstone by another host is %s", got.State)
		}
		n.apply(t, toulouseTerritory, essaim.Erase{ID: v.Record.ID, Actor: toulouseTerritory, Tombstone: []byte("t")})
		if got := n.apply(t, toulouseTerritory, v); got.State != essaim.InboundIgnored {
			t.Errorf("the Create after its Delete is %s", got.State)
		}
		if _, err := n.Record(t.Context(), v.Record.ID); !errors.Is(err, essaim.ErrNotFound) {
			t.Errorf("record = %v, want none", err)
		}
		note := comment("https://a.example/notes/1", storetest.Publish(t, n.Store, storetest.Initiative("x")).ID, n.clock.now())
		n.apply(t, ana, essaim.Erase{ID: note.ID, Actor: ana})
		if got := n.apply(t, ana, note); got.State != essaim.InboundIgnored {
			t.Errorf("the comment after its Delete is %s", got.State)
		}
	})
}

func TestADeleteAlsoErasesAComment(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		note := comment("https://a.example/notes/1", storetest.Publish(t, n.Store, storetest.Initiative("x")).ID, n.clock.now())
		n.apply(t, ana, note)
		for _, actor := range []string{"https://evil.example/u", "https://a.example/users/bob"} {
			n.apply(t, actor, essaim.Erase{ID: note.ID, Actor: actor})
			if got := one[int](t, n, "SELECT count(*) FROM comment"); got != 1 {
				t.Fatalf("%s erased another's comment", actor)
			}
		}
		n.apply(t, ana, essaim.Erase{ID: note.ID, Actor: ana})
		if got := one[int](t, n, "SELECT count(*) FROM comment"); got != 0 {
			t.Error("its author's Delete left the comment")
		}
	})
}

func TestAPublicationIsSentAndWithdrawn(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		n.follow(t, nodeActor, "https://a.example/actor", "https://a.example/inbox")
		r := storetest.Publish(t, n.Store, storetest.Initiative("Jardin"))
		n.dispatch(t)
		first := n.take(t, "a.example", 10)
		if len(first) != 1 || first[0].OrderKey != r.ID {
			t.Fatalf("claimed %v, want the Create", first)
		}
		if err := n.WithdrawRecord(t.Context(), r.ID, storetest.Author); err != nil {
			t.Fatal(err)
		}
		n.finish(t, essaim.DeliveryResult{ID: first[0].ID, Attempt: 1, State: essaim.DeliveryWaiting, NextAt: n.clock.now()})
		n.dispatch(t)
		var kinds []string
		for _, d := range n.take(t, "a.example", 10) {
			q, err := n.QueuedDelivery(t.Context(), d.ID)
			if err != nil {
				t.Fatal(err)
			}
			kinds = append(kinds, q.Type)
		}
		if !slices.Equal(kinds, []string{"Delete"}) {
			t.Errorf("sent %v after the withdrawal, want the Delete alone", kinds)
		}
	})
}

func TestADeletionByAStrangerLeavesAnIdAlone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		n := newNode(t, db)
		const object, by = "https://stranger.example/n/1", "https://stranger.example/users/a"
		n.apply(t, by, essaim.Propose{Proposal: essaim.Proposal{Object: object, Author: by}, By: by})
		if got := one[int](t, n, "SELECT count(*) FROM inbox WHERE raw IS NOT NULL"); got != 1 {
			t.Fatalf("%d received kept before", got)
		}
		n.apply(t, by, essaim.Erase{ID: object, Actor: by, Tombstone: make([]byte, 1000), At: n.clock.now().AddDate(-2, 0, 0)})
		if got := one[int](t, n, "SELECT count(*) FROM tombstone WHERE id = '"+object+"' AND document IS NULL"); got != 1 {
			t.Errorf("%d tombstones without bytes, want one", got)
		}
		if got := one[int](t, n, "SELECT count(*) FROM inbox WHERE raw IS NOT NULL"); got != 0 {
			t.Errorf("%d received are kept, want none", got)
		}

		// A node that is followed, and what it deleted before.
		const peers, node = "https://toulouse.example/objects/unseen", "https://toulouse.example/actor"
		n.raw(t, "INSERT INTO peer (host, state, actor, territory, territory_name, username, url, inbox, follow_id, created_at) VALUES ('toulouse.example', 'followed', '', '', '', '', '', '', '', 1)")
		n.raw(t, "INSERT INTO tombstone (id, kind, origin, at) VALUES ('https://toulouse.example/objects/before', '', 'toulouse.example', 1)")
		n.apply(t, node, essaim.Erase{ID: peers, Actor: node, Tombstone: []byte("tombstone")})
		for _, want := range []int{3, 2} {
			if err := n.Tidy(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := one[int](t, n, "SELECT count(*) FROM tombstone"); got != want {
				t.Errorf("%d tombstones, want %d", got, want)
			}
			n.clock.pass(401 * 24 * time.Hour)
		}
		if got := one[int](t, n, "SELECT count(*) FROM tombstone WHERE origin = 'toulouse.example'"); got != 2 {
			t.Errorf("%d tombstones of the node that is followed, want both", got)
		}
	})
}
