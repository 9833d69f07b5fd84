// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/federation/fedtest"
	"essaim/federation/fetch"
	"essaim/federation/proof"
	"essaim/federation/vocab"
	"essaim/store/storetest"
)

// altered serves the first node's commons with a change to each page of them.
func (p *pair) altered(change func(page []byte) []byte) {
	p.network.Serve(brestHost, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !r.URL.Query().Has("after") {
			p.brest.router.ServeHTTP(w, r)
			return
		}
		answer := httptest.NewRecorder()
		p.brest.router.ServeHTTP(answer, r)
		w.Header().Set("Content-Type", vocab.ContentType)
		_, _ = w.Write(change(answer.Body.Bytes()))
	}))
}

func TestWhatIsNotProvenIsNotTakenFromAPage(t *testing.T) {
	t.Parallel()
	fragment := "#" + proof.KeyFragment(fedtest.Ed25519(brestHost).Public().(ed25519.PublicKey))
	for name, forge := range map[string]func([]byte) []byte{
		"by its key":    func(page []byte) []byte { return page },
		"without proof": func(page []byte) []byte { return bytes.ReplaceAll(page, []byte(`"proof":`), []byte(`"prof":`)) },
		"by keys never seen": func(page []byte) []byte {
			return bytes.ReplaceAll(page, []byte(fragment), []byte("#ed25519-z6MkXXXX"))
		},
	} {
		p := newPair(t, storetest.SQLite(t))
		honest := p.brest.publish(t, "Honnête")
		p.follow(t)
		p.catchUp(t)
		// They differ from each other and from what is proven.
		forged := []string{p.brest.publish(t, "Falsifiée").ID, p.brest.publish(t, "Falsifiée aussi").ID, p.brest.publish(t, "Falsifiée encore").ID}
		p.altered(func(page []byte) []byte {
			return forge(bytes.ReplaceAll(page, []byte("Falsifiée"), []byte("Falsifie!")))
		})
		for range 2 { // however lately the node was asked for its key
			third := p.brest.publish(t, "Falsifiée enfin").ID
			forged = append(forged, third)
			if _, err := p.toulon.server.Replicator().CatchUp(t.Context(), brestHost); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			p.toulon.moved.Add(int64(6 * time.Minute))
		}
		if _, err := p.toulon.Document(t.Context(), honest.ID); err != nil {
			t.Errorf("%s: the honest one: %v", name, err)
		}
		peer, err := p.toulon.Peer(t.Context(), brestHost)
		shown := fmt.Sprint(newCommonsRow(peer.Commons).lines())
		if err != nil || peer.Commons.Refused != len(forged) || !strings.Contains(shown, fmt.Sprintf("commons refused %d, the first %s: not proven", len(forged), forged[0])) {
			t.Errorf("%s: %d refused are shown as %s, %v; want %d", name, peer.Commons.Refused, shown, err, len(forged))
		}
		for _, id := range forged {
			if _, err := p.toulon.Document(t.Context(), id); err == nil {
				t.Errorf("%s: a forged one is taken", name)
			}
		}
	}
}

func TestACursorAboveTheSignedHeadIsRefused(t *testing.T) {
	t.Parallel()
	for _, ahead := range []string{"9999999999999.9", "%d.99"} {
		p := newPair(t, storetest.SQLite(t))
		rec := p.brest.publish(t, "Une")
		p.follow(t)
		h, _ := p.brest.readHead(t)
		if strings.Contains(ahead, "%") {
			ahead = fmt.Sprintf(ahead, h.Incarnation)
		}
		cursor := regexp.MustCompile(`"essaim:cursor":"[^"]*"`)
		p.altered(func(page []byte) []byte {
			return cursor.ReplaceAll(page, []byte(`"essaim:cursor":"`+ahead+`"`))
		})
		if _, err := p.toulon.server.Replicator().CatchUp(t.Context(), brestHost); !errors.Is(err, essaim.ErrForbidden) {
			t.Errorf("cursor %s: %v, want it refused", ahead, err)
		}
		p.network.Serve(brestHost, p.brest.router)
		if p.catchUp(t); len(p.differences(t)) > 0 {
			t.Errorf("after cursor %s: %v", ahead, p.differences(t))
		}
		if _, err := p.toulon.Document(t.Context(), rec.ID); err != nil {
			t.Errorf("after cursor %s: %v", ahead, err)
		}
	}
}

// A node that believed pages once may hold a cursor that no head of the other
// bears out: it reads from the beginning.
func TestACursorThatNoHeadBearsOutIsGivenUp(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		p := newPair(t, db)
		p.brest.publish(t, "Une")
		p.follow(t)
		for _, ahead := range []essaim.CommonsNumber{{Incarnation: 9_999_999_999, N: 9}, {Incarnation: storetest.Start.Unix() - 1000, N: 1 << 40}} {
			held := p.catchUp(t)
			p.brest.publish(t, fmt.Sprint("Une autre ", ahead))
			held.Cursor, held.Tag = ahead, `"of that page"`
			if err := p.toulon.SaveCommonsProgress(t.Context(), held); err != nil {
				t.Fatal(err)
			}
			p.brest.moved.Add(1 << 40)
			p.toulon.moved.Add(1 << 40)
			if p.catchUp(t); len(p.differences(t)) > 0 {
				t.Errorf("after cursor %s: %v", ahead, p.differences(t))
			}
		}
	})
}

