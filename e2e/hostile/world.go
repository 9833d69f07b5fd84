// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"essaim/e2e/rig"
)

// quiet swallows what servers say of clients that leave.
var quiet = log.New(io.Discard, "", 0)

// world is the node, the hosts around it and what is known of both.
type world struct {
	suite     *rig.Suite
	dir       string
	opt       options
	rng       *rand.Rand
	node      *rig.Node
	pid       int
	client    *http.Client
	authority *rig.Authority
	dns       *nameServer
	watch     *watch
	mail      *mailbox
	fakesMu   sync.RWMutex
	fakes     map[string]*fake // by host
	swarm     http.HandlerFunc // subdomains of evil.test
	swarmed   atomic.Int64     // requests to them since the item began
	swarming  atomic.Int64     // of which under way
	servers   []*http.Server

	routes    map[string]string // of the node, and what the suite adds
	names     names
	object    string            // id of the record that items act upon
	probe     string            // id of the record that honest activities act upon
	sessions  map[string]string // cookie by role
	moderates bool              // the node lists comments and candidates
	browser   *browser          // once something was looked at

	liked      bool   // the honest peer likes the probe
	likeID     string // by this activity
	replayed   []byte // an activity of evil that was applied and taken back
	serial     int
	caller     int          // who calls: an address for each item
	afterwards timings      // of the honest activity after each item
	calm       timings      // of the one after that
	requests   atomic.Int64 // of the node, to all hosts
	inputs     atomic.Int64 // to the node
	spendings  []spending
	goroutines float64
	logged     int64 // how much of the log was looked at
}

// draftTitle names what nobody but its authors may see.
const draftTitle = "Brouillon canari 7c1f"

// hosts are those that items name.
var hosts = []string{"evil.test", "victim.test", "peer.test", "rebind.test", "big.evil.test"}

// build makes the namespace, the hosts and the node.
func (w *world) build(ctx context.Context, bin string) error {
	w.rng = rand.New(rand.NewPCG(w.suite.Seed(), 7))
	if err := isolate(w.dir); err != nil {
		return err
	}
	var err error
	if w.dns, err = newNameServer(); err != nil {
		return err
	}
	if w.watch, err = newWatch(); err != nil {
		return err
	}
	if w.authority, err = rig.NewAuthority(w.dir, "node.test", "*.test", "*.evil.test"); err != nil {
		return err
	}
	w.client = &http.Client{
		Timeout:       20 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: w.authority.Pool}, MaxIdleConnsPerHost: 16,
			DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
				return w.dialer().DialContext(ctx, network, addr)
			},
		},
	}
	w.fakes, w.sessions = map[string]*fake{}, map[string]string{}
	for _, host := range hosts {
		if w.fakes[host], err = newFake(host); err != nil {
			return err
		}
	}
	w.swarm = http.NotFound
	if err := w.serveFakes(); err != nil {
		return err
	}
	w.suite.Cleanup(func() {
		for _, s := range w.servers {
			_ = s.Close() // the suite ends
		}
	})
	if err := w.startNode(ctx, bin); err != nil {
		return err
	}
	if err := w.settle(ctx); err != nil {
		return err
	}
	return w.baseline(ctx)
}

// startNode makes the node: first for development, to learn its addresses,
// then as in production, all of the world open to it and nothing private.
func (w *world) startNode(ctx context.Context, bin string) error {
	metrics, err := rig.FreePort()
	if err != nil {
		return err
	}
	w.watch.allow(metrics)
	if w.mail, err = newMailbox(); err != nil {
		return err
	}
	w.watch.allow(w.mail.port)
	w.node = &rig.Node{
		Bin: bin, Dir: filepath.Join(w.dir, "node"), URL: "https://node.test", Listen: "node.test:443", Pool: w.authority.Pool,
		Metrics: fmt.Sprintf("http://127.0.0.1:%d/metrics", metrics),
		Env: []string{
			"ESSAIM_ALLOW_PRIVATE=", "ESSAIM_TLS_CERT=" + w.authority.CertFile, "ESSAIM_TLS_KEY=" + w.authority.KeyFile,
			"SSL_CERT_FILE=" + w.authority.CAFile, fmt.Sprintf("ESSAIM_METRICS_LISTEN=127.0.0.1:%d", metrics), "ESSAIM_LOG_LEVEL=debug",
			fmt.Sprintf("ESSAIM_SMTP_URL=smtp://127.0.0.1:%d?from=essaim@node.test", w.mail.port),
		},
	}
	if w.opt.db == "postgres" {
		if w.node.Database, err = rig.Postgres(w.suite, "hostile"); err != nil {
			return err
		}
		u, err := url.Parse(w.node.Database)
		if err != nil {
			return err
		}
		port, err := strconv.Atoi(u.Port())
		if err != nil {
			return err
		}
		w.watch.allow(port)
	}
	if err := w.watch.control(); err != nil {
		return err
	}
	if err := w.node.Init(ctx, "Brest", "--epci", "242900314"); err != nil {
		return err
	}
	w.suite.Cleanup(w.node.Kill)
	w.node.Dev = true
	if err := w.node.Start(ctx); err != nil {
		return err
	}
	if err := w.furnish(ctx); err != nil {
		return err
	}
	w.node.Stop()
	w.node.Dev = false
	if err := w.node.Start(ctx); err != nil {
		return err
	}
	w.pid = w.node.Pid()
	return nil
}

