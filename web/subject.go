// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"essaim"
)

// SubjectPage is the page of what records have in common: a theme, a commune, a
// territory. All that it lists are searches, and it leads to each of them.
type SubjectPage struct {
	Base
	FollowForm
	Sort    string    // theme, commune or territory
	Also    []string  // other names
	Peer    *PeerView // of a territory of the network
	Link    string    // its own site
	Tags    []TagGroup
	Shelves []Shelf
	Map     string
	Search  string // address of the search for all of it
	Formats []FormatLink
}

// TagGroup is a list of links under a heading.
type TagGroup struct {
	Legend string
	Tags   []Tag
}

// Tag leads to a subject, with how many records it has.
type Tag struct{ Label, Path, Count string }

// Shelf is the first records of a search, under a heading.
type Shelf struct {
	Title  string
	Cards  []Card
	Agenda bool // they are meetings to come
	Total  int
	Capped bool
	Least  bool // there may be more
	Lede   string
	More   string // address of the search
	See    string // its words, when it finds more than the shelf is of; else how many it finds
	Empty  string // what to do when there are none; such a shelf without it is left out
	Spread bool   // no more than a third of one territory, while there are others
	Action string // address that does it
	Do     string // and its words
}

// shelfQuery is a search whose first records stand on a shelf, and how an address
// says it. A shelf without a title is not shown: its search is asked for its counts.
type shelfQuery struct {
	essaim.Query
	shelf Shelf
	v     url.Values
}

// onShelf is how many records a shelf shows.
const onShelf = 6

// fillShelves asks all the searches of a page at once.
func (s *Server) fillShelves(ctx context.Context, asked []shelfQuery) ([]Shelf, []essaim.Results, error) {
	queries := make([]essaim.Query, len(asked))
	for i, q := range asked {
		switch {
		case q.shelf.Spread:
			q.Limit = 4 * onShelf
		case q.Limit == 0:
			q.Limit = onShelf
		}
		queries[i] = q.Query
	}
	found, err := s.store.SearchEach(ctx, queries...)
	if err != nil {
		return nil, nil, err
	}
	var all []essaim.Record
	for i := range found {
		if err := s.further(ctx, queries[i], &found[i]); err != nil {
			return nil, nil, err
		}
		all = append(all, found[i].Records...)
	}
	cards, err := s.cards(ctx, all)
	if err != nil {
		return nil, nil, err
	}
	var shelves []Shelf
	for i, res := range found {
		sh := asked[i].shelf
		sh.Cards, cards = cards[:len(res.Records)], cards[len(res.Records):]
		unnamed(sh.Cards, asked[i].Origin)
		if sh.Spread {
			sh.Cards = spread(sh.Cards)
		}
		if sh.Total, sh.Capped, sh.Least = res.Total, res.Capped, res.Least; len(sh.Cards) == 0 && res.Next != "" {
			sh.Empty = "" // nobody knows
		}
		if sh.More == "" {
			sh.More = address("/recherche", asked[i].v)
		}
		sh.Agenda = !asked[i].Upcoming.IsZero()
		if sh.Title != "" && (len(sh.Cards) > 0 || sh.Empty != "") {
			shelves = append(shelves, sh)
		}
	}
	return shelves, found, nil
}

// further goes on with a search that ended before it found anything, a few times.
func (s *Server) further(ctx context.Context, q essaim.Query, found *essaim.Results) error {
	for range 3 {
		if len(found.Records) > 0 || found.Next == "" {
			return nil
		}
		q.After = found.Next
		next, err := s.store.Search(ctx, q)
		if err != nil {
			return err
		}
		found.Records, found.Next, found.Total = next.Records, next.Next, max(found.Total, next.Total)
	}
	return nil
}

// spread takes the first cards, those of a territory that has some already behind
// those of others: one that published much hides nobody.
func spread(cards []Card) []Card {
	had := map[string]int{}
	var first, rest []Card
	for _, c := range cards {
		if had[c.Territory]++; had[c.Territory] <= onShelf/3 {
			first = append(first, c)
		} else {
			rest = append(rest, c)
		}
	}
	first = append(first, rest...)
	return first[:min(onShelf, len(first))]
}

// with is a search's parameters with more of them, in pairs.
func with(v url.Values, pairs ...string) url.Values {
	out := without(v, "", "")
	for i := 0; i+1 < len(pairs); i += 2 {
		out.Add(pairs[i], pairs[i+1])
	}
	return out
}

// subject fills what the pages of subjects share: v is the search for all of it.
func (s *Server) subject(w http.ResponseWriter, r *http.Request, p *SubjectPage, v url.Values, up Crumb) error {
	l := s.locale(r)
	p.Search, p.Map = address("/recherche", v), address(mapPath, v)
	p.Formats = s.formatLinks(l, p.Title, "", "/recherche", v)
	p.Alternates = p.Formats
	p.Crumbs = []Crumb{{l.T("nav.home"), "/"}, up, {p.Title, ""}}
	return s.render(w, r, http.StatusOK, "subject", p)
}

func (p *SubjectPage) addTags(legend string, tags []Tag) {
	if len(tags) > 0 {
		p.Tags = append(p.Tags, TagGroup{legend, tags})
	}
}

// offerFeedOf puts the feed of a theme or a commune on its page, once something
// was published about it.
func (s *Server) offerFeedOf(r *http.Request, p *SubjectPage, kind essaim.ActorKind, subject string) error {
	a, err := s.store.Feed(r.Context(), kind, subject)
	switch {
	case errors.Is(err, essaim.ErrNotFound):
		return nil
	case err != nil:
		return fmt.Errorf("feed of %s: %w", subject, err)
	}
	p.Followed = s.followableActor(r, a)
	p.Object = a.ID
	return nil
}
