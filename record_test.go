// SPDX-License-Identifier: AGPL-3.0-or-later

package essaim_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"essaim"
)

// full returns a content of a kind with every field set, by reflection, so that
// a field added later is covered without a line here.
func full(t *testing.T, k essaim.Kind) essaim.Content {
	t.Helper()
	info, ok := k.Info()
	if !ok {
		t.Fatalf("kind %q has no line in the table", k)
	}
	c := essaim.Content{Kind: k}
	fill(reflect.ValueOf(&c).Elem(), 1)
	c.Kind = k
	c.Body = info.Body()
	fill(reflect.ValueOf(c.Body).Elem(), 1)
	return c
}

func fill(v reflect.Value, n int) {
	switch v.Kind() {
	case reflect.String:
		v.SetString("valeur")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(n))
	case reflect.Float64:
		v.SetFloat(48.0 + float64(n))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fill(v.Index(i), i+1)
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Date(2026, 3, n, 9, 0, 0, 0, time.UTC)))
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() && v.Field(i).Kind() != reflect.Interface {
				fill(v.Field(i), n)
			}
		}
	}
}

func TestRecordOfEachKindSurvivesJSON(t *testing.T) {
	t.Parallel()
	for _, info := range essaim.Kinds() {
		t.Run(string(info.Kind), func(t *testing.T) {
			t.Parallel()
			want := essaim.Record{
				ID: "https://brest.example/objects/01", Slug: "x", State: essaim.StatePublished,
				Revision: 3, Incarnation: 7, Updated: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), Content: full(t, info.Kind),
			}
			b, err := json.Marshal(want)
			if err != nil {
				t.Fatal(err)
			}
			var got essaim.Record
			if err := json.Unmarshal(b, &got); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("record after JSON:\n got %+v\nwant %+v", got, want)
			}
			var content essaim.Content
			if err := json.Unmarshal(b, &content); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(content, want.Content) {
				t.Errorf("content read from the record:\n got %+v\nwant %+v", content, want.Content)
			}
		})
	}
}

func TestContentOfUnknownKindIsRefused(t *testing.T) {
	t.Parallel()
	var c essaim.Content
	err := json.Unmarshal([]byte(`{"kind":"essaim","title":"x"}`), &c)
	if !errors.Is(err, essaim.ErrInvalid) {
		t.Errorf("got %v, want ErrInvalid", err)
	}
}

// minimal is the least that publishes a record of a kind.
func minimal(k essaim.Kind) essaim.Content {
	info, _ := k.Info()
	c := essaim.Content{
		Kind: k, Title: "Repair café de Recouvrance", Tagline: "Réparer ensemble, chaque samedi.",
		Everywhere: true, Themes: []string{"reemploi"}, Licence: essaim.DefaultLicence, Body: info.Body(),
	}
	if m, ok := c.Body.(*essaim.Remake); ok {
		m.Outcome = "works"
		c.Relations = []essaim.Relation{{Type: essaim.RelationRemakes, Target: "https://brest.example/objects/1"}}
	}
	if m, ok := c.Body.(*essaim.Meeting); ok {
		m.Start = time.Date(2026, 3, 13, 16, 30, 0, 0, time.UTC)
	}
	return c
}

func TestMinimalContentOfEachKindPublishes(t *testing.T) {
	t.Parallel()
	for _, info := range essaim.Kinds() {
		c := minimal(info.Kind)
		if p := c.Validate(true); len(p) != 0 {
			t.Errorf("%s: %v", info.Kind, p)
		}
		draft := essaim.Content{Kind: info.Kind, Title: "Une idée", Body: info.Body()}
		if p := draft.Validate(false); len(p) != 0 {
			t.Errorf("%s as a draft with a title alone: %v", info.Kind, p)
		}
	}
}

