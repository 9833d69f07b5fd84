// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"essaim"
	"essaim/federation/fedtest"
	"essaim/federation/vocab"
	"essaim/store/storetest"
)

// pair are two nodes on a network, the second of which follows the first; nothing
// runs by itself.
type pair struct {
	network       *fedtest.Network
	brest, toulon *commonsNode
	origin        storetest.DB // of the first
}

const brestHost = "brest.example"

func newPair(t testing.TB, db storetest.DB) *pair {
	t.Helper()
	return newPairOn(t, storetest.SQLite(t), db)
}

// newPairOn is newPair with the first node on a given database too.
func newPairOn(t testing.TB, own, db storetest.DB) *pair {
	t.Helper()
	p := &pair{network: fedtest.NewNetwork(), origin: own}
	p.brest = newCommonsNode(t, own, "brest", p.network)
	p.toulon = newCommonsNode(t, db, "toulon", p.network)
	return p
}

// stock makes the first publish several pages of records, and withdraw one.
func (p *pair) stock(t testing.TB) (ids []string) {
	t.Helper()
	for i := range 230 {
		ids = append(ids, p.brest.publish(t, fmt.Sprint("Fiche ", i)).ID)
	}
	if err := p.brest.WithdrawRecord(t.Context(), ids[0], storetest.Author); err != nil {
		t.Fatal(err)
	}
	return ids
}

// follow makes the second follow the first, as after its Accept.
func (p *pair) follow(t testing.TB) {
	t.Helper()
	p.toulon.follow(t, brestHost)
}

func (n *commonsNode) follow(t testing.TB, host string) {
	t.Helper()
	peer, err := n.server.FollowPeer(t.Context(), host)
	if err != nil {
		t.Fatal(err)
	}
	in := essaim.Inbound{ActivityID: "https://" + host + "/activities/accept?of=" + peer.FollowID, Type: "Accept", Actor: peer.Actor, Raw: []byte("{}"), ReceivedAt: storetest.Start}
	if _, err := n.ReceiveActivity(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	claimed, err := n.ClaimInbound(t.Context(), 1, 1<<36)
	if err != nil || len(claimed) != 1 {
		t.Fatalf("%d claimed, %v", len(claimed), err)
	}
	errs := n.Apply(t.Context(), []essaim.Applied{{
		ID: claimed[0].ID, Attempt: claimed[0].Attempt, State: essaim.InboundApplied,
		Effects: []essaim.Effect{essaim.PeerAnswer{FollowID: peer.FollowID, Actor: peer.Actor, Accepted: true}},
	}})
	if errs[0] != nil {
		t.Fatal(errs[0])
	}
}

func (p *pair) catchUp(t testing.TB) essaim.CommonsProgress {
	t.Helper()
	return p.toulon.catchUp(t, brestHost)
}

func (n *commonsNode) catchUp(t testing.TB, host string) essaim.CommonsProgress {
	t.Helper()
	progress, err := n.server.Replicator().CatchUp(t.Context(), host)
	if err != nil {
		t.Fatal(err)
	}
	// As Run does.
	if err := n.SaveCommonsProgress(t.Context(), progress); err != nil {
		t.Fatal(err)
	}
	return progress
}

// asked lists what was asked of the first node's commons since a point of the log.
func (p *pair) asked(since int) (paths []string, statuses []int) {
	for _, r := range p.network.Log()[since:] {
		if r.Host == brestHost && strings.HasPrefix(r.Path, "/commons") {
			paths, statuses = append(paths, r.Path), append(statuses, r.Status)
		}
	}
	return paths, statuses
}

// differences compares what the second holds of the first with what the first
// serves, byte for byte.
func (p *pair) differences(t testing.TB) (different []string) {
	t.Helper()
	h, _ := p.brest.readHead(t)
	items, _ := p.brest.crawl(t, h.First)
	ctx := t.Context()
	for _, doc := range items {
		id := vocab.ID(doc)
		held, err := p.toulon.Document(ctx, id)
		if vocab.ID(doc) != "" && bytes.Contains(doc, []byte(`"type":"Tombstone"`)) {
			var kept []byte
			if err := p.toulon.DB().QueryRowContext(ctx, "SELECT document FROM tombstone WHERE id = $1", id).Scan(&kept); err != nil || !bytes.Equal(kept, doc) {
				different = append(different, "tombstone "+id)
			}
			continue
		}
		if bytes.Contains(doc, []byte(`"preferredUsername"`)) {
			var kept []byte
			if err := p.toulon.DB().QueryRowContext(ctx, "SELECT document FROM commons WHERE id = $1", id).Scan(&kept); err != nil || !bytes.Equal(kept, doc) {
				different = append(different, "actor "+id)
			}
			continue
		}
		if err != nil || !bytes.Equal(held, doc) {
			different = append(different, id)
		}
	}
	var n int
	if err := p.toulon.DB().QueryRowContext(ctx, "SELECT count(*) FROM commons WHERE origin = $1 AND digest <> ''", brestHost).Scan(&n); err != nil || n != len(items) {
		different = append(different, fmt.Sprintf("%d lines for %d items (%v)", n, len(items), err))
	}
	return different
}

func TestAFirstFollowBringsEverythingAndTellsNobody(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		p := newPair(t, db)
		p.stock(t)
		p.follow(t)
		progress := p.catchUp(t)
		if different := p.differences(t); len(different) > 0 {
			t.Errorf("%d differ: %v", len(different), different[:min(5, len(different))])
		}
		if progress.DoneAt.IsZero() || progress.Items != 231 || progress.Total != 231 || progress.Pages < 3 {
			t.Errorf("progress %+v", progress)
		}
		for _, table := range []string{"event", "delivery WHERE actor <> 'x' AND n > 0", "announce"} {
			var n int
			if err := p.toulon.DB().QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&n); err != nil || n != 0 {
				t.Errorf("%s: %d rows (%v): something is told of copies", table, n, err)
			}
		}
		if broken, err := p.toulon.Check(t.Context()); err != nil || len(broken) > 0 {
			t.Errorf("broken: %v %v", broken, err)
		}
	})
}

