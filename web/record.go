// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"essaim"
	"essaim/web/markup"
)

// RecordPage is the page of a record of any kind; of the bodies, the one
// of its kind is set.
type RecordPage struct {
	Base
	Record       essaim.Record
	Initiative   *essaim.Initiative
	Recipe       *essaim.Recipe
	Venue        *essaim.Venue
	Organisation *essaim.Organisation
	Meeting      *essaim.Meeting
	Remake       *essaim.Remake

	FollowForm
	OwnActor  bool // what is followed is the record's own, and not its territory
	Credits   []CreditGroup
	Unnamed   int       // people who have not agreed to be named
	Waiting   []Waiting // the same, for who writes here
	Relations []RelationGroup
	Remakes   []RemakeLine
	Lineage   string            // address of the tree of adaptations, when there is one
	Parent    *RelationLink     // what it adapts
	Claim     essaim.ClaimState // of an adaptation
	Adapt     *Adapting         // nil when there is nothing to offer
	Images    []essaim.Image    // those that this site serves
	Away      []essaim.Image    // those that stand elsewhere: led to, not loaded
	Likes     int
	Announces int
	From      Origin // how its origin fares
	Past      bool   // a meeting that is over
	Wanted    []HelpLine
	Offered   []HelpLine
	Copies    []APICopy // that conform
	CopiesAt  time.Time // when the oldest of them was checked
	Edit      string    // address of the form, for those who may write
	Withdraw  string    // address at which it is withdrawn, for those who may
	History   string
	Calendar  string // address of a meeting for a calendar
	// Comments are those that everyone may see, by thread; MoreComments is the
	// address of the ones after them.
	Comments     []*CommentNode
	CommentCount int
	MoreComments string
	// Similar are records that resemble this one, each with why; SimilarMore is the
	// address of a search for more.
	Similar     []Card
	SimilarMore string
}

// claimUnknown is that of an adaptation of which nothing here knows whether it is
// acknowledged.
const claimUnknown essaim.ClaimState = "unknown"

// CreditGroup are those who have one role.
type CreditGroup struct {
	Role    string
	Credits []CreditLine
}

// CreditLine is one of those who are credited.
type CreditLine struct {
	essaim.Credit
	Page string // address here of a person of this node
}

// RelationGroup are the records that stand in one relation to this one.
type RelationGroup struct {
	Legend string // key
	Links  []RelationLink
}

// RelationLink leads to a record, here when it is known here.
type RelationLink struct {
	Title, Path string
	Lang        string      // of the title, as far as it is known
	Kind        essaim.Kind // empty when it is not known here
	Territory   string      // of origin, when it is another
	Outside     bool
	Claimed     bool // an adaptation that its original has not acknowledged
}

// RemakeLine is a remake on the page of what was remade: tips flow back.
type RemakeLine struct {
	RelationLink
	Outcome, On string
	Advice      Prose
}

// kindTemplate is the template of a kind's page; a test walks the table of kinds.
func kindTemplate(k essaim.Kind) string { return "record_" + string(k) }

// showRecord shows a local record.
func (s *Server) showRecord(k essaim.KindInfo) handlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		rec, err := s.visibleRecord(r, k.Kind, "", chi.URLParam(r, "slug"))
		if err != nil {
			return err
		}
		return s.renderRecord(w, r, rec)
	}
}

// showElsewhere shows a replicated record.
func (s *Server) showElsewhere(w http.ResponseWriter, r *http.Request) error {
	host := chi.URLParam(r, "host")
	if host == "" || host == essaim.OriginLocal || host == s.host {
		return errPageNotFound
	}
	rec, err := s.visibleRecord(r, "", host, chi.URLParam(r, "slug"))
	if err != nil {
		return err
	}
	return s.renderRecord(w, r, rec)
}

// visibleRecord finds a record that the reader may see: a published one, or one
// being written for those who may write. A withdrawn one is gone, with its date.
func (s *Server) visibleRecord(r *http.Request, k essaim.Kind, origin, slug string) (essaim.Record, error) {
	rec, err := s.store.RecordBySlug(r.Context(), k, origin, slug)
	if err != nil {
		return rec, fmt.Errorf("record %s: %w", slug, err)
	}
	switch rec.State {
	case essaim.StatePublished:
		return rec, nil
	case essaim.StateWithdrawn:
		return rec, s.gone(r, rec)
	}
	if rec.Origin == "" && essaim.May(userOf(r), essaim.ActionWrite) {
		return rec, nil
	}
	return rec, errPageNotFound
}

