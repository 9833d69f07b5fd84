// SPDX-License-Identifier: AGPL-3.0-or-later

package federation_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"essaim"
	"essaim/federation"
)

func TestInboxAnswersWhatASenderNeedsToKnow(t *testing.T) {
	t.Parallel()
	own := activity("https://peer.example/a/1", "Create", alice, note("https://peer.example/n/1", alice, ""))
	farewell := activity("https://peer.example/a/bye", "Delete", alice, `"`+alice+`"`)
	set := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	for _, c := range []struct {
		name   string
		body   string
		keyID  string
		before func(*node)
		edit   func(*http.Request)
		status int
		stored int
	}{
		{"a note", own, "", nil, nil, 202, 1},
		{"a note as ld+json", own, "", nil, set("Content-Type", `application/ld+json; profile="https://www.w3.org/ns/activitystreams"; charset=utf-8`), 401, 0}, // content-type is signed
		{"an activity go-fed does not know", activity("https://peer.example/a/2", "EmojiReact", alice, `"`+here+`/objects/1"`), "", nil, nil, 202, 1},
		{"an activity nobody knows", activity("https://peer.example/a/2", "NoSuchType", alice, `"`+here+`/objects/1"`), "", nil, nil, 202, 1},
		{"plain text", own, "", nil, set("Content-Type", "text/plain"), 415, 0},
		{"plain JSON", own, "", nil, set("Content-Type", "application/json"), 415, 0},
		{"no content type", own, "", nil, func(r *http.Request) { r.Header.Del("Content-Type") }, 415, 0},
		{"compressed", own, "", nil, set("Content-Encoding", "gzip"), 415, 0},
		{"too large", activity("https://peer.example/a/3", "Create", alice, note("https://peer.example/n/1", alice, `,"x":"`+strings.Repeat("a", 300<<10)+`"`)), "", nil, nil, 413, 0},
		{"not JSON", "{", "", nil, nil, 400, 0},
		{"a repeated key", strings.Replace(own, `"type":"Create"`, `"type":"Create","actor":"`+evil+`"`, 1), "", nil, nil, 400, 0},
		{"no id", strings.Replace(own, `"id":"https://peer.example/a/1",`, "", 1), "", nil, nil, 400, 0},
		{"unsigned", own, "", nil, func(r *http.Request) { r.Header.Del("Signature") }, 401, 0},
		{"signed by another", own, evil + "#main-key", nil, nil, 401, 0},
		{"another's activity", activity("https://evil.example/a/1", "Create", evil, note("https://evil.example/n/1", evil, "")), "", nil, nil, 403, 0},
		{"an activity id elsewhere", activity("https://evil.example/a/1", "Create", alice, note("https://peer.example/n/1", alice, "")), "", nil, nil, 403, 0},
		{"an object of this node", activity("https://peer.example/a/1", "Delete", alice, `"`+here+`/objects/1"`), "", nil, nil, 403, 0},
		{"a blocked actor", own, "", func(n *node) { n.blocked[alice] = true }, nil, 403, 0},
		{"a blocked actor given whole", strings.Replace(own, `"actor":"`+alice+`"`, `"actor":{"id":"`+alice+`","type":"Person"}`, 1), "", func(n *node) { n.blocked[alice] = true }, nil, 403, 0},
		{"a blocked actor, unsigned", own, "", func(n *node) { n.blocked[alice] = true }, func(r *http.Request) { r.Header.Del("Signature") }, 403, 0},
		{"a blocked actor that takes its words back", activity("https://peer.example/a/1", "Delete", alice, `"https://peer.example/n/1"`), "", func(n *node) { n.blocked[alice] = true }, nil, 202, 1},
		{"the deletion of another by a blocked actor", activity("https://peer.example/a/1", "Delete", alice, `"https://evil.example/n/1"`), "", func(n *node) { n.blocked[alice] = true }, nil, 403, 0},
		{"someone not listed", own, "", func(n *node) { n.onlyListed(t) }, nil, 403, 0},
		{"someone listed", own, "", func(n *node) { n.onlyListed(t); n.listed = map[string]bool{alice: true} }, nil, 202, 1},
		{"a follow of someone not listed", activity("https://peer.example/a/1", "Follow", alice, `"`+here+`/actors/brest"`), "", func(n *node) { n.onlyListed(t) }, nil, 403, 0},
		{"a deletion by someone listed no more", activity("https://peer.example/a/1", "Delete", alice, `"https://peer.example/n/1"`), "", func(n *node) { n.onlyListed(t) }, nil, 202, 1},
		{"a database that is away", own, "", func(n *node) { n.fail = essaim.ErrUnavailable }, nil, 503, 0},
		{"a database that fails", own, "", func(n *node) { n.fail = errors.New("disk full") }, nil, 503, 0},
		{"a home that is away", own, "", func(n *node) { n.home.errs[alice] = essaim.ErrUnavailable }, nil, 503, 0},
		{"a key that is gone", own, "", func(n *node) { n.home.errs[alice] = essaim.ErrGone }, nil, 401, 0},
		{"a home without that key", own, alice + "#other", nil, nil, 401, 0},
		{"a key of this node", own, here + "/actor#main-key", nil, nil, 401, 0},
		{"a farewell of someone unknown", farewell, "", nil, func(r *http.Request) { r.Header.Del("Signature") }, 202, 0},
		{"a farewell whose key is gone", farewell, "", func(n *node) {
			n.actors[alice] = essaim.RemoteActor{ID: alice}
			n.home.errs[alice] = essaim.ErrGone
		}, nil, 202, 0},
		{"a farewell of someone known, unsigned", farewell, "", func(n *node) { n.actors[alice] = essaim.RemoteActor{ID: alice} }, func(r *http.Request) { r.Header.Del("Signature") }, 401, 0},
	} {
		n := newNode(t)
		if c.before != nil {
			c.before(n)
		}
		keyID := c.keyID
		if keyID == "" {
			keyID = alice + "#main-key"
		}
		w := n.do(n.request(t, keyID, aliceKey(), c.body, c.edit))
		if w.Code != c.status || len(n.rows) != c.stored {
			t.Errorf("%s: status %d, %d stored; want %d, %d (%s)", c.name, w.Code, len(n.rows), c.status, c.stored, w.Body)
		}
		if c.status == 503 && w.Header().Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After", c.name)
		}
		if strings.Contains(w.Body.String(), "disk full") {
			t.Errorf("%s: says what is wrong here: %s", c.name, w.Body)
		}
	}
}