func TestCatchingUpCostsOneRequestWhenNothingChanged(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		p := newPair(t, db)
		edited := p.brest.publish(t, "Une")
		gone := p.brest.publish(t, "Deux")
		p.follow(t)
		p.catchUp(t)
		since := len(p.network.Log())
		p.catchUp(t)
		if paths, statuses := p.asked(since); !slices.Equal(statuses, []int{http.StatusNotModified}) {
			t.Errorf("asked %v, answered %v", paths, statuses)
		}
		// What was pushed and lost is read.
		p.brest.moved.Add(1 << 40)
		p.toulon.moved.Add(1 << 40)
		if _, err := p.brest.UpdateRecord(t.Context(), edited.ID, 0, storetest.Initiative("Une, revue"), essaim.StatePublished, storetest.Author); err != nil {
			t.Fatal(err)
		}
		if err := p.brest.WithdrawRecord(t.Context(), gone.ID, storetest.Author); err != nil {
			t.Fatal(err)
		}
		if p.catchUp(t); len(p.differences(t)) > 0 {
			t.Errorf("after an edit and a deletion: %v", p.differences(t))
		}
		since = len(p.network.Log())
		p.catchUp(t)
		if paths, statuses := p.asked(since); !slices.Equal(statuses, []int{http.StatusNotModified}) {
			t.Errorf("asked %v, answered %v", paths, statuses)
		}
	})
}

func TestAReadingGoesOnAtThePageWhereItWasCut(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		p := newPair(t, db)
		for i := range 430 {
			p.brest.publish(t, fmt.Sprint("Fiche ", i))
		}
		p.follow(t)
		seen := map[string]int{}
		for cut := 0; ; cut++ {
			if cut > 10 {
				t.Fatal("it never ends")
			}
			// The node answers one page and the head, then is gone.
			left := 2
			p.network.Serve(brestHost, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasPrefix(r.URL.Path, "/commons") {
					if left--; left < 0 {
						w.WriteHeader(http.StatusServiceUnavailable)
						return
					}
					if r.URL.Query().Has("after") {
						seen[r.URL.RawQuery]++
					}
				}
				p.brest.router.ServeHTTP(w, r)
			}))
			_, err := p.toulon.server.Replicator().CatchUp(t.Context(), brestHost)
			if err == nil || len(seen) >= 5 {
				break
			}
			held, err := p.toulon.CommonsProgress(t.Context(), brestHost)
			if err != nil || !held.DoneAt.IsZero() || held.Items != 100*(cut+1) {
				t.Fatalf("cut %d: %+v, %v", cut, held, err)
			}
			shown := fmt.Sprintf("reading %d of %d, %d pages,", held.Items, held.Total, cut+1)
			if got := fmt.Sprint(newCommonsRow(held).lines()); held.Total < 430 || !strings.Contains(got, shown) {
				t.Errorf("cut %d: peer show says %s, want %q", cut, got, shown)
			}
		}
		p.network.Serve(brestHost, p.brest.router)
		p.catchUp(t)
		if different := p.differences(t); len(different) > 0 {
			t.Errorf("%d differ: %v", len(different), different[:1])
		}
		for query, n := range seen {
			if n > 1 {
				t.Errorf("%s was asked %d times", query, n)
			}
		}
		if len(seen) < 5 {
			t.Errorf("%d pages", len(seen))
		}
	})
}

func TestNothingIsTakenFromANodeThatForgotWhatItSigned(t *testing.T) {
	t.Parallel()
	p := newPair(t, storetest.SQLite(t))
	p.brest.publish(t, "Une")
	before := httptest.NewRecorder()
	p.brest.router.ServeHTTP(before, httptest.NewRequest(http.MethodGet, "/commons", nil))
	p.brest.moved.Add(1 << 40)
	p.brest.publish(t, "Deux")
	p.toulon.moved.Add(1 << 40)
	p.follow(t)
	p.catchUp(t)
	third := p.brest.publish(t, "Trois")
	p.network.Serve(brestHost, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/commons" && r.URL.RawQuery == "" {
			w.Header().Set("Content-Type", vocab.ContentType)
			_, _ = w.Write(before.Body.Bytes())
			return
		}
		p.brest.router.ServeHTTP(w, r)
	}))
	if _, err := p.toulon.server.Replicator().CatchUp(t.Context(), brestHost); err == nil {
		t.Error("an older head is taken")
	}
	if _, err := p.toulon.Document(t.Context(), third.ID); err == nil {
		t.Error("something is taken of it")
	}
}
