// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"essaim"
)

// values compares the columns of a row with its record, field by field.
func (s readSite) values(t *testing.T, v map[string]string) told {
	t.Helper()
	r := s.records[v["essaim_id"]]
	lic, _ := essaim.LicenceByID(v["licence"])
	updated, err := instant(v["updated"])
	published, err2 := instant(v["published"])
	if err != nil || err2 != nil || !published.Equal(r.Published.Truncate(time.Second)) {
		t.Errorf("%s: dates %q, %q", r.Title, v["published"], v["updated"])
	}
	if v["essaim_kind"] != string(r.Kind) || v["territory"] != r.Territory || v["territory_name"] != r.TerritoryName {
		t.Errorf("%s is a %q of %q, %q", r.Title, v["essaim_kind"], v["territory_name"], v["territory"])
	}
	if diff := cmp.Diff(allowed(t, r), rebuilt(t, v)); diff != "" {
		t.Errorf("%s (-store +read):\n%s", r.Title, diff)
	}
	return told{v["essaim_id"], v["title"], v["tagline"], lic.IRI, v["url"], updated}
}

// fields is a value as JSON has it.
type fields = map[string]any

func asFields(t *testing.T, v any) fields {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return readFields(t, string(b))
}

func readFields(t *testing.T, s string) (f fields) {
	t.Helper()
	if err := json.Unmarshal([]byte(s), &f); err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return f
}

// allowed is all that an export says of the content of a record: no way to reach
// people, none of those who did not agree, nor how they did.
func allowed(t *testing.T, r essaim.Record) fields {
	t.Helper()
	c := r.Content
	c.Contacts, c.Credits, c.Holder = nil, c.PublicCredits(), holderOf(r)
	c.Text = strings.ReplaceAll(c.Text, "\r\n", "\n")
	c.Sources = append([]essaim.Source(nil), c.Sources...)
	if len(c.Sources) == 0 {
		c.Sources = []essaim.Source{{Name: r.TerritoryName, URL: r.URL}}
	}
	for i := range c.Sources {
		c.Sources[i].Key = ""
	}
	if m, ok := c.Body.(*essaim.Meeting); ok {
		utc := *m
		utc.Start, utc.End = m.Start.UTC(), m.End.UTC()
		c.Body = &utc
	}
	return asFields(t, c)
}

// rebuilt is the content that a row tells, put together again as
// docs/fr/importer.md says: columns, and among them what stands in essaim_details.
func rebuilt(t *testing.T, v map[string]string) fields {
	t.Helper()
	c := fields{"kind": v["essaim_kind"], "title": "", "body": fields{}}
	if d := v["essaim_details"]; d != "" {
		c = readFields(t, d)
	}
	put := func(to fields, name string, value any) {
		if was := to[name]; was != nil && was != "" {
			t.Errorf("%s: %s is told twice, %v and %v", v["title"], name, was, value)
		}
		to[name] = value
	}
	texts := func(to fields, columns ...string) {
		for _, column := range columns {
			if name, value := nameOf(column), v[column]; value != "" {
				put(to, name, value)
			}
		}
	}
	words := func(to fields, column, separator string) {
		if v[column] == "" {
			return
		}
		var list []any
		for _, w := range strings.Split(v[column], separator) {
			list = append(list, w)
		}
		put(to, nameOf(column), list)
	}
	first := func(list string, item fields) {
		rest, _ := c[list].([]any)
		if len(item) > 0 {
			c[list] = append([]any{item}, rest...)
		}
	}
	texts(c, "title", "tagline", "text", "language", "licence", "holder")
	words(c, "themes", ";")
	words(c, "keywords", ";")
	if v["everywhere"] == "true" {
		put(c, "everywhere", true)
	}
	place, link, source := fields{}, fields{}, fields{}
	texts(place, "label", "street", "postcode", "city", "country", "insee", "epci", "departement", "region", "level")
	if v["approximate"] == "true" {
		place["approximate"] = true
	}
	for _, column := range []string{"lat", "lon"} {
		if degrees, err := strconv.ParseFloat(v[column], 64); err == nil {
			place[column] = degrees
		}
	}
	texts(link, "website")
	texts(source, "source_name", "source_url", "source_fetched")
	if _, told := source["url"]; !told {
		source["url"] = ""
	}
	first("places", place)
	first("links", link)
	first("sources", source)
	body := c["body"].(fields)
	texts(body, "stage", "start", "end")
	words(body, "opening_hours", "; ")
	if name := map[string]string{"initiative": "since", "organisation": "founded"}[v["essaim_kind"]]; v["since"] != "" {
		put(body, name, v["since"])
	}
	return c
}

// nameOf is the field that a column holds.
func nameOf(column string) string {
	switch column {
	case "website":
		return "url"
	case "opening_hours":
		return "openingHours"
	}
	return strings.TrimPrefix(column, "source_")
}
