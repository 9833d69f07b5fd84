// SPDX-License-Identifier: AGPL-3.0-or-later

package transfer

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"essaim"
)

// ownColumns are the columns of the files that this package writes. What has no
// column stands in essaim_details, the JSON of the rest of the content, so that
// an export imported elsewhere and exported again gives the same rows. Ids,
// territory, addresses and dates belong to the node that writes them.
var ownColumns = []string{
	"essaim_id", kindColumn, "title", "tagline", "text", "language", "themes", "keywords",
	"everywhere", "label", "street", "postcode", "city", "country", "insee", "epci", "departement", "region", "level", "lat", "lon", "approximate",
	"website", "opening_hours", "stage", "since", "start", "end",
	"territory", "territory_name", "licence", "holder", "source_name", "source_url", "source_fetched",
	"url", "published", "updated", "essaim_details",
}

// flatten gives the values of a record by column.
func flatten(rec essaim.Record) (map[string]string, error) {
	c := rec.Content
	v := map[string]string{
		"essaim_id": rec.ID, kindColumn: string(c.Kind), "url": rec.URL,
		"territory": rec.Territory, "territory_name": rec.TerritoryName,
		"title": c.Title, "tagline": c.Tagline, "text": c.Text, "language": c.Language,
		"licence": c.Licence, "holder": c.Holder,
		"published": stamp(rec.Published), "updated": stamp(rec.Updated),
	}
	if c.Holder == "" {
		v["holder"] = rec.TerritoryName
	}
	if c.Everywhere {
		v["everywhere"] = "true"
	}
	v["themes"] = strings.Join(c.Themes, ";")
	c.Title, c.Tagline, c.Text, c.Language, c.Licence, c.Holder, c.Everywhere, c.Themes = "", "", "", "", "", "", false, nil
	if !slices.ContainsFunc(c.Keywords, func(k string) bool { return strings.Contains(k, ";") }) {
		v["keywords"] = strings.Join(c.Keywords, ";")
		c.Keywords = nil
	}
	if len(c.Places) > 0 {
		flattenPlace(v, c.Places[0])
		c.Places = c.Places[1:]
	}
	if len(c.Links) > 0 && c.Links[0].Name == "" {
		v["website"] = c.Links[0].URL
		c.Links = c.Links[1:]
	}
	v["source_name"], v["source_url"] = rec.TerritoryName, rec.URL
	if len(c.Sources) > 0 {
		s := c.Sources[0]
		v["source_name"], v["source_url"], v["source_fetched"] = s.Name, s.URL, s.Fetched
		c.Sources = slices.Clone(c.Sources[1:])
		for i := range c.Sources {
			c.Sources[i].Key = "" // names a row to an import of this node
		}
	}
	c.Credits = rec.PublicCredits()
	c.Contacts = nil // never exported
	if err := flattenBody(v, &c); err != nil {
		return nil, err
	}
	details, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("record %s: %w", rec.ID, err)
	}
	if string(details) != `{"kind":"`+string(c.Kind)+`","title":"","body":{}}` {
		v["essaim_details"] = string(details)
	}
	return v, nil
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func flattenPlace(v map[string]string, pl essaim.Place) {
	v["label"], v["street"], v["postcode"], v["city"], v["country"] = pl.Label, pl.Street, pl.Postcode, pl.City, pl.Country
	v["insee"], v["epci"], v["departement"], v["region"], v["level"] = pl.INSEE, pl.EPCI, pl.Departement, pl.Region, pl.Level
	if pl.Located() {
		v["lat"] = strconv.FormatFloat(*pl.Lat, 'f', -1, 64)
		v["lon"] = strconv.FormatFloat(*pl.Lon, 'f', -1, 64)
	}
	if pl.Approximate {
		v["approximate"] = "true"
	}
}

// flattenBody moves the fields of the body that have columns. The body is
// copied first: the record keeps its own.
func flattenBody(v map[string]string, c *essaim.Content) error {
	switch b := c.Body.(type) {
	case *essaim.Initiative:
		rest := *b
		v["stage"], v["since"] = b.Stage, b.Since
		rest.Stage, rest.Since = "", ""
		c.Body = &rest
	case *essaim.Venue:
		rest := *b
		v["opening_hours"] = strings.Join(b.OpeningHours, "; ")
		rest.OpeningHours = nil
		c.Body = &rest
	case *essaim.Organisation:
		rest := *b
		v["since"] = b.Founded
		rest.Founded = ""
		c.Body = &rest
	case *essaim.Meeting:
		rest := meetingRest{Meeting: *b}
		v["start"], v["end"] = stamp(b.Start), stamp(b.End)
		rest.Meeting.Start, rest.Meeting.End = time.Time{}, time.Time{}
		c.Body = &rest
	case nil:
		return fmt.Errorf("a %s without body: %w", c.Kind, essaim.ErrInvalid)
	}
	return nil
}

// meetingRest writes a meeting without the times that have their columns.
type meetingRest struct{ essaim.Meeting }

