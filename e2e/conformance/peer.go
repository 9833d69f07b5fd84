// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"essaim/e2e/rig"
)

// peer is a scripted server of one host: real HTTPS, documents that a check
// may change, and a record of everything that was delivered.
type peer struct {
	URL  string
	node string // address of the node that its people write to

	keys   keys
	server *http.Server

	mu       sync.Mutex
	docs     map[string]http.HandlerFunc
	actors   map[string]*actor
	inbox    func(d *delivery) (status int)
	received []*delivery
	serial   int
	spoiled  *atomic.Bool
}

// keys are what an actor signs with.
type keys struct {
	rsa *rsa.PrivateKey
	ed  ed25519.PrivateKey
}

// delivery is one POST that the peer received.
type delivery struct {
	at     time.Time
	path   string
	host   string
	header http.Header
	body   []byte
	doc    map[string]any
	answer http.Header
}

// newPeer starts a peer on a loopback address of its own: nodes count
// 127.0.0.2 and 127.0.0.3 as different hosts.
func (w *world) newPeer(ip string) (*peer, error) {
	l, err := net.Listen("tcp", ip+":0")
	if err != nil {
		return nil, err
	}
	p := &peer{URL: "https://" + l.Addr().String(), node: w.a.URL, keys: w.keys, docs: map[string]http.HandlerFunc{}, actors: map[string]*actor{}, spoiled: &w.spoiled}
	p.server = &http.Server{
		Handler: http.HandlerFunc(p.serve), ReadHeaderTimeout: 10 * time.Second,
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{w.ca.Certificate}},
	}
	go func() { _ = p.server.ServeTLS(l, "", "") }() // ends with the suite
	w.Cleanup(func() { _ = p.server.Close() })
	p.describe()
	return p, nil
}

// describe serves what every server of the Fediverse serves.
func (p *peer) describe() {
	p.put("/.well-known/nodeinfo", "application/json", map[string]any{"links": []any{
		map[string]string{"rel": "http://nodeinfo.diaspora.software/ns/schema/2.1", "href": p.URL + "/nodeinfo/2.1"},
		map[string]string{"rel": rig.ASContext + "#Application", "href": p.URL + "/actor"},
	}})
	p.put("/nodeinfo/2.1", "application/json", map[string]any{
		"version": "2.1", "software": map[string]string{"name": "scripted", "version": "1"}, "protocols": []string{"activitypub"},
		"services": map[string]any{"inbound": []string{}, "outbound": []string{}}, "openRegistrations": false,
		"usage": map[string]any{"users": map[string]any{}}, "metadata": map[string]any{"territory": p.URL + "/actors/territory"},
	})
	p.handle("/.well-known/webfinger", func(w http.ResponseWriter, r *http.Request) {
		user, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Query().Get("resource"), "acct:"), "@")
		address := p.URL + "/actors/" + user
		if user == "node" || user == "relay" {
			address = p.URL + "/actor"
		}
		writeJSON(w, "application/jrd+json", map[string]any{
			"subject": "acct:" + user + "@" + rig.Host(p.URL),
			"links":   []any{map[string]string{"rel": "self", "type": activityJSON, "href": address}},
		})
	})
	p.actorAt("/actor", "node", "Application")
	p.actorAt("/actors/territory", "territory", "Organization")
}

func (p *peer) serve(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		p.receive(w, r)
		return
	}
	p.mu.Lock()
	h := p.docs[r.URL.Path]
	p.mu.Unlock()
	if h == nil {
		http.NotFound(w, r)
		return
	}
	h(w, r)
}

func (p *peer) receive(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 4<<20))
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	d := &delivery{at: time.Now(), path: r.URL.Path, host: r.Host, header: r.Header, body: body, answer: w.Header()}
	if p.spoiled.Load() { // a suite that is to fail sees other bytes than came
		d.body = bytes.ReplaceAll(body, []byte(`"type"`), []byte(`"Type"`))
	}
	_ = json.Unmarshal(d.body, &d.doc) // what is no JSON has no document
	p.mu.Lock()
	p.received = append(p.received, d)
	inbox := p.inbox
	p.mu.Unlock()
	status := http.StatusAccepted
	if inbox != nil {
		status = inbox(d)
	}
	w.WriteHeader(status)
}

// onInbox changes what is answered to deliveries.
func (p *peer) onInbox(f func(d *delivery) (status int)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.inbox = f
}

// handle serves an address by a function.
func (p *peer) handle(path string, h http.HandlerFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.docs[path] = h
}

// put serves a document.
func (p *peer) put(path, mediaType string, doc any) {
	p.handle(path, func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, mediaType, doc) })
}

