// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"essaim/e2e/rig"
)

// world is what the checks look at: two real nodes on one kind of database, of
// which the second follows the first, and a scripted peer that the first
// follows, all on loopback with TLS.
type world struct {
	*rig.Suite
	ctx      context.Context
	db, dir  string
	ca       *rig.Authority
	keys     keys
	client   *http.Client
	patience time.Duration
	spoiled  atomic.Bool // answers and deliveries are, from now on

	a, b      *rig.Node
	peer      *peer
	territory string // of the first node
	actorIDs  []string
	records   []rig.Listed
	away      away
	fedify    *fedify
	passed    []string // names of tests
}

func newWorld(ctx context.Context, s *rig.Suite, db string) (*world, error) {
	w := &world{Suite: s, ctx: ctx, db: db, patience: 20 * time.Second}
	var err error
	if w.dir, err = os.MkdirTemp("", "essaim-conformance-"); err != nil {
		return nil, err
	}
	s.Cleanup(func() { _ = os.RemoveAll(w.dir) }) // a leftover temporary directory harms nobody
	if w.ca, err = rig.NewAuthority(w.dir); err != nil {
		return nil, err
	}
	if w.keys, err = newKeys(); err != nil {
		return nil, err
	}
	w.client = &http.Client{
		Timeout:       15 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{RootCAs: w.ca.Pool}, MaxIdleConnsPerHost: 16, DisableCompression: true},
	}
	return w, nil
}

func newKeys() (keys, error) {
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return keys{}, err
	}
	_, e, err := ed25519.GenerateKey(rand.Reader)
	return keys{r, e}, err
}

// node makes a node of the world's database and starts it.
func (w *world) node(name string, env []string, perimeter ...string) (*rig.Node, error) {
	port, err := rig.FreePort()
	if err != nil {
		return nil, err
	}
	bin, err := rig.Binary()
	if err != nil {
		return nil, err
	}
	n := &rig.Node{
		Bin: bin, Dir: filepath.Join(w.dir, strings.ToLower(name)), URL: fmt.Sprintf("https://127.0.0.1:%d", port), Pool: w.ca.Pool,
		Env: append([]string{"SSL_CERT_FILE=" + w.ca.CAFile, "ESSAIM_TLS_CERT=" + w.ca.CertFile, "ESSAIM_TLS_KEY=" + w.ca.KeyFile}, env...),
	}
	if w.db == "postgres" {
		if n.Database, err = rig.Postgres(w.Suite, "conformance_"+name); err != nil {
			return nil, err
		}
	}
	w.Cleanup(n.Kill)
	if err := n.Init(w.ctx, name, perimeter...); err != nil {
		return nil, err
	}
	return n, n.Start(w.ctx)
}

// build starts everything.
func (w *world) build() (err error) {
	if w.a, err = w.node("Brest", []string{"ESSAIM_LEMMY_GROUP=on"}, "--epci", "242900314"); err != nil {
		return err
	}
	if w.b, err = w.node("Toulouse", nil, "--epci", "243100518"); err != nil {
		return err
	}
	if w.peer, err = w.newPeer("127.0.0.2"); err != nil {
		return err
	}
	w.territory = text(w.document(w.a.URL+"/nodeinfo/2.1"), "metadata", "territory")
	if w.territory == "" {
		return errors.New("NodeInfo names no territory")
	}
	w.away = w.leave()
	if err := w.settle(); err != nil {
		return err
	}
	// More than two pages of an outbox.
	for i := range 45 {
		if _, err := w.publish(fmt.Sprintf("Initiative %d", i+1)); err != nil {
			return err
		}
	}
	return w.nameActors()
}

// nameActors has an actor of each kind, and finds it served.
func (w *world) nameActors() error {
	organisation := initiative("Un atelier")
	if err := w.a.API(w.ctx, http.MethodPost, "organisations", organisation, nil); err != nil {
		return err
	}
	meeting := initiative("Une fête de quartier")
	meeting["start"], meeting["end"] = "2027-05-01T10:00:00+02:00", "2027-05-01T18:00:00+02:00"
	if err := w.a.API(w.ctx, http.MethodPost, "meetings", meeting, nil); err != nil {
		return err
	}
	if _, err := w.a.Run(w.ctx, "user", "publish", "--data", w.a.Dir, rig.AdminEmail, "--name", "camille", "--title", "Contributrice de démonstration"); err != nil {
		return err
	}
	w.actorIDs = []string{w.a.URL + "/actor", w.territory}
	for _, name := range []string{"theme_reemploi", "commune_brest", "fiche_initiative-1", "structure_un-atelier", "camille", "groupe_brest"} {
		w.actorIDs = append(w.actorIDs, w.a.URL+"/actors/"+name)
	}
	for _, id := range w.actorIDs {
		if a := w.get(id); a.status != http.StatusOK {
			return fmt.Errorf("%s: %d", id, a.status)
		}
	}
	return nil
}

