// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"

	"essaim"
)

// Bounds of a tree: how far up, how far down, how many in all.
const (
	maxAncestors   = 20
	maxGenerations = 8
	maxAdaptations = 200
)

// LineagePage tells where a record comes from and where it went: the tree over
// territories and years, what changed in the original since, and what this
// adaptation changed.
type LineagePage struct {
	Base
	Record essaim.Record
	Tree   *LineageNode
	More   bool // adaptations that are not shown
	// Parent is what the record adapts; nil for an original.
	Parent *LineageNode
	Since  Changed // in the original since the version adapted
	Own    Changed // by this adaptation
}

// LineageNode is a record in the tree. One that is not known here has what an
// adaptation keeps of it.
type LineageNode struct {
	RelationLink
	ID             string
	Year           string
	Current        bool
	Own            bool // of this node
	Gone, GoneHere bool // withdrawn by its origin; by this node alone
	From           Origin
	Children       []*LineageNode
}

// Changed is a difference, or why none can be shown.
type Changed struct {
	Known          bool // false when the version is not kept here
	Gone, GoneHere bool // the original was withdrawn: by its origin, by this node alone
	Lang           string
	Fields         []ChangedField
}

// ChangedField is a field's difference under its name.
type ChangedField struct {
	Label     string
	Lines     []essaim.DifferenceLine
	Ours      bool // in the words of a closed list, and not of the record
	Shortened bool // lines were removed whose text is not shown
}

func (s *Server) showLineage(k essaim.KindInfo) handlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error { return s.lineage(w, r, k.Kind, "") }
}

func (s *Server) showLineageElsewhere(w http.ResponseWriter, r *http.Request) error {
	return s.lineage(w, r, "", chi.URLParam(r, "host"))
}

func (s *Server) lineage(w http.ResponseWriter, r *http.Request, k essaim.Kind, host string) error {
	rec, err := s.visibleRecord(r, k, host, chi.URLParam(r, "slug"))
	if err != nil {
		return err
	}
	if !rec.Kind.MayBeAdapted() {
		return errPageNotFound
	}
	p := &LineagePage{Record: rec}
	if err := s.growTree(r.Context(), p); err != nil {
		return fmt.Errorf("lineage of %s: %w", rec.Slug, err)
	}
	if rec.DerivedFrom != nil {
		if err := s.compare(r, p); err != nil {
			return fmt.Errorf("lineage of %s: %w", rec.Slug, err)
		}
	}
	l := s.locale(r)
	info, _ := rec.Kind.Info()
	p.Title, p.NoIndex, p.Section = l.F("lineage.title", "Title", rec.Title), true, info.Path
	p.crumbsOf(l, info, rec, l.T("lineage.short"))
	return s.render(w, r, http.StatusOK, "lineage", p)
}

// growTree goes up to the first original, through what is known here, then down
// to all that adapts it.
func (s *Server) growTree(ctx context.Context, p *LineagePage) error {
	rec, seen := p.Record, []string{p.Record.ID}
	top := lineageNode(rec)
	for range maxAncestors {
		d := rec.DerivedFrom
		if d == nil || slices.Contains(seen, d.ID) {
			break
		}
		seen = append(seen, d.ID)
		parent, err := s.store.Record(ctx, d.ID)
		known := err == nil
		if err != nil && !errors.Is(err, essaim.ErrNotFound) {
			return err
		}
		above := keptNode(*d, rec.Language)
		if known && parent.State == essaim.StatePublished {
			above = lineageNode(parent)
		} else if known {
			above.Territory = parent.TerritoryName
			if above.Gone, above.GoneHere, err = s.goneBy(ctx, parent); err != nil {
				return err
			}
		}
		if p.Parent == nil {
			p.Parent = above
		}
		above.Children, top = []*LineageNode{top}, above
		if !known || parent.State != essaim.StatePublished {
			break
		}
		rec = parent
	}
	p.Tree = top
	if err := s.growDown(ctx, p, len(seen)); err != nil {
		return err
	}
	by, err := s.origins(ctx)
	top.mark(by)
	return err
}

