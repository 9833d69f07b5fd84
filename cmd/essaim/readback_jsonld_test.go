// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/piprate/json-gold/ld"

	"essaim"
)

// contexts gives the JSON-LD library the contexts that documents name; it asks
// nobody else.
type contexts struct{}

func (contexts) LoadDocument(u string) (*ld.RemoteDocument, error) {
	file, ok := map[string]string{
		"https://www.w3.org/ns/activitystreams":       "activitystreams",
		"https://w3id.org/security/data-integrity/v1": "data-integrity-v1",
	}[u]
	if !ok {
		return nil, fmt.Errorf("no context %s", u)
	}
	b, err := os.ReadFile("testdata/contexts/" + file + ".json")
	if err != nil {
		return nil, err
	}
	doc, err := ld.DocumentFromReader(bytes.NewReader(b))
	return &ld.RemoteDocument{DocumentURL: u, Document: doc}, err
}

func (s readSite) readJSONLD(t *testing.T) {
	var documents []any
	if err := json.Unmarshal(s.read(t, "/recherche.jsonld"), &documents); err != nil {
		t.Fatal(err)
	}
	options := ld.NewJsonLdOptions("")
	options.DocumentLoader = contexts{}
	var got []told
	for _, d := range documents {
		expanded, err := ld.NewJsonLdProcessor().Expand(d, options)
		if err != nil || len(expanded) != 1 {
			t.Fatalf("%v: %v", d, err)
		}
		read := plain(expanded[0]).(fields)
		id, _ := read["id"].(string)
		r := s.records[id]
		for name, want := range linked(t, r) {
			if diff := cmp.Diff(want, read[name]); diff != "" {
				t.Errorf("%s: %s (-store +read):\n%s", r.Title, name, diff)
			}
		}
		text := func(name string) string {
			value, _ := read[name].(string)
			return value
		}
		moments := map[string]time.Time{"published": r.Published, "updated": r.Updated}
		if m, ok := r.Body.(*essaim.Meeting); ok {
			moments["startTime"], moments["endTime"] = m.Start, m.End
		}
		for name, want := range moments {
			if at, err := instant(text(name)); !want.IsZero() && (err != nil || !at.Equal(want.Truncate(time.Second))) {
				t.Errorf("%s: %s is %q, want %v", r.Title, name, text(name), want)
			}
		}
		updated, _ := instant(text("updated"))
		got = append(got, told{id, text("name"), text("essaim:tagline"), text("dcterms:license"), text("url"), updated.UTC()})
	}
	s.same(t, "JSON-LD", freeRecord, got)
}

// plain is an expanded value as one reads it: a property by its prefix, without one if
// it is of ActivityStreams, and what stands alone without its list.
func plain(v any) any {
	switch v := v.(type) {
	case []any:
		var list []any
		for _, item := range v {
			if again, _ := item.(fields); len(list) > 0 && again["@language"] != nil {
				continue // the same words once more, with their language
			}
			list = append(list, plain(item))
		}
		return alone(list)
	case fields:
		if value, ok := v["@value"]; ok {
			return value
		}
		out := fields{}
		for name, value := range v {
			if name != "@type" {
				out[prefixed(name)] = plain(value)
			}
		}
		if id, ok := out["id"]; ok && len(out) == 1 {
			return id
		}
		return out
	}
	return v
}

func alone(list []any) any {
	switch len(list) {
	case 0:
		return nil
	case 1:
		return list[0]
	}
	return list
}

func prefixed(name string) string {
	for base, prefix := range map[string]string{
		"https://www.w3.org/ns/activitystreams#": "", essaim.Namespace: "essaim:", "http://purl.org/dc/terms/": "dcterms:", "http://www.w3.org/ns/prov#": "prov:",
		"http://schema.org#": "schema:", "https://joinmobilizon.org/ns#": "mz:", "http://www.w3.org/2002/12/cal/ical#": "ical:", "@": "",
	} {
		if rest, ok := strings.CutPrefix(name, base); ok {
			return prefix + rest
		}
	}
	return name
}

