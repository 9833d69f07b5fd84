// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"essaim"
	"essaim/federation/fedtest"
	"essaim/federation/fetch"
	"essaim/federation/proof"
	"essaim/federation/sig"
)

const (
	brestTerritory = "https://brest.example/actors/brest"
	brestNode      = "https://brest.example/actor"
)

func TestFollowerDigestIsTheExclusiveOr(t *testing.T) {
	t.Parallel()
	// The example of FEP-8fcf's rule: order does not matter, twice is nothing.
	a, b := "https://a.example/u", "https://b.example/u"
	one := sha256.Sum256([]byte(a))
	if got, want := followerDigest([]string{a}), fmt.Sprintf("%x", one); got != want {
		t.Errorf("one: %s, want %s", got, want)
	}
	if followerDigest([]string{a, b}) != followerDigest([]string{b, a}) || followerDigest([]string{a, b}) == followerDigest([]string{a}) {
		t.Error("the digest depends on the order, or not on all")
	}
	if got := followerDigest(nil); got != strings.Repeat("0", 64) {
		t.Errorf("none: %s", got)
	}
}

func TestOnlyOneReadingOfTheHeaderIsTaken(t *testing.T) {
	t.Parallel()
	digest := followerDigest([]string{"x"})
	good := `collectionId="https://a.example/f", url="https://a.example/s", digest="` + digest + `"`
	for header, want := range map[string]bool{
		good:                                true,
		strings.ReplaceAll(good, ", ", ","): true,
		good + `, other="x"`:                true,
		"":                                  false,
		strings.Replace(good, digest, digest[2:], 1):         false,
		strings.Replace(good, digest, "zz"+digest[2:], 1):    false,
		strings.Replace(good, "https://a.example/s", "x", 1): false,
		good + `, digest="` + digest + `"`:                   false,
		strings.Replace(good, `url=`, `uri=`, 1):             false,
		strings.ReplaceAll(good, `"`, ``):                    false,
	} {
		if _, ok := readSynced(header); ok != want {
			t.Errorf("%s: read %v, want %v", header, ok, want)
		}
	}
}

