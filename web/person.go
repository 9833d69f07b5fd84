// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-chi/chi/v5"

	"essaim"
	"essaim/web/markup"
)

// PersonPage is the page of a person of this node who asked to be on the
// Fediverse: what she says of herself, and the records that credit her.
type PersonPage struct {
	Base
	FollowForm
	Summary     Prose
	Fields      []PersonField
	Cards       []Card
	Total       int
	Capped      bool
	Next, First string // addresses of pages of the list
}

// PersonField is a line of a profile; Link is set when its value is an address.
type PersonField struct{ Name, Value, Link string }

const peoplePath = "/personnes/"

// showPerson shows a person. Nothing of one who took herself off the Fediverse
// is said, her name neither.
func (s *Server) showPerson(w http.ResponseWriter, r *http.Request) error {
	a, err := s.store.LocalActor(r.Context(), chi.URLParam(r, "name"))
	switch {
	case err != nil:
		return fmt.Errorf("person: %w", err)
	case a.Kind != essaim.ActorPerson:
		return errPageNotFound
	case a.Gone:
		return statusError{http.StatusGone, "person_gone"}
	}
	at := peoplePath + a.Username
	after := r.URL.Query().Get(paramPage)
	found, err := s.store.Credited(r.Context(), a.ID, after, 24)
	if err != nil {
		return fmt.Errorf("person %s: %w", a.Username, err)
	}
	p := s.personPage(r, a)
	p.Total, p.Capped = found.Total, found.Capped
	if p.Cards, err = s.cards(r.Context(), found.Records); err != nil {
		return err
	}
	for i := range p.Cards {
		p.Cards[i].Roles = rolesOf(&p.Cards[i].Content, a.ID)
	}
	if found.Next != "" {
		p.Next = address(at, url.Values{paramPage: {found.Next}})
	}
	if after != "" {
		p.First, p.NoIndex = at, true
	}
	return s.render(w, r, http.StatusOK, "person", p)
}

// PeoplePage lists the people of this node who agreed to be listed.
type PeoplePage struct {
	Base
	People      []PersonCard
	Formats     []FormatLink
	Next, First string // addresses of pages of the list
}

// PersonCard is a person in the list.
type PersonCard struct{ Name, Handle, Page, Line string }

// showPeople lists those who are on the Fediverse and let directories say so: to
// have a page of one's own is one yes, to stand in a list another.
func (s *Server) showPeople(w http.ResponseWriter, r *http.Request) error {
	const shown = 48
	after := r.URL.Query().Get(paramAfter)
	list, err := s.store.People(r.Context(), after, shown+1)
	if err != nil {
		return err
	}
	l := s.locale(r)
	p := &PeoplePage{}
	if len(list) > shown {
		list = list[:shown]
		p.Next = address("/personnes", url.Values{paramAfter: {list[shown-1].Username}})
	}
	if after != "" {
		p.First, p.NoIndex = "/personnes", true
	}
	for _, a := range list {
		p.People = append(p.People, PersonCard{
			Name: s.actorName(r, a), Handle: s.handleOf(a.Username), Page: peoplePath + a.Username,
			Line: short(summaryLine(a)),
		})
	}
	p.Title, p.Description = l.T("people.title"), l.T("people.lede")
	if len(p.People) > 0 {
		p.Formats = s.rollLinks(l, "/personnes")
		p.Alternates = p.Formats
	}
	p.Crumbs = []Crumb{{l.T("nav.home"), "/"}, {p.Title, ""}}
	return s.render(w, r, http.StatusOK, "people", p)
}

// summaryLine is what an actor says of itself, in one line.
func summaryLine(a essaim.LocalActor) string {
	return strings.ReplaceAll(markup.Plain(markup.Markdown(a.Profile.Summary)), "\n", " ")
}

// personPage is what a person says of herself.
func (s *Server) personPage(r *http.Request, a essaim.LocalActor) *PersonPage {
	l := s.locale(r)
	name := s.actorName(r, a)
	p := &PersonPage{Summary: Prose{Text: a.Profile.Summary, Lang: defaultLanguage}}
	p.Followed = s.followable(r, a.Kind, name, a.Username, a.ID)
	p.Creator = p.Followed.Handle
	for _, f := range a.Profile.Fields {
		line := PersonField{Name: f.Name, Value: f.Value}
		if u, err := url.Parse(f.Value); err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http") {
			line.Link, line.Value = f.Value, u.Host+strings.TrimSuffix(u.Path, "/")
		}
		p.Fields = append(p.Fields, line)
	}
	p.Title, p.Type, p.Object = name, "profile", a.ID
	p.Description = l.F("person.description", "Name", name, "Territory", s.cfg.Node.Territory.Name)
	if text := summaryLine(a); text != "" {
		p.Description = short(text)
	}
	// Searches find a person only by her own yes, as on the Fediverse.
	p.NoIndex = a.Profile.Discoverable == nil || !*a.Profile.Discoverable
	p.Crumbs = []Crumb{{l.T("nav.home"), "/"}, {l.T("people.title"), "/personnes"}, {name, ""}}
	p.Data = &Structured{Context: schemaOrg, Type: "Person", ID: a.ID, Name: name, Description: p.Description, URL: s.abs(peoplePath + a.Username)}
	return p
}

// rolesOf lists in which roles a record credits a person who agreed to it.
func rolesOf(c *essaim.Content, actor string) (roles []string) {
	for _, cr := range c.PublicCredits() {
		if cr.Person && cr.Actor == actor && !slices.Contains(roles, cr.Role) {
			roles = append(roles, cr.Role)
		}
	}
	return roles
}

// linkPeople leads from credits to the pages of people of this node. Who took
// herself off the Fediverse has no address any more.
func (s *Server) linkPeople(r *http.Request, groups []CreditGroup) error {
	for _, g := range groups {
		for i := range g.Credits {
			c := &g.Credits[i]
			name, here := strings.CutPrefix(c.Actor, s.abs("/actors/"))
			if !here || !c.Person {
				continue
			}
			a, err := s.store.LocalActor(r.Context(), name)
			switch {
			case errors.Is(err, essaim.ErrNotFound) || err == nil && a.Gone:
				c.Actor = ""
			case err != nil:
				return fmt.Errorf("credits: %w", err)
			case a.Kind == essaim.ActorPerson:
				c.Page = peoplePath + a.Username
			}
		}
	}
	return nil
}