// linked is what a document tells of a record, by property; nil for what it has not.
func linked(t *testing.T, r essaim.Record) fields {
	t.Helper()
	c := asFields(t, r.Content)
	out := fields{
		"attributedTo": r.Territory, "essaim:territory": r.Territory, "essaim:territoryName": r.TerritoryName,
		"essaim:kind": string(r.Kind), "essaim:revision": float64(r.Revision), "essaim:incarnation": float64(r.Incarnation),
		"dcterms:rightsHolder": holderOf(r), "dcterms:license": licenceIRI(r.Licence), "prov:wasDerivedFrom": nil, "essaim:collected": nil, "source": nil,
	}
	if r.Text != "" {
		out["source"] = fields{"content": r.Text, "mediaType": "text/markdown"}
	}
	for _, name := range []string{"keywords", "networks", "everywhere", "translationOf", "helpWanted", "helpOffered", "reviewedOn"} {
		out["essaim:"+name] = linkedValue(c[name])
	}
	out["dcterms:source"] = linkedValue(c["sources"])
	if d := r.DerivedFrom; d != nil {
		out["prov:wasDerivedFrom"] = fields{"id": d.ID, "essaim:digest": d.Digest, "name": d.Name, "attributedTo": d.AttributedTo, "dcterms:license": licenceIRI(d.Licence)}
	}
	if by := (fields{"by": c["collectedBy"], "on": c["collectedOn"]}); by["by"] != nil || by["on"] != nil {
		out["essaim:collected"] = linkedValue(by)
	}
	lists := map[string][]any{"essaim:themes": nil, "essaim:links": nil, "essaim:carriers": nil, "essaim:ambassadors": nil, "essaim:partners": nil, "essaim:funders": nil, "location": nil, "essaim:places": nil}
	add := func(name string, value any) { lists[name] = append(lists[name], value) }
	for _, theme := range r.Themes {
		add("essaim:themes", essaim.ThemeIRI(theme))
	}
	for _, l := range r.Links {
		add("essaim:links", linkedValue(fields{"href": l.URL, "name": l.Name}))
	}
	for _, credit := range r.PublicCredits() {
		list := map[string]string{"ambassadeur": "essaim:ambassadors", "partenaire": "essaim:partners", "financeur": "essaim:funders"}[credit.Role]
		if list == "" {
			list = "essaim:carriers"
		}
		add(list, linkedValue(asFields(t, credit)))
	}
	for _, rel := range r.Relations {
		add(relationProperty(rel.Type), rel.Target)
	}
	for i, pl := range r.Places {
		add([]string{"location", "essaim:places"}[min(i, 1)], linkedPlace(t, pl))
	}
	for name, list := range lists {
		out[name] = alone(list)
	}
	linkedBody(t, out, r.Body)
	return out
}

func licenceIRI(id string) any {
	l, _ := essaim.LicenceByID(id)
	return l.IRI
}

func relationProperty(of essaim.RelationType) string {
	switch of {
	case essaim.RelationRemakes:
		return "essaim:remakeOf"
	case essaim.RelationAnswers:
		return "essaim:answerTo"
	case essaim.RelationMember:
		return "essaim:memberOf"
	}
	return "essaim:" + string(of)
}

// linkedValue is a value of a record by the names that it has in a document: those of
// ActivityStreams, and ours.
func linkedValue(v any) any {
	switch v := v.(type) {
	case []any:
		var list []any
		for _, item := range v {
			list = append(list, linkedValue(item))
		}
		return alone(list)
	case fields:
		out := fields{}
		for name, value := range v {
			switch name {
			case "name", "content", "url", "href", "actor", "source", "image", "mediaType", "width", "height":
			case "author":
				name = "dcterms:creator"
			case "licence":
				name, value = "dcterms:license", licenceIRI(fmt.Sprint(value))
			case "alt":
				name = "name"
			default:
				name = "essaim:" + name
			}
			if value != nil && value != "" {
				out[name] = linkedValue(value)
			}
		}
		return out
	}
	return v
}

func linkedPlace(t *testing.T, pl essaim.Place) any {
	t.Helper()
	address := fields{}
	for name, value := range map[string]string{"schema:streetAddress": pl.Street, "schema:postalCode": pl.Postcode, "schema:addressLocality": pl.City} {
		if value != "" {
			address[name] = value
		}
	}
	out := fields{}
	if name := pl.Label; name != "" || pl.City != "" {
		if out["name"] = name; name == "" {
			out["name"] = pl.City
		}
	}
	if len(address) > 0 {
		address["schema:addressCountry"] = "FR"
		out["schema:address"] = address
	}
	if pl.Located() {
		out["latitude"], out["longitude"] = math.Round(*pl.Lat*1e6)/1e6, math.Round(*pl.Lon*1e6)/1e6
	}
	for name, value := range asFields(t, pl) {
		if slices.Contains([]string{"insee", "epci", "departement", "region", "approximate", "level"}, name) {
			out["essaim:"+name] = value
		}
	}
	return out
}

// linkedBody adds what only a kind has.
func linkedBody(t *testing.T, out fields, b essaim.Body) {
	t.Helper()
	registry := fields{}
	for name, value := range asFields(t, b) {
		switch name {
		case "start", "end": // compared as moments
		case "rna", "siren":
			registry["essaim:"+name] = value
			out["essaim:registry"] = registry
		case "purposes", "forms":
			var list []any
			for _, id := range value.([]any) {
				list = append(list, "https://w3id.org/essaim/"+name+"#"+id.(string))
			}
			out["essaim:"+name] = alone(list)
		case "timezone":
			out["mz:timezone"] = value
		case "status":
			word := strings.ToUpper(value.(string))
			out["ical:status"] = []any{word, word} // by both names that Mobilizon reads
		case "registration":
			out["mz:externalParticipationUrl"] = value
		default:
			out["essaim:"+name] = linkedValue(value)
		}
	}
}