// signedGet is a request as a peer signs it.
func signedGet(t testing.TB, peer *fedtest.Peer, path string) *http.Request {
	t.Helper()
	out, err := http.NewRequest(http.MethodGet, "https://brest.example"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := sig.Sign(out, nil, sig.SigningKey{ID: peer.Actor + "#main-key", Private: peer.Key}, sig.Cavage, peer.Now()); err != nil {
		t.Fatal(err)
	}
	in := httptest.NewRequest(http.MethodGet, path, nil)
	in.Header = out.Header
	return in
}

func TestAHostIsToldOfItsOwnFollowersOnly(t *testing.T) {
	t.Parallel()
	network := fedtest.NewNetwork()
	store := newShelf()
	s, h := testServer(t, store, network)
	peer := fedtest.NewPeer(t, network, "peer.example", "Person")
	peer.Now = s.now
	nobody := fedtest.NewPeer(t, network, "nobody.example", "Person")
	nobody.Now = s.now
	ids := []string{"https://peer.example/users/a", "https://peer.example/users/b"}
	store.at = map[string][]string{brestTerritory + " peer.example": ids, brestTerritory + " other.example": {"https://other.example/users/c"}}
	ask := func(r *http.Request) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	const path = "/actors/brest/followers/sync"
	if got := ask(httptest.NewRequest(http.MethodGet, path, nil)).Code; got != http.StatusUnauthorized {
		t.Errorf("unsigned: %d", got)
	}
	w := ask(signedGet(t, peer, path))
	var list struct {
		ID           string
		Type         string
		OrderedItems []string
	}
	if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	if list.ID != "https://brest.example"+path || list.Type != "OrderedCollection" || strings.Join(list.OrderedItems, " ") != strings.Join(ids, " ") || !strings.Contains(w.Header().Get("Cache-Control"), "no-store") {
		t.Errorf("%+v, %v", list, w.Header())
	}
	for of, w := range map[string]*httptest.ResponseRecorder{"two": w, "none": ask(signedGet(t, nobody, path))} {
		for _, f := range fedtest.LintServed("https://brest.example"+path, w.Result(), w.Body.Bytes()) {
			t.Errorf("of %s: %s", of, f)
		}
	}
	store.blocked = map[string]bool{peer.Actor: true}
	if got := ask(signedGet(t, peer, path)).Code; got != http.StatusForbidden {
		t.Errorf("blocked: %d", got)
	}
	want := fmt.Sprintf(`collectionId="%s/followers", url="%s/followers/sync", digest="%s"`, brestTerritory, brestTerritory, followerDigest(ids))
	if got := s.synchronization(t.Context(), brestTerritory, "peer.example"); got != want {
		t.Errorf("header %s, want %s", got, want)
	}
}

func TestADifferenceIsMendedWhenTheListIsTheOneAnnounced(t *testing.T) {
	t.Parallel()
	lost, theirs := []string{}, []string{brestNode}
	for name, c := range map[string]struct {
		state     essaim.PeerState // of our follow; empty for none
		announced []string         // what the digest is of
		list      []string         // what is served
		url       string
		want      string // what is sent
		asked     bool
	}{
		"nothing differs":                  {essaim.PeerFollowed, theirs, theirs, "", "", false},
		"they lost our follow":             {essaim.PeerFollowed, lost, lost, "", "Follow " + brestNode, true},
		"they list what we do not follow":  {essaim.PeerRefused, theirs, theirs, "", "Undo " + brestNode, true},
		"the list changed meanwhile":       {essaim.PeerFollowed, lost, theirs, "", "", true},
		"a list that is another":           {essaim.PeerFollowed, []string{brestNode, brestTerritory}, lost, "", "", true},
		"a follow that is under way":       {essaim.PeerRequested, theirs, theirs, "", "", false},
		"whom we never followed":           {"", theirs, theirs, "", "", false},
		"a list elsewhere":                 {essaim.PeerFollowed, lost, lost, "https://victim.example/users/alice/followers/sync", "", false},
		"strangers in the list":            {essaim.PeerFollowed, theirs, []string{brestNode, "https://other.example/u"}, "", "", false},
		"an actor that is none of ours":    {essaim.PeerFollowed, append([]string{brestNode}, "https://brest.example/actors/nobody"), append([]string{brestNode}, "https://brest.example/actors/nobody"), "", "", true},
		"another actor that never follows": {essaim.PeerFollowed, append([]string{brestNode}, brestTerritory), append([]string{brestNode}, brestTerritory), "", "Undo " + brestTerritory, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			network := fedtest.NewNetwork()
			store := newShelf()
			s, _ := testServer(t, store, network)
			peer := fedtest.NewPeer(t, network, "peer.example", "Application")
			if c.state != "" {
				store.follows = map[string]essaim.OurFollow{peer.Actor: {Actor: peer.Actor, Inbox: peer.Actor + "/inbox", FollowID: brestNode + "/f", State: c.state}}
			}
			at := peer.Actor + "/followers/sync"
			peer.Put(at, map[string]any{"@context": activityStreams, "id": at, "type": "OrderedCollection", "orderedItems": c.list})
			if c.url != "" {
				at = c.url
			}
			actor, err := essaim.ParseIRI(peer.Actor)
			if err != nil {
				t.Fatal(err)
			}
			header := fmt.Sprintf(`collectionId="%s/followers", url="%s", digest="%s"`, peer.Actor, at, followerDigest(c.announced))
			for range 3 { // a differing header again and again asks once an hour
				s.compare(context.Background(), header, actor)
				s.tasks.Wait()
			}
			asked := 0
			for _, r := range network.Log() {
				if strings.HasSuffix(r.Path, "/sync") {
					asked++
				}
			}
			if got := strings.Join(store.sent, " "); got != c.want || asked > 1 || (asked == 1) != c.asked {
				t.Errorf("sent %q after %d requests; want %q, asked %v", got, asked, c.want, c.asked)
			}
		})
	}
}

