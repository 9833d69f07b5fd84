// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"essaim"
)

func TestActorsAreServedToSoftwareAndPagesToPeople(t *testing.T) {
	t.Parallel()
	_, h := testServer(t, newShelf(), nil)
	for path, kind := range map[string]string{"/actor": "Application", "/actors/brest": "Organization"} {
		for _, accept := range []string{activityJSON, `application/ld+json; profile="https://www.w3.org/ns/activitystreams"`, "*/*", "", "application/json"} {
			r := get(h, path, "Accept", accept)
			var a struct{ ID, Type string }
			if err := json.Unmarshal([]byte(body(t, r)), &a); err != nil {
				t.Fatal(err)
			}
			if r.StatusCode != 200 || a.ID != "https://brest.example"+path || a.Type != kind || r.Header.Get("Content-Type") != activityJSON || r.Header.Get("Vary") != "Accept" {
				t.Errorf("%s as %q: got %d %s %s, vary %q", path, accept, r.StatusCode, r.Header.Get("Content-Type"), a.Type, r.Header.Get("Vary"))
			}
		}
		r := get(h, path, "Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
		if r.StatusCode != http.StatusSeeOther || r.Header.Get("Vary") != "Accept" {
			t.Errorf("%s in a browser: got %d, want 303", path, r.StatusCode)
		}
	}
	if r := get(h, "/actors/nobody"); r.StatusCode != 404 {
		t.Errorf("unknown actor: got %d, want 404", r.StatusCode)
	}
}

func TestTheOutboxIsReadToItsEndWithoutRepeat(t *testing.T) {
	t.Parallel()
	store := newShelf()
	for i := range 45 {
		store.outbox = append(store.outbox, fmt.Appendf(nil, `{"id":"https://brest.example/activities/%d","object":{"id":"https://brest.example/objects/%d", "n":%d.0}}`, i, i, i))
	}
	_, h := testServer(t, store, nil)
	var c struct {
		ID, Type, First string
		TotalItems      int
	}
	if err := json.Unmarshal([]byte(body(t, get(h, "/actors/brest/outbox"))), &c); err != nil {
		t.Fatal(err)
	}
	if c.ID != "https://brest.example/actors/brest/outbox" || c.Type != "OrderedCollection" || c.TotalItems != 45 {
		t.Errorf("got %+v", c)
	}
	seen, last := map[string]bool{}, 45
	for at := c.First; at != ""; {
		text := body(t, get(h, strings.TrimPrefix(at, "https://brest.example")))
		var page struct {
			ID, PartOf, Next string
			Items            []struct {
				ID     string
				Object struct{ N float64 }
			} `json:"orderedItems"`
		}
		if err := json.Unmarshal([]byte(text), &page); err != nil {
			t.Fatal(err)
		}
		if page.ID != at || page.PartOf != c.ID {
			t.Errorf("got page %s of %s, want %s of %s", page.ID, page.PartOf, at, c.ID)
		}
		for _, it := range page.Items {
			if n := int(it.Object.N); n != last-1 || seen[it.ID] {
				t.Errorf("got item %d after %d", n, last)
			}
			last, seen[it.ID] = int(it.Object.N), true
		}
		if !strings.Contains(text, string(store.outbox[last])) {
			t.Error("the page holds other bytes than those stored")
		}
		at = page.Next
	}
	if len(seen) != 45 {
		t.Errorf("got %d items, want 45", len(seen))
	}
	if r := get(h, "/actors/brest/outbox?page=true&before=x"); r.StatusCode != 400 {
		t.Errorf("bad cursor: got %d, want 400", r.StatusCode)
	}
	var featured struct {
		Items []string `json:"orderedItems"`
	}
	if err := json.Unmarshal([]byte(body(t, get(h, "/actors/brest/featured"))), &featured); err != nil {
		t.Fatal(err)
	}
	if len(featured.Items) != featuredSize || featured.Items[0] != "https://brest.example/objects/44" {
		t.Errorf("got featured %v, want the latest as addresses", featured.Items)
	}
}

func TestAnAnnounceThatWasSentIsListedAsItWas(t *testing.T) {
	t.Parallel()
	store := newShelf()
	const sent = `{"id":"https://brest.example/activities/actor-01a","published":"2026-03-04T10:00:00Z"}`
	published := time.Date(2026, 3, 3, 10, 0, 0, 0, time.UTC)
	store.listed = []essaim.ListEntry{
		{ID: "https://brest.example/objects/01b", Number: 1, Published: published},
		{ID: "https://brest.example/objects/01a", Number: 2, Published: published},
	}
	store.publish("https://brest.example/activities/actor-01a", Stored{Bytes: []byte(sent)})
	_, h := testServer(t, store, nil)
	got := body(t, get(h, "/actor/outbox?page=true"))
	if !strings.Contains(got, `"orderedItems":[`+sent+`,{`) {
		t.Errorf("got %s, want the bytes that were sent first", got)
	}
	if !strings.Contains(got, `"https://brest.example/activities/actor-01b"`) || !strings.Contains(got, `"published":"2026-03-03T10:00:00Z"`) {
		t.Errorf("got %s, want the other dated as its record's first publication", got)
	}
}

func TestCollectionsTellTotals(t *testing.T) {
	t.Parallel()
	store := newShelf()
	store.followers = 12
	store.peers = []essaim.Peer{
		{Host: "toulouse.example", Actor: "https://toulouse.example/actor", State: essaim.PeerFollowed},
		{Host: "asked.example", Actor: "https://asked.example/actor", State: essaim.PeerRequested},
	}
	store.publish("https://brest.example/objects/01j", Stored{Bytes: []byte(`{}`)})
	_, h := testServer(t, store, nil)
	for path, want := range map[string]string{
		"/actors/brest/followers":  `"totalItems":12`,
		"/actor/followers":         `"totalItems":12`,
		"/actor/following":         `"totalItems":1,"orderedItems":["https://toulouse.example/actor"]`,
		"/actors/brest/following":  `"totalItems":0`,
		"/actor/outbox":            `"totalItems":0`,
		"/actor/featured":          `"totalItems":0`,
		"/objects/01j/likes":       `"type":"Collection","totalItems":4`,
		"/objects/01j/shares":      `"type":"Collection","totalItems":4`,
		"/objects/01j/replies":     `"totalItems":0`,
		"/objects/01j/adaptations": `"totalItems":0`,
		"/objects/01j/context":     `"attributedTo":"https://brest.example/actors/brest","totalItems":1,"first":"https://brest.example/objects/01j/context?page=true"`,
	} {
		r := get(h, path)
		got := body(t, r)
		if r.StatusCode != 200 || !strings.Contains(got, want) || !strings.Contains(got, `"id":"https://brest.example`+path+`"`) {
			t.Errorf("%s: got %d %s, want %s", path, r.StatusCode, got, want)
		}
	}
}

func TestBrowsersAreToldFromSoftware(t *testing.T) {
	t.Parallel()
	for accept, want := range map[string]bool{
		"": false, "*/*": false, "text/html": true, "application/xhtml+xml": true,
		"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8": true,
		activityJSON: false, "application/ld+json": false, "application/activity+json, text/html": false,
		`application/ld+json; profile="https://www.w3.org/ns/activitystreams", application/activity+json, text/html;q=0.1`: false,
		"text/html, application/activity+json;q=0.5": true, "TEXT/HTML": true, "text/html;q=0": false, "text/html;q=x": true, "image/png": false,
	} {
		if got := prefersHTML([]string{accept}); got != want {
			t.Errorf("%q: got %v, want %v", accept, got, want)
		}
	}
}

// FuzzPrefersHTML holds that only a request that names HTML is a browser's, and
// that none which asks for ActivityStreams alone is.
func FuzzPrefersHTML(f *testing.F) {
	f.Add("text/html,*/*;q=0.8")
	f.Add("application/activity+json;q=0.1, text/html;q=0.2")
	f.Fuzz(func(t *testing.T, accept string) {
		lower := strings.ToLower(accept)
		if prefersHTML([]string{accept}) && !strings.Contains(lower, "html") {
			t.Errorf("%q is taken for a browser's", accept)
		}
		if prefersHTML([]string{activityJSON, accept}) {
			t.Errorf("%q after a full wish for ActivityStreams is taken for a browser's", accept)
		}
		if prefersHTML([]string{accept}) && asksDocument([]string{accept}) {
			t.Errorf("%q asks for both", accept)
		}
		// RFC 9110 5.3: a list in one field or in several, in any order.
		const other = "text/html;q=0.5"
		want := prefersHTML([]string{accept, other})
		if prefersHTML([]string{other, accept}) != want || !strings.Contains(accept, `"`) && prefersHTML([]string{accept + ", " + other}) != want {
			t.Errorf("%q: its place changes what it says", accept)
		}
	})
}

func TestAMethodThatAnAddressDoesNotTakeIsToldWhichItDoes(t *testing.T) {
	t.Parallel()
	s, h := testServer(t, newShelf(), nil)
	routes := h.(*chi.Mux)
	routes.MethodNotAllowed(s.MethodNotAllowed(routes))
	for path, want := range map[string]string{"/actor": "GET, HEAD", "/inbox": "POST", "/actors/brest/inbox": "POST", "/objects/01j": "GET, HEAD"} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodPut, path, nil))
		if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != want {
			t.Errorf("%s: got %d, Allow %q, want %q", path, w.Code, w.Header().Get("Allow"), want)
		}
	}
}
