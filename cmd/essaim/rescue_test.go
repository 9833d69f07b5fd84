// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
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
		liar := rescuer.Survey(ctx, hosts[:2])
		if liar.Records > 10 || liar.Refused < 120 || liar.Whole || liar.Missing == 0 || liar.Hosts[1].Reason == "" {
			t.Errorf("of who lies and who is away: %+v", liar)
		}
		s := rescuer.Survey(ctx, hosts)
		if !s.Whole || s.Missing != 0 || s.Records != 133 || s.Tombstones != 4 || s.Actors != 1 || s.Head.Root != d.root {
			t.Errorf("survey: %d records, %d tombstones, %d actors, %d missing, whole %v", s.Records, s.Tombstones, s.Actors, s.Missing, s.Whole)
		}
		if _, err := p.brest.RecoveryHosts(ctx); err != nil {
			t.Fatal(err)
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
		if rec := step(); !rec.UnderWay() {
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
