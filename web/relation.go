// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"essaim"
)

// maxRelations bounds how many related records a page looks up.
const maxRelations = 30

// fillRelations gathers the records that this one points to and those that
// point to it.
func (s *Server) fillRelations(r *http.Request, p *RecordPage) error {
	groups := map[string]int{}
	add := func(legend string, link RelationLink) {
		i, ok := groups[legend]
		if !ok {
			i = len(p.Relations)
			groups[legend] = i
			p.Relations = append(p.Relations, RelationGroup{Legend: legend})
		}
		p.Relations[i].Links = append(p.Relations[i].Links, link)
	}
	for i, rel := range p.Record.Relations {
		if i == maxRelations {
			break
		}
		link := RelationLink{Title: rel.Name, Path: rel.Target, Lang: p.Record.Language, Outside: true}
		rec, err := s.store.Record(r.Context(), rel.Target)
		switch {
		case err == nil && rec.State == essaim.StatePublished:
			link = relationTo(rec)
		case err != nil && !errors.Is(err, essaim.ErrNotFound) && !errors.Is(err, essaim.ErrGone):
			return fmt.Errorf("related record: %w", err)
		case link.Title == "":
			link.Title = siteName(rel.Target)
		}
		add("relation."+string(rel.Type), link)
	}
	related, err := s.store.RelatedTo(r.Context(), p.Record.ID)
	if err != nil {
		return fmt.Errorf("related records: %w", err)
	}
	for i, rel := range related {
		if i == maxRelations {
			break
		}
		link := relationTo(rel.Record)
		if b, ok := rel.Record.Body.(*essaim.Remake); ok && rel.Type == essaim.RelationRemakes {
			line := RemakeLine{RelationLink: link, Outcome: b.Outcome, On: b.On}
			line.Advice = Prose{Text: b.Advice, Lang: rel.Record.Language, Mentions: rel.Record.Mentions}
			p.Remakes = append(p.Remakes, line)
			continue
		}
		if rel.Type == essaim.RelationAdapts {
			link.Claimed = rel.Claim != essaim.ClaimAcknowledged
		}
		add("relation."+string(rel.Type)+"_by", link)
	}
	return nil
}

func relationTo(rec essaim.Record) RelationLink {
	link := RelationLink{Title: rec.Title, Path: recordPath(rec), Lang: rec.Language, Kind: rec.Kind}
	if rec.Origin != "" {
		link.Territory = rec.TerritoryName
	}
	return link
}

// remakeForm is the address of the form of a remake of a record.
func remakeForm(rec essaim.Record) string { return "/ecrire/reprises?de=" + url.QueryEscape(rec.ID) }

// beginRemake fills an empty form with what is remade, when the address names it.
func (s *Server) beginRemake(r *http.Request, f *recordForm) error {
	id := r.URL.Query().Get("de")
	if f.kind != essaim.KindRemake || id == "" {
		return nil
	}
	rec, err := s.store.Record(r.Context(), id)
	switch {
	case errors.Is(err, essaim.ErrNotFound), err == nil && (rec.State != essaim.StatePublished || !rec.Kind.MayBeAdapted()):
		return errPageNotFound
	case err != nil:
		return fmt.Errorf("remade record: %w", err)
	}
	f.set("relations-"+string(essaim.RelationRemakes), rec.ID+" "+rec.Title)
	f.set("title", f.l.F("form.remake.of", "Title", rec.Title))
	f.setBoxes("themes", rec.Themes)
	return nil
}

// resolveRelations lets people name a related record by what their browser
// shows: the address of its page here becomes its id and its title.
func (s *Server) resolveRelations(ctx context.Context, c *essaim.Content) error {
	for i := range c.Relations {
		rel := &c.Relations[i]
		path, ok := strings.CutPrefix(rel.Target, s.abs("/"))
		if !ok {
			continue
		}
		rec, err := s.recordAt(ctx, path)
		switch {
		case errors.Is(err, essaim.ErrNotFound), err == nil && rec.State != essaim.StatePublished:
			continue
		case err != nil:
			return fmt.Errorf("related record: %w", err)
		}
		rel.Target = rec.ID
		if rel.Name == "" {
			rel.Name = rec.Title
		}
	}
	return nil
}

// findMentions asks whom the text names, for a content about to be public. A
// handle that names nobody stays text.
func (s *Server) findMentions(ctx context.Context, c *essaim.Content, state essaim.State) {
	c.Mentions = nil
	if list := c.Handles(); len(list) > 0 && state == essaim.StatePublished && s.cfg.Fediverse != nil {
		c.Mentions = s.cfg.Fediverse.Mentions(ctx, list)
	}
}

// recordAt finds the record whose page has a path of this site, without its
// first slash.
func (s *Server) recordAt(ctx context.Context, path string) (essaim.Record, error) {
	path, _, _ = strings.Cut(path, "?")
	path, _, _ = strings.Cut(path, "#")
	parts := strings.Split(path, "/")
	for i := range parts {
		if p, err := url.PathUnescape(parts[i]); err == nil {
			parts[i] = p
		}
	}
	if len(parts) == 3 && parts[0] == "ailleurs" {
		return s.store.RecordBySlug(ctx, "", parts[1], parts[2])
	}
	for _, k := range essaim.Kinds() {
		if len(parts) == 2 && parts[0] == k.Path {
			return s.store.RecordBySlug(ctx, k.Kind, "", parts[1])
		}
	}
	return essaim.Record{}, errPageNotFound
}
