// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"essaim"
	"essaim/federation/fedtest"
)

// Whose name it is, is for the actor's own host to say: another host may lend one
// of its names to an actor elsewhere, which goes by it only by that host's word.
func TestAnAccountIsNamedByItsOwnHost(t *testing.T) {
	t.Parallel()
	network := fedtest.NewNetwork()
	home := fedtest.NewPeer(t, network, "social.example", "Person")
	short := fedtest.NewPeer(t, network, "short.example", "Person")
	account(short, "alice", home.Actor)
	account(short, "v", home.Actor)
	account(home, "Alice", home.Actor)
	account(home, "victim", home.Actor) // of the actor's host, which calls it otherwise
	plain := fedtest.NewPeer(t, network, "plain.example", "Person")
	nameless(t, plain)
	account(plain, "shop", plain.Actor)
	s, _ := testServer(t, newShelf(), network)
	other := "https://social.example/users/other"
	for _, tt := range []struct {
		name          string
		typed         string
		self, subject string // what the actor's own host says of alice
		want          string
		err           error
	}{
		{"its host names another", "@alice@short.example", other, "acct:alice@short.example", "", essaim.ErrInvalid},
		{"its host knows it by that name", "@alice@short.example", home.Actor, "acct:alice@short.example", "alice@short.example", nil},
		{"its host knows it by its own name", "@alice@short.example", home.Actor, "acct:alice@social.example", "alice@social.example", nil},
		{"a name of nobody's", "@v@short.example", home.Actor, "acct:alice@social.example", "alice@social.example", nil},
		{"a name of nobody's, for another", "@v@short.example", other, "acct:v@short.example", "", essaim.ErrInvalid},
		{"another name of its own host", "@victim@social.example", home.Actor, "acct:alice@social.example", "alice@social.example", nil},
		{"its own name", "Alice@Social.example", other, "", "alice@social.example", nil},
		{"its address", home.Actor, other, "", "alice@social.example", nil},
		{"it has no name of its own", "@shop@plain.example", other, "", "shop@plain.example", nil},
	} {
		home.Put("https://social.example/.well-known/webfinger?resource=acct%3Aalice%40social.example", map[string]any{
			"subject": tt.subject, "links": []map[string]string{{"rel": "self", "type": "application/activity+json", "href": tt.self}},
		})
		got, known, err := s.findAccount(t.Context(), tt.typed)
		if !errors.Is(err, tt.err) || known != tt.want || err == nil && got.ID != home.Actor && got.ID != plain.Actor {
			t.Errorf("%s: got %s as %q, %v; want %q, %v", tt.name, got.ID, known, err, tt.want, tt.err)
		}
	}
}

// nameless takes the name out of a peer's actor.
func nameless(t *testing.T, p *fedtest.Peer) {
	t.Helper()
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequest(http.MethodGet, p.Actor, nil))
	doc := map[string]any{}
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil || doc["preferredUsername"] == nil {
		t.Fatalf("%s, %v", w.Body, err)
	}
	delete(doc, "preferredUsername")
	p.Put(p.Actor, doc)
}

// followed is a store of followed accounts.
type followed struct {
	Store // what is not asked for here
	all   []essaim.Followed
	left  []string
}

func (f *followed) FollowedAccounts(context.Context) ([]essaim.Followed, error) { return f.all, nil }
func (f *followed) UnfollowAccount(_ context.Context, actor string, _ essaim.Outgoing) error {
	f.left = append(f.left, actor)
	return nil
}

func TestAnAccountIsUnfollowedByEachNameByWhichItMayBeFollowed(t *testing.T) {
	t.Parallel()
	network := fedtest.NewNetwork()
	home := fedtest.NewPeer(t, network, "social.example", "Person")
	short := fedtest.NewPeer(t, network, "short.example", "Person")
	account(home, "alice", home.Actor)
	account(short, "v", home.Actor)
	s, _ := testServer(t, newShelf(), network)
	f := &followed{Store: s.store, all: []essaim.Followed{
		{Actor: "https://other.example/users/alice", Handle: "alice@other.example", FollowID: "https://brest.example/activities/0"},
		{Actor: home.Actor, Handle: "alice@social.example", FollowID: "https://brest.example/activities/1"},
	}}
	s.store = f
	for _, typed := range []string{"alice@social.example", "@Alice@Social.example", "@v@short.example", home.Actor} {
		f.left = nil
		if _, err := s.UnfollowAccount(t.Context(), typed); err != nil || !slices.Equal(f.left, []string{home.Actor}) {
			t.Errorf("%s: left %v, %v", typed, f.left, err)
		}
	}
	for _, typed := range []string{"@bob@social.example", "https://social.example/users/bob", ""} {
		f.left = nil
		if _, err := s.UnfollowAccount(t.Context(), typed); !errors.Is(err, essaim.ErrNotFound) || len(f.left) > 0 {
			t.Errorf("%q: left %v, %v", typed, f.left, err)
		}
	}
}
