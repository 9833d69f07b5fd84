// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"essaim/e2e/rig"
)

// fake is a host that the suite plays: actors with one key, documents, and
// whatever an item has it say.
type fake struct {
	host string
	url  string
	key  *rsa.PrivateKey
	pem  string

	mu        sync.Mutex
	pages     map[string]http.HandlerFunc // by path
	anything  http.HandlerFunc            // what no page answers; nil is 404
	gets      map[string]int              // by path
	total     int
	posts     []received
	inbox     http.HandlerFunc
	atOnce    int
	mostAtOne int
}

// received is an activity delivered to a fake host.
type received struct {
	Path  string
	at    time.Time
	Type  string          `json:"type"`
	ID    string          `json:"id"`
	Actor string          `json:"actor"`
	Obj   json.RawMessage `json:"object"`
}

func newFake(host string) (*fake, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	f := &fake{host: host, url: "https://" + host, key: key, gets: map[string]int{}, pages: map[string]http.HandlerFunc{}}
	f.pem, err = publicPEM(&key.PublicKey)
	return f, err
}

func publicPEM(key any) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), err
}

// actor is an actor's document, changed by change when that is not nil.
func (f *fake) actor(id, kind string, change map[string]any) map[string]any {
	doc := map[string]any{
		"@context": []string{rig.ASContext, "https://w3id.org/security/v1"},
		"id":       id, "type": kind, "preferredUsername": id[strings.LastIndexByte(id, '/')+1:], "name": "Acteur de " + f.host,
		"inbox": id + "/inbox", "outbox": id + "/outbox", "followers": id + "/followers",
		"endpoints": map[string]string{"sharedInbox": f.url + "/inbox"},
		"publicKey": map[string]string{"id": id + "#main-key", "owner": id, "publicKeyPem": f.pem},
	}
	maps.Copy(doc, change)
	return doc
}

// put serves something under a path until cleared.
func (f *fake) put(path string, h http.HandlerFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pages[path] = h
}

// putActor serves an actor's document at its path and gives its id.
func (f *fake) putActor(path, kind string, change map[string]any) string {
	id := f.url + path
	f.put(path, document(rig.ActivityJSON, f.actor(id, kind, change)))
	return id
}

// clear forgets what an item put there.
func (f *fake) clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.pages)
	clear(f.gets)
	f.total, f.posts, f.anything, f.inbox, f.mostAtOne = 0, nil, nil, nil, 0
}

// asked is how often a path was fetched since the last clear; all paths when
// it is empty.
func (f *fake) asked(path string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	if path == "" {
		return f.total
	}
	return f.gets[path]
}

// askedBelow is how often paths that begin so were fetched since the last clear.
func (f *fake) askedBelow(prefix string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for path, times := range f.gets {
		if strings.HasPrefix(path, prefix) {
			n += times
		}
	}
	return n
}

// recount begins to count anew, and leaves what is served.
func (f *fake) recount() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.gets)
	f.total, f.mostAtOne = 0, 0
}

// underWay is how many requests are being answered.
func (f *fake) underWay() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.atOnce
}

func (f *fake) most() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.mostAtOne
}

// delivered lists what came to the host's inboxes since the last clear.
func (f *fake) delivered() []received {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]received(nil), f.posts...)
}

// document serves v.
func document(mediaType string, v any) http.HandlerFunc {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err) // the suite's own value
	}
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", mediaType)
		_, _ = w.Write(body) // the asker is gone: nobody to tell
	}
}

// ServeHTTP implements http.Handler.
func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		f.receive(w, r)
		return
	}
	f.mu.Lock()
	f.gets[r.URL.Path]++
	f.total++
	f.atOnce++
	f.mostAtOne = max(f.mostAtOne, f.atOnce)
	page, ok := f.pages[r.URL.Path]
	anything := f.anything
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		f.atOnce--
		f.mu.Unlock()
	}()
	switch {
	case ok:
		page(w, r)
	case r.URL.Path == "/actor":
		document(rig.ActivityJSON, f.actor(f.url+"/actor", "Application", nil))(w, r)
	case r.URL.Path == "/.well-known/nodeinfo":
		document("application/json", map[string]any{"links": []map[string]string{
			{"rel": "http://nodeinfo.diaspora.software/ns/schema/2.1", "href": f.url + "/nodeinfo/2.1"},
			{"rel": rig.ASContext + "#Application", "href": f.url + "/actor"},
		}})(w, r)
	case r.URL.Path == "/nodeinfo/2.1":
		f.nodeInfo(w, r)
	case r.URL.Path == "/.well-known/webfinger":
		f.webFinger(w, r)
	case anything != nil:
		anything(w, r)
	default:
		f.known(w, r)
	}
}