// signedAs serves a head of the first node, signed by a key.
func (p *pair) signedAs(t testing.TB, number essaim.CommonsNumber, key ed25519.PrivateKey) {
	t.Helper()
	actor := p.brest.base + "/actor"
	doc := fmt.Sprintf(`{"@context":["https://www.w3.org/ns/activitystreams",{"essaim":%q}],"id":%q,"type":"OrderedCollection","attributedTo":%q,"totalItems":1,"first":%q,"orderType":"ForwardChronological","essaim:incarnation":%d,"essaim:n":%d,"essaim:count":1,"essaim:root":%q,"essaim:at":%q}`,
		essaim.Namespace, p.brest.base+"/commons", actor, p.brest.base+"/commons?after=0.0", number.Incarnation, number.N, strings.Repeat("ab", 32), storetest.Start.Format(time.RFC3339))
	signed, err := proof.Sign([]byte(doc), key, actor+"#"+proof.KeyFragment(key.Public().(ed25519.PublicKey)), storetest.Start)
	if err != nil {
		t.Fatal(err)
	}
	p.network.Serve(brestHost, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/commons" && r.URL.RawQuery == "" {
			w.Header().Set("Content-Type", vocab.ContentType)
			_, _ = w.Write(signed.Bytes)
			return
		}
		p.brest.router.ServeHTTP(w, r)
	}))
}

func TestAHeadCountsByItsProofAndNotFromTheFuture(t *testing.T) {
	t.Parallel()
	own, other := fedtest.Ed25519(brestHost), fedtest.Ed25519("elsewhere.example")
	soon, far := storetest.Start.Add(50*time.Minute).Unix(), storetest.Start.Add(61*time.Minute).Unix()
	for name, c := range map[string]struct {
		incarnation int64
		key         ed25519.PrivateKey
		pinned      bool
		want        error
	}{
		"by its key":                {soon, own, true, nil},
		"by its key, not pinned":    {soon, own, false, nil},
		"by another":                {soon, other, true, essaim.ErrForbidden},
		"by another, none pinned":   {soon, other, false, essaim.ErrForbidden},
		"an hour ahead":             {far, own, true, essaim.ErrInvalid},
		"an hour ahead, by its own": {far, own, false, essaim.ErrInvalid},
	} {
		p := newPair(t, storetest.SQLite(t))
		p.brest.publish(t, "Une")
		if !c.pinned { // it signed nothing when it was followed
			p.network.Serve(brestHost, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				answer := httptest.NewRecorder()
				p.brest.router.ServeHTTP(answer, r)
				maps.Copy(w.Header(), answer.Header())
				w.WriteHeader(answer.Code)
				_, _ = w.Write(bytes.ReplaceAll(answer.Body.Bytes(), []byte(`"proof":`), []byte(`"prof":`)))
			}))
		}
		p.follow(t)
		if known, err := p.toulon.PeerTrust(t.Context(), brestHost); err != nil || len(known.Keys) > 0 != c.pinned {
			t.Fatalf("%s: %d keys, %v", name, len(known.Keys), err)
		}
		p.signedAs(t, essaim.CommonsNumber{Incarnation: c.incarnation, N: 99}, c.key)
		if _, err := p.toulon.server.Replicator().CatchUp(t.Context(), brestHost); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestNothingIsReadOfAContestedNodeUntilItsKeyIsItsOwn(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		p := newPair(t, db)
		p.brest.publish(t, "Une")
		p.follow(t)
		if err := p.toulon.ContestPeer(t.Context(), brestHost, "z6MkOther"); err != nil {
			t.Fatal(err)
		}
		since := len(p.network.Log())
		p.network.Serve(brestHost, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/actor" {
				w.WriteHeader(http.StatusGone)
				return
			}
			p.brest.router.ServeHTTP(w, r)
		}))
		_, err := p.toulon.server.Replicator().CatchUp(t.Context(), brestHost)
		if paths, _ := p.asked(since); !errors.Is(err, essaim.ErrConflict) || len(paths) > 0 {
			t.Errorf("asked %v of a contested node: %v", paths, err)
		}
		p.network.Serve(brestHost, p.brest.router)
		if p.catchUp(t); len(p.differences(t)) > 0 {
			t.Errorf("settled: %v", p.differences(t))
		}
	})
}

func TestANodeThatHangsIsNotReadAgainAtOnce(t *testing.T) {
	t.Parallel()
	p := newPair(t, storetest.SQLite(t))
	p.follow(t)
	r := *p.toulon.server.Replicator()
	r.Client = slow{}
	if _, err := r.CatchUp(t.Context(), brestHost); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want the error of the request", err)
	}
}

// slow waits for headers until its own bound.
type slow struct{}

func (slow) Changed(context.Context, string, string) (fetch.Answer, error) {
	return fetch.Answer{}, fmt.Errorf("headers: %w", context.DeadlineExceeded)
}
