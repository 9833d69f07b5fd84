// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"strings"
	"testing"

	"essaim"
)

func TestDemonstrationRecordsArePublishableAndInTheirPerimeter(t *testing.T) {
	t.Parallel()
	g := essaim.EmbeddedGazetteer()
	want := map[string]map[essaim.Kind]int{
		"brest":     {essaim.KindInitiative: 18, essaim.KindRecipe: 2, essaim.KindVenue: 4, essaim.KindOrganisation: 7},
		"toulouse":  {essaim.KindInitiative: 3, essaim.KindRecipe: 2, essaim.KindVenue: 7, essaim.KindOrganisation: 1},
		"tourcoing": {essaim.KindInitiative: 2, essaim.KindRecipe: 2, essaim.KindVenue: 3, essaim.KindOrganisation: 1, essaim.KindMeeting: 1},
	}
	titles := map[string]string{}
	for _, territory := range demoTerritories {
		list, err := demoRecords(territory.Username, g)
		if err != nil {
			t.Fatal(err)
		}
		got := map[essaim.Kind]int{}
		perimeter := essaim.Territory{EPCIs: territory.EPCIs}
		for _, c := range list {
			got[c.Kind]++
			for i, r := range c.Relations {
				kind, title, _ := strings.Cut(r.Target, ":")
				if titles[title] != territory.Name || kind == "" {
					t.Errorf("%s: is about %q, which does not stand before it", c.Title, r.Target)
				}
				c.Relations[i].Target = "https://resolved.example/" // by publishDemo
			}
			if p := c.Validate(true); len(p) > 0 {
				t.Errorf("%s, %s: %v", territory.Name, c.Title, p)
			}
			if other := titles[c.Title]; other != "" {
				t.Errorf("%s: at %s and at %s", c.Title, other, territory.Name)
			}
			titles[c.Title] = territory.Name
			for _, pl := range c.Places {
				if !g.Covers(perimeter, pl.INSEE) || !pl.Located() {
					t.Errorf("%s: %s is not in the perimeter of %s, or not placed", c.Title, pl.INSEE, territory.Name)
				}
			}
			if len(c.Sources) == 0 || c.Licence == "" || c.Holder == "" {
				t.Errorf("%s: without source, licence or holder", c.Title)
			}
			for _, s := range c.Sources {
				if !strings.HasPrefix(s.URL, "http") || s.Name == "" {
					t.Errorf("%s: source %+v", c.Title, s)
				}
			}
			for _, cr := range c.Credits {
				if cr.Person {
					t.Errorf("%s names a natural person", c.Title)
				}
			}
			if c.Kind == essaim.KindRecipe {
				checkDemoRecipe(t, c)
			}
		}
		for kind, n := range want[territory.Username] {
			if got[kind] != n {
				t.Errorf("%s: got %d of kind %s, want %d", territory.Name, got[kind], kind, n)
			}
		}
	}
}

func checkDemoRecipe(t *testing.T, c essaim.Content) {
	t.Helper()
	r := c.Body.(*essaim.Recipe)
	if r.Yields == "" || r.GroupSize == "" || r.Duration == "" || len(r.Ingredients) == 0 || len(r.Tools) == 0 || len(r.Steps) < 5 {
		t.Errorf("%s is not written whole", c.Title)
	}
	tips, traps := 0, 0
	for _, s := range r.Steps {
		if s.Content == "" {
			t.Errorf("%s, %s: no content", c.Title, s.Name)
		}
		if s.Tip != "" {
			tips++
		}
		if s.Trap != "" {
			traps++
		}
	}
	if tips == 0 || traps == 0 {
		t.Errorf("%s: %d tips, %d traps", c.Title, tips, traps)
	}
}
