// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"errors"
	"testing"

	"essaim"
	"essaim/federation/fedtest"
)

// Whose name it is, is for the actor's own host to say: another host may lend one
// of its names to an actor elsewhere, and never without that host's word.
func TestAnAccountIsNamedByItsOwnHost(t *testing.T) {
	t.Parallel()
	network := fedtest.NewNetwork()
	home := fedtest.NewPeer(t, network, "social.example", "Person")
	short := fedtest.NewPeer(t, network, "short.example", "Person")
	account(short, "alice", home.Actor)
	s, _ := testServer(t, newShelf(), network)
	for _, says := range []struct {
		self string // what the actor's own host names
		want error
	}{
		{"https://social.example/users/other", essaim.ErrInvalid},
		{home.Actor, nil},
	} {
		account(home, "alice", says.self)
		got, err := s.findAccount(t.Context(), "@alice@short.example")
		if !errors.Is(err, says.want) || err == nil && got.ID != home.Actor {
			t.Errorf("its host names %s: %+v, %v; want %v", says.self, got.ID, err, says.want)
		}
	}
}
