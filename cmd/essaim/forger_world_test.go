// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"essaim"
	"essaim/federation"
	"essaim/federation/fedtest"
	"essaim/federation/proof"
	"essaim/federation/sig"
	"essaim/federation/vocab"
	"essaim/store/storetest"
)

// testKeys are a node's, and how its documents show them.
type testKeys struct {
	federation.Keys
	pem, multikey, fragment string
	known                   []string // keys of others
}

const mallory = "mallory.example"

// forgery is the world of a forger: the node that he is at, an honest one that it
// replicates, and his own, which it replicates too.
type forgery struct {
	pair
	*material
	db      storetest.DB
	mallory *commonsNode
	liar    map[string]func(path string) (status int, body []byte) // by host; -1 to be honest
	mu      sync.Mutex

	before []string        // what is not his
	signed map[string]bool // copy digests of all documents that the honest one ever signed
	heads  map[string]bool // and of its heads
	tried  map[string]int  // what is honest, by what it is
	turn   int             // of what he changes of his own
}

func newForgery(t *testing.T, db storetest.DB, seed uint64) *forgery {
	t.Helper()
	w := &forgery{db: db, liar: map[string]func(string) (int, []byte){}, signed: map[string]bool{}, heads: map[string]bool{}, tried: map[string]int{}}
	w.network = fedtest.NewNetwork()
	private, err := rsa.GenerateKey(rand.Reader, 2048) // those of the others are shared
	if err != nil {
		t.Fatal(err)
	}
	keys := federation.Keys{RSA: private, Ed25519: fedtest.Ed25519(mallory)}
	public := keys.Ed25519.Public().(ed25519.PublicKey)
	quiet := slog.New(slog.DiscardHandler)
	own := federation.Keys{RSA: fedtest.RSA(), Ed25519: fedtest.Ed25519(brestHost)}
	w.brest = newCommonsNodeOf(t, storetest.SQLite(t), "brest", w.network, own, quiet)
	w.mallory = newCommonsNodeOf(t, storetest.SQLite(t), "mallory", w.network, keys, quiet)
	own.Ed25519 = fedtest.Ed25519("toulon.example")
	w.toulon = newCommonsNodeOf(t, db, "toulon", w.network, own, quiet)
	w.material = &material{
		rng: mathrand.New(mathrand.NewPCG(seed, 4)), me: w.mallory, classes: map[string]int{},
		now: w.toulon.now,
		keys: testKeys{
			Keys: keys, pem: fedtest.PublicPEM(&private.PublicKey), multikey: proof.EncodeMultikey(public), fragment: "#" + proof.KeyFragment(public),
			known: []string{proof.EncodeMultikey(w.brest.key), proof.EncodeMultikey(w.toulon.key)},
		},
	}
	for host, n := range map[string]*commonsNode{brestHost: w.brest, mallory: w.mallory} {
		w.network.Serve(host, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			w.mu.Lock()
			lie := w.liar[host]
			w.mu.Unlock()
			if lie != nil {
				if status, body := lie(r.URL.RequestURI()); status >= 0 {
					rw.Header().Set("Content-Type", vocab.ContentType)
					rw.WriteHeader(status)
					_, _ = rw.Write(body)
					return
				}
			}
			n.router.ServeHTTP(rw, r)
		}))
	}
	w.fill(t)
	return w
}

// lie makes a host answer otherwise, until the next.
func (w *forgery) lie(host string, answer func(path string) (int, []byte)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.liar[host] = answer
}

// pass moves everybody's clock.
func (w *forgery) pass(d time.Duration) {
	for _, n := range []*commonsNode{w.brest, w.mallory, w.toulon} {
		n.moved.Add(int64(d))
	}
}

