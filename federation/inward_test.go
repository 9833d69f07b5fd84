// SPDX-License-Identifier: AGPL-3.0-or-later

package federation_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"essaim"
	"essaim/federation"
	"essaim/federation/fetch"
	"essaim/federation/sig"
	"essaim/federation/vocab"
)

const (
	here  = "https://brest.example"
	alice = "https://peer.example/users/alice"
	evil  = "https://evil.example/users/evil"
)

var (
	aliceKey = sync.OnceValue(newRSA)
	evilKey  = sync.OnceValue(newRSA)
	edKey    = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{3}, ed25519.SeedSize))
)

func newRSA() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
}

// memory keeps inbound rows and actors by the rules of InboxStore and
// ActorStore. What effects do is the database's, and tested there.
type memory struct {
	mu       sync.Mutex
	rows     []*inbound
	actors   map[string]essaim.RemoteActor
	peers    map[string]essaim.Peer
	records  map[string]essaim.Record
	blocked  map[string]bool
	listed   map[string]bool
	follows  map[string]bool
	trust    map[string]essaim.PeerTrust
	ours     string // actor that the node follows
	fail     error
	received int
	applied  []essaim.Applied
	woken    []string
	// refuse may fail or panic for an activity that is applied.
	refuse func(essaim.Applied) error
	now    func() time.Time
	bells  []chan struct{}
}

type inbound struct {
	essaim.Inbound
	state  essaim.InboundState
	next   time.Time
	lease  time.Time
	reason string
}

func (m *memory) ReceiveActivity(_ context.Context, in essaim.Inbound) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return false, m.fail
	}
	m.received++
	for _, r := range m.rows {
		if r.ActivityID == in.ActivityID {
			return false, nil
		}
	}
	in.ID = int64(len(m.rows) + 1)
	m.rows = append(m.rows, &inbound{Inbound: in, state: essaim.InboundWaiting})
	for _, b := range m.bells {
		select {
		case b <- struct{}{}:
		default:
		}
	}
	return true, nil
}

func (m *memory) ClaimInbound(_ context.Context, n int, lease time.Duration) ([]essaim.Inbound, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var claimed []essaim.Inbound
	for _, r := range m.rows {
		if now := m.now(); len(claimed) < n && r.state == essaim.InboundWaiting && !r.next.After(now) && r.lease.Before(now) {
			r.Attempt++
			r.lease = now.Add(lease)
			claimed = append(claimed, r.Inbound)
		}
	}
	return claimed, nil
}

func (m *memory) Apply(_ context.Context, batch []essaim.Applied) []error {
	m.mu.Lock()
	defer m.mu.Unlock()
	errs := make([]error, len(batch))
	for i, a := range batch {
		if m.refuse != nil && a.State == essaim.InboundApplied {
			if errs[i] = m.refuse(a); errs[i] != nil {
				continue
			}
		}
		r := m.rows[a.ID-1]
		r.state, r.reason, r.next, r.lease = a.State, a.Reason, a.RetryAt, time.Time{}
		m.applied = append(m.applied, a)
	}
	return errs
}

func (m *memory) Standing(_ context.Context, actor string) (essaim.Standing, error) {
	return essaim.Standing{Blocked: m.blocked[actor], Listed: m.listed[actor]}, m.fail
}

func (m *memory) WakeHost(_ context.Context, host string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.woken = append(m.woken, host)
	return nil
}

func (m *memory) Peer(_ context.Context, host string) (essaim.Peer, error) {
	if p, ok := m.peers[host]; ok {
		return p, nil
	}
	return essaim.Peer{}, essaim.ErrNotFound
}

func (m *memory) Record(_ context.Context, id string) (essaim.Record, error) {
	if r, ok := m.records[id]; ok {
		return r, nil
	}
	return essaim.Record{}, essaim.ErrNotFound
}

func (m *memory) Notify() <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	bell := make(chan struct{}, 1)
	m.bells = append(m.bells, bell)
	return bell
}