// MarshalJSON hides the start, which Meeting always writes.
func (m meetingRest) MarshalJSON() ([]byte, error) {
	type plain essaim.Meeting
	return json.Marshal(struct {
		plain
		Start time.Time `json:"start,omitzero"`
	}{plain: plain(m.Meeting)})
}

// ownContent reads a row of a file of ours. Licence, holder and source are those
// of the row; the configuration fills them only where the row has none.
func (c *Converter) ownContent(r Row) (essaim.Content, string, error) {
	v := r.Values
	kind := essaim.Kind(v[kindColumn])
	info, ok := kind.Info()
	if !ok {
		return essaim.Content{}, "", fmt.Errorf("kind %q: %w", kind, essaim.ErrInvalid)
	}
	out := essaim.Content{Kind: kind, Body: info.Body()}
	if d := v["essaim_details"]; d != "" {
		if err := json.Unmarshal([]byte(d), &out); err != nil {
			return out, "", fmt.Errorf("essaim_details cannot be read: %w", essaim.ErrInvalid)
		}
		if out.Kind != kind {
			return out, "", fmt.Errorf("essaim_details is of kind %q, the row of kind %q: %w", out.Kind, kind, essaim.ErrInvalid)
		}
	}
	out.Title, out.Tagline, out.Text, out.Language = v["title"], v["tagline"], v["text"], v["language"]
	if strings.TrimSpace(out.Title) == "" {
		return out, "", errNoTitle
	}
	out.Everywhere = v["everywhere"] == "true"
	out.Themes = splitOwn(v["themes"])
	if v["keywords"] != "" {
		out.Keywords = splitOwn(v["keywords"])
	}
	if err := ownPlace(r, &out); err != nil {
		return out, "", err
	}
	for i := range out.Places {
		if err := c.complete(&out.Places[i]); err != nil {
			return out, "", err
		}
	}
	if v["website"] != "" {
		out.Links = slices.Insert(out.Links, 0, essaim.Link{URL: v["website"]})
	}
	if err := c.ownRights(v, &out); err != nil {
		return out, "", err
	}
	// What a file cannot bring: ways to reach people, and their consent.
	out.Contacts = nil
	out.Credits = out.PublicCredits()
	if err := ownBody(v, out.Body); err != nil {
		return out, "", err
	}
	key := v["essaim_id"]
	if key == "" {
		key = c.key(r, &out)
	}
	return out, key, nil
}

func splitOwn(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ";")
}

func ownPlace(r Row, out *essaim.Content) error {
	v := r.Values
	pl := essaim.Place{
		Label: v["label"], Street: v["street"], Postcode: v["postcode"], City: v["city"], Country: v["country"],
		INSEE: v["insee"], EPCI: v["epci"], Departement: v["departement"], Region: v["region"], Level: v["level"],
		Approximate: v["approximate"] == "true",
	}
	switch {
	case v["lat"] != "" || v["lon"] != "":
		lat, err1 := degrees(v["lat"])
		lon, err2 := degrees(v["lon"])
		if err1 != nil || err2 != nil {
			return fmt.Errorf("coordinates %q, %q: %w", v["lat"], v["lon"], essaim.ErrInvalid)
		}
		pl.Lat, pl.Lon = essaim.Point(lat, lon)
	case r.Lat != nil:
		pl.Lat, pl.Lon = r.Lat, r.Lon
	}
	if pl != (essaim.Place{}) {
		out.Places = slices.Insert(out.Places, 0, pl)
	}
	if len(out.Places) == 0 && !out.Everywhere && (out.Kind == essaim.KindVenue || out.Kind == essaim.KindOrganisation) {
		return errNoPlace
	}
	return nil
}

func (c *Converter) ownRights(v map[string]string, out *essaim.Content) error {
	out.Licence, out.Holder = v["licence"], v["holder"]
	if out.Licence == "" {
		out.Licence = c.cfg.Licence
	}
	if !essaim.KnownLicence(out.Licence) {
		return fmt.Errorf("licence %q is not known: %w", out.Licence, essaim.ErrInvalid)
	}
	if out.Holder == "" {
		out.Holder = c.cfg.Attribution
	}
	src := essaim.Source{Name: v["source_name"], URL: v["source_url"], Fetched: v["source_fetched"]}
	if src.Name == "" && src.URL == "" {
		src.Name, src.URL = c.cfg.Attribution, c.cfg.SourceURL
	}
	out.Sources = slices.Insert(out.Sources, 0, src)
	return nil
}

func ownBody(v map[string]string, body essaim.Body) error {
	switch b := body.(type) {
	case *essaim.Initiative:
		b.Stage, b.Since = v["stage"], v["since"]
	case *essaim.Venue:
		if v["opening_hours"] != "" {
			b.OpeningHours = strings.Split(v["opening_hours"], "; ")
		}
	case *essaim.Organisation:
		b.Founded = v["since"]
	case *essaim.Meeting:
		var err error
		if b.Start, err = instant(v["start"]); err == nil {
			b.End, err = instant(v["end"])
		}
		return err
	}
	return nil
}
