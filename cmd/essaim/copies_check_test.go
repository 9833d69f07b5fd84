// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/federation/fedtest"
	"essaim/store/storetest"
)

// holders tells what others were found to hold under an id, "host state" each.
func (n *commonsNode) holders(t testing.TB, id string) (list []string) {
	t.Helper()
	all, err := n.CopyHolders(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range all {
		list = append(list, strings.TrimSuffix(h.Host, ".example")+" "+string(h.State))
		if h.At.IsZero() || h.Name == "" {
			t.Errorf("%+v has no date or no name", h)
		}
	}
	return list
}

func (n *commonsNode) check(t testing.TB, hosts ...string) {
	t.Helper()
	for _, host := range hosts {
		if err := n.server.Replicator().CheckCopies(t.Context(), host+".example"); err != nil {
			t.Fatal(err)
		}
	}
}

// repeatedBy makes a host answer for the digests of what it holds of n with n's
// own, and show nothing.
func (n *commonsNode) repeatedBy(t testing.TB, network *fedtest.Network, host string) {
	t.Helper()
	of := strings.TrimPrefix(n.base, "https://")
	network.Serve(host, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if rest, ok := strings.CutPrefix(r.URL.Path, "/commons/copies/digest"); ok && r.URL.Query().Get("of") == of {
			_, _, body := n.get(t, n.base+"/commons/digest"+rest, "")
			w.Header().Set("Content-Type", "application/activity+json")
			_, _ = w.Write([]byte(`{"essaim:of":"` + of + `",` + string(body[1:])))
			return
		}
		http.NotFound(w, r)
	}))
}

func TestFewCopiesAreReadToo(t *testing.T) {
	t.Parallel()
	tr, _ := newTrio(t, storetest.SQLite(t))
	lorient := newCommonsNode(t, storetest.SQLite(t), "lorient", tr.network)
	var ids []string
	for i := range 3 {
		ids = append(ids, lorient.publish(t, fmt.Sprint("Fiche ", i)).ID)
	}
	tr.toulon.follow(t, "lorient.example")
	lorient.follow(t, "toulon.example")
	lorient.repeatedBy(t, tr.network, "toulon.example")
	lorient.check(t, "toulon")
	for _, id := range ids {
		if got := lorient.holders(t, id); !slices.Equal(got, []string{"toulon unknown"}) {
			t.Errorf("of digests alone: %v", got)
		}
	}
}