// fill gives everybody something, of several versions, and lets it be replicated.
func (w *forgery) fill(t *testing.T) {
	t.Helper()
	var edited []essaim.Record
	for i := range 90 {
		edited = append(edited, w.brest.publish(t, fmt.Sprint("Fiche ", i)))
	}
	for i := range 12 {
		w.ids = append(w.ids, w.toulon.publish(t, fmt.Sprint("Fiche de Toulon ", i)).ID)
		w.mallory.publish(t, fmt.Sprint("Fiche de Mallory ", i))
	}
	w.toulon.follow(t, brestHost)
	w.toulon.follow(t, mallory)
	w.note(t)
	w.catchUpAll(t)
	w.pass(time.Minute)
	for i, rec := range edited[:12] {
		var err error
		if i < 6 {
			_, err = w.brest.UpdateRecord(t.Context(), rec.ID, 0, storetest.Initiative(fmt.Sprint("Fiche revue ", i)), essaim.StatePublished, storetest.Author)
		} else {
			err = w.brest.WithdrawRecord(t.Context(), rec.ID, storetest.Author)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	w.note(t)
	w.catchUpAll(t)
	if _, err := w.toulon.server.Replicator().Compare(t.Context(), brestHost); err != nil { // what it says of itself is noted
		t.Fatal(err)
	}
	w.actors = []string{"https://brest.example/actor", "https://brest.example/actors/brest", "https://toulon.example/actor", "https://toulon.example/actors/toulon"}
	for i, a := range w.actors {
		w.methods = append(w.methods, a+"#"+proof.KeyFragment([]ed25519.PublicKey{w.brest.key, w.toulon.key}[i/2]))
	}
	for _, rec := range edited {
		w.ids = append(w.ids, rec.ID)
	}
	peer, err := w.toulon.Peer(t.Context(), brestHost)
	if err != nil {
		t.Fatal(err)
	}
	w.follows = []string{peer.FollowID, w.brest.base + "/activities/accept?of=" + peer.FollowID}
	w.post(t, w.brest, w.brest.say(t, "Announce", w.ids[0]))
	w.visit(t)
	for _, a := range w.actors { // so that none is met for the first time later
		id, err := essaim.ParseIRI(a)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.toulon.server.Replicator().Ingester.Actors.Fetch(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	h, _ := w.mallory.readHead(t)
	docs, _ := w.mallory.crawl(t, h.First)
	for _, d := range docs {
		w.own = append(w.own, decode(t, d))
	}
	w.before = w.notHis(t)
	if len(w.before) < 500 {
		t.Fatalf("only %d rows are not his", len(w.before))
	}
}

// visit lets an account of software that proves nothing follow, like and comment:
// who may speak for it is told by the signatures of requests alone. What it never
// sent is material too.
func (w *forgery) visit(t *testing.T) {
	t.Helper()
	alice := fedtest.NewPeer(t, w.network, "alice.example", "Person")
	note := object{
		"id": "https://alice.example/notes/1", "type": "Note", "attributedTo": alice.Actor, "inReplyTo": w.ids[0], "content": "<p>Bravo</p>",
		"to": []any{vocab.Public}, "published": w.now().UTC().Format(time.RFC3339),
	}
	said := func(id, verb string, about any) object {
		return object{"@context": "https://www.w3.org/ns/activitystreams", "id": "https://alice.example/activities/" + id, "type": verb, "actor": alice.Actor, "object": about, "to": []any{vocab.Public}}
	}
	for _, a := range []object{
		said("follow", "Follow", "https://toulon.example/actors/toulon"), said("like", "Like", w.ids[0]), said("note", "Create", note),
	} {
		if code := w.postAs(t, alice.Actor+"#main-key", fedtest.RSA(), encodeObject(a)); code != http.StatusAccepted {
			t.Fatalf("%s is answered %d", encodeObject(a), code)
		}
	}
	w.drain(t)
	for _, statement := range []string{"SELECT 1 FROM follower WHERE remote = $1", "SELECT 1 FROM reaction WHERE actor = $1", "SELECT 1 FROM comment WHERE actor = $1"} {
		if len(w.rows(t, statement, alice.Actor)) != 1 {
			t.Fatalf("%s: nothing of hers", statement)
		}
	}
	edited := cloned(note)
	edited["content"] = "<p>Honte</p>"
	w.unsaid = append(w.unsaid,
		said("undo1", "Undo", "https://alice.example/activities/like"), said("undo2", "Undo", "https://alice.example/activities/follow"),
		said("delete", "Delete", note["id"]), said("update", "Update", edited), said("leave", "Delete", alice.Actor), said("announce", "Announce", w.ids[1]),
	)
	w.ids = append(w.ids, note["id"].(string), "https://alice.example/activities/like")
	w.actors = append(w.actors, alice.Actor)
	w.methods = append(w.methods, alice.Actor+"#main-key")
	w.follows = append(w.follows, "https://alice.example/activities/follow")
}

// note keeps what the honest node publishes now: its present versions become old.
func (w *forgery) note(t *testing.T) {
	t.Helper()
	h, _ := w.head(t)
	docs, _ := w.brest.crawl(t, h.First)
	for _, raw := range docs {
		if w.signed[exact(raw)] {
			continue
		}
		verb := "Update"
		if decode(t, raw)["type"] == "Tombstone" {
			verb = "Delete"
		}
		w.keep(t, raw, verb)
	}
}

// keep has a document that the honest node signed be material, and gives the activity
// that sends it.
func (w *forgery) keep(t *testing.T, raw []byte, verb string) (activity []byte) {
	t.Helper()
	w.signed[exact(raw)] = true
	o := decode(t, raw)
	w.others = append(w.others, o)
	a := vocab.Activity{ID: fmt.Sprintf("%s/activities/%d", w.brest.base, len(w.said)), Type: verb, Actor: authorOf(o), Document: raw, To: []string{vocab.Public}, Published: w.now()}
	body, err := w.brest.server.Renderer().Build(a)
	if err != nil {
		t.Fatal(err)
	}
	w.said = append(w.said, decode(t, body))
	return body
}

// head is what the honest node signs now.
func (w *forgery) head(t *testing.T) (signedHead, []byte) {
	t.Helper()
	h, raw := w.brest.readHead(t)
	w.heads[exact(raw)] = true
	if w.heads[""] || w.signed[""] {
		t.Fatal("what the honest one signs has no digest: nothing would be seen")
	}
	return h, raw
}

// exact is the copy digest of a document, which is the same whatever the order of
// its members, or nothing when it has none.
func exact(document []byte) string {
	_, d, err := proof.Digests(document)
	if err != nil {
		return ""
	}
	return d
}

// catchUpAll lets the node read both others to their ends.
func (w *forgery) catchUpAll(t *testing.T) {
	t.Helper()
	for _, host := range []string{brestHost, mallory} {
		w.readOn(t, host)
	}
}

// readOn reads a host on, as Run does.
func (w *forgery) readOn(t *testing.T, host string) {
	t.Helper()
	w.head(t)
	p, err := w.toulon.server.Replicator().CatchUp(t.Context(), host)
	if err == nil {
		err = w.toulon.SaveCommonsProgress(t.Context(), p)
	}
	if err != nil {
		t.Fatalf("%s is not read: %v", host, err)
	}
}

// say is an activity of a node's territory about an id.
func (n *commonsNode) say(t *testing.T, verb, object string) []byte {
	t.Helper()
	body, err := n.server.Renderer().Build(vocab.Activity{
		ID: n.base + "/activities/" + strings.ToLower(verb), Type: verb, Actor: n.base + "/actors/" + n.name, Object: object, To: []string{vocab.Public},
	})
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// post delivers an activity with the signature of a node, under the id of a key.
func (w *forgery) post(t *testing.T, from *commonsNode, activity []byte, keyID ...string) int {
	t.Helper()
	key := from.keys.RSA
	if len(keyID) > 0 {
		return w.postAs(t, keyID[0], key, activity)
	}
	return w.postAs(t, from.base+"/actors/"+from.name+"#main-key", key, activity)
}

func (w *forgery) postAs(t *testing.T, keyID string, key *rsa.PrivateKey, activity []byte) int {
	t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, w.toulon.base+"/inbox", bytes.NewReader(activity))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/activity+json")
	if err := sig.Sign(r, activity, sig.SigningKey{ID: keyID, Private: key}, sig.Cavage, w.now()); err != nil {
		t.Fatal(err)
	}
	in := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/inbox", bytes.NewReader(activity))
	in.Header, in.Host = r.Header, "toulon.example"
	out := httptest.NewRecorder()
	w.toulon.router.ServeHTTP(out, in)
	w.pass(25 * time.Millisecond) // 3,000 a minute are taken of a stranger
	return out.Code
}

// drain applies what was delivered.
func (w *forgery) drain(t *testing.T) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	bell := w.toulon.Notify()
	go func() { done <- w.toulon.server.Replicator().Ingester.Run(ctx) }()
	defer func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	for limit := time.After(time.Minute); ; {
		var n int
		err := w.toulon.DB().QueryRowContext(ctx, "SELECT count(*) FROM inbox WHERE state = 'waiting' AND next_at <= $1", w.now().UnixMicro()).Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			return
		}
		select {
		case <-bell:
		case <-time.After(20 * time.Millisecond):
		case <-limit:
			t.Fatalf("%d activities are never applied", n)
		}
	}
}
