// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/federation/vocab"
	"essaim/store/storetest"
)

var (
	forgeries  = flag.Int("forgeries", 1500, "how many forgeries are tried on each database")
	forgerSeed = flag.Uint64("forger-seed", 1, "what they follow from")
)

// A forger with keys of his own, whose node is replicated, sends and shows what he
// likes, in his name and in others', from his address and from that of another
// node: nothing that is not his changes, and what is honest is taken all the same.
func TestAForgerChangesNothingThatIsNotHis(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		w := newForgery(t, db, *forgerSeed)
		rounds := []struct {
			surface string
			share   int // of a hundred
			run     func(*testing.T, string, int)
		}{
			{"activity", 45, w.activities},
			{"item of his page", 21, w.ownPages},
			{"item in another's name", 14, w.othersPages},
			{"copy", 14, w.copies},
			{"head", 5, w.forgedHeads},
			{"digest", 1, w.digests},
		}
		all := *forgeries
		if testing.Short() {
			all = 600
		}
		for done := 0; done < all; {
			n := min(max(500, all/100), all-done)
			for _, r := range rounds {
				r.run(t, r.surface, max(1, n*r.share/100))
				w.unchanged(t, fmt.Sprintf("forgeries %d to %d, %s", done, done+n, r.surface))
				w.goesOn(t, r.surface)
			}
			done += n
		}
		w.end(t)
		total := 0
		for _, class := range slices.Sorted(maps.Keys(w.classes)) {
			t.Logf("%6d %s", w.classes[class], class)
			if strings.HasSuffix(class, ": forged") {
				total += w.classes[class]
			}
		}
		var surfaces []string
		for _, r := range rounds {
			surfaces = append(surfaces, r.surface)
		}
		w.wanted(t, surfaces...)
		for _, what := range slices.Sorted(maps.Keys(w.tried)) {
			t.Logf("%6d honest: %s", w.tried[what], what)
		}
		t.Logf("seed %d: %d forgeries", *forgerSeed, total)
		if total < all*9/10 {
			t.Errorf("%d forgeries, want %d", total, all)
		}
		if !testing.Short() {
			w.occurred(t)
		}
	})
}

// occurred asserts that each class of changes was made on each surface that has it.
func (w *forgery) occurred(t *testing.T) {
	t.Helper()
	var want []string
	for _, surface := range []string{"activity", "item of his page", "item in another's name", "copy"} {
		for _, of := range []map[string]func(*material, object){contents, proofs} {
			for name := range of {
				want = append(want, surface+": "+name)
			}
		}
	}
	for name := range envelopes {
		want = append(want, "activity: "+name)
	}
	for name := range bytesOf {
		want = append(want, "activity: "+name)
	}
	for name := range shows {
		want = append(want, "item in another's name: "+name)
	}
	for name := range headForgeries {
		want = append(want, "head: "+name)
	}
	if *forgeries >= 10_000 {
		for name := range treeForgeries {
			want = append(want, "digest: "+name)
		}
	}
	for _, class := range want {
		if w.classes[class] == 0 {
			t.Errorf("%s: never made", class)
		}
	}
}

// unchanged holds what is not his to what it was, and what is kept of the other
// node's heads to what that signed.
func (w *forgery) unchanged(t *testing.T, when string) {
	t.Helper()
	now := w.notHis(t)
	shown := 0
	for _, list := range [][2][]string{{w.before, now}, {now, w.before}} {
		for _, line := range list[0] {
			if _, found := slices.BinarySearch(list[1], line); !found && shown < 6 {
				shown++
				t.Errorf("%s: changed: %s", when, line)
			}
		}
	}
	for _, row := range w.rows(t, "SELECT document FROM head WHERE host = $1", brestHost) {
		if !w.heads[exact(row[0].value.([]byte))] {
			t.Errorf("%s: a head of another is kept: %s", when, row[0].value)
		}
	}
	for _, host := range []string{brestHost, mallory} {
		p, err := w.toulon.CommonsProgress(t.Context(), host)
		if err != nil {
			t.Fatal(err)
		}
		if held, err := w.toulon.Heads(t.Context(), host, 1); err != nil || len(held) == 0 || p.Cursor.Compare(held[0].Number) > 0 {
			t.Errorf("%s: %s is read up to %s, above its head: %v", when, host, p.Cursor, err)
		}
	}
	if t.Failed() {
		t.Fatalf("seed %d", *forgerSeed)
	}
}