func TestWhoHoldsACopyIsCheckedAndNotClaimed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		tr, _ := newTrio(t, storetest.SQLite(t))
		brest := newCommonsNode(t, db, "lorient", tr.network) // the one that asks
		ctx := t.Context()
		var ids []string
		for i := range 120 {
			ids = append(ids, brest.publish(t, fmt.Sprint("Fiche ", i)).ID)
		}
		for _, n := range []*commonsNode{tr.toulon, tr.tourcoing} {
			n.follow(t, "lorient.example")
			brest.follow(t, strings.TrimPrefix(n.base, "https://"))
		}
		tr.toulon.catchUp(t, "lorient.example")
		later := func() { tr.later(); brest.moved.Add(1 << 40) }
		brest.check(t, "toulon", "tourcoing")
		if got := brest.holders(t, ids[0]); !slices.Equal(got, []string{"toulon same", "tourcoing nothing"}) {
			t.Errorf("holders %v", got)
		}
		since := len(tr.network.Log())
		brest.check(t, "toulon")
		if n := len(tr.network.Log()) - since; n > 8 {
			t.Errorf("%d requests where nothing differs", n)
		}
		// One is edited, one withdrawn, one lost by the second: not known, then known.
		later()
		if _, err := brest.UpdateRecord(ctx, ids[1], 0, storetest.Initiative("Revue"), essaim.StatePublished, storetest.Author); err != nil {
			t.Fatal(err)
		}
		if err := brest.WithdrawRecord(ctx, ids[2], storetest.Author); err != nil {
			t.Fatal(err)
		}
		tr.toulon.damage(t, tr.lite, "DELETE FROM commons WHERE id = $1", ids[3])
		for _, id := range ids[1:3] {
			if got := brest.holders(t, id); got[0] != "toulon unknown" {
				t.Errorf("%s changed since: %v", id, got)
			}
		}
		brest.check(t, "toulon")
		for id, want := range map[string]string{ids[0]: "same", ids[1]: "other", ids[2]: "other", ids[3]: "nothing"} {
			if got := brest.holders(t, id); got[0] != "toulon "+want {
				t.Errorf("%s: %v, want %s", id, got, want)
			}
		}
		// The deletion is confirmed by the tombstone, byte for byte.
		tr.toulon.catchUp(t, "lorient.example")
		later()
		brest.check(t, "toulon")
		for id, want := range map[string]string{ids[0]: "same", ids[1]: "same", ids[2]: "same", ids[3]: "nothing"} {
			if got := brest.holders(t, id); got[0] != "toulon "+want {
				t.Errorf("caught up, %s: %v, want %s", id, got, want)
			}
		}
		// A third node's copies are asked for in the same way.
		tr.tourcoing.catchUp(t, "lorient.example")
		later()
		tr.tourcoing.check(t, "toulon")
		if got := tr.tourcoing.holders(t, ids[0]); !slices.Equal(got, []string{"toulon same"}) {
			t.Errorf("of a third: %v", got)
		}
		// What it says of one origin that is wrong leaves the next one alone.
		later()
		before, err := tr.tourcoing.CopyHolders(ctx, ids[0])
		if err != nil {
			t.Fatal(err)
		}
		tr.network.Serve("toulon.example", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("of") == "tourcoing.example" {
				w.Header().Set("Content-Type", "application/activity+json")
				_, _ = w.Write([]byte(`{"essaim:of":"tourcoing.example","essaim:children":[]}`))
				return
			}
			tr.toulon.router.ServeHTTP(w, r)
		}))
		if err := tr.tourcoing.server.Replicator().CheckCopies(ctx, "toulon.example"); !errors.Is(err, essaim.ErrInvalid) {
			t.Errorf("a tree that is none: %v", err)
		}
		if after, err := tr.tourcoing.CopyHolders(ctx, ids[0]); err != nil || len(after) != 1 || after[0].State != essaim.HoldsSame || !after[0].At.After(before[0].At) {
			t.Errorf("the next one: %+v after %+v, %v", after, before, err)
		}
		// Who repeats our own digests and shows no bytes holds nothing.
		brest.repeatedBy(t, tr.network, "toulon.example")
		later()
		brest.check(t, "toulon")
		if got := brest.holders(t, ids[0]); got[0] != "toulon unknown" {
			t.Errorf("of digests alone: %v", got)
		}
		// One that is away keeps what it was found to hold, with its date.
		tr.network.Serve("toulon.example", tr.toulon.router)
		brest.check(t, "toulon")
		tr.network.SetDown("toulon.example", true)
		if err := brest.server.Replicator().CheckCopies(ctx, "toulon.example"); !errors.Is(err, essaim.ErrUnavailable) {
			t.Errorf("of one that is away: %v", err)
		}
		if got := brest.holders(t, ids[0]); got[0] != "toulon same" {
			t.Errorf("of one that is away: %v", got)
		}
		brest.moved.Add(int64(5 * time.Hour))
		due, err := brest.DueCopyChecks(ctx, 5)
		if err != nil || len(due) != 2 || due[0] != "tourcoing.example" {
			t.Errorf("due %v, %v", due, err)
		}
		at := storetest.Start.Add(time.Duration(brest.moved.Load()) + time.Hour)
		for _, host := range due {
			if err := brest.PutOffCopyCheck(ctx, host, at); err != nil {
				t.Fatal(err)
			}
		}
		if due, err := brest.DueCopyChecks(ctx, 5); err != nil || len(due) != 0 {
			t.Errorf("due %v, %v", due, err)
		}
	})
}
