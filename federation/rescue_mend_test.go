// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"crypto/ed25519"
	"testing"

	"essaim"
	"essaim/federation/fedtest"
	"essaim/federation/proof"
)

// finder is a library that says which actor a node has.
type finder struct {
	*library
	found int
}

func (f *finder) NodeActor(_ context.Context, host string) (string, error) {
	f.found++
	return "https://" + host + "/actor", nil
}

func TestANodeIsAskedOnceForADocumentWhicheverKeyProvesIt(t *testing.T) {
	t.Parallel()
	node, err := essaim.ParseIRI("https://brest.example/actor")
	if err != nil {
		t.Fatal(err)
	}
	f := &finder{library: &library{none: essaim.ErrNotFound}}
	r := &Rescuer{Client: f, Node: node}
	for _, name := range []string{"first", "second", "third"} {
		r.Keys = append(r.Keys, essaim.PeerKey{Key: proof.EncodeMultikey(fedtest.Ed25519(name).Public().(ed25519.PublicKey))})
	}
	if _, err := r.held(t.Context(), "lyon.example", "https://brest.example/objects/1", "digest"); err == nil {
		t.Error("found")
	}
	if f.found != 1 || len(f.asked) != 1 {
		t.Errorf("found %d times, asked for %v", f.found, f.asked)
	}
}
