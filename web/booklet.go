// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"essaim"
)

const (
	bookletPath = "/recueil"
	// maxBooklet bounds the records of a booklet: about as many pages.
	maxBooklet = 200
	// paramTitle names the booklet on its cover.
	paramTitle    = "titre"
	maxTitle      = 120 // characters
	whenUpcoming  = "avenir"
	whenAll       = "toutes"
	bookletAtOnce = 2 // made at the same time
)

// BookletPage is a selection of records to be printed, or kept, as a whole.
type BookletPage struct {
	Base
	Sheets   []Sheet
	Chosen   []string // what was searched, in words
	Total    int
	Capped   bool
	Least    bool // not all was looked at
	Left     int  // found, but beyond what a booklet holds
	Licences []BookletLicence
	From     []essaim.Count // territories, most records first
	PDF      string
	List     string // the same selection as a list
	Own      string // the title that was asked for
	Kept     []Kept // the selection, for the form of the title
}

// BookletLicence is a licence with how many records of the booklet are under it.
type BookletLicence struct {
	essaim.Licence
	N int
}

// Kept is a parameter that a form carries on.
type Kept struct{ Name, Value string }

// showBooklet shows a selection as a booklet to read or to print.
func (s *Server) showBooklet(w http.ResponseWriter, r *http.Request) error {
	p, err := s.booklet(r)
	if err != nil || p == nil {
		return s.correctBooklet(w, r, err)
	}
	return s.render(w, r, http.StatusOK, "booklet", p)
}

// correctBooklet leads a selection that cannot be read to the search, whose form
// says what is wrong with it.
func (s *Server) correctBooklet(w http.ResponseWriter, r *http.Request, err error) error {
	if err != nil && !errors.Is(err, essaim.ErrInvalid) {
		return err
	}
	s.leadTo(w, r, address("/recherche", selection(r.URL.Query())))
	return nil
}

// selection is what of an address chooses records.
func selection(v url.Values) url.Values {
	v = without(v, paramTitle, "")
	v.Del(paramLimit)
	return v
}

// booklet reads the selection that an address asks for; nil when the address is
// not understood.
func (s *Server) booklet(r *http.Request) (*BookletPage, error) {
	v := selection(r.URL.Query())
	q, problems := s.parseQuery(v)
	if len(problems) > 0 {
		return nil, nil
	}
	list, chosen := "/recherche", v
	if v.Get(paramWhen) == whenUpcoming {
		list, chosen = "/rencontres", without(without(v, paramWhen, ""), paramKind, "")
		q.Upcoming = s.upcoming(chosen, &q)
	}
	l := s.locale(r)
	p := &BookletPage{Own: coverTitle(r.URL.Query().Get(paramTitle))}
	if err := s.fillBooklet(r.Context(), l, p, q); err != nil {
		return nil, fmt.Errorf("booklet: %w", err)
	}
	facets := &ListPage{Action: "/recherche"}
	s.fillFacets(facets, l, q, essaim.Facets{})
	s.fillChips(facets, l, q, v)
	for _, c := range facets.Chips {
		p.Chosen = append(p.Chosen, c.Label)
	}
	p.Title = cmp.Or(p.Own, l.F("booklet.title", "Territory", s.cfg.Node.Territory.Name))
	p.Description, p.Section, p.NoIndex = l.T("booklet.lede"), "recherche", true
	p.Crumbs = []Crumb{{l.T("nav.home"), "/"}, {l.T("nav.search"), "/recherche"}, {l.T("booklet.short"), ""}}
	p.List = address(list, chosen)
	full := url.Values{}
	for name, values := range v {
		full[name] = values
		for _, value := range values {
			p.Kept = append(p.Kept, Kept{name, value})
		}
	}
	slices.SortFunc(p.Kept, func(a, b Kept) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Value, b.Value)) })
	if p.Own != "" {
		full.Set(paramTitle, p.Own)
	}
	p.PDF, p.Canonical = address(bookletPath+".pdf", full), s.abs(address(bookletPath, full))
	return p, nil
}

// fillBooklet reads the records, a page of the search after another, and sums up
// their licences and territories.
func (s *Server) fillBooklet(ctx context.Context, l *locale, p *BookletPage, q essaim.Query) error {
	origins, err := s.origins(ctx)
	if err != nil {
		return err
	}
	for {
		q.Limit = min(100, maxBooklet-len(p.Sheets))
		res, err := s.store.Search(ctx, q)
		if err != nil {
			return err
		}
		if q.After == "" {
			p.Total, p.Capped, p.Least = res.Total, res.Capped, res.Least
		}
		for _, rec := range res.Records {
			sh := l.sheet(rec)
			sh.Number = len(p.Sheets) + 1
			if sh.From = origins[rec.Origin]; !sh.From.Reachable() {
				sh.Address = s.abs(recordPath(rec))
			}
			p.add(l, sh)
		}
		q.After = res.Next
		if q.After == "" && p.Least {
			p.Total, p.Least = len(p.Sheets), false
		}
		if q.After == "" || len(p.Sheets) >= maxBooklet {
			break
		}
	}
	if p.Least {
		p.Total, p.Capped = max(p.Total, len(p.Sheets)), true
	}
	if p.Left = max(0, p.Total-len(p.Sheets)); p.Least {
		p.Left = max(1, p.Left)
	}
	slices.SortStableFunc(p.Licences, func(a, b BookletLicence) int { return b.N - a.N })
	slices.SortStableFunc(p.From, func(a, b essaim.Count) int { return b.N - a.N })
	return nil
}

func (p *BookletPage) add(l *locale, sh Sheet) {
	p.Sheets = append(p.Sheets, sh)
	if id := sh.Record.Licence; id != "" {
		i := slices.IndexFunc(p.Licences, func(b BookletLicence) bool { return b.ID == licenceOf(id).ID })
		if i < 0 {
			i, p.Licences = len(p.Licences), append(p.Licences, BookletLicence{licenceOf(id), 0})
		}
		p.Licences[i].N++
	}
	i := slices.IndexFunc(p.From, func(c essaim.Count) bool { return c.Value == sh.Record.Territory })
	if i < 0 {
		name := cmp.Or(sh.Record.TerritoryName, siteName(sh.Record.Territory))
		i, p.From = len(p.From), append(p.From, essaim.Count{Value: sh.Record.Territory, Label: name})
	}
	p.From[i].N++
}

// coverTitle is a title as it may stand on a cover: on one line and no longer
// than a cover is wide.
func coverTitle(asked string) string {
	words := []rune(strings.Join(strings.FieldsFunc(strings.ToValidUTF8(asked, ""), func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r)
	}), " "))
	return string(words[:min(len(words), maxTitle)])
}

// chosenOf says what a list holds to pages that are about all kinds: its booklet, and
// a record of it at random.
func chosenOf(p *ListPage, v url.Values) url.Values {
	v = selection(v)
	if p.Kind != "" {
		v.Set(paramKind, string(p.Kind))
	}
	v.Del(paramWhen)
	if p.Kind == essaim.KindMeeting && p.Upcoming == "" {
		v.Set(paramWhen, whenUpcoming)
	}
	return v
}
