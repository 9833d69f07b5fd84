// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"essaim"
	"essaim/federation/fedtest"
)

// shelf is what a node has published, in memory: the part of Store that
// serving needs.
type shelf struct {
	Store
	*queue

	mu        sync.Mutex
	objects   map[string]Stored
	outbox    [][]byte
	peers     []essaim.Peer
	number    int64
	reads     int
	err       error
	followers int
	followed  []essaim.Outgoing
	actors    map[string]essaim.RemoteActor
}

func newShelf() *shelf {
	return &shelf{queue: newQueue(), objects: map[string]Stored{}, actors: map[string]essaim.RemoteActor{}}
}

func (s *shelf) Dispatch(ctx context.Context, a string, n int) (int, error) {
	return s.queue.Dispatch(ctx, a, n)
}

func (s *shelf) DueHosts(ctx context.Context, n int) ([]essaim.HostState, error) {
	return s.queue.DueHosts(ctx, n)
}

func (s *shelf) ClaimDeliveries(ctx context.Context, host string, n int, lease time.Duration) ([]essaim.Delivery, error) {
	return s.queue.ClaimDeliveries(ctx, host, n, lease)
}

func (s *shelf) FinishDeliveries(ctx context.Context, r []essaim.DeliveryResult) error {
	return s.queue.FinishDeliveries(ctx, r)
}

func (s *shelf) SaveHost(ctx context.Context, h essaim.HostState) error {
	return s.queue.SaveHost(ctx, h)
}
func (s *shelf) WakeHost(ctx context.Context, host string) error { return s.queue.WakeHost(ctx, host) }
func (s *shelf) WakeHosts(ctx context.Context) error             { return s.queue.WakeHosts(ctx) }
func (s *shelf) LoseInbox(ctx context.Context, i string) error   { return s.queue.LoseInbox(ctx, i) }
func (s *shelf) Notify() <-chan struct{}                         { return s.queue.Notify() }

func (s *shelf) Object(_ context.Context, id string) (Stored, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads++
	d, ok := s.objects[id]
	if s.err != nil {
		return Stored{}, s.err
	}
	if !ok {
		return Stored{}, essaim.ErrNotFound
	}
	return d, nil
}

func (s *shelf) Activity(ctx context.Context, id string) (Stored, error) { return s.Object(ctx, id) }

func (s *shelf) Outbox(_ context.Context, _ string, before int64, n int) ([][]byte, []int64, error) {
	var list [][]byte
	var numbers []int64
	for i := len(s.outbox) - 1; i >= 0 && len(list) < n; i-- {
		if number := int64(i + 1); before == 0 || number < before {
			list, numbers = append(list, s.outbox[i]), append(numbers, number)
		}
	}
	return list, numbers, nil
}

func (s *shelf) Counts(context.Context, string) (Counts, error) {
	return Counts{Published: len(s.outbox), Followers: s.followers, Users: 3}, nil
}

func (s *shelf) Reactions(context.Context, string, essaim.ReactionKind) (int, error) { return 4, nil }

func (s *shelf) Number(context.Context) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.number, s.err
}

func (s *shelf) Peers(context.Context) ([]essaim.Peer, error) { return s.peers, nil }

func (s *shelf) Peer(_ context.Context, host string) (essaim.Peer, error) {
	for _, p := range s.peers {
		if p.Host == host {
			return p, nil
		}
	}
	return essaim.Peer{}, essaim.ErrNotFound
}

func (s *shelf) FollowPeer(_ context.Context, p essaim.Peer, follow essaim.Outgoing) error {
	s.peers, s.followed = append(s.peers, p), append(s.followed, follow)
	return nil
}

func (s *shelf) UnfollowPeer(_ context.Context, host string, undo essaim.Outgoing) error {
	s.peers = slices.DeleteFunc(s.peers, func(p essaim.Peer) bool { return p.Host == host })
	s.followed = append(s.followed, undo)
	return nil
}

func (s *shelf) SaveRemoteActor(_ context.Context, a essaim.RemoteActor) error {
	s.actors[a.ID] = a
	return nil
}

// publish puts a document at an id, as one commit does.
func (s *shelf) publish(id string, d Stored) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.objects[id] = d
	s.number++
}

func testServer(t testing.TB, store *shelf, network *fedtest.Network) (*Server, http.Handler) {
	t.Helper()
	c := Config{
		Node: essaim.Node{
			BaseURL: "https://brest.example", Incarnation: 1_767_225_600,
			Territory: essaim.Territory{Actor: "https://brest.example/actors/brest", Username: "brest", Name: "Brest", EPCIs: []string{"242900314"}, Lat: 48.4, Lon: -4.5},
		},
		Keys: Keys{RSA: fedtest.RSA(), Ed25519: fedtest.Ed25519("brest")}, Store: store,
	}
	if network != nil {
		c.Transport = network
	}
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	r := chi.NewRouter()
	s.Mount(r)
	return s, r
}