func writeJSON(w http.ResponseWriter, mediaType string, v any) {
	w.Header().Set("Content-Type", mediaType)
	_ = json.NewEncoder(w).Encode(v) // the asker is gone: nobody to tell
}

// deliveries are those whose document satisfies a condition, in order.
func (p *peer) deliveries(want func(d *delivery) bool) []*delivery {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(p.received), func(d *delivery) bool { return !want(d) })
}

// awaited is the first delivery that satisfies a condition, within 20 seconds.
func (w *world) awaited(p *peer, what string, want func(d *delivery) bool) (*delivery, error) {
	var found *delivery
	err := rig.Eventually(w.patience, func() error {
		all := p.deliveries(want)
		if len(all) == 0 {
			return fmt.Errorf("%s never came to %s", what, p.URL)
		}
		found = all[0]
		return nil
	})
	return found, err
}

// actor is somebody at a peer.
type actor struct {
	keys
	peer         *peer
	id, name     string
	kind         string
	keyID, edKey string
	more         map[string]any // further or other properties of the document
}

// actor makes a Person with an inbox of its own behind the peer's shared one.
func (p *peer) actor(name string) *actor { return p.actorAt("/actors/"+name, name, "Person") }

func (p *peer) actorAt(path, name, kind string) *actor {
	id := p.URL + path
	a := &actor{keys: p.keys, peer: p, id: id, name: name, kind: kind, keyID: id + "#main-key", edKey: id + "#ed25519-key", more: map[string]any{}}
	p.mu.Lock()
	p.actors[id] = a
	p.mu.Unlock()
	p.handle(path, func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, activityJSON, a.document()) })
	return a
}

// known is the peer's actor of an id.
func (p *peer) known(id string) *actor {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.actors[id]
}

// someone makes a Person of a name of its own.
func (p *peer) someone() *actor {
	p.mu.Lock()
	p.serial++
	name := fmt.Sprintf("personne%d", p.serial)
	p.mu.Unlock()
	return p.actor(name)
}

// change alters the actor while it is served.
func (a *actor) change(f func()) {
	a.peer.mu.Lock()
	defer a.peer.mu.Unlock()
	f()
}

func (a *actor) document() map[string]any {
	a.peer.mu.Lock()
	defer a.peer.mu.Unlock()
	doc := map[string]any{
		"@context": []any{rig.ASContext, "https://w3id.org/security/v1"},
		"id":       a.id, "type": a.kind, "preferredUsername": a.name, "name": "Acteur scripté " + a.name,
		"inbox": a.id + "/inbox", "outbox": a.id + "/outbox", "followers": a.id + "/followers",
		"endpoints": map[string]string{"sharedInbox": a.peer.URL + "/inbox"},
		"publicKey": map[string]string{"id": a.keyID, "owner": a.id, "publicKeyPem": publicPEM(a.rsa)},
		"assertionMethod": []any{map[string]string{
			"id": a.edKey, "type": "Multikey", "controller": a.id, "publicKeyMultibase": multikey(a.ed.Public().(ed25519.PublicKey)),
		}},
	}
	maps.Copy(doc, a.more)
	return doc
}

func publicPEM(key *rsa.PrivateKey) string {
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		panic(err) // a key that was just made
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// activity makes an activity of the actor; more adds or replaces properties.
func (a *actor) activity(kind string, object any, more map[string]any) map[string]any {
	a.peer.mu.Lock()
	a.peer.serial++
	n := a.peer.serial
	a.peer.mu.Unlock()
	doc := map[string]any{
		"@context": []any{rig.ASContext}, "id": fmt.Sprintf("%s/activities/%s-%d", a.peer.URL, strings.ToLower(kind), n),
		"type": kind, "actor": a.id, "to": []any{rig.Public}, "object": object,
	}
	maps.Copy(doc, more)
	return doc
}

// note makes a public Note of the actor in reply to something.
func (a *actor) note(reply, content string) map[string]any {
	a.peer.mu.Lock()
	a.peer.serial++
	id := fmt.Sprintf("%s/notes/%d", a.peer.URL, a.peer.serial)
	a.peer.mu.Unlock()
	return map[string]any{
		"id": id, "type": "Note", "attributedTo": a.id, "inReplyTo": reply, "content": content,
		"published": stamp(time.Now()), "to": []any{rig.Public}, "cc": []any{},
	}
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func encode(doc any) []byte {
	b, err := json.Marshal(doc)
	if err != nil {
		panic(err) // a value that JSON cannot hold is a fault of the suite
	}
	return b
}