func TestValidateNamesTheFieldAndTheReason(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 181)
	tests := []struct {
		name          string
		kind          essaim.Kind
		change        func(*essaim.Content)
		field, reason string
	}{
		{"no title", essaim.KindInitiative, func(c *essaim.Content) { c.Title = "  " }, "title", "required"},
		{"no tagline", essaim.KindInitiative, func(c *essaim.Content) { c.Tagline = "" }, "tagline", "required"},
		{"tagline too long", essaim.KindInitiative, func(c *essaim.Content) { c.Tagline = long }, "tagline", "too_long"},
		{"no place", essaim.KindInitiative, func(c *essaim.Content) { c.Everywhere = false }, "places", "required"},
		{"no theme", essaim.KindInitiative, func(c *essaim.Content) { c.Themes = nil }, "themes", "required"},
		{"venue without place", essaim.KindVenue, func(c *essaim.Content) { c.Everywhere = false }, "places", "required"},
		{"unknown theme", essaim.KindRecipe, func(c *essaim.Content) { c.Themes = []string{"lune"} }, "themes.0", "unknown"},
		{"bad commune code", essaim.KindVenue, func(c *essaim.Content) { c.Places = []essaim.Place{{INSEE: "2901"}} }, "places.0.insee", "bad_code"},
		{"half a point", essaim.KindVenue, func(c *essaim.Content) { lat := 1.0; c.Places = []essaim.Place{{Label: "x", Lat: &lat}} }, "places.0.lat", "lat_and_lon"},
		{"no licence", essaim.KindVenue, func(c *essaim.Content) { c.Licence = "" }, "licence", "required"},
		{"unknown licence", essaim.KindVenue, func(c *essaim.Content) { c.Licence = "mit" }, "licence", "unknown"},
		{"picture without alternative text", essaim.KindVenue, func(c *essaim.Content) {
			c.Images = []essaim.Image{{URL: "https://brest.example/1.jpg"}}
		}, "images.0.alt", "required"},
		{"script as a link", essaim.KindVenue, func(c *essaim.Content) { c.Links = []essaim.Link{{URL: "javascript:alert(1)"}} }, "links.0.url", "bad_url"},
		{"stage outside the list", essaim.KindInitiative, func(c *essaim.Content) { c.Body.(*essaim.Initiative).Stage = "fini" }, "body.stage", "unknown"},
		{"ends before it starts", essaim.KindInitiative, func(c *essaim.Content) {
			b := c.Body.(*essaim.Initiative)
			b.Since, b.Until = "2012-05", "2011"
		}, "body.until", "before_start"},
		{"date of no calendar", essaim.KindInitiative, func(c *essaim.Content) { c.Body.(*essaim.Initiative).Since = "2011-02-30" }, "body.since", "bad_date"},
		{"hours of no week", essaim.KindVenue, func(c *essaim.Content) { c.Body.(*essaim.Venue).OpeningHours = []string{"lundi 9h"} }, "body.openingHours", "bad_hours"},
		{"meeting without a start", essaim.KindMeeting, func(c *essaim.Content) { c.Body.(*essaim.Meeting).Start = time.Time{} }, "body.start", "required"},
		{"remake of nothing", essaim.KindRemake, func(c *essaim.Content) { c.Relations = nil }, "relations", "required"},
		{"remake without outcome", essaim.KindRemake, func(c *essaim.Content) { c.Body = new(essaim.Remake) }, "body.outcome", "required"},
		{"licence that the parent's does not allow", essaim.KindRecipe, func(c *essaim.Content) {
			c.Licence = "cc-by-4.0"
			c.DerivedFrom = &essaim.Derivation{ID: "https://brest.example/objects/1", Licence: "cc-by-sa-4.0"}
		}, "licence", "incompatible"},
		{"parent without a known licence", essaim.KindRecipe, func(c *essaim.Content) {
			c.DerivedFrom = &essaim.Derivation{ID: "https://brest.example/objects/1"}
		}, "licence", "incompatible"},
		{"control character", essaim.KindVenue, func(c *essaim.Content) { c.Text = "a\x00b" }, "text", "bad_text"},
		{"credit without a role", essaim.KindInitiative, func(c *essaim.Content) { c.Credits = []essaim.Credit{{Name: "Vert le Jardin"}} }, "credits.0.role", "required"},
		{"body of another kind", essaim.KindVenue, func(c *essaim.Content) { c.Body = new(essaim.Recipe) }, "body", "required"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := minimal(tt.kind)
			tt.change(&c)
			p := c.Validate(true)
			if got := p[tt.field]; got != tt.reason {
				t.Errorf("problem of %s: got %q, want %q (all: %v)", tt.field, got, tt.reason, p)
			}
			if !errors.Is(p.Err(), essaim.ErrInvalid) {
				t.Errorf("Err() = %v, want ErrInvalid", p.Err())
			}
		})
	}
}

func TestPersonAppearsOnlyByConsent(t *testing.T) {
	t.Parallel()
	c := minimal(essaim.KindInitiative)
	c.Credits = []essaim.Credit{
		{Name: "Association de démonstration", Role: "porteur"},
		{Name: "Personne sans accord", Role: "porteur", Person: true},
		{Name: "Personne d’accord", Role: "ambassadeur", Person: true, Consent: &essaim.Consent{On: "2026-03-01", How: "link", Fields: []string{"name"}}},
	}
	got := c.PublicCredits()
	if len(got) != 2 || got[0].Name != "Association de démonstration" || got[1].Name != "Personne d’accord" {
		t.Fatalf("public credits: %+v", got)
	}
	if got[1].Consent != nil {
		t.Error("the consent left the node")
	}
	if c.Credits[2].Consent == nil {
		t.Error("the consent was erased from the record")
	}
}
