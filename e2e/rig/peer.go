// SPDX-License-Identifier: AGPL-3.0-or-later

package rig

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// ASContext is the context of every document of ours.
const ASContext = "https://www.w3.org/ns/activitystreams"

// Public is the address of everyone (ActivityPub 5.6).
const Public = ASContext + "#Public"

// Peer is a scripted server with actors of its own, all with one key pair. It
// signs with its own few lines (draft-cavage-http-signatures-12), so that it
// shares no misunderstanding with the node.
type Peer struct {
	URL    string
	key    *rsa.PrivateKey
	public string
	server *http.Server
	client *http.Client

	mu    sync.Mutex
	inbox func(w http.ResponseWriter, r *http.Request, body []byte)
	name  string // of its actors; one of their own when empty
	face  []byte // a PNG
	gone  bool
}

// NewPeer starts a peer on a free port. inbox sees each POST to an inbox; nil
// answers 202.
func NewPeer(inbox func(http.ResponseWriter, *http.Request, []byte)) (*Peer, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Peer{
		URL:    "http://" + l.Addr().String(),
		key:    key,
		public: string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})),
		inbox:  inbox,
		client: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
	}
	p.server = &http.Server{Handler: p.handler(), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = p.server.Serve(l) }() // ends with Close
	return p, nil
}

// Close stops the peer.
func (p *Peer) Close() { _ = p.server.Close() }

// OnInbox changes what happens with what is delivered.
func (p *Peer) OnInbox(f func(http.ResponseWriter, *http.Request, []byte)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.inbox = f
}

// Portray gives the peer's actors a display name and a picture, a PNG.
func (p *Peer) Portray(name string, picture []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.name, p.face = name, picture
}

// Leave has the peer's actors and their picture be gone.
func (p *Peer) Leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gone = true
}

// Actor is the id of the peer's actor of a name; "territory" is an
// Organization, "node" the Application, others are Persons.
func (p *Peer) Actor(name string) string {
	if name == "node" {
		return p.URL + "/actor"
	}
	return p.URL + "/actors/" + name
}

func (p *Peer) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /actor", func(w http.ResponseWriter, _ *http.Request) { p.writeActor(w, "node", "Application") })
	mux.HandleFunc("GET /actors/{name}", func(w http.ResponseWriter, r *http.Request) {
		kind := "Person"
		if r.PathValue("name") == "territory" {
			kind = "Organization"
		}
		p.writeActor(w, r.PathValue("name"), kind)
	})
	mux.HandleFunc("GET /face.png", func(w http.ResponseWriter, _ *http.Request) {
		p.mu.Lock()
		face, gone := p.face, p.gone
		p.mu.Unlock()
		if gone || face == nil {
			http.Error(w, "gone", http.StatusGone)
			return
		}
		w.Header().Set("Content-Type", "image/png")
		_, _ = w.Write(face) // the asker is gone: nobody to tell
	})
	mux.HandleFunc("GET /.well-known/nodeinfo", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, "application/json", map[string]any{"links": []map[string]string{
			{"rel": "http://nodeinfo.diaspora.software/ns/schema/2.1", "href": p.URL + "/nodeinfo/2.1"},
			{"rel": ASContext + "#Application", "href": p.Actor("node")},
		}})
	})
	mux.HandleFunc("GET /nodeinfo/2.1", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, "application/json", map[string]any{
			"version": "2.1", "software": map[string]string{"name": "scripted", "version": "1"}, "protocols": []string{"activitypub"},
			"services": map[string]any{"inbound": []string{}, "outbound": []string{}}, "openRegistrations": false,
			"usage":    map[string]any{"users": map[string]any{}},
			"metadata": map[string]any{"territory": map[string]any{"actor": p.Actor("territory"), "name": "Territoire scripté"}},
		})
	})
	mux.HandleFunc("GET /.well-known/webfinger", func(w http.ResponseWriter, r *http.Request) {
		name := "node"
		if acct, ok := strings.CutPrefix(r.URL.Query().Get("resource"), "acct:"); ok {
			name, _, _ = strings.Cut(acct, "@")
		}
		writeJSON(w, "application/jrd+json", map[string]any{
			"subject": "acct:" + name + "@" + Host(p.URL),
			"links":   []map[string]string{{"rel": "self", "type": ActivityJSON, "href": p.Actor(name)}},
		})
	})
	mux.HandleFunc("POST /", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, 4<<20))
		if err != nil {
			http.Error(w, "unreadable", http.StatusBadRequest)
			return
		}
		p.mu.Lock()
		inbox := p.inbox
		p.mu.Unlock()
		if inbox == nil {
			w.WriteHeader(http.StatusAccepted)
			return
		}
		inbox(w, r, body)
	})
	return mux
}