func (m *memory) RemoteActor(_ context.Context, id string) (essaim.RemoteActor, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if a, ok := m.actors[id]; ok {
		return a, nil
	}
	return essaim.RemoteActor{}, essaim.ErrNotFound
}

func (m *memory) RemoteActorByKey(_ context.Context, id string) (essaim.RemoteActor, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, a := range m.actors {
		for _, k := range a.Keys {
			if k.ID == id {
				return a, nil
			}
		}
	}
	return essaim.RemoteActor{}, essaim.ErrNotFound
}

func (m *memory) StaleActors(context.Context, time.Duration, int) ([]string, error) { return nil, nil }

func (m *memory) DueAvatars(context.Context, int) ([]essaim.Avatar, error) { return nil, nil }

func (m *memory) SaveAvatar(context.Context, essaim.Avatar, string) error { return nil }

func (m *memory) LoseActor(context.Context, string) error { return nil }

func (m *memory) SaveRemoteActor(_ context.Context, a essaim.RemoteActor) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.actors[a.ID] = a
	return nil
}

// home serves documents by id, and counts who asks.
type home struct {
	mu    sync.Mutex
	docs  map[string]string
	errs  map[string]error
	asked map[string]int
	stubs map[string]string // addresses that answer with another's document
	hold  chan struct{}     // when set, answers wait for it
}

func (h *home) Document(ctx context.Context, id string, identify func([]byte) (string, error)) (fetch.Answer, error) {
	h.mu.Lock()
	h.asked[id]++
	doc, err, hold := h.docs[id], h.errs[id], h.hold
	h.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return fetch.Answer{}, essaim.ErrUnavailable
		}
	}
	if err != nil {
		return fetch.Answer{}, err
	}
	if other := h.stubs[id]; other != "" {
		return h.Document(ctx, other, identify) // as the client does
	}
	if doc == "" {
		return fetch.Answer{}, essaim.ErrNotFound
	}
	if got, err := identify([]byte(doc)); err != nil || got != id {
		return fetch.Answer{}, fmt.Errorf("%s: %w", got, essaim.ErrInvalid)
	}
	return fetch.Answer{URL: id, Body: []byte(doc)}, nil
}

func (h *home) set(id, doc string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.docs[id] = doc
}

func (h *home) count(id string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.asked[id]
}

// node is the half of a node that receives.
type node struct {
	*memory
	home   *home
	inbox  *federation.Inbox
	ingest *federation.Ingester
	from   netip.Prefix // that requests come from
	clock  time.Time
	mu     sync.Mutex
}

func (n *node) Now() time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.clock.IsZero() {
		return time.Now()
	}
	return n.clock
}