// mark says of each node below how its origin fares. What is not held of one whose
// address is not its own any more has no page.
func (n *LineageNode) mark(by map[string]Origin) {
	if u, err := url.Parse(n.ID); err == nil && !n.Own {
		n.From = by[u.Host]
	}
	if n.Outside && !n.From.Reachable() {
		n.Path, n.Outside = "", false
	}
	for _, child := range n.Children {
		child.mark(by)
	}
}

// growDown fills the tree below its root, a query a generation. Each record
// stands in it once: those above the record of the page stand there already.
func (s *Server) growDown(ctx context.Context, p *LineagePage, above int) error {
	at := map[string]*LineageNode{}
	for n := p.Tree; n != nil; {
		at[n.ID] = n
		n.Current = n.ID == p.Record.ID
		if len(n.Children) == 0 {
			break
		}
		n = n.Children[0]
	}
	level := []*LineageNode{p.Tree}
	for left := maxGenerations + above; len(level) > 0; left-- {
		ids := make([]string, len(level))
		for i, n := range level {
			ids[i] = n.ID
		}
		branches, err := s.store.Branches(ctx, ids, maxAdaptations)
		if err != nil {
			return err
		}
		if left == 0 {
			p.More = p.More || len(branches) > 0
			return nil
		}
		for _, b := range branches {
			p.More = !branch(at, b) || p.More
		}
		var next []*LineageNode
		for _, n := range level {
			slices.SortStableFunc(n.Children, func(a, b *LineageNode) int { return strings.Compare(a.Year, b.Year) })
			next = append(next, n.Children...)
		}
		level = next
	}
	return nil
}

// branch puts an adaptation in the tree, and marks one that is not known to be
// acknowledged. It is false when the tree is full.
func branch(at map[string]*LineageNode, b essaim.Branch) bool {
	parent, child := at[b.Parent], at[b.Record.ID]
	if child == nil {
		if len(at) >= maxAdaptations {
			return false
		}
		child = lineageNode(b.Record)
		at[child.ID] = child
		parent.Children = append(parent.Children, child)
	}
	if slices.Contains(parent.Children, child) {
		child.Claimed = b.Claim != essaim.ClaimAcknowledged
	}
	return true
}

func lineageNode(rec essaim.Record) *LineageNode {
	n := &LineageNode{RelationLink: relationTo(rec), ID: rec.ID, Own: rec.Origin == ""}
	n.Territory = rec.TerritoryName
	if n.Territory == "" {
		n.Territory = siteName(rec.ID)
	}
	if !rec.Published.IsZero() {
		n.Year = strconv.Itoa(rec.Published.Year())
	}
	return n
}

// goneBy tells whether a record was withdrawn by its origin, or by this node alone.
func (s *Server) goneBy(ctx context.Context, rec essaim.Record) (origin, here bool, err error) {
	w, err := s.withdrawnHere(ctx, rec)
	return rec.State == essaim.StateWithdrawn && w == nil, w != nil, err
}

// keptNode is what an adaptation keeps of its parent, whatever became of it; the
// title of that is taken to be in the language of the adaptation.
func keptNode(d essaim.Derivation, lang string) *LineageNode {
	n := &LineageNode{ID: d.ID}
	n.Lang, n.Title, n.Path, n.Outside, n.Territory = lang, d.Name, d.ID, true, siteName(d.AttributedTo)
	if u, err := url.Parse(d.ID); err != nil || u.Host == "" {
		n.Path, n.Outside = "", false
	}
	return n
}

// parentLink leads to what a record adapts: here when it is held here, else to its
// address while that is its own.
func (s *Server) parentLink(ctx context.Context, rec, parent essaim.Record, known bool) (*RelationLink, error) {
	if known && parent.State == essaim.StatePublished {
		link := relationTo(parent)
		return &link, nil
	}
	by, err := s.origins(ctx)
	if err != nil {
		return nil, err
	}
	n := keptNode(*rec.DerivedFrom, rec.Language)
	n.mark(by)
	n.Territory = ""
	return &n.RelationLink, nil
}

