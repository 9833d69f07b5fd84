// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"essaim"
	"essaim/federation"
	"essaim/federation/fedtest"
	"essaim/federation/proof"
	"essaim/federation/vocab"
)

// A change of keys may be cut short anywhere: the database says which keys hold.
func TestTheKeysThatTheDatabaseKnowsAreInPlace(t *testing.T) {
	t.Parallel()
	was := federation.Keys{RSA: fedtest.RSA(), Ed25519: fedtest.Ed25519("was")}
	is := federation.Keys{RSA: fedtest.RSA(), Ed25519: fedtest.Ed25519("is")}
	mark := func(k federation.Keys) string {
		s, err := fingerprint(k)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for _, c := range []struct {
		name        string
		place, next *federation.Keys
		known       string
		want        federation.Keys
		aside       int // directories of retired keys
	}{
		{"before anything", &was, nil, mark(was), was, 0},
		{"the new keys written, not counted", &was, &is, mark(was), was, 0},
		{"counted", &was, &is, mark(is), is, 1},
		{"the old ones set aside", nil, &is, mark(is), is, 0},
		{"done", &is, nil, mark(is), is, 0},
	} {
		dir := t.TempDir()
		for path, keys := range map[string]*federation.Keys{keysDir: c.place, nextDir: c.next} {
			if keys != nil {
				if err := writeKeysTo(filepath.Join(dir, path), *keys); err != nil {
					t.Fatal(err)
				}
			}
		}
		got, err := keysOfNode(dir, c.known, time.Now())
		if err != nil || !got.Ed25519.Equal(c.want.Ed25519) {
			t.Errorf("%s: other keys, %v", c.name, err)
		}
		onDisk, err := readKeys(dir)
		if err != nil || !onDisk.Ed25519.Equal(c.want.Ed25519) {
			t.Errorf("%s: other keys on disk, %v", c.name, err)
		}
		aside, err := filepath.Glob(filepath.Join(dir, keysDir+"-retired-*"))
		if err != nil || len(aside) != c.aside {
			t.Errorf("%s: set aside %v, %v", c.name, aside, err)
		}
	}
	// Keys of neither are put nowhere.
	dir := t.TempDir()
	if err := writeKeysTo(filepath.Join(dir, nextDir), is); err != nil {
		t.Fatal(err)
	}
	if _, err := keysOfNode(dir, mark(was), time.Now()); !missing(err) {
		t.Errorf("keys of another: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, nextDir)); err != nil {
		t.Error(err)
	}
}

// rotate closes a node and opens it with other keys, which the old ones introduce.
func (n *testNode) rotate(t *testing.T, network *fedtest.Network, keys federation.Keys) *testNode {
	t.Helper()
	info, err := n.Node(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	change, err := n.renderer.Introduce(keys.Ed25519.Public().(ed25519.PublicKey), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := n.RotateKeys(t.Context(), change, info.KeyFingerprint, "of the new keys"); err != nil {
		t.Fatal(err)
	}
	n.stop()
	return openNode(t, network, n.host, n.dir, keys, nil)
}

// A node that changed its keys is believed by those who replicate it, without
// anybody's click; what it signs from then on, and what it signed before.
func TestANodeThatChangedItsKeysIsBelieved(t *testing.T) {
	t.Parallel()
	fedtest.RSA()
	synctest.Test(t, func(t *testing.T) {
		network := fedtest.NewNetwork()
		brest, toulouse := startNode(t, network, "brest"), startNode(t, network, "toulouse")
		defer toulouse.stop()
		toulouse.follow(t, brest)
		// An account elsewhere, on software that replicates nothing.
		alice := fedtest.NewPeer(t, network, "alice.example", "Person")
		territory := "https://" + brest.host + "/actors/brest"
		if status, err := alice.Post(t.Context(), "https://"+brest.host+"/inbox", alice.Activity("f1", "Follow", territory)); err != nil || status != http.StatusAccepted {
			t.Fatalf("a Follow is answered %d, %v", status, err)
		}
		rec := brest.publish(t, "Atelier de réparation")
		within(t, 2*time.Second, "the record is at Toulouse", toulouse.holds(rec.ID, 1))
		first := publicOf(brest.keys)

		time.Sleep(10 * time.Minute)
		brest = brest.rotate(t, network, federation.Keys{RSA: fedtest.RSA(), Ed25519: fedtest.Ed25519("second")})
		brest = brest.rotate(t, network, federation.Keys{RSA: fedtest.RSA(), Ed25519: fedtest.Ed25519("third")})
		defer func() { brest.stop() }()
		doctor := func(when string) {
			info, err := brest.Node(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if f, err := checkDocuments(t.Context(), &Node{store: brest.Store, keys: brest.keys, info: info}); err != nil || f.State != "" {
				t.Errorf("%s the doctor says %+v, %v", when, f, err)
			}
		}
		doctor("before it is signed again")
		if err := brest.Resign(t.Context(), brest.renderer.Resign); err != nil {
			t.Fatal(err)
		}
		doctor("once signed again")
		within(t, time.Minute, "who follows the territory is told its keys", func() bool {
			return slices.ContainsFunc(alice.Received(), func(r fedtest.Received) bool {
				var a struct {
					Type   string
					Object json.RawMessage
				}
				return json.Unmarshal(r.Body, &a) == nil && a.Type == "Update" && vocab.ID(a.Object) == territory &&
					bytes.Contains(a.Object, []byte(proof.EncodeMultikey(publicOf(brest.keys)))) && proof.Verify(r.Body, publicOf(brest.keys)) == nil
			})
		})
		own, err := brest.Record(t.Context(), rec.ID)
		if err != nil || own.ContentDigest != rec.ContentDigest || own.CopyDigest == rec.CopyDigest || own.Revision != 1 {
			t.Errorf("got %+v, %v; want the same content, signed again", own, err)
		}
		for _, key := range []ed25519.PublicKey{publicOf(brest.keys), first} {
			_, err := proof.VerifyOwned([]byte(brest.document(t, rec.ID)), key)
			if is := key.Equal(publicOf(brest.keys)); is != (err == nil) {
				t.Errorf("by the key that holds %v: %v", is, err)
			}
		}

		more := brest.publish(t, "Un four à pain partagé")
		within(t, 5*time.Minute, "what it publishes is at Toulouse", toulouse.holds(more.ID, 1))
		known, err := toulouse.PeerTrust(t.Context(), brest.host)
		if err != nil || len(known.Keys) != 3 || known.Current() != proof.EncodeMultikey(publicOf(brest.keys)) || known.Contested() {
			t.Errorf("got %+v, %v; want three keys", known, err)
		}
		if err := brest.WithdrawRecord(t.Context(), rec.ID, essaim.Author{Name: "test"}); err != nil {
			t.Fatal(err)
		}
		within(t, 5*time.Minute, "the record is gone from Toulouse", func() bool {
			r, err := toulouse.Record(t.Context(), rec.ID)
			return err != nil || r.State == essaim.StateWithdrawn
		})
	})
}
