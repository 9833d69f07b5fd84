// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"essaim"
	"essaim/federation"
	"essaim/federation/fedtest"
	"essaim/store/storetest"
)

// lying serves what another serves with a word changed in each document.
func lying(t testing.TB, network *fedtest.Network, host string, router http.Handler) {
	t.Helper()
	base := "https://" + host
	network.Serve(host, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		router.ServeHTTP(answer, r)
		body := bytes.ReplaceAll(answer.Body.Bytes(), []byte("https://toulon.example"), []byte(base))
		if strings.HasPrefix(r.URL.Path, "/commons/copies") {
			body = bytes.ReplaceAll(bytes.ReplaceAll(body, []byte("Fiche"), []byte("Ruche")), []byte("Tombstone"), []byte("TombStone"))
		}
		w.Header().Set("Content-Type", answer.Header().Get("Content-Type"))
		w.WriteHeader(answer.Code)
		_, _ = w.Write(body)
	}))
}

func TestANodeBeginsAnewWithItsKeysAlone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		p, other := newPair(t, db), anew(t, db)
		ctx := t.Context()
		_, d := p.liveADay(t)
		node, err := p.brest.Node(ctx)
		if err != nil {
			t.Fatal(err)
		}
		lying(t, p.network, "menteur.example", p.toulon.router)
		p.network.SetDown(brestHost, true)
		rescuer, err := federation.NewRescuer(federation.Config{Node: node, Keys: p.brest.keys, Now: p.brest.now, Transport: p.network})
		if err != nil {
			t.Fatal(err)
		}
		hosts := []string{"menteur.example", "personne.example", "toulon.example"}
		rescuer.Pages = 1 // a bound is no end
		liar := rescuer.Survey(ctx, hosts[:2])
		if liar.Records > 10 || liar.Refused < 120 || liar.Whole || liar.Missing == 0 || liar.Hosts[1].Reason == "" {
			t.Errorf("of who lies and who is away: %+v", liar)
		}
		s := rescuer.Survey(ctx, hosts)
		if !s.Whole || s.Missing != 0 || s.Records != 133 || s.Tombstones != 4 || s.Actors != 1 || s.Head.Root != d.root {
			t.Errorf("survey: %d records, %d tombstones, %d actors, %d missing, whole %v", s.Records, s.Tombstones, s.Actors, s.Missing, s.Whole)
		}
		if known, err := p.brest.RecoveryHosts(ctx); err != nil || !slices.Equal(known, []string{"toulon.example"}) {
			t.Errorf("who may hold copies: %v, %v", known, err)
		}
		fresh := other.Open(t, p.brest.config)
		if err := fresh.RescueNode(ctx, node, s.Head, hosts...); err != nil {
			t.Fatal(err)
		}
		if err := fresh.RescueNode(ctx, node, s.Head, hosts...); !errors.Is(err, essaim.ErrConflict) {
			t.Errorf("a node that stands begins anew: %v", err)
		}
		p.brest.Store = fresh
		p.brest.serve(t, p.network)
		p.network.SetDown(brestHost, false)
		p.brest.server.Rescuer().Pages = 1
		step := func() essaim.Recovery {
			t.Helper()
			if err := p.brest.server.Rescuer().Step(ctx); err != nil {
				t.Fatal(err)
			}
			rec, err := p.brest.Recovery(ctx)
			if err != nil {
				t.Fatal(err)
			}
			return rec
		}
		if rec := step(); !rec.UnderWay() || rec.Recovered >= 133 || rec.Sources[2].Cursor == "" || !rec.Sources[2].DoneAt.IsZero() {
			t.Errorf("after a page of two: %+v", rec)
		}
		for range 3 { // with what the actors' records make of it
			p.pass(2 * time.Second)
			step()
		}
		if rec := step(); !rec.UnderWay() || rec.Recovered != 134 || rec.Sources[2].DoneAt.IsZero() {
			t.Errorf("it writes though one did not answer: %+v", rec)
		}
		p.pass(time.Hour) // and does not wait for ever
		if rec := step(); rec.UnderWay() || rec.Cause != essaim.RecoveryRescue {
			t.Errorf("it still waits: %+v", rec)
		}
		if again, err := p.brest.Node(ctx); err != nil || again.Incarnation <= node.Incarnation || !again.CreatedAt.Equal(node.CreatedAt) {
			t.Errorf("node %+v, %v", again, err)
		}
		p.catchUp(t)
		p.whole(t, d)
		p.compare(t)
		if r := p.brest.publish(t, "Fiche 3"); r.Slug == "fiche-3" {
			t.Error("an address is given twice")
		}
	})
}