// compare fills both differences from the exact version that was adapted.
func (s *Server) compare(r *http.Request, p *LineagePage) error {
	ctx, d, l := r.Context(), *p.Record.DerivedFrom, s.locale(r)
	now, err := s.store.Record(ctx, d.ID)
	if err != nil && !errors.Is(err, essaim.ErrNotFound) {
		return err
	}
	held := err == nil && now.State == essaim.StatePublished
	if err == nil {
		if p.Since.Gone, p.Since.GoneHere, err = s.goneBy(ctx, now); err != nil {
			return err
		}
	}
	version, err := s.store.ParentVersion(ctx, d)
	switch {
	case errors.Is(err, essaim.ErrNotFound) && held && now.ContentDigest == d.Digest:
		version = now.Content // it stands as it was adapted
	case errors.Is(err, essaim.ErrNotFound):
		return nil
	case err != nil:
		return err
	}
	p.Own = Changed{Known: true, Lang: p.Record.Language, Fields: changedFields(l, &version, &p.Record.Content)}
	if held {
		p.Since = Changed{Known: true, Lang: now.Language, Fields: changedFields(l, &version, &now.Content)}
	}
	// What an origin took out of its text is not published here in its place.
	if userOf(r) == nil && (!held || len(p.Since.Fields) > 0) {
		p.Since.hideGone()
		p.Own.hideGone()
	}
	return nil
}

// hideGone leaves out the text of the lines that only the version before has.
func (c *Changed) hideGone() {
	for i, f := range c.Fields {
		lines := len(f.Lines)
		c.Fields[i].Lines = slices.DeleteFunc(f.Lines, func(l essaim.DifferenceLine) bool { return l.Gone })
		c.Fields[i].Shortened = len(c.Fields[i].Lines) < lines
	}
}

// fieldLists are the closed lists of fields whose values are ids.
var fieldLists = map[string]essaim.List{
	"body.stage": essaim.ListStage, "body.activity": essaim.ListActivity, "body.scope": essaim.ListLevel, "body.purposes": essaim.ListPurpose,
	"body.forms": essaim.ListForm, "body.difficulty": essaim.ListDifficulty, "body.readiness": essaim.ListReadiness,
}

func changedFields(l *locale, before, after *essaim.Content) []ChangedField {
	var out []ChangedField
	for _, d := range essaim.Differences(before, after) {
		f := ChangedField{Label: l.T("field." + fieldKey(d.Field)), Lines: d.Lines}
		list, listed := fieldLists[d.Field]
		f.Ours = listed || d.Field == "themes"
		for i := range f.Lines {
			if listed {
				f.Lines[i].Text = l.term(list, f.Lines[i].Text)
			} else if f.Ours {
				f.Lines[i].Text = l.theme(f.Lines[i].Text)
			}
		}
		f.Lines = unmarked(f.Lines)
		out = append(out, f)
	}
	return out
}

// Marks of Markdown that a difference is read without: those that begin a line, and
// those of emphasis. No more goes, as with markup.Plain: the address of a link may be
// what changed.
var (
	lineMark = regexp.MustCompile(`^(?:[-*+>] |#{1,6} )+`)
	emphasis = regexp.MustCompile(`(\*\*|\*)([^*\s](?:[^*]*[^*\s])?)(\*\*|\*)`)
)

// unmarked takes the marks of Markdown off lines, unless nothing else changed in one.
func unmarked(lines []essaim.DifferenceLine) []essaim.DifferenceLine {
	out := slices.Clone(lines)
	gone := map[string]bool{}
	for i, line := range lines {
		out[i].Text = emphasis.ReplaceAllString(lineMark.ReplaceAllString(line.Text, ""), "$2")
		if line.Gone {
			gone[out[i].Text] = true
		}
	}
	if slices.ContainsFunc(out, func(l essaim.DifferenceLine) bool { return l.New && gone[l.Text] }) {
		return lines
	}
	return out
}
