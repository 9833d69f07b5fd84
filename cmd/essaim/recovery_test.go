// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/federation/fedtest"
	"essaim/federation/vocab"
	"essaim/store"
	"essaim/store/storetest"
)

// rolledBack puts in the place of the first node one that a backup brings back, as
// a snapshot of its disk does: nothing tells it that it is old.
func (p *pair) rolledBack(t testing.TB, backup []byte, db storetest.DB) {
	t.Helper()
	was, err := p.brest.Incarnation(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p.restored(t, backup, db)
	for _, statement := range []string{
		"DELETE FROM peer", // who keeps its copies is forgotten too
		"UPDATE counter SET recovering = 0, recoveries = 0", "DELETE FROM recovery", "DELETE FROM recovery_source", fmt.Sprint("UPDATE node SET incarnation = ", was),
	} {
		p.brest.damage(t, db, statement)
	}
	if err := p.brest.Close(); err != nil {
		t.Fatal(err)
	}
	p.brest.Store = db.Open(t, p.brest.config)
	p.brest.serve(t, p.network)
}

// restored puts in the place of the first node what a backup restores.
func (p *pair) restored(t testing.TB, backup []byte, db storetest.DB) {
	t.Helper()
	fresh := db.Open(t, p.brest.config)
	if _, err := fresh.Restore(t.Context(), bytes.NewReader(backup)); err != nil {
		t.Fatal(err)
	}
	p.brest.Store = fresh
	p.brest.serve(t, p.network)
}

// anew is another database of the same sort.
func anew(t testing.TB, db storetest.DB) storetest.DB {
	t.Helper()
	if db.Name == "sqlite" {
		return storetest.SQLite(t)
	}
	return storetest.Postgres(t)
}

func (n *commonsNode) backup(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	if _, err := n.Backup(t.Context(), &b, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// day is a day of the first node: what changed after its backup.
type day struct {
	edited, gone, erased, published []string
	root                            essaim.Digest
}

// liveADay makes records, a backup, and then what the backup lacks; the second
// node has it all.
func (p *pair) liveADay(t testing.TB) (backup []byte, d day) {
	t.Helper()
	ctx := t.Context()
	var ids []string
	for i := range 130 {
		ids = append(ids, p.brest.publish(t, fmt.Sprint("Fiche ", i)).ID)
	}
	early := p.brest.publish(t, "Retirée avant").ID
	if err := p.brest.WithdrawRecord(ctx, early, storetest.Author); err != nil {
		t.Fatal(err)
	}
	p.follow(t)
	if _, err := p.brest.server.FollowPeer(ctx, "toulon.example"); err != nil {
		t.Fatal(err)
	}
	p.catchUp(t)
	backup = p.brest.backup(t)
	p.pass(24 * time.Hour)
	for _, id := range ids[:3] {
		for i := range 2 {
			if _, err := p.brest.UpdateRecord(ctx, id, 0, storetest.Initiative(fmt.Sprint("Revue ", i, id)), essaim.StatePublished, storetest.Author); err != nil {
				t.Fatal(err)
			}
		}
	}
	d.edited, d.gone = ids[:3], []string{early}
	for i := range 5 {
		d.published = append(d.published, p.brest.publish(t, fmt.Sprint("Neuve ", i)).ID)
	}
	brief := p.brest.publish(t, "Publiée et retirée").ID
	d.erased = []string{ids[5], ids[6], brief}
	for _, id := range d.erased {
		if err := p.brest.WithdrawRecord(ctx, id, storetest.Author); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.brest.SetProfile(ctx, "brest", essaim.Profile{Summary: "Le territoire, vu de la rade."}); err != nil {
		t.Fatal(err)
	}
	p.catchUp(t)
	if different := p.differences(t); len(different) > 0 {
		t.Fatalf("before anything is lost: %v", different)
	}
	h, err := p.brest.CommonsState(ctx)
	if err != nil {
		t.Fatal(err)
	}
	d.root = h.Root
	return backup, d
}

func (p *pair) pass(d time.Duration) {
	p.brest.moved.Add(int64(d))
	p.toulon.moved.Add(int64(d))
}

// whole checks that the first node is what it was before it lost anything.
func (p *pair) whole(t testing.TB, d day) {
	t.Helper()
	ctx := t.Context()
	h, err := p.brest.CommonsState(ctx)
	if err != nil || h.Root != d.root {
		t.Errorf("root %s of %d, want %s (%v)", h.Root, h.Count, d.root, err)
	}
	for _, id := range slices.Concat(d.edited, d.published) {
		got, err := p.brest.Document(ctx, id)
		want, errWant := p.toulon.Document(ctx, id)
		if err != nil || errWant != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is\n%s (%v), want\n%s (%v)", id, got, err, want, errWant)
		}
		if status, _, served := p.brest.get(t, id, ""); status != http.StatusOK || !bytes.Equal(served, want) {
			t.Errorf("%s is served as %d %s", id, status, served)
		}
	}
	for _, id := range slices.Concat(d.gone, d.erased) {
		if status, _, _ := p.brest.get(t, id, ""); status != http.StatusGone {
			t.Errorf("%s: %d, it came back", id, status)
		}
	}
	for _, id := range d.edited {
		if r, err := p.brest.Record(ctx, id); err != nil || r.Revision != 3 {
			t.Errorf("revision %d of %s, want 3 (%v)", r.Revision, id, err)
		}
	}
	if broken, err := p.brest.Check(ctx); err != nil || len(broken) > 0 {
		t.Errorf("broken: %v %v", broken, err)
	}
	if differ := p.differences(t); len(differ) > 0 {
		t.Errorf("%d differ: %v", len(differ), differ[:min(3, len(differ))])
	}
}

func TestANodeThatForgotADayGetsItBackFromWhoRemembers(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		p, other := newPair(t, db), anew(t, db)
		ctx := t.Context()
		backup, d := p.liveADay(t)
		lost, _ := p.brest.readHead(t)
		p.rolledBack(t, backup, other)
		p.pass(time.Hour)

		// Before anybody looks, it writes on in its old state.
		forked := p.brest.publish(t, "Écrite dans l’oubli")
		if _, err := p.toulon.server.Replicator().CatchUp(ctx, brestHost); err == nil {
			t.Error("an older head is taken")
		}
		if _, err := p.toulon.Document(ctx, forked.ID); err == nil {
			t.Error("something is taken of a node that forgot")
		}
		if trust, err := p.toulon.PeerTrust(ctx, brestHost); err != nil || trust.BehindAt.IsZero() {
			t.Errorf("nothing says that it is behind: %+v, %v", trust, err)
		}
		push := p.push(t, forked.ID)
		if in := p.queued(t, "failed", push); in == nil || !strings.HasPrefix(in.Reason, "behind:") {
			t.Errorf("what it pushes is %+v", in)
		}
		if under, err := p.brest.Recovering(ctx); err != nil || !under {
			t.Fatalf("it was not told: %v", err)
		}
		// Read-only, and what is missing is not gone.
		if _, err := p.brest.CreateRecord(ctx, essaim.NewRecord{Content: storetest.Initiative("Trop tôt"), State: essaim.StatePublished, Author: storetest.Author}); !errors.Is(err, essaim.ErrRecovering) {
			t.Errorf("it publishes: %v", err)
		}
		if err := p.brest.WithdrawRecord(ctx, d.edited[0], storetest.Author); !errors.Is(err, essaim.ErrRecovering) {
			t.Errorf("it withdraws: %v", err)
		}
		for _, address := range []string{d.published[0], p.brest.base + "/commons", p.brest.base + "/commons?after=0.0", p.brest.base + "/commons/digest"} {
			if status, _, _ := p.brest.get(t, address, ""); status != http.StatusServiceUnavailable {
				t.Errorf("%s: %d while it gets back what it lost", address, status)
			}
		}
		if err := p.brest.server.Rescuer().Step(ctx); err != nil {
			t.Fatal(err)
		}
		rec, err := p.brest.Recovery(ctx)
		if err != nil || rec.UnderWay() || rec.Cause != essaim.RecoveryHead || rec.Recovered != 9 || rec.Withdrawn != 3 || rec.Head.Number.N != lost.N {
			t.Errorf("recovery %+v, %v", rec, err)
		}
		if err := p.brest.WithdrawRecord(ctx, forked.ID, storetest.Author); err != nil {
			t.Error(err)
		}
		now, _ := p.brest.readHead(t)
		if now.Incarnation <= lost.Incarnation {
			t.Errorf("incarnation %d after %d", now.Incarnation, lost.Incarnation)
		}
		p.pass(time.Minute)
		p.catchUp(t)
		if trust, err := p.toulon.PeerTrust(ctx, brestHost); err != nil || !trust.BehindAt.IsZero() {
			t.Errorf("still behind: %+v, %v", trust, err)
		}
		if err := p.toulon.server.TurnInwards(ctx); err != nil || p.queued(t, "failed", push) != nil {
			t.Errorf("what was kept is not read again: %v", err)
		}
		h, err := p.brest.CommonsState(ctx)
		if err != nil {
			t.Fatal(err)
		}
		d.root = h.Root // with the tombstone of what was written meanwhile
		p.whole(t, d)
		// What is written from here on is newer than all that was.
		r, err := p.brest.UpdateRecord(ctx, d.edited[0], 0, storetest.Initiative("Reprise"), essaim.StatePublished, storetest.Author)
		if err != nil || r.Revision != 4 || r.Incarnation != now.Incarnation {
			t.Errorf("version %d.%d, %v", r.Incarnation, r.Revision, err)
		}
		p.catchUp(t)
		if held, err := p.toulon.Record(ctx, r.ID); err != nil || held.Title != "Reprise" {
			t.Errorf("the other holds %q, %v", held.Title, err)
		}
	})
}

// push sends the second node the activity that publishes a record of the first.
func (p *pair) push(t testing.TB, id string) (activity string) {
	t.Helper()
	var raw []byte
	err := p.brest.DB().QueryRowContext(t.Context(), "SELECT a.id, a.bytes FROM activity a JOIN record r ON r.activity_id = a.id WHERE r.id = $1", id).Scan(&activity, &raw)
	if err != nil {
		t.Fatal(err)
	}
	in := essaim.Inbound{ActivityID: activity, Type: "Create", Actor: p.brest.base + "/actors/brest", Raw: raw, ReceivedAt: p.toulon.now()}
	if _, err := p.toulon.ReceiveActivity(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	if err := p.toulon.server.TurnInwards(t.Context()); err != nil {
		t.Fatal(err)
	}
	return activity
}

// queued is an activity that came to the second node, if it stands in a state.
func (p *pair) queued(t testing.TB, state, activity string) *store.QueuedActivity {
	t.Helper()
	list, err := p.toulon.QueuedActivities(t.Context(), store.QueueFilter{State: state, Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	for i := range list {
		if list[i].ActivityID == activity {
			return &list[i]
		}
	}
	return nil
}

func TestARestoredBackupAsksBeforeItWrites(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		p, other := newPair(t, db), anew(t, db)
		ctx := t.Context()
		backup, d := p.liveADay(t)
		since := len(p.network.Log())
		p.restored(t, backup, other)
		if _, err := p.brest.CreateRecord(ctx, essaim.NewRecord{Content: storetest.Initiative("Trop tôt"), State: essaim.StatePublished, Author: storetest.Author}); !errors.Is(err, essaim.ErrRecovering) {
			t.Errorf("it publishes: %v", err)
		}
		pages := 0
		p.network.Serve("toulon.example", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/commons/copies" { // each takes nearly as long as the lease
				pages++
				p.brest.moved.Add(int64(4 * time.Minute))
				if from, err := p.brest.ClaimRecoverySource(ctx, time.Hour, true); err != nil || from.Host != "" {
					t.Errorf("at page %d another process reads %q too (%v)", pages, from.Host, err)
				}
			}
			p.toulon.router.ServeHTTP(w, r)
		}))
		if err := p.brest.server.Rescuer().Step(ctx); err != nil || pages < 2 {
			t.Fatal(pages, err)
		}
		p.network.Serve("toulon.example", p.toulon.router)
		p.toulon.moved.Store(p.brest.moved.Load())
		p.pass(time.Minute)
		for _, r := range p.network.Log()[since:] {
			if r.Host != "toulon.example" {
				t.Errorf("%s is asked", r.Host)
			}
		}
		p.catchUp(t)
		p.whole(t, d)
		var told int
		if err := p.brest.DB().QueryRowContext(ctx, "SELECT count(*) FROM announce WHERE state = 'waiting'").Scan(&told); err != nil || told != 0 {
			t.Errorf("%d announces of what came back (%v)", told, err)
		}
	})
}