// settle makes the second node and the peer followed.
func (w *world) settle() error {
	node := w.peer.actorAt("/actor", "node", "Application")
	w.peer.onInbox(func(d *delivery) int {
		if d.doc["type"] == "Follow" {
			go w.post(node, text(d.doc, "actor")+"/inbox", node.activity("Accept", d.doc, nil), cavage{}) // its effect is waited for
		}
		return http.StatusAccepted
	})
	if err := w.follows(w.b, rig.Host(w.a.URL)); err != nil {
		return err
	}
	return w.follows(w.a, rig.Host(w.peer.URL))
}

// follows makes a node follow a host and waits until it does.
func (w *world) follows(n *rig.Node, host string) error {
	if _, err := n.Run(w.ctx, "peer", "follow", "--data", n.Dir, host); err != nil {
		return err
	}
	return rig.Eventually(20*time.Second, func() error {
		out, err := n.Run(w.ctx, "peer", "list", "--data", n.Dir)
		if err == nil && !strings.Contains(out, " followed ") {
			err = errors.New(out)
		}
		return err
	})
}

// publish writes an initiative at the first node.
func (w *world) publish(title string) (rig.Listed, error) {
	var made rig.Listed
	err := w.a.API(w.ctx, http.MethodPost, "initiatives", initiative(title), &made)
	if err == nil {
		w.records = append(w.records, made)
	}
	return made, err
}

func initiative(title string) map[string]any {
	return map[string]any{
		"title": title, "tagline": "Racontée pour ce contrôle.", "description": "Deux phrases. Pas plus.",
		"themes": []string{"reemploi"}, "places": []map[string]any{{"insee": "29019", "label": "Brest", "lat": 48.0, "lon": -4.5}},
	}
}

// liked sends a Like of a record in some way and tells whether it counted. What
// was accepted may take a moment; what was refused never does, so that after a
// good Like by another actor of the same kind it would have.
func (w *world) liked(j *judge, what string, r rig.Listed, want bool, send func(like map[string]any) answer) {
	before, err := w.total(r.ID + "/likes")
	j.no(err)
	like := w.peer.someone().activity("Like", r.ID, nil)
	a := send(like)
	if want {
		among(j, what+": status", a.status, 200, 201, 202, 204)
		j.soon(w.patience, func() error { return w.errTotal(r.ID+"/likes", before+1) })
		return
	}
	among(j, what+": status", a.status, 400, 401, 403)
	control := w.peer.someone()
	same(j, what+": control", w.post(control, w.a.URL+"/inbox", control.activity("Like", r.ID, nil), cavage{}).status, http.StatusAccepted)
	j.soon(w.patience, func() error { return w.errTotal(r.ID+"/likes", before+1) })
}

// record is the row of an id that a node lists, if it does.
func (w *world) record(n *rig.Node, id string) (rig.Listed, bool, error) {
	rows, err := n.Records(w.ctx, "")
	for _, r := range rows {
		if r.ID == id {
			return r, true, err
		}
	}
	return rig.Listed{}, false, err
}

// titled is why a node does not list an id under a title; an empty title means
// not at all.
func (w *world) titled(n *rig.Node, id, title string) error {
	r, ok, err := w.record(n, id)
	switch {
	case err != nil:
		return err
	case title == "" && ok:
		return fmt.Errorf("%s lists %s as %q", n.URL, id, r.Title)
	case title != "" && r.Title != title:
		return fmt.Errorf("%s lists %s as %q, want %q", n.URL, id, r.Title, title)
	}
	return nil
}

// spoiler answers for the node with what no check may let pass: the proof that
// each can fail.
type spoiler struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (s spoiler) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := s.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	switch {
	case resp.StatusCode >= 400:
		resp.StatusCode = http.StatusAccepted
	case resp.StatusCode >= 200:
		resp.StatusCode = http.StatusInternalServerError
	}
	resp.Body.Close()
	resp.Header = http.Header{"Content-Type": {"text/html"}}
	resp.Body = http.NoBody
	resp.ContentLength = 0
	return resp, nil
}

// spoil has every later answer spoiled.
func (w *world) spoil() {
	w.spoiled.Store(true)
	w.client.Transport = spoiler{w.client.Transport}
	w.patience = 300 * time.Millisecond
}

// has tells whether a body mentions a text.
func (a answer) has(s string) bool { return bytes.Contains(a.body, []byte(s)) }
