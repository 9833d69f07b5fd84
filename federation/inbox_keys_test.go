// SPDX-License-Identifier: AGPL-3.0-or-later

package federation_test

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/federation/proof"
	"essaim/federation/sig"
)

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
	t.Run("a key that its actor lists no more holds for minutes only", func(t *testing.T) {
		t.Parallel()
		n := newNode(t)
		if got := send(n, "1", alice+"#main-key", false); got != 202 {
			t.Fatalf("first key: %d", got)
		}
		// Learned otherwise than by a signature of the new one: by another process, or
		// where an answer was due.
		doc := strings.ReplaceAll(actorDoc(t, alice, &evilKey().PublicKey), "#main-key", "#second-key")
		n.home.set(alice, doc)
		renewed := n.memory.actors[alice]
		renewed.Keys[0].ID = alice + "#second-key"
		n.memory.actors[alice] = renewed
		n.advance(11 * time.Minute)
		if got := send(n, "2", alice+"#main-key", false); got != 401 {
			t.Errorf("the key that was taken back: %d", got)
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
	t.Run("one client makes us ask so often and no more, whomever it names", func(t *testing.T) {
		t.Parallel()
		n := newNode(t)
		n.from = netip.MustParsePrefix("198.51.100.7/32")
		storm := func(host string, count int) (refused int) {
			for i := range count {
				if send(n, "1", fmt.Sprintf("https://%s/users/%d#main-key", host, i), true) == 429 {
					refused++
				}
			}
			return refused
		}
		// What it signs well itself pays for nothing else.
		if got := send(n, "own1", alice+"#main-key", false); got != 202 {
			t.Fatalf("its own: %d", got)
		}
		if got := storm("victim.example", 100); got != 60 {
			t.Errorf("%d of 100 refused, want 60", got)
		}
		if got := send(n, "own2", alice+"#main-key", false); got != 202 {
			t.Fatalf("its own again: %d", got)
		}
		if got := storm("other.example", 10); got != 10 {
			t.Errorf("%d of 10 about another host refused, want all", got)
		}
		const carol = "https://victim.example/users/99" // refused above
		n.home.set(carol, actorDoc(t, carol, &aliceKey().PublicKey))
		n.from = netip.MustParsePrefix("203.0.113.9/32")
		body := activity("https://victim.example/a/1", "Like", carol, `"`+here+`/objects/1"`)
		if got := n.do(n.request(t, carol+"#main-key", aliceKey(), body, nil)).Code; got != 202 {
			t.Errorf("the host itself, from its own address: %d", got)
		}
		for _, proxy := range []string{"127.0.0.1/32", "10.1.2.3/32", "fd00::/64"} {
			n := newNode(t)
			n.from = netip.MustParsePrefix(proxy)
			for i := range 100 {
				if got := send(n, "1", fmt.Sprintf("https://victim.example/users/%d#main-key", i), true); got == 429 {
					t.Fatalf("a proxy that was not declared, %s, pays for all: refused after %d", proxy, i)
				}
			}
		}
	})
	t.Run("a server of many signs from one address", func(t *testing.T) {
		t.Parallel()
		n := newNode(t)
		n.from = netip.MustParsePrefix("2001:db8::/64")
		for i := range 200 {
			id := fmt.Sprintf("https://peer.example/users/%d", i)
			n.home.set(id, actorDoc(t, id, &aliceKey().PublicKey))
			body := activity(fmt.Sprint("https://peer.example/a/", i), "Like", id, `"`+here+`/objects/1"`)
			if got := n.do(n.request(t, id+"#main-key", aliceKey(), body, nil)).Code; got != 202 {
				t.Fatalf("follower %d: %d", i, got)
			}
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