func (n *node) advance(d time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.clock = n.clock.Add(d)
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newNode(t testing.TB) *node {
	t.Helper()
	n := &node{clock: noon, home: &home{docs: map[string]string{}, errs: map[string]error{}, asked: map[string]int{}}}
	n.memory = &memory{trust: map[string]essaim.PeerTrust{}, actors: map[string]essaim.RemoteActor{}, peers: map[string]essaim.Peer{}, records: map[string]essaim.Record{}, blocked: map[string]bool{}, now: n.Now}
	for id, r := range map[string]essaim.Record{
		"jardin":    {State: essaim.StatePublished, Content: essaim.Content{Kind: essaim.KindInitiative}},
		"rencontre": {State: essaim.StatePublished, Content: essaim.Content{Kind: essaim.KindMeeting}},
		"brouillon": {State: essaim.StateDraft, Content: essaim.Content{Kind: essaim.KindMeeting}},
		"retiree":   {State: essaim.StateWithdrawn, Content: essaim.Content{Kind: essaim.KindMeeting}},
	} {
		r.ID, r.Territory = here+"/objects/"+id, here+"/actors/brest"
		n.records[r.ID] = r
	}
	n.home.docs[alice] = actorDoc(t, alice, &aliceKey().PublicKey)
	n.home.docs[evil] = actorDoc(t, evil, &evilKey().PublicKey)
	actors := federation.NewActors(n.memory, n.home, n.Now)
	log := slog.New(slog.DiscardHandler)
	var err error
	n.inbox, err = federation.NewInbox(federation.InboxConfig{
		Base: here, Store: n.memory, Actors: n.memory, Keys: actors, Now: n.Now, Logger: log,
		Caller: func(*http.Request) netip.Prefix { return n.from },
	})
	if err != nil {
		t.Fatal(err)
	}
	renderer, err := vocab.New(vocab.Config{
		Node: essaim.Node{BaseURL: here, Incarnation: 1, Territory: essaim.Territory{Actor: here + "/actors/brest", Username: "brest", Name: "Brest"}},
		RSA:  &aliceKey().PublicKey, Ed25519: edKey, Now: n.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	ids := 0
	n.ingest, err = federation.NewIngester(federation.IngesterConfig{
		Store: n.memory, Actors: actors, Renderer: renderer, Base: here, Now: n.Now, Logger: log,
		Local: func(_ context.Context, id string) (bool, error) {
			return id == here+"/actor" || id == here+"/actors/brest", nil
		},
		ActivityID: func() string { ids++; return fmt.Sprintf("%s/activities/%d", here, ids) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func actorDoc(t testing.TB, id string, key *rsa.PublicKey, more ...string) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})))
	if err != nil {
		t.Fatal(err)
	}
	origin, _, _ := strings.Cut(id, "/users")
	return fmt.Sprintf(`{"@context":"https://www.w3.org/ns/activitystreams","id":%q,"type":"Person","preferredUsername":"x","inbox":"%s/inbox",
"endpoints":{"sharedInbox":"%s/inbox"},"publicKey":{"id":"%s#main-key","owner":%q,"publicKeyPem":%s}%s}`, id, id, origin, id, id, text, strings.Join(more, ""))
}

// request is a signed POST as the server gets it; edit may change it afterwards.
func (n *node) request(t testing.TB, keyID string, key *rsa.PrivateKey, body string, edit func(*http.Request)) *http.Request {
	t.Helper()
	out, err := http.NewRequest(http.MethodPost, here+"/inbox", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	out.Header.Set("Content-Type", "application/activity+json")
	if err := sig.Sign(out, []byte(body), sig.SigningKey{ID: keyID, Private: key}, sig.Cavage, n.Now()); err != nil {
		t.Fatal(err)
	}
	in := httptest.NewRequest(http.MethodPost, "/inbox", strings.NewReader(body))
	in.Header = out.Header
	if edit != nil {
		edit(in)
	}
	return in
}

// post sends an activity signed by its actor and returns the status.
func (n *node) post(t testing.TB, actor, body string) int {
	t.Helper()
	key := aliceKey()
	if actor == evil {
		key = evilKey()
	}
	return n.do(n.request(t, actor+"#main-key", key, body, nil)).Code
}

func (n *node) do(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	n.inbox.ServeHTTP(w, r)
	return w
}

// activity writes an activity; object is JSON.
func activity(id, typ, actor, object string) string {
	return fmt.Sprintf(`{"@context":"https://www.w3.org/ns/activitystreams","id":%q,"type":%q,"actor":%q,"to":["https://www.w3.org/ns/activitystreams#Public"],"object":%s}`, id, typ, actor, object)
}

func note(id, author, more string) string {
	return fmt.Sprintf(`{"id":%q,"type":"Note","attributedTo":%q,"content":"<p>Bravo</p>"%s}`, id, author, more)
}

var discardLog = slog.New(slog.DiscardHandler)

// slowStore says when it is asked to keep an activity and waits to be let.
type slowStore struct {
	*memory
	started, release chan struct{}
}

func (s *slowStore) ReceiveActivity(ctx context.Context, in essaim.Inbound) (bool, error) {
	close(s.started)
	<-s.release
	return s.memory.ReceiveActivity(ctx, in)
}