// gone says by whom a withdrawn record was withdrawn: its origin, or this node alone.
func (s *Server) gone(r *http.Request, rec essaim.Record) error {
	gone := goneError{territory: rec.TerritoryName, at: rec.Updated}
	if gone.territory == "" {
		gone.territory = s.cfg.Node.Territory.Name
	}
	here, err := s.withdrawnHere(r.Context(), rec)
	if err != nil {
		return err
	}
	if here != nil {
		gone.here, gone.at = s.cfg.Node.Territory.Name, here.At
	}
	switch moderates := essaim.May(userOf(r), essaim.ActionModerate); {
	case moderates && here != nil: // nobody else is asked to delete it
		gone.lift = recordPath(rec) + "/retablir"
	case moderates:
		gone.copies = recordPath(rec) + "/copies"
	}
	return gone
}

// withdrawnHere is the local tombstone of a withdrawn record; nil when its origin
// withdrew it.
func (s *Server) withdrawnHere(ctx context.Context, rec essaim.Record) (*essaim.Withdrawal, error) {
	if rec.Origin == "" || rec.State != essaim.StateWithdrawn {
		return nil, nil
	}
	here, err := s.store.Withdrawal(ctx, rec.ID)
	switch {
	case errors.Is(err, essaim.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return &here, nil
}

func (s *Server) renderRecord(w http.ResponseWriter, r *http.Request, rec essaim.Record) error {
	l := s.locale(r)
	info, ok := rec.Kind.Info()
	if !ok {
		return fmt.Errorf("kind %s: %w", rec.Kind, essaim.ErrNotFound)
	}
	p := &RecordPage{Record: rec}
	p.setBody(rec.Body)
	p.Title, p.Description, p.Type = rec.Title, s.describe(rec), "article"
	p.Object, p.Section = rec.ID, info.Path
	p.Crumbs = []Crumb{{l.T("nav.home"), "/"}, {l.T("kinds." + string(rec.Kind)), "/" + info.Path}, {rec.Title, ""}}
	p.TitleLang = cmp.Or(rec.Language, "fr")
	var err error
	if p.From, err = s.originOf(r.Context(), &rec); err != nil {
		return err
	}
	if rec.Origin != "" && p.From.Reachable() {
		p.Canonical = rec.URL
	} else if rec.Origin == "" && rec.State != essaim.StatePublished {
		p.NoIndex, p.Object = true, ""
	}
	if p.Copies, p.CopiesAt, err = s.conforming(r.Context(), &rec); err != nil {
		return err
	}
	p.Credits, p.Unnamed = creditGroups(rec.Content)
	if err := s.linkPeople(r, p.Credits); err != nil {
		return err
	}
	s.fillImages(p)
	p.Wanted, p.Offered = helpOf(rec.HelpWanted, rec.Language, s.now()), helpOf(rec.HelpOffered, rec.Language, s.now())
	if err := s.fillRelations(r, p); err != nil {
		return err
	}
	if rec.State == essaim.StatePublished && rec.Origin == "" {
		if p.Likes, p.Announces, err = s.store.Thanks(r.Context(), rec.ID); err != nil {
			return fmt.Errorf("thanks: %w", err)
		}
		if err := s.fillComments(r, p); err != nil {
			return fmt.Errorf("comments: %w", err)
		}
	}
	if rec.Origin == "" {
		p.History = recordPath(rec) + "/historique"
		if essaim.May(userOf(r), essaim.ActionWrite) {
			p.Edit, p.Waiting = recordPath(rec)+"/modifier", s.waiting(rec)
		}
	} else if rec.State == essaim.StatePublished && essaim.May(userOf(r), essaim.ActionModerate) {
		p.Withdraw = recordPath(rec) + "/retirer"
	}
	p.Past = p.Meeting != nil && !p.Meeting.Start.IsZero() && !p.Meeting.Over().After(s.now())
	if rec.Kind == essaim.KindMeeting && rec.State == essaim.StatePublished && !p.Past {
		p.Calendar = recordPath(rec) + ".ics"
		p.Alternates = []FormatLink{{Ext: "ics", Media: "text/calendar", Path: p.Calendar, Title: rec.Title}}
	}
	if err := s.fillLineage(r, p); err != nil {
		return err
	}
	if err := s.offerToFollow(r, p); err != nil {
		return err
	}
	if err := s.fillSimilar(r, p); err != nil {
		return err
	}
	if rec.State == essaim.StatePublished {
		p.Data = s.structured(l, p)
	}
	return s.render(w, r, http.StatusOK, kindTemplate(rec.Kind), p)
}

// fillImages parts the pictures that this site serves, the first for previews, from
// those that no page of ours may load; a record without any has one drawn.
func (s *Server) fillImages(p *RecordPage) {
	for _, img := range p.Record.Images {
		if strings.HasPrefix(img.URL, s.cfg.Node.BaseURL+"/") {
			p.Images = append(p.Images, img)
		} else {
			p.Away = append(p.Away, img)
		}
	}
	if len(p.Images) > 0 {
		p.Image, p.ImageAlt = p.Images[0].URL, p.Images[0].Alt
		return
	}
	if p.Record.State == essaim.StatePublished {
		drawn := s.previewOf(p.Record)
		p.Image, p.ImageAlt, p.Drawn = s.previewAddress(previewFile(p.Record), drawn), drawn.alt(), true
	}
}

// fillLineage offers to adapt the record, leads to its tree, and says how far its own
// adaptation is acknowledged.
func (s *Server) fillLineage(r *http.Request, p *RecordPage) error {
	rec := &p.Record
	s.offerToAdapt(r, p)
	if rec.Kind.MayBeAdapted() && (rec.DerivedFrom != nil || p.adapted()) {
		p.Lineage = recordPath(*rec) + "/lignee"
	}
	if rec.DerivedFrom == nil {
		return nil
	}
	claim, err := s.store.Claim(r.Context(), rec.ID)
	if err != nil {
		return err
	}
	parent, err := s.store.Record(r.Context(), rec.DerivedFrom.ID)
	known := err == nil
	if err != nil && !errors.Is(err, essaim.ErrNotFound) {
		return err
	}
	if rec.Origin != "" && claim != essaim.ClaimAcknowledged {
		// Of what is held of its origin the list is read, and of nothing else.
		if claim = claimUnknown; known {
			claim = essaim.ClaimOffered
		}
	}
	if p.Parent, err = s.parentLink(r.Context(), *rec, parent, known); err != nil {
		return err
	}
	p.Claim = claim
	return nil
}

// adapted tells whether something known here adapts the record.
func (p *RecordPage) adapted() bool {
	return slices.ContainsFunc(p.Relations, func(g RelationGroup) bool { return g.Legend == "relation.adapts_by" })
}

// setBody puts the body where the template of its kind looks for it.
func (p *RecordPage) setBody(b essaim.Body) {
	switch b := b.(type) {
	case *essaim.Initiative:
		p.Initiative = b
	case *essaim.Recipe:
		p.Recipe = b
	case *essaim.Venue:
		p.Venue = b
	case *essaim.Organisation:
		p.Organisation = b
	case *essaim.Meeting:
		p.Meeting = b
	case *essaim.Remake:
		p.Remake = b
	}
}

// describe is a record in one sentence, for search engines and previews.
func (s *Server) describe(rec essaim.Record) string {
	if rec.Tagline != "" {
		return rec.Tagline
	}
	return short(strings.ReplaceAll(markup.Plain(markup.Markdown(rec.Text)), "\n", " "))
}

// short is the beginning of a text, cut between words.
func short(whole string) string {
	text := []rune(whole)
	if len(text) <= 180 {
		return whole
	}
	cut := string(text[:180])
	if i := strings.LastIndexByte(cut, ' '); i > 100 {
		cut = cut[:i]
	}
	return cut + "…"
}

// creditGroups gathers those who may be named by role, in the order of the list
// of roles, and counts those who may not.
func creditGroups(c essaim.Content) (groups []CreditGroup, unnamed int) {
	byRole := map[string][]CreditLine{}
	public := c.PublicCredits()
	for _, cr := range public {
		byRole[cr.Role] = append(byRole[cr.Role], CreditLine{Credit: cr})
	}
	for _, t := range essaim.ListRole.Terms() {
		if list := byRole[t.ID]; len(list) > 0 {
			groups = append(groups, CreditGroup{t.ID, list})
			delete(byRole, t.ID)
		}
	}
	for _, cr := range public { // roles of a newer peer
		if list := byRole[cr.Role]; len(list) > 0 {
			groups = append(groups, CreditGroup{cr.Role, list})
			delete(byRole, cr.Role)
		}
	}
	return groups, len(c.Credits) - len(public)
}
