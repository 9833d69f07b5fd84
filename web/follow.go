// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-chi/chi/v5"

	"essaim"
)

// Fediverse asks other servers for a reader, through the node's one client.
type Fediverse interface {
	// FollowAddress is the page of a person's own server on which she follows a
	// local actor: over https, on her server's host. account is what she typed.
	// Errors wrap essaim.ErrInvalid (no handle), ErrUnavailable (her server does
	// not answer) or ErrNotFound (it has no such account or page).
	FollowAddress(ctx context.Context, account, actor string) (string, error)
	// Mentions finds the actors of handles within a few seconds, in their order;
	// those that it does not find are left out.
	Mentions(ctx context.Context, list []essaim.Handle) []essaim.Mention
}

// Followed is an actor of this node that a page offers to follow.
type Followed struct {
	Kind     essaim.ActorKind
	Name     string // as people read it
	Quoted   string // the same, in quotation marks where it is a title
	Username string
	Actor    string // id
	Handle   string // @brest@brest.example
	// Form is set where a reader's server can be asked.
	Form bool
}

// Reaches is the sentence that says what of a territory reaches who follows it.
func (f Followed) Reaches() string {
	switch f.Kind {
	case essaim.ActorTheme:
		return "list.follow_theme"
	case essaim.ActorCommune:
		return "list.follow_commune"
	}
	return "list.follow_text"
}

// FollowForm asks a reader for her account, and says what is wrong with it.
type FollowForm struct {
	Followed Followed
	Account  string
	Asked    string // the server that she named
	Problem  string // key of the reason
}

// FollowPage asks a reader for her account or leads to her server.
type FollowPage struct {
	Base
	FollowForm
	// To is where she goes on; empty until her server said.
	To, ToHost string
	Feed       string // address of the same for a feed reader, without an account
}

// Leave makes the browser go on by itself. A redirect would not do: the policy
// that keeps forms on this site forbids one that ends elsewhere.
func (p *FollowPage) Leave() string { return p.To }

// followed finds an actor to follow by its username.
func (s *Server) followed(r *http.Request, username string) (Followed, error) {
	if username == s.cfg.Node.Territory.Username {
		return s.followTerritory(r), nil
	}
	if node := s.followNode(r); username == node.Username {
		return node, nil
	}
	a, err := s.store.LocalActor(r.Context(), username)
	switch {
	case err != nil:
		return Followed{}, fmt.Errorf("actor %s: %w", username, err)
	case a.Gone:
		return Followed{}, errPageNotFound
	}
	return s.followableActor(r, a), nil
}

// followTerritory offers the territory's actor, which publishes all that is of here.
func (s *Server) followTerritory(r *http.Request) Followed {
	t := s.cfg.Node.Territory
	return s.followable(r, essaim.ActorTerritory, t.Name, t.Username, t.Actor)
}

// followNode offers the node's own actor, named after its host, which announces all
// that is published here.
func (s *Server) followNode(r *http.Request) Followed {
	return s.followable(r, essaim.ActorNode, s.cfg.Node.Territory.Name+" (Essaim)", s.nodeUsername(), s.abs("/actor"))
}

func (s *Server) nodeUsername() string {
	u := url.URL{Host: s.host}
	return strings.ToLower(u.Hostname())
}

// handleOf is how an actor of this node is named on the Fediverse.
func (s *Server) handleOf(username string) string { return "@" + username + "@" + s.host }

// actorName is what people call an actor.
func (s *Server) actorName(r *http.Request, a essaim.LocalActor) string {
	switch a.Kind {
	case essaim.ActorInitiative, essaim.ActorOrganisation:
		return cmp.Or(a.Profile.Name, a.Record.Title)
	case essaim.ActorTheme:
		return s.locale(r).theme(a.Subject)
	case essaim.ActorCommune:
		if c, ok := s.cfg.Gazetteer.Commune(a.Subject); ok {
			return c.Name
		}
	}
	return cmp.Or(a.Profile.Name, a.Username)
}

// offerToFollow puts a local record's own actor on its page, or its territory's: not
// every kind has one.
func (s *Server) offerToFollow(r *http.Request, p *RecordPage) error {
	if p.Record.Origin != "" || p.Record.State != essaim.StatePublished {
		return nil
	}
	name, err := s.store.RecordActor(r.Context(), p.Record.ID)
	if errors.Is(err, essaim.ErrNotFound) {
		p.Followed = s.followTerritory(r)
		return nil
	}
	if err != nil {
		return fmt.Errorf("actor of the record: %w", err)
	}
	p.OwnActor, p.Followed = true, s.followable(r, essaim.ActorKind(p.Record.Kind), p.Record.Title, name, s.abs("/actors/"+name))
	return nil
}