// get asks a handler for a path.
func get(h http.Handler, path string, header ...string) *http.Response {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func body(t testing.TB, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

const activityJSON = "application/activity+json"

func TestWebFingerFindsActorsByEveryName(t *testing.T) {
	t.Parallel()
	_, h := testServer(t, newShelf(), nil)
	const territory, node = "https://brest.example/actors/brest", "https://brest.example/actor"
	for _, tt := range []struct {
		query  string
		status int
		self   string
	}{
		{"resource=acct:brest@brest.example", 200, territory},
		{"resource=acct%3Abrest%40brest.example", 200, territory},
		{"resource=acct:BREST@Brest.Example", 200, territory},
		{"resource=acct:@brest@brest.example", 200, territory},
		{"resource=" + territory, 200, territory},
		{"resource=acct:brest.example@brest.example", 200, node},
		{"resource=acct:relay@brest.example", 200, node},
		{"resource=" + node, 200, node},
		{"rel=self&resource=acct:brest@brest.example", 200, territory},
		{"resource=acct:brest@brest.example&rel=avatar&rel=x", 200, territory},
		{"", 400, ""},
		{"resource=", 400, ""},
		{"resource=brest@brest.example", 400, ""},
		{"resource=acct:nobody@brest.example", 404, ""},
		{"resource=acct:brest@toulouse.example", 404, ""},
		{"resource=acct:brest@brest.example@toulouse.example", 404, ""},
		{"resource=https://toulouse.example/actors/brest", 404, ""},
		{"resource=https://brest.example/nothing", 404, ""},
		{"resource=https://x@brest.example/actor", 404, ""},
	} {
		t.Run(tt.query, func(t *testing.T) {
			t.Parallel()
			r := get(h, "/.well-known/webfinger?"+tt.query)
			text := body(t, r)
			if r.StatusCode != tt.status || r.Header.Get("Access-Control-Allow-Origin") != "*" {
				t.Fatalf("got %d, CORS %q, want %d, *", r.StatusCode, r.Header.Get("Access-Control-Allow-Origin"), tt.status)
			}
			if tt.status != 200 {
				return
			}
			var d descriptor
			if err := json.Unmarshal([]byte(text), &d); err != nil {
				t.Fatal(err)
			}
			var self []string
			for _, l := range d.Links {
				if l.Rel == "self" && l.Type == activityJSON {
					self = append(self, l.Href)
				}
			}
			if !slices.Equal(self, []string{tt.self}) || r.Header.Get("Content-Type") != "application/jrd+json" {
				t.Errorf("got self %v as %s, want %s", self, r.Header.Get("Content-Type"), tt.self)
			}
		})
	}
	// FEP-d556: the server itself.
	if got := body(t, get(h, "/.well-known/webfinger?resource=https://brest.example/")); !strings.Contains(got, `"rel":"https://www.w3.org/ns/activitystreams#Service","type":"application/activity+json","href":"https://brest.example/actor"`) {
		t.Errorf("got %s, want a link to the node's actor", got)
	}
}

func TestNodeInfoTellsWhatIsTrue(t *testing.T) {
	t.Parallel()
	store := newShelf()
	store.outbox = [][]byte{[]byte(`{}`), []byte(`{}`)}
	_, h := testServer(t, store, nil)
	links := body(t, get(h, "/.well-known/nodeinfo"))
	for _, want := range []string{`schema/2.1","href":"https://brest.example/nodeinfo/2.1"`, `schema/2.0"`, `activitystreams#Application","type":"application/activity+json","href":"https://brest.example/actor"`} {
		if !strings.Contains(links, want) {
			t.Errorf("links: got %s, want %s", links, want)
		}
	}
	for _, version := range []string{"2.1", "2.0"} {
		r := get(h, "/nodeinfo/"+version)
		if got, want := r.Header.Get("Content-Type"), `application/json; profile="http://nodeinfo.diaspora.software/ns/schema/`+version+`#"`; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		var d nodeInfo
		if err := json.Unmarshal([]byte(body(t, r)), &d); err != nil {
			t.Fatal(err)
		}
		if d.Version != version || d.Software.Name != "essaim" || d.Usage.LocalPosts != 2 || d.Usage.Users.Total != 3 || d.OpenRegistrations || d.Metadata.EPCIs[0] != "242900314" {
			t.Errorf("got %+v", d)
		}
	}
	if r := get(h, "/.well-known/host-meta"); !strings.Contains(body(t, r), `rel="lrdd"`) || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/xrd+xml") {
		t.Error("host-meta names no lrdd template")
	}
}

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

	store.publish(id, Stored{Bytes: []byte(`{"type":"Tombstone"}`), ETag: "t", Gone: true})
	for _, accept := range []string{activityJSON, "text/html"} {
		if r := get(h, "/objects/01j", "Accept", accept); r.StatusCode != 410 || body(t, r) != `{"type":"Tombstone"}` {
			t.Errorf("withdrawn, as %s: got %d, want 410 and the tombstone", accept, r.StatusCode)
		}
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
		"/objects/01j/context":     `"totalItems":1,"orderedItems":["https://brest.example/objects/01j"]`,
	} {
		r := get(h, path)
		got := body(t, r)
		if r.StatusCode != 200 || !strings.Contains(got, want) || !strings.Contains(got, `"id":"https://brest.example`+path+`"`) {
			t.Errorf("%s: got %d %s, want %s", path, r.StatusCode, got, want)
		}
	}
}

func TestTheCacheNeverServesWhatWasThere(t *testing.T) {
	t.Parallel()
	store := newShelf()
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
	})
}

// FuzzWebFinger holds that an answer is always about an actor of this node.
func FuzzWebFinger(f *testing.F) {
	for _, seed := range []string{"acct:brest@brest.example", "https://brest.example/", "acct:@@", "https://brest.example/actor?x", "acct:brest@brest.example/x"} {
		f.Add(seed)
	}
	s, _ := testServer(f, newShelf(), nil)
	f.Fuzz(func(t *testing.T, resource string) {
		d, ok := s.describe(resource)
		if !ok {
			return
		}
		if !strings.Contains(strings.ToLower(resource), "brest.example") {
			t.Errorf("%q is answered", resource)
		}
		for _, l := range d.Links {
			if !strings.HasPrefix(l.Href, "https://brest.example/") {
				t.Errorf("%q leads to %s", resource, l.Href)
			}
		}
	})
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