// known serves the actors that the items name: u/v and u/p are territories.
func (f *fake) known(w http.ResponseWriter, r *http.Request) {
	name, ok := strings.CutPrefix(r.URL.Path, "/u/")
	if !ok || strings.Contains(name, "/") || strings.HasPrefix(name, "gone") {
		http.NotFound(w, r)
		return
	}
	kind := "Person"
	if name == "v" || name == "p" {
		kind = "Organization"
	}
	document(rig.ActivityJSON, f.actor(f.url+r.URL.Path, kind, nil))(w, r)
}

func (f *fake) nodeInfo(w http.ResponseWriter, r *http.Request) {
	territory := f.url + "/u/" + f.host[:1] // victim.test is u/v, peer.test u/p
	document("application/json", map[string]any{
		"version": "2.1", "software": map[string]string{"name": "scripted", "version": "1"}, "protocols": []string{"activitypub"},
		"services": map[string]any{"inbound": []string{}, "outbound": []string{}}, "openRegistrations": false,
		"usage":    map[string]any{"users": map[string]any{}},
		"metadata": map[string]any{"territory": map[string]any{"actor": territory, "name": "Territoire de " + f.host}},
	})(w, r)
}

func (f *fake) webFinger(w http.ResponseWriter, r *http.Request) {
	name, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Query().Get("resource"), "acct:"), "@")
	document("application/jrd+json", map[string]any{
		"subject": "acct:" + name + "@" + f.host,
		"links":   []map[string]string{{"rel": "self", "type": rig.ActivityJSON, "href": f.url + "/u/" + url.PathEscape(name)}},
	})(w, r)
}

func (f *fake) receive(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 4<<20))
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	got := received{Path: r.URL.Path, at: time.Now()}
	_ = json.Unmarshal(body, &got) // what is no activity counts as a delivery all the same
	f.mu.Lock()
	f.posts = append(f.posts, got)
	inbox := f.inbox
	f.mu.Unlock()
	if inbox != nil {
		inbox(w, r)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

// serveFakes answers for every host of the suite, and for what stands inside:
// plain HTTP on each address and a few ports, which nobody should ever ask.
func (w *world) serveFakes() error {
	handler := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.fakesMu.RLock()
		f, swarm := w.fakes[strings.ToLower(r.Host)], w.swarm
		w.fakesMu.RUnlock()
		w.requests.Add(1)
		if f != nil {
			f.ServeHTTP(rw, r)
			return
		}
		if strings.HasSuffix(r.Host, ".evil.test") {
			w.swarmed.Add(1)
			w.swarming.Add(1)
			defer w.swarming.Add(-1)
			swarm(rw, r)
			return
		}
		http.NotFound(rw, r)
	})
	config := &tls.Config{Certificates: []tls.Certificate{w.authority.Certificate}}
	for _, at := range []string{fakeAddr.String() + ":443", evilAddr.String() + ":443"} {
		l, err := tls.Listen("tcp", at, config)
		if err != nil {
			return err
		}
		w.serve(l, handler)
	}
	// Whoever reaches these gets an actor signed with evil's key, so that an
	// activity of a "localhost" would even be believed.
	evil := w.fakes["evil.test"]
	inside := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		evil.mu.Lock()
		evil.gets["inside"]++
		evil.mu.Unlock()
		document(rig.ActivityJSON, evil.actor("http://"+r.Host+r.URL.Path, "Person", nil))(rw, r)
	})
	for _, at := range []string{":80", ":9", ":22", ":25", ":5432"} {
		l, err := net.Listen("tcp", at)
		if err != nil {
			return err
		}
		w.serve(l, inside)
	}
	return nil
}

// setSwarm says what the subdomains of evil.test answer.
func (w *world) setSwarm(h http.HandlerFunc) {
	w.fakesMu.Lock()
	defer w.fakesMu.Unlock()
	w.swarm = h
}

func (w *world) serve(l net.Listener, h http.Handler) {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ErrorLog: quiet}
	w.servers = append(w.servers, server)
	go func() { _ = server.Serve(l) }() // ends with Close
}
