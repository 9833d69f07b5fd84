// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"essaim"
)

// demoDay is a Wednesday on which tests start the demonstration.
var demoDay = time.Date(2026, 4, 1, 9, 0, 0, 0, time.UTC)

// demoAll are the records of a territory, and those that adapt what others publish.
func demoAll(t *testing.T, username string) []essaim.Content {
	t.Helper()
	list, err := demoRecords(username, essaim.EmbeddedGazetteer(), demoDay)
	if err != nil {
		t.Fatal(err)
	}
	echoes, err := demoEchoes(username, essaim.EmbeddedGazetteer(), demoDay)
	if err != nil {
		t.Fatal(err)
	}
	return append(list, echoes...)
}

func TestDemonstrationDatesAreCountedFromTheWeekOfItsStart(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ now, written, want string }{
		{"2026-04-01T09:00:00Z", `"@+2/6 14:00"`, `"2026-04-18T14:00:00+02:00"`},
		{"2026-04-05T21:59:00Z", `"@+1/1"`, `"2026-04-06"`}, // still Sunday in Paris
		{"2026-04-05T22:00:00Z", `"@+1/1"`, `"2026-04-13"`},
		{"2026-10-20T09:00:00Z", `"@-1/7"`, `"2026-10-18"`},
		{"2026-10-20T09:00:00Z", `"@+1/1 18:30"`, `"2026-10-26T18:30:00+01:00"`}, // the clocks change between
	} {
		now, err := time.Parse(time.RFC3339, test.now)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := demoDates([]byte(test.written), now); err != nil || string(got) != test.want {
			t.Errorf("%s at %s: got %s, %v, want %s", test.written, test.now, got, err, test.want)
		}
	}
}

// What home, lists and facets show of a living territory is there in each of them.
func TestDemonstrationHasCallsMeetingsAndEveryFacet(t *testing.T) {
	t.Parallel()
	today := demoDay.Format(time.DateOnly)
	ended, allDay, days, online, adapted, remade := 0, 0, 0, 0, 0, 0
	for _, territory := range demoTerritories {
		open, upcoming, past := 0, 0, 0
		stages, purposes, publics := map[string]bool{}, map[string]bool{}, 0
		for _, c := range demoAll(t, territory.Username) {
			for _, h := range c.HelpWanted {
				if h.Until > today {
					open++
				} else {
					ended++
				}
			}
			switch b := c.Body.(type) {
			case *essaim.Initiative:
				stages[b.Stage] = true
				for _, p := range b.Purposes {
					purposes[p] = true
				}
				publics += len(b.Publics)
			case *essaim.Meeting:
				switch took := b.Over().Sub(b.Start); {
				case took > 24*time.Hour:
					days++
				case took == 24*time.Hour-time.Minute && b.Start.After(demoDay):
					allDay++
				}
				if b.Online != "" {
					online++
				}
				if b.Start.After(demoDay) {
					upcoming++
				} else {
					past++
				}
			case *essaim.Remake:
				remade++
			}
			if c.DerivedFrom != nil {
				adapted++
			}
		}
		if open < 3 || upcoming < 2 || past < 1 || len(stages) < 5 || len(purposes) < 5 || publics < 10 {
			t.Errorf("%s: %d open calls, %d meetings to come, %d past, stages %v, purposes %v, %d publics", territory.Name, open, upcoming, past, stages, purposes, publics)
		}
	}
	if ended == 0 || allDay == 0 || days == 0 || online == 0 || adapted < 2 || remade < 3 {
		t.Errorf("%d calls ended, %d meetings of a day, %d of several, %d online, %d adaptations, %d remakes", ended, allDay, days, online, adapted, remade)
	}
}

