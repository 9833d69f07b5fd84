// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"essaim"
)

func TestObjectsAreServedAsStoredBytes(t *testing.T) {
	t.Parallel()
	store := newShelf()
	_, h := testServer(t, store, nil)
	const id, doc = "https://brest.example/objects/01j", "{ \"id\" : \"https://brest.example/objects/01j\",\n\"x\":1.0}"
	store.publish(id, Stored{Bytes: []byte(doc), ETag: "abc", PageURL: "https://brest.example/initiatives/x"})

	r := get(h, "/objects/01j", "Accept", activityJSON)
	if got := body(t, r); r.StatusCode != 200 || got != doc || r.Header.Get("ETag") != `"abc"` || r.Header.Get("Cache-Control") == "" {
		t.Errorf("got %d %q, ETag %s", r.StatusCode, got, r.Header.Get("ETag"))
	}
	if r := get(h, "/objects/01j", "Accept", activityJSON, "If-None-Match", `W/"zzz", "abc"`); r.StatusCode != 304 || body(t, r) != "" {
		t.Errorf("got %d, want 304 without body", r.StatusCode)
	}
	if r := get(h, "/objects/01j", "Accept", "text/html"); r.StatusCode != 303 || r.Header.Get("Location") != "https://brest.example/initiatives/x" {
		t.Errorf("got %d to %s, want 303 to the page", r.StatusCode, r.Header.Get("Location"))
	}
	head := httptest.NewRecorder()
	h.ServeHTTP(head, httptest.NewRequest(http.MethodHead, "/objects/01j", nil))
	if head.Code != 200 || head.Body.Len() != 0 || head.Header().Get("Content-Length") != fmt.Sprint(len(doc)) {
		t.Errorf("HEAD: got %d, %d bytes, length %s", head.Code, head.Body.Len(), head.Header().Get("Content-Length"))
	}
	if r := get(h, "/objects/unknown", "Accept", activityJSON); r.StatusCode != 404 {
		t.Errorf("unknown: got %d, want 404", r.StatusCode)
	}

	store.stamps[id+"/quotes/1"] = []byte(`{"type":"QuoteAuthorization"}`)
	if r := get(h, "/objects/01j/quotes/1"); r.StatusCode != 200 || body(t, r) != `{"type":"QuoteAuthorization"}` || r.Header.Get("Content-Type") != activityJSON {
		t.Errorf("stamp: got %d as %s", r.StatusCode, r.Header.Get("Content-Type"))
	}
	// A revocation moves no change number: nothing may remember the stamp.
	delete(store.stamps, id+"/quotes/1")
	if r := get(h, "/objects/01j/quotes/1"); r.StatusCode != 404 {
		t.Errorf("revoked stamp: got %d, want 404", r.StatusCode)
	}

	store.publish(id, Stored{Bytes: []byte(`{"type":"Tombstone"}`), ETag: "t", Gone: true})
	for _, accept := range []string{activityJSON, "text/html"} {
		if r := get(h, "/objects/01j", "Accept", accept); r.StatusCode != 410 || body(t, r) != `{"type":"Tombstone"}` {
			t.Errorf("withdrawn, as %s: got %d, want 410 and the tombstone", accept, r.StatusCode)
		}
	}
	store.stamps[id+"/quotes/1"] = []byte(`{"type":"QuoteAuthorization"}`)
	if r := get(h, "/objects/01j/quotes/1"); r.StatusCode != 410 {
		t.Errorf("stamp of what is withdrawn: got %d, want 410", r.StatusCode)
	}
	if r := get(h, "/objects/01j/likes"); r.StatusCode != 410 {
		t.Errorf("likes of what is withdrawn: got %d, want 410", r.StatusCode)
	}

	store.err = fmt.Errorf("away: %w", essaim.ErrUnavailable)
	// Never 404: Mastodon deletes what answers it.
	if r := get(h, "/objects/01j"); r.StatusCode != 503 || r.Header.Get("Retry-After") == "" {
		t.Errorf("database away: got %d, want 503 with Retry-After", r.StatusCode)
	}
}

func TestAnActivityWhoseObjectIsErasedIsATombstone(t *testing.T) {
	t.Parallel()
	store := newShelf()
	_, h := testServer(t, store, nil)
	const id = "https://brest.example/activities/01j"
	store.publish(id, Stored{Bytes: []byte(`{"type":"Create"}`), ETag: "a"})
	if r := get(h, "/activities/01j", "Accept", activityJSON); r.StatusCode != 200 {
		t.Fatalf("before: %d", r.StatusCode)
	}
	if r := get(h, "/activities/unknown", "Accept", activityJSON); r.StatusCode != 404 {
		t.Errorf("unknown: %d, want 404", r.StatusCode)
	}
	store.err = fmt.Errorf("activity: %w", essaim.ErrGone)
	store.publish(id, Stored{})
	const want = `{"@context":["https://www.w3.org/ns/activitystreams"],"id":"https://brest.example/activities/01j","type":"Tombstone"}`
	for _, accept := range []string{activityJSON, "text/html", "*/*"} {
		r := get(h, "/activities/01j", "Accept", accept)
		if got := body(t, r); r.StatusCode != 410 || got != want || r.Header.Get("Content-Type") != activityJSON || r.Header.Get("ETag") == "" {
			t.Errorf("as %s: %d %q, %s, ETag %s", accept, r.StatusCode, got, r.Header.Get("Content-Type"), r.Header.Get("ETag"))
		}
	}
}

func TestTheCacheNeverServesWhatWasThere(t *testing.T) {
	t.Parallel()
	for _, owned := range []bool{false, true} {
		t.Run(fmt.Sprintf("owned %t", owned), func(t *testing.T) {
			t.Parallel()
			readWhileCommitting(t, owned)
		})
	}
}

func readWhileCommitting(t *testing.T, owned bool) {
	t.Helper()
	store := newShelf()
	store.owned = owned
	_, h := testServer(t, store, nil)
	const id = "https://brest.example/objects/01j"
	var wg sync.WaitGroup
	var mu sync.Mutex
	committed := 0
	store.publish(id, Stored{Bytes: []byte("0"), ETag: "0"})
	for range 8 {
		wg.Go(func() {
			for range 200 {
				mu.Lock()
				before := committed
				mu.Unlock()
				var got int
				if _, err := fmt.Sscan(body(t, get(h, "/objects/01j")), &got); err != nil || got < before {
					t.Errorf("got version %d after version %d was committed (%v)", got, before, err)
					return
				}
			}
		})
	}
	wg.Go(func() {
		for v := 1; v <= 200; v++ {
			store.publish(id, Stored{Bytes: fmt.Append(nil, v), ETag: fmt.Sprint(v)})
			mu.Lock()
			committed = v
			mu.Unlock()
		}
	})
	wg.Wait()
	store.mu.Lock()
	store.reads = 0
	store.mu.Unlock()
	for range 100 {
		get(h, "/objects/01j")
	}
	if store.reads > 1 {
		t.Errorf("got %d readings of an unchanged document, want one at most", store.reads)
	}
}

func BenchmarkGetObject(b *testing.B) {
	store := newShelf()
	_, h := testServer(b, store, nil)
	store.publish("https://brest.example/objects/01j", Stored{Bytes: make([]byte, 8<<10), ETag: "x"})
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if r := get(h, "/objects/01j", "Accept", activityJSON); r.StatusCode != 200 {
				b.Fatal(r.StatusCode)
			}
		}
	})
}
