// SPDX-License-Identifier: AGPL-3.0-or-later

package federation_test

import (
	"bytes"
	"crypto/ed25519"
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
	"essaim/federation/proof"
	"essaim/federation/sig"
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

func TestKeysOfAnActor(t *testing.T) {
	t.Parallel()
	like := func(i string) string {
		return activity("https://peer.example/a/"+i, "Like", alice, `"`+here+`/objects/1"`)
	}
	send := func(n *node, i, keyID string, forged bool) int {
		key := aliceKey()
		if forged {
			key = evilKey()
		}
		return n.do(n.request(t, keyID, key, like(i), nil)).Code
	}
	t.Run("a changed key is fetched once", func(t *testing.T) {
		t.Parallel()
		n := newNode(t)
		n.home.set(alice, actorDoc(t, alice, &evilKey().PublicKey))
		if got := send(n, "1", alice+"#main-key", true); got != 202 {
			t.Fatalf("first key: %d", got)
		}
		n.home.set(alice, actorDoc(t, alice, &aliceKey().PublicKey))
		if got := send(n, "2", alice+"#main-key", false); got != 202 || n.home.count(alice) != 2 {
			t.Errorf("changed key: %d after %d fetches", got, n.home.count(alice))
		}
	})
	t.Run("forged signatures do not make us ask", func(t *testing.T) {
		t.Parallel()
		n := newNode(t)
		for range 100 {
			if got := send(n, "1", alice+"#main-key", true); got != 401 {
				t.Fatalf("forged: %d", got)
			}
		}
		if got := n.home.count(alice); got > 2 {
			t.Errorf("%d fetches for 100 forgeries", got)
		}
		n.advance(6 * time.Minute)
		send(n, "1", alice+"#main-key", true)
		if got := n.home.count(alice); got > 3 {
			t.Errorf("%d fetches after 6 minutes", got)
		}
		if got := send(n, "2", alice+"#main-key", false); got != 202 {
			t.Errorf("honest after that: %d", got)
		}
	})
	t.Run("a forgery while home is away costs the actor nothing", func(t *testing.T) {
		t.Parallel()
		n := newNode(t)
		send(n, "1", alice+"#main-key", false)
		n.home.errs[alice] = essaim.ErrUnavailable
		if got := send(n, "2", alice+"#main-key", true); got != 503 {
			t.Errorf("forged: %d", got)
		}
		if got := send(n, "3", alice+"#main-key", false); got != 202 {
			t.Errorf("honest: %d", got)
		}
	})
	t.Run("a missing key is asked for once", func(t *testing.T) {
		t.Parallel()
		n := newNode(t)
		n.home.errs[alice] = essaim.ErrNotFound
		for range 10 {
			send(n, "1", alice+"#main-key", false)
		}
		if got := n.home.count(alice); got != 1 {
			t.Errorf("%d fetches", got)
		}
	})
	t.Run("GoToSocial's key address answers a stub of the actor", func(t *testing.T) {
		t.Parallel()
		n := newNode(t)
		key := alice + "/main-key"
		doc := strings.ReplaceAll(actorDoc(t, alice, &aliceKey().PublicKey), alice+"#main-key", key)
		n.home.set(alice, doc)
		n.home.stubs = map[string]string{key: alice}
		if got := send(n, "1", key, false); got != 202 {
			t.Errorf("status %d", got)
		}
	})
	t.Run("strangers make us ask a host so often and no more", func(t *testing.T) {
		t.Parallel()
		n := newNode(t)
		asked := func() (sum int) {
			n.home.mu.Lock()
			defer n.home.mu.Unlock()
			for _, count := range n.home.asked {
				sum += count
			}
			return sum
		}
		for i := range 200 {
			send(n, "1", fmt.Sprintf("https://victim.example/users/%d#main-key", i), true)
		}
		first := asked()
		for i := range 200 {
			send(n, "1", fmt.Sprintf("https://n%d.victim.example/users/1#main-key", i), true)
		}
		if got := asked(); first != 120 || got != 120+59 {
			t.Errorf("%d fetches from a host, %d below its domain; want 120, 59 more", first, got)
		}
		if got := send(n, "1", "https://victim.example/users/201#main-key", true); got != 429 {
			t.Errorf("one more is answered %d", got)
		}
		if got := send(n, "1", alice+"#main-key", false); got != 202 {
			t.Errorf("another host meanwhile: %d", got)
		}
		n.advance(time.Minute)
		if got := send(n, "1", "https://victim.example/users/new#main-key", true); got != 401 || asked() != 120+59+2 {
			t.Errorf("a minute later: %d after %d fetches", got, asked())
		}
	})
	t.Run("many who sign are no strangers", func(t *testing.T) {
		t.Parallel()
		n := newNode(t)
		for i := range 200 {
			id := fmt.Sprintf("https://peer.example/users/%d", i)
			n.home.set(id, actorDoc(t, id, &aliceKey().PublicKey))
			body := activity(fmt.Sprint("https://peer.example/a/", i), "Like", id, `"`+here+`/objects/1"`)
			if got := n.do(n.request(t, id+"#main-key", aliceKey(), body, nil)).Code; got != 202 {
				t.Fatalf("follower %d: %d", i, got)
			}
		}
	})
	t.Run("a key document that its owner lists", func(t *testing.T) {
		t.Parallel()
		n := newNode(t)
		key := "https://peer.example/users/alice/main-key"
		n.home.set(alice, strings.ReplaceAll(actorDoc(t, alice, &aliceKey().PublicKey), alice+"#main-key", key))
		n.home.set(key, `{"id":"`+key+`","type":"CryptographicKey","owner":"`+alice+`","publicKeyPem":"x"}`)
		if got := send(n, "1", key, false); got != 202 {
			t.Errorf("status %d", got)
		}
	})
	t.Run("a key document that its owner does not list", func(t *testing.T) {
		t.Parallel()
		n := newNode(t)
		key := "https://peer.example/uploads/key"
		n.home.set(key, `{"id":"`+key+`","owner":"`+alice+`","publicKeyPem":"x"}`)
		if got := send(n, "1", key, false); got != 401 {
			t.Errorf("status %d", got)
		}
	})
	t.Run("a key document of an owner elsewhere", func(t *testing.T) {
		t.Parallel()
		n := newNode(t)
		key := "https://evil.example/key"
		n.home.set(key, `{"id":"`+key+`","owner":"`+alice+`","publicKeyPem":"x"}`)
		if got := send(n, "1", key, false); got != 401 || n.home.count(alice) != 0 {
			t.Errorf("status %d, %d fetches of the owner", got, n.home.count(alice))
		}
	})
}

func TestActorsThatMustNotBeBelieved(t *testing.T) {
	t.Parallel()
	good := actorDoc(t, alice, &aliceKey().PublicKey)
	inbox := `"inbox":"` + alice + `/inbox"`
	for _, c := range []struct{ name, doc string }{
		{"an inbox elsewhere", strings.Replace(good, inbox, `"inbox":"https://victim.example/inbox"`, 1)},
		{"an inbox with more than an address", strings.Replace(good, inbox, `"inbox":"`+alice+`/inbox'; DROP TABLE delivery;--"`, 1)},
		{"a list as inbox", strings.Replace(good, inbox, `"inbox":["`+alice+`/inbox"]`, 1)},
		{"an empty inbox", strings.Replace(good, inbox, `"inbox":""`, 1)},
		{"no inbox", strings.Replace(good, inbox, `"x":1`, 1)},
		{"a note", strings.Replace(good, `"Person"`, `"Note"`, 1)},
		{"another's key", strings.Replace(good, `"owner":"`+alice+`"`, `"owner":"`+evil+`"`, 1)},
		{"a key without owner", strings.Replace(good, `"owner":"`+alice+`",`, ``, 1)},
	} {
		n := newNode(t)
		n.home.set(alice, c.doc)
		if got := n.post(t, alice, activity("https://peer.example/a/1", "Like", alice, `"`+here+`/objects/1"`)); got != http.StatusUnauthorized {
			t.Errorf("%s: status %d", c.name, got)
		}
	}
	n := newNode(t)
	n.home.set(alice, strings.Replace(good, `"sharedInbox":"https://peer.example/inbox"`, `"sharedInbox":"https://victim.example/inbox"`, 1))
	if got := n.post(t, alice, activity("https://peer.example/a/1", "Like", alice, `"`+here+`/objects/1"`)); got != http.StatusAccepted {
		t.Errorf("a shared inbox elsewhere: status %d", got)
	}
	if got := n.actors[alice].SharedInbox; got != "" {
		t.Errorf("shared inbox %q kept", got)
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

// FEP-521a keys sign requests too, in either way.
func TestAnEd25519KeyOfTheActorSignsEitherWay(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	other := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{9}, ed25519.SeedSize))
	keyID := alice + "#" + proof.KeyFragment(other.Public().(ed25519.PublicKey))
	n.home.docs[alice] = actorDoc(t, alice, &aliceKey().PublicKey, fmt.Sprintf(`,"assertionMethod":[{"id":%q,"type":"Multikey","controller":%q,"publicKeyMultibase":%q}]`,
		keyID, alice, proof.EncodeMultikey(other.Public().(ed25519.PublicKey))))
	for i, style := range []sig.Style{sig.Cavage, sig.RFC9421} {
		for _, key := range []ed25519.PrivateKey{other, edKey} {
			body := activity(fmt.Sprint("https://peer.example/a/", i), "Like", alice, `"`+here+`/objects/1"`)
			r := n.request(t, alice+"#main-key", aliceKey(), body, nil)
			out, err := http.NewRequest(http.MethodPost, here+"/inbox", nil)
			if err != nil {
				t.Fatal(err)
			}
			out.Header.Set("Content-Type", "application/activity+json")
			if err := sig.Sign(out, []byte(body), sig.SigningKey{ID: keyID, Private: key}, style, n.Now()); err != nil {
				t.Fatal(err)
			}
			r.Header = out.Header
			want := http.StatusUnauthorized
			if key.Equal(other) {
				want = http.StatusAccepted
			}
			if got := n.do(r).Code; got != want {
				t.Errorf("style %d, its own key %v: %d, want %d", style, key.Equal(other), got, want)
			}
		}
	}
}
