// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mmcdole/gofeed"
	"github.com/mmcdole/gofeed/atom"
	"github.com/peterstace/simplefeatures/geom"

	"essaim"
	"essaim/store/storetest"
)

func TestFormatsAreReadBackByOthers(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.DB) {
		s := newReadSite(t, db)
		t.Run("Atom", s.readAtom)
		t.Run("JSON Feed", s.readJSONFeed)
		t.Run("CSV", s.readCSV)
		t.Run("GeoJSON", s.readGeoJSON)
		t.Run("JSON-LD", s.readJSONLD)
		t.Run("iCalendar", s.readCalendar)
		t.Run("sitemap", s.readSitemap)
	})
}

func (s readSite) readAtom(t *testing.T) {
	var got []told
	pages := 0
	for next := s.base + "/recherche.atom"; next != ""; pages++ {
		p := gofeed.NewParser()
		p.KeepOriginalFeed = true
		f, err := p.Parse(bytes.NewReader(s.read(t, next)))
		if err != nil {
			t.Fatal(err)
		}
		a := f.OriginalFeed().(*atom.Feed)
		next = relOf(a.Links, "next")
		for i, item := range f.Items {
			e, r := a.Entries[i], s.records[item.GUID]
			got = append(got, told{item.GUID, item.Title, item.Description, relOf(e.Links, "license"), item.Link, *item.UpdatedParsed})
			if !item.PublishedParsed.Equal(r.Published.Truncate(time.Second)) || e.Authors[0].Name != r.TerritoryName || e.Authors[0].URI != r.Territory {
				t.Errorf("%s: published %v, author %v", r.Title, item.PublishedParsed, e.Authors[0])
			}
			if from := e.Source; (from != nil) != (r.Origin != "") || from != nil && (from.ID != r.Territory || from.Title != r.TerritoryName) {
				t.Errorf("%s of %q: source %+v", r.Title, r.Origin, from)
			}
			if (item.Content != "") != freeRecord(r) || !strings.Contains(item.Content, "</p>") && freeRecord(r) {
				t.Errorf("%s: content %q", r.Title, item.Content)
			}
			var credited []string
			for _, c := range e.Contributors {
				credited = append(credited, c.Name)
			}
			if l, _ := essaim.LicenceByID(r.Licence); !slices.Equal(credited, creditsOf(r)) || !strings.Contains(e.Rights, holderOf(r)) || !strings.Contains(e.Rights, l.Name) {
				t.Errorf("%s: credits %q, rights %q", r.Title, credited, e.Rights)
			}
			for _, theme := range r.Themes {
				if !slices.ContainsFunc(e.Categories, func(c *atom.Category) bool { return c.Term == essaim.ThemeIRI(theme) }) {
					t.Errorf("%s: no category %s", r.Title, theme)
				}
			}
			if lat, lon, ok := firstPoint(r); ok {
				if got := item.Extensions["georss"]["point"][0].Value; got != number(lat)+" "+number(lon) {
					t.Errorf("%s is at %s", r.Title, got)
				}
			}
		}
	}
	if pages < 2 {
		t.Errorf("%d pages: the link to the next was not followed", pages)
	}
	s.same(t, "Atom", anyRecord, got)
}

func relOf(links []*atom.Link, rel string) string {
	for _, l := range links {
		if l.Rel == rel {
			return l.Href
		}
	}
	return ""
}

// holderOf is whom to credit for a record: who publishes it, unless it says another.
func holderOf(r essaim.Record) string { return cmp.Or(r.Holder, r.TerritoryName) }

// creditsOf names who may be named.
func creditsOf(r essaim.Record) (names []string) {
	for _, c := range r.PublicCredits() {
		names = append(names, c.Name)
	}
	return names
}

// recordPathOf is the page of a record on the site.
func recordPathOf(r essaim.Record) string {
	if r.Origin != "" {
		return "/ailleurs/" + r.Origin + "/" + r.Slug
	}
	info, _ := r.Kind.Info()
	return "/" + info.Path + "/" + r.Slug
}