// Who buys a lapsed domain signs as its actor, and lists nobody.
func TestWhoShowsAnotherKeyEndsNoFollow(t *testing.T) {
	t.Parallel()
	network := fedtest.NewNetwork()
	store := newShelf()
	s, _ := testServer(t, store, network)
	peer := fedtest.NewPeer(t, network, "peer.example", "Application")
	pinned := proof.EncodeMultikey(fedtest.Ed25519("lapsed").Public().(ed25519.PublicKey))
	store.trust = map[string]essaim.PeerTrust{peer.Host: {Actor: peer.Actor, Keys: []essaim.PeerKey{{Key: pinned}}}}
	store.follows = map[string]essaim.OurFollow{peer.Actor: {Actor: peer.Actor, Inbox: peer.Inbox, FollowID: brestNode + "/f", State: essaim.PeerFollowed}}
	store.actors[peer.Actor] = essaim.RemoteActor{ID: peer.Actor, FetchedAt: s.now(), Document: []byte(`{"followers":"` + peer.Actor + `"}`)}
	at := peer.Actor + "/followers/sync"
	peer.Put(at, map[string]any{"@context": activityStreams, "id": at, "type": "OrderedCollection", "orderedItems": []string{}})
	actor, err := essaim.ParseIRI(peer.Actor)
	if err != nil {
		t.Fatal(err)
	}
	s.compare(t.Context(), fmt.Sprintf(`collectionId="%s/followers", url="%s", digest="%s"`, peer.Actor, at, followerDigest(nil)), actor)
	s.tasks.Wait()
	if len(store.sent) != 0 || !store.trust[peer.Host].Contested() {
		t.Errorf("sent %q, trust %+v", store.sent, store.trust[peer.Host])
	}
	s.deliver.lose(t.Context(), peer.Inbox, peer.Host)
	network.SetDown(peer.Host, true)
	store.trust[peer.Host] = essaim.PeerTrust{Actor: peer.Actor, Keys: []essaim.PeerKey{{Key: pinned}}}
	s.deliver.lose(t.Context(), peer.Inbox, peer.Host) // nor when its key cannot be read
	if len(store.lost) != 0 {
		t.Errorf("lost %q", store.lost)
	}
	s.deliver.lose(t.Context(), "https://other.example/inbox", "other.example")
	if len(store.lost) != 1 {
		t.Errorf("of a stranger: lost %q", store.lost)
	}
}

func TestWhatGoesToFollowersSaysWhoTheyAre(t *testing.T) {
	t.Parallel()
	d, err := NewDeliverer(DelivererConfig{
		Store: newQueue(), Client: newOutside(), Key: testKey(),
		Sync: func(_ context.Context, actor, host string) string { return actor + " " + host },
	})
	if err != nil {
		t.Fatal(err)
	}
	const public = `"https://www.w3.org/ns/activitystreams#Public"`
	for body, want := range map[string]string{
		`{"cc":["` + brestTerritory + `/followers"],"to":[` + public + `]}`: brestTerritory + " a.example",
		`{"to":["https://a.example/users/ana"]}`:                            "",
		`{"cc":["` + brestNode + `/followers"]}`:                            "", // another's
		`{"to":["` + brestTerritory + `/followers/x"]}`:                     "",
	} {
		got := d.syncFor(t.Context(), &try{Delivery: essaim.Delivery{Actor: brestTerritory, Host: "a.example", Body: []byte(body)}})
		if got != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
		w := newOutside()
		var header string
		w.answer = func(_ string, r *http.Request) (fetch.Result, error) {
			header = r.Header.Get(sig.Synchronization)
			return fetch.Result{Status: http.StatusAccepted}, nil
		}
		d.Client = w
		d.post(t.Context(), &try{Delivery: essaim.Delivery{Actor: brestTerritory, Host: "a.example", Inbox: "https://a.example/inbox", Body: []byte(body)}}, sig.Cavage)
		if header != want {
			t.Errorf("%s: header %q, want %q", body, header, want)
		}
	}
}