func writeJSON(w http.ResponseWriter, mediaType string, v any) {
	w.Header().Set("Content-Type", mediaType)
	_ = json.NewEncoder(w).Encode(v) // the asker is gone: nobody to tell
}

func (p *Peer) writeActor(w http.ResponseWriter, name, kind string) {
	doc := p.actorDocument(p.Actor(name), name, kind)
	doc["endpoints"] = map[string]string{"sharedInbox": p.URL + "/inbox"}
	p.mu.Lock()
	called, face, gone := p.name, p.face, p.gone
	p.mu.Unlock()
	if gone {
		http.Error(w, "gone", http.StatusGone)
		return
	}
	if called != "" {
		doc["name"] = called
	}
	if face != nil {
		doc["icon"] = map[string]string{"type": "Image", "mediaType": "image/png", "url": p.URL + "/face.png"}
	}
	writeJSON(w, ActivityJSON, doc)
}

// WriteActor serves a Person of any host with the peer's key and an inbox of
// its own: for suites that serve actors on hosts of their own.
func (p *Peer) WriteActor(w http.ResponseWriter, id string) {
	writeJSON(w, ActivityJSON, p.actorDocument(id, "a"+id[strings.LastIndexByte(id, '/')+1:], "Person"))
}

// WriteSharing is WriteActor for one that shares an inbox with others.
func (p *Peer) WriteSharing(w http.ResponseWriter, id, inbox string) {
	doc := p.actorDocument(id, "a"+id[strings.LastIndexByte(id, '/')+1:], "Person")
	doc["endpoints"] = map[string]string{"sharedInbox": inbox}
	writeJSON(w, ActivityJSON, doc)
}

func (p *Peer) actorDocument(id, name, kind string) map[string]any {
	return map[string]any{
		"@context": []any{ASContext, "https://w3id.org/security/v1"},
		"id":       id, "type": kind, "preferredUsername": name, "name": "Acteur scripté " + name,
		"inbox": id + "/inbox", "outbox": id + "/outbox", "followers": id + "/followers",
		"publicKey": map[string]string{"id": id + "#main-key", "owner": id, "publicKeyPem": p.public},
	}
}

// Sign signs a request as an actor of the peer, in the manner of Mastodon.
func (p *Peer) Sign(req *http.Request, actor string, body []byte) error {
	req.Header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	names := []string{"(request-target)", "host", "date"}
	values := []string{strings.ToLower(req.Method) + " " + req.URL.RequestURI(), req.URL.Host, req.Header.Get("Date")}
	if body != nil {
		sum := sha256.Sum256(body)
		req.Header.Set("Digest", "SHA-256="+base64.StdEncoding.EncodeToString(sum[:]))
		req.Header.Set("Content-Type", ActivityJSON)
		names = append(names, "digest", "content-type")
		values = append(values, req.Header.Get("Digest"), ActivityJSON)
	}
	var base strings.Builder
	for i, n := range names {
		if i > 0 {
			base.WriteByte('\n')
		}
		base.WriteString(n + ": " + values[i])
	}
	sum := sha256.Sum256([]byte(base.String()))
	sig, err := rsa.SignPKCS1v15(nil, p.key, crypto.SHA256, sum[:])
	if err != nil {
		return err
	}
	req.Header.Set("Signature", fmt.Sprintf(`keyId="%s#main-key",algorithm="rsa-sha256",headers="%s",signature="%s"`,
		actor, strings.Join(names, " "), base64.StdEncoding.EncodeToString(sig)))
	return nil
}

// Trust makes the peer trust a test authority in what it sends.
func (p *Peer) Trust(pool *x509.CertPool) {
	p.client.Transport = &http.Transport{MaxIdleConnsPerHost: 64, TLSClientConfig: &tls.Config{RootCAs: pool}}
}

// Post signs a body as an actor and posts it; the status is 0 when the
// connection failed.
func (p *Peer) Post(ctx context.Context, inbox, actor string, body []byte) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, inbox, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	if err := p.Sign(req, actor, body); err != nil {
		return 0, err
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	answer, _ := io.ReadAll(io.LimitReader(resp.Body, 500)) // for the message only
	if resp.StatusCode/100 != 2 {
		return resp.StatusCode, fmt.Errorf("%s: %s", resp.Status, strings.TrimSpace(string(answer)))
	}
	return resp.StatusCode, nil
}

// Activity makes the bytes of an activity of the peer.
func (p *Peer) Activity(kind, id, actor string, object any, more map[string]any) []byte {
	doc := map[string]any{
		"@context": []any{ASContext}, "id": p.URL + "/activities/" + id, "type": kind, "actor": actor,
		"to": []string{Public}, "object": object,
	}
	for k, v := range more {
		doc[k] = v
	}
	b, err := json.Marshal(doc)
	if err != nil {
		panic(err) // a value that JSON cannot hold is a fault of the suite
	}
	return b
}
