// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"essaim"
	"essaim/web/transfer"
)

// roll is a list of what is no record, in those formats of other lists that make
// sense for it, at the address of its page with an extension too.
type roll struct {
	path, what string // address; what it lists, in English, for the API's description
	title      string // key
	formats    []string
	columns    []string
	read       func(s *Server, ctx context.Context, l *locale) ([]rollItem, error)
}

// rollItem is one of a roll: its columns in order, and the same for readers of feeds
// and of linked data.
type rollItem struct {
	transfer.Listed
	data  Structured
	entry essaim.Record // its address in it is URL
}

// rolls are such lists. People are in no feed: readers keep what was in one, and who
// asks to be listed no more is to be gone.
func rolls() []roll {
	return []roll{
		{
			path: "/personnes", what: "The people of this node who asked directories to list them", title: "people.title",
			formats: []string{"csv", "jsonld"}, columns: []string{"id", "name", "handle", "page", "summary"}, read: (*Server).readPeople,
		},
		{
			path: "/territoires", what: "The territories of the network", title: "network.title",
			formats: []string{"atom", "json", "csv", "geojson", "jsonld"},
			columns: []string{"id", "name", "handle", "host", "url", "page", "status", "followed", "follows_us", "records", "latitude", "longitude"}, read: (*Server).readTerritories,
		},
	}
}

func rollAt(path string) roll {
	all := rolls()
	return all[slices.IndexFunc(all, func(o roll) bool { return o.path == path })]
}

// in lists the formats of a roll.
func (o roll) in() (out []format) {
	for _, f := range formats {
		if slices.Contains(o.formats, f.ext) {
			out = append(out, f)
		}
	}
	return out
}

func (s *Server) rollRoutes(r chi.Router) {
	for _, o := range rolls() {
		for _, f := range o.in() {
			get(r, o.path+"."+f.ext, s.handle(s.showRoll(o, f)))
			r.Options(o.path+"."+f.ext, func(http.ResponseWriter, *http.Request) {})
		}
	}
}

// rollLinks are the formats of a roll, for its page.
func (s *Server) rollLinks(l *locale, path string) (out []FormatLink) {
	o := rollAt(path)
	for _, f := range o.in() {
		out = append(out, FormatLink{Ext: f.ext, Media: f.media, Path: path + "." + f.ext, Title: l.T(o.title) + " – " + l.T("format."+f.ext), Feed: f.feed})
	}
	return out
}

// showRoll answers a roll in a format.
func (s *Server) showRoll(o roll, f format) handlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		a := s.listingOf(r, o.path, f)
		a.values = nil // a roll takes nothing but the language
		items, err := o.read(s, r.Context(), a.locale)
		if err != nil {
			return err
		}
		a.title = a.locale.T(o.title) + " – " + s.cfg.Node.Territory.Name
		s.headFormat(w, a)
		if f.feed {
			page := s.rollFeed(a, items)
			body, err := page.in(f)
			if err != nil {
				return fmt.Errorf("%s.%s: %w", o.path, f.ext, err)
			}
			answerFormat(w, r, a.contentType(), body, time.Time{}) // who leaves it is no later change
			return nil
		}
		var b bytes.Buffer
		if f.ext == "jsonld" {
			list := Structured{Context: schemaOrg, Type: "ItemList", Name: a.title, URL: s.abs(o.path), Items: len(items)}
			for _, i := range items {
				list.Elements = append(list.Elements, i.data)
			}
			err = json.NewEncoder(&b).Encode(list)
		} else {
			rows := make([]transfer.Listed, len(items))
			for i := range items {
				rows[i] = items[i].Listed
			}
			err = transfer.WriteListed(&b, f.ext, o.columns, rows)
		}
		if err != nil {
			return fmt.Errorf("%s.%s: %w", o.path, f.ext, err)
		}
		answerFormat(w, r, a.contentType(), b.Bytes(), time.Time{})
		return nil
	}
}