func TestAnActorThatComesBeforeItsRecordComesBackInASecondReading(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		p, other := newPair(t, db), anew(t, db)
		ctx := t.Context()
		for i := range 8 { // some of them stand behind their actor in the order of copies
			slug := p.brest.publish(t, fmt.Sprint("Fiche ", i)).Slug
			if err := p.brest.SetProfile(ctx, essaim.ActorName(essaim.ActorInitiative, slug), essaim.Profile{Summary: "Une équipe, " + slug}); err != nil {
				t.Fatal(err)
			}
		}
		p.follow(t)
		p.catchUp(t)
		node, err := p.brest.Node(ctx)
		if err != nil {
			t.Fatal(err)
		}
		head, err := p.brest.CommonsState(ctx)
		if err != nil {
			t.Fatal(err)
		}
		p.brest.Store = other.Open(t, p.brest.config)
		if err := p.brest.RescueNode(ctx, node, essaim.CommonsHead{}, "toulon.example"); err != nil {
			t.Fatal(err)
		}
		p.brest.serve(t, p.network)
		if err := p.brest.server.Rescuer().Step(ctx); err != nil {
			t.Fatal(err)
		}
		rec, err := p.brest.Recovery(ctx)
		if err != nil || rec.Recovered != 17 || rec.Sources[0].Reading != essaim.ReadingLast || rec.Sources[0].DoneAt.IsZero() {
			t.Errorf("after two readings: %d came back, %+v, %v", rec.Recovered, rec.Sources, err)
		}
		if h, err := p.brest.CommonsState(ctx); err != nil || h.Root != head.Root {
			t.Errorf("root %s of %d, want %s of %d (%v)", h.Root, h.Count, head.Root, head.Count, err)
		}
	})
}