// activities delivers forged activities, and now and then an honest one of his.
func (w *forgery) activities(t *testing.T, surface string, n int) {
	t.Helper()
	var honest []string
	for i := range n {
		if i%40 == 0 {
			body, id := w.honest(t)
			if code := w.post(t, w.mallory, body); code != http.StatusAccepted {
				t.Errorf("an honest activity is answered %d: %s", code, body)
			}
			honest = append(honest, id)
		}
		body := w.activity(surface)
		w.class(surface, "forged")
		var code int
		switch w.rng.IntN(8) {
		case 0:
			w.class(surface, "under another's key id")
			code = w.post(t, w.mallory, body, pick(w.rng, w.actors)+"#main-key")
		case 1:
			w.class(surface, "under another's key id, spelled anew")
			code = w.post(t, w.mallory, body, w.spelled(pick(w.rng, w.actors))+"#main-key")
		default:
			code = w.post(t, w.mallory, body)
		}
		w.class("answered", strconv.Itoa(code))
	}
	w.drain(t)
	w.taken(t, "activity", honest...)
}

// honest is a Create of a record of his, of which nothing is forged.
func (w *forgery) honest(t *testing.T) (activity []byte, id string) {
	t.Helper()
	doc, id := w.ownDocument(t)
	w.serial++
	body, err := w.mallory.server.Renderer().Build(vocab.Activity{
		ID: fmt.Sprintf("%s/activities/h%d", w.mallory.base, w.serial), Type: "Create", Actor: w.territory(), Document: doc, To: []string{vocab.Public}, Published: w.now(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return body, id
}

// ownDocument is a new record of his as he signs it.
func (w *forgery) ownDocument(t *testing.T) (doc []byte, id string) {
	t.Helper()
	w.turn++
	id = fmt.Sprintf("%s/objects/own%d", w.mallory.base, w.turn)
	o := object{}
	for _, own := range w.own {
		if own["type"] == "Article" {
			o = cloned(own)
		}
	}
	o["id"], o["url"], o["name"] = id, fmt.Sprintf("%s/initiatives/own%d", w.mallory.base, w.turn), fmt.Sprint("Honnête ", w.turn)
	o["updated"] = w.now().UTC().Format(time.RFC3339)
	w.sign(o, w.territory()+w.keys.fragment)
	return encodeObject(o), id
}

// taken asserts that records of his are there.
func (w *forgery) taken(t *testing.T, what string, ids ...string) {
	t.Helper()
	for _, id := range ids {
		_, err := w.toulon.Document(t.Context(), id)
		w.honestly(t, what, err == nil, "%s is not taken: %v", id, err)
		if err != nil {
			for _, row := range w.rows(t, "SELECT activity_id, type, state, attempt, actor, object, reason FROM inbox ORDER BY id DESC LIMIT 20") {
				t.Logf("%v", row)
			}
			for _, row := range w.rows(t, "SELECT * FROM tombstone WHERE id = $1", id) {
				t.Logf("%v", row)
			}
		}
	}
}

// page is one of a host's collection, up to a number.
func page(host string, at essaim.CommonsNumber, items ...[]byte) []byte {
	list := make([]json.RawMessage, len(items))
	for i := range items {
		list[i] = items[i]
	}
	b, err := json.Marshal(map[string]any{
		"id": "https://" + host + "/commons?after=0.0", "type": "OrderedCollectionPage", "partOf": "https://" + host + "/commons",
		"essaim:head": at.String(), "essaim:cursor": at.String(), "orderedItems": list,
	})
	if err != nil {
		panic(err) // made of JSON
	}
	return b
}

// ownHead is a head of his, later than those before.
func (w *forgery) ownHead(t *testing.T, lines ...essaim.CommonsItem) (essaim.CommonsHead, []byte) {
	t.Helper()
	held, err := w.toulon.Heads(t.Context(), mallory, 1)
	if err != nil || len(held) == 0 {
		t.Fatalf("no head of his is held: %v", err)
	}
	root := essaim.CommonsTree("", lines)[""]
	h := essaim.CommonsHead{Number: essaim.CommonsNumber{Incarnation: held[0].Number.Incarnation, N: held[0].Number.N + 1}, Count: root.Count, Root: root.Hash, At: w.now()}
	raw, err := w.mallory.server.Renderer().CommonsHead(h)
	if err != nil {
		t.Fatal(err)
	}
	return h, raw
}

// ownPages shows forged items in his own collection, an honest one among them.
func (w *forgery) ownPages(t *testing.T, surface string, n int) {
	t.Helper()
	for n > 0 {
		some := min(n, 90)
		n -= some
		w.pass(6 * time.Minute) // a host is asked for its key once in five
		h, head := w.ownHead(t)
		doc, id := w.ownDocument(t)
		items := [][]byte{doc}
		for range some {
			w.class(surface, "forged")
			items = append(items, encodeObject(w.document(surface)))
		}
		shown := page(mallory, h.Number, items...)
		w.lie(mallory, func(path string) (int, []byte) {
			switch {
			case path == "/commons":
				return http.StatusOK, head
			case strings.HasPrefix(path, "/commons?after="+h.Number.String()):
				return http.StatusOK, page(mallory, h.Number)
			case strings.HasPrefix(path, "/commons?"):
				return http.StatusOK, shown
			}
			return -1, nil
		})
		w.readOn(t, mallory)
		w.taken(t, "item", id)
	}
}

// shows are what the address of a node that was taken over shows as its actor.
var shows = map[string]func(w *forgery, o object) int{
	"with the true actor": func(*forgery, object) int { return -1 },
	"with an actor of his keys": func(w *forgery, o object) int {
		contents["his keys in it"](w.material, o)
		w.sign(o, fmt.Sprint(o["id"])+w.keys.fragment)
		return http.StatusOK
	},
	"with an actor that introduces his keys": func(w *forgery, o object) int {
		contents["his keys introduced"](w.material, o)
		w.sign(o, fmt.Sprint(o["id"])+w.keys.fragment)
		return http.StatusOK
	},
	"with an actor without proof": func(_ *forgery, o object) int { delete(o, "proof"); return http.StatusOK },
	"with no actor":               func(*forgery, object) int { return http.StatusNotFound },
	"with an actor that is gone":  func(*forgery, object) int { return http.StatusGone },
}

// othersPages shows forged items at the address of another node, under the head
// that it signed. Then the true one is back, whom nobody has to trust anew.
func (w *forgery) othersPages(t *testing.T, surface string, n int) {
	t.Helper()
	for n > 0 {
		h, _ := w.head(t)
		at := essaim.CommonsNumber{Incarnation: h.Incarnation, N: h.N}
		batch := min(n, 6)
		n -= batch
		items := make([][]byte, batch)
		for i := range items {
			w.class(surface, "forged")
			items[i] = encodeObject(w.document(surface))
		}
		_, _, actor := w.brest.get(t, w.brest.base+"/actor", "")
		o := decode(t, actor)
		status := some(w.material, surface, shows)(w, o)
		above := w.rng.IntN(4) == 0
		cursor := at
		if above {
			w.class(surface, "a cursor above the signed head")
			cursor.N += 1 + w.rng.Int64N(1000)
		}
		shown, other := page(brestHost, cursor, items...), encodeObject(o)
		w.lie(brestHost, func(path string) (int, []byte) {
			switch {
			case path == "/actor":
				return status, other
			case strings.HasPrefix(path, "/commons?after="+cursor.String()):
				return http.StatusOK, page(brestHost, cursor)
			case strings.HasPrefix(path, "/commons?"):
				return http.StatusOK, shown
			}
			return -1, nil
		})
		w.reset(t, brestHost)
		p, err := w.toulon.server.Replicator().CatchUp(t.Context(), brestHost)
		if above && err == nil {
			t.Errorf("a cursor above the signed head is taken: %s", p.Cursor)
		}
		w.lie(brestHost, nil)
		w.pass(6 * time.Minute)
		w.readOn(t, brestHost)
	}
}