// rollFeed has the newest of a roll, those that came last first.
func (s *Server) rollFeed(a listing, items []rollItem) feed {
	f := s.newFeed(a)
	items = slices.DeleteFunc(items, func(i rollItem) bool { return i.entry.Published.IsZero() })
	slices.SortStableFunc(items, func(a, b rollItem) int { return b.entry.Published.Compare(a.entry.Published) })
	for _, i := range items[:min(len(items), feedLength)] {
		if i.entry.Updated.After(f.Updated) {
			f.Updated = i.entry.Updated
		}
		f.Entries = append(f.Entries, feedEntry{Record: i.entry, Page: i.entry.URL})
	}
	return f
}

// readPeople reads all who let directories list them.
func (s *Server) readPeople(ctx context.Context, _ *locale) (out []rollItem, err error) {
	for after := ""; ; {
		list, err := s.store.People(ctx, after, 100)
		if err != nil {
			return nil, err
		}
		for _, a := range list {
			after = a.Username
			name, page, text := cmp.Or(a.Profile.Name, a.Username), s.abs(peoplePath+a.Username), summaryLine(a)
			out = append(out, rollItem{
				Listed: transfer.Listed{Values: []string{a.ID, name, strings.TrimPrefix(s.handleOf(a.Username), "@"), page, text}},
				data:   Structured{Type: "Person", ID: a.ID, Name: name, Description: text, URL: page},
			})
		}
		if len(list) < 100 {
			return out, nil
		}
	}
}

// readTerritories reads the nodes that are known, but those that are blocked.
func (s *Server) readTerritories(ctx context.Context, l *locale) ([]rollItem, error) {
	peers, err := s.store.Peers(ctx)
	if err != nil {
		return nil, err
	}
	sortPeers(peers)
	var out []rollItem
	for _, p := range peers {
		if p.State == essaim.PeerBlocked {
			continue
		}
		id, name, page := cmp.Or(p.Territory, p.Actor), peerName(p), s.abs(territoryPath(p.Host))
		status, _ := s.peerStatus(&p)
		_, since := p.Life(s.now(), s.cfg.PeerSilence) // a reader is to see that it fell silent
		i := rollItem{data: Structured{Type: "Organization", ID: id, Name: name, URL: cmp.Or(p.URL, page)}}
		handle, followed, lat, lon := "", "", "", ""
		if p.Username != "" {
			handle = p.Username + "@" + p.Host
		}
		if !p.FollowedAt.IsZero() {
			followed = feedTime(p.FollowedAt)
		}
		i.entry = essaim.Record{
			Content: essaim.Content{Title: name, Tagline: l.T("network.status." + status), Language: l.lang},
			ID:      id, Territory: id, TerritoryName: name, URL: page, Published: p.FollowedAt, Updated: p.FollowedAt,
		}
		if since.After(i.entry.Updated) {
			i.entry.Updated = since
		}
		if p.About.Located() {
			i.Lat, i.Lon = &p.About.Lat, &p.About.Lon
			lat, lon = strconv.FormatFloat(*i.Lat, 'f', -1, 64), strconv.FormatFloat(*i.Lon, 'f', -1, 64)
			i.entry.Places = []essaim.Place{{Lat: i.Lat, Lon: i.Lon}}
			i.data.Location = []Structured{{Type: "Place", Geo: &Structured{Type: "GeoCoordinates", Latitude: i.Lat, Longitude: i.Lon}}}
		}
		i.Values = []string{
			id, name, handle, p.Host, p.URL, page, status, followed, strconv.FormatBool(p.FollowsUs), strconv.Itoa(p.Records), lat, lon,
		}
		out = append(out, i)
	}
	return out, nil
}

// territoryPages are the paths of the pages of territories that brought something.
func (s *Server) territoryPages(ctx context.Context) ([]string, error) {
	peers, err := s.store.Peers(ctx)
	if err != nil {
		return nil, fmt.Errorf("territories: %w", err)
	}
	var out []string
	for _, p := range peers {
		if p.State != essaim.PeerBlocked && p.Records > 0 {
			out = append(out, territoryPath(p.Host))
		}
	}
	return out, nil
}