// offerFeed puts what can be followed of a list beside it: the feed of its one
// theme, else of the commune around which it looks.
func (s *Server) offerFeed(r *http.Request, p *ListPage, q essaim.Query) error {
	kind, subject := essaim.ActorTheme, ""
	if len(q.Themes) == 1 {
		subject = q.Themes[0]
	} else if c, ok := s.findCommune(p.Near); ok && len(q.Themes) == 0 {
		kind, subject = essaim.ActorCommune, c.Code
	}
	if subject == "" {
		return nil
	}
	a, err := s.store.Feed(r.Context(), kind, subject)
	if errors.Is(err, essaim.ErrNotFound) {
		return nil // nothing was published about it
	}
	if err != nil {
		return fmt.Errorf("list: %w", err)
	}
	p.Followed = s.followableActor(r, a)
	if p.Kind == "" && len(p.Chips) == 1 {
		p.Object = a.ID // the feed's own page
		p.Data = s.structuredFeed(p, pathOf(r))
	}
	return nil
}

func (s *Server) followableActor(r *http.Request, a essaim.LocalActor) Followed {
	return s.followable(r, a.Kind, s.actorName(r, a), a.Username, a.ID)
}

func (s *Server) followable(r *http.Request, kind essaim.ActorKind, name, username, actor string) Followed {
	f := Followed{Kind: kind, Name: name, Quoted: name, Username: username, Actor: actor, Handle: s.handleOf(username), Form: s.cfg.Fediverse != nil}
	switch kind {
	case essaim.ActorTheme, essaim.ActorInitiative, essaim.ActorOrganisation:
		f.Quoted = s.locale(r).F("follow.quoted", "Name", name)
	}
	return f
}

func (s *Server) followPage(r *http.Request) (*FollowPage, error) {
	f, err := s.followed(r, chi.URLParam(r, "name"))
	if err != nil {
		return nil, err
	}
	l := s.locale(r)
	p := &FollowPage{FollowForm: FollowForm{Followed: f}}
	if p.Feed, err = s.feedOf(r.Context(), f.Username); err != nil {
		return nil, err
	}
	p.Title, p.NoIndex, p.Object = l.F("follow.title", "Name", f.Quoted), true, f.Actor
	p.Canonical = s.abs("/suivre/" + f.Username)
	p.Crumbs = []Crumb{{l.T("nav.home"), "/"}, {l.T("follow.short"), ""}}
	return p, nil
}

// feedOf is where what an actor announces is read by a feed reader: that of a theme,
// of a commune, or of all that is published here. Other actors have none.
func (s *Server) feedOf(ctx context.Context, username string) (string, error) {
	const feed = "/recherche.atom"
	if username == s.cfg.Node.Territory.Username || username == s.nodeUsername() {
		return address(feed, url.Values{paramOrigin: {essaim.OriginLocal}}), nil
	}
	a, err := s.store.LocalActor(ctx, username)
	switch {
	case err != nil:
		return "", fmt.Errorf("actor %s: %w", username, err)
	case a.Kind == essaim.ActorTheme:
		return address(feed, url.Values{paramTheme: {a.Subject}}), nil
	case a.Kind == essaim.ActorCommune:
		return address(feed, url.Values{paramCommune: {a.Subject}}), nil
	}
	return "", nil
}

func (s *Server) showFollow(w http.ResponseWriter, r *http.Request) error {
	p, err := s.followPage(r)
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, "follow", p)
}

// leadToFollow sends a reader to her own server. What she typed is kept nowhere.
func (s *Server) leadToFollow(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return formError(err)
	}
	p, err := s.followPage(r)
	if err != nil {
		return err
	}
	if !p.Followed.Form {
		return errPageNotFound
	}
	p.NoStore = true
	p.Account = strings.TrimSpace(r.PostFormValue("compte"))
	if h, err := essaim.ParseHandle(p.Account); err == nil {
		p.Asked = h.Host
	}
	to, err := s.cfg.Fediverse.FollowAddress(r.Context(), p.Account, p.Followed.Actor)
	status := http.StatusUnprocessableEntity
	switch {
	case err == nil:
		at, err := url.Parse(to)
		if err != nil {
			return fmt.Errorf("follow page of %s: %w", p.Asked, err)
		}
		p.To, p.ToHost, status = to, at.Host, http.StatusOK
	case p.Asked == "" || errors.Is(err, essaim.ErrInvalid):
		p.Problem = "follow.bad"
	case errors.Is(err, essaim.ErrUnavailable):
		p.Problem = "follow.away"
	case errors.Is(err, essaim.ErrNotFound), errors.Is(err, essaim.ErrGone), errors.Is(err, essaim.ErrForbidden):
		p.Problem = "follow.none"
	default:
		return fmt.Errorf("follow: %w", err)
	}
	return s.render(w, r, status, "follow", p)
}
