// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"errors"
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
	} {
		home.Put("https://social.example/.well-known/webfinger?resource=acct%3Aalice%40social.example", map[string]any{
			"subject": tt.subject, "links": []map[string]string{{"rel": "self", "type": "application/activity+json", "href": tt.self}},
		})
		got, known, err := s.findAccount(t.Context(), tt.typed)
		if !errors.Is(err, tt.err) || known != tt.want || err == nil && got.ID != home.Actor {
			t.Errorf("%s: got %s as %q, %v; want %q, %v", tt.name, got.ID, known, err, tt.want, tt.err)
		}
	}
}
