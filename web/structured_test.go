// SPDX-License-Identifier: AGPL-3.0-or-later

package web

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"essaim"
	"essaim/store/storetest"
)

func TestPagesTellProgramsWhatTheyShow(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t)).fill(t)
	for kind, want := range map[essaim.Kind][]string{
		essaim.KindInitiative: {"Article", "headline", "author", "datePublished", "license", "creditText", "copyrightHolder", "isBasedOn", "about", "spatialCoverage"}, essaim.KindRecipe: {"HowTo", "creditText", "isBasedOn", "about", "step", "supply", "tool", "yield"},
		essaim.KindVenue: {"Place", "geo", "address", "openingHours", "amenityFeature", "containedInPlace"}, essaim.KindOrganisation: {"Organization", "address", "foundingDate", "identifier", "memberOf"},
		essaim.KindRemake:  {"Article", "headline", "author", "datePublished", "license"},
		essaim.KindMeeting: {"Event", "startDate", "eventStatus", "eventAttendanceMode", "location", "organizer"},
	} {
		d := s.get(t, recordPath(s.records[kind]), http.StatusOK)
		data := structuredOf(t, d)
		if data["@type"] != want[0] || data["@context"] != "https://schema.org" || data["@id"] != s.records[kind].ID || data["url"] != s.records[kind].URL {
			t.Errorf("%s: got %v", kind, data)
		}
		for _, name := range append(want[1:], "name", "description", "mainEntityOfPage", "image") {
			if data[name] == nil {
				t.Errorf("%s: no %s in %v", kind, name, data)
			}
		}
		if of, _ := data["mainEntityOfPage"].(map[string]any); of["url"] != s.records[kind].URL {
			t.Errorf("%s: the page it is of is %v", kind, of)
		}
		for name, content := range map[string]string{
			"og:title": s.records[kind].Title, "og:url": s.records[kind].URL, "og:type": "article", "og:site_name": "Brest", "og:locale": "fr_FR",
		} {
			if m := d.with("meta", "property", name); len(m) != 1 || value(m[0], "content") != content {
				t.Errorf("%s: %s is not %q", kind, name, content)
			}
		}
		if m := d.with("meta", "name", "fediverse:creator"); len(m) != 1 || value(m[0], "content") != "@brest@brest.example" {
			t.Errorf("%s: no fediverse:creator", kind)
		}
		if m := d.with("link", "type", "application/activity+json"); len(m) != 1 || value(m[0], "href") != s.records[kind].ID || value(m[0], "rel") != "alternate" {
			t.Errorf("%s: no alternate", kind)
		}
		if !strings.Contains(d.resp.Header.Get("Link"), "<"+s.records[kind].ID+`>; rel="alternate"; type="application/activity+json"`) {
			t.Errorf("%s: Link %q", kind, d.resp.Header.Get("Link"))
		}
	}
	for _, path := range []string{"/initiatives", "/recherche", "/initiatives?theme=reemploi"} {
		d := s.get(t, path, http.StatusOK)
		list, _ := structuredOf(t, d)["mainEntity"].(map[string]any)
		if items, _ := list["itemListElement"].([]any); list["@type"] != "ItemList" || len(items) == 0 || len(items) != len(d.with("article", "class", "*")) {
			t.Errorf("%s: the data hold %v", path, list)
		}
	}
	if data := structuredOf(t, s.get(t, "/", http.StatusOK)); data["subjectOf"] == nil || data["@type"] != "Organization" || data["@id"] != s.cfg.Node.Territory.Actor {
		t.Errorf("home: %v", data)
	}
}

// A program is told the hours of a meeting as a reader is: not those that nobody gave.
func TestAMeetingOfWholeDaysTellsProgramsNoHours(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	at := func(day, hour, minute int) time.Time { return time.Date(2027, 3, day, hour, minute, 0, 0, paris) }
	for name, tt := range map[string]struct {
		start, end time.Time
		from, to   any
	}{
		"Un jour":           {at(14, 0, 0), time.Time{}, "2027-03-14", nil},
		"À sa fin":          {at(14, 0, 0), at(14, 23, 59), "2027-03-14", "2027-03-14"},
		"Une soirée":        {at(14, 18, 30), at(14, 20, 0), "2027-03-14T18:30:00+01:00", "2027-03-14T20:00:00+01:00"},
		"Toute une matinée": {at(14, 0, 0), at(14, 12, 0), "2027-03-14T00:00:00+01:00", "2027-03-14T12:00:00+01:00"},
	} {
		rec := storetest.Publish(t, s.store, essaim.Content{
			Kind: essaim.KindMeeting, Title: name, Licence: "cc0-1.0", Body: &essaim.Meeting{Start: tt.start, End: tt.end, Timezone: "Europe/Paris"},
		})
		d := s.get(t, recordPath(rec), http.StatusOK)
		if data := structuredOf(t, d); data["startDate"] != tt.from || data["endDate"] != tt.to {
			t.Errorf("%s: from %v to %v", name, data["startDate"], data["endDate"])
		}
		for _, page := range []*doc{d, s.get(t, "/", http.StatusOK)} {
			if len(page.with("time", "datetime", tt.from.(string))) == 0 {
				t.Errorf("%s: no <time> of %v", name, tt.from)
			}
		}
	}
}

func TestNoTitleEndsTheDataOfAPage(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t))
	rec := storetest.Publish(t, s.store, storetest.Initiative(`</script><script>alert(1)</script> "&<!--`))
	d := s.get(t, recordPath(rec), http.StatusOK)
	if data := structuredOf(t, d); data["name"] != rec.Title {
		t.Errorf("got %v", data["name"])
	}
	if n := len(d.all("script")) - len(d.with("script", "src", "*")); n != 1 {
		t.Errorf("%d scripts without an address", n)
	}
}

// structuredOf reads the one block of data of a page.
func structuredOf(t *testing.T, d *doc) map[string]any {
	t.Helper()
	blocks := d.with("script", "type", "application/ld+json")
	if len(blocks) != 1 {
		t.Fatalf("%d blocks of data", len(blocks))
	}
	var data map[string]any
	if err := json.Unmarshal([]byte(blocks[0].FirstChild.Data), &data); err != nil {
		t.Fatalf("%s: %v", blocks[0].FirstChild.Data, err)
	}
	return data
}