func TestASnapshotThatIsStartedRecoversByItself(t *testing.T) {
	t.Parallel()
	fedtest.RSA()
	synctest.Test(t, func(t *testing.T) {
		network, ctx := fedtest.NewNetwork(), t.Context()
		brest, toulouse := startNode(t, network, "brest"), startNode(t, network, "toulouse")
		defer toulouse.stop()
		toulouse.follow(t, brest)
		edited, gone := brest.publish(t, "Atelier de réparation"), brest.publish(t, "Atelier fermé depuis")
		within(t, 5*time.Second, "both are at Toulouse", func() bool { return toulouse.holds(edited.ID, 1)() && toulouse.holds(gone.ID, 1)() })
		brest.stop()
		snapshot := t.TempDir()
		if err := os.CopyFS(snapshot, os.DirFS(brest.dir)); err != nil {
			t.Fatal(err)
		}
		brest = openNode(t, network, brest.host, brest.dir, brest.keys, nil)
		time.Sleep(2 * time.Hour)
		content := edited.Content
		content.Title = "Atelier de réparation du vendredi"
		if _, err := brest.UpdateRecord(ctx, edited.ID, 0, content, essaim.StatePublished, essaim.Author{Name: "test"}); err != nil {
			t.Fatal(err)
		}
		if err := brest.WithdrawRecord(ctx, gone.ID, essaim.Author{Name: "test"}); err != nil {
			t.Fatal(err)
		}
		later := brest.publish(t, "Grainothèque")
		within(t, 5*time.Second, "the day is at Toulouse", func() bool { return toulouse.holds(edited.ID, 2)() && toulouse.holds(later.ID, 1)() })
		time.Sleep(2 * time.Hour) // Toulouse reads a head
		before, err := brest.Node(ctx)
		if err != nil {
			t.Fatal(err)
		}
		brest.stop()

		brest = openNode(t, network, brest.host, snapshot, brest.keys, nil)
		defer func() { brest.stop() }()
		within(t, time.Minute, "it got back what it lost", func() bool {
			r, err := brest.Recovery(ctx)
			return err == nil && !r.BeganAt.IsZero() && !r.UnderWay()
		})
		for _, id := range []string{edited.ID, later.ID} {
			if got, want := brest.document(t, id), toulouse.document(t, id); got != want {
				t.Errorf("%s\n%s\nwant\n%s", id, got, want)
			}
		}
		if r, err := brest.Record(ctx, gone.ID); err != nil || r.State != essaim.StateWithdrawn {
			t.Errorf("what was erased is %s, %v", r.State, err)
		}
		if after, err := brest.Node(ctx); err != nil || after.Incarnation <= before.Incarnation {
			t.Errorf("incarnation %d after %d, %v", after.Incarnation, before.Incarnation, err)
		}
		next := brest.publish(t, "Fête du retour")
		within(t, time.Minute, "Toulouse takes what it publishes now", toulouse.holds(next.ID, 1))
	})
}

func TestWhoeverAnswersWithoutEndHoldsNoRecoveryOpen(t *testing.T) {
	t.Parallel()
	fedtest.RSA()
	synctest.Test(t, func(t *testing.T) {
		network, ctx := fedtest.NewNetwork(), t.Context()
		brest := startNode(t, network, "brest")
		defer func() {
			brest.stop()
			time.Sleep(time.Minute) // until the page that it last asked for is answered
		}()
		peer := fedtest.NewPeer(t, network, "lente.example", "Application")
		peer.Put("https://lente.example/.well-known/nodeinfo", map[string]any{"links": []map[string]string{
			{"rel": "https://www.w3.org/ns/activitystreams#Application", "href": peer.Actor},
		}})
		var pages atomic.Int64
		network.Serve("lente.example", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/commons/copies" {
				peer.ServeHTTP(w, r)
				return
			}
			time.Sleep(5 * time.Second)
			w.Header().Set("Content-Type", "application/activity+json")
			fmt.Fprintf(w, `{"essaim:of":"brest.example","essaim:cursor":"%064x","next":"https://lente.example/commons/copies","orderedItems":[]}`, pages.Add(1))
		}))
		node, err := brest.Node(ctx)
		if err != nil {
			t.Fatal(err)
		}
		head := essaim.CommonsHead{Number: essaim.CommonsNumber{Incarnation: node.Incarnation + 1, N: 1}, Count: 1, At: time.Now(), Document: []byte("{}")}
		if under, err := brest.BeginRecovery(ctx, essaim.RecoveryHead, head, "lente.example"); err != nil || !under {
			t.Fatal(under, err)
		}
		time.Sleep(10 * time.Minute)
		if under, err := brest.Recovering(ctx); err != nil || !under {
			t.Errorf("it waits for nobody: %v", err)
		}
		within(t, 10*time.Minute, "it publishes again", func() bool {
			r, err := brest.Recovery(ctx)
			return err == nil && !r.UnderWay()
		})
		r, err := brest.Recovery(ctx)
		if err != nil || pages.Load() < 60 || len(r.Sources) != 1 || r.Sources[0].Cursor == "" || !r.Sources[0].DoneAt.IsZero() {
			t.Errorf("after %d pages: %+v, %v", pages.Load(), r, err)
		}
	})
}