// furnish publishes what items act upon, makes accounts and reads the routes.
func (w *world) furnish(ctx context.Context) error {
	for _, at := range []*string{&w.probe, &w.object} {
		var made rig.Listed
		content := map[string]any{
			"title": "Jardin partagé", "tagline": "On y cultive ensemble.", "description": "Deux phrases. Pas plus.",
			"themes": []string{"reemploi"}, "places": []map[string]any{{"insee": "29019", "label": "Brest"}},
		}
		if err := w.node.API(ctx, http.MethodPost, "initiatives", content, &made); err != nil {
			return err
		}
		*at = made.ID
	}
	draft := map[string]any{"title": draftTitle, "tagline": "Pas encore.", "description": "Rien.", "state": "draft"}
	if err := w.node.API(ctx, http.MethodPost, "initiatives", draft, nil); err != nil {
		return err
	}
	if err := w.node.API(ctx, http.MethodGet, "routes", nil, &w.routes); err != nil {
		return err
	}
	for name, path := range w.routes {
		w.routes[name] = strings.TrimPrefix(path, w.node.URL)
	}
	w.routes["OBJ"] = strings.TrimPrefix(w.object, w.node.URL)
	if w.routes["RESET"] == "" {
		w.routes["RESET"] = w.routes["LOGIN"] // the letter that lets someone in again
	}
	w.names = names{
		"NODE": w.node.URL, "EVIL": "https://evil.test", "VICTIM": "https://victim.test", "PEER": "https://peer.test",
		"EACTOR": "https://evil.test/u/evil", "VACTOR": "https://victim.test/u/v", "PACTOR": "https://peer.test/u/p",
		"ALICE": w.node.URL + w.routes["ACTOR"], "VOBJ": "https://victim.test/n/1", "OBJ": w.object,
	}
	quoted, err := json.Marshal(w.fakes["evil.test"].pem)
	if err != nil {
		return err
	}
	w.names["EVIL_PEM"] = strings.Trim(string(quoted), `"`)
	for role, name := range map[string]string{"editor": "animateur", "admin": "admin"} {
		if err := w.signIn(ctx, role, name); err != nil {
			return fmt.Errorf("session of %s: %w", role, err)
		}
	}
	_, err = w.node.Run(ctx, "moderate", "list", "--data", w.node.Dir, "--json")
	w.moderates = err == nil
	return nil
}

var signInLink = regexp.MustCompile(`https://node\.test(/\S+)`)

// signIn makes an account and keeps its cookie.
func (w *world) signIn(ctx context.Context, role, name string) error {
	out, err := w.node.Run(ctx, "user", "add", "--data", w.node.Dir, "--email", role+"@node.test", "--role", name)
	if err != nil {
		return err
	}
	link := signInLink.FindStringSubmatch(out)
	if link == nil {
		return fmt.Errorf("no link in %q", out)
	}
	w.mail.secrets = append(w.mail.secrets, link[1][strings.LastIndexByte(link[1], '/')+1:])
	got, err := w.send(ctx, &request{method: http.MethodPost, target: link[1], header: [][2]string{{"Host", "node.test"}, {"Origin", w.node.URL}}})
	if err != nil {
		return err
	}
	for _, c := range (&http.Response{Header: got.header}).Cookies() {
		if c.Value != "" {
			w.sessions[role] = c.Name + "=" + c.Value
			w.mail.secrets = append(w.mail.secrets, c.Value)
			return nil
		}
	}
	return fmt.Errorf("%d and no cookie", got.status)
}