func firstPoint(r essaim.Record) (lat, lon float64, ok bool) {
	if len(r.Places) == 0 || !r.Places[0].Located() {
		return 0, 0, false
	}
	return *r.Places[0].Lat, *r.Places[0].Lon, true
}

func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

func (s readSite) readJSONFeed(t *testing.T) {
	var got []told
	for next := s.base + "/recherche.json?limit=40"; next != ""; {
		body := s.read(t, next)
		f, err := gofeed.NewParser().Parse(bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		var more struct { // what the library leaves out
			Next  string `json:"next_url"`
			Items []struct {
				Authors []struct{ Name, URL string }
				Essaim  struct{ Kind, Licence, Territory, Origin, Holder string } `json:"_essaim"`
			}
		}
		if err := json.Unmarshal(body, &more); err != nil {
			t.Fatal(err)
		}
		next = more.Next
		for i, item := range f.Items {
			r := s.records[item.GUID]
			got = append(got, told{item.GUID, item.Title, item.Description, more.Items[i].Essaim.Licence, item.Link, *item.UpdatedParsed})
			authors, e := more.Items[i].Authors, more.Items[i].Essaim
			var credited []string
			for _, a := range authors[1:] {
				credited = append(credited, a.Name)
			}
			if !item.PublishedParsed.Equal(r.Published.Truncate(time.Second)) || authors[0].Name != r.TerritoryName || authors[0].URL != r.Territory || !slices.Equal(credited, creditsOf(r)) || item.Content == "" {
				t.Errorf("%s: published %v, authors %v, content %q", r.Title, item.PublishedParsed, authors, item.Content)
			}
			if e.Kind != string(r.Kind) || e.Territory != r.Territory || e.Origin != r.Origin || e.Holder != r.Holder {
				t.Errorf("%s: %+v", r.Title, e)
			}
		}
	}
	s.same(t, "JSON Feed", anyRecord, got)
}

func (s readSite) readCSV(t *testing.T) {
	rows, err := csv.NewReader(bytes.NewReader(s.read(t, "/recherche.csv"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var got []told
	for _, row := range rows[1:] {
		v := map[string]string{}
		for i, column := range rows[0] {
			v[column] = row[i]
			// docs/fr/importer.md: an apostrophe stands before what a spreadsheet would run.
			if len(row[i]) > 1 && row[i][0] == '\'' && strings.ContainsRune("=+-@", rune(row[i][1])) {
				v[column] = row[i][1:]
			}
		}
		got = append(got, s.values(t, v))
	}
	s.same(t, "CSV", freeRecord, got)
}

func (s readSite) readGeoJSON(t *testing.T) {
	// The library reads every feature but those without a place, whose geometry is
	// null (RFC 7946 3.2).
	var c struct {
		Type     string            `json:"type"`
		Features []json.RawMessage `json:"features"`
	}
	if err := json.Unmarshal(s.read(t, "/recherche.geojson"), &c); err != nil || c.Type != "FeatureCollection" {
		t.Fatal(c.Type, err)
	}
	var got []told
	located := 0
	for _, raw := range c.Features {
		var f geom.GeoJSONFeature
		if bytes.Contains(raw, []byte(`"geometry":null`)) {
			if err := json.Unmarshal(raw, &struct{ Properties *map[string]any }{&f.Properties}); err != nil {
				t.Fatal(err)
			}
		} else if err := json.Unmarshal(raw, &f); err != nil {
			t.Fatal(err)
		}
		v := map[string]string{}
		for name, value := range f.Properties {
			v[name] = fmt.Sprint(value)
		}
		if p, is := f.Geometry.AsPoint(); is && !p.IsEmpty() {
			xy, _ := p.XY()
			v["lat"], v["lon"] = number(xy.Y), number(xy.X)
			located++
		}
		got = append(got, s.values(t, v))
	}
	if located < 30 {
		t.Errorf("%d features have a point", located)
	}
	s.same(t, "GeoJSON", freeRecord, got)
}