func TestDemonstrationRecordsArePublishableAndInTheirPerimeter(t *testing.T) {
	t.Parallel()
	g := essaim.EmbeddedGazetteer()
	want := map[string]map[essaim.Kind]int{
		"brest":     {essaim.KindInitiative: 25, essaim.KindRecipe: 3, essaim.KindVenue: 5, essaim.KindOrganisation: 9, essaim.KindMeeting: 3, essaim.KindRemake: 1},
		"toulouse":  {essaim.KindInitiative: 11, essaim.KindRecipe: 3, essaim.KindVenue: 7, essaim.KindOrganisation: 3, essaim.KindMeeting: 3, essaim.KindRemake: 1},
		"tourcoing": {essaim.KindInitiative: 10, essaim.KindRecipe: 3, essaim.KindVenue: 4, essaim.KindOrganisation: 3, essaim.KindMeeting: 4, essaim.KindRemake: 1},
	}
	titles := map[string]string{} // territory/kind:title, as relations from elsewhere name it
	for _, territory := range demoTerritories {
		list, err := demoRecords(territory.Username, g, demoDay)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range list {
			checkDemoTargets(t, titles, territory, c)
		}
	}
	for _, territory := range demoTerritories {
		got := map[essaim.Kind]int{}
		perimeter := essaim.Territory{EPCIs: territory.EPCIs}
		for _, c := range demoAll(t, territory.Username) {
			got[c.Kind]++
			if slices.ContainsFunc(c.Relations, func(r essaim.Relation) bool { return strings.Contains(r.Target, "/") }) || c.DerivedFrom != nil {
				checkDemoTargets(t, titles, territory, c)
			}
			for i := range c.Relations {
				c.Relations[i].Target = "https://resolved.example/" // by demoHosts
			}
			if c.DerivedFrom != nil {
				c.DerivedFrom.Licence = essaim.DefaultLicence // the same
			}
			if p := c.Validate(true); len(p) > 0 {
				t.Errorf("%s, %s: %v", territory.Name, c.Title, p)
			}
			for _, pl := range c.Places {
				if !g.Covers(perimeter, pl.INSEE) || !pl.Located() {
					t.Errorf("%s: %s is not in the perimeter of %s, or not placed", c.Title, pl.INSEE, territory.Name)
				}
			}
			checkDemoOrigin(t, c)
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

// checkDemoTargets checks that what a record points to stands before it, and takes
// the record in.
func checkDemoTargets(t *testing.T, titles map[string]string, territory demoTerritory, c essaim.Content) {
	t.Helper()
	var targets []string
	for _, r := range c.Relations {
		targets = append(targets, r.Target)
	}
	if c.DerivedFrom != nil {
		targets = append(targets, c.DerivedFrom.ID)
	}
	for _, target := range targets {
		if !strings.Contains(target, "/") {
			target = territory.Username + "/" + target
		}
		if titles[target] == "" {
			t.Errorf("%s points to %q, which does not stand before it", c.Title, target)
		}
	}
	for other, title := range titles {
		if title == c.Title {
			t.Errorf("%s: at %s and as %s", c.Title, territory.Name, other)
		}
	}
	titles[territory.Username+"/"+string(c.Kind)+":"+c.Title] = c.Title
}

// checkDemoOrigin checks that a record says where it comes from, or that it is
// invented, and names nobody.
func checkDemoOrigin(t *testing.T, c essaim.Content) {
	t.Helper()
	if invented := strings.HasSuffix(c.Text, demoInvented); invented == (len(c.Sources) > 0) || c.Licence == "" || c.Holder == "" {
		t.Errorf("%s: invented %t, %d sources, licence %q, holder %q", c.Title, invented, len(c.Sources), c.Licence, c.Holder)
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
}

func checkDemoRecipe(t *testing.T, c essaim.Content) {
	t.Helper()
	r := c.Body.(*essaim.Recipe)
	if r.Yields == "" || r.Cost == "" || r.Difficulty == "" || r.GroupSize == "" || r.Duration == "" || len(r.Ingredients) == 0 || len(r.Tools) == 0 || len(r.Steps) < 5 {
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