// settle has the node follow its two honest peers and replicate what items
// try to change.
func (w *world) settle(ctx context.Context) error {
	for _, host := range []string{"victim.test", "peer.test"} {
		if err := w.follow(ctx, host); err != nil {
			return err
		}
	}
	if err := w.post(ctx, w.fakes["victim.test"], w.names["VACTOR"], "Create", w.record("victim.test", "1", "Fiche de la victime", nil), nil); err != nil {
		return err
	}
	newer := map[string]any{"updated": "2026-01-02T00:00:00Z"}
	if err := w.post(ctx, w.fakes["peer.test"], w.names["PACTOR"], "Create", w.record("peer.test", "1", "Fiche du pair", newer), nil); err != nil {
		return err
	}
	alice := map[string]any{
		"id": "https://peer.test/n/alice-1", "type": "Note", "attributedTo": "https://peer.test/u/alice", "content": "<p>Bonjour d’Alice</p>",
		"inReplyTo": w.object, "published": "2026-01-01T00:00:00Z", "to": []string{rig.Public},
	}
	if err := w.post(ctx, w.fakes["peer.test"], "https://peer.test/u/alice", "Create", alice, nil); err != nil {
		return err
	}
	follow := map[string]any{"id": "https://peer.test/f/1"}
	if err := w.post(ctx, w.fakes["peer.test"], w.names["PACTOR"], "Follow", w.names["ALICE"], follow); err != nil {
		return err
	}
	return rig.Eventually(20*time.Second, func() error {
		rows, err := w.node.Records(ctx, "")
		if err != nil {
			return err
		}
		if len(rows) != 4 {
			return fmt.Errorf("%d records, want two of its own and two of its peers", len(rows))
		}
		n, err := w.total(ctx, w.names["ALICE"]+"/followers")
		if err == nil && n != 1 {
			err = fmt.Errorf("%d followers", n)
		}
		return err
	})
}

// follow has the node follow a host, which accepts.
func (w *world) follow(ctx context.Context, host string) error {
	f := w.fakes[host]
	seen := len(f.delivered())
	if _, err := w.node.Run(ctx, "peer", "follow", "--data", w.node.Dir, host); err != nil {
		return err
	}
	return rig.Eventually(20*time.Second, func() error {
		for _, r := range f.delivered()[seen:] {
			if r.Type == "Follow" {
				object := map[string]any{"id": r.ID, "type": "Follow", "actor": r.Actor, "object": r.Obj}
				return w.post(ctx, f, f.url+"/actor", "Accept", object, nil)
			}
		}
		return errors.New(host + " was not asked")
	})
}

// record is a record as a node would publish it, of the actor u/v or u/p.
func (w *world) record(host, name, title string, more map[string]any) map[string]any {
	actor := "https://" + host + "/u/" + host[:1]
	doc := map[string]any{
		"@context": []any{rig.ASContext, map[string]string{"essaim": "https://w3id.org/essaim#", "dcterms": "http://purl.org/dc/terms/"}},
		"id":       "https://" + host + "/n/" + name, "type": "Article", "attributedTo": actor,
		"name": title, "summary": "<p>Une fiche.</p>", "content": "<p>Son texte.</p>", "mediaType": "text/html",
		"url": "https://" + host + "/initiatives/fiche-" + name, "published": "2026-01-01T00:00:00Z", "updated": "2026-01-01T00:00:00Z",
		"to": []string{rig.Public}, "essaim:kind": "initiative", "essaim:revision": 1, "essaim:incarnation": 1,
		"essaim:tagline": "Une fiche venue d'ailleurs.", "essaim:themes": []string{"https://w3id.org/essaim/themes#reemploi"},
		"essaim:territory": actor, "dcterms:license": "https://creativecommons.org/licenses/by-sa/4.0/",
	}
	for k, v := range more {
		doc[k] = v
	}
	return doc
}

// post sends an honest activity, signed by one of a host's actors.
func (w *world) post(ctx context.Context, f *fake, actor, kind string, object any, more map[string]any) error {
	w.serial++
	doc := map[string]any{
		"@context": rig.ASContext, "id": fmt.Sprintf("%s/honest/%d", f.url, w.serial), "type": kind, "actor": actor,
		"to": []string{rig.Public}, "object": object,
	}
	for k, v := range more {
		doc[k] = v
	}
	body, err := json.Marshal(doc)
	if err != nil {
		return err
	}
	status, err := w.deliver(ctx, f, actor, body)
	if err == nil && status/100 != 2 {
		err = fmt.Errorf("%s of %s answered %d", kind, actor, status)
	}
	return err
}

func (w *world) deliver(ctx context.Context, f *fake, actor string, body []byte) (int, error) {
	q := inboxRequest(w.routes["SHARED_INBOX"], body)
	if err := (signing{keyID: actor + "#main-key", key: f.key}).sign(q, body, time.Now()); err != nil {
		return 0, err
	}
	got, err := w.send(ctx, q)
	if err != nil {
		return 0, err
	}
	return got.status, nil
}

func inboxRequest(target string, body []byte) *request {
	return &request{
		method: http.MethodPost, target: target, body: strings.NewReader(string(body)), size: int64(len(body)),
		header: [][2]string{{"Host", "node.test"}, {"Content-Type", rig.ActivityJSON}},
	}
}