func TestAHeadThatTheNodeDidNotSignMovesNothing(t *testing.T) {
	t.Parallel()
	n := newCommonsNode(t, storetest.SQLite(t), "brest", nil)
	n.publish(t, "Une")
	h, own := n.readHead(t)
	later := essaim.CommonsHead{Number: essaim.CommonsNumber{Incarnation: h.Incarnation, N: h.N + 1000}, Count: 5000, Root: essaim.Digest{7}, At: n.now()}
	node, err := n.Node(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	toulon := node
	toulon.BaseURL, toulon.Territory.Actor = "https://toulon.example", "https://toulon.example/actors/toulon"
	sign := func(node essaim.Node, key string) []byte {
		r, err := vocab.New(vocab.Config{Node: node, Ed25519: fedtest.Ed25519(key), RSA: &n.keys.RSA.PublicKey, Now: n.now})
		if err != nil {
			t.Fatal(err)
		}
		b, err := r.CommonsHead(later)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	post := func(body []byte) int {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/commons?by=toulon.example", bytes.NewReader(body))
		r.Header.Set("Content-Type", vocab.ContentType)
		w := httptest.NewRecorder()
		n.router.ServeHTTP(w, r)
		return w.Code
	}
	for what, c := range map[string]struct {
		body []byte
		want int
	}{
		"its own":              {own, http.StatusNoContent},
		"a number raised":      {bytes.Replace(own, fmt.Appendf(nil, `"essaim:n":%d`, h.N), fmt.Appendf(nil, `"essaim:n":%d`, h.N+9), 1), http.StatusForbidden},
		"by another's key":     {sign(node, "toulon.example"), http.StatusForbidden},
		"of another node":      {sign(toulon, "brest.example"), http.StatusForbidden},
		"no document":          {[]byte("{"), http.StatusForbidden},
		"more than a head has": {bytes.Repeat([]byte(" "), 20<<10), http.StatusRequestEntityTooLarge},
	} {
		if got := post(c.body); got != c.want {
			t.Errorf("%s: %d, want %d", what, got, c.want)
		}
		if under, err := n.Recovering(t.Context()); err != nil || under {
			t.Fatalf("%s: it recovers (%v)", what, err)
		}
	}
	if got := post(sign(node, "brest.example")); got != http.StatusAccepted {
		t.Errorf("one that it signed: %d", got)
	}
	rec, err := n.Recovery(t.Context())
	if err != nil || !rec.UnderWay() || len(rec.Sources) != 1 || rec.Sources[0].Host != "toulon.example" {
		t.Errorf("recovery %+v, %v", rec, err)
	}
}
