// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"essaim"
	"essaim/federation"
	"essaim/federation/fedtest"
	"essaim/federation/proof"
	"essaim/federation/sig"
	"essaim/federation/vocab"
)

// post sends an activity of a node to another's inbox, signed by its territory's
// key as that publishes it.
func (n *testNode) post(t *testing.T, network *fedtest.Network, to *testNode, activity []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+to.host+"/inbox", bytes.NewReader(activity))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/activity+json")
	key := sig.SigningKey{ID: "https://" + n.host + "/actors/brest#main-key", Private: n.keys.RSA}
	if err := sig.Sign(r, activity, key, sig.Cavage, time.Now()); err != nil {
		t.Fatal(err)
	}
	answer, err := network.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusAccepted {
		t.Fatalf("status %d, want 202: an activity of a contested host is kept", answer.StatusCode)
	}
}

// activity makes one about a record in the name of its territory, by the node's
// own keys.
func (n *testNode) activity(t *testing.T, id, verb string, rec essaim.Record) []byte {
	t.Helper()
	a := vocab.Activity{ID: "https://" + n.host + "/activities/" + id, Type: verb, Actor: rec.Territory, To: []string{vocab.Public}, Published: time.Now()}
	switch verb {
	case "Delete":
		a.Object = rec.ID
	default:
		rec.Revision += 10
		rec.Title, rec.Updated = "Détourné", time.Now()
		out, err := n.renderer.Render(essaim.RenderRequest{Verb: essaim.VerbUpdate, Record: rec, ActivityID: a.ID, At: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
		return out.Activity
	}
	body, err := n.renderer.Build(a)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// Whoever takes over the address of a node that is replicated harms nothing, and
// the true one comes back without a click.
func TestATakenOverAddressChangesNothing(t *testing.T) {
	t.Parallel()
	fedtest.RSA()
	strange, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		network := fedtest.NewNetwork()
		brest, toulouse := startNode(t, network, "brest"), startNode(t, network, "toulouse")
		defer brest.stop()
		defer toulouse.stop()
		toulouse.follow(t, brest)
		rec := brest.publish(t, "Atelier de réparation")
		within(t, 2*time.Second, "the record is at Toulouse", toulouse.holds(rec.ID, 1))
		copied := toulouse.document(t, rec.ID)
		rec.TerritoryName = "Brest"
		actor, err := toulouse.RemoteActor(t.Context(), rec.Territory)
		if err != nil {
			t.Fatal(err)
		}

		// Brest is down; somebody buys the domain and makes a node of it.
		time.Sleep(10 * time.Minute)
		brest.halt()
		impostor := startNodeWith(t, network, "brest", federation.Keys{RSA: strange, Ed25519: fedtest.Ed25519("impostor")})
		defer impostor.stop()
		impostor.post(t, network, toulouse, impostor.activity(t, "i1", "Delete", rec))
		impostor.post(t, network, toulouse, impostor.activity(t, "i2", "Update", rec))
		contested := func() bool {
			p, err := toulouse.Peer(t.Context(), brest.host)
			return err == nil && !p.ContestedAt.IsZero()
		}
		within(t, time.Minute, "Brest is contested", contested)
		time.Sleep(time.Minute)
		p, err := toulouse.Peer(t.Context(), brest.host)
		offered := proof.EncodeMultikey(publicOf(impostor.keys))
		if err != nil || p.Key != proof.EncodeMultikey(publicOf(brest.keys)) || p.OfferedKey != offered || p.Records != 1 {
			t.Errorf("got peer %+v, %v; want both keys and one record", p, err)
		}
		if got := toulouse.document(t, rec.ID); got != copied || !toulouse.holds(rec.ID, 1)() {
			t.Errorf("the copy changed\n got %s\nwant %s", got, copied)
		}
		if is, err := toulouse.RemoteActor(t.Context(), rec.Territory); err != nil || string(is.Document) != string(actor.Document) {
			t.Errorf("the copy of its actor changed: %s, %v", is.Document, err)
		}
		if _, err := toulouse.server.FollowPeer(t.Context(), brest.host); err == nil {
			t.Error("a contested host is followed anew")
		}

		// The true node is back with its key.
		impostor.halt()
		impostor.halt = func() {}
		network.Serve(brest.host, brest.router)
		time.Sleep(10 * time.Minute)
		brest.run(t)
		more := brest.publish(t, "Un four à pain partagé")
		within(t, 2*time.Minute, "what it publishes is at Toulouse", toulouse.holds(more.ID, 1))
		within(t, 20*time.Minute, "Brest is contested no more", func() bool { return !contested() })
		if got := toulouse.document(t, rec.ID); got != copied {
			t.Errorf("the copy changed after all: %s", got)
		}
	})
}

func publicOf(k federation.Keys) ed25519.PublicKey { return k.Ed25519.Public().(ed25519.PublicKey) }
