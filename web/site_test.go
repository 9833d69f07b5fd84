// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"essaim"
	"essaim/store"
	"essaim/store/storetest"
)

// site is a node's site on a real database, with records of each kind, some of
// another territory, and an account.
type site struct {
	*Server
	store   *store.Store
	clock   *storetest.Clock
	records map[essaim.Kind]essaim.Record // local, published, with every field
	draft   essaim.Record
	token   string
	session string
	cfg     Config
}

const (
	toulouse      = "toulouse.example"
	toulouseActor = "https://toulouse.example/actors/toulouse"
	adminEmail    = "animatrice@brest.example"
)

// newSite makes the site of Brest; with changes its configuration.
func newSite(t testing.TB, db storetest.DB, with ...func(*Config)) *site {
	t.Helper()
	st, clock := db.Node(t)
	s := &site{store: st, clock: clock, records: map[essaim.Kind]essaim.Record{}}
	user, err := st.CreateUser(t.Context(), essaim.User{Email: adminEmail, Name: "Animatrice de démonstration", Role: essaim.RoleAdmin})
	if err != nil {
		t.Fatal(err)
	}
	s.token, s.session = "jeton-de-test", "session-de-test"
	if err := st.NewToken(t.Context(), user.ID, "test", s.token); err != nil {
		t.Fatal(err)
	}
	if err := st.NewSignIn(t.Context(), user.ID, "lien", clock.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, err := st.UseSignIn(t.Context(), "lien", s.session, clock.Now().Add(24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	s.cfg = Config{
		Node: essaim.Node{BaseURL: storetest.Base, Territory: essaim.Territory{
			Actor: storetest.Base + "/actors/brest", Username: "brest", Name: "Brest", EPCIs: []string{"242900314"},
		}},
		Store: st, Now: clock.Now, Version: "test",
	}
	for _, f := range with {
		f(&s.cfg)
	}
	if s.Server, err = New(s.cfg); err != nil {
		t.Fatal(err)
	}
	return s
}

// fill publishes a record of each kind with every field, a draft, and a record
// of each kind of Toulouse.
func (s *site) fill(t testing.TB) *site {
	t.Helper()
	for _, c := range fullContents() {
		s.records[c.Kind] = storetest.Publish(t, s.store, c)
	}
	var err error
	s.draft, err = s.store.CreateRecord(t.Context(), essaim.NewRecord{
		Content: essaim.Content{Kind: essaim.KindInitiative, Title: "Brouillon secret", Body: &essaim.Initiative{}}, State: essaim.StateDraft, Author: storetest.Author,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.follow(t)
	for _, c := range fullContents() {
		s.replicate(t, c, 1)
	}
	return s
}

// follow makes Toulouse a followed peer.
func (s *site) follow(t testing.TB) {
	t.Helper()
	peer := essaim.Peer{
		Host: toulouse, Actor: "https://toulouse.example/actor", Territory: toulouseActor, TerritoryName: "Toulouse", Username: "toulouse",
		URL: "https://toulouse.example/", Inbox: "https://toulouse.example/inbox", FollowID: storetest.Base + "/activities/follow",
	}
	err := s.store.FollowPeer(t.Context(), peer, essaim.Outgoing{ActivityID: peer.FollowID, Actor: storetest.Base + "/actor", Inbox: peer.Inbox, OrderKey: "k", Body: []byte("{}")})
	if err != nil {
		t.Fatal(err)
	}
	s.apply(t, peer.Actor, essaim.PeerAnswer{FollowID: peer.FollowID, Actor: peer.Actor, Accepted: true})
}

// replicate stores a version of a record of Toulouse.
func (s *site) replicate(t testing.TB, c essaim.Content, revision int) essaim.Record {
	t.Helper()
	slug := essaim.Slug(c.Title)
	rec := essaim.Record{
		ID: "https://toulouse.example/objects/" + slug, Slug: slug, Origin: toulouse, Territory: toulouseActor, TerritoryName: "Toulouse",
		URL: "https://toulouse.example/fiches/" + slug, State: essaim.StatePublished, Incarnation: 1, Revision: revision,
		Published: s.clock.Now(), Updated: s.clock.Now(), ContentDigest: "00", CopyDigest: "00", Content: c,
	}
	s.apply(t, toulouseActor, essaim.Replicate{Record: rec, Document: []byte("{}")})
	return rec
}

// apply takes in an activity that comes to some effects.
func (s *site) apply(t testing.TB, actor string, effects ...essaim.Effect) {
	t.Helper()
	id := "https://toulouse.example/activities/" + fmt.Sprint(s.clock.Now().UnixNano())
	if _, err := s.store.ReceiveActivity(t.Context(), essaim.Inbound{ActivityID: id, Type: "Create", Actor: actor, Raw: []byte("{}"), ReceivedAt: s.clock.Now()}); err != nil {
		t.Fatal(err)
	}
	in, err := s.store.ClaimInbound(t.Context(), 1, time.Minute)
	if err != nil || len(in) != 1 {
		t.Fatalf("claimed %v, %v", in, err)
	}
	for _, err := range s.store.Apply(t.Context(), []essaim.Applied{{ID: in[0].ID, Attempt: in[0].Attempt, State: essaim.InboundApplied, Effects: effects}}) {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// asked changes a request before it is made.
type asked func(*http.Request)

// signedIn sends the administrator's session, bearer her token.
func (s *site) signedIn(r *http.Request) {
	r.AddCookie(&http.Cookie{Name: s.cookieName(), Value: s.session})
}
func (s *site) bearer(r *http.Request) { r.Header.Set("Authorization", "Bearer "+s.token) }

func header(name, value string) asked { return func(r *http.Request) { r.Header.Set(name, value) } }

// ask makes a request.
func (s *site) ask(method, path, body string, with ...asked) *http.Response {
	r := httptest.NewRequestWithContext(context.Background(), method, storetest.Base+path, strings.NewReader(body))
	r.RemoteAddr = "192.0.2.1:1234"
	for _, f := range with {
		f(r)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Result()
}

// get reads a page and fails the test when its status is another.
func (s *site) get(t testing.TB, path string, status int, with ...asked) *doc {
	t.Helper()
	return read(t, s.ask(http.MethodGet, path, "", with...), path, status)
}

// post sends a form as a browser does from a page of the site.
func (s *site) post(path string, form url.Values, with ...asked) *http.Response {
	return s.ask(http.MethodPost, path, form.Encode(), append([]asked{
		header("Content-Type", "application/x-www-form-urlencoded"), header("Sec-Fetch-Site", "same-origin"),
	}, with...)...)
}

// doc is a page as a browser reads it.
type doc struct {
	resp *http.Response
	raw  string
	root *html.Node
}

func read(t testing.TB, resp *http.Response, path string, status int) *doc {
	t.Helper()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != status {
		t.Fatalf("%s answers %d, want %d: %.2000s", path, resp.StatusCode, status, b)
	}
	root, err := html.Parse(strings.NewReader(string(b)))
	if err != nil {
		t.Fatal(err)
	}
	return &doc{resp: resp, raw: string(b), root: root}
}

// all lists the elements of a name, "*" for any.
func (d *doc) all(name string) []*html.Node {
	var out []*html.Node
	for n := range d.root.Descendants() {
		if n.Type == html.ElementNode && (name == "*" || n.Data == name) {
			out = append(out, n)
		}
	}
	return out
}

// with lists the elements of a name that have an attribute of a value.
func (d *doc) with(name, attribute, value string) []*html.Node {
	var out []*html.Node
	for _, n := range d.all(name) {
		if v, ok := attr(n, attribute); ok && (v == value || value == "*") {
			out = append(out, n)
		}
	}
	return out
}

func attr(n *html.Node, name string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

func value(n *html.Node, name string) string {
	v, _ := attr(n, name)
	return v
}

// text is what a person reads, with single plain spaces.
func (d *doc) text() string { return textOf(d.root) }

func textOf(n *html.Node) string {
	var b strings.Builder
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.TextNode {
			b.WriteString(n.Data)
			b.WriteByte(' ')
		}
		if n.Type == html.ElementNode && (n.Data == "script" || n.Data == "style") {
			return
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
	}
	walk(n)
	return plain(b.String())
}

// plain gives text single ordinary spaces and straight apostrophes.
func plain(s string) string {
	s = strings.NewReplacer("\u00a0", " ", "\u202f", " ", "\u2009", " ", "’", "'").Replace(s)
	return strings.Join(strings.Fields(s), " ")
}

func (d *doc) says(t testing.TB, words ...string) {
	t.Helper()
	text := d.text()
	for _, w := range words {
		if !strings.Contains(text, plain(w)) {
			t.Errorf("the page does not say %q: %.1500s", w, text)
		}
	}
}

func (d *doc) hides(t testing.TB, words ...string) {
	t.Helper()
	for _, w := range words {
		if strings.Contains(d.raw, w) {
			t.Errorf("the page shows %q", w)
		}
	}
}

// fields are what a browser sends of the form on a page, by its first button
// that publishes or saves.
func fields(d *doc) url.Values {
	out := url.Values{}
	for _, n := range d.with("*", "name", "*") {
		if within(n, "form") && len(d.with("form", "method", "post")) > 0 && formOf(n) != d.with("form", "method", "post")[0] {
			continue
		}
		name := value(n, "name")
		switch n.Data {
		case "input":
			kind := value(n, "type")
			if _, checked := attr(n, "checked"); (kind == "checkbox" || kind == "radio") && !checked {
				continue
			}
			out.Add(name, value(n, "value"))
		case "textarea":
			if n.FirstChild != nil {
				out.Add(name, n.FirstChild.Data)
			}
		case "select":
			chosen := ""
			for o := range n.Descendants() {
				if _, ok := attr(o, "selected"); ok {
					chosen = value(o, "value")
				}
			}
			out.Add(name, chosen)
		}
	}
	out.Set("state", "published")
	return out
}

func formOf(n *html.Node) *html.Node {
	for p := n.Parent; p != nil; p = p.Parent {
		if p.Data == "form" {
			return p
		}
	}
	return nil
}

func asJSON(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
