// SPDX-License-Identifier: AGPL-3.0-or-later

package fedtest

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"essaim/federation/proof"
	"essaim/federation/sig"
)

// RSA is a key that tests share: making one takes longer than most of them.
var RSA = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err) // no entropy
	}
	return key
})

// Ed25519 is a key made from a name, the same in each run.
func Ed25519(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(name))
	return ed25519.NewKeyFromSeed(seed[:])
}

// Peer is a server with one actor, which does what the test says: it answers
// what it is told to, keeps what it received, and signs what it sends.
type Peer struct {
	Host    string
	Actor   string // its id
	Inbox   string // shared
	Key     *rsa.PrivateKey
	Ed25519 ed25519.PrivateKey
	// Now dates signatures; time.Now when nil.
	Now func() time.Time

	network *Network
	mu      sync.Mutex
	pages   map[string][]byte
	status  int
	header  http.Header
	inbox   []Received
}

// Received is an activity that came to the peer's inbox.
type Received struct {
	Header http.Header
	Body   []byte
}

// NewPeer puts a peer on the network, with an actor of the given type
// ("Person", "Application"…) named alice.
func NewPeer(t testing.TB, n *Network, host, kind string) *Peer {
	t.Helper()
	p := &Peer{
		Host: host, Actor: "https://" + host + "/users/alice", Inbox: "https://" + host + "/inbox",
		Key: RSA(), Ed25519: Ed25519(host), network: n, pages: map[string][]byte{}, status: http.StatusAccepted, header: http.Header{},
	}
	p.Put(p.Actor, map[string]any{
		"@context": []string{"https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1"},
		"id":       p.Actor, "type": kind, "preferredUsername": "alice", "name": "Alice", "url": "https://" + host + "/@alice",
		"inbox": p.Actor + "/inbox", "outbox": p.Actor + "/outbox", "followers": p.Actor + "/followers", "following": p.Actor + "/following",
		"endpoints":       map[string]string{"sharedInbox": p.Inbox},
		"publicKey":       map[string]string{"id": p.Actor + "#main-key", "owner": p.Actor, "publicKeyPem": PublicPEM(&p.Key.PublicKey)},
		"assertionMethod": []map[string]string{{"id": p.proofKey(), "type": "Multikey", "controller": p.Actor, "publicKeyMultibase": proof.EncodeMultikey(p.Ed25519.Public().(ed25519.PublicKey))}},
	})
	p.Put("https://"+host+"/.well-known/nodeinfo", map[string]any{"links": []map[string]string{
		{"rel": "https://www.w3.org/ns/activitystreams#Application", "href": p.Actor},
	}})
	n.Serve(host, p)
	return p
}

// PublicPEM is a public key as actors publish it.
func PublicPEM(key *rsa.PublicKey) string {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		panic(err) // an RSA key always encodes
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

func (p *Peer) proofKey() string {
	return p.Actor + "#" + proof.KeyFragment(p.Ed25519.Public().(ed25519.PublicKey))
}

// Put serves v as JSON at an address of the peer.
func (p *Peer) Put(address string, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // the test's own value
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pages[address] = b
}

// Answer makes the inbox answer a status, with headers given as pairs.
func (p *Peer) Answer(status int, header ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status, p.header = status, http.Header{}
	for i := 0; i+1 < len(header); i += 2 {
		p.header.Set(header[i], header[i+1])
	}
}

// Received lists what came to the inbox so far, whatever was answered.
func (p *Peer) Received() []Received {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Received(nil), p.inbox...)
}

// ServeHTTP implements http.Handler.
func (p *Peer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r.Method == http.MethodPost {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		p.inbox = append(p.inbox, Received{Header: r.Header.Clone(), Body: body})
		for name, values := range p.header {
			w.Header()[name] = values
		}
		w.WriteHeader(p.status)
		return
	}
	page, ok := p.pages["https://"+p.Host+r.URL.RequestURI()]
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	kind := "application/activity+json"
	if r.URL.Path == "/.well-known/nodeinfo" {
		kind = "application/json"
	}
	w.Header().Set("Content-Type", kind)
	_, _ = w.Write(page)
}

// Post sends an activity to an inbox, signed as the peer's actor, and returns
// the status of the answer.
func (p *Peer) Post(ctx context.Context, inbox string, activity []byte) (int, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, inbox, bytes.NewReader(activity))
	if err != nil {
		return 0, err
	}
	r.Header.Set("Content-Type", "application/activity+json")
	now := time.Now()
	if p.Now != nil {
		now = p.Now()
	}
	if err := sig.Sign(r, activity, sig.SigningKey{ID: p.Actor + "#main-key", Private: p.Key}, sig.Cavage, now); err != nil {
		return 0, err
	}
	answer, err := p.network.RoundTrip(r)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	return answer.StatusCode, nil
}

// Activity makes an activity of the peer's actor; object is an id or a
// document.
func (p *Peer) Activity(id, kind string, object any) []byte {
	b, err := json.Marshal(map[string]any{
		"@context": "https://www.w3.org/ns/activitystreams", "id": fmt.Sprintf("https://%s/activities/%s", p.Host, id),
		"type": kind, "actor": p.Actor, "object": object, "to": []string{"https://www.w3.org/ns/activitystreams#Public"},
	})
	if err != nil {
		panic(err) // the test's own value
	}
	return b
}

// Sign adds a proof of the peer's actor to a document.
func (p *Peer) Sign(doc []byte, at time.Time) ([]byte, error) {
	signed, err := proof.Sign(doc, p.Ed25519, p.proofKey(), at)
	return signed.Bytes, err
}
