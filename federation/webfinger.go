// SPDX-License-Identifier: AGPL-3.0-or-later

package federation

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"essaim"
	"essaim/federation/vocab"
)

// descriptor is a JSON resource descriptor (RFC 7033 4.4).
type descriptor struct {
	Subject string   `json:"subject"`
	Aliases []string `json:"aliases,omitempty"`
	Links   []jrd    `json:"links"`
}

type jrd struct {
	Rel  string `json:"rel"`
	Type string `json:"type,omitempty"`
	Href string `json:"href,omitempty"`
}

const (
	relSelf    = "self"
	relProfile = "http://webfinger.net/rel/profile-page"
	// relServer links the node's own actor (FEP-d556).
	relServer = "https://www.w3.org/ns/activitystreams#Service"
	// relApplication links it from NodeInfo (FEP-2677).
	relApplication = "https://www.w3.org/ns/activitystreams#Application"
)

// webFinger finds an actor by its handle, its id or its page, and the node's
// own actor by the node's address (RFC 7033, FEP-d556).
func (s *Server) webFinger(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Access-Control-Allow-Origin", "*") // RFC 7033 5
	resource := r.URL.Query().Get("resource")
	kind, _, ok := strings.Cut(resource, ":")
	if !ok || !isScheme(kind) || len(resource) > 2048 { // RFC 7033 4.2
		s.refuse(w, r, http.StatusBadRequest)
		return
	}
	d, err := s.describe(r.Context(), resource)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	// RFC 7033 4.3: rel narrows the links, never the answer.
	if rels := r.URL.Query()["rel"]; len(rels) > 0 {
		d.Links = slices.DeleteFunc(d.Links, func(l jrd) bool { return !slices.Contains(rels, l.Rel) && l.Rel != relSelf })
	}
	s.serveJSON(w, r, "application/jrd+json", d)
}

// isScheme says whether s may begin an IRI (RFC 3986 3.1): a handle followed by
// a port, brest@127.0.0.1:8080, has a colon and no scheme.
func isScheme(s string) bool {
	for i, c := range s {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (i == 0 || !('0' <= c && c <= '9' || strings.ContainsRune("+-.", c))) {
			return false
		}
	}
	return s != ""
}

// describe finds what a resource names; essaim.ErrNotFound for what is not here,
// essaim.ErrGone for an actor that is deleted, a person's excepted.
func (s *Server) describe(ctx context.Context, resource string) (descriptor, error) {
	if name, ok := strings.CutPrefix(resource, "acct:"); ok {
		user, host, ok := strings.Cut(strings.TrimPrefix(name, "@"), "@")
		if !ok || !s.isHost(host) {
			return descriptor{}, essaim.ErrNotFound
		}
		return s.byUsername(ctx, strings.ToLower(user))
	}
	u, err := url.Parse(resource)
	if err != nil || !s.isHost(u.Host) || u.Scheme != "https" && u.Scheme != "http" || u.User != nil {
		return descriptor{}, essaim.ErrNotFound
	}
	if u.RawQuery == "" && strings.Trim(u.Path, "/") == "" {
		return descriptor{Subject: s.base + "/", Links: []jrd{{Rel: relServer, Type: vocab.ContentType, Href: s.nodeActor()}}}, nil
	}
	a, err := s.atAddress(ctx, u)
	return s.descriptorOf(a), forgotten(a, err)
}

// forgotten answers about a person who took her profile back as about one who never
// was: nobody finds out by a name who was here. Whoever knew her got a Delete, and
// her id answers 410.
func forgotten(a essaim.LocalActor, err error) error {
	if a.Kind == essaim.ActorPerson && errors.Is(err, essaim.ErrGone) {
		return essaim.ErrNotFound
	}
	return err
}

// atAddress finds the actor whose id or page an address of this node is.
func (s *Server) atAddress(ctx context.Context, u *url.URL) (essaim.LocalActor, error) {
	a, err := s.localActor(ctx, s.base+u.RequestURI())
	if !errors.Is(err, essaim.ErrNotFound) {
		return a, err
	}
	if a, err = s.ofPage(ctx, u); err == nil && s.renderer.Page(a) != s.base+u.RequestURI() {
		err = essaim.ErrNotFound // a list that is narrowed, or not a page of ours
	}
	return a, err
}

// ofPage reads an address of a page as vocab.Renderer.Page writes them.
func (s *Server) ofPage(ctx context.Context, u *url.URL) (essaim.LocalActor, error) {
	section, slug, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	q := u.Query()
	switch theme, commune := q.Get("theme"), q.Get("near"); {
	case section == "territoires":
		return s.renderer.NodeLocalActor(), nil
	case section == "recherche" && theme != "":
		return s.store.Feed(ctx, essaim.ActorTheme, theme)
	case section == "recherche" && commune != "":
		return s.store.Feed(ctx, essaim.ActorCommune, commune)
	case section == "personnes":
		a, err := s.localActor(ctx, s.base+"/actors/"+slug)
		if a.Kind != essaim.ActorPerson && (err == nil || errors.Is(err, essaim.ErrGone)) {
			return essaim.LocalActor{}, essaim.ErrNotFound // another's name
		}
		return a, err
	}
	for _, k := range essaim.Kinds() {
		if k.Path != section {
			continue
		}
		rec, err := s.store.RecordBySlug(ctx, k.Kind, "", slug)
		if err != nil {
			return essaim.LocalActor{}, err
		}
		name, err := s.store.RecordActor(ctx, rec.ID)
		if err != nil {
			return essaim.LocalActor{}, err
		}
		return s.localActor(ctx, s.base+"/actors/"+name)
	}
	return essaim.LocalActor{}, essaim.ErrNotFound
}

// byUsername knows the aliases under which peers look for the node's own actor:
// host@host, and relay@host in Mobilizon.
func (s *Server) byUsername(ctx context.Context, user string) (descriptor, error) {
	if node := s.renderer.NodeLocalActor(); user == node.Username || user == "relay" || user == strings.ToLower(s.host) {
		return s.descriptorOf(node), nil
	}
	a, err := s.localActor(ctx, s.base+"/actors/"+user)
	return s.descriptorOf(a), forgotten(a, err)
}

func (s *Server) descriptorOf(a essaim.LocalActor) descriptor {
	d := descriptor{
		Subject: "acct:" + a.Username + "@" + s.host,
		Aliases: []string{a.ID},
		Links:   []jrd{{Rel: relSelf, Type: vocab.ContentType, Href: a.ID}},
	}
	if page := s.renderer.Page(a); page != "" {
		// The home page is the server's (FEP-d556), not another name of an actor
		// (RFC 7033 4.4.2).
		if page != s.base+"/" {
			d.Aliases = append(d.Aliases, page)
		}
		d.Links = append(d.Links, jrd{Rel: relProfile, Type: "text/html", Href: page})
	}
	return d
}

// isHost tells whether a host is this node's, whatever its case.
func (s *Server) isHost(host string) bool { return strings.EqualFold(host, s.host) }

// hostMeta tells old clients where WebFinger is (RFC 6415).
func (s *Server) hostMeta(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	body := `<?xml version="1.0" encoding="UTF-8"?>
<XRD xmlns="http://docs.oasis-open.org/ns/xri/xrd-1.0">
  <Link rel="lrdd" type="application/jrd+json" template="` + s.base + `/.well-known/webfinger?resource={uri}"/>
</XRD>
`
	serve(w, r, served{body: []byte(body), kind: "application/xrd+xml; charset=utf-8"})
}

func (s *Server) serveJSON(w http.ResponseWriter, r *http.Request, kind string, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	serve(w, r, served{body: body, kind: kind})
}