// onlyListed makes the inbox take from nobody else.
func (n *node) onlyListed(t *testing.T) {
	t.Helper()
	var err error
	n.inbox, err = federation.NewInbox(federation.InboxConfig{
		Base: here, Store: n.memory, Actors: n.memory, Keys: federation.NewActors(n.memory, n.home, n.Now), Allowlist: true, Now: n.Now, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAHostThatFloodsIsToldToWait(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	var err error
	n.inbox, err = federation.NewInbox(federation.InboxConfig{
		Base: here, Store: n.memory, Actors: n.memory, Keys: federation.NewActors(n.memory, n.home, n.Now), PerMinute: 5, Now: n.Now, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	bob := "https://other.example/users/bob"
	n.home.set(bob, actorDoc(t, bob, &aliceKey().PublicKey))
	like := func(actor string, i int) *httptest.ResponseRecorder {
		host := actor[:strings.LastIndex(actor, "/users")]
		return n.do(n.request(t, actor+"#main-key", aliceKey(), activity(fmt.Sprintf("%s/a/%d", host, i), "Like", actor, `"`+here+`/objects/1"`), nil))
	}
	forged := func(i int) int {
		return n.do(n.request(t, alice+"#main-key", evilKey(), activity(fmt.Sprintf("https://peer.example/forged/%d", i), "Like", alice, `"`+here+`/objects/1"`), nil)).Code
	}
	for i := range 10 {
		if got := forged(i); got != 401 { // it spends nothing of hers
			t.Fatalf("forged: %d", got)
		}
	}
	for i := range 5 {
		if got := like(alice, i).Code; got != 202 {
			t.Fatalf("activity %d: %d", i, got)
		}
	}
	if w := like(alice, 5); w.Code != 429 || w.Header().Get("Retry-After") == "" {
		t.Errorf("one more: %d, Retry-After %q", w.Code, w.Header().Get("Retry-After"))
	}
	if got := forged(10); got != 429 {
		t.Errorf("whose signature would not hold: %d, want 429 before it is looked at", got)
	}
	if got := like(bob, 1).Code; got != 202 {
		t.Errorf("another host: %d", got)
	}
	n.advance(13 * time.Second)
	if got := like(alice, 6).Code; got != 202 {
		t.Errorf("after a while: %d", got)
	}
	n.advance(time.Minute)
	large := strings.Replace(activity("https://peer.example/a/large", "Like", alice, `"`+here+`/objects/1"`), `"type"`, `"summary":"`+strings.Repeat("x", 16<<10)+`","type"`, 1)
	if got := n.do(n.request(t, alice+"#main-key", aliceKey(), large, nil)).Code; got != 202 {
		t.Errorf("a large one: %d", got)
	}
	if got := like(alice, 8).Code; got != 429 {
		t.Errorf("after a large one: %d, want it to count for five", got)
	}
	n.listed = map[string]bool{alice: true}
	for i := range 10 {
		if got := like(alice, 10+i).Code; got != 202 {
			t.Errorf("one that is followed: %d", got)
		}
	}
}

// No key is asked of who is blocked.
func TestWhoIsBlockedIsNotAskedForItsKey(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.blocked[alice] = true
	if got := n.post(t, alice, activity("https://peer.example/a/1", "Like", alice, `"`+here+`/objects/1"`)); got != http.StatusForbidden {
		t.Errorf("status %d", got)
	}
	if len(n.home.asked) != 0 {
		t.Errorf("fetched %v", n.home.asked)
	}
}

func TestInboxKeepsTheExactBytes(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	body := "{ \"@context\" :[\"https://www.w3.org/ns/activitystreams\"],\n\t\"id\":\"https://peer.example/a/1\",\"type\":\"Create\",\"actor\":\"" + alice +
		"\",\"object\":" + note("https://peer.example/n/1", alice, `,"name":"Brest: jardin \u00e9"`) + " }"
	if got := n.post(t, alice, body); got != http.StatusAccepted {
		t.Fatalf("status %d", got)
	}
	if got := string(n.rows[0].Raw); got != body {
		t.Errorf("got %s\nwant %s", got, body)
	}
	if r := n.rows[0]; r.Type != "Create" || r.Actor != alice || r.ActivityID != "https://peer.example/a/1" || !r.ReceivedAt.Equal(noon) {
		t.Errorf("row %+v", r.Inbound)
	}
}

func TestRepeatedActivityCostsNoQuery(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	body := activity("https://peer.example/a/1", "Like", alice, `"`+here+`/objects/1"`)
	for range 5 {
		if got := n.post(t, alice, body); got != http.StatusAccepted {
			t.Fatalf("status %d", got)
		}
	}
	if n.received != 1 || len(n.rows) != 1 {
		t.Errorf("asked the database %d times, %d rows", n.received, len(n.rows))
	}
	forged := n.request(t, alice+"#main-key", evilKey(), body, nil)
	if got := n.do(forged).Code; got != http.StatusUnauthorized {
		t.Errorf("repeated under a forged signature: %d", got)
	}
}

func TestAnActorIsFetchedOnceForMany(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.home.hold = make(chan struct{})
	var wg sync.WaitGroup
	for i := range 40 {
		r := n.request(t, alice+"#main-key", aliceKey(), activity(fmt.Sprintf("https://peer.example/a/%d", i), "Like", alice, `"`+here+`/objects/1"`), nil)
		wg.Go(func() {
			if got := n.do(r).Code; got != http.StatusAccepted {
				t.Errorf("status %d", got)
			}
		})
	}
	close(n.home.hold)
	wg.Wait()
	// One that came after the first answer may have asked the store instead.
	if got := n.home.count(alice); got > 2 || got < 1 {
		t.Errorf("%d fetches", got)
	}
}

// An answer before the row is durable would lose what a crash loses.
func TestAcceptedMeansDurable(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	slow := &slowStore{memory: n.memory, started: make(chan struct{}), release: make(chan struct{})}
	inbox, err := federation.NewInbox(federation.InboxConfig{Base: here, Store: slow, Actors: n.memory, Keys: federation.NewActors(n.memory, n.home, n.Now), Now: n.Now, Logger: discardLog})
	if err != nil {
		t.Fatal(err)
	}
	n.inbox = inbox
	r := n.request(t, alice+"#main-key", aliceKey(), activity("https://peer.example/a/1", "Like", alice, `"`+here+`/objects/1"`), nil)
	answered := make(chan int, 1)
	go func() { answered <- n.do(r).Code }()
	<-slow.started
	select {
	case code := <-answered:
		t.Fatalf("answered %d before the row was durable", code)
	default:
	}
	close(slow.release)
	if code := <-answered; code != http.StatusAccepted {
		t.Errorf("status %d", code)
	}
}
